// What a network in discrete time learns from: a part of a data set, with samples held back at its end, each
// number divided by its deviation over the part.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "saltus/datasets/frames.hpp"

namespace saltus::datasets {

/// How numbers are scaled: sound only, always, or never.
enum class Scaling { automatic, deviation, none };

/// "auto", "deviation", "none". Throws UsageError.
[[nodiscard]] Scaling scaling_from(const std::string& name);

struct LearningFramesOptions {
    std::string split = "train";
    std::string validation_split{};  // a part that is held back; empty: some of `split`
    double validation = 1.0 / 12.0;  // share (below 1) or number of samples held back, where no part is named
    Scaling scaling = Scaling::automatic;
    std::optional<std::vector<float>> divisors = {};  // of a network to go on with, in place of `scaling`
    std::uint64_t seed = 0;                           // of which samples are held back
    unsigned threads = 1;
};

struct LearningFrames {
    std::shared_ptr<const learning::FrameSet> samples;  // scaled; those held back are the last ones
    std::uint64_t held_back = 0;
    std::vector<float> divisors;  // of each number of a step; empty: not scaled
};

/// Of samples that are open; those held back may be given, or null. Files hold samples class after class, so
/// those held back are else drawn by `seed`. Throws UsageError where nothing is left to learn from.
[[nodiscard]] LearningFrames learning_frames(std::shared_ptr<const learning::FrameSet> samples,
                                             std::shared_ptr<const learning::FrameSet> held_back,
                                             const LearningFramesOptions& options);

/// Of a data set. Throws as open_frames() and learning_frames() do.
[[nodiscard]] LearningFrames open_learning_frames(const std::filesystem::path& path,
                                                  const FrameOptions& frames, LearningFramesOptions options);

}  // namespace saltus::datasets
