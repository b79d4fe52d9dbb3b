// How well a network in discrete time classifies a data set.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "saltus/engine/learning/surrogate.hpp"

namespace saltus::datasets {

struct SurrogateEvaluation {
    learning::SurrogateMeasure measure;
    double wall_s = 0.0;
    unsigned threads = 1;
    bool interrupted = false;

    /// Mean over the classes that occur of the share of their samples that is right.
    [[nodiscard]] double balanced_accuracy() const;
};

struct SurrogateEvaluationOptions {
    unsigned threads = 0;  // 0: as many as OpenMP gives
    std::function<bool(std::uint64_t done, std::uint64_t total)> on_progress = {};  // false stops
};

/// Samples as they are, not altered. Throws UsageError where they do not fit the network.
[[nodiscard]] SurrogateEvaluation evaluate_surrogate(const learning::SurrogateNetwork& network,
                                                     std::span<const double> parameters,
                                                     std::shared_ptr<const learning::FrameSet> samples,
                                                     const SurrogateEvaluationOptions& options = {});

}  // namespace saltus::datasets
