// A layer of a first-spike network, made ready to run: shared by all threads, each of which has a state.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "saltus/engine/learning/first_spike.hpp"
#include "saltus/engine/learning/gradient_learner.hpp"

namespace saltus::learning {

/// First spikes of a layer (or the input), ascending in time. None at or after t_max.
struct Spikes {
    std::vector<std::int64_t> times;  // [fs]
    std::vector<NeuronIndex> neurons;

    [[nodiscard]] std::size_t size() const { return times.size(); }
    void clear() {
        times.clear();
        neurons.clear();
    }
};

/// Error of a neuron: dloss/dV of S4NN, where V stands for -t.
struct Delta {
    NeuronIndex neuron = 0;
    std::int64_t time = 0;  // of its spike; t_max if it is silent
    double value = 0.0;
};

/// Those that are not 0, by time, latest first.
using Deltas = std::vector<Delta>;

/// What one thread needs beside the layer, reset before each sample.
class LayerState {
  public:
    virtual ~LayerState() = default;
};

class Layer {
  public:
    virtual ~Layer() = default;

    [[nodiscard]] virtual std::unique_ptr<LayerState> state() const = 0;
    virtual void reset(LayerState& state) const = 0;
    /// The sources from `from` on are new; none before `horizon` will follow. Appends the spikes that can be
    /// told from that, all those before horizon + least_delay() among them.
    virtual void advance(LayerState& state, const Spikes& sources, std::size_t from, std::int64_t horizon,
                         Spikes& spikes) const = 0;
    [[nodiscard]] virtual std::int64_t least_delay() const = 0;
    /// V of a neuron that has not fired, at `time`.
    [[nodiscard]] virtual double potential(const Spikes& sources, NeuronIndex neuron,
                                           std::int64_t time) const = 0;

    /// Numbers of parameters; the layer refers to those it was given last.
    [[nodiscard]] virtual std::size_t weights() const = 0;
    [[nodiscard]] virtual std::size_t delays() const { return 0; }  // that can be learnt
    /// Weights that the same thread looks after in all passes, add_gradient() of part block % parts among
    /// them.
    [[nodiscard]] virtual std::size_t block() const { return ParameterGroup().block; }
    virtual void set(std::span<const double> weights, std::span<const double> delays, unsigned threads) = 0;

    /// below[i] += sum over j of delta_j m_ji w_ji, m_ji: what i sends has arrived by the spike of j.
    virtual void back(const Spikes& sources, const Deltas& deltas, std::span<double> below) const = 0;
    /// gradient += delta_j m_ji of each weight, and - delta_j m_ji w_ji of each delay. The parameters are
    /// divided among `parts`; this call looks after one of them.
    virtual void add_gradient(const Spikes& sources, const Deltas& deltas, unsigned part, unsigned parts,
                              std::span<double> weights, std::span<double> delays) const = 0;
    /// What of the sources each part needs for that: own[part] as the only part of one does what part `part`
    /// does with all of them. False: each needs all.
    virtual bool split(const Spikes& /*sources*/, const Deltas& /*deltas*/, std::span<Spikes> /*own*/) const {
        return false;
    }
};

[[nodiscard]] std::unique_ptr<Layer> make_layer(const FirstSpikeLayer& layer, std::int64_t t_max);

}  // namespace saltus::learning
