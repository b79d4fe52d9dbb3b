#include "saltus/datasets/learning_frames.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <utility>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/surrogate.hpp"
#include "saltus/engine/learning/training.hpp"

namespace saltus::datasets {

Scaling scaling_from(const std::string& name) {
    if (name == "auto") return Scaling::automatic;
    if (name == "deviation") return Scaling::deviation;
    if (name == "none") return Scaling::none;
    constexpr std::array<std::string_view, 3> names{"auto", "deviation", "none"};
    throw UsageError("scaling: expected auto, deviation or none, found " + saltus::quoted(name) + "." +
                     did_you_mean(name, names));
}

LearningFrames open_learning_frames(const std::filesystem::path& path, const FrameOptions& frames,
                                    const LearningFramesOptions& options) {
    if (!(options.validation >= 0.0)) {
        throw UsageError("validation: expected >= 0, found " + shown(options.validation) + ".");
    }
    std::shared_ptr<const learning::FrameSet> part = open_frames(path, options.split, frames);
    LearningFrames result;
    std::shared_ptr<const learning::FrameSet> learnt = part;
    if (!options.validation_split.empty()) {
        const auto held_back = open_frames(path, options.validation_split, frames);
        result.held_back = held_back->size();
        part = learning::joined(part, held_back);
    } else {
        const auto n = static_cast<double>(part->size());
        const double asked = options.validation < 1.0 ? options.validation * n + 0.5 : options.validation;
        if (asked >= n + 1.0) {
            throw UsageError("validation: expected fewer than the " + std::to_string(part->size()) +
                             " samples that there are, found " + shown(options.validation) + ".");
        }
        result.held_back = static_cast<std::uint64_t>(asked);
        constexpr std::uint64_t no_epoch = std::numeric_limits<std::uint64_t>::max();
        std::vector<std::uint64_t> order = learning::shuffled(part->size(), options.seed, no_epoch);
        part = learning::reordered(part, order);
        order.resize(part->size() - std::min(result.held_back, part->size()));
        learnt = learning::reordered(learnt, std::move(order));
    }
    if (result.held_back >= part->size()) {
        throw UsageError("samples to learn from: expected at least one, found none beside " +
                         std::to_string(result.held_back) + " held back.");
    }
    const bool scales = !options.divisors && (options.scaling == Scaling::deviation ||
                                              (options.scaling == Scaling::automatic && is_sound(path)));
    if (scales) result.divisors = learning::deviations(*learnt, options.threads);
    if (options.divisors) result.divisors = *options.divisors;
    if (!result.divisors.empty()) part = learning::scaled_frames(std::move(part), result.divisors);
    result.samples = std::move(part);
    return result;
}

}  // namespace saltus::datasets
