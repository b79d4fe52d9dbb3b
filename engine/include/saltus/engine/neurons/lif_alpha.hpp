// Leaky integrate-and-fire neuron, current-based alpha synapses with a time constant for excitation and one
// for inhibition.                                                             NEST: iaf_psc_alpha_ps
//
//   current s seconds after an arrival of weight w:  J w (e / tau_syn) s e^{-s/tau_syn}, peak J w at tau_syn
//   tau_m dV/dt = (E_L - V) + R (I_ex + I_in + I_e + x)         x is the constant signal of biased
//   projections weights >= 0 act with tau_syn_ex, weights < 0 with tau_syn_in V >= V_th  =>  spike, reset of
//   V; V stands for t_ref while the currents go on
//
// R = tau_m / C_m. The state of a synapse is its current I and the ramp y that arrivals raise:
//   I(s) = (I + y s) e^{-as},   y(s) = y e^{-as},   an arrival adds J w e a to y,   a = 1/tau_syn
// Closed form with E = E_L + R (I_e + x), b = 1/tau_m and k, m of response.hpp (Rotter & Diesmann 1999):
//   V(s) = V - (E - V) expm1(-bs) + b R sum over both of (I k(s) + y m(s))
// Crossings: crossing.hpp. The slope of the currents, two terms (p + q s) e^{-as}, has three zeros at most.
// Most calls end at one of two proofs of silence, the sums over what is positive:
//   window  V <= V_0 + h max(0, b (E - V_0) + b R sum (I + y min(h, 1/(e a))))
//   peaks   V <= max(V_0, E) + b R sum (I k_max + y m_max)
// Inhibition that is not faster than excitation is counted as so much less excitation, which it exceeds.
#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>

#include "saltus/engine/neurons/crossing.hpp"
#include "saltus/engine/neurons/reset.hpp"
#include "saltus/engine/neurons/response.hpp"
#include "saltus/engine/neurons/signed_sum.hpp"
#include "saltus/engine/time.hpp"

namespace saltus::neurons {

struct LifAlpha {
    static constexpr std::string_view name = "LIFAlpha";
    static constexpr bool separates_signs = true;

    double tau_m = 10e-3;      // membrane time constant                  [s]
    double tau_syn_ex = 2e-3;  // time to the peak of excitatory synapses [s]
    double tau_syn_in = 2e-3;  // time to the peak of inhibitory synapses [s]
    double R = 1.0;            // membrane resistance                     [V per I]
    double E_L = 0.0;          // resting potential                       [V]
    double V_th = 1.0;         // spike threshold                         [V]
    double V_reset = 0.0;      // after a spike                           [V]
    Duration t_ref{};          // refractory period
    double I_e = 0.0;          // constant current                        [I]
    double J = 1.0;            // peak of the current per weight          [I]
    double V_0 = 0.0;          // at the start                            [V]
    Reset reset = Reset::to_value;

    struct Synapse {
        double I;  // current                        [I]
        double y;  // what it rises by, undecayed    [I per s]
    };
    struct State {
        double V;
        Synapse ex;
        Synapse in;
    };
    struct SynapseConstants {
        double a;          // 1 / tau_syn
        double jump;       // of y per weight: J e a
        double ramp;       // largest s e^{-as}
        double peak;       // largest response of V to a current of 1
        double ramp_peak;  // largest response of V to a ramp of 1
    };
    struct Constants {
        SynapseConstants ex;
        SynapseConstants in;
        double b;  // 1 / tau_m
        double E;
        double slope;  // b R
    };
};

namespace detail {

[[nodiscard]] inline LifAlpha::SynapseConstants alpha_constants(double tau_syn, double tau_m,
                                                                double J) noexcept {
    const double a = 1.0 / tau_syn;
    const double b = 1.0 / tau_m;
    return {a, J * std::exp(1.0) * a, rounded_up * std::exp(-1.0) * tau_syn, largest_response(a, b),
            largest_ramp_response(a, b)};
}
[[nodiscard]] inline LifAlpha::Synapse decayed(LifAlpha::Synapse v, double a, double s) noexcept {
    const double decay = std::exp(-a * s);
    return {(v.I + v.y * s) * decay, v.y * decay};
}
/// dI/dt
[[nodiscard]] inline double slope_of(LifAlpha::Synapse v, double a) noexcept {
    return v.y - a * v.I;
}
[[nodiscard]] inline double driven(LifAlpha::Synapse v, double a, double b, double s) noexcept {
    return v.I * response(a, b, s) + v.y * ramp_response(a, b, s);
}

}  // namespace detail

[[nodiscard]] inline LifAlpha::Constants constants(const LifAlpha& p, double x) noexcept {
    return {detail::alpha_constants(p.tau_syn_ex, p.tau_m, p.J),
            detail::alpha_constants(p.tau_syn_in, p.tau_m, p.J), 1.0 / p.tau_m, p.E_L + p.R * (p.I_e + x),
            p.R / p.tau_m};
}
[[nodiscard]] inline LifAlpha::State initial(const LifAlpha& p, const LifAlpha::Constants&) noexcept {
    return {p.V_0, {0.0, 0.0}, {0.0, 0.0}};
}
[[nodiscard]] inline bool stands_still(const LifAlpha::Constants&) noexcept {
    return false;
}

/// During the refractory period V stands; the currents go on and collect.
[[nodiscard]] inline LifAlpha::State refractory_flow(const LifAlpha::Constants& c, LifAlpha::State v,
                                                     double s) noexcept {
    return {v.V, detail::decayed(v.ex, c.ex.a, s), detail::decayed(v.in, c.in.a, s)};
}
[[nodiscard]] inline LifAlpha::State flow(const LifAlpha::Constants& c, LifAlpha::State v,
                                          double s) noexcept {
    LifAlpha::State at = refractory_flow(c, v, s);
    const double driven = detail::driven(v.ex, c.ex.a, c.b, s) + detail::driven(v.in, c.in.a, c.b, s);
    at.V += c.slope * driven - (c.E - v.V) * std::expm1(-c.b * s);
    return at;
}

inline void arrive(const LifAlpha::Constants& c, LifAlpha::State& v, SignedSum w) noexcept {
    v.ex.y += c.ex.jump * w.ex;
    v.in.y += c.in.jump * w.in;
}
inline void refractory_arrive(const LifAlpha::Constants& c, LifAlpha::State& v, SignedSum w) noexcept {
    arrive(c, v, w);
}

namespace detail {

/// True only if V stays below V_th up to the horizon; V < V_th at first.
[[nodiscard]] inline bool surely_silent(const LifAlpha::Constants& c, LifAlpha::State v, double V_th,
                                        double horizon) noexcept {
    LifAlpha::Synapse ex{c.slope * v.ex.I, c.slope * v.ex.y};
    const LifAlpha::Synapse in{c.slope * v.in.I, c.slope * v.in.y};
    if (c.in.a <= c.ex.a) {
        ex.I += std::min(in.I, 0.0);
        ex.y += std::min(in.y, 0.0);
    }
    const auto positive = [](double x) { return std::max(x, 0.0); };
    const auto largest = [&](LifAlpha::Synapse g, const LifAlpha::SynapseConstants& k) {
        return positive(g.I) + positive(g.y) * std::min(horizon, k.ramp);
    };
    const double climb = c.b * (c.E - v.V) + largest(ex, c.ex) + largest(in, c.in);
    if (v.V + positive(climb) * horizon < V_th) return true;
    const auto peak = [&](LifAlpha::Synapse g, const LifAlpha::SynapseConstants& k) {
        return positive(g.I) * k.peak + positive(g.y) * k.ramp_peak;
    };
    return std::max(v.V, c.E) + peak(ex, c.ex) + peak(in, c.in) < V_th;
}

/// Where the slope of the sum of two alpha currents is zero. With `slow` the slower of the two, it is
/// e^{-a s} (P(s) + Q(s) e^{-ds}), P and Q linear; its second derivative, without e^{-as}, has one zero.
[[nodiscard]] inline Cuts<3> turns_of_currents(LifAlpha::Synapse slow, double a_slow, LifAlpha::Synapse fast,
                                               double a_fast, double horizon) noexcept {
    const double d = a_fast - a_slow;
    const double p = slope_of(slow, a_slow), dp = -a_slow * slow.y;
    const double q = slope_of(fast, a_fast), dq = -a_fast * fast.y;
    Cuts<1> bends;
    bends.add(2.0 / d - q / dq, horizon);
    const auto second = [&](double s) {
        const double decay = std::exp(-d * s);
        const double Q = q + dq * s;
        return Jet{dp + (dq - d * Q) * decay, (d * Q - 2.0 * dq) * d * decay};
    };
    const auto first = [&](double s) {
        const double decay = std::exp(-d * s);
        const double Q = q + dq * s;
        return Jet{p + dp * s + Q * decay, dp + (dq - d * Q) * decay};
    };
    return zeros(first, zeros(second, bends, horizon), horizon);
}

}  // namespace detail

/// Seconds until V reaches V_th without further input; infinity if it does not within `horizon` seconds.
[[nodiscard]] inline double next_crossing(const LifAlpha::Constants& c, LifAlpha::State v, double V_th,
                                          double horizon) noexcept {
    if (v.V >= V_th) return 0.0;
    if (detail::surely_silent(c, v, V_th, horizon)) return detail::never;

    const double slowest = std::min({c.ex.a, c.in.a, c.b});
    horizon = detail::before_all_is_decayed(horizon, slowest);
    const auto excess = [&](double s) {
        const LifAlpha::State at = flow(c, v, s);
        const double slope = c.b * (c.E - at.V) + c.slope * (at.ex.I + at.in.I);
        const double turn = c.slope * (detail::slope_of(at.ex, c.ex.a) + detail::slope_of(at.in, c.in.a));
        return detail::Jet{at.V - V_th, slope, turn - c.b * slope};
    };
    // V' e^{slowest s}: neither grows nor is lost in the rounding of V, however late.
    const auto slope = [&](double s) {
        const double membrane = c.b * (c.E - v.V) * std::exp((slowest - c.b) * s);
        const auto part = [&](LifAlpha::Synapse g, double a) {
            const double decay = std::exp((slowest - a) * s);
            const double common = s * std::exp((slowest - std::min(a, c.b)) * s);
            const double x = std::abs(a - c.b) * s;
            const double k = common * detail::psi(x);
            const double m = common * s * detail::chi(x, a > c.b);
            return detail::Jet{g.I * (decay - c.b * k) + g.y * (s * decay - c.b * m),
                               (detail::slope_of(g, a) - a * g.y * s) * decay};
        };
        const detail::Jet ex = part(v.ex, c.ex.a);
        const detail::Jet in = part(v.in, c.in.a);
        const double D = membrane + c.slope * (ex.f + in.f);
        return detail::Jet{D, (slowest - c.b) * D + c.slope * (ex.df + in.df)};
    };
    const auto turns = c.ex.a <= c.in.a ? detail::turns_of_currents(v.ex, c.ex.a, v.in, c.in.a, horizon)
                                        : detail::turns_of_currents(v.in, c.in.a, v.ex, c.ex.a, horizon);
    return detail::first_crossing(excess, slope, turns, horizon);
}

}  // namespace saltus::neurons
