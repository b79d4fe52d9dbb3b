#include <algorithm>
#include <cmath>
#include <utility>

#include "dense_layer.hpp"
#include "s4nn_errors.hpp"
#include "saltus/engine/errors.hpp"
#include "set_layers.hpp"

namespace saltus::learning {

namespace {

/// Gives dense layers a delay for each synapse.
void expand_delays(FirstSpikeNetwork& network) {
    for (FirstSpikeLayer& layer : network.layers) {
        auto* dense = std::get_if<DenseSynapses>(&layer.synapses);
        if (dense && dense->delays.size() == 1) {
            dense->delays.assign(dense->weights.size(), dense->delays.front());
        }
    }
}

/// What a sample leaves for the second half of a step.
struct Trace {
    struct Sources {
        std::vector<Spikes> of_parts;  // or, in the first, those of all
        bool split = false;
    };
    std::vector<Sources> sources;  // of each layer
    std::vector<Deltas> deltas;
};

/// What one thread needs.
struct Worker {
    explicit Worker(const FirstSpikeNetwork& network, const Layers& layers) : forward(network, layers) {
        for (std::size_t l = 1; l < layers.size(); ++l) below.emplace_back(network.layers[l - 1].size(), 0.0);
    }
    Forward forward;
    OutputErrors errors;
    std::vector<std::vector<double>> below;
};

}  // namespace

class S4nnRule::Parts {
  public:
    Parts(FirstSpikeNetwork the_network, std::shared_ptr<const SampleSet> the_samples,
          const S4nnOptions& the_options)
        : network(std::move(the_network)),
          samples(std::move(the_samples)),
          options(the_options),
          loss(network, options) {
        check(network);
        check_samples(network, *samples, options);
        if (options.learn_delays) expand_delays(network);
        check_dropout();
        if (options.shift > 0 && samples->shape().size() < 2) {
            throw UsageError("shift: expected samples of shape (..., rows, columns), found " +
                             to_string(samples->shape()) + ".");
        }
        layers = make_layers(network);
        for (std::size_t l = 0; l < layers.size(); ++l) {
            const FirstSpikeLayer& layer = network.layers[l];
            fixed_delays.push_back(delays_of(layer));
            if (layers[l]->weights() > 0) {
                ParameterGroup group;
                group.name = layer.name + "/weights";
                group.size = layers[l]->weights();
                group.block = layers[l]->block();
                groups.push_back(std::move(group));
            }
            if (options.learn_delays && layers[l]->delays() > 0) {
                ParameterGroup group;
                group.name = layer.name + "/delays";
                group.size = layers[l]->delays();
                group.rate = options.delay_rate;
                group.decays = false;
                group.lower = std::max(0.0, options.delay_step.seconds());
                group.upper = options.largest_delay.seconds();
                groups.push_back(std::move(group));
            }
        }
        used_weights.resize(layers.size());
        used_delays.resize(layers.size());
    }

    void check_dropout() const {
        if (options.dropout.size() > network.layers.size()) {
            throw UsageError("dropout: expected at most " + std::to_string(network.layers.size()) +
                             " shares, of the input and the hidden layers, found " +
                             std::to_string(options.dropout.size()) + ".");
        }
        for (std::size_t l = 0; l < options.dropout.size(); ++l) {
            const double share = options.dropout[l];
            if (!(share >= 0.0 && share < 1.0)) {
                throw UsageError("dropout: expected 0 <= share < 1, found " + shown(share) + ".");
            }
            const auto* dense = std::get_if<DenseSynapses>(&network.layers[l].synapses);
            if (share > 0.0 && (!dense || dense->delays.size() > 1)) {
                throw LimitError("layer " + quoted(network.layers[l].name) +
                                 ": dropout of its input is for dense layers with one delay.");
            }
        }
    }

    void set(std::span<const double> parameters, unsigned threads) {
        std::size_t at = 0;
        for (std::size_t l = 0; l < layers.size(); ++l) {
            used_weights[l].resize(layers[l]->weights());
            round_to_grid(parameters.subspan(at, used_weights[l].size()), used_weights[l],
                          grid_bits(network.layers[l].V_th), layers[l]->block(), threads);
            at += used_weights[l].size();
            if (options.learn_delays && layers[l]->delays() > 0) {
                const double grid = options.delay_step.seconds();
                used_delays[l].resize(layers[l]->delays());
                for (double& d : used_delays[l]) {
                    const double seconds = parameters[at++];
                    d = grid > 0.0 ? std::nearbyint(seconds / grid) * grid : seconds;
                }
            } else {
                used_delays[l] = fixed_delays[l];
            }
            layers[l]->set(used_weights[l], used_delays[l], threads);
        }
    }

    /// What is left of a layer's spikes counts for all of them.
    void scale_for_dropout() {
        for (std::size_t l = 0; l < options.dropout.size(); ++l) {
            if (options.dropout[l] == 0.0) continue;
            static_cast<DenseLayer&>(*layers[l]).set_scale(1.0 / (1.0 - options.dropout[l]));
        }
    }

    void prepare(unsigned threads) {
        while (workers.size() < threads) workers.push_back(std::make_unique<Worker>(network, layers));
    }

    /// Loss of one sample, and whether the decision is right.
    Tally learn_from(Worker& worker, std::uint64_t sample, unsigned parts, Trace& trace) const {
        const SampleSet::View view = (*samples)[sample];
        if (options.dropout.empty() && options.shift == 0) {
            worker.forward.run(view, loss.until(view.label));
        } else {
            const Chance chance(options, samples->shape(), step, sample);
            worker.forward.run(view, loss.until(view.label), &chance);
        }
        loss(worker.forward.output_times(), view.label, worker.errors);
        const Tally tally{1, worker.forward.decision().neuron == view.label ? 1u : 0u, worker.errors.loss};
        trace.sources.resize(layers.size());
        trace.deltas.resize(layers.size());
        for (Deltas& deltas : trace.deltas) deltas.clear();
        if (worker.errors.deltas.empty()) return tally;
        if (options.normalise) normalise(worker.errors.deltas);
        trace.deltas.back() = worker.errors.deltas;
        for (std::size_t l = layers.size(); l-- > 0;) {
            const Spikes& all = worker.forward.spikes(l);
            auto& [of_parts, split] = trace.sources[l];
            of_parts.resize(parts);
            split = layers[l]->split(all, trace.deltas[l], of_parts);
            if (!split) of_parts.front() = all;
            if (l == 0) break;
            layers[l]->back(all, trace.deltas[l], worker.below[l - 1]);
            collect(all, worker.below[l - 1], trace.deltas[l - 1]);
            if (options.normalise) normalise(trace.deltas[l - 1]);
        }
        return tally;
    }

    FirstSpikeNetwork network;
    std::shared_ptr<const SampleSet> samples;
    S4nnOptions options;
    OutputLoss loss;
    Layers layers;
    std::vector<ParameterGroup> groups;
    std::vector<std::vector<double>> fixed_delays;  // those that are not learnt [s]
    std::vector<std::vector<double>> used_weights;  // rounded
    std::vector<std::vector<double>> used_delays;   // rounded [s]
    std::vector<std::unique_ptr<Worker>> workers;
    std::vector<Trace> traces;
    std::vector<Tally> tallies;
    std::uint64_t step = 0;
};

S4nnRule::S4nnRule(FirstSpikeNetwork network, std::shared_ptr<const SampleSet> samples,
                   const S4nnOptions& options)
    : parts_(std::make_unique<Parts>(std::move(network), std::move(samples), options)) {}
S4nnRule::~S4nnRule() = default;

const std::vector<ParameterGroup>& S4nnRule::groups() const {
    return parts_->groups;
}

std::uint64_t S4nnRule::samples() const {
    return parts_->samples->size();
}

std::vector<double> S4nnRule::initial() const {
    std::vector<double> all;
    for (std::size_t l = 0; l < parts_->layers.size(); ++l) {
        FirstSpikeLayer layer = parts_->network.layers[l];
        if (const auto* weights = weights_of(layer)) all.insert(all.end(), weights->begin(), weights->end());
        if (!parts_->options.learn_delays) continue;
        const std::vector<double> delays = delays_of(layer);
        all.insert(all.end(), delays.begin(), delays.end());
    }
    return all;
}

Asked S4nnRule::asked() const {
    const S4nnOptions& options = parts_->options;
    Asked asked = learning::asked(options);
    asked["dropout"] = listed(options.dropout);
    asked["shift"] = std::to_string(options.shift);
    asked["seed of dropout and shift"] = std::to_string(options.random_seed);
    return asked;
}

void S4nnRule::begin_step(std::uint64_t step) {
    parts_->step = step;
}

Tally S4nnRule::gradient(std::span<const double> parameters, std::span<const std::uint64_t> batch,
                         std::span<double> gradient, unsigned threads) {
    Parts& p = *parts_;
    p.set(parameters, threads);
    p.scale_for_dropout();
    p.prepare(threads);
    p.traces.resize(std::max(p.traces.size(), batch.size()));
    p.tallies.resize(batch.size());
    for_each_parallel(batch.size(), threads, [&](std::size_t b, unsigned thread) {
        p.tallies[b] = p.learn_from(*p.workers[thread], batch[b], threads, p.traces[b]);
    });
    for_each_block(threads, threads, [&](std::size_t part) {
        std::size_t at = 0;
        for (std::size_t l = 0; l < p.layers.size(); ++l) {
            const std::span<double> weights = gradient.subspan(at, p.layers[l]->weights());
            at += weights.size();
            const std::span<double> delays =
                gradient.subspan(at, p.options.learn_delays ? p.layers[l]->delays() : 0);
            at += delays.size();
            for (std::size_t b = 0; b < batch.size(); ++b) {
                const Deltas& deltas = p.traces[b].deltas[l];
                if (deltas.empty()) continue;
                const auto& [of_parts, split] = p.traces[b].sources[l];
                p.layers[l]->add_gradient(of_parts[split ? part : 0], deltas,
                                          split ? 0 : static_cast<unsigned>(part), split ? 1 : threads,
                                          weights, delays);
            }
        }
    });
    Tally sum;
    for (const Tally& tally : p.tallies) sum += tally;
    return sum;
}

Tally S4nnRule::measure(std::span<const double> parameters, std::span<const std::uint64_t> samples,
                        unsigned threads) {
    Parts& p = *parts_;
    p.set(parameters, threads);
    p.prepare(threads);
    p.tallies.resize(samples.size());
    for_each_parallel(samples.size(), threads, [&](std::size_t s, unsigned thread) {
        Worker& worker = *p.workers[thread];
        const SampleSet::View view = (*p.samples)[samples[s]];
        worker.forward.run(view, p.loss.until(view.label));
        p.loss(worker.forward.output_times(), view.label, worker.errors);
        p.tallies[s] = {1, worker.forward.decision().neuron == view.label ? 1u : 0u, worker.errors.loss};
    });
    Tally sum;
    for (const Tally& tally : p.tallies) sum += tally;
    return sum;
}

FirstSpikeNetwork S4nnRule::network(std::span<const double> parameters) const {
    parts_->set(parameters, 1);
    FirstSpikeNetwork network = parts_->network;
    for (std::size_t l = 0; l < network.layers.size(); ++l) {
        if (auto* weights = weights_of(network.layers[l])) *weights = parts_->used_weights[l];
        auto* dense = std::get_if<DenseSynapses>(&network.layers[l].synapses);
        if (!dense || parts_->used_delays[l].empty()) continue;
        for (std::size_t k = 0; k < dense->delays.size(); ++k) {
            dense->delays[k] = duration_from_seconds(parts_->used_delays[l][k], "delay");
        }
    }
    return network;
}

}  // namespace saltus::learning
