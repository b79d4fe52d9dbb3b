// exp and log in plain arithmetic: the same bits on every machine, one by one or many at once.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace saltus::kernels {

/// e^x for |x| <= 700, to about one unit in the last place: x = k ln 2 + r, and the series of e^r to
/// degree 13.
[[nodiscard, gnu::always_inline]] constexpr double exponential(double x) noexcept {
    constexpr double shift = 0x1.8p52;  // adding it rounds to a whole number
    constexpr double ln2_high = 0x1.62e42fefa0000p-1;
    constexpr double ln2_low = 0x1.cf79abc9e3b3ap-40;
    const double shifted = x * 0x1.71547652b82fep+0 + shift;
    const double k = shifted - shift;
    const double r = (x - k * ln2_high) - k * ln2_low;
    const double r2 = r * r;
    const double r4 = r2 * r2;
    // Pairs of terms, so that few products depend on one another.
    const double p2 = 1.0 / 2 + r * (1.0 / 6);
    const double p4 = 1.0 / 24 + r * (1.0 / 120);
    const double p6 = 1.0 / 720 + r * (1.0 / 5040);
    const double p8 = 1.0 / 40320 + r * (1.0 / 362880);
    const double p10 = 1.0 / 3628800 + r * (1.0 / 39916800);
    const double p12 = 1.0 / 479001600 + r * (1.0 / 6227020800.0);
    const double high = (p8 + r2 * p10) + r4 * p12;
    const double tail = r2 * ((p2 + r2 * p4) + r4 * (p6 + r2 * high));
    const double scale =
        std::bit_cast<double>((std::bit_cast<std::uint64_t>(shifted) << 52) + 0x3FF0000000000000u);
    return scale * (1.0 + (r + tail));
}

/// Natural logarithm of a normal x > 0, to about one unit in the last place of 1:
/// x = 2^k m, m in [sqrt(1/2), sqrt 2), log m = 2 atanh(s), s = (m - 1)/(m + 1).
[[nodiscard, gnu::always_inline]] constexpr double logarithm(double x) noexcept {
    constexpr std::uint64_t sqrt_half = 0x3FE6A09E667F3BCDu;
    const auto bits = std::bit_cast<std::uint64_t>(x);
    const std::uint64_t k = (bits - sqrt_half) & 0xFFF0000000000000u;  // exponent, in place
    const double m = std::bit_cast<double>(bits - k);
    // The exponent as a double without a conversion of 64-bit integers, which AVX2 lacks.
    const double exponent =
        std::bit_cast<double>((((k >> 52) ^ 0x800u) & 0xFFFu) | 0x4330000000000000u) - (0x1p52 + 0x800);
    const double s = (m - 1.0) / (m + 1.0);
    const double z = s * s;
    const double series =
        z * (1.0 / 3 +
             z * (1.0 / 5 +
                  z * (1.0 / 7 +
                       z * (1.0 / 9 +
                            z * (1.0 / 11 +
                                 z * (1.0 / 13 +
                                      z * (1.0 / 15 + z * (1.0 / 17 + z * (1.0 / 19 + z * (1.0 / 21))))))))));
    return exponent * 0x1.62e42fefa39efp-1 + 2.0 * (s + s * series);
}

}  // namespace saltus::kernels
