// Which edges of a graph a tool computes late, that is, takes from the last step.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "saltus/converters/convention.hpp"

namespace saltus::converters {

struct GraphEdge {
    std::size_t from = 0;
    std::size_t to = 0;
};

/// For each edge, whether its target is computed before its source. `inputs` are nodes to start from.
[[nodiscard]] std::vector<bool> late_edges(NodeOrder order, const std::vector<std::string>& names,
                                           const std::vector<GraphEdge>& edges,
                                           const std::vector<std::size_t>& inputs);

}  // namespace saltus::converters
