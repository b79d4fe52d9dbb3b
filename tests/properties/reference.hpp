// The exact clock as its definition says it, without any of its schedule: one global queue of events, one
// object per neuron, one event per synapse.
//
// Events are taken in the order (time, level, population, neuron). All that one instant brings to one neuron
// is summed, then the neuron is integrated by its closed form, the threshold tested once, and spikes fan out.
#pragma once

#include <vector>

#include "saltus/engine/simulate.hpp"

namespace saltus::properties {

/// Spikes of each population, sorted by (time, neuron). `sources` are those of the populations that receive
/// nothing; the others' entries are not read.
[[nodiscard]] std::vector<SpikeTrain> reference_run(const Network& network,
                                                    const std::vector<SpikeTrain>& sources,
                                                    Duration duration);

}  // namespace saltus::properties
