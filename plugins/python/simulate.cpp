// Runs of the exact clock. The GIL is released while the network runs.
#include <nanobind/stl/vector.h>

#include "arrays.hpp"
#include "network.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::python {

namespace {

constexpr std::uint64_t most_potentials = std::uint64_t{1} << 32;  // values of a run: 32 GiB

std::vector<InputSpikes> inputs_from(const nb::dict& trains) {
    std::vector<InputSpikes> inputs;
    for (const auto& [name, train] : trains) {
        inputs.push_back({nb::cast<std::string>(name), nb::cast<const Spikes&>(train).train});
    }
    return inputs;
}

/// 0, step, 2 step, ... up to the duration; none for a step of 0.
std::vector<Time> grid(const Network& network, Duration duration, Duration step) {
    std::vector<Time> times;
    if (step == Duration() || duration < Duration()) return times;
    const auto instants = static_cast<std::uint64_t>(duration.femtoseconds() / step.femtoseconds()) + 1;
    std::uint64_t values = 1;
    for (const Population& population : network.populations()) values += population.size();
    if (instants > most_potentials / values) {
        throw LimitError("potentials: at most 2^32 values can be recorded, and " + std::to_string(instants) +
                         " instants of " + std::to_string(values - 1) +
                         " neurons are more. Take a larger dt.");
    }
    times.reserve(instants);
    for (std::uint64_t k = 0; k < instants; ++k) {
        times.emplace_back(Duration(static_cast<std::int64_t>(k) * step.femtoseconds()));
    }
    return times;
}

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

/// Everything of a run under the names of saltus.Result, and "error": the exception that stopped it, or None.
nb::dict run(BuiltNetwork& built, const nb::dict& trains, double duration, bool record_spikes,
             double potential_step, nb::object callback) {
    const Network& network = built.network();
    const std::vector<InputSpikes> inputs = inputs_from(trains);
    const std::shared_ptr<const ExactSimulation> simulation = built.exact();

    SimulationOptions options;
    options.duration = duration_from_seconds(duration);
    options.record_spikes = record_spikes;
    options.potential_times = grid(network, options.duration, duration_from_seconds(potential_step, "dt"));
    Watch watch(std::move(callback));
    options.on_progress = [&](const Progress& p) {
        return watch.go_on(p.fraction, p.time.seconds(), p.spikes);
    };

    SimulationResult result;
    std::uint64_t digest = 0;
    {
        const nb::gil_scoped_release unlocked;
        result = simulation->run(inputs, options);
        digest = fingerprint(result);
    }

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
    out["interrupted"] = result.interrupted;
    out["fingerprint"] = digest;
    out["error"] = watch.raised();
    return out;
}

}  // namespace

void bind_simulate(nb::module_& module) {
    using namespace nb::literals;
    module.def("run", run, "built"_a, "trains"_a, "duration"_a, "record_spikes"_a, "potential_step"_a,
               "callback"_a.none(), "Runs the exact clock; `potential_step` 0 records no potentials.");
}

}  // namespace saltus::python
