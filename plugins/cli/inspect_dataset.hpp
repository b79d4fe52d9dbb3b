// What is in a data set.
#pragma once

#include <string>

#include "saltus/datasets/frames.hpp"

namespace saltus::cli {

/// Prints samples, classes and shape of a part of a data set.
void inspect_dataset(const std::string& path, const std::string& split, const datasets::FrameOptions& options,
                     bool json);

}  // namespace saltus::cli
