// How well a network in discrete time classifies a data set.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "saltus/engine/learning/surrogate.hpp"

namespace saltus::datasets {

struct SurrogateEvaluation {
    learning::SurrogateMeasure measure;
    std::vector<std::pair<std::string, double>> rates;  // of the layers that spike, by name
    double wall_s = 0.0;
    unsigned threads = 1;
    bool interrupted = false;

    /// Mean over the classes that occur of the share of their samples that is right.
    [[nodiscard]] double balanced_accuracy() const;
};

struct SurrogateEvaluationOptions {
    unsigned threads = 0;     // 0: as many as OpenMP gives
    std::uint64_t first = 0;  // the samples from this one on
    std::function<bool(std::uint64_t done, std::uint64_t total)> on_progress = {};  // false stops
};

/// Samples of the rule as they are, not altered.
[[nodiscard]] SurrogateEvaluation evaluate_surrogate(learning::FrameRule& rule,
                                                     std::span<const double> parameters,
                                                     const SurrogateEvaluationOptions& options = {});

}  // namespace saltus::datasets
