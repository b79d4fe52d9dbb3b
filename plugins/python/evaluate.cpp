// How well a network classifies a data set.
#include "saltus/datasets/evaluate.hpp"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>

#include "network.hpp"

namespace saltus::python {

namespace {

/// Everything of an evaluation under the names of saltus.Evaluation, and "error": the exception that stopped
/// it, or None.
nb::dict evaluate(const BuiltNetwork& built, const std::filesystem::path& path, const std::string& split,
                  std::optional<double> duration, const std::string& output, unsigned threads,
                  const std::string& decide, const std::string& encoding, std::optional<double> slot,
                  std::optional<std::uint32_t> slots, nb::object callback) {
    datasets::EvaluationOptions options;
    options.threads = threads;
    options.output = output;
    options.rules = built.steps();
    if (duration) options.duration = duration_from_seconds(*duration);
    Watch watch(std::move(callback));
    options.on_progress = [&](std::uint64_t done, std::uint64_t total) { return watch.go_on(done, total); };

    converters::FirstSpikeReading first = built.first_spike().value_or(converters::FirstSpikeReading{});
    if (!encoding.empty()) first.encoding = encoding;
    if (slot) first.slot = duration_from_seconds(*slot, "slot");
    if (slots) first.slots = *slots;
    const datasets::Encoding as = datasets::encoding_of(first.encoding, first.slot, first.slots);
    if (slot || slots || !built.first_spike()) {
        first.t_max = as.t_max();
        first.silence_decides_at = as.silence_decides_at();
    }
    const datasets::Dataset dataset = datasets::open_dataset(path, split, as);
    const bool by_first =
        decide.empty() ? built.first_spike() || dataset.name == "images" : decide == "first";
    datasets::Evaluation evaluation;
    {
        const nb::gil_scoped_release unlocked;
        evaluation =
            by_first
                ? datasets::evaluate_first_spikes(
                      learning::first_spike_network(built.network(), first.t_max, first.silence_decides_at),
                      dataset, options)
                : datasets::evaluate(built.network(), dataset, options);
    }

    nb::list decisions;
    for (const datasets::Decision& decision : evaluation.decisions) {
        if (!decision.done) continue;
        decisions.append(
            nb::make_tuple(text(decision.sample), decision.label, decision.decided, decision.tie));
    }
    nb::list classes;
    for (const std::string& name : evaluation.classes) classes.append(text(name));
    nb::list confusion;
    for (const std::uint64_t count : evaluation.confusion) confusion.append(count);
    nb::dict out;
    out["decisions"] = decisions;
    out["classes"] = classes;
    out["confusion"] = confusion;
    out["accuracy"] = evaluation.accuracy();
    out["samples"] = evaluation.samples;
    out["correct"] = evaluation.correct;
    out["ties"] = evaluation.ties;
    out["undecided"] = evaluation.undecided;
    out["input_spikes"] = evaluation.input_spikes;
    out["neuron_spikes"] = evaluation.neuron_spikes;
    out["synaptic_events"] = evaluation.synaptic_events;
    out["simulation_s"] = evaluation.simulation_s;
    out["wall_s"] = evaluation.wall_s;
    out["threads"] = evaluation.threads;
    out["interrupted"] = evaluation.interrupted;
    out["first_spikes"] = nb::none();
    if (evaluation.first_spikes) {
        const datasets::FirstSpikeFigures& f = *evaluation.first_spikes;
        nb::dict figures;
        figures["correct_by_index"] = f.correct_by_index;
        figures["silent"] = f.silent;
        figures["decision_s"] = f.decision_s;
        figures["input_share"] = f.input_share;
        figures["full_neuron_spikes"] = f.full_neuron_spikes;
        figures["full_synaptic_events"] = f.full_synaptic_events;
        figures["full_s"] = f.full_s;
        out["first_spikes"] = figures;
    }
    out["error"] = watch.raised();
    return out;
}

}  // namespace

void bind_evaluate(nb::module_& module) {
    using namespace nb::literals;
    module.def("evaluate", evaluate, "built"_a, "path"_a, "split"_a, "duration"_a.none(), "output"_a,
               "threads"_a, "decide"_a, "encoding"_a, "slot"_a.none(), "slots"_a.none(), "callback"_a.none());
}

}  // namespace saltus::python
