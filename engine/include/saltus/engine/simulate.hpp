// The exact clock: run a network from event to event. See engine/simulation/exact.cpp for the schedule and
// engine/simulation/frame_block.hpp for the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "saltus/engine/communication.hpp"
#include "saltus/engine/network.hpp"
#include "saltus/engine/snapshot.hpp"
#include "saltus/engine/spike_train.hpp"

namespace saltus {

class Plan;

/// Spikes for one input population. A spike that stands twice counts twice.
struct InputSpikes {
    std::string population;
    SpikeTrain spikes;
};

struct Progress {
    double fraction = 0.0;  // of the duration
    Time time;
    std::uint64_t spikes = 0;
    std::uint64_t synaptic_events = 0;
};

struct SimulationOptions {
    Duration duration{};  // the run covers 0 <= t <= duration
    bool record_spikes = true;
    /// Populations to record; empty: all that spike (for spikes), all that have a potential (for potentials).
    std::vector<std::string> recorded = {};
    /// Instants at which potentials are recorded, ascending: the value after everything that happens at that
    /// instant.
    std::vector<Time> potential_times = {};
    /// Not empty: the run ends with the instant of the first spike of this population, as a network does that
    /// decides by who is first (Thorpe et al. 2001, Neural Networks 14:715). Work is done a 256th of the
    /// duration beyond it at most, and shows in synaptic_events only.
    std::string until_first_spike_of = {};
    /// Called every few windows of time; false stops the run, which keeps what was recorded.
    std::function<bool(const Progress&)> on_progress = {};

    /// Asked on rank 0 after every window, with the time up to which everything is computed; true: a snapshot
    /// is made.
    std::function<bool(Time)> snapshot_due = {};
    /// Receives it on rank 0.
    std::function<void(const Snapshot&)> on_snapshot = {};
    /// Goes on from here instead of starting at 0: same network, inputs and duration, any parallelism.
    std::shared_ptr<const Snapshot> resume_from = {};
};

struct PotentialRecord {
    std::uint32_t population = 0;
    std::vector<Time> times;
    std::vector<double> values;  // [time][neuron]
};

struct SimulationResult {
    std::vector<SpikeTrain> spikes;  // per population, sorted by (time, neuron); empty if not recorded
    std::vector<std::uint64_t> spike_counts;  // per population, inputs included
    std::vector<PotentialRecord> potentials;  // of the recorded populations, where potential_times were given
    std::vector<std::vector<double>>
        final_potentials;               // per population that does not spike: at the end of the run
    std::uint64_t neuron_spikes = 0;    // of all neurons, recorded or not, without the inputs
    std::uint64_t synaptic_events = 0;  // deliveries of one spike over one synapse
    std::uint64_t windows = 0;          // pieces of time that were computed without exchanging spikes
    Time end;                           // the instant up to which everything was simulated
    bool interrupted = false;
};

/// 64-bit digest of every recorded (population, time, neuron): equal runs have equal fingerprints.
[[nodiscard]] std::uint64_t fingerprint(const SimulationResult& result);

/// Who computes a run. Spike times do not depend on it.
struct Parallelism {
    std::uint32_t threads = 1;  // of this process, at most 1024
    std::shared_ptr<Communication> communication = local_communication();
};

/// A network made ready for the exact clock; runs are independent and may be made by several threads at once.
class ExactSimulation {
  public:
    /// Throws UsageError for no thread or too many; NetworkError for what the exact clock cannot do: a cycle
    /// without delay, a continuous signal (LI, CubaLI, I) that feeds another population, V_reset >= V_th
    /// without refractory period, a biased chain with a delay after the bias; LimitError where delays that
    /// differ between channels would expand to more than 2^31 synapses.
    explicit ExactSimulation(const Network& network, const Parallelism& parallelism = {});
    ~ExactSimulation();
    ExactSimulation(ExactSimulation&&) noexcept;
    ExactSimulation& operator=(ExactSimulation&&) noexcept;

    /// Throws SnapshotError for a snapshot of another network, other inputs or another duration; InputError
    /// for spikes of populations that are no inputs, for neurons that do not exist, before 0 or after the
    /// end; LimitError for a duration that is negative or beyond the range. Of several ranks all throw or
    /// none; those that have not failed themselves throw RankError.
    [[nodiscard]] SimulationResult run(const std::vector<InputSpikes>& inputs,
                                       const SimulationOptions& options) const;

    /// Bytes of the synapses that this process holds.
    [[nodiscard]] std::uint64_t synapse_bytes() const;

  private:
    std::unique_ptr<const Plan> plan_;
};

/// ExactSimulation(network, parallelism).run(inputs, options).
[[nodiscard]] SimulationResult simulate(const Network& network, const std::vector<InputSpikes>& inputs,
                                        const SimulationOptions& options,
                                        const Parallelism& parallelism = {});

}  // namespace saltus
