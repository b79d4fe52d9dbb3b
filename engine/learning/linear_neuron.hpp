// The models that have exact gradients are one linear system with different coefficients:
//
//   V' = -b V + d + g I,   I' = -a I          between events
//   I += J w  or  V += J w                    an arrival of weight w, with or without a synaptic current
//   V reaches V_th  =>  spike, V <- V_reset, V stands for t_ref
//
//             b        d                                a          g
//   CubaLif   1/tau_m  (E_L + R (I_e + w_in x))/tau_m   1/tau_syn  R/tau_m
//   Lif       1/tau_m  (E_L + R (I_e + x))/tau_m        -          -
//   IfExp     0        R (I_e + x)                      1/tau_syn  R
//   If        0        R (I_e + x)                      -          -
// and CubaLi, Li, Integrator, which never fire.
//
// Adjoint, with p = dL/dV, q = dL/dI (Wunderlich & Pehle 2021 call -p/b and -q/a lambda_V and lambda_I) and a
// loss  integral s(t) V dt:
//   -p' = -b p + s,   -q' = -a q + g p        between events, backwards
// Over an interval of length x, with k the response of response.hpp and s = s0 e^{-mu u}, u from its start:
//   p0 = p1 e^{-bx} + s0 F,   q0 = q1 e^{-ax} + g (p1 k(a, b, x) + s0 K)
//   F = integral e^{-(b + mu) u} du,   K = integral e^{-mu u} k(a, b, u) du
// The gradient of a coefficient is the derivative of the end state, and of the integral, with respect to it,
// times their sensitivities p1, q1, s0. All of it is made of k and of the ramp response m, which keep their
// digits where rates meet or vanish:
//   dk/da = -m(a, b, x),   dk/db = -m(b, a, x),   integral u e^{-bu} du = m(b, 0, x)
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "saltus/engine/neurons/models.hpp"

namespace saltus::learning {

struct LinearNeuron {
    double a = 0.0;
    double b = 0.0;
    double d = 0.0;
    double g = 0.0;
    double J = 1.0;
    bool has_current = false;
    double V_th = std::numeric_limits<double>::infinity();
    double V_reset = 0.0;
    double V_0 = 0.0;
    double I_0 = 0.0;

    /// V' where the state is this.
    [[nodiscard]] double slope(double V, double I) const { return d - b * V + g * I; }
};

/// A loss  integral s(t) V dt  with s(t) = c e^{-mu t}; c = 0: none.
struct PotentialLoss {
    double c = 0.0;
    double mu = 0.0;
    [[nodiscard]] double at(double t) const { return mu == 0.0 ? c : c * std::exp(-mu * t); }
};

/// dL/d of each.
struct LinearGradient {
    double a = 0.0;
    double b = 0.0;
    double d = 0.0;
    double g = 0.0;
    double V_th = 0.0;
    double V_reset = 0.0;
    double V_0 = 0.0;
    double I_0 = 0.0;
};

struct Adjoint {
    double p = 0.0;
    double q = 0.0;
};

/// Integral of e^{-mu u} e^{-bu} over [0, x], of e^{-mu u} times the response to a constant drive, and of
/// e^{-mu u} k(a, b, u).
struct PotentialIntegral {
    PotentialIntegral(const LinearNeuron& n, double the_mu, double the_x)
        : mu(the_mu), x(the_x), low(std::min(n.a, n.b) + mu), high(std::max(n.a, n.b) + mu) {
        using neurons::detail::ramp_response;
        using neurons::detail::response;
        F = response(n.b + mu, 0.0, x);
        G = mu == 0.0 ? ramp_response(0.0, n.b, x) : (F - std::exp(-mu * x) * response(n.b, 0.0, x)) / mu;
        if (n.has_current) K = (response(low, 0.0, x) - response(low, high, x)) / high;
    }
    [[nodiscard]] double of(const LinearNeuron& n, double V, double I) const {
        return V * F + n.d * G + n.g * I * K;
    }

    double mu;
    double x;
    double low;  // the smaller of a + mu, b + mu
    double high;
    double F = 0.0;
    double G = 0.0;
    double K = 0.0;
};

/// Takes the adjoint from the end of an interval of length x to its start, where the state is (V, I); s0 is
/// s there. Adds to the gradient of the coefficients, if that is asked for.
inline void pass_back(const LinearNeuron& n, double V, double I, double x, double s0, double mu, Adjoint& at,
                      LinearGradient* gradient) {
    using neurons::detail::ramp_response;
    using neurons::detail::response;
    const double E_b = std::exp(-n.b * x);
    const double E_a = n.has_current ? std::exp(-n.a * x) : 0.0;
    const double k = n.has_current ? response(n.a, n.b, x) : 0.0;
    const double p1 = at.p;
    const double q1 = at.q;
    if (gradient) {
        const double ramp = ramp_response(n.b, 0.0, x);
        gradient->b -= p1 * (x * E_b * V + n.d * ramp);
        gradient->d += p1 * response(n.b, 0.0, x);
        if (n.has_current) {
            gradient->b -= p1 * n.g * I * ramp_response(n.b, n.a, x);
            gradient->a -= p1 * n.g * I * ramp_response(n.a, n.b, x) + q1 * x * E_a * I;
            gradient->g += p1 * I * k;
        }
    }
    at.p = p1 * E_b;
    at.q = q1 * E_a + n.g * p1 * k;
    if (s0 == 0.0) return;

    const PotentialIntegral integral(n, mu, x);
    at.p += s0 * integral.F;
    at.q += n.g * s0 * integral.K;
    if (!gradient) return;
    const double ramp = ramp_response(n.b + mu, 0.0, x);
    double dG_db = 0.0;
    if (mu > 0.0) {
        dG_db = (std::exp(-mu * x) * ramp_response(n.b, 0.0, x) - ramp) / mu;
    } else if (n.b > 0.0) {
        dG_db = (ramp - integral.G) / n.b;
    }
    gradient->b += s0 * (n.d * dG_db - V * ramp);
    gradient->d += s0 * integral.G;
    if (!n.has_current) return;
    const double low = integral.low;
    const double high = integral.high;
    const double dK_dlow = (ramp_response(low, high, x) - ramp_response(low, 0.0, x)) / high;
    const double dK_dhigh = (ramp_response(high, low, x) - integral.K) / high;
    gradient->a += s0 * n.g * I * (n.a < n.b ? dK_dlow : dK_dhigh);
    gradient->b += s0 * n.g * I * (n.a < n.b ? dK_dhigh : dK_dlow);
    gradient->g += s0 * I * integral.K;
}

/// P is one of the models above.
template <class P>
inline constexpr bool is_linear =
    std::is_same_v<P, neurons::If> || std::is_same_v<P, neurons::Lif> || std::is_same_v<P, neurons::IfExp> ||
    std::is_same_v<P, neurons::CubaLif> || std::is_same_v<P, neurons::Integrator> ||
    std::is_same_v<P, neurons::Li> || std::is_same_v<P, neurons::CubaLi>;

namespace detail {

template <class P>
[[nodiscard]] double leak(const P& p) {
    if constexpr (requires { p.tau_m; }) return 1.0 / p.tau_m;
    return 0.0;
}
/// What a constant signal is multiplied with before it acts as a current.
template <class P>
[[nodiscard]] double signal_gain(const P& p) {
    if constexpr (requires { p.w_in; }) return p.w_in;
    return 1.0;
}
template <class P>
[[nodiscard]] double constant_current(const P& p, double x) {
    if constexpr (requires { p.I_e; }) return p.I_e + signal_gain(p) * x;
    return signal_gain(p) * x;
}
template <class P>
[[nodiscard]] double rest(const P& p) {
    if constexpr (requires { p.E_L; }) return p.E_L;
    return 0.0;
}
/// What R and E_L are multiplied with: 1/tau_m, or 1 without a leak.
template <class P>
[[nodiscard]] double membrane_rate(const P& p) {
    return leak(p) > 0.0 ? leak(p) : 1.0;
}

}  // namespace detail

/// x is the constant signal that the neuron receives.
template <class P>
[[nodiscard]] LinearNeuron linear(const P& p, double x) {
    LinearNeuron n;
    n.b = detail::leak(p);
    const double rate = detail::membrane_rate(p);
    n.d = rate * (detail::rest(p) + p.R * detail::constant_current(p, x));
    n.J = p.J;
    n.V_0 = p.V_0;
    if constexpr (requires { p.tau_syn; }) {
        n.has_current = true;
        n.a = 1.0 / p.tau_syn;
        n.g = rate * p.R;
        if constexpr (requires { p.w_in; }) n.I_0 = -p.w_in * x;
    }
    if constexpr (neurons::Spiking<P>) {
        n.V_th = p.V_th;
        n.V_reset = p.V_reset;
    }
    return n;
}

/// f(name, dL/d it) for the parameters of the model.
template <class P, class F>
void each_parameter(const P& p, double x, const LinearNeuron& n, const LinearGradient& at, F&& f) {
    const double rate = detail::membrane_rate(p);
    if constexpr (requires { p.tau_m; }) f("tau_m", -n.b * (n.b * at.b + n.d * at.d + n.g * at.g));
    if constexpr (requires { p.tau_syn; }) f("tau_syn", -n.a * n.a * at.a);
    f("R", rate * (detail::constant_current(p, x) * at.d + (n.has_current ? at.g : 0.0)));
    if constexpr (requires { p.E_L; }) f("E_L", rate * at.d);
    if constexpr (requires { p.I_e; }) f("I_e", rate * p.R * at.d);
    if constexpr (neurons::Spiking<P>) {
        f("V_th", at.V_th);
        f("V_reset", at.V_reset);
    }
    f("V_0", at.V_0);
}

/// dL/dx of the constant signal.
template <class P>
[[nodiscard]] double of_signal(const P& p, const LinearGradient& at) {
    double value = detail::membrane_rate(p) * p.R * at.d * detail::signal_gain(p);
    if constexpr (requires { p.w_in; }) value -= p.w_in * at.I_0;
    return value;
}

}  // namespace saltus::learning
