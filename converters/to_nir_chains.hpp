// Projections as chains of nodes, and which of these nodes are one and the same.
//
// A node that several chains go through distributes over its sources and targets: every way into it goes on
// along every way out of it. So stages of one name and the same contents may become one node only if the
// chains are all pairs of their beginnings and their ends. A bias then acts once for each end, whichever
// beginning it came with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "saltus/engine/network.hpp"

namespace saltus::converters {

/// A stage on its way to become a node.
struct Link {
    Stage stage;
    Shape in;
    std::string name;    // of the stage; empty where it has none that a node can bear
    std::string suffix;  // of a name that has to be made up
    std::string key;     // links of the same key may become one node
    std::size_t node = 0;
};

struct Chain {
    std::uint32_t source = 0;
    std::uint32_t target = 0;
    std::vector<Link> links;
};

/// A name that HDF5 can hold.
[[nodiscard]] bool is_node_name(const std::string& name);

/// What `network` is made of; explicit synapses become one chain for each of their delays. `bias_factor`
/// holds for each population what NeuronNode says. Throws NetworkError, LimitError.
[[nodiscard]] std::vector<Chain> chains_of(const Network& network,
                                           const std::vector<std::vector<double>>& bias_factor);

/// Numbers the nodes of the chains (Link::node) from 0 in the order of their first use. Returns the links
/// that they are to be made of, biases included.
[[nodiscard]] std::vector<const Link*> number_nodes(std::vector<Chain>& chains);

}  // namespace saltus::converters
