// What one synaptic current does to a leaky membrane, without its gain. With b = 1/tau_m, a = 1/tau_syn,
// c = min(a, b), x = |a - b| s:
//
//   current e^{-as}     k(s) = (e^{-as} - e^{-bs}) / (b - a)     = s e^{-cs} psi(x)
//   current s e^{-as}   m(s) = integral of u e^{-au} e^{-b(s-u)} = s^2 e^{-cs} chi(x)
//   psi(x) = (1 - e^{-x}) / x
//   chi(x) = (1 - (1 + x) e^{-x}) / x^2   a > b
//            (x - 1 + e^{-x}) / x^2       a < b
//
// The second forms have no cancellation and hold for a = b; where chi cancels itself its series stands in.
// k' = e^{-as} - b k, m' = s e^{-as} - b m.
#pragma once

#include <algorithm>
#include <cmath>

namespace saltus::neurons::detail {

[[nodiscard]] inline double psi(double x) noexcept {
    return x < 1e-5 ? 1.0 - x * (0.5 - x / 6.0) : -std::expm1(-x) / x;
}

/// k(s)
[[nodiscard]] inline double response(double a, double b, double s) noexcept {
    return s * std::exp(-std::min(a, b) * s) * psi(std::abs(a - b) * s);
}

[[nodiscard]] inline double chi(double x, bool synapse_is_faster) noexcept {
    if (x >= 0.5) {
        const double decay = std::exp(-x);
        return (synapse_is_faster ? 1.0 - (1.0 + x) * decay : (x - 1.0) + decay) / (x * x);
    }
    // sum over n of (-x)^n q_n / (n + 2)!, q_n = n + 1 for the faster synapse, else 1
    double sum = 0.0;
    double term = 0.5;
    for (int n = 0; std::abs(term) > 1e-18; ++n) {
        sum += synapse_is_faster ? term * (n + 1) : term;
        term *= -x / (n + 3);
    }
    return sum;
}

/// m(s)
[[nodiscard]] inline double ramp_response(double a, double b, double s) noexcept {
    return s * s * std::exp(-std::min(a, b) * s) * chi(std::abs(a - b) * s, a > b);
}

/// Certificates of silence compare with bounds: these are a little too large, never too small.
inline constexpr double rounded_up = 1.0 + 1e-12;

/// No k(s) is larger: (1/a) (b/a)^{b/(a - b)}, at a = b 1/(b e).
[[nodiscard]] inline double largest_response(double a, double b) noexcept {
    const double ratio = b / a;
    const double d = (b - a) / a;
    const double logarithm = ratio < 0.5 ? std::log(ratio) : std::log1p(d);
    const double exponent = ratio == 0.0 ? 0.0 : -ratio * (d == 0.0 ? 1.0 : logarithm / d);
    return rounded_up * std::exp(exponent) / a;
}
/// No m(s) is larger. m is the response to a current whose peak is 1/(e a), and it is k filtered by e^{-as}.
[[nodiscard]] inline double largest_ramp_response(double a, double b) noexcept {
    return std::min(rounded_up * std::exp(-1.0) / (a * b), largest_response(a, b) / a);
}

}  // namespace saltus::neurons::detail
