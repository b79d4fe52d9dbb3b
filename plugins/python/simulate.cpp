// Runs of the exact clock. The GIL is released while the network runs.
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <filesystem>
#include <optional>

#include "arrays.hpp"
#include "network.hpp"
#include "results.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/checkpoint.hpp"

namespace saltus::python {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

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

using Path = std::optional<std::filesystem::path>;

/// The run writes checkpoints, also when Python stops it, and goes on from the one that is there if it is to.
void use_checkpoint(SimulationOptions& options, const std::filesystem::path& path, double every, bool resume,
                    const Watch& watch) {
    io::write_checkpoints(options, path, std::chrono::duration<double>(every),
                          [&watch] { return !watch.raised().is_none(); });
    options.on_snapshot = [write = std::move(options.on_snapshot)](const Snapshot& snapshot) {
        const nb::gil_scoped_acquire one_at_a_time;  // HDF5 need not be safe for threads
        write(snapshot);
    };
    if (resume && std::filesystem::exists(path)) {
        options.resume_from = std::make_shared<const Snapshot>(io::read_checkpoint(path));
    }
}

/// Everything of a run under the names of saltus.Result, and "error": the exception that stopped it, or None.
nb::dict run(BuiltNetwork& built, const nb::dict& trains, double duration, bool record_spikes,
             double potential_step, const std::optional<std::string>& until_first_spike_of,
             std::uint32_t threads, const Path& checkpoint, double checkpoint_every, bool resume,
             nb::object callback) {
    const Network& network = built.network();
    const std::vector<InputSpikes> inputs = inputs_from(trains);
    const Clock::time_point begin = Clock::now();
    const std::shared_ptr<const ExactSimulation> simulation = built.exact(threads);
    const double build_s = seconds_since(begin);

    SimulationOptions options;
    options.duration = duration_from_seconds(duration);
    options.record_spikes = record_spikes;
    options.potential_times = grid(network, options.duration, duration_from_seconds(potential_step, "dt"));
    options.until_first_spike_of = until_first_spike_of.value_or("");
    Watch watch(std::move(callback));
    options.on_progress = [&](const Progress& p) {
        return watch.go_on(p.fraction, p.time.seconds(), p.spikes);
    };
    if (checkpoint) use_checkpoint(options, *checkpoint, checkpoint_every, resume, watch);

    SimulationResult result;
    double sim_s = 0.0;
    {
        const nb::gil_scoped_release unlocked;
        const Clock::time_point start = Clock::now();
        try {
            result = simulation->run(inputs, options);
        } catch (const SnapshotError& error) {
            throw FileError(checkpoint->string(), "", error.what());
        }
        sim_s = seconds_since(start);
    }

    if (checkpoint && !result.interrupted) std::filesystem::remove(*checkpoint);

    nb::dict out = dict_of(network, std::move(result), record_spikes);
    out["threads"] = threads;
    if (options.resume_from) out["resumed_at"] = options.resume_from->time.seconds();
    out["build_s"] = build_s;
    out["sim_s"] = sim_s;
    out["error"] = watch.raised();
    return out;
}

}  // namespace

void bind_simulate(nb::module_& module) {
    using namespace nb::literals;
    module.def("run", run, "built"_a, "trains"_a, "duration"_a, "record_spikes"_a, "potential_step"_a,
               "until_first_spike_of"_a.none(), "threads"_a, "checkpoint"_a.none(), "checkpoint_every"_a,
               "resume"_a, "callback"_a.none(),
               "Runs the exact clock; `potential_step` 0 records no potentials.");
}

}  // namespace saltus::python
