// Random networks for property tests and fuzzers: small descriptions, printed on a few lines.
//
// A description holds the choices that matter and shrink (how many, which model, which rule), and seeds from
// which the numbers follow. Rules for the numbers:
//   weights are multiples of a power of two, thresholds 1, spikes of inputs and delays on a grid where the
//   choice says so: coincidences and exact hits of the threshold are frequent; a projection without delay
//   goes from a population to a later one only; a spike brings about as much excitation as inhibition along a
//   cycle, one threshold's worth elsewhere, so that activity neither dies nor explodes.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <vector>

#include "saltus/engine/simulate.hpp"

namespace saltus::properties {

enum class Kind {
    input,
    lif,
    integrate_and_fire,
    poisson,
    regular,
    given,
    threshold,
    exp_fast,  // tau_syn below tau_m
    exp_equal,
    exp_slow,
    exp2,
    alpha,
    adaptive,
    qif,
    ramp
};
enum class Wiring {
    one_to_one,
    all_to_all,
    indegree,
    outdegree,
    total,
    bernoulli,
    sparse,
    dense,
    delay_chain,   // a delay of each neuron's own, no synapses
    sparse_chain,  // delay, synapses, delay
};
enum class Delays { one, grid, anywhere, none };
enum class Amplitudes { one, grid, anywhere };

struct PopulationChoice {
    Kind kind = Kind::input;
    std::uint32_t size = 1;
    bool driven = false;      // reaches the threshold without any input
    bool per_neuron = false;  // parameters differ
    std::uint32_t t_ref = 0;  // [0.25 ms]
    neurons::Reset reset = neurons::Reset::to_value;
    std::uint64_t seed = 0;
};
struct ProjectionChoice {
    std::uint32_t source = 0;  // both modulo what is possible
    std::uint32_t target = 0;
    Wiring wiring = Wiring::one_to_one;
    Delays delays = Delays::one;
    Amplitudes amplitudes = Amplitudes::one;
    std::uint64_t seed = 0;
};
struct NetworkChoice {
    std::vector<PopulationChoice> populations;
    std::vector<ProjectionChoice> projections;
    std::uint64_t seed = 0;
};
void showValue(const NetworkChoice& choice, std::ostream& out);

/// What a description stands for.
struct Case {
    std::vector<Population> populations;
    std::vector<Projection> projections;
    std::vector<InputSpikes> inputs;

    [[nodiscard]] Network network() const { return Network(populations, projections); }
};
[[nodiscard]] Case build(const NetworkChoice& choice);

inline constexpr Duration duration{20'000'000'000'000};  // of every run: 20 ms

}  // namespace saltus::properties
