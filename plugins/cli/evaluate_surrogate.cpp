#include "evaluate_surrogate.hpp"

#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>

#include "console.hpp"
#include "saltus/datasets/frames.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/surrogate.hpp"

namespace saltus::cli {

namespace {

/// The mean over the classes of how often each was right.
double balanced(const std::vector<std::vector<std::uint64_t>>& confusion) {
    double sum = 0.0;
    double classes = 0.0;
    for (std::size_t k = 0; k < confusion.size(); ++k) {
        const auto all = std::accumulate(confusion[k].begin(), confusion[k].end(), std::uint64_t{0});
        if (all == 0) continue;
        sum += static_cast<double>(confusion[k][k]) / static_cast<double>(all);
        ++classes;
    }
    return classes == 0.0 ? 0.0 : sum / classes;
}

}  // namespace

void evaluate_surrogate(const converters::SurrogateReading& reading, const SurrogateEvaluation& options) {
    datasets::FrameOptions frames;
    frames.dt = reading.dt;
    frames.steps = reading.description.steps;
    frames.binary = reading.binary;
    frames.derivatives = reading.derivatives;
    frames.task = reading.task;
    auto set = datasets::open_frames(options.dataset, options.split, frames);
    if (set->layout().classes != reading.classes) {
        throw UsageError(options.dataset + ": expected the " + std::to_string(reading.classes.size()) +
                         " classes that the network knows, found others.");
    }
    if (!reading.divisors.empty()) set = learning::scaled_frames(set, reading.divisors);
    const learning::SurrogateNetwork network(reading.description);
    learning::SurrogateRule rule(network, set, {}, reading.parameters);
    std::vector<std::uint64_t> samples(set->size());
    std::iota(samples.begin(), samples.end(), 0);
    const unsigned threads =
        options.threads > 0 ? options.threads : std::max(std::thread::hardware_concurrency(), 1u);
    const learning::SurrogateMeasure m = rule.measure_all(reading.parameters, samples, threads);
    if (options.json) {
        nlohmann::ordered_json result{{"samples", m.tally.samples},
                                      {"correct", m.tally.correct},
                                      {"accuracy", m.tally.accuracy()},
                                      {"balanced_accuracy", balanced(m.confusion)},
                                      {"loss", m.tally.mean_loss()},
                                      {"classes", reading.classes},
                                      {"confusion", m.confusion}};
        nlohmann::ordered_json rates = nlohmann::ordered_json::object();
        for (std::size_t l = 0; l < m.rates.size(); ++l) {
            if (network.layers()[l].spikes()) rates[network.layers()[l].described.name] = m.rates[l];
        }
        result["spikes_per_neuron_and_step"] = std::move(rates);
        std::cout << result.dump() << "\n";
        return;
    }
    std::vector<std::vector<std::string>> rows{
        {"right", with_commas(m.tally.correct) + " of " + with_commas(m.tally.samples) + " (" +
                      short_number(100.0 * m.tally.accuracy()) + " %)"},
        {"right, mean of the classes", short_number(100.0 * balanced(m.confusion)) + " %"}};
    for (std::size_t l = 0; l < m.rates.size(); ++l) {
        if (!network.layers()[l].spikes()) continue;
        rows.push_back({"spikes per neuron and step, " + network.layers()[l].described.name,
                        short_number(m.rates[l])});
    }
    std::cout << table(rows);
}

}  // namespace saltus::cli
