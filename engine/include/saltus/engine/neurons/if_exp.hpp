// Integrate-and-fire neuron without leak, current-based exponential synapse.   (Mostafa 2017; not in NIR)
//
//   tau_syn dI/dt = -I
//   dV/dt = R (I + I_e + x)          x is the constant signal of biased projections
//   I <- I + J w                     spikes of summed weight w arrive
//   V >= V_th  =>  spike, reset of V; V stands for t_ref while I goes on
//
// With a = 1/tau_syn, g = R I, d = R (I_e + x):
//   I(s) = I e^{-as},   V(s) = V + d s + g k(s),   k(s) = (1 - e^{-as})/a
// V' = d + g e^{-as} has at most one zero, s_p = log(-g/d)/a, so V is two monotone pieces at most: one root
// is sought in the piece that rises.
#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>

#include "saltus/engine/neurons/crossing.hpp"
#include "saltus/engine/neurons/reset.hpp"
#include "saltus/engine/neurons/response.hpp"
#include "saltus/engine/time.hpp"

namespace saltus::neurons {

struct IfExp {
    static constexpr std::string_view name = "IFExp";

    double tau_syn = 5e-3;  // synaptic time constant   [s]
    double R = 1.0;         // slope of the potential   [V per I and second], 1 / C_m
    double V_th = 1.0;      // spike threshold          [V]
    double V_reset = 0.0;   // after a spike            [V]
    Duration t_ref{};       // refractory period
    double I_e = 0.0;       // constant current         [I]
    double J = 1.0;         // jump of I per weight     [I]
    double V_0 = 0.0;       // at the start             [V]
    Reset reset = Reset::to_value;

    struct State {
        double V;
        double I;
    };
    struct Constants {
        double a;      // 1 / tau_syn
        double drive;  // R (I_e + x)
        double slope;  // R
        double J;
    };
};

[[nodiscard]] inline IfExp::Constants constants(const IfExp& p, double x) noexcept {
    return {1.0 / p.tau_syn, p.R * (p.I_e + x), p.R, p.J};
}
[[nodiscard]] inline IfExp::State initial(const IfExp& p, const IfExp::Constants&) noexcept {
    return {p.V_0, 0.0};
}
[[nodiscard]] inline bool stands_still(const IfExp::Constants&) noexcept {
    return false;
}

[[nodiscard]] inline IfExp::State flow(const IfExp::Constants& c, IfExp::State v, double s) noexcept {
    return {v.V + c.drive * s + c.slope * v.I * detail::response(c.a, 0.0, s), v.I * std::exp(-c.a * s)};
}
inline void arrive(const IfExp::Constants& c, IfExp::State& v, double w) noexcept {
    v.I += c.J * w;
}

/// During the refractory period V stands; the current decays and collects.
[[nodiscard]] inline IfExp::State refractory_flow(const IfExp::Constants& c, IfExp::State v,
                                                  double s) noexcept {
    return {v.V, v.I * std::exp(-c.a * s)};
}
inline void refractory_arrive(const IfExp::Constants& c, IfExp::State& v, double w) noexcept {
    v.I += c.J * w;
}

/// Seconds until V reaches V_th without further input; infinity if it does not within `horizon` seconds.
[[nodiscard]] inline double next_crossing(const IfExp::Constants& c, IfExp::State v, double V_th,
                                          double horizon) noexcept {
    using detail::never;
    if (v.V >= V_th) return 0.0;
    const double g = c.slope * v.I;
    if (c.drive <= 0.0 && g <= 0.0) return never;
    if (v.V + (std::max(c.drive, 0.0) + std::max(g, 0.0)) * horizon < V_th) return never;

    const double slope_now = c.drive + g;
    const double ratio = -g / c.drive;
    const double extremum = ratio > 1.0 ? std::log(ratio) / c.a : never;
    const bool rises_first = slope_now > 0.0;
    if (!rises_first && extremum == never) return never;
    const double low = rises_first ? 0.0 : extremum;
    const double high = rises_first ? std::min(extremum, horizon) : horizon;
    if (low >= high || flow(c, v, high).V < V_th) return never;

    const auto excess = [&](double s) {
        const IfExp::State at = flow(c, v, s);
        const double current = c.slope * at.I;
        return detail::Jet{at.V - V_th, c.drive + current, -c.a * current};
    };
    return detail::rising_zero(excess, low, high, high == extremum ? high : low);
}

}  // namespace saltus::neurons
