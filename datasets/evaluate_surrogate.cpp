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

SurrogateEvaluation evaluate_surrogate(const learning::SurrogateNetwork& network,
                                       std::span<const double> parameters,
                                       std::shared_ptr<const learning::FrameSet> samples,
                                       const SurrogateEvaluationOptions& options) {
    const auto start = std::chrono::steady_clock::now();
    SurrogateEvaluation e;
    e.threads = options.threads > 0 ? options.threads : static_cast<unsigned>(omp_get_max_threads());
    learning::SurrogateRule rule(network, std::move(samples), {}, {parameters.begin(), parameters.end()});
    learning::SurrogateMeasure& all = e.measure;
    all.rates.assign(network.layers().size(), 0.0);
    all.confusion.assign(network.classes(), std::vector<std::uint64_t>(network.classes(), 0));

    constexpr std::uint64_t piece = 256;  // between two reports
    const std::uint64_t total = rule.samples();
    for (std::uint64_t done = 0; done < total && !e.interrupted;) {
        std::vector<std::uint64_t> numbers(std::min(piece, total - done));
        std::iota(numbers.begin(), numbers.end(), done);
        const learning::SurrogateMeasure part = rule.measure_all(parameters, numbers, e.threads);
        all.tally += part.tally;
        for (std::size_t l = 0; l < all.rates.size(); ++l)
            all.rates[l] += part.rates[l] * static_cast<double>(numbers.size());
        for (std::size_t i = 0; i < all.confusion.size(); ++i) {
            for (std::size_t j = 0; j < all.confusion.size(); ++j)
                all.confusion[i][j] += part.confusion[i][j];
        }
        done += numbers.size();
        if (options.on_progress && !options.on_progress(done, total)) e.interrupted = true;
    }
    for (double& rate : all.rates) rate /= std::max(1.0, static_cast<double>(all.tally.samples));
    e.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return e;
}

}  // namespace saltus::datasets
