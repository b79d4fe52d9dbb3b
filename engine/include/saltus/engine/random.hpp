// Counter-based random numbers: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy
// as 1, 2, 3", SC11). A draw is a pure function of its key, so any thread that asks for draw `index` of
// stream `stream` under `seed` gets the same number, in any order.
#pragma once

#include <array>
#include <cstdint>

namespace saltus {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

/// The bijection of the paper, ten rounds.
[[nodiscard]] PhiloxCounter philox(PhiloxCounter counter, PhiloxKey key) noexcept;

/// Draws of one stream under one seed.
class CounterRandom {
  public:
    constexpr CounterRandom(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

    /// 64 uniform bits.
    [[nodiscard]] std::uint64_t bits(std::uint64_t index) const noexcept;
    /// Uniform in [0, 1), 53 bits.
    [[nodiscard]] double uniform(std::uint64_t index) const noexcept;
    /// Uniform in {0, ..., n - 1}, n > 0; the bias is below n / 2^64.
    [[nodiscard]] std::uint64_t below(std::uint64_t index, std::uint64_t n) const noexcept;
    /// Standard normal (Box and Muller 1958).
    [[nodiscard]] double normal(std::uint64_t index) const noexcept;

  private:
    std::uint64_t seed_;
    std::uint64_t stream_;
};

}  // namespace saltus
