// One sample, everything in full: what tests and explanations look at. Steps of training do the same through
// s4nn_rule.cpp and s4nn_sequential.cpp.
#include <algorithm>

#include "s4nn_errors.hpp"
#include "saltus/engine/errors.hpp"
#include "set_layers.hpp"

namespace saltus::learning {

S4nnStep s4nn_step(const FirstSpikeNetwork& network, const SampleSet::View& sample,
                   const S4nnOptions& options, const S4nnSequentialOptions& sequential) {
    check(network);
    FirstSpikeNetwork now = network;  // in the code order, layers change on the way down
    Layers layers = make_layers(now);
    std::vector<std::vector<double>> delays = set_layers(now, layers, 1);
    Forward forward(now, layers);
    forward.run(sample, {});

    const std::size_t n = layers.size();
    const std::int64_t t_max = network.t_max.femtoseconds();
    const std::int64_t margin = options.margin.femtoseconds();
    S4nnStep step;
    step.layers.resize(n);
    for (std::size_t l = 0; l < n; ++l) {
        const std::uint32_t size = network.layers[l].size();
        step.layers[l].times.assign(size, Time(network.t_max));
        step.layers[l].raw_delta.assign(size, 0.0);
        step.layers[l].delta.assign(size, 0.0);
        step.layers[l].weights.assign(layers[l]->weights(), 0.0);
        step.layers[l].delays.assign(layers[l]->delays(), 0.0);
        const Spikes& spikes = forward.spikes(l + 1);
        for (std::size_t s = 0; s < spikes.size(); ++s) {
            step.layers[l].times[spikes.neurons[s]] = Time(Duration(spikes.times[s]));
        }
    }
    OutputErrors errors;
    OutputLoss(network, options)(forward.output_times(), sample.label, errors);
    step.loss = errors.loss;
    for (const std::int64_t t : s4nn_targets(forward.output_times(), sample.label, t_max, margin)) {
        step.targets.push_back(Time(Duration(t)));
    }
    for (const Delta& delta : errors.deltas) step.layers[n - 1].raw_delta[delta.neuron] = delta.value;
    Deltas deltas = errors.deltas;
    if (options.normalise) normalise(deltas);
    for (std::size_t l = n; l-- > 0;) {
        S4nnStep::Layer& layer = step.layers[l];
        for (const Delta& delta : deltas) layer.delta[delta.neuron] = delta.value;
        layers[l]->add_gradient(forward.spikes(l), deltas, 0, 1, layer.weights, layer.delays);
        if (l == 0) break;
        if (options.order == S4nnOptions::Order::code) {
            const double rate = at_layer(sequential.learning_rates, l, n, "learning rates");
            const double decay = at_layer(sequential.weight_decays, l, n, "weight decays");
            std::vector<double>* weights = weights_of(now.layers[l]);
            if (!weights) throw UsageError("the code order is for layers with weights.");
            for (std::size_t k = 0; k < weights->size(); ++k) {
                double& w = (*weights)[k];
                w -= rate * layer.weights[k];
                w -= rate * decay * w;
            }
            layers[l]->set(*weights, delays[l], 1);
        }
        std::vector<double>& below = step.layers[l - 1].raw_delta;
        layers[l]->back(forward.spikes(l), deltas, below);
        std::vector<double> taken = below;
        collect(forward.spikes(l), taken, deltas);
        if (options.normalise) normalise(deltas);
    }
    return step;
}

}  // namespace saltus::learning
