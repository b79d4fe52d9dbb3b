// The first spike of each window, channel by channel.
//
//   t_j = min over i in the window of t_i + d;   m_ji = [t_i + d <= t_j], w_ji = 1
#pragma once

#include "layer.hpp"

namespace saltus::learning {

class WindowLayer : public Layer {
  public:
    WindowLayer(const FirstOfWindow& window, std::int64_t t_max);

    [[nodiscard]] std::unique_ptr<LayerState> state() const override;
    void reset(LayerState& state) const override;
    void advance(LayerState& state, const Spikes& sources, std::size_t from, std::int64_t horizon,
                 Spikes& spikes) const override;
    [[nodiscard]] std::int64_t least_delay() const override { return delay_; }
    /// Spikes that have arrived.
    [[nodiscard]] double potential(const Spikes& sources, NeuronIndex neuron,
                                   std::int64_t time) const override;
    [[nodiscard]] std::size_t weights() const override { return 0; }
    void set(std::span<const double>, std::span<const double>, unsigned) override {}
    void back(const Spikes& sources, const Deltas& deltas, std::span<double> below) const override;
    void add_gradient(const Spikes&, const Deltas&, unsigned, unsigned, std::span<double>,
                      std::span<double>) const override {}

  private:
    struct State;
    /// The windows that an input place is in.
    [[nodiscard]] std::span<const std::uint32_t> windows(std::uint32_t place) const {
        return {windows_.data() + begin_[place], windows_.data() + begin_[place + 1]};
    }

    std::uint32_t channels_;
    std::uint32_t inputs_;   // places of the input
    std::uint32_t outputs_;  // windows
    std::int64_t delay_;
    std::int64_t t_max_;
    std::vector<std::uint32_t> windows_;
    std::vector<std::uint32_t> begin_;
};

}  // namespace saltus::learning
