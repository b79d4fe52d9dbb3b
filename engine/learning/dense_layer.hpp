// All to all with one delay.
//
// Potentials are kept in whole numbers of 2^-k, so that a layer runs in integers whatever its weights are.
// Rounding a weight moves a potential by at most half a unit for each arrival; a neuron that comes as near to
// its threshold as that is added up again in double. Where all weights are multiples of 2^-k, as those of
// training are, that never happens. Either way the times are those of doubles, to the last bit.
#pragma once

#include <boost/align/aligned_allocator.hpp>

#include "grid_kernel.hpp"
#include "layer.hpp"

namespace saltus::learning {

/// Trained weights are multiples of 2^-grid_bits: about 10^-6 of the threshold, and floats as long as they
/// are below 16 times the threshold.
[[nodiscard]] int grid_bits(double V_th);

/// The finest grid, in bits, on which sums of weights and thresholds up to `largest` fit whole numbers.
[[nodiscard]] int most_bits(double largest);

using Grid = std::vector<std::int32_t, boost::alignment::aligned_allocator<std::int32_t, 64>>;

/// rounded[j] = row[j] * unit to the nearest; false if one was none.
bool round_row(const double* row, std::int32_t* rounded, std::size_t n, double unit);

/// to[k] = from[k], rounded to multiples of 2^-bits, a block for each thread in turn.
void round_to_grid(std::span<const double> from, std::span<double> to, int bits, std::size_t block,
                   unsigned threads);

class DenseLayer : public Layer {
  public:
    DenseLayer(const DenseSynapses& synapses, double V_th, std::int64_t t_max);

    [[nodiscard]] std::unique_ptr<LayerState> state() const override;
    void reset(LayerState& state) const override;
    void advance(LayerState& state, const Spikes& sources, std::size_t from, std::int64_t horizon,
                 Spikes& spikes) const override;
    [[nodiscard]] std::int64_t least_delay() const override { return delay_; }
    [[nodiscard]] double potential(const Spikes& sources, NeuronIndex neuron,
                                   std::int64_t time) const override;
    [[nodiscard]] std::size_t weights() const override { return std::size_t{inputs_} * outputs_; }
    [[nodiscard]] std::size_t block() const override { return block_rows * std::size_t{outputs_}; }
    void set(std::span<const double> weights, std::span<const double> delays, unsigned threads) override;
    void back(const Spikes& sources, const Deltas& deltas, std::span<double> below) const override;
    void add_gradient(const Spikes& sources, const Deltas& deltas, unsigned part, unsigned parts,
                      std::span<double> weights, std::span<double> delays) const override;

    bool split(const Spikes& sources, const Deltas& deltas, std::span<Spikes> own) const override;

    /// One step of W <- W - rate dW for one sample.
    void descend(const Spikes& sources, const Deltas& deltas, double rate, std::span<double> weights);
    /// Weights are `scale` times those that were set.
    void set_scale(double scale);

  private:
    static constexpr std::size_t block_rows = 16;
    struct State;
    [[nodiscard]] bool reached(const Spikes& sources, std::size_t end, NeuronIndex neuron) const;
    void keep_reached(Hit& hit, const Spikes& sources, std::size_t end, Grid& V) const;
    /// Rounds the weights to bits_; returns the largest sum of magnitudes of an output's weights.
    double round(unsigned threads);
    void choose_threshold();

    std::uint32_t inputs_;
    std::uint32_t outputs_;
    std::size_t stride_;  // a row, padded
    std::int64_t delay_;
    std::int64_t t_max_;
    double V_th_;
    double scale_ = 1.0;
    std::span<const double> exact_;  // [input][output]
    int bits_ = 0;                   // k
    bool on_grid_ = true;
    double room_ = 0.0;       // by which the sum of a neuron's weights may grow
    std::int32_t slack_ = 0;  // what rounding can move a potential by
    std::int32_t start_ = 0;  // potential at the start, counted from the threshold less the slack
    Grid grid_;
    std::vector<double> steps_;  // of the weights of a source
};

}  // namespace saltus::learning
