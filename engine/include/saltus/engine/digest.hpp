// 64-bit digest of a sequence of words: one step of splitmix64 (Steele, Lea, Flood, OOPSLA 2014) for each,
// over the digest so far. A step is one to one, so that sequences which differ in one word differ in their
// digest. It finds what was mistaken or damaged, not what was forged.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "saltus/engine/time.hpp"

namespace saltus {

class Digest {
  public:
    void word(std::uint64_t x) {
        std::uint64_t z = value_ + x + 0x9E3779B97F4A7C15u;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        value_ = z ^ (z >> 31);
    }
    /// Eight to a word; a string of other bytes or of another length has another digest.
    void text(std::string_view x) {
        word(x.size());
        for (std::size_t begin = 0; begin < x.size(); begin += 8) {
            std::uint64_t next = 0;
            const std::size_t end = std::min(begin + 8, x.size());
            for (std::size_t i = end; i-- > begin;) next = next << 8 | static_cast<unsigned char>(x[i]);
            word(next);
        }
    }
    void number(Duration x) { word(static_cast<std::uint64_t>(x.femtoseconds())); }
    void number(Time x) { number(x.since_start()); }
    template <class T>
    void number(T x) requires(std::is_arithmetic_v<T> || std::is_enum_v<T>) {
        if constexpr (std::is_floating_point_v<T>) {
            word(std::bit_cast<std::uint64_t>(static_cast<double>(x)));
        } else {
            word(static_cast<std::uint64_t>(x));
        }
    }
    template <class Range>
    void numbers(const Range& xs) {
        word(xs.size());
        for (const auto& x : xs) number(x);
    }

    [[nodiscard]] std::uint64_t value() const { return value_; }

  private:
    std::uint64_t value_ = 0;
};

}  // namespace saltus
