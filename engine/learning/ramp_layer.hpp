// Equal RampIf neurons, each of which fires at most once, at the places of a plane (place_map.hpp). All that
// counts of what arrives is its time before the ramp, so that a layer is one product with its weights:
//
//   V_i = V_0 + R t_min I_e + R J sum_j w_ij max(0, t_min - a_j)      at t_min
//   t_i = t_min + max(0, V_th - V_i) / slope                          if that is before t_max
//   dL/dV_i = -(dL/dt_i) / slope where V_i < V_th, else 0;   dL/dw_ij = R J (t_min - a_j) dL/dV_i,
//   dL/da_j = -R J sum_i w_ij dL/dV_i
//
// (Stanojevic et al. 2024). Times and decisions are those of the exact clock to its rounding. What is silent
// costs nothing.
#pragma once

#include "chain_layer.hpp"
#include "place_map.hpp"
#include "saltus/engine/neurons/ramp_if.hpp"

namespace saltus::learning {

class RampLayer final : public ChainLayer {
  public:
    /// `end`: of a sample [s].
    RampLayer(const neurons::RampIf& neuron, PlaceMap map, double end);

    [[nodiscard]] std::uint32_t size() const override { return map_.channels() * map_.places(); }
    /// As the stage holds them.
    void set_weights(std::span<const double> weights) override;
    [[nodiscard]] std::unique_ptr<LayerRun> run() const override;

    [[nodiscard]] const neurons::RampIf& neuron() const { return neuron_; }
    [[nodiscard]] const PlaceMap& map() const { return map_; }
    [[nodiscard]] double end() const { return end_; }
    /// Numbers of a row of channels, and of one of inputs, the last of which are 0.
    [[nodiscard]] std::size_t channel_width() const { return channel_width_; }
    [[nodiscard]] std::size_t input_width() const { return input_width_; }
    /// [input][channel] and [channel][input].
    [[nodiscard]] const double* by_input() const { return by_input_.data(); }
    [[nodiscard]] const double* by_channel() const { return by_channel_.data(); }

  private:
    neurons::RampIf neuron_;
    PlaceMap map_;
    double end_;
    std::size_t channel_width_;
    std::size_t input_width_;
    std::vector<double> by_input_;
    std::vector<double> by_channel_;
};

}  // namespace saltus::learning
