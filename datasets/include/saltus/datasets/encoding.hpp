// Numbers as spikes: one spike a neuron, the stronger the earlier.
//
//   latency      level p of 0 ... 255 spikes in slot floor((255 - p) slots / 255); none in slot `slots`,
//   which
//                is where p = 0 comes to lie                   (Kheradpisheh, Masquelier 2020: 256 slots)
//   continuous   at t_max (1 - p / 255), t_max = slots * slot; none for p = 0
//   rank         levels in descending order, the k-th level that occurs in slot k = 0, 1, ...; none for p = 0
//                                                                           (Thorpe, Gautrais 1998)
//   charging     when a leaky integrator that p / 255 drives from 0 crosses theta:
//                tau ln(x / (x - theta)), x = p / 255 > theta; none otherwise, or after t_max
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "saltus/engine/spike_train.hpp"
#include "saltus/engine/time.hpp"

namespace saltus::datasets {

struct Encoding {
    enum class Kind { latency, continuous, rank, charging };

    Kind kind = Kind::latency;
    Duration slot{1'000'000'000'000};
    std::uint32_t slots = 256;
    Duration tau{50'000'000'000'000};  // charging
    double theta = 0.2;                // charging

    [[nodiscard]] Duration t_max() const;
    /// Where no output fires, the potentials of what was sent up to three slots before the end decide, as in
    /// the published program of S4NN; with a delay of one slot that arrives two slots before it.
    [[nodiscard]] Duration silence_decides_at() const {
        return Duration((static_cast<std::int64_t>(slots) - 2) * slot.femtoseconds());
    }
    /// Throws UsageError for parameters out of their range.
    void check() const;
};

/// "latency", "continuous", "rank", "charging". Throws UsageError.
[[nodiscard]] Encoding::Kind encoding_kind(std::string_view name);

/// Throws UsageError for an unknown name, and for numbers out of their range.
[[nodiscard]] Encoding encoding_of(std::string_view name, Duration slot, std::uint32_t slots);

/// Spikes of one image, sorted.
[[nodiscard]] SpikeTrain encode(std::span<const std::uint8_t> levels, const Encoding& encoding);

}  // namespace saltus::datasets
