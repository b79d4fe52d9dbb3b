// Runs of the stepped clock. The GIL is released while the network runs.
#include "saltus/engine/stepped.hpp"

#include <nanobind/stl/optional.h>

#include <algorithm>
#include <chrono>

#include "arrays.hpp"
#include "network.hpp"
#include "results.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::python {

namespace {

using Clock = std::chrono::steady_clock;
template <class T>
using Values = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

template <class T>
Raster raster_from(const Values<T>& values, const std::string& name) {
    return Raster::of(std::span<const T>(values.data(), values.size()),
                      static_cast<std::uint32_t>(values.shape(1)), name);
}

/// A dictionary of trains, or of arrays (steps, neurons) of amplitudes, float32 or float64, by input.
SteppedSample sample_from(const Network& network, const nb::dict& inputs, Duration dt, std::uint32_t steps) {
    std::vector<InputSpikes> trains;
    std::vector<SteppedSample::Input> rasters;
    for (const auto& [key, value] : inputs) {
        const auto name = nb::cast<std::string>(key);
        if (nb::isinstance<Spikes>(value)) {
            trains.push_back({name, nb::cast<const Spikes&>(value).train});
            continue;
        }
        Values<float> single;
        rasters.push_back({name, nb::try_cast(value, single, false)
                                     ? raster_from<float>(single, name)
                                     : raster_from<double>(nb::cast<Values<double>>(value), name)});
    }
    SteppedSample sample = sample_of(network, trains, dt, steps);
    std::move(rasters.begin(), rasters.end(), std::back_inserter(sample.inputs));
    return sample;
}

/// For each sample what saltus.Result holds, and the exception that stopped the run, or None.
nb::tuple run_steps(BuiltNetwork& built, const nb::list& samples, std::uint32_t steps, bool record_spikes,
                    bool record_potentials, unsigned threads, nb::object callback) {
    const Network& network = built.network();
    const Duration dt = built.rules().dt;
    std::vector<SteppedSample> inputs;
    for (const nb::handle sample : samples)
        inputs.push_back(sample_from(network, nb::cast<nb::dict>(sample), dt, steps));

    const Clock::time_point begin = Clock::now();
    const std::shared_ptr<const SteppedSimulation> simulation = built.stepped();
    const double build_s = std::chrono::duration<double>(Clock::now() - begin).count();
    SteppedOptions options;
    options.steps = steps;
    options.record_spikes = record_spikes;
    options.record_potentials = record_potentials;
    options.threads = threads;
    Watch watch(std::move(callback));
    const double end = dt.seconds() * steps;
    options.on_progress = [&](std::size_t done, std::size_t total) {
        return watch.go_on(static_cast<double>(done) / static_cast<double>(total), end, std::uint64_t{0});
    };
    std::vector<SteppedRecord> records;
    double sim_s = 0.0;
    {
        const nb::gil_scoped_release unlocked;
        const Clock::time_point start = Clock::now();
        records = simulation->run(inputs, options);
        sim_s = std::chrono::duration<double>(Clock::now() - start).count();
    }
    nb::list results;
    for (std::size_t k = 0; k < records.size(); ++k) {
        if (!records[k].done) continue;
        SimulationResult result = result_of(std::move(records[k]), network, inputs[k], dt, steps);
        nb::dict out = dict_of(network, std::move(result), record_spikes);
        out["threads"] = threads;
        out["build_s"] = build_s;
        out["sim_s"] = sim_s;
        results.append(out);
    }
    return nb::make_tuple(results, watch.raised());
}

}  // namespace

void bind_stepped(nb::module_& module) {
    using namespace nb::literals;
    module.def(
        "steps_covering",
        [](double duration, double dt) {
            return steps_covering(duration_from_seconds(duration), duration_from_seconds(dt, "dt"));
        },
        "duration"_a, "dt"_a, "Steps of dt that cover a duration, both in seconds.");
    module.def("run_steps", run_steps, "built"_a, "samples"_a, "steps"_a, "record_spikes"_a,
               "record_potentials"_a, "threads"_a, "callback"_a.none(),
               "Runs the stepped clock on each sample.");
}

}  // namespace saltus::python
