// The stepped clock as its documentation has it (saltus/engine/stepped.hpp), without any of its passes: one
// step after the other, one population after the other, one neuron after the other, one synapse after the
// other.
#pragma once

#include <cstdint>
#include <vector>

#include "saltus/engine/network.hpp"
#include "saltus/engine/stepped.hpp"

namespace saltus::fuzz {

struct PlainSynapse {
    NeuronIndex source;
    NeuronIndex target;
    double weight;
    std::uint32_t steps;  // of delay
};
/// Synapses by source, and a constant signal from a step on.
struct PlainProjection {
    std::uint32_t source;
    std::uint32_t target;
    std::vector<PlainSynapse> synapses;
    std::vector<double> bias;  // empty: none
    std::uint32_t bias_step = 0;
};
struct PlainNetwork {
    std::vector<Population> populations;
    std::vector<PlainProjection> projections;
};

/// Of one population: [step][neuron].
struct PlainRecord {
    std::vector<double> sent;  // amplitudes of spikes; of one that does not spike, of what it sends
    std::vector<double> potentials;
    std::vector<double> currents;  // empty: the model has none
};

/// `signals` are those of the inputs, [step][neuron]. The network is one that the clock takes. Ends before
/// the first step in which a value is beyond the range of its type: what is computed from it is not defined.
[[nodiscard]] std::vector<PlainRecord> plain_steps(const PlainNetwork& network, const SteppedRules& rules,
                                                   const std::vector<std::vector<double>>& signals,
                                                   std::uint32_t steps);

}  // namespace saltus::fuzz
