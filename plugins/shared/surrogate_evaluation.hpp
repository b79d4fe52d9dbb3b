// Evaluating a network that learnt in steps of time: the same for the command and the package.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "saltus/converters/surrogate_model.hpp"
#include "saltus/datasets/frames.hpp"

namespace saltus::plugins {

/// A part of a data set as the network takes it; `left_out` is of spoken digits. Throws as open_frames()
/// does.
[[nodiscard]] std::shared_ptr<const learning::FrameSet> samples_for(const converters::SurrogateModel& model,
                                                                    const std::filesystem::path& path,
                                                                    const std::string& split,
                                                                    const std::string& left_out,
                                                                    unsigned threads);
/// Samples that are open, each number divided as those that it learnt from.
[[nodiscard]] std::shared_ptr<const learning::FrameSet> samples_for(
    const converters::SurrogateModel& model, std::shared_ptr<const learning::FrameSet> samples);

}  // namespace saltus::plugins
