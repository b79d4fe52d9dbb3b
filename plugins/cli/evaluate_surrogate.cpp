#include "evaluate_surrogate.hpp"

#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "commands.hpp"
#include "console.hpp"
#include "saltus/datasets/evaluate_surrogate.hpp"
#include "saltus/datasets/frames.hpp"
#include "saltus/io/report.hpp"
#include "surrogate_arguments.hpp"

namespace saltus::cli {

namespace {

using nlohmann::ordered_json;
using Facts = std::vector<std::pair<std::string, std::string>>;

std::string percent(double fraction) {
    return short_number(100.0 * fraction) + " %";
}

ordered_json as_json(const datasets::SurrogateEvaluation& e, const learning::SurrogateNetwork& network,
                     const std::vector<std::string>& classes) {
    const learning::Tally& tally = e.measure.tally;
    return {{"samples", tally.samples},
            {"correct", tally.correct},
            {"accuracy", tally.accuracy()},
            {"balanced_accuracy", e.balanced_accuracy()},
            {"loss", tally.mean_loss()},
            {"spikes_per_neuron_and_step", rates_of(network, e.measure.rates)},
            {"classes", classes},
            {"confusion", e.measure.confusion},
            {"samples_per_s", static_cast<double>(tally.samples) / e.wall_s},
            {"sim_s", e.wall_s},
            {"threads", e.threads},
            {"peak_rss_mib", peak_rss_mib()},
            {"interrupted", e.interrupted}};
}

Facts facts_of(const datasets::SurrogateEvaluation& e, const learning::SurrogateNetwork& network,
               const std::string& dataset) {
    const learning::Tally& tally = e.measure.tally;
    Facts facts{{"data set", dataset + ", " + with_commas(tally.samples) + " samples"},
                {"right", with_commas(tally.correct) + " of " + with_commas(tally.samples) + " (" +
                              percent(tally.accuracy()) + ")"},
                {"right, mean over classes", percent(e.balanced_accuracy())},
                {"mean loss", short_number(tally.mean_loss())}};
    const ordered_json rates = rates_of(network, e.measure.rates);
    for (const auto& [name, rate] : rates.items())
        facts.emplace_back(name + ", spikes per neuron and step", percent(rate.get<double>()));
    facts.emplace_back("samples a second", short_number(static_cast<double>(tally.samples) / e.wall_s) +
                                               " on " + std::to_string(e.threads) + " threads");
    return facts;
}

}  // namespace

void evaluate_surrogate(const converters::SurrogateModel& model, const SurrogateEvaluation& options) {
    const learning::SurrogateNetwork network(model.description);
    datasets::FrameOptions frames = frames_of(model);
    frames.left_out = options.left_out;
    frames.threads = options.threads;
    // Sound has as many steps as it has; spikes, as many as are asked for.
    if (!datasets::is_sound(options.dataset)) frames.steps = model.description.steps;
    std::shared_ptr<const learning::FrameSet> samples =
        datasets::open_frames(options.dataset, options.split, frames);
    if (!model.divisors.empty()) samples = learning::scaled_frames(std::move(samples), model.divisors);

    datasets::SurrogateEvaluation e;
    {
        ProgressLine progress(options.quiet);
        datasets::SurrogateEvaluationOptions evaluation;
        evaluation.threads = options.threads;
        evaluation.on_progress = [&](std::uint64_t done, std::uint64_t total) {
            progress.update(static_cast<double>(done) / static_cast<double>(total),
                            with_commas(done) + " of " + with_commas(total) + " samples");
            return !interrupted();
        };
        e = datasets::evaluate_surrogate(network, model.parameters, samples, evaluation);
    }
    const Facts facts = facts_of(e, network, options.dataset);
    std::vector<std::uint64_t> counts;
    for (const auto& row : e.measure.confusion) counts.insert(counts.end(), row.begin(), row.end());
    if (options.json) {
        std::cout << as_json(e, network, model.classes).dump() << "\n";
    } else {
        std::vector<std::vector<std::string>> rows;
        for (const auto& [name, value] : facts) rows.push_back({name, value});
        std::cout << table(rows) << "\n" << confusion_table(model.classes, counts);
    }
    if (!options.report.empty()) {
        io::Report report;
        report.title = options.network + " on " + options.dataset;
        io::KeyValues summary{facts};
        summary.rows.emplace_back("saltus", SALTUS_VERSION);
        report.sections.push_back({"Result", std::move(summary)});
        report.sections.push_back(
            {"Confusion matrix", io::ConfusionMatrix{model.classes, counts}, "Rows: true class."});
        io::write_report(options.report, report);
    }
    if (e.interrupted) throw Interrupted{};
}

}  // namespace saltus::cli
