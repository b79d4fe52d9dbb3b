// How a data set becomes frames, as the command line says it.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "saltus/datasets/frames.hpp"

namespace saltus::cli {

class FrameArguments {
  public:
    /// What is a frame, and which samples belong to a task.
    void add_to(CLI::App& app);
    /// How samples are altered in learning.
    void add_augmentation_to(CLI::App& app);

    /// Throws UsageError.
    [[nodiscard]] datasets::FrameOptions options(std::uint64_t seed = 0) const;

  private:
    std::string dt_ = "10ms";
    std::string shift_ = "0ms";
    bool no_derivatives_ = false;
    datasets::FrameOptions options_;
};

}  // namespace saltus::cli
