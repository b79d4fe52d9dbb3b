// How well a network classifies a data set: every sample is a run of its own on the exact or the stepped
// clock, samples in parallel.
//
// Decision: the class is the neuron of the output port with the most spikes; where the output does not spike,
// the one with the largest potential at the end of the sample. The lowest index wins a tie, and ties are
// counted. A sample whose output neurons all stay silent is undecided, which counts as wrong.
//
// evaluate_exact: networks trained on exact gradients; the first output spike or a potential decides.
// evaluate_first_spikes: every neuron fires at most once, and the first output spike decides and ends the
// sample, see first_spike.hpp of the engine.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "saltus/datasets/dataset.hpp"
#include "saltus/engine/learning/exact_rule.hpp"
#include "saltus/engine/learning/first_spike.hpp"
#include "saltus/engine/learning/samples.hpp"
#include "saltus/engine/network.hpp"
#include "saltus/engine/stepped.hpp"

namespace saltus::datasets {

struct EvaluationOptions {
    unsigned threads = 0;              // 0: as many as OpenMP gives
    std::optional<Duration> duration;  // of each sample, later spikes are left out; none: up to its last
                                       // spike, and on for as long as a spike may be under way
    std::string output;                // port that decides; empty: the only one
    std::optional<SteppedRules> rules = {};  // of the stepped clock; none: the exact clock
    std::function<bool(std::uint64_t done, std::uint64_t total)>
        on_progress;  // one thread at a time; false stops
};

inline constexpr std::int64_t undecided = -1;

struct Decision {
    std::string sample;
    std::int64_t label = 0;
    std::int64_t decided = undecided;
    bool tie = false;
    bool done = false;  // false where the evaluation was stopped before this sample
};

/// Where first spikes decide: means are over all samples.
struct FirstSpikeFigures {
    std::uint64_t correct_by_index = 0;  // had ties been decided by the lowest index
    std::uint64_t silent = 0;            // no output spike: the largest potential decided
    double decision_s = 0.0;             // mean time of the decision, t_max where silent
    double input_share = 0.0;            // mean share of a sample's input spikes before the decision
    // had samples been run to their end:
    std::uint64_t full_neuron_spikes = 0;
    std::uint64_t full_synaptic_events = 0;
    double full_s = 0.0;  // seconds it took, on as many threads
};

struct Evaluation {
    std::vector<Decision> decisions;  // in the order of the data set
    std::vector<std::string> classes;
    std::vector<std::uint64_t> confusion;  // [label][decided], classes x classes, without the undecided
    std::uint64_t samples = 0;             // done
    std::uint64_t correct = 0;
    std::uint64_t ties = 0;
    std::uint64_t undecided = 0;
    std::uint64_t input_spikes = 0;
    std::uint64_t neuron_spikes = 0;
    std::uint64_t synaptic_events = 0;
    double simulation_s = 0.0;  // seconds spent simulating, summed over threads
    double wall_s = 0.0;
    unsigned threads = 1;
    bool interrupted = false;
    std::optional<FirstSpikeFigures> first_spikes;

    [[nodiscard]] double accuracy() const {
        return samples == 0 ? 0.0 : static_cast<double>(correct) / static_cast<double>(samples);
    }
};

/// Throws UsageError where the data set does not fit the network (one input of as many channels as a sample
/// has, an output with at least as many neurons as there are classes), NetworkError for what the clock cannot
/// run, FileError for a sample that cannot be read (of the first such sample).
[[nodiscard]] Evaluation evaluate(const Network& network, const Dataset& dataset,
                                  const EvaluationOptions& options = {});

/// Spikes and events are those before the decisions. Throws NetworkError and UsageError where the data set
/// does not fit the network, FileError for a sample that cannot be read.
[[nodiscard]] Evaluation evaluate_first_spikes(const learning::FirstSpikeNetwork& network,
                                               const Dataset& dataset, const EvaluationOptions& options = {});

/// The loss of `exact` says how the readout decides; nothing is learnt. Throws as ExactRule does, FileError
/// for a sample that cannot be read.
[[nodiscard]] Evaluation evaluate_exact(const Network& network, const Dataset& dataset,
                                        const learning::ExactOptions& exact,
                                        const EvaluationOptions& options = {});

/// All samples in memory, for learning.
[[nodiscard]] learning::SampleSet load_samples(const Dataset& dataset);

}  // namespace saltus::datasets
