// Integrate-and-fire neuron without leak, delta synapses.                              NIR: IF
//
//   dV/dt = R (I_e + x)          between events; x is the constant signal of biased projections
//   V <- V + J w                 spikes of summed weight w arrive
//   V >= V_th  =>  spike, reset, and no integration for t_ref
//
// Closed form:  V(s) = V + R (I_e + x) s,   s_th = (V_th - V) / (R (I_e + x))  if that is positive.
#pragma once

#include <limits>
#include <string_view>

#include "saltus/engine/neurons/reset.hpp"
#include "saltus/engine/time.hpp"

namespace saltus::neurons {

struct If {
    static constexpr std::string_view name = "IF";

    double R = 1.0;        // slope of the potential   [V per I and second], 1 / C_m
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
        double slope;
        double J;
    };
};

[[nodiscard]] inline If::Constants constants(const If& p, double x) noexcept {
    return {p.R * (p.I_e + x), p.J};
}
[[nodiscard]] inline If::State initial(const If& p, const If::Constants&) noexcept {
    return {p.V_0};
}

/// True where the state stays as it is between arrivals, whatever its value.
[[nodiscard]] inline bool stands_still(const If::Constants& c) noexcept {
    return c.slope == 0.0;
}

[[nodiscard]] inline If::State flow(const If::Constants& c, If::State v, double s) noexcept {
    return {v.V + c.slope * s};
}
inline void arrive(const If::Constants& c, If::State& v, double w) noexcept {
    v.V += c.J * w;
}

/// During the refractory period the membrane stands and what arrives is lost.
[[nodiscard]] inline If::State refractory_flow(const If::Constants&, If::State v, double) noexcept {
    return v;
}
inline void refractory_arrive(const If::Constants&, If::State&, double) noexcept {}

/// Seconds until V reaches V_th without further input; infinity if it does not within `horizon` seconds.
[[nodiscard]] inline double next_crossing(const If::Constants& c, If::State v, double V_th,
                                          double horizon) noexcept {
    if (v.V >= V_th) return 0.0;
    const double s = c.slope > 0.0 ? (V_th - v.V) / c.slope : std::numeric_limits<double>::infinity();
    return s <= horizon ? s : std::numeric_limits<double>::infinity();
}

}  // namespace saltus::neurons
