// Touch recordings as a data set; shape (2, taxels): falling, rising pressure.
#pragma once

#include <filesystem>
#include <string>

#include "labels.hpp"

namespace saltus::datasets {

[[nodiscard]] Dataset open_touch_recordings(const std::filesystem::path& path, const std::string& split);

}  // namespace saltus::datasets
