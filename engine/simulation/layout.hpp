// Where a population keeps its neurons during a run. Outside, an index is row-major in the population's
// shape. Inside, the target of a convolution keeps the channels of one pixel side by side: what one spike
// brings to a pixel is then one contiguous row of weights onto one contiguous row of neurons.
#pragma once

#include <cstdint>

#include "saltus/engine/network.hpp"

namespace saltus {

class Layout {
  public:
    Layout() = default;
    /// (channel, pixel) kept as (pixel, channel).
    [[nodiscard]] static Layout channels_last(std::uint32_t channels, std::uint32_t pixels) {
        Layout layout;
        layout.channels_ = channels;
        layout.pixels_ = pixels;
        return layout;
    }

    /// Neurons that lie side by side and are looked at together.
    [[nodiscard]] std::uint32_t block() const { return channels_; }
    [[nodiscard]] NeuronIndex inside(NeuronIndex j) const {
        return pixels_ == 0 ? j : j % pixels_ * channels_ + j / pixels_;
    }
    [[nodiscard]] NeuronIndex outside(NeuronIndex i) const {
        return pixels_ == 0 ? i : i % channels_ * pixels_ + i / channels_;
    }

  private:
    std::uint32_t channels_ = 1;
    std::uint32_t pixels_ = 0;  // 0: as outside
};

/// The layout that suits the projections into population `target`.
[[nodiscard]] inline Layout layout_of(const Network& network, std::uint32_t target) {
    for (const Projection& projection : network.projections()) {
        if (projection.target != target || projection.stages.empty()) continue;
        for (auto stage = projection.stages.rbegin(); stage != projection.stages.rend(); ++stage) {
            if (std::holds_alternative<Flatten>(*stage) || std::holds_alternative<Delay>(*stage)) continue;
            if (const auto* c = std::get_if<Convolution>(&*stage)) {
                return Layout::channels_last(c->out_channels, c->out_size[0] * c->out_size[1]);
            }
            break;
        }
    }
    return {};
}

}  // namespace saltus
