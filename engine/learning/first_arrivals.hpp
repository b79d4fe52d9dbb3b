// Neurons that fire with the first spike in their window, whichever it is, and then no more: the spike's time
// is theirs, and so is its error.
#pragma once

#include "chain_layer.hpp"
#include "saltus/engine/projection.hpp"

namespace saltus::learning {

class FirstArrivals final : public ChainLayer {
  public:
    explicit FirstArrivals(const Pooling& windows);

    [[nodiscard]] std::uint32_t size() const override { return channels_ * places_; }
    [[nodiscard]] std::unique_ptr<LayerRun> run() const override;

    /// The windows of a channel that hold a pixel.
    [[nodiscard]] std::span<const std::uint32_t> windows(std::uint32_t pixel) const {
        return std::span(window_).subspan(begin_[pixel], begin_[pixel + 1] - begin_[pixel]);
    }
    [[nodiscard]] std::uint32_t plane() const { return static_cast<std::uint32_t>(begin_.size() - 1); }
    [[nodiscard]] std::uint32_t places() const { return places_; }

  private:
    std::uint32_t channels_;
    std::uint32_t places_;
    std::vector<std::uint32_t> window_;  // of each pixel in turn
    std::vector<std::uint32_t> begin_;
};

}  // namespace saltus::learning
