#include "convolution_layer.hpp"
#include "delayed_layer.hpp"
#include "dense_layer.hpp"
#include "layer.hpp"
#include "window_layer.hpp"

namespace saltus::learning {

std::unique_ptr<Layer> make_layer(const FirstSpikeLayer& layer, std::int64_t t_max) {
    if (const auto* dense = std::get_if<DenseSynapses>(&layer.synapses)) {
        if (dense->delays.size() == 1) return std::make_unique<DenseLayer>(*dense, layer.V_th, t_max);
        return std::make_unique<DelayedLayer>(*dense, layer.V_th, t_max);
    }
    if (const auto* convolution = std::get_if<ConvolutionSynapses>(&layer.synapses)) {
        return std::make_unique<ConvolutionLayer>(*convolution, layer.V_th, t_max);
    }
    return std::make_unique<WindowLayer>(std::get<FirstOfWindow>(layer.synapses), t_max);
}

}  // namespace saltus::learning
