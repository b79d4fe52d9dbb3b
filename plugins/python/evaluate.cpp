// How well a network classifies a data set.
#include "saltus/datasets/evaluate.hpp"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/vector.h>

#include "frames.hpp"
#include "network.hpp"
#include "saltus/engine/learning/surrogate.hpp"
#include "shared/surrogate_evaluation.hpp"

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

    std::optional<converters::FirstSpikeReading> of_file = built.first_spike();
    // Its file says how, and nothing else was asked for.
    const std::optional<converters::ExactReading> exact =
        decide.empty() ? built.exact_reading() : std::nullopt;
    if (exact) {
        of_file = converters::FirstSpikeReading{
            .encoding = exact->encoding, .slot = exact->slot, .slots = exact->slots};
    }
    converters::FirstSpikeReading first = of_file.value_or(converters::FirstSpikeReading{});
    if (!encoding.empty()) first.encoding = encoding;
    if (slot) first.slot = duration_from_seconds(*slot, "slot");
    if (slots) first.slots = *slots;
    const datasets::Encoding as = datasets::encoding_of(first.encoding, first.slot, first.slots);
    if (slot || slots || !of_file) {
        first.t_max = as.t_max();
        first.silence_decides_at = as.silence_decides_at();
    }
    const datasets::Dataset dataset = datasets::open_dataset(path, split, as);
    const bool by_first =
        decide.empty() ? built.first_spike() || dataset.name == "images" : decide == "first";
    datasets::Evaluation evaluation;
    {
        const nb::gil_scoped_release unlocked;
        if (exact) {
            learning::ExactOptions rule;
            rule.loss.kind = learning::class_loss_kind(exact->loss);
            rule.loss.decay = exact->decay;
            rule.duration = options.duration.value_or(exact->duration);
            evaluation = datasets::evaluate_exact(built.network(), dataset, rule, options);
        } else {
            evaluation = by_first ? datasets::evaluate_first_spikes(
                                        learning::first_spike_network(built.network(), first.t_max,
                                                                      first.silence_decides_at),
                                        dataset, options)
                                  : datasets::evaluate(built.network(), dataset, options);
        }
    }

    nb::list decisions;
    for (const datasets::Decision& decision : evaluation.decisions) {
        if (!decision.done) continue;
        decisions.append(
            nb::make_tuple(text(decision.sample), decision.label, decision.decided, decision.tie));
    }
    nb::list confusion;
    for (const std::uint64_t count : evaluation.confusion) confusion.append(count);
    nb::dict out;
    out["decisions"] = decisions;
    out["classes"] = texts(evaluation.classes);
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

/// Everything of an evaluation under the names of saltus.SurrogateEvaluation, and "error". Samples are those
/// of `path`, or, where that is empty, given.
nb::dict evaluate_surrogate(const io::NirDocument& document, const std::optional<std::filesystem::path>& path,
                            const std::optional<std::shared_ptr<const learning::FrameSet>>& samples,
                            const std::string& split, const std::string& left_out, unsigned threads,
                            nb::object callback) {
    const converters::SurrogateModel model = converters::surrogate_model_of(document).value();
    const learning::SurrogateNetwork network(model.description);
    Watch watch(std::move(callback));
    datasets::SurrogateEvaluation e;
    {
        const nb::gil_scoped_release unlocked;
        learning::SurrogateRule rule(network,
                                     path ? plugins::samples_for(model, *path, split, left_out, threads)
                                          : plugins::samples_for(model, samples.value()),
                                     {}, model.parameters);
        datasets::SurrogateEvaluationOptions options;
        options.threads = threads;
        options.on_progress = [&](std::uint64_t done, std::uint64_t total) {
            return watch.go_on(done, total);
        };
        e = datasets::evaluate_surrogate(rule, model.parameters, options);
    }
    nb::dict out;
    out["accuracy"] = e.measure.tally.accuracy();
    out["balanced_accuracy"] = e.balanced_accuracy();
    out["loss"] = e.measure.tally.mean_loss();
    out["samples"] = e.measure.tally.samples;
    out["correct"] = e.measure.tally.correct;
    out["classes"] = texts(model.classes);
    out["confusion"] = e.measure.confusion;
    out["spikes_per_neuron_and_step"] = rates_of(e);
    out["wall_s"] = e.wall_s;
    out["threads"] = e.threads;
    out["interrupted"] = e.interrupted;
    out["error"] = watch.raised();
    return out;
}

}  // namespace

nb::dict rates_of(const datasets::SurrogateEvaluation& evaluation) {
    nb::dict named;
    for (const auto& [name, rate] : evaluation.rates) named[text(name)] = rate;
    return named;
}

void bind_evaluate(nb::module_& module) {
    using namespace nb::literals;
    module.def("evaluate", evaluate, "built"_a, "path"_a, "split"_a, "duration"_a.none(), "output"_a,
               "threads"_a, "decide"_a, "encoding"_a, "slot"_a.none(), "slots"_a.none(), "callback"_a.none());
    module.def("evaluate_surrogate", evaluate_surrogate, "document"_a, "path"_a.none(), "samples"_a.none(),
               "split"_a, "left_out"_a, "threads"_a, "callback"_a.none());
    module.def(
        "learnt_in_steps",
        [](const io::NirDocument& document) -> nb::object {
            const auto model = converters::surrogate_model_of(document);
            if (!model) return nb::none();
            nb::dict learnt;
            learnt["dt"] = model->dt.seconds();
            learnt["classes"] = texts(model->classes);
            return learnt;
        },
        "document"_a, "dt and classes of a network that evaluate_surrogate takes; None of another one.");
}

}  // namespace saltus::python
