// How the spikes of a layer reach the places of the next: a convolution has as many places as its feature
// maps have pixels, which share their weights; a matrix is the case of a single place whose window is
// everything. At a place is a neuron of each channel, and all of them receive the same inputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "saltus/engine/projection.hpp"

namespace saltus::learning {

class PlaceMap {
  public:
    explicit PlaceMap(const Dense& matrix);
    /// Of one group.
    explicit PlaceMap(const Convolution& convolution);

    /// Where a spike arrives, and which of the inputs of that place it is, but for its channel.
    struct Reach {
        std::uint32_t place;
        std::uint32_t tap;
    };
    [[nodiscard]] std::uint32_t places() const { return places_; }
    [[nodiscard]] std::uint32_t channels() const { return channels_; }
    /// Inputs of one place, and those from one channel of the layer before.
    [[nodiscard]] std::uint32_t inputs() const { return inputs_; }
    [[nodiscard]] std::uint32_t taps() const { return taps_; }
    /// f(place, input) for all that a neuron of the layer before reaches.
    template <class F>
    void reach(std::uint32_t neuron, F&& f) const {
        const std::uint32_t plane = static_cast<std::uint32_t>(begin_.size() - 1);
        const std::uint32_t pixel = neuron % plane;
        const std::uint32_t first = neuron / plane * taps_;
        for (std::uint32_t k = begin_[pixel]; k < begin_[pixel + 1]; ++k)
            f(reach_[k].place, first + reach_[k].tap);
    }
    [[nodiscard]] std::size_t input_stride() const { return input_stride_; }
    [[nodiscard]] std::size_t channel_stride() const { return channel_stride_; }
    /// Place among the parameters of the weight from an input of a place to its neuron of a channel.
    [[nodiscard]] std::size_t parameter(std::size_t input, std::size_t channel) const {
        return input * input_stride_ + channel * channel_stride_;
    }

  private:
    std::uint32_t places_;
    std::uint32_t channels_;
    std::uint32_t inputs_;
    std::uint32_t taps_;
    std::size_t input_stride_;
    std::size_t channel_stride_;
    std::vector<Reach> reach_;  // of each pixel in turn
    std::vector<std::uint32_t> begin_;
};

}  // namespace saltus::learning
