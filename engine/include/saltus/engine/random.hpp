// Counter-based random numbers: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy
// as 1, 2, 3", SC11). A draw is a pure function of its key, so any thread that asks for draw `index` of
// stream `stream` under `seed` gets the same number, in any order.
//
// Where many numbers of one stream are drawn one after another, xoshiro256++ (Blackman, Vigna, "Scrambled
// linear pseudorandom number generators", ACM TOMS 47, 2021) is several times faster; Philox gives its state,
// so that its streams are told apart by the same kind of key.
//
// Normal numbers come from a ziggurat of 256 layers (Marsaglia, Tsang, "The ziggurat method for generating
// random variables", J. Stat. Softw. 5(8), 2000), layer and place from different bits of one draw (Doornik,
// "An improved ziggurat method to generate normal random samples", 2005). It is exact, and in plain
// arithmetic.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
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

  private:
    std::uint64_t seed_;
    std::uint64_t stream_;
};

namespace detail {

/// A layer of the ziggurat under exp(-x^2/2): the rectangle 0 <= x < 2^52 width, between the heights low and
/// high of the curve. What is below `sure` in units of width lies under the curve at any height. The first
/// layer is the strip below the others, with the tail beyond it.
struct NormalLayer {
    double width;
    std::int64_t sure;
    double low;
    double high;
};
extern const std::array<NormalLayer, 256> normal_layers;

}  // namespace detail

/// The draws of one stream in their order: stream (seed, stream, purpose), purpose < 2^31. Streams differ
/// from those of CounterRandom below 2^63 under the same seed.
class SequentialRandom {
  public:
    SequentialRandom(std::uint64_t seed, std::uint64_t stream, std::uint32_t purpose) noexcept;
    /// As the authors' reference code names it.
    explicit constexpr SequentialRandom(const std::array<std::uint64_t, 4>& state) : s_(state) {}

    /// 64 uniform bits.
    [[nodiscard]] std::uint64_t bits() noexcept {
        const std::uint64_t result = std::rotl(s_[0] + s_[3], 23) + s_[0];
        const std::uint64_t t = s_[1] << 17;
        s_[2] ^= s_[0];
        s_[3] ^= s_[1];
        s_[1] ^= s_[2];
        s_[0] ^= s_[3];
        s_[2] ^= t;
        s_[3] = std::rotl(s_[3], 45);
        return result;
    }
    /// Uniform in [0, 1), 53 bits.
    [[nodiscard]] double uniform() noexcept { return static_cast<double>(bits() >> 11) * 0x1p-53; }
    /// Uniform in {0, ..., n - 1}, n > 0; the bias is below n / 2^64.
    [[nodiscard]] std::uint64_t below(std::uint64_t n) noexcept {
        __extension__ using Wide = unsigned __int128;
        return static_cast<std::uint64_t>((Wide{bits()} * n) >> 64);
    }
    /// Standard normal.
    [[nodiscard]] double normal() noexcept {
        const auto draw = static_cast<std::int64_t>(bits());
        const detail::NormalLayer& layer = detail::normal_layers[static_cast<std::size_t>(draw & 255)];
        const std::int64_t place = draw >> 11;
        const std::int64_t distance = place ^ (place >> 63);
        if (distance < layer.sure) [[likely]]
            return (static_cast<double>(place) + 0.5) * layer.width;
        return normal_beyond(draw);
    }

  private:
    /// The same for a first draw whose place is not surely under the curve.
    [[nodiscard]] double normal_beyond(std::int64_t draw) noexcept;
    /// Beyond the ziggurat (Marsaglia 1964).
    [[nodiscard]] double tail() noexcept;

    std::array<std::uint64_t, 4> s_;
};

}  // namespace saltus
