#include "kernels.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "../exponential.hpp"

namespace saltus::kernels {

namespace {

SALTUS_VECTOR_VERSIONS
void many_exponentials(const std::int64_t* __restrict times, double* __restrict e, std::size_t n,
                       std::int64_t origin, PerTau per_tau) {
    // A whole number below 2^52 becomes a double by writing it into the fraction of 2^52: AVX2 has no
    // conversion.
    constexpr std::uint64_t exponent = 0x4330000000000000u;
    constexpr std::uint64_t fraction = 0x000FFFFFFFFFFFFFu;
    const auto first = static_cast<std::uint64_t>(origin);
#pragma omp simd
    for (std::size_t k = 0; k < n; ++k) {
        const std::uint64_t since = (static_cast<std::uint64_t>(times[k]) - first) & fraction;
        e[k] = exponential(per_tau(std::bit_cast<double>(since | exponent) - 0x1p52));
    }
}

}  // namespace

void exponentials(const std::int64_t* times, double* e, std::size_t n, std::int64_t origin, PerTau per_tau) {
    constexpr std::size_t few = 4;
    if (n > few) return many_exponentials(times, e, n, origin, per_tau);
    for (std::size_t k = 0; k < n; ++k) e[k] = exponential(per_tau(static_cast<double>(times[k] - origin)));
}

namespace {

template <class W>
[[gnu::always_inline]] inline std::uint32_t add_and_compare(double* __restrict c, const W* __restrict row,
                                                            std::size_t n, double gain, double bound) {
    // Several maxima side by side: none waits for another.
    double high[row_lanes];
    std::fill_n(high, row_lanes, -std::numeric_limits<double>::infinity());
    const auto add = [&](std::size_t k, std::size_t l) __attribute__((always_inline)) {
        const double sum = c[k + l] + gain * static_cast<double>(row[k + l]);
        c[k + l] = sum;
        high[l] = sum > high[l] ? sum : high[l];  // by reference, as std::max, it would stay scalar
    };
    std::size_t k = 0;
    for (; k + row_lanes <= n; k += row_lanes) {
#pragma omp simd
        for (std::size_t l = 0; l < row_lanes; ++l) add(k, l);
    }
#pragma omp simd
    for (std::size_t l = 0; l < n - k; ++l) add(k, l);

    double highest = -std::numeric_limits<double>::infinity();
#pragma omp simd reduction(max : highest)
    for (std::size_t l = 0; l < row_lanes; ++l) highest = high[l] > highest ? high[l] : highest;
    if (!(highest >= bound)) return 0;
    std::uint32_t lanes = 0;
    for (std::size_t l = 0; l < row_lanes; ++l) lanes |= std::uint32_t{high[l] >= bound} << l;
    return lanes;
}

}  // namespace

SALTUS_VECTOR_VERSIONS
std::uint32_t add_row_and_compare(double* __restrict c, const float* __restrict row, std::size_t n,
                                  double gain, double bound) {
    return add_and_compare(c, row, n, gain, bound);
}
SALTUS_VECTOR_VERSIONS
std::uint32_t add_row_and_compare(double* __restrict c, const double* __restrict row, std::size_t n,
                                  double gain, double bound) {
    return add_and_compare(c, row, n, gain, bound);
}

SALTUS_VECTOR_VERSIONS
bool arrive(neurons::If::State* __restrict states, double* __restrict sum, std::size_t n, double J,
            double V_th) {
    double highest = -std::numeric_limits<double>::infinity();
#pragma omp simd reduction(max : highest)
    for (std::size_t k = 0; k < n; ++k) {
        const double V = states[k].V + J * sum[k];
        states[k].V = V;
        sum[k] = 0.0;
        highest = V > highest ? V : highest;
    }
    return highest >= V_th;
}

}  // namespace saltus::kernels
