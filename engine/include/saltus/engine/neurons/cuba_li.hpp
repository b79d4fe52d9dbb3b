// Leaky integrator, current-based exponential synapse: as CubaLif, without threshold.  NIR: CubaLI
//
//   tau_syn dI/dt = -I + w_in x,   tau_m dV/dt = (E_L - V) + R I,   I <- I + J w on arrival
#pragma once

#include <string_view>

#include "saltus/engine/neurons/cuba_lif.hpp"

namespace saltus::neurons {

struct CubaLi {
    static constexpr std::string_view name = "CubaLI";

    double tau_m = 10e-3;   // membrane time constant     [s]
    double tau_syn = 5e-3;  // synaptic time constant     [s]
    double R = 1.0;         // membrane resistance        [V per I]
    double E_L = 0.0;       // resting potential          [V]
    double w_in = 1.0;      // gain of a constant signal  [I]
    double J = 1.0;         // jump of I per weight       [I]
    double V_0 = 0.0;       // at the start               [V]

    using State = CubaLif::State;
    using Constants = CubaLif::Constants;
};

[[nodiscard]] inline CubaLif::Constants constants(const CubaLi& p, double x) noexcept {
    const double constant_I = p.w_in * x;
    return {1.0 / p.tau_syn, 1.0 / p.tau_m, p.E_L + p.R * constant_I, p.R / p.tau_m, p.J, constant_I};
}
[[nodiscard]] inline CubaLif::State initial(const CubaLi& p, const CubaLif::Constants& c) noexcept {
    return {p.V_0, -c.constant_I};
}

}  // namespace saltus::neurons
