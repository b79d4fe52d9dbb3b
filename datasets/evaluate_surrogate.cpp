#include "saltus/datasets/evaluate_surrogate.hpp"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <numeric>

namespace saltus::datasets {

double SurrogateEvaluation::balanced_accuracy() const {
    double sum = 0.0;
    double classes = 0.0;
    for (std::size_t k = 0; k < measure.confusion.size(); ++k) {
        const std::vector<std::uint64_t>& row = measure.confusion[k];
        const std::uint64_t n = std::accumulate(row.begin(), row.end(), std::uint64_t{0});
        if (n == 0) continue;
        sum += static_cast<double>(row[k]) / static_cast<double>(n);
        classes += 1.0;
    }
    return classes == 0.0 ? 0.0 : sum / classes;
}

SurrogateEvaluation evaluate_surrogate(learning::FrameRule& rule, std::span<const double> parameters,
                                       const SurrogateEvaluationOptions& options) {
    const auto start = std::chrono::steady_clock::now();
    SurrogateEvaluation e;
    e.threads = options.threads > 0 ? options.threads : static_cast<unsigned>(omp_get_max_threads());
    learning::SurrogateMeasure& all = e.measure;
    const std::vector<std::string> layers = rule.layers();
    all.rates.assign(layers.size(), 0.0);

    constexpr std::uint64_t piece = 256;  // between two reports
    const std::uint64_t total = rule.samples() - std::min(options.first, rule.samples());
    for (std::uint64_t done = 0; done < total && !e.interrupted;) {
        std::vector<std::uint64_t> numbers(std::min(piece, total - done));
        std::iota(numbers.begin(), numbers.end(), options.first + done);
        const learning::SurrogateMeasure part = rule.measure_all(parameters, numbers, e.threads);
        all.tally += part.tally;
        for (std::size_t l = 0; l < all.rates.size(); ++l)
            all.rates[l] += part.rates[l] * static_cast<double>(numbers.size());
        all.confusion.resize(part.confusion.size(), std::vector<std::uint64_t>(part.confusion.size()));
        for (std::size_t i = 0; i < all.confusion.size(); ++i) {
            for (std::size_t j = 0; j < all.confusion.size(); ++j)
                all.confusion[i][j] += part.confusion[i][j];
        }
        done += numbers.size();
        if (options.on_progress && !options.on_progress(done, total)) e.interrupted = true;
    }
    for (double& rate : all.rates) rate /= std::max(1.0, static_cast<double>(all.tally.samples));
    for (std::size_t l = 0; l < layers.size(); ++l) {
        if (!layers[l].empty()) e.rates.emplace_back(layers[l], all.rates[l]);
    }
    e.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return e;
}

}  // namespace saltus::datasets
