// Random numbers of one altered sample, one after another: a function of (seed, draw, sample).
#pragma once

#include <cmath>
#include <cstdint>

#include "saltus/engine/random.hpp"

namespace saltus::datasets {

class Draws {
  public:
    Draws(std::uint64_t seed, std::uint64_t draw, std::uint64_t sample)
        : random_(seed ^ own_, sample), index_(draw << 32) {}

    [[nodiscard]] double uniform() { return random_.uniform(index_++); }
    [[nodiscard]] std::uint64_t below(std::uint64_t n) { return random_.below(index_++, n); }
    /// Uniform in {-most, ..., most}.
    [[nodiscard]] std::int64_t about_zero(std::uint64_t most) {
        return static_cast<std::int64_t>(below(2 * most + 1)) - static_cast<std::int64_t>(most);
    }
    /// Mean 1.
    [[nodiscard]] double exponential() { return -std::log1p(-uniform()); }

  private:
    static constexpr std::uint64_t own_ = 0x6672616D65736574u;  // the order of samples has the same seed

    CounterRandom random_;
    std::uint64_t index_;
};

}  // namespace saltus::datasets
