// What all readers ask of labels and indices.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "saltus/datasets/dataset.hpp"

namespace saltus::datasets {

inline constexpr std::int64_t largest_label = 65535;

/// Throws FileError for a label below 0 or above `largest_label`.
void check_label(std::int64_t label, const std::string& path, const std::string& where);

/// "0", "1", ... up to the largest label.
[[nodiscard]] std::vector<std::string> numbered_classes(const std::vector<std::int64_t>& labels);

/// Throws UsageError where a data set has no sample of that number.
void check_index(std::uint64_t index, std::uint64_t size);

}  // namespace saltus::datasets
