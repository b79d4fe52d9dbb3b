#include "results.hpp"

#include <nanobind/stl/vector.h>

#include "arrays.hpp"

namespace saltus::python {

namespace {

std::vector<std::size_t> array_shape(const Population& population) {
    return {population.shape.begin(), population.shape.end()};
}

nb::dict potentials_of(const Network& network, std::vector<PotentialRecord> records) {
    nb::dict potentials;
    for (PotentialRecord& record : records) {
        const Population& population = network.populations()[record.population];
        std::vector<std::size_t> shape = array_shape(population);
        shape.insert(shape.begin(), record.times.size());
        potentials[text(population.name)] = array_of(std::move(record.values), shape);
    }
    return potentials;
}

}  // namespace

nb::dict dict_of(const Network& network, SimulationResult result, bool record_spikes) {
    const std::uint64_t digest = fingerprint(result);
    nb::dict spikes;
    nb::dict counts;
    nb::dict finals;
    const auto populations = network.populations();
    for (std::size_t q = 0; q < populations.size(); ++q) {
        const Population& population = populations[q];
        const nb::object name = text(population.name);
        counts[name] = result.spike_counts[q];
        if (!neurons::is_spiking(population.model)) {
            finals[name] = array_of(std::move(result.final_potentials[q]), array_shape(population));
        } else if (record_spikes && !population.is_source()) {
            spikes[name] = nb::cast(Spikes(std::move(result.spikes[q])));
        }
    }
    nb::dict out;
    out["end"] = result.end.seconds();
    out["spikes"] = spikes;
    out["potential_times"] = nb::none();
    if (!result.potentials.empty()) {
        std::vector<double> seconds;
        for (const Time t : result.potentials.front().times) seconds.push_back(t.seconds());
        const std::vector<std::size_t> shape{seconds.size()};
        out["potential_times"] = array_of(std::move(seconds), shape);
    }
    out["potentials"] = potentials_of(network, std::move(result.potentials));
    out["final_potentials"] = finals;
    out["spike_counts"] = counts;
    out["synaptic_events"] = result.synaptic_events;
    out["windows"] = result.windows;
    out["resumed_at"] = nb::none();
    out["interrupted"] = result.interrupted;
    out["fingerprint"] = digest;
    return out;
}

}  // namespace saltus::python
