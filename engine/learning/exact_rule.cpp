#include "saltus/engine/learning/exact_rule.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "exact_backend.hpp"
#include "saltus/engine/digest.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/random.hpp"

namespace saltus::learning {

namespace {

/// Mini-batches are cut into so many pieces, whatever the number of threads: each has a sum of its own.
constexpr std::size_t most_pieces = 4;
/// Which draw of a sample mirrors it; the first ones move it and leave spikes out.
constexpr std::uint64_t draw_of_mirror = ~std::uint64_t{0};

UsageError refused(const std::string& option, const std::string& expected, const std::string& found) {
    return UsageError(option + ": expected " + expected + ", found " + found + ".");
}

std::uint32_t the_input(const Network& network) {
    std::optional<std::uint32_t> found;
    const auto populations = network.populations();
    for (std::uint32_t q = 0; q < populations.size(); ++q) {
        if (!populations[q].is_input()) continue;
        if (found) throw UsageError("network: expected one input population, found several.");
        found = q;
    }
    if (!found) throw UsageError("network: expected one input population, found none.");
    return *found;
}

std::uint32_t the_readout(const Network& network, const std::string& name) {
    if (!name.empty()) return network.index_of(name);
    const auto populations = network.populations();
    std::vector<bool> sends(populations.size(), false);
    for (const Projection& projection : network.projections()) sends[projection.source] = true;
    const auto last = static_cast<std::size_t>(std::count(sends.begin(), sends.end(), false));
    if (last != 1) {
        throw UsageError("readout: expected its name, for " + std::to_string(last) +
                         " populations send to no other.");
    }
    return static_cast<std::uint32_t>(std::find(sends.begin(), sends.end(), false) - sends.begin());
}

}  // namespace

class ExactRule::Parts {
  public:
    Parts(const Network& network, std::shared_ptr<const SampleSet> the_samples, const ExactOptions& options)
        : samples(std::move(the_samples)), circuit_(network), options_(options) {
        check();
        const Network& net = circuit_.network();
        BackendOptions chosen;
        chosen.loss = options.loss;
        chosen.input = the_input(net);
        chosen.readout = the_readout(net, options.readout);
        chosen.duration = options.duration;
        chosen.largest_factor = options.largest_factor;
        chosen.wake = options.wake;
        chosen.learn_delays = options.learn_delays;
        const Population& input = net.populations()[chosen.input];
        const Population& readout = net.populations()[chosen.readout];
        if (input.size() != element_count(samples->shape())) {
            throw refused("samples",
                          std::to_string(input.size()) + " inputs as the population " + quoted(input.name),
                          std::to_string(element_count(samples->shape())));
        }
        if (readout.is_source() || readout.size() != samples->classes()) {
            throw refused(
                "readout " + quoted(readout.name),
                "a population of " + std::to_string(samples->classes()) + " neurons, one for each class",
                std::to_string(readout.size()));
        }
        if (!options.loss.is_of_potentials() && !neurons::is_spiking(readout.model)) {
            throw UsageError("readout " + quoted(readout.name) +
                             ": a loss of spike times needs neurons that fire. Take one of potentials, for "
                             "example mean_potential.");
        }
        for (std::uint32_t q = 0; q < net.populations().size(); ++q) {
            if (q != chosen.readout && neurons::is_spiking(net.populations()[q].model) &&
                !net.populations()[q].is_source())
                hidden_.push_back(q);
        }
        if (hidden_.empty() && !options.rates.is_open())
            throw UsageError(
                "band of rates: expected populations that fire between input and readout, found none.");
        make_groups();
        backend_ = options.learn_delays ? nullptr : layered_backend(circuit_, chosen);
        layered = backend_ != nullptr;
        if (!backend_) backend_ = circuit_backend(circuit_, chosen);
        for (std::size_t p = 0; p < most_pieces; ++p) workers_.push_back(backend_->worker());
    }

    void set(std::span<const double> parameters) {
        std::size_t from = 0;
        for (std::size_t k = 0; k < groups.size(); ++k) {
            circuit_.set_parameters(places_[k], parameters.subspan(from, groups[k].size));
            from += groups[k].size;
        }
        if (!layered) circuit_.update();
        backend_->refresh();
    }
    [[nodiscard]] std::vector<double> initial() const {
        std::vector<double> result;
        for (std::size_t k = 0; k < groups.size(); ++k) {
            const auto first = circuit_.parameters().begin() + static_cast<std::ptrdiff_t>(places_[k]);
            result.insert(result.end(), first, first + static_cast<std::ptrdiff_t>(groups[k].size));
        }
        return result;
    }

    Tally measure(std::span<const std::uint64_t> batch, unsigned threads,
                  std::vector<std::uint32_t>* decisions = nullptr) {
        std::vector<Tally> tallies(most_pieces);
        each_sample(batch, threads, {}, [&](std::size_t i, std::size_t piece, const SampleSpikes& spikes) {
            tallies[piece] += run(piece, spikes, batch[i], false, decisions ? &(*decisions)[i] : nullptr);
        });
        return finish(tallies);
    }
    /// `seed` draws what training changes of the samples.
    Tally learn(std::span<const std::uint64_t> batch, std::uint64_t seed, unsigned threads) {
        if (!options_.rates.is_open()) backend_->pull(pulls(batch, seed, threads));
        for (auto& worker : workers_) worker->begin();
        std::vector<Tally> tallies(most_pieces);
        each_sample(batch, threads, seed, [&](std::size_t i, std::size_t piece, const SampleSpikes& spikes) {
            tallies[piece] += run(piece, spikes, batch[i], true, nullptr);
        });
        return finish(tallies);
    }
    void add_gradient(std::span<double> gradient, unsigned threads) {
        by_parameter_.resize(circuit_.parameters().size(), 0.0);
        for_each_block(threads, threads, [&](std::size_t part) {
            for (const auto& worker : workers_)
                worker->add_gradient(by_parameter_, static_cast<unsigned>(part), threads);
        });
        std::size_t to = 0;
        for (std::size_t k = 0; k < groups.size(); ++k) {
            for (std::size_t i = places_[k]; i < places_[k] + groups[k].size; ++i) {
                gradient[to++] += by_parameter_[i];
                by_parameter_[i] = 0.0;
            }
        }
    }
    [[nodiscard]] bool changes_samples() const {
        return options_.input_dropout > 0.0 || options_.input_shift > 0 || options_.input_mirror;
    }
    [[nodiscard]] Network network() const { return circuit_.with_parameters(); }
    [[nodiscard]] Asked asked() const {
        const ClassLoss& loss = options_.loss;
        const RateBand& rates = options_.rates;
        Asked asked{
            {"loss", std::string(class_loss_name(loss.kind)) + ", tau_0 " + shown(loss.tau_0) + ", alpha " +
                         shown(loss.alpha) + ", tau_1 " + shown(loss.tau_1) + ", target " +
                         shown(loss.target) + ", other target " + shown(loss.other_target) + ", gap " +
                         shown(loss.gap) + ", silent " + shown(loss.silent) + ", gain " + shown(loss.gain) +
                         ", decay " + shown(loss.decay)},
            {"duration", to_string(options_.duration)},
            {"largest factor", shown(options_.largest_factor)},
            {"wake", shown(options_.wake)},
            {"band of rates",
             shown(rates.lower) + " to " + shown(rates.upper) + ", strength " + shown(rates.strength)},
            {"input dropout", shown(options_.input_dropout)},
            {"input shift", std::to_string(options_.input_shift)},
            {"input mirror", options_.input_mirror ? "true" : "false"},
            {"learnt delays", options_.learn_delays ? "true" : "false"}};
        if (options_.learn_delays) {
            asked["largest delay"] = to_string(options_.largest_delay);
            asked["rate of delays"] = shown(options_.delay_rate);
        }
        return asked;
    }

    std::shared_ptr<const SampleSet> samples;
    std::vector<ParameterGroup> groups;
    bool layered = false;
    Counts counts;

  private:
    void check() const {
        options_.loss.check();
        if (options_.duration <= Duration()) throw refused("duration", "> 0", to_string(options_.duration));
        if (!(options_.largest_factor > 0.0))
            throw refused("largest factor", "> 0", shown(options_.largest_factor));
        if (!(options_.wake >= 0.0)) throw refused("wake", ">= 0", shown(options_.wake));
        const RateBand& rates = options_.rates;
        if (!(rates.lower >= 0.0 && std::isfinite(rates.lower)))
            throw refused("lower end of the band of rates", ">= 0 spikes a sample", shown(rates.lower));
        if (!(rates.upper >= rates.lower))
            throw refused("upper end of the band of rates",
                          "no less than its lower end, " + shown(rates.lower), shown(rates.upper));
        if (!(rates.strength >= 0.0 && std::isfinite(rates.strength)))
            throw refused("strength of the band of rates", ">= 0", shown(rates.strength));
        if (!(options_.delay_rate > 0.0)) throw refused("delay rate", "> 0", shown(options_.delay_rate));
        if (!(options_.input_dropout >= 0.0 && options_.input_dropout < 1.0))
            throw refused("input dropout", "0 <= x < 1", shown(options_.input_dropout));
        if (options_.input_shift > 0 && samples->shape().size() < 2)
            throw refused("input shift", "images, samples of two dimensions", to_string(samples->shape()));
        if (options_.input_mirror && samples->shape().size() < 2)
            throw refused("input mirror", "images, samples of two dimensions", to_string(samples->shape()));
    }

    void make_groups() {
        const Network& net = circuit_.network();
        for (const StageParameters& at : circuit_.stages()) {
            const Projection& projection = net.projections()[at.projection];
            const std::string name =
                net.projection_name(projection) +
                (projection.stages.size() > 1 ? "/" + std::to_string(at.stage) : std::string());
            const auto add = [&](const char* what, std::size_t place, std::size_t size) -> ParameterGroup* {
                if (size == 0) return nullptr;
                groups.push_back({name + "/" + what, size});
                places_.push_back(place);
                return &groups.back();
            };
            add("weights", at.weights, at.weight_count);
            if (ParameterGroup* bias = add("bias", at.bias, at.bias_count)) bias->decays = false;
            if (!options_.learn_delays) continue;
            if (ParameterGroup* delays = add("delays", at.delays, at.delay_count)) {
                delays->rate = options_.delay_rate;
                delays->decays = false;
                delays->lower = 0.0;
                delays->upper = options_.largest_delay.seconds();
            }
        }
    }

    /// f(which of the batch, piece, its spikes); `seed`: with what training changes of them.
    template <class F>
    void each_sample(std::span<const std::uint64_t> batch, unsigned threads,
                     std::optional<std::uint64_t> seed, F&& f) {
        const std::size_t pieces = std::min(most_pieces, batch.size());
        for_each_parallel(pieces, threads, [&](std::size_t p, unsigned) {
            SampleSpikes spikes;
            for (std::size_t i = batch.size() * p / pieces; i < batch.size() * (p + 1) / pieces; ++i) {
                take((*samples)[batch[i]], seed, batch[i], spikes);
                f(i, p, spikes);
            }
        });
    }
    Tally run(std::size_t piece, const SampleSpikes& spikes, std::uint64_t number, bool learns,
              std::uint32_t* decision) {
        const std::uint32_t label = (*samples)[number].label;
        const SampleOutcome outcome = workers_[piece]->run(spikes, label, learns);
        if (decision) *decision = outcome.decided;
        found_[piece].spikes += outcome.spikes;
        found_[piece].events += outcome.events;
        found_[piece].bounded += outcome.bounded;
        return {1, outcome.decided == label ? 1u : 0u, outcome.loss};
    }
    /// The sums over the pieces.
    Tally finish(std::span<const Tally> tallies) {
        Tally tally;
        for (std::size_t p = 0; p < most_pieces; ++p) {
            tally += tallies[p];
            counts.spikes += found_[p].spikes;
            counts.events += found_[p].events;
            counts.bounded += found_[p].bounded;
            found_[p] = {};
        }
        return tally;
    }

    /// What pulls each neuron into its band, by a run of the batch beforehand.
    std::vector<double> pulls(std::span<const std::uint64_t> batch, std::uint64_t seed, unsigned threads) {
        std::vector<std::vector<std::uint64_t>> fired(most_pieces,
                                                      std::vector<std::uint64_t>(circuit_.neurons(), 0));
        each_sample(batch, threads, seed, [&](std::size_t i, std::size_t piece, const SampleSpikes& spikes) {
            (void)workers_[piece]->run(spikes, (*samples)[batch[i]].label, false);
            workers_[piece]->add_counts(fired[piece]);
        });
        std::vector<double> pulls(circuit_.neurons(), 0.0);
        for (const std::uint32_t q : hidden_) {
            for (std::uint32_t i = circuit_.first(q); i < circuit_.first(q + 1); ++i) {
                std::uint64_t sum = 0;
                for (const auto& of_piece : fired) sum += of_piece[i];
                pulls[i] = options_.rates.slope(static_cast<double>(sum) / static_cast<double>(batch.size()));
            }
        }
        return pulls;
    }

    /// The spikes of a sample; with a seed changed by chance, as in training.
    void take(const SampleSet::View& sample, std::optional<std::uint64_t> seed, std::uint64_t number,
              SampleSpikes& spikes) const {
        spikes.times.assign(sample.times.begin(), sample.times.end());
        spikes.neurons.assign(sample.neurons.begin(), sample.neurons.end());
        if (!seed || !changes_samples()) return;
        const CounterRandom random(*seed, number);
        std::int64_t down = 0;
        std::int64_t right = 0;
        if (const std::uint32_t shift = options_.input_shift; shift > 0) {
            down = static_cast<std::int64_t>(random.below(0, 2 * shift + 1)) - shift;
            right = static_cast<std::int64_t>(random.below(1, 2 * shift + 1)) - shift;
        }
        const bool mirrored = options_.input_mirror && random.uniform(draw_of_mirror) < 0.5;
        const Shape& shape = samples->shape();
        const std::int64_t width = shape.size() < 2 ? 1 : shape.back();
        const std::int64_t height = shape.size() < 2 ? 1 : shape[shape.size() - 2];
        std::size_t kept = 0;
        for (std::size_t k = 0; k < spikes.times.size(); ++k) {
            if (options_.input_dropout > 0.0 && random.uniform(2 + k) < options_.input_dropout) continue;
            std::int64_t neuron = spikes.neurons[k];
            if (mirrored) neuron += width - 1 - 2 * (neuron % width);
            if (options_.input_shift > 0) {
                const std::int64_t x = neuron % width + right;
                const std::int64_t y = neuron / width % height + down;
                if (x < 0 || x >= width || y < 0 || y >= height) continue;
                neuron += down * width + right;
            }
            spikes.times[kept] = spikes.times[k];
            spikes.neurons[kept++] = static_cast<NeuronIndex>(neuron);
        }
        spikes.times.resize(kept);
        spikes.neurons.resize(kept);
        if (!mirrored) return;
        for (std::size_t k = 0, end = 0; k < kept; k = end) {  // in an instant neurons come in order
            while (end < kept && spikes.times[end] == spikes.times[k]) ++end;
            std::sort(spikes.neurons.begin() + static_cast<std::ptrdiff_t>(k),
                      spikes.neurons.begin() + static_cast<std::ptrdiff_t>(end));
        }
    }

    Circuit circuit_;
    ExactOptions options_;
    std::vector<std::size_t> places_;  // of each group among the circuit's parameters
    std::unique_ptr<Backend> backend_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<Counts> found_ = std::vector<Counts>(most_pieces);  // of each worker since the last sum
    std::vector<std::uint32_t> hidden_;                             // populations that fire, but the readout
    std::vector<double> by_parameter_;                              // of the circuit; 0 between steps
};

ExactRule::ExactRule(const Network& network, std::shared_ptr<const SampleSet> samples,
                     const ExactOptions& options)
    : parts_(std::make_unique<Parts>(network, std::move(samples), options)) {}
ExactRule::~ExactRule() = default;

const std::vector<ParameterGroup>& ExactRule::groups() const {
    return parts_->groups;
}
std::vector<double> ExactRule::initial() const {
    return parts_->initial();
}
std::uint64_t ExactRule::samples() const {
    return parts_->samples->size();
}

Asked ExactRule::asked() const {
    return parts_->asked();
}

Tally ExactRule::gradient(std::span<const double> parameters, std::span<const std::uint64_t> batch,
                          std::span<double> gradient, unsigned threads) {
    parts_->set(parameters);
    // Draws are a function of the parameters, so that a training that goes on from a snapshot draws the same.
    std::uint64_t seed = 0;
    if (parts_->changes_samples()) {
        Digest digest;
        for (std::size_t k = 0; k < parameters.size(); k += 1 + parameters.size() / 256)
            digest.number(parameters[k]);
        seed = digest.value();
    }
    const Tally tally = parts_->learn(batch, seed, threads);
    parts_->add_gradient(gradient, threads);
    return tally;
}

Tally ExactRule::measure(std::span<const double> parameters, std::span<const std::uint64_t> samples,
                         unsigned threads) {
    parts_->set(parameters);
    return parts_->measure(samples, threads);
}

std::vector<std::uint32_t> ExactRule::decide(std::span<const double> parameters,
                                             std::span<const std::uint64_t> samples, unsigned threads) {
    parts_->set(parameters);
    std::vector<std::uint32_t> decisions(samples.size());
    (void)parts_->measure(samples, threads, &decisions);
    return decisions;
}

Network ExactRule::network(std::span<const double> parameters) {
    parts_->set(parameters);
    return parts_->network();
}
bool ExactRule::is_layered() const {
    return parts_->layered;
}
ExactRule::Counts ExactRule::counts() const {
    return parts_->counts;
}

Network in_layers(const Network& network) {
    std::vector<Projection> projections(network.projections().begin(), network.projections().end());
    for (Projection& projection : projections) {
        for (Stage& stage : projection.stages) {
            if (auto* convolution = std::get_if<Convolution>(&stage)) {
                bool is_zero = true;
                for (std::size_t k = 0; k < convolution->bias.size(); ++k)
                    is_zero = is_zero && convolution->bias[k] == 0.0;
                if (is_zero) convolution->bias = {};
            }
            const auto* rule = std::get_if<saltus::Rule>(&stage);
            if (!rule || rule->kind != saltus::Rule::Kind::all_to_all || !rule->autapses) continue;
            const Sparse sparse = Sparse::of(*rule);
            std::vector<double> weights(sparse.weights.size());
            for (std::size_t k = 0; k < weights.size(); ++k) weights[k] = sparse.weights[k];
            stage = Dense{rule->name, 1, rule->inputs, rule->outputs, Weights(weights), {}};
        }
    }
    return Network({network.populations().begin(), network.populations().end()}, std::move(projections),
                   {network.outputs().begin(), network.outputs().end()});
}

}  // namespace saltus::learning
