// Leaky integrate-and-fire neuron, delta synapses.                  NIR: LIF    NEST: iaf_psc_delta_ps
//
//   tau_m dV/dt = (E_L - V) + R (I_e + x)     between events; x is the constant signal of biased projections
//   V <- V + J w                              spikes of summed weight w arrive
//   V >= V_th  =>  spike, reset, and no integration for t_ref
//
// Closed form with E = E_L + R (I_e + x)  (Rotter & Diesmann 1999):
//   V(s) = V - (E - V) expm1(-s/tau_m)
//   s_th = tau_m log1p((V_th - V) / (E - V_th))   only if E > V_th
// expm1 and log1p keep all digits for small s and for E far above V_th.
#pragma once

#include <cmath>
#include <limits>
#include <string_view>

#include "saltus/engine/neurons/reset.hpp"
#include "saltus/engine/time.hpp"

namespace saltus::neurons {

struct Lif {
    static constexpr std::string_view name = "LIF";

    double tau_m = 10e-3;  // membrane time constant   [s]
    double R = 1.0;        // membrane resistance      [V per I]
    double E_L = 0.0;      // resting potential        [V]
    double V_th = 1.0;     // spike threshold          [V]
    double V_reset = 0.0;  // after a spike            [V]
    Duration t_ref{};      // refractory period
    double I_e = 0.0;      // constant current         [I]
    double J = 1.0;        // jump of V per weight     [V]
    double V_0 = 0.0;      // at the start             [V]
    Reset reset = Reset::to_value;

    struct State {
        double V;
    };
    struct Constants {
        double tau_m;
        double E;
        double J;
    };
};

[[nodiscard]] inline Lif::Constants constants(const Lif& p, double x) noexcept {
    return {p.tau_m, p.E_L + p.R * (p.I_e + x), p.J};
}
[[nodiscard]] inline Lif::State initial(const Lif& p, const Lif::Constants&) noexcept {
    return {p.V_0};
}
[[nodiscard]] inline bool stands_still(const Lif::Constants&) noexcept {
    return false;
}

[[nodiscard]] inline Lif::State flow(const Lif::Constants& c, Lif::State v, double s) noexcept {
    return {v.V - (c.E - v.V) * std::expm1(-s / c.tau_m)};
}
inline void arrive(const Lif::Constants& c, Lif::State& v, double w) noexcept {
    v.V += c.J * w;
}

/// During the refractory period the membrane stands and what arrives is lost.
[[nodiscard]] inline Lif::State refractory_flow(const Lif::Constants&, Lif::State v, double) noexcept {
    return v;
}
inline void refractory_arrive(const Lif::Constants&, Lif::State&, double) noexcept {}

/// Seconds until V reaches V_th without further input; infinity if it does not within `horizon` seconds.
[[nodiscard]] inline double next_crossing(const Lif::Constants& c, Lif::State v, double V_th,
                                          double horizon) noexcept {
    if (v.V >= V_th) return 0.0;
    if (c.E <= V_th) return std::numeric_limits<double>::infinity();
    const double s = c.tau_m * std::log1p((V_th - v.V) / (c.E - V_th));
    return s <= horizon ? s : std::numeric_limits<double>::infinity();
}

}  // namespace saltus::neurons
