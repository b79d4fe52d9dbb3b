// Labelled samples as spike trains, whatever file they come from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "saltus/engine/spike_train.hpp"

namespace saltus::datasets {

struct Sample {
    std::string name;  // file name, or the number of the sample
    SpikeTrain spikes; // sorted; neuron is row-major in Dataset::shape
    std::int64_t label = 0;
};

/// Samples are loaded on demand; `sample` may be called by several threads at once.
struct Dataset {
    std::string name;                  // "N-MNIST", "SHD layout", ...
    std::vector<std::uint32_t> shape;  // of one sample: (polarity, y, x) for a camera, (units) for SHD
    std::uint64_t size = 0;
    std::vector<std::string> classes;  // names of the labels 0, 1, ...; at least max(label) + 1 entries
    std::function<Sample(std::uint64_t)> sample;
};

/// Opens what `path` is:
///   a folder of 40-bit AER files   N-MNIST; the label is the name of the folder a file lies in (Test/7/00001.bin), or
///                                  stands in its name (test_00001_label7.bin); shape (2, 34, 34): polarity OFF, ON
///   an HDF5 file with /spikes/units and /labels     SHD, SSC; shape (units)
///   an HDF5 file with /events/x, y, p, t_us, /offsets, /label   packed camera events; `split` picks by its /test flags
/// `split` is "", "train" or "test"; "" takes everything. For folders it picks the sub-folder of that name (any case).
/// Throws FileError, and UsageError for a split that the data set does not have.
[[nodiscard]] Dataset open_dataset(const std::filesystem::path& path, const std::string& split = {});

}  // namespace saltus::datasets
