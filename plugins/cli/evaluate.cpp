// saltus evaluate NETWORK DATASET: every sample through the network, and how often it was right.
#include "saltus/datasets/evaluate.hpp"

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "console.hpp"
#include "encoding.hpp"
#include "evaluate_surrogate.hpp"
#include "reading.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/simulate.hpp"
#include "saltus/io/report.hpp"

namespace saltus::cli {

namespace {

struct Options {
    std::string network;
    std::string dataset;
    std::string split;
    std::string duration;
    std::string output;
    std::string decide;
    std::string left_out;
    std::string report;
    unsigned threads = 0;
    bool json = false;
    bool quiet = false;
    ReadingOptions reading;
    EncodingOptions encoding;
};

struct PerSample {
    explicit PerSample(const datasets::Evaluation& e)
        : n(e.samples == 0 ? 1.0 : static_cast<double>(e.samples)) {}
    [[nodiscard]] double operator()(std::uint64_t total) const { return static_cast<double>(total) / n; }
    [[nodiscard]] double operator()(double total) const { return total / n; }
    double n;
};

std::string percent(double fraction) {
    return short_number(100.0 * fraction) + " %";
}

using Facts = std::vector<std::pair<std::string, std::string>>;

std::string right(std::uint64_t correct, std::uint64_t samples) {
    const double share = samples == 0 ? 0.0 : static_cast<double>(correct) / static_cast<double>(samples);
    return with_commas(correct) + " of " + with_commas(samples) + " (" + percent(share) + ")";
}

Facts first_spike_facts(const datasets::Evaluation& e, const datasets::Dataset& dataset) {
    const PerSample per_sample(e);
    const datasets::FirstSpikeFigures& f = *e.first_spikes;
    const double full_events = static_cast<double>(f.full_synaptic_events);
    return {{"data set", dataset.name + ", " + with_commas(e.samples) + " samples"},
            {"right, ties by potential", right(e.correct, e.samples)},
            {"right, ties by lowest index", right(f.correct_by_index, e.samples)},
            {"ties, silent", with_commas(e.ties) + ", " + with_commas(f.silent)},
            {"mean time of the decision", short_number(1e3 * f.decision_s) + " ms"},
            {"input spikes before it", short_number(per_sample(e.input_spikes)) + " a sample (" +
                                           percent(f.input_share) + " of those it has)"},
            {"spikes before it", short_number(per_sample(e.neuron_spikes)) + " a sample, " +
                                     short_number(per_sample(f.full_neuron_spikes)) + " to the end"},
            {"synaptic events before it", short_number(per_sample(e.synaptic_events)) + " a sample, " +
                                              short_number(full_events / per_sample.n) + " to the end"},
            {"samples a second",
             with_commas(static_cast<std::uint64_t>(static_cast<double>(e.samples) / e.wall_s)) + " on " +
                 std::to_string(e.threads) + " threads, " +
                 with_commas(static_cast<std::uint64_t>(static_cast<double>(e.samples) / f.full_s)) +
                 " to the end"}};
}

/// Names and values for people; the JSON object has the same facts under machine names.
Facts facts(const datasets::Evaluation& e, const datasets::Dataset& dataset) {
    const PerSample per_sample(e);
    if (e.first_spikes) return first_spike_facts(e, dataset);
    return {{"data set", dataset.name + ", " + with_commas(e.samples) + " samples"},
            {"right", right(e.correct, e.samples)},
            {"ties, undecided", with_commas(e.ties) + ", " + with_commas(e.undecided)},
            {"input spikes a sample", short_number(per_sample(e.input_spikes))},
            {"spikes a sample", short_number(per_sample(e.neuron_spikes))},
            {"synaptic events a sample", short_number(per_sample(e.synaptic_events))},
            {"time a sample, one thread", short_number(1e3 * per_sample(e.simulation_s)) + " ms"},
            {"samples a second", short_number(static_cast<double>(e.samples) / e.wall_s) + " on " +
                                     std::to_string(e.threads) + " threads"}};
}

nlohmann::ordered_json as_json(const datasets::Evaluation& e) {
    const PerSample per_sample(e);
    const std::size_t n = e.classes.size();
    nlohmann::ordered_json confusion = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < n; ++i) {
        const auto row = e.confusion.begin() + static_cast<std::ptrdiff_t>(i * n);
        confusion.push_back(std::vector<std::uint64_t>(row, row + static_cast<std::ptrdiff_t>(n)));
    }
    nlohmann::ordered_json decisions = nlohmann::ordered_json::array();
    for (const datasets::Decision& decision : e.decisions) {
        if (!decision.done) continue;
        nlohmann::ordered_json entry{
            {"sample", decision.sample}, {"label", decision.label}, {"tie", decision.tie}};
        if (decision.decided != datasets::undecided) entry["decided"] = decision.decided;
        decisions.push_back(std::move(entry));
    }
    nlohmann::ordered_json result{{"samples", e.samples},
                                  {"correct", e.correct},
                                  {"accuracy", e.accuracy()},
                                  {"ties", e.ties},
                                  {"undecided", e.undecided},
                                  {"classes", e.classes},
                                  {"confusion", std::move(confusion)},
                                  {"input_spikes_per_sample", per_sample(e.input_spikes)},
                                  {"spikes_per_sample", per_sample(e.neuron_spikes)},
                                  {"synaptic_events_per_sample", per_sample(e.synaptic_events)},
                                  {"sim_s_per_sample", per_sample(e.simulation_s)},
                                  {"samples_per_s", static_cast<double>(e.samples) / e.wall_s},
                                  {"sim_s", e.wall_s},
                                  {"threads", e.threads},
                                  {"peak_rss_mib", peak_rss_mib()},
                                  {"interrupted", e.interrupted}};
    if (e.first_spikes) {
        const datasets::FirstSpikeFigures& f = *e.first_spikes;
        result["first_spikes"] = {{"correct_by_potential", e.correct},
                                  {"correct_by_index", f.correct_by_index},
                                  {"ties", e.ties},
                                  {"silent", f.silent},
                                  {"mean_decision_s", f.decision_s},
                                  {"input_spikes_before_decision", per_sample(e.input_spikes)},
                                  {"input_share_before_decision", f.input_share},
                                  {"spikes_before_decision", per_sample(e.neuron_spikes)},
                                  {"synaptic_events_before_decision", per_sample(e.synaptic_events)},
                                  {"spikes_to_the_end", per_sample(f.full_neuron_spikes)},
                                  {"synaptic_events_to_the_end", per_sample(f.full_synaptic_events)},
                                  {"samples_per_s_to_the_end", static_cast<double>(e.samples) / f.full_s}};
    }
    result["decisions"] = std::move(decisions);
    return result;
}

/// Spikes of the whole network for the first sample, for the report.
io::Raster raster_of_first_sample(const Network& network, const datasets::Dataset& dataset) {
    datasets::Sample sample = dataset.sample(0);
    const SpikeTrain input = sample.spikes;
    SimulationOptions run;
    if (!input.empty()) run.duration = input.times.back().since_start();
    io::Raster raster;
    raster.duration = run.duration;
    std::string input_name;
    for (const Population& population : network.populations()) {
        if (population.is_input()) input_name = population.name;
    }
    const SimulationResult result = simulate(network, {{input_name, std::move(sample.spikes)}}, run);
    for (std::size_t q = 0; q < network.populations().size(); ++q) {
        const Population& population = network.populations()[q];
        if (!neurons::is_spiking(population.model)) continue;
        raster.panels.push_back(
            {population.name, population.size(), population.is_input() ? input : result.spikes[q]});
    }
    return raster;
}

void write_evaluation_report(const Options& options, const Network& network, const datasets::Dataset& dataset,
                             const datasets::Evaluation& e, const std::vector<std::string>& notes) {
    io::Report report;
    report.title = options.network + " on " + options.dataset;
    io::KeyValues summary{facts(e, dataset)};
    for (const std::string& note : notes) summary.rows.emplace_back("note", note);
    summary.rows.emplace_back("saltus", SALTUS_VERSION);
    report.sections.push_back({"Result", std::move(summary)});
    report.sections.push_back(
        {"Confusion matrix", io::ConfusionMatrix{e.classes, e.confusion}, "Rows: true class."});

    io::Table samples{{"sample", "class", "decided", ""}, {}};
    const auto name_of = [&](std::int64_t k) {
        return k >= 0 && static_cast<std::size_t>(k) < e.classes.size()
                   ? e.classes[static_cast<std::size_t>(k)]
               : k == datasets::undecided ? std::string("undecided")
                                          : std::to_string(k);
    };
    for (const datasets::Decision& d : e.decisions) {
        if (!d.done || (d.decided == d.label && !d.tie)) continue;
        samples.rows.push_back({d.sample, name_of(d.label), name_of(d.decided),
                                d.tie                  ? "tie"
                                : d.decided == d.label ? ""
                                                       : "wrong"});
    }
    if (samples.rows.empty()) {
        report.sections.push_back({"Wrong or tied", io::KeyValues{}, "None."});
    } else {
        report.sections.push_back({"Wrong or tied", std::move(samples)});
    }
    if (dataset.size > 0 && !options.reading.steps()) {
        report.sections.push_back({"First sample", raster_of_first_sample(network, dataset),
                                   "Every spike of every population, at its time."});
    }
    io::write_report(options.report, report);
}

/// The network's file says how, and nothing else was asked for.
bool exact_decides(const Options& options, const std::optional<converters::ExactReading>& of_file) {
    return of_file.has_value() && options.decide.empty();
}

bool first_spikes_decide(const Options& options, bool file_says_so, const datasets::Dataset& dataset) {
    if (options.decide.empty()) return file_says_so || dataset.name == "images";
    if (options.decide == "first") return true;
    if (options.decide == "most") return false;
    throw UsageError("--decide: expected first (the first output spike) or most (most spikes), found " +
                     quoted(options.decide) + ".");
}

void evaluate(const Options& options) {
    if (const std::optional<converters::SurrogateModel> model = read_surrogate(options.network)) {
        evaluate_surrogate(*model, {options.network, options.dataset, options.split, options.left_out,
                                    options.report, options.threads, options.json, options.quiet});
        return;
    }
    const converters::NirImport import = read_network(options.network, options.reading);
    if (!options.quiet) print_notes(import.notes);
    const bool exact = exact_decides(options, import.exact);
    std::optional<converters::FirstSpikeReading> of_file = import.first_spike;
    if (exact) {
        of_file = converters::FirstSpikeReading{
            .encoding = import.exact->encoding, .slot = import.exact->slot, .slots = import.exact->slots};
    }
    const converters::FirstSpikeReading first = options.encoding.reading(of_file);
    const datasets::Dataset dataset =
        datasets::open_dataset(options.dataset, options.split, encoding_of(first));

    datasets::EvaluationOptions evaluation;
    evaluation.threads = options.threads;
    evaluation.output = options.output;
    evaluation.rules = import.rules;
    if (!options.duration.empty()) evaluation.duration = parse_duration(options.duration);
    datasets::Evaluation e;
    {
        ProgressLine progress(options.quiet);
        evaluation.on_progress = [&](std::uint64_t done, std::uint64_t total) {
            progress.update(static_cast<double>(done) / static_cast<double>(total),
                            with_commas(done) + " of " + with_commas(total) + " samples");
            return !interrupted();
        };
        if (exact) {
            learning::ExactOptions rule;
            rule.loss.kind = learning::class_loss_kind(import.exact->loss);
            rule.loss.decay = import.exact->decay;
            rule.duration = evaluation.duration.value_or(import.exact->duration);
            e = datasets::evaluate_exact(import.network, dataset, rule, evaluation);
        } else {
            e = first_spikes_decide(options, import.first_spike.has_value(), dataset)
                    ? datasets::evaluate_first_spikes(
                          learning::first_spike_network(import.network, first.t_max,
                                                        first.silence_decides_at),
                          dataset, evaluation)
                    : datasets::evaluate(import.network, dataset, evaluation);
        }
    }

    if (options.json) {
        std::cout << as_json(e).dump() << "\n";
    } else {
        std::vector<std::vector<std::string>> rows;
        for (const auto& [name, value] : facts(e, dataset)) rows.push_back({name, value});
        std::cout << table(rows) << "\n" << confusion_table(e.classes, e.confusion);
    }
    if (!options.report.empty()) write_evaluation_report(options, import.network, dataset, e, import.notes);
    if (e.interrupted) throw Interrupted{};
}

}  // namespace

void add_evaluate(CLI::App& app) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand("evaluate", "classify a data set and say how often that was right");
    verb->add_option("NETWORK", options->network, ".nir or .nir.json")->required();
    verb->add_option("DATASET", options->dataset,
                     "a folder of images (MNIST) or event-camera files, a spike HDF5 file, or yin-yang")
        ->required();
    verb->add_option("--split", options->split, "train, test (or validation, of sound); default: everything");
    verb->add_option("--left-out", options->left_out, "spoken digits: the speaker who is the test part");
    verb->add_option("-d,--duration", options->duration, "use this much of each sample, as in 300ms");
    verb->add_option("--decide", options->decide,
                     "first: the first output spike, every neuron firing at most once; most: most spikes "
                     "(default: what the network's file says, else first for images, most for others)");
    verb->add_option("--output", options->output, "the output that decides, where there are several");
    verb->add_option("--threads", options->threads, "samples in parallel (default: all cores)");
    verb->add_option("--report", options->report, "write an HTML report");
    verb->add_flag("--json", options->json, "one JSON object on standard output");
    verb->add_flag("-q,--quiet", options->quiet, "no notes, no progress");
    options->reading.add_to(*verb);
    options->encoding.add_to(*verb);
    verb->footer("Example: saltus evaluate cnn.nir n-mnist/Test --report report.html");
    verb->callback([options] { evaluate(*options); });
}

}  // namespace saltus::cli
