// A NIR graph without its nesting: the nodes of all sub-graphs in one list, edges between them. An edge to a
// sub-graph leads to one of its Inputs, an edge from a sub-graph comes from one of its Outputs; which one
// says its name:
//
//   "a.b"     a node of exactly that name, if there is one; else split at the last dot that leaves the name
//   of a
//             sub-graph: node "b" in the sub-graph "a" (any node, usually an Input or Output)
//   "sub"     the only Input (as target) or Output (as source) of the sub-graph "sub"
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "nir_place.hpp"
#include "saltus/io/nir.hpp"

namespace saltus::io {

struct NirLeaf {
    const NirNode* node;
    const std::string* name;
    std::size_t graph;  // the one that holds it
};

/// 0 is the top graph, its name is nullptr.
struct NirSubgraph {
    const std::string* name;
    std::size_t parent;
};

struct NirEdge {
    std::size_t source;
    std::size_t target;

    friend bool operator==(const NirEdge&, const NirEdge&) = default;
};

struct NirFlat {
    std::vector<NirLeaf> nodes;  // depth first, in the order of the document
    std::vector<NirSubgraph> graphs;
    std::vector<NirEdge> edges;

    [[nodiscard]] std::string path(std::size_t leaf) const;         // "sub/lif"
    [[nodiscard]] std::string graph_path(std::size_t graph) const;  // "sub", "" for the top graph
};

/// Throws FileError where an edge does not name two nodes, where two nodes have the same name, or an edge
/// occurs twice and `options` do not allow it.
[[nodiscard]] NirFlat flatten(const NirGraph& graph, const std::string& origin, const NirReadOptions& options,
                              NirNotes& notes);

/// Replaces names such as "sub.input" by "sub" where the port is the only one.
void use_plain_names(NirGraph& graph);

}  // namespace saltus::io
