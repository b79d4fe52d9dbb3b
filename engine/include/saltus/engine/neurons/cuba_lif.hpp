// Leaky integrate-and-fire neuron, current-based exponential synapse.     NIR: CubaLIF    NEST:
// iaf_psc_exp_ps
//
//   tau_syn dI/dt = -I + w_in x                     x is the constant signal of biased projections
//   tau_m   dV/dt = (E_L - V) + R (I + I_e)
//   I <- I + J w                                    spikes of summed weight w arrive
//   V >= V_th  =>  spike, reset of V; V stands for t_ref while I goes on
//
// The state holds I without its constant part w_in x, which goes into E = E_L + R (I_e + w_in x). With b =
// 1/tau_m, a = 1/tau_syn, g = b R I:
//   I(s) = I e^{-as},   V(s) = V - (E - V) expm1(-bs) + g k(s)
//   k(s) = (e^{-as} - e^{-bs}) / (b - a) = s e^{-cs} psi(|a - b| s),   c = min(a, b),   psi(x) = -expm1(-x)/x
// The second form of k has no cancellation and holds for a = b.
//
// V' = D e^{-bs} - a g k(s) with D = V'(0) = g - b (V - E) has at most one zero s_p, so V is two monotone
// pieces at most and no crossing can be missed: one root is sought in the rising piece, and only if the
// threshold lies between its ends. From k(s) e^{bs} = D/(a g) = rho follows s_p = log1p((b - a) rho)/(b - a).
// (Compare Krishnan et al. 2018.)
#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>

#include "saltus/engine/neurons/crossing.hpp"
#include "saltus/engine/neurons/reset.hpp"
#include "saltus/engine/neurons/response.hpp"
#include "saltus/engine/time.hpp"

namespace saltus::neurons {

struct CubaLif {
    static constexpr std::string_view name = "CubaLIF";

    double tau_m = 10e-3;   // membrane time constant                 [s]
    double tau_syn = 5e-3;  // synaptic time constant                 [s]
    double R = 1.0;         // membrane resistance                    [V per I]
    double E_L = 0.0;       // resting potential                      [V]
    double V_th = 1.0;      // spike threshold                        [V]
    double V_reset = 0.0;   // after a spike                          [V]
    Duration t_ref{};       // refractory period
    double I_e = 0.0;       // constant current into the membrane     [I]
    double w_in = 1.0;      // gain of a constant signal              [I]
    double J = 1.0;         // jump of I per weight                   [I]
    double V_0 = 0.0;       // at the start                           [V]
    Reset reset = Reset::to_value;

    struct State {
        double V;
        double I;
    };
    struct Constants {
        double a;  // 1 / tau_syn
        double b;  // 1 / tau_m
        double E;
        double slope;  // b R
        double J;
        double constant_I;  // w_in x
    };
};

[[nodiscard]] inline CubaLif::Constants constants(const CubaLif& p, double x) noexcept {
    const double constant_I = p.w_in * x;
    return {1.0 / p.tau_syn, 1.0 / p.tau_m, p.E_L + p.R * (p.I_e + constant_I),
            p.R / p.tau_m,   p.J,           constant_I};
}
[[nodiscard]] inline CubaLif::State initial(const CubaLif& p, const CubaLif::Constants& c) noexcept {
    return {p.V_0, -c.constant_I};
}
[[nodiscard]] inline bool stands_still(const CubaLif::Constants&) noexcept {
    return false;
}

[[nodiscard]] inline CubaLif::State flow(const CubaLif::Constants& c, CubaLif::State v, double s) noexcept {
    return {v.V - (c.E - v.V) * std::expm1(-c.b * s) + c.slope * v.I * detail::response(c.a, c.b, s),
            v.I * std::exp(-c.a * s)};
}
inline void arrive(const CubaLif::Constants& c, CubaLif::State& v, double w) noexcept {
    v.I += c.J * w;
}

/// During the refractory period V stands; the current decays and collects.
[[nodiscard]] inline CubaLif::State refractory_flow(const CubaLif::Constants& c, CubaLif::State v,
                                                    double s) noexcept {
    return {v.V, v.I * std::exp(-c.a * s)};
}
inline void refractory_arrive(const CubaLif::Constants& c, CubaLif::State& v, double w) noexcept {
    v.I += c.J * w;
}

/// Seconds until V reaches V_th, which it does once in [low, high]; the search starts at `start`.
[[nodiscard]] inline double crossing_between(const CubaLif::Constants& c, CubaLif::State v, double V_th,
                                             double low, double high, double start) noexcept {
    const double g = c.slope * v.I;
    // Both exponentials from that of the slower and psi: e^{-cs}, and e^{-cs} (1 - x psi(x)).
    const double slower = std::min(c.a, c.b);
    const double difference = std::abs(c.a - c.b);
    const auto excess = [&](double s) {
        const double e = std::exp(-slower * s);
        const double part = detail::psi(difference * s);
        const double other = e * (1.0 - difference * s * part);
        const double V = c.E + (v.V - c.E) * (c.a < c.b ? other : e) + g * (s * e * part);
        const double current = g * (c.a < c.b ? e : other);
        const double slope = c.b * (c.E - V) + current;
        return detail::Jet{V - V_th, slope, -c.a * current - c.b * slope};
    };
    return detail::rising_zero(excess, low, high, start);
}

/// Seconds until V reaches V_th without further input; infinity if it does not within `horizon` seconds.
[[nodiscard]] inline double next_crossing(const CubaLif::Constants& c, CubaLif::State v, double V_th,
                                          double horizon) noexcept {
    using detail::never;
    if (v.V >= V_th) return 0.0;
    const double g = c.slope * v.I;
    if (c.E <= V_th && g <= 0.0) return never;  // V stays below the larger of V and E
    // While V is above where it started, V' is at most this.
    const double climb = std::max(0.0, c.b * (c.E - v.V) + std::max(g, 0.0));
    if (v.V + climb * horizon < V_th) return never;

    const double D = g - c.b * (v.V - c.E);
    const double rho = D / (c.a * g);
    const double z = (c.b - c.a) * rho;
    double extremum = never;
    if (g != 0.0 && rho > 0.0 && z > -1.0) {
        extremum = std::abs(z) < 1e-8 ? rho * (1.0 - 0.5 * z) : std::log1p(z) / (c.b - c.a);
    }
    const bool rises_first = D > 0.0;
    if (!rises_first && c.E <= V_th) return never;
    const double low = rises_first || extremum == never ? 0.0 : extremum;
    const double high = rises_first ? std::min(extremum, horizon) : horizon;
    if (low >= high || flow(c, v, high).V < V_th) return never;

    return crossing_between(c, v, V_th, low, high, high == extremum ? high : low);
}

}  // namespace saltus::neurons
