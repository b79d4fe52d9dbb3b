// Integrator: as If, without threshold.                                                NIR: I
//
//   dV/dt = R x,   V <- V + J w on arrival
#pragma once

#include <string_view>

#include "saltus/engine/neurons/if.hpp"

namespace saltus::neurons {

struct Integrator {
    static constexpr std::string_view name = "I";

    double R = 1.0;    // slope of the potential  [V per I and second]
    double J = 1.0;    // jump of V per weight    [V]
    double V_0 = 0.0;  // at the start            [V]

    using State = If::State;
    using Constants = If::Constants;
};

[[nodiscard]] inline If::Constants constants(const Integrator& p, double x) noexcept {
    return {p.R * x, p.J};
}
[[nodiscard]] inline If::State initial(const Integrator& p, const If::Constants&) noexcept {
    return {p.V_0};
}

}  // namespace saltus::neurons
