// Leaky integrate-and-fire neuron, delta synapses, adaptive threshold.
//
//   tau_m  dV/dt = (E_L - V) + R (I_e + x)     between events; x is the constant signal of biased projections
//   th_tau dh/dt = -h                          also during the refractory period
//   V <- V + J w                               spikes of summed weight w arrive
//   V >= V_th + h  =>  spike, V <- V_reset, h <- h + th_jump, and no integration of V for t_ref
//
// Closed form with E = E_L + R (I_e + x), b = 1/tau_m, c = 1/th_tau:
//   V(s) = V - (E - V) expm1(-bs),   h(s) = h e^{-cs}
// Crossings: crossing.hpp. The excess V - V_th - h has two exponentials and turns once at most. Most calls
// end at one of two proofs of silence:
//   window  V - V_th - h <= V_0 - V_th - h_0 + s (b max(0, E - V_0) + c h_0)
//   peak    V <= max(V_0, E)
#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>

#include "saltus/engine/neurons/crossing.hpp"
#include "saltus/engine/neurons/reset.hpp"
#include "saltus/engine/time.hpp"

namespace saltus::neurons {

struct LifAdaptive {
    static constexpr std::string_view name = "LIFAdaptive";
    static constexpr Reset reset = Reset::to_value;

    double tau_m = 10e-3;   // membrane time constant          [s]
    double R = 1.0;         // membrane resistance             [V per I]
    double E_L = 0.0;       // resting potential               [V]
    double V_th = 1.0;      // spike threshold at rest         [V]
    double th_jump = 0.0;   // rise of the threshold, >= 0     [V]
    double th_tau = 50e-3;  // time constant of its return     [s]
    double V_reset = 0.0;   // after a spike                   [V]
    Duration t_ref{};       // refractory period
    double I_e = 0.0;       // constant current                [I]
    double J = 1.0;         // jump of V per weight            [V]
    double V_0 = 0.0;       // at the start                    [V]

    struct State {
        double V;
        double h;  // threshold above V_th
    };
    struct Constants {
        double b;  // 1 / tau_m
        double c;  // 1 / th_tau
        double E;
        double J;
    };
};

[[nodiscard]] inline LifAdaptive::Constants constants(const LifAdaptive& p, double x) noexcept {
    return {1.0 / p.tau_m, 1.0 / p.th_tau, p.E_L + p.R * (p.I_e + x), p.J};
}
[[nodiscard]] inline LifAdaptive::State initial(const LifAdaptive& p,
                                                const LifAdaptive::Constants&) noexcept {
    return {p.V_0, 0.0};
}
[[nodiscard]] inline bool stands_still(const LifAdaptive::Constants&) noexcept {
    return false;
}

[[nodiscard]] inline double threshold(const LifAdaptive& p, const LifAdaptive::State& v) noexcept {
    return p.V_th + v.h;
}
inline void adapt(const LifAdaptive& p, LifAdaptive::State& v) noexcept {
    v.h += p.th_jump;
}

[[nodiscard]] inline LifAdaptive::State flow(const LifAdaptive::Constants& c, LifAdaptive::State v,
                                             double s) noexcept {
    return {v.V - (c.E - v.V) * std::expm1(-c.b * s), v.h * std::exp(-c.c * s)};
}
inline void arrive(const LifAdaptive::Constants& c, LifAdaptive::State& v, double w) noexcept {
    v.V += c.J * w;
}

/// During the refractory period the membrane stands and what arrives is lost; the threshold goes on.
[[nodiscard]] inline LifAdaptive::State refractory_flow(const LifAdaptive::Constants& c, LifAdaptive::State v,
                                                        double s) noexcept {
    return {v.V, v.h * std::exp(-c.c * s)};
}
inline void refractory_arrive(const LifAdaptive::Constants&, LifAdaptive::State&, double) noexcept {}

/// Seconds until V reaches V_th + h without further input; infinity if it does not within `horizon` seconds.
[[nodiscard]] inline double next_crossing(const LifAdaptive::Constants& c, LifAdaptive::State v, double V_th,
                                          double horizon) noexcept {
    if (v.V >= V_th + v.h) return 0.0;
    if (std::max(v.V, c.E) <= V_th) return detail::never;
    const double climb = c.b * std::max(0.0, c.E - v.V) + c.c * v.h;
    if (v.V - V_th - v.h + climb * horizon < 0.0) return detail::never;

    const double slowest = std::min(c.b, c.c);
    horizon = detail::before_all_is_decayed(horizon, slowest);
    const auto excess = [&](double s) {
        const LifAdaptive::State at = flow(c, v, s);
        const double dV = c.b * (c.E - at.V);
        const double dh = -c.c * at.h;
        return detail::Jet{at.V - V_th - at.h, dV - dh, c.c * dh - c.b * dV};
    };
    // Its derivative times e^{slowest s}, which is not lost in the rounding of V, however late.
    const auto slope = [&](double s) {
        const double dV = c.b * (c.E - v.V) * std::exp((slowest - c.b) * s);
        const double dh = -c.c * v.h * std::exp((slowest - c.c) * s);
        return detail::Jet{dV - dh, (slowest - c.b) * dV - (slowest - c.c) * dh};
    };
    return detail::first_crossing(excess, slope, detail::Cuts<0>(), horizon);
}

}  // namespace saltus::neurons
