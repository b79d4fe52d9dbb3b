#include "saltus/engine/random.hpp"

#include <cmath>
#include <numbers>

namespace saltus {

namespace {

constexpr std::uint64_t multiplier_0 = 0xD2511F53u;
constexpr std::uint64_t multiplier_1 = 0xCD9E8D57u;
constexpr std::uint32_t weyl_0 = 0x9E3779B9u;
constexpr std::uint32_t weyl_1 = 0xBB67AE85u;

constexpr std::uint32_t high(std::uint64_t x) {
    return static_cast<std::uint32_t>(x >> 32);
}
constexpr std::uint32_t low(std::uint64_t x) {
    return static_cast<std::uint32_t>(x);
}
constexpr std::uint64_t joined(std::uint32_t high_word, std::uint32_t low_word) {
    return (std::uint64_t{high_word} << 32) | low_word;
}
constexpr double to_unit_interval(std::uint64_t bits) {
    return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace

PhiloxCounter philox(PhiloxCounter c, PhiloxKey key) noexcept {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = multiplier_0 * c[0];
        const std::uint64_t p1 = multiplier_1 * c[2];
        c = {high(p1) ^ c[1] ^ key[0], low(p1), high(p0) ^ c[3] ^ key[1], low(p0)};
        key[0] += weyl_0;
        key[1] += weyl_1;
    }
    return c;
}

// CounterRandom uses counters (index, stream); the highest bit of the counter keeps these apart from them.
SequentialRandom::SequentialRandom(std::uint64_t seed, std::uint64_t stream, std::uint32_t purpose) noexcept {
    const PhiloxKey key{low(seed), high(seed)};
    const PhiloxCounter a = philox({low(stream), high(stream), 0, 0x80000000u | purpose}, key);
    const PhiloxCounter b = philox({low(stream), high(stream), 1, 0x80000000u | purpose}, key);
    s_ = {joined(a[1], a[0]), joined(a[3], a[2]), joined(b[1], b[0]), joined(b[3], b[2])};
}

double SequentialRandom::normal() noexcept {
    const double u = 1.0 - uniform();  // (0, 1]
    const double v = uniform();
    return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

std::uint64_t CounterRandom::bits(std::uint64_t index) const noexcept {
    const PhiloxCounter out =
        philox({low(index), high(index), low(stream_), high(stream_)}, {low(seed_), high(seed_)});
    return joined(out[1], out[0]);
}

double CounterRandom::uniform(std::uint64_t index) const noexcept {
    return to_unit_interval(bits(index));
}

std::uint64_t CounterRandom::below(std::uint64_t index, std::uint64_t n) const noexcept {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((Wide{bits(index)} * n) >> 64);
}

double CounterRandom::normal(std::uint64_t index) const noexcept {
    const PhiloxCounter out =
        philox({low(index), high(index), low(stream_), high(stream_)}, {low(seed_), high(seed_)});
    const double u = 1.0 - to_unit_interval(joined(out[1], out[0]));  // (0, 1]
    const double v = to_unit_interval(joined(out[3], out[2]));
    return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

}  // namespace saltus
