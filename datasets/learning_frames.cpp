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

LearningFrames learning_frames(std::shared_ptr<const learning::FrameSet> samples,
                               std::shared_ptr<const learning::FrameSet> held_back,
                               const LearningFramesOptions& options) {
    LearningFrames result;
    std::shared_ptr<const learning::FrameSet> learnt = samples;
    if (held_back) {
        if (samples->size() == 0)
            throw UsageError("samples to learn from: expected at least one, found none.");
        result.held_back = held_back->size();
        samples = learning::joined(std::move(samples), std::move(held_back));
    } else {
        result.held_back = learning::held_back(options.validation, samples->size());
        constexpr std::uint64_t no_epoch = std::numeric_limits<std::uint64_t>::max();
        std::vector<std::uint64_t> order = learning::shuffled(samples->size(), options.seed, no_epoch);
        samples = learning::reordered(samples, order);
        order.resize(samples->size() - result.held_back);
        learnt = learning::reordered(learnt, std::move(order));
    }
    if (options.divisors) {
        result.divisors = *options.divisors;
    } else if (options.scaling == Scaling::deviation) {
        result.divisors = learning::deviations(*learnt, options.threads);
    }
    if (!result.divisors.empty()) samples = learning::scaled_frames(std::move(samples), result.divisors);
    result.samples = std::move(samples);
    return result;
}

LearningFrames open_learning_frames(const std::filesystem::path& path, const FrameOptions& frames,
                                    LearningFramesOptions options) {
    if (options.scaling == Scaling::automatic && is_sound(path)) options.scaling = Scaling::deviation;
    std::shared_ptr<const learning::FrameSet> held_back;
    std::shared_ptr<const learning::FrameSet> samples = open_frames(path, options.split, frames);
    if (!options.validation_split.empty()) held_back = open_frames(path, options.validation_split, frames);
    return learning_frames(std::move(samples), std::move(held_back), options);
}

}  // namespace saltus::datasets
