// Nodes without memory to the stages of a projection, and Delay.
#pragma once

#include "nir_neurons.hpp"
#include "saltus/engine/projection.hpp"

namespace saltus::converters {

/// A node of a document flattened to one graph: `path` is its name, "sub.name" inside a sub-graph.
struct FlatNode {
    std::string path;
    const io::NirNode* node = nullptr;
    io::NirShapes shapes;
};

/// Throws NetworkError for a shape beyond 2^32 - 1 in a dimension, with the node's name.
[[nodiscard]] Shape engine_shape(const FlatNode& node, const std::vector<std::uint64_t>& shape);

[[nodiscard]] Stage stage_from_nir(const FlatNode& node, const Meaning& meaning);

}  // namespace saltus::converters
