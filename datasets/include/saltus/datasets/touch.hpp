// Touch as spikes: a taxel sends one whenever its pressure has changed by a threshold since the last one, as
// a sensor that encodes changes does.
//
//   p(t)    255 - level, 0 before the recording, straight lines from row to row; row k is at (k + 1) row
//   spikes  where p crosses r + threshold (rising, neuron taxels + k) or r - threshold (falling, neuron k);
//           r is the level of the last crossing, 0 at first
#pragma once

#include <cstdint>
#include <span>

#include "saltus/engine/spike_train.hpp"
#include "saltus/engine/time.hpp"

namespace saltus::datasets {

struct TouchEncoding {
    Duration row{2'000'000'000'000};
    std::uint32_t threshold = 4;  // of 255
};

/// `levels` is [row][taxel], 255 where there is no contact. Throws UsageError for an encoding out of its
/// range.
[[nodiscard]] SpikeTrain touch_spikes(std::span<const std::uint8_t> levels, std::uint32_t taxels,
                                      const TouchEncoding& encoding = {});

}  // namespace saltus::datasets
