// The stepped clock: run a network on a grid of steps, by the rule of a tool. In each step the populations
// are computed one after the other along the projections without delay; a projection with a delay brings what
// was sent round(delay / dt) steps ago. What of a tool's rule can differ from another's is a value here; the
// sets that tools use are in saltus/converters/convention.hpp.
//
// A neuron in one step, x the sum of what its projections bring, every parameter under the name of its model
// (neurons/), a = dt/tau_m or 1 - exp(-dt/tau_m), b = 1 - a, likewise a_s and b_s of tau_syn; each operation
// rounds once, in the order written:
//
//   current (CubaLif, CubaLi; u = x elsewhere)
//     relax             I <- I + a_s ((E_I - I) + w_in x),   u = R I
//     decay             I <- b_s I + x,                      u = I
//     add_then_decay    I <- (I + x) b_s,                    u = I
//     use_then_decay    I <- I + x,  u = I,  then I <- I - a_s I
//     low_pass          u = R w_in I,  then I <- b_s I + a_s x              (one step late)
//   membrane
//     relax             V <- V + a ((u + E) - V)
//     relax_by_division V <- V + (u - (V - E)) / T,          T = tau_m / dt
//     decay             V <- b V + u, then + E;              without leak b = retention
//     decay_by_division V <- (V - (V - E) / T) + u
//     substep           V <- V - (u - V) expm1(-d/tau_m), d the part of the step after the last spike, whose
//                       instant within its step is carried over
//     fixed_point       integers of 2^-12: I <- I (1 - dt/tau_syn) + x, V <- V (1 - dt/tau_m) + I, products
//                       and x truncated
//     closed_form       the flow of the model over dt, then V <- V + J w (or I) for what arrives
//   threshold           z = V > V_th, V >= V_th, or as many as fit: trunc(V / V_th)
//   reset               V <- 0, V_reset, or V - z V_th; in the same step or in the next one
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "saltus/engine/network.hpp"
#include "saltus/engine/raster.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus {

namespace stepped {

enum class Precision { float32, float64 };

enum class Current { relax, decay, add_then_decay, use_then_decay, low_pass };

enum class Membrane {
    relax,
    relax_by_division,
    decay,
    decay_by_division,
    substep,
    fixed_point,
    closed_form,
};

/// How a = dt/tau is computed: with one rounding, as dt (1/tau) with two, in double and rounded at the end,
/// or as 1 - exp(-dt/tau) in double.
enum class Leak { quotient, reciprocal, in_double, exponential };

/// What R does. tau_over_dt, one: any other value is refused.
enum class Resistance {
    ignored,
    multiplies,          // u
    scales_threshold,    // V_th is divided by R dt / tau_m (LIF) unless that is 1
    tau_over_dt,         // must be tau_m / dt
    one,                 // must be 1
    one_or_tau_over_dt,  // 1: membrane = relax_by_division; tau_m / dt: decay_by_division
    sets_step,           // the step of the population is the smallest tau_m / (1 + R)
    one_over_dt,         // must be 1 / dt
};

/// What w_in does.
enum class InputGain {
    ignored,
    multiplies,        // x
    scales_threshold,  // V_th is divided by w_in dt / tau_syn unless that is 1
    tau_syn_over_dt,   // must be tau_syn / dt
};

/// What E is: E_L, V_reset (which E_L must equal), 0 (which E_L must be), 0 whatever E_L is, or E_L in every
/// step without a factor (membrane decay).
enum class Rest { E_L, V_reset, must_be_zero, zero, added };

enum class Reset { to_zero, to_V_reset, subtract };

/// When the reset is done: in the step of the spike; in the next one, before or after its integration (and V
/// is above the threshold in between); or in the same step, and once more before the test of the next one if
/// V is still above the threshold.
enum class ResetTime { same_step, next_step_first, next_step, before_and_after };

/// The smallest V after the reset.
enum class Floor { none, minus_threshold, zero };

enum class Start { zero, E_L, V_reset, V_0 };

/// closed_form only: what arrives in a step is there before the threshold is tested, or after that and before
/// the reset.
enum class Arrival { before_test, after_test };

/// Which parameters all neurons of a population must share.
enum class Shared { nothing, threshold, all_but_threshold, everything };

/// The rule of one kind of neuron.
struct NeuronRule {
    Current current = Current::decay;
    Membrane membrane = Membrane::decay;
    Leak leak = Leak::quotient;
    double retention = 1.0;  // of IF and I: their b
    Resistance R = Resistance::ignored;
    InputGain w_in = InputGain::ignored;
    double input_gain = 1.0;        // x is multiplied by it ...
    bool input_times_leak = false;  // ... and by a
    Rest rest = Rest::zero;
    bool current_rests_at_E_L = false;  // E_I = E_L, else 0
    bool in_thresholds = false;         // u is divided by V_th, and V_th is 1
    bool fires_at_threshold = false;    // V >= V_th, else V > V_th
    bool counts = false;                // several spikes a step
    double spike_height = 1.0;
    bool height_per_second = false;  // a spike has the height spike_height / dt
    Reset reset = Reset::to_zero;
    ResetTime reset_time = ResetTime::same_step;
    Floor floor = Floor::none;
    Start start = Start::zero;
    Shared shared = Shared::nothing;
    Arrival arrival = Arrival::before_test;
    bool record_before_reset = false;

    friend bool operator==(const NeuronRule&, const NeuronRule&) = default;
};

}  // namespace stepped

struct SteppedRules {
    std::string name;  // for errors
    Duration dt{1'000'000'000'000};
    stepped::Precision precision = stepped::Precision::float32;
    stepped::NeuronRule without_leak;  // If, Integrator, Threshold
    stepped::NeuronRule with_leak;     // Lif, Li; with closed_form all others too
    stepped::NeuronRule with_current;  // CubaLif, CubaLi
    bool needs_delay = false;          // between neurons no delay may be shorter than a step

    friend bool operator==(const SteppedRules&, const SteppedRules&) = default;
};

/// What is fed to the inputs of a network in one run; inputs that are not named stay silent.
struct SteppedSample {
    struct Input {
        std::string population;
        Raster signal;  // silent after its last step
    };
    std::vector<Input> inputs;
};

struct SteppedOptions {
    std::uint32_t steps = 0;
    bool record_spikes = true;
    bool record_potentials = false;          // and currents, where there are any
    std::vector<std::string> recorded = {};  // populations; empty: all
    unsigned threads = 1;
    /// Called after every sample, one thread at a time; false stops the run between two samples.
    std::function<bool(std::size_t done, std::size_t total)> on_progress = {};
};

/// What one sample did, population by population.
struct SteppedRecord {
    std::vector<Raster> spikes;  // of those that spike; else, or if not recorded, without steps
    std::vector<std::vector<double>> potentials;  // [step][neuron]; empty if not recorded
    std::vector<std::vector<double>> currents;    // likewise, where the model has a current
    std::vector<std::vector<double>> counts;  // of the populations that are recorded: sum of the amplitudes
                                              // of each neuron; of one that does not spike its last potential
    std::vector<std::uint64_t> spike_counts;  // recorded or not; several of one step count as such
    std::vector<bool> sends_counts;           // amplitudes are numbers of spikes, else each spike's height
    std::uint64_t neuron_spikes = 0;          // of all neurons, without the inputs
    std::uint64_t synaptic_events = 0;
    bool done = false;  // false where the run was stopped before this sample
};

/// Steps that cover a duration: the run of n steps is one of n dt. Throws LimitError for a negative duration,
/// and for more than 2^32 - 1 steps.
[[nodiscard]] std::uint32_t steps_covering(Duration duration, Duration dt);

/// Spike trains as a sample; those for one input add up. Throws InputError for spikes of populations that are
/// no inputs, for neurons that do not exist, before 0 or after the end.
[[nodiscard]] SteppedSample sample_of(const Network& network, const std::vector<InputSpikes>& inputs,
                                      Duration dt, std::uint32_t steps);

/// What a sample did in the form that the exact clock gives: step k is the time k dt, and windows are steps.
[[nodiscard]] SimulationResult result_of(SteppedRecord record, const Network& network,
                                         const SteppedSample& sample, Duration dt, std::uint32_t steps);

template <class T>
class SteppedPlan;

/// A network made ready for the stepped clock; runs are independent and may be made by several threads at
/// once.
class SteppedSimulation {
  public:
    /// Throws UsageError for dt <= 0; NetworkError, which names population and field, for what the rules
    /// refuse, and for a cycle without delay; LimitError for models and sources that this clock does not
    /// have.
    SteppedSimulation(const Network& network, const SteppedRules& rules);
    ~SteppedSimulation();
    SteppedSimulation(SteppedSimulation&&) noexcept;
    SteppedSimulation& operator=(SteppedSimulation&&) noexcept;

    /// Samples are runs of their own, spread over threads; results do not depend on how many there are.
    /// Throws InputError for inputs that do not exist or have another size, UsageError for an unknown
    /// population, LimitError for records that would not fit.
    [[nodiscard]] std::vector<SteppedRecord> run(const std::vector<SteppedSample>& samples,
                                                 const SteppedOptions& options) const;

    /// What was rounded: delays that are no whole number of steps.
    [[nodiscard]] const std::vector<std::string>& notes() const;

  private:
    std::unique_ptr<const SteppedPlan<float>> single_;
    std::unique_ptr<const SteppedPlan<double>> double_;
};

}  // namespace saltus
