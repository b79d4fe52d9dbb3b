#include <cmath>
#include <limits>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/stepped.hpp"

namespace saltus {

namespace {

/// Spikes that amplitudes stand for: their sum where they are counts, else one each.
std::uint64_t spikes_in(const Raster& raster) {
    return raster.train(Duration(1)).size();
}

}  // namespace

std::uint32_t steps_covering(Duration duration, Duration dt) {
    const std::int64_t length = duration.femtoseconds();
    if (length < 0) throw LimitError("duration: expected >= 0, found " + to_string(duration) + ".");
    const std::int64_t steps = length / dt.femtoseconds() + (length % dt.femtoseconds() != 0 ? 1 : 0);
    if (steps > std::numeric_limits<std::uint32_t>::max()) {
        throw LimitError("duration: " + to_string(duration) + " is more than 2^32 - 1 steps of " +
                         to_string(dt) + ".");
    }
    return static_cast<std::uint32_t>(steps);
}

SteppedSample sample_of(const Network& network, const std::vector<InputSpikes>& inputs, Duration dt,
                        std::uint32_t steps) {
    const auto populations = network.populations();
    const Time end(Duration(steps * dt.femtoseconds()));
    std::vector<SpikeTrain> trains(populations.size());
    for (const InputSpikes& input : inputs) {
        const auto q = network.find(input.population);
        if (!q || !populations[*q].is_input())
            throw InputError(input.population, "the network has no input of this name.");
        for (std::size_t k = 0; k < input.spikes.size(); ++k) {
            if (input.spikes.times[k] > end) {
                throw InputError(input.population, "spike " + std::to_string(k) +
                                                       ": expected a time up to the end of the run, " +
                                                       to_string(end.since_start()) + ", found " +
                                                       to_string(input.spikes.times[k].since_start()) + ".");
            }
            trains[*q].add(input.spikes.times[k], input.spikes.neurons[k]);
        }
    }
    SteppedSample sample;
    for (std::size_t q = 0; q < populations.size(); ++q) {
        if (trains[q].empty()) continue;
        const std::string& name = populations[q].name;
        sample.inputs.push_back({name, Raster::of(trains[q], populations[q].size(), dt, steps, name)});
    }
    return sample;
}

SimulationResult result_of(SteppedRecord record, const Network& network, const SteppedSample& sample,
                           Duration dt, std::uint32_t steps) {
    const auto populations = network.populations();
    SimulationResult result;
    result.spikes.resize(populations.size());
    result.spike_counts.resize(populations.size());
    result.final_potentials.resize(populations.size());
    for (const SteppedSample::Input& input : sample.inputs)
        result.spike_counts[network.index_of(input.population)] += spikes_in(input.signal);
    for (std::uint32_t q = 0; q < populations.size(); ++q) {
        if (populations[q].is_source()) continue;
        if (neurons::is_spiking(populations[q].model)) {
            result.spikes[q] = record.spikes[q].train(dt, !record.sends_counts[q]);
            result.spike_counts[q] = record.spike_counts[q];
        } else {
            result.final_potentials[q] = std::move(record.counts[q]);
        }
        if (record.potentials[q].empty()) continue;
        PotentialRecord& potential = result.potentials.emplace_back();
        potential.population = q;
        potential.values = std::move(record.potentials[q]);
        for (std::uint32_t k = 0; k < steps; ++k)
            potential.times.emplace_back(Duration(k * dt.femtoseconds()));
    }
    result.neuron_spikes = record.neuron_spikes;
    result.synaptic_events = record.synaptic_events;
    result.windows = steps;
    result.end = Time(Duration(steps * dt.femtoseconds()));
    return result;
}

}  // namespace saltus
