// Leaky integrate-and-fire neuron, current-based exponential synapses with a time constant for excitation
// and one for inhibition.                                                       NEST: iaf_psc_exp_ps
//
//   tau_syn_ex dI_ex/dt = -I_ex,   tau_syn_in dI_in/dt = -I_in
//   tau_m      dV/dt    = (E_L - V) + R (I_ex + I_in + I_e + x)    x is the constant signal of biased
//   projections I_ex <- I_ex + J w_ex,   I_in <- I_in + J w_in                 summed weights >= 0 and < 0
//   arrive V >= V_th  =>  spike, reset of V; V stands for t_ref while the currents go on
//
// R = tau_m / C_m. Closed form with E = E_L + R (I_e + x), b = 1/tau_m, a_x = 1/tau_syn_x, g_x = b R I_x and
// k of response.hpp:
//   I_x(s) = I_x e^{-a_x s},   V(s) = V - (E - V) expm1(-bs) + g_ex k_ex(s) + g_in k_in(s)
// Crossings: crossing.hpp. G = g_ex e^{-a_ex s} + g_in e^{-a_in s} turns at most once, in closed form. Most
// calls end at one of three proofs of silence:
//   window        V <= V_0 + h max(0, b (E - V_0) + sum of the positive g)
//   peaks         V <= max(V_0, E) + sum of the positive g k_max
//   partial sums  ordered by rate, the coefficients of V - V_th add up to nothing positive (Laguerre)
// Inhibition that is not faster than excitation is less than -|g_in| e^{-a_ex s} at any time: the first two
// count it as so much less excitation.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "saltus/engine/neurons/crossing.hpp"
#include "saltus/engine/neurons/reset.hpp"
#include "saltus/engine/neurons/response.hpp"
#include "saltus/engine/neurons/signed_sum.hpp"
#include "saltus/engine/time.hpp"

namespace saltus::neurons {

struct LifExp2 {
    static constexpr std::string_view name = "LIFExp2";
    static constexpr bool separates_signs = true;

    double tau_m = 10e-3;      // membrane time constant                  [s]
    double tau_syn_ex = 5e-3;  // time constant of excitatory synapses    [s]
    double tau_syn_in = 5e-3;  // time constant of inhibitory synapses    [s]
    double R = 1.0;            // membrane resistance                     [V per I]
    double E_L = 0.0;          // resting potential                       [V]
    double V_th = 1.0;         // spike threshold                         [V]
    double V_reset = 0.0;      // after a spike                           [V]
    Duration t_ref{};          // refractory period
    double I_e = 0.0;          // constant current                        [I]
    double J = 1.0;            // jump of a current per weight            [I]
    double V_0 = 0.0;          // at the start                            [V]
    Reset reset = Reset::to_value;

    struct State {
        double V;
        double I_ex;
        double I_in;
    };
    struct Constants {
        double a_ex;  // 1 / tau_syn_ex
        double a_in;  // 1 / tau_syn_in
        double b;     // 1 / tau_m
        double E;
        double slope;  // b R
        double J;
        double peak_ex;  // largest response of V to a current of 1
        double peak_in;
        std::array<int, 3> order;  // of the rates b, a_ex, a_in, rising
        bool distinct;             // tau_m differs enough from the others to divide by the difference
    };
};

[[nodiscard]] inline LifExp2::Constants constants(const LifExp2& p, double x) noexcept {
    const double a_ex = 1.0 / p.tau_syn_ex;
    const double a_in = 1.0 / p.tau_syn_in;
    const double b = 1.0 / p.tau_m;
    const double slope = p.R / p.tau_m;
    const std::array<double, 3> rate{b, a_ex, a_in};
    std::array<int, 3> order{0, 1, 2};
    std::sort(order.begin(), order.end(), [&](int i, int j) {
        return rate[static_cast<std::size_t>(i)] < rate[static_cast<std::size_t>(j)];
    });
    const bool distinct = std::min(std::abs(a_ex - b), std::abs(a_in - b)) > 0.01 * b;
    return {.a_ex = a_ex,
            .a_in = a_in,
            .b = b,
            .E = p.E_L + p.R * (p.I_e + x),
            .slope = slope,
            .J = p.J,
            .peak_ex = detail::largest_response(a_ex, b),
            .peak_in = detail::largest_response(a_in, b),
            .order = order,
            .distinct = distinct};
}
[[nodiscard]] inline LifExp2::State initial(const LifExp2& p, const LifExp2::Constants&) noexcept {
    return {p.V_0, 0.0, 0.0};
}
[[nodiscard]] inline bool stands_still(const LifExp2::Constants&) noexcept {
    return false;
}

/// During the refractory period V stands; the currents decay and collect.
[[nodiscard]] inline LifExp2::State refractory_flow(const LifExp2::Constants& c, LifExp2::State v,
                                                    double s) noexcept {
    return {v.V, v.I_ex * std::exp(-c.a_ex * s), v.I_in * std::exp(-c.a_in * s)};
}
[[nodiscard]] inline LifExp2::State flow(const LifExp2::Constants& c, LifExp2::State v, double s) noexcept {
    LifExp2::State at = refractory_flow(c, v, s);
    const double driven =
        v.I_ex * detail::response(c.a_ex, c.b, s) + v.I_in * detail::response(c.a_in, c.b, s);
    at.V += c.slope * driven - (c.E - v.V) * std::expm1(-c.b * s);
    return at;
}

inline void arrive(const LifExp2::Constants& c, LifExp2::State& v, SignedSum w) noexcept {
    v.I_ex += c.J * w.ex;
    v.I_in += c.J * w.in;
}
inline void refractory_arrive(const LifExp2::Constants& c, LifExp2::State& v, SignedSum w) noexcept {
    arrive(c, v, w);
}

namespace detail {

/// True only if V stays below V_th up to the horizon; V < V_th at first.
[[nodiscard]] inline bool surely_silent(const LifExp2::Constants& c, LifExp2::State v, double V_th,
                                        double horizon) noexcept {
    const double g_ex = c.slope * v.I_ex;
    const double g_in = c.slope * v.I_in;
    const bool covered = g_in < 0.0 && c.a_in <= c.a_ex;  // inhibition that lasts at least as long
    const double up_ex = std::max(covered ? g_ex + g_in : g_ex, 0.0);
    const double up_in = std::max(g_in, 0.0);
    const double climb = std::max(0.0, c.b * (c.E - v.V) + up_ex + up_in);
    if (v.V + climb * horizon < V_th) return true;
    if (c.E > V_th) return false;
    if (std::max(v.V, c.E) + up_ex * c.peak_ex + up_in * c.peak_in < V_th) return true;
    if (!c.distinct) return false;
    const double A_ex = g_ex / (c.b - c.a_ex);
    const double A_in = g_in / (c.b - c.a_in);
    const std::array<double, 3> coefficient{v.V - c.E - A_ex - A_in, A_ex, A_in};
    double sum = c.E - V_th;
    double largest = sum;
    for (const int i : c.order) {
        sum += coefficient[static_cast<std::size_t>(i)];
        largest = std::max(largest, sum);
    }
    return largest <= 0.0;
}

}  // namespace detail

/// Seconds until V reaches V_th without further input; infinity if it does not within `horizon` seconds.
[[nodiscard]] inline double next_crossing(const LifExp2::Constants& c, LifExp2::State v, double V_th,
                                          double horizon) noexcept {
    if (v.V >= V_th) return 0.0;
    if (detail::surely_silent(c, v, V_th, horizon)) return detail::never;

    const double slowest = std::min({c.a_ex, c.a_in, c.b});
    horizon = detail::before_all_is_decayed(horizon, slowest);
    const double g_ex = c.slope * v.I_ex;
    const double g_in = c.slope * v.I_in;
    const auto excess = [&](double s) {
        const LifExp2::State at = flow(c, v, s);
        const double slope = c.b * (c.E - at.V) + c.slope * (at.I_ex + at.I_in);
        const double turn = -c.slope * (c.a_ex * at.I_ex + c.a_in * at.I_in);
        return detail::Jet{at.V - V_th, slope, turn - c.b * slope};
    };
    // V' e^{slowest s}: neither grows nor is lost in the rounding of V, however late.
    const auto slope = [&](double s) {
        const auto decay = [&](double rate) { return std::exp((slowest - rate) * s); };
        const auto response = [&](double a) {
            return s * decay(std::min(a, c.b)) * detail::psi(std::abs(a - c.b) * s);
        };
        const double D = c.b * (c.E - v.V) * decay(c.b) + g_ex * (decay(c.a_ex) - c.b * response(c.a_ex)) +
                         g_in * (decay(c.a_in) - c.b * response(c.a_in));
        const double turn = -c.a_ex * g_ex * decay(c.a_ex) - c.a_in * g_in * decay(c.a_in);
        return detail::Jet{D, (slowest - c.b) * D + turn};
    };
    detail::Cuts<1> turns;  // where a_ex g_ex e^{-a_ex s} + a_in g_in e^{-a_in s} = 0
    turns.add(std::log(-c.a_ex * g_ex / (c.a_in * g_in)) / (c.a_ex - c.a_in), horizon);
    return detail::first_crossing(excess, slope, turns, horizon);
}

}  // namespace saltus::neurons
