// How the exact rule runs one sample: what both ways have in common.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "circuit.hpp"
#include "saltus/engine/learning/exact_rule.hpp"

namespace saltus::learning {

/// The spikes of a sample as a rule uses them, ascending in time.
struct SampleSpikes {
    std::vector<std::int64_t> times;  // [fs]
    std::vector<NeuronIndex> neurons;
};

struct SampleOutcome {
    double loss = 0.0;
    std::uint32_t decided = 0;
    std::uint64_t spikes = 0;
    std::uint64_t events = 0;
    std::uint64_t bounded = 0;
};

/// What one piece of a mini-batch works with.
class Worker {
  public:
    virtual ~Worker() = default;
    /// Before the first sample of a piece.
    virtual void begin() = 0;
    /// Runs a sample; with `learns` its gradient, which the backend's pulls are part of, is added to what the
    /// worker holds.
    virtual SampleOutcome run(const SampleSpikes& sample, std::uint32_t label, bool learns) = 0;
    /// Adds to the counts of the circuit's neurons how often each fired in the last sample.
    virtual void add_counts(std::span<std::uint64_t> by_neuron) const = 0;
    /// Adds that to dL/d parameters of the circuit, which are divided among `parts`: this call looks after
    /// one of them.
    virtual void add_gradient(std::span<double> by_parameter, unsigned part, unsigned parts) const = 0;
};

class Backend {
  public:
    virtual ~Backend() = default;
    /// The circuit's parameters have changed.
    virtual void refresh() = 0;
    /// Of each neuron of the circuit, what is added to dL/dV just before its spikes, and, where that is < 0
    /// and it is silent, to dL/dw of its arrivals (RateBand). Empty: nothing.
    virtual void pull(std::vector<double> pulls) = 0;
    [[nodiscard]] virtual std::unique_ptr<Worker> worker() const = 0;
};

/// What of the options a backend needs, made ready.
struct BackendOptions {
    ClassLoss loss{};
    std::uint32_t input = 0;  // populations
    std::uint32_t readout = 0;
    Duration duration{};
    double largest_factor = 0.0;
    double wake = 0.0;
    bool learn_delays = false;
};

/// Null where the network is no chain of layers of equal neurons.
[[nodiscard]] std::unique_ptr<Backend> layered_backend(const Circuit& circuit, const BackendOptions& options);
[[nodiscard]] std::unique_ptr<Backend> circuit_backend(const Circuit& circuit, const BackendOptions& options);

}  // namespace saltus::learning
