// Spikes counted in steps, as a set of frames.
#pragma once

#include <memory>

#include "saltus/datasets/dataset.hpp"
#include "saltus/datasets/frames.hpp"

namespace saltus::datasets {

/// `part` of the data set `all`.
[[nodiscard]] std::shared_ptr<const learning::FrameSet> event_frames(const Dataset& part, const Dataset& all,
                                                                     const FrameOptions& options);

}  // namespace saltus::datasets
