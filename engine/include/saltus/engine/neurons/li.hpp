// Leaky integrator: as Lif, without threshold.                                         NIR: LI
//
//   tau_m dV/dt = (E_L - V) + R x,   V <- V + J w on arrival
#pragma once

#include <string_view>

#include "saltus/engine/neurons/lif.hpp"

namespace saltus::neurons {

struct Li {
    static constexpr std::string_view name = "LI";

    double tau_m = 10e-3;  // membrane time constant  [s]
    double R = 1.0;        // membrane resistance     [V per I]
    double E_L = 0.0;      // resting potential       [V]
    double J = 1.0;        // jump of V per weight    [V]
    double V_0 = 0.0;      // at the start            [V]

    using State = Lif::State;
    using Constants = Lif::Constants;
};

[[nodiscard]] inline Lif::Constants constants(const Li& p, double x) noexcept {
    return {p.tau_m, p.E_L + p.R * x, p.J};
}
[[nodiscard]] inline Lif::State initial(const Li& p, const Lif::Constants&) noexcept {
    return {p.V_0};
}

}  // namespace saltus::neurons
