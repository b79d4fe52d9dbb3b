// Projections synapse by synapse, for formats that know nothing else.
#pragma once

#include <vector>

#include "saltus/engine/network.hpp"

namespace saltus {

/// What a projection brings: every path of a spike through its chain is a synapse.
struct ExplicitSynapses {
    Sparse synapses;
    std::vector<double> constant_signal;  // that biases send, for each target neuron; empty: none
};

/// Throws NetworkError for a bias that a delay follows, LimitError for more than 2^31 synapses.
[[nodiscard]] ExplicitSynapses explicit_synapses(const Network& network, const Projection& projection);

}  // namespace saltus
