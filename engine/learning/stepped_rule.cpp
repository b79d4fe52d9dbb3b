#include "saltus/engine/learning/stepped_rule.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "../simulation/stepped_neurons.hpp"
#include "linear_path.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/snapshot.hpp"
#include "surrogate/options.hpp"

namespace saltus::learning {

namespace {

using stepped::LinearStep;
using stepped::NeuronRule;
using stepped::Reset;
using stepped::ResetTime;

/// A projection, and where its parameters begin.
struct Path {
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    LinearPath way;
    std::size_t weights = none;
    std::size_t size = 0;  // of the weights
    std::size_t bias = none;
    std::size_t bias_size = 0;
};

/// One population on the way back.
struct Neurons {
    std::size_t n = 0;
    bool spikes = false;
    std::uint32_t layer = 0;  // l, of those that spike; 0: no way leads to it
    LinearStep step;          // none of the input
};

/// f(weights, bias, name) of a Dense or Convolution.
template <class S, class F>
void with_weights(S& stage, F&& f) {
    std::visit(
        [&]<class One>(One& one) {
            if constexpr (requires { one.bias; }) f(one.weights, one.bias);
        },
        stage);
}

std::vector<double> numbers(const Weights& weights) {
    std::vector<double> values(weights.size());
    for (std::size_t k = 0; k < values.size(); ++k) values[k] = weights[k];
    return values;
}

LinearStep linear_step(const Population& population, const SteppedRules& rules) {
    std::optional<LinearStep> step;
    if (rules.precision == stepped::Precision::float32) {
        step = stepped::make_group<float>(population, rules, Layout(), {})->linear();
    } else {
        step = stepped::make_group<double>(population, rules, Layout(), {})->linear();
    }
    const std::string name = "population " + quoted(population.name) + ": ";
    if (!step) {
        throw LimitError(name + "a step of " + quoted(rules.name) +
                         " is not linear between thresholds, and does not learn by surrogate gradients.");
    }
    const NeuronRule& rule = step->rule;
    const bool late_value = rule.reset_time == ResetTime::next_step && rule.reset != Reset::subtract;
    if (!step->V_th.empty() && (rule.reset_time == ResetTime::before_and_after || late_value)) {
        throw LimitError(name + "the reset of " + quoted(rules.name) +
                         " for this neuron does not learn by surrogate gradients.");
    }
    return *std::move(step);
}

}  // namespace

class SteppedRule::Machine {
  public:
    Machine(Network network, SteppedRules rules, std::shared_ptr<const FrameSet> samples,
            const SurrogateOptions& options)
        : network_(std::move(network)),
          rules_(std::move(rules)),
          samples_(std::move(samples)),
          options_(options) {
        surrogate::check(options);
        if (options.truncate > 0)
            throw LimitError("truncate: a network on the stepped clock learns over all steps; expected 0.");
        if (options.recompute) {
            throw LimitError(
                "recompute: a network on the stepped clock keeps its potentials; expected not to be asked "
                "for.");
        }
        if (options.precision == SurrogateOptions::Precision::float64)
            rules_.precision = stepped::Precision::float64;
        // What the threshold sees is what the derivative of a spike is a function of.
        recording_ = rules_;
        for (NeuronRule* rule : {&recording_.without_leak, &recording_.with_leak, &recording_.with_current})
            rule->record_before_reset = true;
        add_projections();
        add_populations();
        check_samples();
        static_cast<void>(SteppedSimulation(network_, recording_));
    }

    [[nodiscard]] Network with(std::span<const double> parameters) const {
        const auto populations = network_.populations();
        const auto outputs = network_.outputs();
        std::vector<Projection> projections(network_.projections().begin(), network_.projections().end());
        for (std::size_t k = 0; k < paths_.size(); ++k) {
            const Path& path = paths_[k];
            if (path.weights == Path::none) continue;
            const auto some = [&](std::size_t at, std::size_t n) {
                const auto from = parameters.begin() + static_cast<std::ptrdiff_t>(at);
                return Weights(std::vector<double>(from, from + static_cast<std::ptrdiff_t>(n)));
            };
            with_weights(projections[k].stages[*path.way.weighted()], [&](Weights& weights, Weights& bias) {
                weights = some(path.weights, path.size);
                if (path.bias != Path::none) bias = some(path.bias, path.bias_size);
            });
        }
        return {{populations.begin(), populations.end()},
                std::move(projections),
                {outputs.begin(), outputs.end()}};
    }

    /// What a sample does in a run, and what the network makes of it.
    struct Outcome {
        SteppedRecord record;
        std::vector<double> out;
        double loss = 0.0;
        std::uint32_t answer = 0;
    };
    [[nodiscard]] Outcome run(const SteppedSimulation& simulation, std::span<const float> frames,
                              std::uint32_t label) const {
        SteppedOptions options;
        options.steps = steps();
        options.record_potentials = true;
        const std::string& input = network_.populations()[input_].name;
        SteppedSample sample;
        sample.inputs.push_back(
            {input, Raster::of(frames, static_cast<std::uint32_t>(neurons_[input_].n), input)});
        Outcome outcome;
        outcome.record = std::move(simulation.run({sample}, options)[0]);
        outcome.out = outcome.record.counts[output_];
        const auto best = std::max_element(outcome.out.begin(), outcome.out.end());
        outcome.answer = static_cast<std::uint32_t>(best - outcome.out.begin());
        double sum = 0.0;
        for (const double x : outcome.out) sum += std::exp(x - *best);
        outcome.loss = *best + std::log(sum) - outcome.out[label];
        for (std::size_t q = 0; q < neurons_.size(); ++q) {
            if (neurons_[q].spikes)
                outcome.loss += options_.activity * share(q) * 0.5 * mean_square(outcome.record, q);
        }
        return outcome;
    }

    /// Adds the gradient of one sample.
    void backward(const Outcome& outcome, std::span<const float> frames, std::uint32_t label,
                  std::span<const double> parameters, std::span<double> gradient) const;

    [[nodiscard]] std::uint32_t steps() const { return samples_->layout().steps; }
    /// l / L
    [[nodiscard]] double share(std::size_t q) const {
        return static_cast<double>(neurons_[q].layer) / static_cast<double>(std::max(layers_, 1u));
    }
    [[nodiscard]] double mean_square(const SteppedRecord& record, std::size_t q) const {
        const Raster& spikes = record.spikes[q];
        double sum = 0.0;
        for (std::uint64_t e = 0; e < spikes.indices.size(); ++e) {
            const double z = spikes.amplitude(e) / neurons_[q].step.height;
            sum += z * z;
        }
        return sum / (static_cast<double>(steps()) * static_cast<double>(neurons_[q].n));
    }
    [[nodiscard]] double rate(const SteppedRecord& record, std::size_t q) const {
        return static_cast<double>(record.spike_counts[q]) /
               (static_cast<double>(steps()) * static_cast<double>(neurons_[q].n));
    }

    Network network_;
    SteppedRules rules_;
    SteppedRules recording_;
    std::shared_ptr<const FrameSet> samples_;
    SurrogateOptions options_;
    std::vector<Path> paths_;       // of each projection
    std::vector<Neurons> neurons_;  // of each population
    std::vector<std::uint32_t> order_;
    std::uint32_t input_ = 0;
    std::uint32_t output_ = 0;
    std::uint32_t layers_ = 0;
    std::vector<ParameterGroup> groups_;
    std::vector<double> initial_;
    std::uint64_t step_ = 0;

  private:
    void add_projections() {
        const auto take = [&](const std::string& name, const Weights& values, bool decays) {
            const std::size_t at = initial_.size();
            const std::vector<double> all = numbers(values);
            initial_.insert(initial_.end(), all.begin(), all.end());
            ParameterGroup group;
            group.name = name;
            group.size = all.size();
            group.decays = decays;
            groups_.push_back(std::move(group));
            return at;
        };
        std::set<std::string> names;
        for (const Projection& projection : network_.projections()) {
            Path path{LinearPath(network_, projection, rules_.dt)};
            const std::string name = network_.projection_name(projection);
            if (path.way.weighted()) {
                const Stage& stage = projection.stages[*path.way.weighted()];
                const std::string node(stage_name(stage));
                if (!node.empty() && !names.insert(node).second) {
                    throw LimitError(
                        name + ": node " + quoted(node) +
                        " stands in two projections, which would learn apart. Give each its own.");
                }
                with_weights(stage, [&](const Weights& weights, const Weights& bias) {
                    path.weights = take(name + "/weights", weights, true);
                    path.size = weights.size();
                    if (bias.empty()) return;
                    path.bias = take(name + "/bias", bias, false);
                    path.bias_size = bias.size();
                });
            }
            paths_.push_back(std::move(path));
        }
        if (initial_.empty()) throw LimitError("network: has no weights to learn.");
    }

    void add_populations() {
        const auto populations = network_.populations();
        const std::vector<std::uint32_t> levels = network_.levels();
        order_.resize(populations.size());
        std::iota(order_.begin(), order_.end(), std::uint32_t{0});
        std::stable_sort(order_.begin(), order_.end(),
                         [&](std::uint32_t a, std::uint32_t b) { return levels[a] < levels[b]; });
        neurons_.resize(populations.size());
        std::size_t inputs = 0;
        for (const std::uint32_t q : order_) {
            Neurons& neurons = neurons_[q];
            neurons.n = populations[q].size();
            if (populations[q].is_source()) {
                ++inputs;
                input_ = q;
                continue;
            }
            neurons.step = linear_step(populations[q], rules_);
            neurons.spikes = !neurons.step.V_th.empty();
        }
        if (inputs != 1 || !populations[input_].is_input()) {
            throw LimitError("network: expected one input to learn from frames, found " +
                             std::to_string(inputs) + " sources.");
        }
        if (network_.outputs().size() != 1) {
            throw LimitError("network: expected one output to decide, found " +
                             std::to_string(network_.outputs().size()) + ".");
        }
        output_ = network_.outputs()[0].population;
        add_layers();
    }

    /// The layer of a population is how many projections lead to it from the input, at least.
    void add_layers() {
        std::vector<std::uint32_t> depth(neurons_.size(), 0);
        std::vector<std::uint32_t> reached{input_};
        for (std::size_t k = 0; k < reached.size(); ++k) {
            for (const Path& path : paths_) {
                const std::uint32_t target = path.way.target();
                if (path.way.source() != reached[k] || target == input_ || depth[target] != 0) continue;
                depth[target] = depth[reached[k]] + 1;
                reached.push_back(target);
            }
        }
        for (std::size_t q = 0; q < neurons_.size(); ++q) {
            if (!neurons_[q].spikes) continue;
            neurons_[q].layer = depth[q];
            layers_ = std::max(layers_, depth[q]);
        }
    }

    void check_samples() const {
        const FrameLayout& layout = samples_->layout();
        const auto population = [&](std::uint32_t q) {
            return "population " + quoted(network_.populations()[q].name);
        };
        if (neurons_[input_].n != layout.width()) {
            throw UsageError("samples: expected " + std::to_string(neurons_[input_].n) +
                             " numbers a step, as " + population(input_) + " has, found " +
                             std::to_string(layout.width()) + ".");
        }
        if (neurons_[output_].n != layout.classes.size()) {
            throw UsageError("samples: expected " + std::to_string(neurons_[output_].n) +
                             " classes, as many as " + population(output_) + " has neurons, found " +
                             std::to_string(layout.classes.size()) + ".");
        }
        if (layout.dt != rules_.dt) {
            throw UsageError("samples: expected steps of " + to_string(rules_.dt) +
                             ", as the network has, found " + to_string(layout.dt) +
                             ". Make the frames as long as a step.");
        }
    }
};

namespace {

/// The derivative of -log softmax(out)[label] by out.
std::vector<double> loss_slope(const std::vector<double>& out, std::uint32_t label) {
    const double largest = *std::max_element(out.begin(), out.end());
    std::vector<double> slope(out.size());
    double total = 0.0;
    for (std::size_t j = 0; j < slope.size(); ++j) total += slope[j] = std::exp(out[j] - largest);
    for (double& x : slope) x /= total;
    slope[label] -= 1.0;
    return slope;
}

/// The derivative of the loss by the state of a population after a step, and by what it sent in it, as far as
/// later steps depend on them.
struct Carried {
    std::vector<double> V, I, z;
};

/// From `by_sent` (by what each neuron sends in this step) and `later` to the input x; `later` becomes that
/// of the step before. V as the threshold sees it, z spikes of this step, of each neuron; `before` likewise
/// V of the last step, z_before its spikes, null in the first.
void step_back(const LinearStep& s, bool spikes, const SurrogateOptions& options, const double* V,
               const double* z, const double* V_before, const double* z_before, const double* by_sent,
               Carried& later, double* by_x, std::size_t n) {
    const NeuronRule& rule = s.rule;
    const bool subtracts = rule.reset == Reset::subtract;
    const bool attached = !options.detach_reset;
    for (std::size_t i = 0; i < n; ++i) {
        double by_V = later.V[i];
        if (!spikes) {
            by_V += by_sent[i];
        } else {
            const double V_th = s.V_th[i];
            const double excess = rule.counts ? V[i] / V_th - 1.0 : V[i] - V_th;
            const double d = options.function.derivative(excess) / (rule.counts ? V_th : 1.0);
            double by_z = by_sent[i] * s.height + later.z[i];
            if (rule.reset_time == ResetTime::same_step) {
                const double to = subtracts ? V[i] - z[i] * V_th : (z[i] > 0.0 ? s.V_reset[i] : V[i]);
                const bool cut = (rule.floor == stepped::Floor::zero && to < 0.0) ||
                                 (rule.floor == stepped::Floor::minus_threshold && to < -V_th);
                if (cut) by_V = 0.0;
                if (attached) by_z += by_V * (subtracts ? -V_th : s.V_reset[i] - V[i]);
                if (!subtracts && z[i] > 0.0) by_V = 0.0;
            }
            by_V += d * by_z;
        }
        // V' of this step from V of the last one, which the reset may still have to reach.
        double by_membrane = by_V;
        later.z[i] = 0.0;
        if (spikes && z_before && rule.reset_time != ResetTime::same_step) {
            const double V_th = s.V_th[i];
            const double slope = rule.reset_time == ResetTime::next_step ? 1.0 : s.V_V[i];
            if (attached) later.z[i] = by_V * slope * (subtracts ? -V_th : s.V_reset[i] - V_before[i]);
            if (!subtracts && z_before[i] > 0.0) by_membrane = 0.0;
        }
        later.V[i] = s.V_V[i] * by_membrane;
        const double by_u = s.V_u[i] * by_V;
        by_x[i] = s.u_x[i] * by_u + s.I_x[i] * later.I[i];
        later.I[i] = s.u_I[i] * by_u + s.I_I[i] * later.I[i];
    }
}

}  // namespace

void SteppedRule::Machine::backward(const Outcome& outcome, std::span<const float> frames,
                                    std::uint32_t label, std::span<const double> parameters,
                                    std::span<double> gradient) const {
    const std::size_t T = steps();
    const std::size_t populations = neurons_.size();
    const SteppedRecord& record = outcome.record;
    std::vector<std::vector<double>> sent(populations);     // amplitudes, [step][neuron]
    std::vector<std::vector<double>> by_sent(populations);  // the derivative by them
    std::vector<Carried> later(populations);
    std::vector<double> z;
    std::vector<double> z_before;
    std::vector<double> by_x;
    sent[input_].assign(frames.begin(), frames.end());
    for (std::size_t q = 0; q < populations; ++q) {
        if (q == input_) continue;
        const std::size_t n = neurons_[q].n;
        by_sent[q].assign(T * n, 0.0);
        for (std::vector<double>* state : {&later[q].V, &later[q].I, &later[q].z}) state->assign(n, 0.0);
        if (!neurons_[q].spikes) {
            sent[q] = record.potentials[q];
            continue;
        }
        sent[q] = record.spikes[q].dense();
        const double height = neurons_[q].step.height;
        const double push = options_.activity * share(q) / (static_cast<double>(T * n) * height * height);
        for (std::size_t k = 0; k < T * n; ++k) by_sent[q][k] = push * sent[q][k];
    }
    const std::vector<double> slope = loss_slope(outcome.out, label);
    for (std::size_t t = neurons_[output_].spikes ? 0 : T - 1; t < T; ++t) {
        for (std::size_t j = 0; j < slope.size(); ++j) by_sent[output_][t * slope.size() + j] += slope[j];
    }

    const auto spikes_in = [&](std::uint32_t q, std::size_t t, std::vector<double>& spikes) {
        const Neurons& neurons = neurons_[q];
        spikes.resize(neurons.n);
        for (std::size_t i = 0; i < neurons.n; ++i)
            spikes[i] = sent[q][t * neurons.n + i] / neurons.step.height;
    };
    for (std::size_t t = T; t-- > 0;) {
        for (auto at = order_.rbegin(); at != order_.rend(); ++at) {
            const std::uint32_t q = *at;
            if (q == input_) continue;
            const Neurons& neurons = neurons_[q];
            const std::size_t n = neurons.n;
            spikes_in(q, t, z);
            if (t > 0) spikes_in(q, t - 1, z_before);
            const double* V = record.potentials[q].data() + t * n;
            by_x.resize(n);
            step_back(neurons.step, neurons.spikes, options_, V, z.data(), t > 0 ? V - n : nullptr,
                      t > 0 ? z_before.data() : nullptr, by_sent[q].data() + t * n, later[q], by_x.data(), n);
            if (std::all_of(by_x.begin(), by_x.end(), [](double x) { return x == 0.0; })) continue;
            for (const Path& path : paths_) {
                const LinearPath& way = path.way;
                if (way.target() != q) continue;
                if (path.bias != Path::none && t >= way.bias_delay())
                    way.bias_back(by_x.data(), gradient.data() + path.bias);
                if (t < way.delay()) continue;
                const std::uint32_t source = way.source();
                const std::size_t from = (t - way.delay()) * neurons_[source].n;
                const bool learns = path.weights != Path::none;
                way.back(sent[source].data() + from, by_x.data(),
                         learns ? parameters.subspan(path.weights, path.size) : std::span<const double>(),
                         learns ? gradient.data() + path.weights : nullptr,
                         source == input_ ? nullptr : by_sent[source].data() + from);
            }
        }
    }
}

SteppedRule::SteppedRule(Network network, SteppedRules rules, std::shared_ptr<const FrameSet> samples,
                         const SurrogateOptions& options)
    : machine_(std::make_unique<Machine>(std::move(network), std::move(rules), std::move(samples), options)) {
}
SteppedRule::~SteppedRule() = default;

Network SteppedRule::network(std::span<const double> parameters) const {
    return machine_->with(parameters);
}
const std::vector<ParameterGroup>& SteppedRule::groups() const {
    return machine_->groups_;
}
std::vector<double> SteppedRule::initial() const {
    return machine_->initial_;
}
std::uint64_t SteppedRule::samples() const {
    return machine_->samples_->size();
}
void SteppedRule::begin_step(std::uint64_t step) {
    machine_->step_ = step;
}
std::vector<std::string> SteppedRule::layers() const {
    std::vector<std::string> names;
    for (const std::uint32_t q : machine_->order_) {
        if (machine_->neurons_[q].spikes) names.push_back(machine_->network_.populations()[q].name);
    }
    return names;
}
Asked SteppedRule::asked() const {
    Asked asked = surrogate::asked(machine_->options_, *machine_->samples_);
    asked["network"] = std::to_string(digest(machine_->network_));
    asked["convention"] = machine_->rules_.name;
    return asked;
}

Tally SteppedRule::gradient(std::span<const double> parameters, std::span<const std::uint64_t> batch,
                            std::span<double> gradient, unsigned threads) {
    const Machine& m = *machine_;
    const SteppedSimulation simulation(m.with(parameters), m.recording_);
    std::vector<std::vector<float>> frames(std::max(threads, 1u),
                                           std::vector<float>(m.samples_->layout().values()));
    std::vector<Tally> tallies(batch.size());
    ordered_sum(batch.size(), threads, gradient, [&](std::size_t k, unsigned thread, std::span<double> sum) {
        m.samples_->read_altered(batch[k], m.step_, frames[thread]);
        const std::uint32_t label = m.samples_->label(batch[k]);
        const Machine::Outcome outcome = m.run(simulation, frames[thread], label);
        m.backward(outcome, frames[thread], label, parameters, sum);
        tallies[k] = {1, outcome.answer == label ? 1u : 0u, outcome.loss};
    });
    Tally tally;
    for (const Tally& one : tallies) tally += one;
    return tally;
}

SurrogateMeasure SteppedRule::measure_all(std::span<const double> parameters,
                                          std::span<const std::uint64_t> samples, unsigned threads) {
    const Machine& m = *machine_;
    const SteppedSimulation simulation(m.with(parameters), m.recording_);
    const std::size_t classes = m.neurons_[m.output_].n;
    std::vector<std::vector<float>> frames(std::max(threads, 1u),
                                           std::vector<float>(m.samples_->layout().values()));
    struct One {
        std::uint32_t answer = 0;
        double loss = 0.0;
        std::vector<double> rates;
    };
    std::vector<One> all(samples.size());
    for_each_parallel(samples.size(), threads, [&](std::size_t k, unsigned thread) {
        m.samples_->read(samples[k], frames[thread]);
        const Machine::Outcome outcome = m.run(simulation, frames[thread], m.samples_->label(samples[k]));
        all[k].answer = outcome.answer;
        all[k].loss = outcome.loss;
        for (const std::uint32_t q : m.order_) {
            if (m.neurons_[q].spikes) all[k].rates.push_back(m.rate(outcome.record, q));
        }
    });
    SurrogateMeasure measure;
    measure.rates.assign(layers().size(), 0.0);
    measure.confusion.assign(classes, std::vector<std::uint64_t>(classes, 0));
    for (std::size_t k = 0; k < samples.size(); ++k) {
        const std::uint32_t label = m.samples_->label(samples[k]);
        measure.tally += {1, all[k].answer == label ? 1u : 0u, all[k].loss};
        ++measure.confusion[label][all[k].answer];
        for (std::size_t l = 0; l < measure.rates.size(); ++l)
            measure.rates[l] += all[k].rates[l] / static_cast<double>(samples.size());
    }
    return measure;
}

}  // namespace saltus::learning
