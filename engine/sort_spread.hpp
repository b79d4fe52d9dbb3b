// Sorting what is spread over a range of keys, as times of spikes are: faster than comparing.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace saltus {

/// Brings n values into order, by way of `scratch`. Bits [0, bits) of their keys tell most of them apart: two
/// passes by the highest of these (least significant digit first, no branch depends on a value), after which
/// everything is near its place.
template <class T, class Key>
void sort_spread(T* values, std::size_t n, T* scratch, int bits, Key&& key) {
    constexpr std::size_t few = 48;
    if (n < 2) return;
    if (n < few) return std::sort(values, values + n);
    constexpr int most_digit_bits = 11;
    const int digit_bits = std::min(most_digit_bits, (static_cast<int>(std::bit_width(n)) + 4) / 2);
    const int high_shift = std::max(0, bits - digit_bits);
    const int low_shift = std::max(0, high_shift - digit_bits);
    const std::uint64_t mask = (std::uint64_t{1} << digit_bits) - 1;
    const auto low = [&](const T& value) { return (key(value) >> low_shift) & mask; };
    const auto high = [&](const T& value) { return (key(value) >> high_shift) & mask; };

    std::array<std::uint32_t, (1u << most_digit_bits) + 1> low_counts;
    std::array<std::uint32_t, (1u << most_digit_bits) + 1> high_counts;
    std::fill_n(low_counts.begin(), mask + 2, 0u);
    std::fill_n(high_counts.begin(), mask + 2, 0u);
    for (std::size_t k = 0; k < n; ++k) {
        ++low_counts[low(values[k]) + 1];
        ++high_counts[high(values[k]) + 1];
    }
    for (std::size_t d = 1; d <= mask; ++d) {
        low_counts[d] += low_counts[d - 1];
        high_counts[d] += high_counts[d - 1];
    }
    for (std::size_t k = 0; k < n; ++k) scratch[low_counts[low(values[k])]++] = values[k];
    for (std::size_t k = 0; k < n; ++k) values[high_counts[high(scratch[k])]++] = scratch[k];

    std::size_t moves = 0;
    for (std::size_t k = 1; k < n; ++k) {
        if (!(values[k] < values[k - 1])) continue;
        const T value = values[k];
        std::size_t to = k;
        for (; to > 0 && value < values[to - 1]; --to) values[to] = values[to - 1];
        values[to] = value;
        if ((moves += k - to) > 4 * n) return std::sort(values, values + n);
    }
}

}  // namespace saltus
