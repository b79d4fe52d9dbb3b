// The Yin-Yang data set: points of the unit square in three classes, yin, yang and dot, about equally many.
//
//   R = 0.5, r = 0.1;  dl, dr: distances to (0.25, 0.5) and (0.75, 0.5)
//   dot (2)          dl < r or dr < r
//   1                dr <= r  or  r < dl <= R / 2  or  (y > 0.5 and dr > R / 2)
//   0                else
//   features         (x, y, 1 - x, 1 - y)
//
// A class c is drawn, then points until one lies in the circle of radius R and is of class c. The draws are
// those of the authors' program (MT19937), so that a seed gives its samples bit for bit.
//
// Kriener, Goeltz, Petrovici, "The Yin-Yang dataset", NICE 2022.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "saltus/datasets/dataset.hpp"

namespace saltus::datasets {

struct YinYangSample {
    std::array<double, 4> features{};  // x, y, 1 - x, 1 - y
    std::uint8_t label = 0;
};

/// Throws UsageError unless 0 < r < R / 2 and R <= 0.5.
[[nodiscard]] std::vector<YinYangSample> yin_yang(std::uint64_t samples, std::uint32_t seed, double R = 0.5,
                                                  double r = 0.1);

/// Feature v spikes at first + v (last - first).
struct FeatureEncoding {
    Duration first{10'000'000'000'000};
    Duration last{30'000'000'000'000};
    bool bias = true;  // one more input, which spikes at `first`
};

/// The parts that are published: seeds 42, 41, 40; 5000, 1000, 1000 samples.
[[nodiscard]] Dataset open_yin_yang(const std::string& split, const FeatureEncoding& encoding = {});

/// Rows of numbers, each from 0 to 1, as spikes.
[[nodiscard]] Dataset feature_dataset(std::string name, std::uint32_t columns, std::vector<double> values,
                                      std::vector<std::int64_t> labels, const FeatureEncoding& encoding);

}  // namespace saltus::datasets
