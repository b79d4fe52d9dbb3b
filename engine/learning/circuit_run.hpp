// One run of a circuit as the tapes of its neurons: forward, what its loss sees, and back.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "circuit.hpp"
#include "neuron_tape.hpp"
#include "saltus/engine/learning/losses.hpp"
#include "saltus/engine/spike_train.hpp"

namespace saltus::learning {

class CircuitRun {
  public:
    explicit CircuitRun(const Circuit& circuit);

    /// Fills the tapes. `trains`: of each population, sorted. Those of sources must be there; those of the
    /// others too, as the exact clock has found them, if `known`, else they are found (only where the circuit
    /// has no loops).
    void record(std::span<const SpikeTrain> trains, bool known, std::int64_t end);

    [[nodiscard]] std::size_t spike_count(std::uint32_t neuron) const;
    /// Of all neurons.
    [[nodiscard]] std::uint64_t arrivals() const;
    /// Unrounded, in seconds.
    [[nodiscard]] double spike_time(std::uint32_t neuron, std::size_t k) const;
    /// Of each neuron of the wish's population, or each sample. With `derivative`, which has the same form,
    /// the sensitivities become seeds of the way back.
    [[nodiscard]] std::vector<double> potentials(const PotentialWish& wish) const;
    void seed(const PotentialWish& wish, std::span<const double> derivative);
    /// dL/dt of a spike.
    void seed(std::uint32_t neuron, std::size_t k, double dL_dt);
    /// Added to dL/dV just before every spike of a neuron.
    void pull(std::uint32_t neuron, double dL_dV) { seeds_[neuron].pull += dL_dV; }

    /// Goes back; sums over arrivals.
    struct Sums {
        std::span<double> by_weight;          // of each synapse
        std::span<double> by_delay;           // of each synapse; empty: not asked for
        std::span<LinearGradient> by_neuron;  // empty: not asked for
    };
    void go_back(const Sums& sums, double largest_factor);

    /// After go_back: dL/dt of a spike with all that follows from it but the neuron's own reset.
    [[nodiscard]] double error(std::uint32_t neuron, std::size_t k) const {
        return errors_[first_spike_[neuron] + k];
    }
    [[nodiscard]] std::uint64_t events() const { return events_; }
    [[nodiscard]] std::uint64_t bounded() const { return bounded_; }

  private:
    void gather(std::uint32_t neuron);
    void walk_neuron(std::uint32_t population, std::uint32_t neuron, const std::vector<std::int64_t>* known);
    [[nodiscard]] std::vector<std::uint32_t> order_of_events() const;
    struct Peak;
    [[nodiscard]] Peak peak_of(std::uint32_t neuron) const;
    struct Place;
    [[nodiscard]] Place place_of(std::uint32_t neuron, double time) const;
    [[nodiscard]] double V_at(std::uint32_t neuron, std::int64_t interval, double x) const;
    template <class F>
    void each_interval(std::uint32_t neuron, F&& f) const;

    const Circuit& circuit_;
    std::int64_t end_ = 0;
    std::vector<NeuronTape> tapes_;                 // of each neuron
    std::vector<std::vector<std::int64_t>> ticks_;  // of the spikes of each neuron
    std::vector<NeuronSeeds> seeds_;
    std::vector<std::uint32_t> first_spike_;  // of each neuron, and of all
    std::vector<double> errors_;              // of each spike
    std::uint64_t events_ = 0;
    std::uint64_t bounded_ = 0;
};

}  // namespace saltus::learning
