// Quadratic integrate-and-fire neuron, delta synapses, V without unit.
//
//   tau_m dV/dt = V^2 + I          between events; I = I_e + x, x is the constant signal of biased
//   projections V <- V + J w                   spikes of summed weight w arrive V >= V_th  =>  spike, V <-
//   V_reset, and no integration for t_ref
//
// Closed form with r = sqrt |I|:
//   V(s) = (V + I u) / (1 - V u),   u = tan(r s/tau_m)/r, s/tau_m, tanh(r s/tau_m)/r   for I > 0, = 0, < 0
//   s_th = (tau_m/r) atan2(r (V_th - V), I + V V_th)                                   I > 0
//          tau_m (V_th - V) / (V V_th)              if V and V_th have the same sign   I = 0
//          (tau_m/2r) log1p(2r (V_th - V) / ((V_th + r) (V - r)))  V > r or V_th < -r  I < 0
// For I < 0 the neuron rests at -r and fires by itself only from beyond r. Where tanh has lost its distance
// to 1, on which the escape from r hangs, the form with e = exp(-2 r s/tau_m) is used:
//   V(s) = r ((V - r) + e (V + r)) / ((r - V) + e (V + r))
// (Latham et al. 2000; Ermentrout & Kopell 1986.)
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "saltus/engine/neurons/reset.hpp"
#include "saltus/engine/time.hpp"

namespace saltus::neurons {

struct Qif {
    static constexpr std::string_view name = "QIF";
    static constexpr Reset reset = Reset::to_value;

    double tau_m = 10e-3;     // time constant         [s]
    double V_th = 100.0;      // spike threshold
    double V_reset = -100.0;  // after a spike
    Duration t_ref{};         // refractory period
    double I_e = 0.0;         // constant current
    double J = 1.0;           // jump of V per weight
    double V_0 = 0.0;         // at the start

    struct State {
        double V;
    };
    struct Constants {
        double tau_m;
        double I;
        double r;  // sqrt |I|
        double J;
    };
};

[[nodiscard]] inline Qif::Constants constants(const Qif& p, double x) noexcept {
    const double I = p.I_e + x;
    return {p.tau_m, I, std::sqrt(std::abs(I)), p.J};
}
[[nodiscard]] inline Qif::State initial(const Qif& p, const Qif::Constants&) noexcept {
    return {p.V_0};
}
[[nodiscard]] inline bool stands_still(const Qif::Constants&) noexcept {
    return false;
}

/// Holds until V has gone to infinity, which is after it has crossed any threshold.
[[nodiscard]] inline Qif::State flow(const Qif::Constants& c, Qif::State v, double s) noexcept {
    const double x = c.r * (s / c.tau_m);
    double u = s / c.tau_m;
    if (c.I > 0.0) {
        u = std::tan(x) / c.r;
    } else if (c.I < 0.0) {
        if (x > 0.5) {
            const double away =
                std::max(std::exp(-2.0 * x), std::numeric_limits<double>::min()) * (v.V + c.r);
            return {c.r * ((v.V - c.r) + away) / ((c.r - v.V) + away)};
        }
        u = std::tanh(x) / c.r;
    }
    return {(v.V + c.I * u) / (1.0 - v.V * u)};
}
inline void arrive(const Qif::Constants& c, Qif::State& v, double w) noexcept {
    v.V += c.J * w;
}

/// During the refractory period the membrane stands and what arrives is lost.
[[nodiscard]] inline Qif::State refractory_flow(const Qif::Constants&, Qif::State v, double) noexcept {
    return v;
}
inline void refractory_arrive(const Qif::Constants&, Qif::State&, double) noexcept {}

/// Seconds until V reaches V_th without further input; infinity if it does not within `horizon` seconds.
[[nodiscard]] inline double next_crossing(const Qif::Constants& c, Qif::State v, double V_th,
                                          double horizon) noexcept {
    constexpr double never = std::numeric_limits<double>::infinity();
    if (v.V >= V_th) return 0.0;
    double s = never;
    if (c.I > 0.0) {
        s = c.tau_m / c.r * std::atan2(c.r * (V_th - v.V), c.I + v.V * V_th);
    } else if (c.I == 0.0) {
        if (v.V * V_th > 0.0) s = c.tau_m * (V_th - v.V) / (v.V * V_th);
    } else if (v.V > c.r || V_th < -c.r) {
        const double ratio = 2.0 * c.r * (V_th - v.V) / ((V_th + c.r) * (v.V - c.r));
        s = c.tau_m / (2.0 * c.r) * std::log1p(ratio);
    }
    return s <= horizon ? s : never;
}

}  // namespace saltus::neurons
