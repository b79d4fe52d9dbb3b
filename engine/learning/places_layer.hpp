// Equal neurons at the places of a plane (place_map.hpp). Each place is a SharedLayer: nothing happens at one
// that nothing reaches.
#pragma once

#include "chain_layer.hpp"
#include "place_map.hpp"
#include "shared_layer.hpp"

namespace saltus::learning {

class PlacesLayer final : public ChainLayer {
  public:
    /// `once`, `readout`: as in SharedLayer, the latter for a matrix only; `end`: of a sample [s].
    PlacesLayer(const LinearNeuron& neuron, PlaceMap map, bool once, const ClassLoss* readout, double end);

    [[nodiscard]] std::uint32_t size() const override { return map_.channels() * map_.places(); }
    /// As the stage holds them.
    void set_weights(std::span<const double> weights) override;
    [[nodiscard]] std::unique_ptr<LayerRun> run() const override;

    [[nodiscard]] const PlaceMap& map() const { return map_; }
    [[nodiscard]] const SharedLayer& shared() const { return shared_; }
    [[nodiscard]] double end() const { return end_; }

  private:
    PlaceMap map_;
    SharedLayer shared_;
    double end_;
};

}  // namespace saltus::learning
