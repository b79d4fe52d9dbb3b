// What the rules of surrogate learning have in common.
#pragma once

#include "saltus/engine/learning/surrogate.hpp"

namespace saltus::learning::surrogate {

/// Throws UsageError for options out of their range.
void check(const SurrogateOptions& options);

/// Options, samples and labels.
[[nodiscard]] Asked asked(const SurrogateOptions& options, const FrameSet& samples);

}  // namespace saltus::learning::surrogate
