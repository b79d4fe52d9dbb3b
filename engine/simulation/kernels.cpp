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
[[gnu::always_inline]] inline bool add_and_compare(double* __restrict c, const W* __restrict row,
                                                   std::size_t n, double gain, double bound) {
    double highest = -std::numeric_limits<double>::infinity();
#pragma omp simd reduction(max : highest)
    for (std::size_t k = 0; k < n; ++k) {
        const double sum = c[k] + gain * static_cast<double>(row[k]);
        c[k] = sum;
        highest = sum > highest ? sum : highest;  // by reference, as std::max, it would stay scalar
    }
    return highest >= bound;
}

}  // namespace

SALTUS_VECTOR_VERSIONS
bool add_row_and_compare(double* __restrict c, const float* __restrict row, std::size_t n, double gain,
                         double bound) {
    return add_and_compare(c, row, n, gain, bound);
}
SALTUS_VECTOR_VERSIONS
bool add_row_and_compare(double* __restrict c, const double* __restrict row, std::size_t n, double gain,
                         double bound) {
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
