// Labelled samples as spike trains, whatever file they come from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "saltus/datasets/encoding.hpp"
#include "saltus/engine/spike_train.hpp"

namespace saltus::datasets {

struct Sample {
    std::string name;   // file name, or the number of the sample
    SpikeTrain spikes;  // sorted; neuron is row-major in Dataset::shape
    std::int64_t label = 0;
};

/// Samples of a folder are loaded on demand, those of an HDF5 file are all in memory; `sample` may be called
/// by several threads at once. It throws UsageError for an index that is not below `size`.
struct Dataset {
    std::string name;                  // "N-MNIST", "SHD layout", ...
    std::vector<std::uint32_t> shape;  // of one sample: (polarity, y, x) for a camera, (units) for SHD
    std::uint64_t size = 0;
    std::vector<std::string> classes;  // names of the labels 0, 1, ...; at least max(label) + 1 entries
    std::function<Sample(std::uint64_t)> sample;
};

/// Opens what `path` is:
///
/// - A folder of 40-bit AER files (*.bin, also in sub-folders, in the order of their names): N-MNIST.
///   The label stands in a file's name (test_00001_label7.bin), or is the name of the folder it lies in
///   (Test/7/00001.bin). Shape (2, 34, 34): polarity OFF, ON.
/// - An HDF5 file with /spikes/times, /spikes/units and /labels: SHD, SSC. Shape (units).
/// - A folder with train-images-idx3-ubyte and train-labels-idx1-ubyte, or t10k-..., or one such file of
///   images beside its labels, each with or without .gz: MNIST, Fashion-MNIST. Shape (rows, columns); spikes
///   by `encoding`.
/// - An HDF5 file with /samples and /labels, or the name yin-yang where there is no such file: rows of
///   numbers, as in yin_yang.hpp. Shape (columns + 1), the last one a bias.
/// - An HDF5 file with /events/x, y, p, t_us, /offsets, /label: packed camera recordings.
/// - An HDF5 file with /taxels, /offsets, /label, /letters, /test: touch. Shape (2, taxels): falling, rising
///   pressure, as in touch.hpp.
///
/// Sound is no data set of spikes: see frames.hpp.
///
/// `split` is "", "train" or "test"; "" takes everything. In a folder it picks the sub-folder of that name
/// (any case), among images the files of that name (t10k is the test part), among packed recordings or touch
/// those of its /test flags; a file in the SHD layout or of rows has no parts. yin-yang has a part
/// validation, too. Throws FileError, and UsageError for a split that the data set does not have.
[[nodiscard]] Dataset open_dataset(const std::filesystem::path& path, const std::string& split = {},
                                   const Encoding& encoding = {});

/// `path` is a folder, a file of images, an HDF5 file (.h5, .hdf5) of labelled samples, or the name yin-yang:
/// what open_dataset or open_frames may open, and no network. Throws FileError where such a file is none.
[[nodiscard]] bool is_dataset(const std::filesystem::path& path);

}  // namespace saltus::datasets
