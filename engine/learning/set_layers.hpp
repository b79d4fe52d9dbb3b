// Parameters of a network, handed to its layers.
#pragma once

#include "forward.hpp"

namespace saltus::learning {

/// Weights of a layer, or null where it has none.
[[nodiscard]] inline const std::vector<double>* weights_of(const FirstSpikeLayer& layer) {
    if (const auto* dense = std::get_if<DenseSynapses>(&layer.synapses)) return &dense->weights;
    if (const auto* convolution = std::get_if<ConvolutionSynapses>(&layer.synapses)) {
        return &convolution->weights;
    }
    return nullptr;
}
[[nodiscard]] inline std::vector<double>* weights_of(FirstSpikeLayer& layer) {
    return const_cast<std::vector<double>*>(weights_of(static_cast<const FirstSpikeLayer&>(layer)));
}

/// Delays [s] of a layer that has one for each synapse; else empty.
[[nodiscard]] inline std::vector<double> delays_of(const FirstSpikeLayer& layer) {
    std::vector<double> seconds;
    const auto* dense = std::get_if<DenseSynapses>(&layer.synapses);
    if (!dense || dense->delays.size() < 2) return seconds;
    for (const Duration d : dense->delays) seconds.push_back(d.seconds());
    return seconds;
}

/// The layers refer to the weights of `network`. Returns their delays.
inline std::vector<std::vector<double>> set_layers(const FirstSpikeNetwork& network, const Layers& layers,
                                                   unsigned threads) {
    std::vector<std::vector<double>> delays;
    for (std::size_t l = 0; l < layers.size(); ++l) {
        const std::vector<double>* weights = weights_of(network.layers[l]);
        delays.push_back(delays_of(network.layers[l]));
        layers[l]->set(weights ? std::span<const double>(*weights) : std::span<const double>(), delays.back(),
                       threads);
    }
    return delays;
}

}  // namespace saltus::learning
