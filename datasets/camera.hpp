// Recordings of an event camera as data sets.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "saltus/datasets/dataset.hpp"
#include "saltus/io/spikes.hpp"

namespace saltus::datasets {

struct Frame {
    std::uint32_t width = 34;
    std::uint32_t height = 34;

    [[nodiscard]] std::vector<std::uint32_t> shape() const { return {2, height, width}; }
};

/// One neuron per polarity and pixel: (polarity * height + y) * width + x, polarity 0 = OFF, 1 = ON. Throws
/// FileError that names `path` and the number of the event where one lies outside the frame.
[[nodiscard]] SpikeTrain spikes_of(std::span<const io::CameraEvent> events, const Frame& frame,
                                   const std::string& path);

/// A folder of 40-bit AER files.
[[nodiscard]] Dataset open_camera_folder(const std::filesystem::path& path, const std::string& split);

/// Packed recordings in one HDF5 file.
[[nodiscard]] Dataset open_camera_recordings(const std::filesystem::path& path, const std::string& split);

}  // namespace saltus::datasets
