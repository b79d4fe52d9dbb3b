// Images in IDX files as data sets.
#pragma once

#include <filesystem>

#include "saltus/datasets/dataset.hpp"

namespace saltus::datasets {

/// The folder holds train-images-idx3-ubyte and train-labels-idx1-ubyte, or t10k-..., with or without .gz.
[[nodiscard]] bool is_image_folder(const std::filesystem::path& path);
/// The name is that of an IDX file of images.
[[nodiscard]] bool is_image_file(const std::filesystem::path& path);

/// `path` is such a folder, or one file of images beside its labels.
[[nodiscard]] Dataset open_images(const std::filesystem::path& path, const std::string& split,
                                  const Encoding& encoding);

}  // namespace saltus::datasets
