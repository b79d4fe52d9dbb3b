#include "evaluate_surrogate.hpp"

#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "commands.hpp"
#include "console.hpp"
#include "saltus/datasets/evaluate_surrogate.hpp"
#include "saltus/io/report.hpp"
#include "shared/surrogate_evaluation.hpp"

namespace saltus::cli {

namespace {

using nlohmann::ordered_json;
using Facts = std::vector<std::pair<std::string, std::string>>;

std::string percent(double fraction) {
    return short_number(100.0 * fraction) + " %";
}

ordered_json as_json(const datasets::SurrogateEvaluation& e, const std::vector<std::string>& classes) {
    const learning::Tally& tally = e.measure.tally;
    return {{"samples", tally.samples},
            {"correct", tally.correct},
            {"accuracy", tally.accuracy()},
            {"balanced_accuracy", e.balanced_accuracy()},
            {"loss", tally.mean_loss()},
            {"spikes_per_neuron_and_step", rates_of(e)},
            {"classes", classes},
            {"confusion", e.measure.confusion},
            {"samples_per_s", static_cast<double>(tally.samples) / e.wall_s},
            {"sim_s", e.wall_s},
            {"threads", e.threads},
            {"peak_rss_mib", peak_rss_mib()},
            {"interrupted", e.interrupted}};
}

Facts facts_of(const datasets::SurrogateEvaluation& e, const std::string& dataset) {
    const learning::Tally& tally = e.measure.tally;
    Facts facts{{"data set", dataset + ", " + with_commas(tally.samples) + " samples"},
                {"right", with_commas(tally.correct) + " of " + with_commas(tally.samples) + " (" +
                              percent(tally.accuracy()) + ")"},
                {"right, mean over classes", percent(e.balanced_accuracy())},
                {"mean loss", short_number(tally.mean_loss())}};
    for (const auto& [name, rate] : e.rates)
        facts.emplace_back(name + ", spikes per neuron and step", percent(rate));
    facts.emplace_back("samples a second", short_number(static_cast<double>(tally.samples) / e.wall_s) +
                                               " on " + std::to_string(e.threads) + " threads");
    return facts;
}

}  // namespace

ordered_json rates_of(const datasets::SurrogateEvaluation& evaluation) {
    ordered_json object = ordered_json::object();
    for (const auto& [name, rate] : evaluation.rates) object[name] = rate;
    return object;
}

void evaluate_surrogate(const converters::SurrogateModel& model, const SurrogateEvaluation& options) {
    learning::SurrogateRule rule(
        learning::SurrogateNetwork(model.description),
        plugins::samples_for(model, options.dataset, options.split, options.left_out, options.threads), {},
        model.parameters);

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
        e = datasets::evaluate_surrogate(rule, model.parameters, evaluation);
    }
    const Facts facts = facts_of(e, options.dataset);
    std::vector<std::uint64_t> counts;
    for (const auto& row : e.measure.confusion) counts.insert(counts.end(), row.begin(), row.end());
    if (options.json) {
        std::cout << as_json(e, model.classes).dump() << "\n";
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
