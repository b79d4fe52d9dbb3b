// A convolution with one delay. A spike is added to the cells (all channels of one place) around it; see
// dense_layer.hpp on potentials in whole numbers.
//
//   V_o,p(t) = sum over c, k of w_o,c,k [t_c,q + d <= t],  q = p stride + k dilation - padding
#pragma once

#include <optional>

#include "dense_layer.hpp"
#include "grid_kernel.hpp"

namespace saltus::learning {

class ConvolutionLayer : public Layer {
  public:
    ConvolutionLayer(const ConvolutionSynapses& synapses, double V_th, std::int64_t t_max);

    [[nodiscard]] std::unique_ptr<LayerState> state() const override;
    void reset(LayerState& state) const override;
    void advance(LayerState& state, const Spikes& sources, std::size_t from, std::int64_t horizon,
                 Spikes& spikes) const override;
    [[nodiscard]] std::int64_t least_delay() const override { return delay_; }
    [[nodiscard]] double potential(const Spikes& sources, NeuronIndex neuron,
                                   std::int64_t time) const override;
    [[nodiscard]] std::size_t weights() const override {
        return std::size_t{shape_.out_channels} * channels_ * kernel_;
    }
    void set(std::span<const double> weights, std::span<const double> delays, unsigned threads) override;
    void back(const Spikes& sources, const Deltas& deltas, std::span<double> below) const override;
    void add_gradient(const Spikes& sources, const Deltas& deltas, unsigned part, unsigned parts,
                      std::span<double> weights, std::span<double> delays) const override;

  private:
    struct State;
    [[nodiscard]] double sum(const Spikes& sources, std::size_t end, NeuronIndex neuron) const;
    void round();
    /// [input place][input channel]: when what it sends arrives.
    [[nodiscard]] std::vector<std::int64_t> arrivals(const Spikes& sources) const;
    [[nodiscard]] std::span<const Tap> taps(std::uint32_t input_place) const {
        return {taps_.data() + tap_begin_[input_place], taps_.data() + tap_begin_[input_place + 1]};
    }
    /// The taps of an output place, whose cells are input places.
    [[nodiscard]] std::span<const Tap> field(std::uint32_t place) const {
        return {fields_.data() + field_begin_[place], fields_.data() + field_begin_[place + 1]};
    }

    Convolution shape_;
    std::uint32_t channels_;  // of the input, in one group
    std::uint32_t filters_;   // channels of the output, in one group
    std::uint32_t kernel_;    // places of the kernel
    std::uint32_t inputs_;    // places of the input
    std::uint32_t outputs_;   // and of the output
    std::size_t stride_;      // a cell, padded
    std::int64_t delay_;
    std::int64_t t_max_;
    double V_th_;
    std::vector<Tap> taps_;
    std::vector<std::uint32_t> tap_begin_;
    std::vector<Tap> fields_;
    std::vector<std::uint32_t> field_begin_;
    std::span<const double> exact_;  // [output channel][input channel of the group][place of the kernel]
    std::vector<double> by_place_;   // the same, [output channel][place of the kernel][input channel]
    int bits_ = 0;
    bool on_grid_ = true;
    std::int32_t slack_ = 0;
    std::int32_t start_ = 0;
    Grid grid_;  // [input channel][place of the kernel][output channel of the group, padded]
};

}  // namespace saltus::learning
