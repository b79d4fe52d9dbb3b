// Equal neurons at the places of a plane: at each place a group of them, one of each channel, that receives
// all that its window of the layer before sends. A convolution has as many places as its feature maps have
// pixels, which share their weights; a matrix is the case of a single place whose window is everything. Each
// place is a SharedLayer: nothing happens at one that nothing reaches.
#pragma once

#include "chain_layer.hpp"
#include "saltus/engine/projection.hpp"
#include "shared_layer.hpp"

namespace saltus::learning {

class PlacesLayer final : public ChainLayer {
  public:
    /// A matrix [source][neuron]. `once`, `readout`: as in SharedLayer; `end`: of a sample [s].
    PlacesLayer(const LinearNeuron& neuron, const Dense& matrix, bool once, const ClassLoss* readout,
                double end);
    /// A convolution of one group, without bias.
    PlacesLayer(const LinearNeuron& neuron, const Convolution& convolution, bool once, double end);

    [[nodiscard]] std::uint32_t size() const override { return channels() * places(); }
    /// As the stage holds them.
    void set_weights(std::span<const double> weights) override;
    [[nodiscard]] std::unique_ptr<LayerRun> run() const override;

    /// Where a spike arrives, and which of the inputs of that place it is, but for its channel.
    struct Reach {
        std::uint32_t place;
        std::uint32_t tap;
    };
    [[nodiscard]] std::uint32_t places() const { return places_; }
    [[nodiscard]] std::uint32_t channels() const { return shared_.size(); }
    /// Inputs of one place from one channel.
    [[nodiscard]] std::uint32_t taps() const { return taps_; }
    /// Pixels of a channel of the layer before.
    [[nodiscard]] std::uint32_t plane() const { return static_cast<std::uint32_t>(begin_.size() - 1); }
    [[nodiscard]] std::span<const Reach> reach(std::uint32_t pixel) const {
        return std::span(reach_).subspan(begin_[pixel], begin_[pixel + 1] - begin_[pixel]);
    }
    [[nodiscard]] const SharedLayer& shared() const { return shared_; }
    /// Place among the parameters of the weight from an input of a place to its neuron of a channel.
    [[nodiscard]] std::size_t parameter(std::size_t input, std::size_t channel) const {
        return input * input_stride_ + channel * channel_stride_;
    }
    [[nodiscard]] double end() const { return end_; }

  private:
    SharedLayer shared_;
    std::uint32_t places_;
    std::uint32_t taps_;
    std::size_t input_stride_;
    std::size_t channel_stride_;
    std::vector<Reach> reach_;  // of each pixel in turn
    std::vector<std::uint32_t> begin_;
    double end_;
};

}  // namespace saltus::learning
