#include "delayed_layer.hpp"
#include "dense_layer.hpp"
#include "layer.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::learning {

std::unique_ptr<Layer> make_layer(const FirstSpikeLayer& layer, std::int64_t t_max) {
    if (const auto* dense = std::get_if<DenseSynapses>(&layer.synapses)) {
        if (dense->delays.size() == 1) return std::make_unique<DenseLayer>(*dense, layer.V_th, t_max);
        return std::make_unique<DelayedLayer>(*dense, layer.V_th, t_max);
    }
    throw LimitError("layer " + quoted(layer.name) +
                     ": convolutional layers of first spikes are not built yet.");
}

}  // namespace saltus::learning
