// Threshold unit without memory.                                                       NIR: Threshold
//
//   Spikes whose summed weight at one instant reaches V_th make it fire at that instant; what does not is
//   forgotten.
#pragma once

#include <limits>
#include <string_view>

#include "saltus/engine/neurons/reset.hpp"
#include "saltus/engine/time.hpp"

namespace saltus::neurons {

struct Threshold {
    static constexpr std::string_view name = "Threshold";

    double V_th = 1.0;

    static constexpr double V_reset = 0.0;
    static constexpr Duration t_ref{};
    static constexpr Reset reset = Reset::to_value;

    struct State {
        double V;
    };
    struct Constants {};
};

[[nodiscard]] inline Threshold::Constants constants(const Threshold&, double) noexcept {
    return {};
}
[[nodiscard]] inline Threshold::State initial(const Threshold&, const Threshold::Constants&) noexcept {
    return {0.0};
}
[[nodiscard]] inline bool stands_still(const Threshold::Constants&) noexcept {
    return false;
}
[[nodiscard]] inline Threshold::State flow(const Threshold::Constants&, Threshold::State v,
                                           double s) noexcept {
    return {s > 0.0 ? 0.0 : v.V};
}
inline void arrive(const Threshold::Constants&, Threshold::State& v, double w) noexcept {
    v.V += w;
}
[[nodiscard]] inline Threshold::State refractory_flow(const Threshold::Constants&, Threshold::State v,
                                                      double) noexcept {
    return v;
}
inline void refractory_arrive(const Threshold::Constants&, Threshold::State&, double) noexcept {}
[[nodiscard]] inline double next_crossing(const Threshold::Constants&, Threshold::State, double,
                                          double) noexcept {
    return std::numeric_limits<double>::infinity();
}

}  // namespace saltus::neurons
