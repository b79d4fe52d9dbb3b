// Integrate-and-fire neuron that first listens and then fires on a ramp: from t_min on, and before t_max.
// Times are those since the start of the run.
//
//   V' = R (I + I_e + x)  t < t_min           I <- I + J w: spikes of summed weight w arrive
//   V' = slope            t_min <= t < t_max  V >= V_th: spike, reset, and no integration for t_ref
//   V' = 0                t_max <= t
//
// Whatever V is, no spike comes before t_min, and none at t_max or later. A spike at a brings R J w (t_min -
// a) to V(t_min); a neuron that fires once does so at
//   t = t_min + max(0, V_th - V(t_min)) / slope,   dt/dw = -R J (t_min - a) / slope,   dt/da = R J w / slope,
// so that the times of a layer are rectified linear functions of those of the layer before (Rueckauer & Liu
// 2018; Stanojevic et al. 2024).
#pragma once

#include <algorithm>
#include <limits>
#include <string_view>

#include "saltus/engine/neurons/reset.hpp"
#include "saltus/engine/time.hpp"

namespace saltus::neurons {

struct RampIf {
    static constexpr std::string_view name = "RampIF";
    static constexpr Reset reset = Reset::to_value;

    double t_min = 20e-3;  // the ramp begins       [s]
    double t_max = 40e-3;  // and ends              [s]
    double slope = 50.0;   // of the ramp           [V/s]
    double R = 1.0;        // slope of the potential before it [V per I and second], 1 / C_m
    double V_th = 1.0;     // spike threshold       [V]
    double V_reset = 0.0;  // after a spike         [V]
    Duration t_ref{};      // refractory period
    double I_e = 0.0;      // constant current      [I]
    double J = 1.0;        // jump of I per weight  [I]
    double V_0 = 0.0;      // at the start          [V]

    struct State {
        double V;
        double I;
        double t;  // [s] since the start
    };
    struct Constants {
        double t_min;
        double t_max;
        double slope;
        double R;
        double drive;
        double J;
    };
};

[[nodiscard]] inline RampIf::Constants constants(const RampIf& p, double x) noexcept {
    return {p.t_min, p.t_max, p.slope, p.R, p.I_e + x, p.J};
}
[[nodiscard]] inline RampIf::State initial(const RampIf& p, const RampIf::Constants&) noexcept {
    return {p.V_0, 0.0, 0.0};
}
[[nodiscard]] inline bool stands_still(const RampIf::Constants&) noexcept {
    return false;
}

[[nodiscard]] inline RampIf::State flow(const RampIf::Constants& c, RampIf::State v, double s) noexcept {
    const double end = v.t + s;
    if (v.t < c.t_min) v.V += c.R * (v.I + c.drive) * (std::min(end, c.t_min) - v.t);
    if (end > c.t_min) v.V += c.slope * std::max(0.0, std::min(end, c.t_max) - std::max(v.t, c.t_min));
    v.t = end;
    return v;
}
inline void arrive(const RampIf::Constants& c, RampIf::State& v, double w) noexcept {
    v.I += c.J * w;
}

/// During the refractory period the membrane stands; the current goes on.
[[nodiscard]] inline RampIf::State refractory_flow(const RampIf::Constants&, RampIf::State v,
                                                   double s) noexcept {
    v.t += s;
    return v;
}
inline void refractory_arrive(const RampIf::Constants& c, RampIf::State& v, double w) noexcept {
    v.I += c.J * w;
}

/// What V must reach now: nothing makes the neuron fire outside its ramp.
[[nodiscard]] inline double threshold(const RampIf& p, const RampIf::State& v) noexcept {
    const bool fires = v.t >= p.t_min && v.t < p.t_max;
    return fires ? p.V_th : std::numeric_limits<double>::infinity();
}

/// Seconds until V reaches V_th without further input; infinity if it does not within `horizon` seconds.
[[nodiscard]] inline double next_crossing(const RampIf::Constants& c, RampIf::State v, double V_th,
                                          double horizon) noexcept {
    constexpr double never = std::numeric_limits<double>::infinity();
    const double wait = std::max(0.0, c.t_min - v.t);
    if (wait > horizon || v.t >= c.t_max) return never;
    v.V += c.R * (v.I + c.drive) * wait;
    const double s = v.V >= V_th ? wait : wait + (V_th - v.V) / c.slope;
    return s <= horizon && v.t + s < c.t_max ? s : never;
}

}  // namespace saltus::neurons
