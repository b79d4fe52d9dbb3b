#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "dense_layer.hpp"
#include "s4nn_errors.hpp"
#include "saltus/engine/errors.hpp"
#include "set_layers.hpp"

namespace saltus::learning {

namespace {

constexpr double smallest_scale = 0.5;           // of a layer, before its weights are multiplied out
constexpr std::uint64_t between_averages = 256;  // samples: averaging costs as much as some of them

}  // namespace

/// The decay multiplies all weights of a layer: it is kept as one factor of the layer.
class S4nnSequential::Parts {
  public:
    Parts(FirstSpikeNetwork the_network, std::shared_ptr<const SampleSet> the_samples,
          const S4nnOptions& the_options, const S4nnSequentialOptions& sequential)
        : network(std::move(the_network)),
          samples(std::move(the_samples)),
          options(the_options),
          loss(network, options) {
        const std::size_t n = network.layers.size();
        for (std::size_t l = 0; l < n; ++l) {
            const auto* dense = std::get_if<DenseSynapses>(&network.layers[l].synapses);
            if (!dense || dense->delays.size() != 1) {
                throw NetworkError(network.layers[l].name, "",
                                   "the rule that learns from one sample at a time is for dense layers with "
                                   "one delay. Use mini-batches.");
            }
            rates.push_back(at_layer(sequential.learning_rates, l, n, "learning rates"));
            decays.push_back(at_layer(sequential.weight_decays, l, n, "weight decays"));
        }
        layers = make_layers(network);
        set_layers(network, layers, 1);
        scales.assign(n, 1.0);
        forward = std::make_unique<Forward>(network, layers);
        if (!(sequential.averaged_samples >= 0.0)) {
            throw UsageError("averaged samples: expected >= 0, found " + shown(sequential.averaged_samples) +
                             ".");
        }
        if (sequential.averaged_samples > 0.0) averaged = network;
        averaged_samples = sequential.averaged_samples;
        least_taken = static_cast<double>(between_averages) / std::max(sequential.averaged_samples, 1.0);
        for (std::size_t l = 1; l < n; ++l) below.emplace_back(network.layers[l - 1].size(), 0.0);
    }

    [[nodiscard]] DenseLayer& layer(std::size_t l) { return static_cast<DenseLayer&>(*layers[l]); }
    [[nodiscard]] std::vector<double>& weights(std::size_t l) { return *weights_of(network.layers[l]); }

    /// W <- W - eta dW;  W <- W - eta lambda W
    void descend(std::size_t l, double factor) {
        const double rate = rates[l] * factor;
        if (!deltas.empty()) layer(l).descend(forward->spikes(l), deltas, rate, weights(l));
        if (decays[l] == 0.0) return;
        scales[l] *= 1.0 - rate * decays[l];
        if (scales[l] < smallest_scale) {
            for (double& w : weights(l)) w *= scales[l];
            scales[l] = 1.0;
            layer(l).set(weights(l), {}, 1);
        }
        layer(l).set_scale(scales[l]);
    }

    /// The network as it is handed out.
    [[nodiscard]] FirstSpikeNetwork result() const {
        if (averaged) return *averaged;
        FirstSpikeNetwork now = network;
        for (std::size_t l = 0; l < now.layers.size(); ++l) {
            for (double& w : *weights_of(now.layers[l])) w *= scales[l];
        }
        return now;
    }

    void average() {
        if (!averaged || ++learnt % between_averages != 0) return;
        const double n = static_cast<double>(learnt / between_averages);
        const double taken = std::min(1.0, std::max(least_taken, 1.0 / n));
        for (std::size_t l = 0; l < layers.size(); ++l) {
            std::vector<double>& mean = *weights_of(averaged->layers[l]);
            const std::vector<double>& now = weights(l);
            for (std::size_t k = 0; k < mean.size(); ++k) mean[k] += taken * (now[k] * scales[l] - mean[k]);
        }
    }

    Tally learn(std::uint64_t sample, double factor) {
        const SampleSet::View view = (*samples)[sample];
        const Tally tally = look(*forward, view, errors);
        deltas = errors.deltas;
        if (options.normalise) normalise(deltas);
        for (std::size_t l = layers.size(); l-- > 0;) {
            const bool late = options.order == S4nnOptions::Order::code;
            if (late) descend(l, factor);
            if (l > 0 && !deltas.empty()) layer(l).back(forward->spikes(l), deltas, below[l - 1]);
            if (!late) descend(l, factor);
            if (l == 0 || deltas.empty()) continue;
            collect(forward->spikes(l), below[l - 1], deltas);
            if (options.normalise) normalise(deltas);
        }
        average();
        return tally;
    }

    Tally look(Forward& run, const SampleSet::View& view, OutputErrors& found) const {
        run.run(view, loss.until(view.label));
        loss(run.output_times(), view.label, found);
        return {1, run.decision().neuron == view.label ? 1u : 0u, found.loss};
    }

    FirstSpikeNetwork network;  // its weights are those of the layers, without their scales
    std::shared_ptr<const SampleSet> samples;
    S4nnOptions options;
    OutputLoss loss;
    std::vector<double> rates;
    std::vector<double> decays;
    std::vector<double> scales;
    Layers layers;
    std::unique_ptr<Forward> forward;
    OutputErrors errors;
    Deltas deltas;
    std::vector<std::vector<double>> below;
    std::optional<FirstSpikeNetwork> averaged;
    double averaged_samples = 0.0;
    double least_taken = 1.0;
    std::uint64_t learnt = 0;  // samples
};

S4nnSequential::S4nnSequential(FirstSpikeNetwork network, std::shared_ptr<const SampleSet> samples,
                               const S4nnOptions& options, const S4nnSequentialOptions& sequential) {
    check(network);
    check_samples(network, *samples, options);
    parts_ = std::make_unique<Parts>(std::move(network), std::move(samples), options, sequential);
}
S4nnSequential::~S4nnSequential() = default;

std::uint64_t S4nnSequential::samples() const {
    return parts_->samples->size();
}

Tally S4nnSequential::learn(std::span<const std::uint64_t> batch, double rate_factor, unsigned) {
    Tally sum;
    for (const std::uint64_t sample : batch) sum += parts_->learn(sample, rate_factor);
    return sum;
}

Tally S4nnSequential::measure(std::span<const std::uint64_t> samples, unsigned threads) {
    const Parts& p = *parts_;
    const FirstSpikeNetwork network = p.result();
    const Layers layers = make_layers(network);
    const auto delays = set_layers(network, layers, threads);
    std::vector<std::unique_ptr<Forward>> runs;
    for (unsigned t = 0; t < threads; ++t) runs.push_back(std::make_unique<Forward>(network, layers));
    std::vector<OutputErrors> errors(threads);
    std::vector<Tally> tallies(samples.size());
    for_each_parallel(samples.size(), threads, [&](std::size_t s, unsigned thread) {
        tallies[s] = p.look(*runs[thread], (*p.samples)[samples[s]], errors[thread]);
    });
    Tally sum;
    for (const Tally& tally : tallies) sum += tally;
    return sum;
}

Asked S4nnSequential::asked() const {
    Asked asked = learning::asked(parts_->options);
    asked["order of steps"] = parts_->options.order == S4nnOptions::Order::paper ? "paper" : "code";
    asked["learning rates"] = listed(parts_->rates);
    asked["weight decays"] = listed(parts_->decays);
    asked["averaged samples"] = shown(parts_->averaged_samples);
    return asked;
}

LearnerState S4nnSequential::state() const {
    LearnerState state{{"scales", parts_->scales}, {"samples", {static_cast<double>(parts_->learnt)}}};
    for (std::size_t l = 0; l < parts_->layers.size(); ++l) {
        const std::string& name = parts_->network.layers[l].name;
        state[name + "/weights"] = parts_->weights(l);
        if (parts_->averaged) state[name + "/averaged"] = *weights_of(parts_->averaged->layers[l]);
    }
    return state;
}

void S4nnSequential::restore(const LearnerState& state) {
    Parts& p = *parts_;
    const std::vector<double>& scales = entry(state, "scales", p.layers.size());
    const auto learnt = static_cast<std::uint64_t>(entry(state, "samples", 1)[0]);
    std::vector<std::vector<double>> weights;
    std::vector<std::vector<double>> averaged;
    for (std::size_t l = 0; l < p.layers.size(); ++l) {
        const std::string& name = p.network.layers[l].name;
        weights.push_back(entry(state, name + "/weights", p.layers[l]->weights()));
        if (p.averaged) averaged.push_back(entry(state, name + "/averaged", p.layers[l]->weights()));
    }
    p.scales = scales;
    p.learnt = learnt;
    for (std::size_t l = 0; l < p.layers.size(); ++l) {
        p.weights(l) = std::move(weights[l]);
        if (p.averaged) *weights_of(p.averaged->layers[l]) = std::move(averaged[l]);
        p.layer(l).set(p.weights(l), {}, 1);
        p.layer(l).set_scale(p.scales[l]);
    }
}

FirstSpikeNetwork S4nnSequential::network() const {
    return parts_->result();
}

}  // namespace saltus::learning
