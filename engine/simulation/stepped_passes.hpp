// A step of many neurons as passes over arrays, each a plain loop: current, membrane, threshold and reset.
// The formulas are in saltus/engine/stepped.hpp; every operation rounds once, in the order written there.
#pragma once

#include <cstddef>
#include <vector>

#include "saltus/engine/stepped.hpp"
#include "stepped_chain.hpp"

namespace saltus::stepped {

/// Parameters of each neuron in the arithmetic of the run; those that a rule does not use are empty.
template <class T>
struct Coefficients {
    std::vector<T> input_gain;                 // empty: 1
    std::vector<T> a_s, b_s, E_I, w_in, gain;  // current; gain is R, or with low_pass R w_in
    std::vector<T> a, b, E, tau_m;             // membrane; tau_m in steps, with substep in seconds
    std::vector<T> V_th, V_reset;
    std::vector<T> d_I, d_V;  // fixed_point: factors in 1/4096
    T dt;
    T height;
};

/// I and x to u, in x.
void current_pass(Current form, const Coefficients<float>& c, float* I, float* x, std::size_t n);
void current_pass(Current form, const Coefficients<double>& c, double* I, double* x, std::size_t n);

/// The resets of the spikes in `pending`, which were sent in the last step.
template <class T>
void late_reset(const NeuronRule& rule, const Coefficients<T>& c, T* V, const T* pending, std::size_t n);

/// x, which is u, into V. Not for substep and fixed_point.
void membrane_pass(Membrane form, const Coefficients<float>& c, float* V, const float* u, std::size_t n);
void membrane_pass(Membrane form, const Coefficients<double>& c, double* V, const double* u, std::size_t n);

/// Substep: membrane, threshold and reset; rest is the time that each neuron has still to wait, in seconds;
/// shown, unless null, gets V before the reset.
template <class T>
void substep_pass(const NeuronRule& rule, const Coefficients<T>& c, T* V, T* rest, T* shown, const T* u,
                  std::size_t n, std::vector<StepEntry<T>>& sent);

/// Fixed point: current and membrane.
template <class T>
void fixed_point_pass(const Coefficients<T>& c, T* I, T* V, const T* x, std::size_t n);

/// Threshold and reset; `pending` holds the spikes whose reset is still to be done, null with same_step.
void fire_pass(const NeuronRule& rule, const Coefficients<float>& c, float* V, float* pending, std::size_t n,
               std::vector<StepEntry<float>>& sent);
void fire_pass(const NeuronRule& rule, const Coefficients<double>& c, double* V, double* pending,
               std::size_t n, std::vector<StepEntry<double>>& sent);

}  // namespace saltus::stepped
