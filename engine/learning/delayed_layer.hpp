// All to all with a delay for each synapse, which can be learnt.
//
// The synapses of a source are kept by delay: one entry of the event list stands for all of one delay.
#pragma once

#include "layer.hpp"

namespace saltus::learning {

class DelayedLayer : public Layer {
  public:
    DelayedLayer(const DenseSynapses& synapses, double V_th, std::int64_t t_max);

    [[nodiscard]] std::unique_ptr<LayerState> state() const override;
    void reset(LayerState& state) const override;
    void advance(LayerState& state, const Spikes& sources, std::size_t from, std::int64_t horizon,
                 Spikes& spikes) const override;
    [[nodiscard]] std::int64_t least_delay() const override { return least_; }
    [[nodiscard]] double potential(const Spikes& sources, NeuronIndex neuron,
                                   std::int64_t time) const override;
    [[nodiscard]] std::size_t weights() const override { return std::size_t{inputs_} * outputs_; }
    [[nodiscard]] std::size_t delays() const override { return weights(); }
    void set(std::span<const double> weights, std::span<const double> delays, unsigned threads) override;
    void back(const Spikes& sources, const Deltas& deltas, std::span<double> below) const override;
    void add_gradient(const Spikes& sources, const Deltas& deltas, unsigned part, unsigned parts,
                      std::span<double> weights, std::span<double> delays) const override;

  private:
    struct State;
    struct Segment {
        std::int64_t delay;
        std::size_t end;  // of its targets; they begin where those of the segment before end
    };

    std::uint32_t inputs_;
    std::uint32_t outputs_;
    std::int64_t t_max_;
    double V_th_;
    std::int64_t least_ = 0;
    std::span<const double> weights_;   // [input][output]
    std::vector<std::int64_t> delays_;  // [fs]
    std::vector<NeuronIndex> targets_;  // [input], by delay
    std::vector<double> sorted_;        // weights, in the order of targets
    std::vector<Segment> segments_;
    std::vector<std::size_t> rows_;  // segments of input i: [rows[i], rows[i + 1])
};

}  // namespace saltus::learning
