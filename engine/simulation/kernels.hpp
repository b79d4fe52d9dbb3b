// The two inner loops of a run over neurons whose state stands still between arrivals. They stand apart, as
// plain functions, so that the compiler turns them into vector instructions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "saltus/engine/neurons/if.hpp"

/// One version for AVX-512, one for AVX2, one for every other processor, chosen when the program starts. None
/// contracts a product and a sum into one rounding, so all give the same bits. Sanitizers run before that
/// choice can be made.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define SALTUS_VECTOR_VERSIONS __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#define SALTUS_VECTOR_CHOICE  // a loop may choose by itself
#else
#define SALTUS_VECTOR_VERSIONS
#endif

namespace saltus::kernels {

/// Femtoseconds to multiples of a time constant. The reciprocal is a sum of two doubles: over a long run a
/// rounded one would be off in one direction.
class PerTau {
  public:
    PerTau() = default;
    explicit PerTau(double tau_seconds) {
        const long double exact = 1e-15L / static_cast<long double>(tau_seconds);
        high_ = static_cast<double>(exact);
        low_ = static_cast<double>(exact - static_cast<long double>(high_));
    }
    [[nodiscard, gnu::always_inline]] double operator()(double femtoseconds) const {
        return femtoseconds * high_ + femtoseconds * low_;
    }

  private:
    double high_ = 0.0;
    double low_ = 0.0;
};

/// e[k] = exp((times[k] - origin) / tau), where 0 <= times[k] - origin < 2^52 and the exponent is small;
/// anything elsewhere.
void exponentials(const std::int64_t* times, double* e, std::size_t n, std::int64_t origin, PerTau per_tau);

/// Elements of a row whose numbers are equal modulo this share a bit of what add_row_and_compare returns.
constexpr std::uint32_t row_lanes = 32;
/// c[k] += gain * row[k]; bit l is set if some c[k], k % row_lanes == l, reached `bound`.
std::uint32_t add_row_and_compare(double* __restrict c, const float* __restrict row, std::size_t n,
                                  double gain, double bound);
std::uint32_t add_row_and_compare(double* __restrict c, const double* __restrict row, std::size_t n,
                                  double gain, double bound);

/// sum[k] += amplitude * row[k]
template <class W>
[[gnu::always_inline]] inline void add_row(double* __restrict sum, const W* __restrict row, std::size_t n,
                                           double amplitude) {
#pragma omp simd
    for (std::size_t k = 0; k < n; ++k) sum[k] += amplitude * static_cast<double>(row[k]);
}

/// The same, the products < 0 to a sum of their own.
template <class W>
[[gnu::always_inline]] inline void add_row_by_sign(double* __restrict sum, double* __restrict negative,
                                                   const W* __restrict row, std::size_t n, double amplitude) {
#pragma omp simd
    for (std::size_t k = 0; k < n; ++k) {
        const double w = amplitude * static_cast<double>(row[k]);
        sum[k] += w < 0.0 ? 0.0 : w;
        negative[k] += w < 0.0 ? w : 0.0;
    }
}

/// V[k] += J sum[k], sum[k] = 0; true if some V[k] reached V_th.
bool arrive(neurons::If::State* __restrict states, double* __restrict sum, std::size_t n, double J,
            double V_th);

}  // namespace saltus::kernels
