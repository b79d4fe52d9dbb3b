// saltus compare NETWORK -i SPIKES -d DURATION --with exact,stepped:norse,...: where clocks and conventions
// part.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "comparison.hpp"
#include "console.hpp"
#include "saltus/datasets/evaluate.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/report.hpp"

namespace saltus::cli {

namespace {

constexpr std::uint32_t most_panels = 12;

struct Options {
    std::string network;
    std::vector<std::string> inputs;
    std::string duration;
    std::vector<std::string> with;
    std::string tolerance;
    std::string tau = "10ms";
    std::string dataset;
    std::string split;
    std::string output;
    std::string report;
    unsigned threads = 1;
    bool json = false;
    bool quiet = false;
    ReadingOptions reading{ReadingOptions::Clock::chosen_elsewhere};
};

/// How often each variant is right on a data set, and how often it decides as the first one does.
struct Decisions {
    std::string variant;
    std::uint64_t samples = 0;
    std::uint64_t correct = 0;
    std::uint64_t as_first = 0;
};

std::vector<Decisions> decisions_of(const Options& options, const std::vector<Variant>& variants) {
    const datasets::Dataset dataset = datasets::open_dataset(options.dataset, options.split);
    std::vector<Decisions> all;
    std::vector<datasets::Decision> first;
    for (const Variant& variant : variants) {
        const converters::Import import = read_network(options.network, options.reading, variant.reading);
        datasets::EvaluationOptions evaluation;
        evaluation.threads = options.threads;
        evaluation.output = options.output;
        evaluation.rules = import.rules;
        if (!options.duration.empty()) evaluation.duration = parse_duration(options.duration);
        ProgressLine progress(options.quiet);
        evaluation.on_progress = [&](std::uint64_t done, std::uint64_t total) {
            progress.update(static_cast<double>(done) / static_cast<double>(total), variant.text);
            return !interrupted();
        };
        const datasets::Evaluation e = datasets::evaluate(import.network, dataset, evaluation);
        if (e.interrupted) throw Interrupted{};
        if (all.empty()) first = e.decisions;
        Decisions d{variant.text, e.samples, e.correct, 0};
        for (std::size_t k = 0; k < first.size(); ++k)
            d.as_first += first[k].decided == e.decisions[k].decided;
        all.push_back(d);
    }
    return all;
}

std::string shown(const std::optional<double>& x) {
    return x ? short_number(*x) : "-";
}

std::vector<std::vector<std::string>> rows_of(const Comparison& comparison) {
    std::vector<std::vector<std::string>> rows{{"population", "run", "spikes", "Hz", "the same",
                                                "only in first", "only here", "van Rossum", "Victor-Purpura",
                                                "first difference"}};
    for (const PopulationComparison& c : comparison.populations) {
        std::string first = "none";
        if (c.first) {
            first = to_string(c.first->time.since_start()) + ", neuron " + std::to_string(c.first->neuron) +
                    (c.first->only_in_reference ? ", only in first" : ", only here") + ", V " +
                    shown(c.first->potential_of_reference) + " and " + shown(c.first->potential);
        }
        rows.push_back({c.population, comparison.runs[c.run].variant.text, with_commas(c.spikes),
                        short_number(c.rate), with_commas(c.partners), with_commas(c.only_in_reference),
                        with_commas(c.only_here), short_number(c.van_rossum), shown(c.victor_purpura),
                        first});
    }
    return rows;
}

std::vector<std::vector<std::string>> rows_of(const std::vector<Decisions>& decisions) {
    std::vector<std::vector<std::string>> rows{{"run", "right", "decides as the first"}};
    for (const Decisions& d : decisions) {
        rows.push_back({d.variant, with_commas(d.correct) + " of " + with_commas(d.samples),
                        with_commas(d.as_first) + " of " + with_commas(d.samples)});
    }
    return rows;
}

nlohmann::ordered_json number_or_null(const std::optional<double>& x) {
    return x ? nlohmann::ordered_json(*x) : nlohmann::ordered_json();
}

nlohmann::ordered_json as_json(const Comparison& comparison) {
    nlohmann::ordered_json json;
    json["runs"] = nlohmann::ordered_json::array();
    for (const VariantRun& run : comparison.runs) {
        nlohmann::ordered_json spikes = nlohmann::ordered_json::object();
        for (std::size_t q = 0; q < run.import.network.populations().size(); ++q)
            spikes[run.import.network.populations()[q].name] = run.result.spike_counts[q];
        json["runs"].push_back(
            {{"run", run.variant.text},
             {"convention", run.convention},
             {"dt_s", run.import.rules ? nlohmann::ordered_json(run.dt.seconds()) : nlohmann::ordered_json()},
             {"spikes_by_population", std::move(spikes)},
             {"notes", run.import.notes}});
    }
    json["populations"] = nlohmann::ordered_json::array();
    for (const PopulationComparison& c : comparison.populations) {
        nlohmann::ordered_json first;
        if (c.first) {
            first = {{"time_s", c.first->time.seconds()},
                     {"neuron", c.first->neuron},
                     {"only_in", comparison.runs[c.first->only_in_reference ? 0 : c.run].variant.text},
                     {"potential_of_first", number_or_null(c.first->potential_of_reference)},
                     {"potential", number_or_null(c.first->potential)}};
        }
        json["populations"].push_back({{"population", c.population},
                                       {"run", comparison.runs[c.run].variant.text},
                                       {"spikes", c.spikes},
                                       {"rate_hz", c.rate},
                                       {"same", c.partners},
                                       {"only_in_first", c.only_in_reference},
                                       {"only_here", c.only_here},
                                       {"van_rossum", c.van_rossum},
                                       {"victor_purpura", number_or_null(c.victor_purpura)},
                                       {"first_difference", std::move(first)}});
    }
    return json;
}

nlohmann::ordered_json as_json(const std::vector<Decisions>& decisions) {
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    for (const Decisions& d : decisions) {
        json.push_back(
            {{"run", d.variant}, {"samples", d.samples}, {"correct", d.correct}, {"as_first", d.as_first}});
    }
    return json;
}

io::Table table_of(const std::vector<std::vector<std::string>>& rows) {
    return {rows.front(), {rows.begin() + 1, rows.end()}};
}

/// The membrane of one neuron in every run that has its potential.
io::LinePlot traces(const Comparison& comparison, const std::string& population, NeuronIndex neuron) {
    io::LinePlot plot;
    plot.x_label = "time [s]";
    plot.y_label = "potential";
    for (const VariantRun& run : comparison.runs) {
        io::LinePlot::Series series{run.variant.text, {}, {}};
        for (Time t; t <= run.result.end; t = t + run.dt) {
            const std::optional<double> V = run.potential(population, neuron, t);
            if (!V) break;
            series.x.push_back(t.seconds());
            series.y.push_back(*V);
        }
        if (!series.x.empty()) plot.series.push_back(std::move(series));
    }
    return plot;
}

void write_comparison_report(const Options& options, const Comparison& comparison,
                             const std::vector<Decisions>& decisions) {
    io::Report report;
    report.title = options.network;
    io::KeyValues summary;
    for (const VariantRun& run : comparison.runs) {
        summary.rows.emplace_back(
            run.variant.text,
            "convention " + run.convention + (run.import.rules ? ", steps of " + to_string(run.dt) : ""));
        for (const std::string& note : run.import.notes) summary.rows.emplace_back("note", note);
    }
    summary.rows.emplace_back("saltus", SALTUS_VERSION);
    report.sections.push_back({"Runs", std::move(summary)});
    report.sections.push_back(
        {"Differences from " + comparison.runs.front().variant.text, table_of(rows_of(comparison)),
         "van Rossum: squared distance, Victor-Purpura: cost, each the mean over the neurons."});
    if (!decisions.empty()) report.sections.push_back({"Decisions", table_of(rows_of(decisions))});
    std::uint32_t drawn = 0;
    for (const PopulationComparison& c : comparison.populations) {
        if (!c.first || drawn == most_panels) continue;
        io::LinePlot plot = traces(comparison, c.population, c.first->neuron);
        if (plot.series.empty()) continue;
        report.sections.push_back(
            {c.population + ", neuron " + std::to_string(c.first->neuron), std::move(plot),
             "The first neuron that " + comparison.runs[c.run].variant.text + " lets fire at another time."});
        ++drawn;
    }
    for (const Population& population : comparison.runs.front().import.network.populations()) {
        if (population.is_source() || !neurons::is_spiking(population.model)) continue;
        io::Raster raster;
        for (const VariantRun& run : comparison.runs) {
            const auto q = run.import.network.find(population.name);
            if (!q) continue;
            raster.duration = std::max(raster.duration, run.result.end.since_start());
            raster.panels.push_back({run.variant.text, population.size(), run.result.spikes[*q]});
        }
        report.sections.push_back({"Spikes of " + population.name, std::move(raster)});
    }
    io::write_report(options.report, report);
}

void compare(const Options& options) {
    const converters::NirReading common = options.reading.reading();
    std::vector<Variant> variants;
    for (const std::string& text : options.with) variants.push_back(variant_from(text, common));
    if (variants.size() < 2)
        throw UsageError("--with: expected at least two runs, as in exact,stepped:norse, found " +
                         std::to_string(variants.size()) + ".");
    if (options.inputs.empty() && options.dataset.empty())
        throw UsageError("expected spikes (-i) or a data set (--dataset) to run the network on.");
    if (!options.inputs.empty() && options.duration.empty())
        throw UsageError("expected a duration (-d) for the spikes.");

    Comparison comparison;
    std::vector<Decisions> decisions;
    if (!options.inputs.empty()) {
        ComparisonOptions how;
        how.inputs = options.inputs;
        how.duration = parse_duration(options.duration);
        how.tau = parse_duration(options.tau);
        if (how.tau <= Duration()) throw UsageError("--tau: expected > 0, found " + to_string(how.tau) + ".");
        if (!options.tolerance.empty()) how.tolerance = parse_duration(options.tolerance);
        how.threads = options.threads;
        comparison = compare(options.network, options.reading, variants, how);
        for (const VariantRun& run : comparison.runs)
            if (!options.quiet) print_notes(run.import.notes);
    }
    if (!options.dataset.empty()) decisions = decisions_of(options, variants);

    if (options.json) {
        nlohmann::ordered_json json = as_json(comparison);
        if (!decisions.empty()) json["decisions"] = as_json(decisions);
        std::cout << json.dump() << "\n";
    } else {
        if (!comparison.runs.empty()) std::cout << table(rows_of(comparison));
        if (!decisions.empty())
            std::cout << (comparison.runs.empty() ? "" : "\n") << table(rows_of(decisions));
    }
    if (!options.report.empty()) {
        if (comparison.runs.empty()) throw UsageError("--report draws runs of spikes (-i): give them too.");
        write_comparison_report(options, comparison, decisions);
    }
}

}  // namespace

void add_compare(CLI::App& app) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand("compare", "run a network under several clocks and conventions");
    verb->add_option("NETWORK", options->network, ".nir or .nir.json")->required();
    verb->add_option("-i,--input", options->inputs,
                     "spikes: SONATA .h5, .nirdata, .npz, .csv, or 40-bit AER .bin");
    verb->add_option("-d,--duration", options->duration, "simulated time, as in 300ms");
    verb->add_option("--with", options->with,
                     "what to compare, the first with each other: exact, exact:norse, stepped:norse, "
                     "stepped:my.json, or stepped for the convention that the file suggests")
        ->delimiter(',')
        ->required();
    verb->add_option("--tolerance", options->tolerance,
                     "spikes so far apart are the same (0 on one grid of steps, else one step)");
    verb->add_option("--tau", options->tau, "time constant of the two distances (10ms)");
    verb->add_option("--dataset", options->dataset, "compare decisions on a data set, as evaluate reads it");
    verb->add_option("--split", options->split, "train or test; default: everything");
    verb->add_option("--output", options->output, "the output that decides, where there are several");
    verb->add_option("--threads", options->threads, "threads (1)");
    verb->add_option("--report", options->report, "write an HTML report with rasters and membrane traces");
    verb->add_flag("--json", options->json, "one JSON object on standard output");
    verb->add_flag("-q,--quiet", options->quiet, "no notes, no progress");
    options->reading.add_to(*verb);
    verb->footer(
        "Example: saltus compare net.nir -i spikes.h5 -d 300ms --with exact,stepped:norse,stepped:sinabs");
    verb->callback([options] { compare(*options); });
}

}  // namespace saltus::cli
