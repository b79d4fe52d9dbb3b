// Recordings as power in mel bands, and as a set of frames.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "saltus/datasets/frames.hpp"
#include "saltus/engine/learning/frames.hpp"

namespace saltus::datasets {

/// Power of many recordings, either in levels of decibels or as it is.
struct Spectra {
    std::uint32_t frames = 0;
    std::uint32_t bands = 0;
    std::vector<double> power_of_level;  // of the levels
    std::vector<std::uint8_t> levels;    // [recording][frame][band]; empty: `power` holds them
    std::vector<float> power;

    void read(std::uint64_t recording, std::span<double> to) const;
};

/// Chosen recordings with their labels.
struct SoundPart {
    std::shared_ptr<const Spectra> spectra;
    std::vector<std::uint64_t> recordings;
    std::vector<std::uint32_t> labels;
    std::vector<std::string> classes;
};

[[nodiscard]] std::shared_ptr<const learning::FrameSet> sound_frames(SoundPart part,
                                                                     const FrameOptions& options);

}  // namespace saltus::datasets
