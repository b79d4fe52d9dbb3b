// Populations whose spikes do not depend on what arrives: nothing can be connected to them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "saltus/engine/spike_train.hpp"
#include "saltus/engine/time.hpp"

namespace saltus::neurons {

/// Spikes come from outside, with the input of a run.
struct Input {
    static constexpr std::string_view name = "Input";
};

/// Independent Poisson processes, one per neuron, in continuous time.              NEST: poisson_generator_ps
struct PoissonSource {
    static constexpr std::string_view name = "PoissonSource";

    std::vector<double> rate;   // [Hz], one for all or one per neuron
    std::uint64_t seed = 0;     // the trains are a function of it, the rates, and the population's size
    Time start{};               // silent before
    Time stop = Time::never();  // and from then on
};

/// One spike every `interval`.
struct RegularSource {
    static constexpr std::string_view name = "RegularSource";

    std::vector<Duration> interval;  // > 0, one for all or one per neuron
    std::vector<Time> first;         // first spike, one for all or one per neuron
    Time stop = Time::never();       // silent from then on
};

/// Given spikes that belong to the network, from an array or a file.               NEST: spike_generator
struct SpikeSource {
    static constexpr std::string_view name = "SpikeSource";

    SpikeTrain spikes;  // sorted by (time, neuron)
};

}  // namespace saltus::neurons
