// Neuron models in SONATA files: NEST's, in its units, and ours ("saltus:LIF"), whose parameters are the
// members of the model in SI units, under their names, and "reset".
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "saltus/engine/neurons/models.hpp"

namespace saltus::converters {

inline constexpr std::string_view nest_models = "nest:";
inline constexpr std::string_view own_models = "saltus:";

/// Parameters of NEST: what divides a value to give SI units.
struct NestUnit {
    std::string_view parameter;
    double divisor;
};
inline constexpr std::array<NestUnit, 13> nest_units{{{"C_m", 1e12},
                                                      {"I_e", 1e12},
                                                      {"tau_m", 1e3},
                                                      {"tau_syn", 1e3},
                                                      {"tau_syn_ex", 1e3},
                                                      {"tau_syn_in", 1e3},
                                                      {"t_ref", 1e3},
                                                      {"E_L", 1e3},
                                                      {"V_th", 1e3},
                                                      {"V_reset", 1e3},
                                                      {"V_m", 1e3},
                                                      {"th_jump", 1e3},
                                                      {"th_tau", 1e3}}};

/// V_reset and t_ref are members, not constants.
template <class P>
concept HasReset = requires(std::remove_const_t<P>& p) {
    p.t_ref = Duration();
};
/// How V is reset is a choice.
template <class P>
concept HasResetRule = requires(std::remove_const_t<P>& p) {
    p.reset = neurons::Reset::to_value;
};

inline constexpr std::array<std::pair<std::string_view, neurons::Reset>, 4> reset_names{
    {{"to_value", neurons::Reset::to_value},
     {"subtract", neurons::Reset::subtract},
     {"subtract_repeated", neurons::Reset::subtract_repeated},
     {"none", neurons::Reset::none}}};

/// Calls f(name, member) for the numbers of a model; t_ref and reset are not among them.
template <class P, class F>
void for_each_number(P& p, F&& f) {
    if constexpr (requires { p.tau_m; }) f("tau_m", p.tau_m);
    if constexpr (requires { p.tau_syn; }) f("tau_syn", p.tau_syn);
    if constexpr (requires { p.tau_syn_ex; }) f("tau_syn_ex", p.tau_syn_ex);
    if constexpr (requires { p.tau_syn_in; }) f("tau_syn_in", p.tau_syn_in);
    if constexpr (requires { p.R; }) f("R", p.R);
    if constexpr (requires { p.E_L; }) f("E_L", p.E_L);
    if constexpr (requires { p.V_th; }) f("V_th", p.V_th);
    if constexpr (HasReset<P>) f("V_reset", p.V_reset);
    if constexpr (requires { p.I_e; }) f("I_e", p.I_e);
    if constexpr (requires { p.w_in; }) f("w_in", p.w_in);
    if constexpr (requires { p.th_jump; }) f("th_jump", p.th_jump);
    if constexpr (requires { p.th_tau; }) f("th_tau", p.th_tau);
    if constexpr (requires { p.t_min; }) {
        f("t_min", p.t_min);
        f("t_max", p.t_max);
        f("slope", p.slope);
    }
    if constexpr (requires { p.J; }) f("J", p.J);
    if constexpr (requires { p.V_0; }) f("V_0", p.V_0);
}

}  // namespace saltus::converters
