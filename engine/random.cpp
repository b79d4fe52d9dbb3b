#include "saltus/engine/random.hpp"

#include "exponential.hpp"

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

/// Where the tail of the ziggurat begins, and the area of each layer: those with which 256 layers end at x =
/// 0.
constexpr double tail_begin = 3.654152885361008772;
constexpr double layer_area = 4.928673233974655347e-3;

constexpr double height(double x) {
    return kernels::exponential(-0.5 * x * x);
}
constexpr double square_root(double a) {
    double x = 0.5 * (a + 1.0);
    for (double next = 0.5 * (x + a / x); next < x; next = 0.5 * (x + a / x)) x = next;
    return x;
}

constexpr std::array<detail::NormalLayer, 256> make_normal_layers() {
    std::array<detail::NormalLayer, 256> layers{};
    double x = layer_area / height(tail_begin);  // the first as wide as if it had no tail
    double low = 0.0;
    for (std::size_t k = 0; k < layers.size(); ++k) {
        const bool last = k + 1 == layers.size();
        const double high = last ? 1.0 : low + layer_area / x;
        const double next = last ? 0.0 : square_root(-2.0 * kernels::logarithm(high));
        layers[k] = {x * 0x1p-52, static_cast<std::int64_t>(next / x * 0x1p52), low, high};
        x = next;
        low = high;
    }
    return layers;
}

}  // namespace

constexpr std::array<detail::NormalLayer, 256> detail::normal_layers = make_normal_layers();

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

double SequentialRandom::normal_beyond(std::int64_t draw) noexcept {
    const auto k = static_cast<std::size_t>(draw & 255);
    const detail::NormalLayer& layer = detail::normal_layers[k];
    const double x = (static_cast<double>(draw >> 11) + 0.5) * layer.width;
    if (k == 0) {
        const double beyond = tail();
        return x < 0.0 ? -beyond : beyond;
    }
    return layer.low + uniform() * (layer.high - layer.low) < height(x) ? x : normal();
}

double SequentialRandom::tail() noexcept {
    for (;;) {
        const double x = -kernels::logarithm(1.0 - uniform()) / tail_begin;
        const double y = -kernels::logarithm(1.0 - uniform());
        if (2.0 * y > x * x) return tail_begin + x;
    }
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

}  // namespace saltus
