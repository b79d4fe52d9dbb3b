#include "saltus/engine/learning/first_spike.hpp"

#include <cmath>
#include <optional>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/overloaded.hpp"

namespace saltus::learning {

namespace {

constexpr double after_spike = -0x1p100;  // V of a neuron that has fired: no sum of weights lifts it again

std::string found(std::uint64_t n) {
    return ", found " + std::to_string(n) + ".";
}

void check_weights(const FirstSpikeLayer& layer, const std::vector<double>& weights, std::uint64_t expected) {
    if (weights.size() != expected) {
        throw NetworkError(layer.name, "weights",
                           "expected " + std::to_string(expected) + found(weights.size()));
    }
    for (const double w : weights) {
        if (!std::isfinite(w))
            throw NetworkError(layer.name, "weights", "expected finite numbers, found " + shown(w) + ".");
    }
}

void check_delay(const FirstSpikeLayer& layer, Duration delay, Duration t_max) {
    if (delay < Duration() || delay >= t_max) {
        throw NetworkError(
            layer.name, "delay",
            "expected 0 to less than t_max, " + to_string(t_max) + ", found " + to_string(delay) + ".");
    }
}

}  // namespace

double above(double theta) {
    return theta + std::abs(theta) * 0x1p-48;
}

void check(const FirstSpikeNetwork& network) {
    if (network.layers.empty())
        throw NetworkError(network.input_name, "",
                           "expected at least one layer of neurons behind it, found none.");
    if (network.t_max <= Duration())
        throw UsageError("t_max: expected > 0, found " + to_string(network.t_max) + ".");
    std::uint64_t before = element_count(network.input);
    for (const FirstSpikeLayer& layer : network.layers) {
        if (!(layer.V_th > 0.0) || !std::isfinite(layer.V_th))
            throw NetworkError(layer.name, "V_th", "expected > 0, found " + shown(layer.V_th) + ".");
        std::uint64_t inputs = 0;
        std::uint64_t outputs = 0;
        std::visit(Overloaded{[&](const DenseSynapses& s) {
                                  inputs = s.inputs;
                                  outputs = s.outputs;
                                  check_weights(layer, s.weights, inputs * outputs);
                                  if (s.delays.size() != 1 && s.delays.size() != inputs * outputs) {
                                      throw NetworkError(layer.name, "delay",
                                                         "expected 1 or " + std::to_string(inputs * outputs) +
                                                             found(s.delays.size()));
                                  }
                                  for (const Duration d : s.delays) check_delay(layer, d, network.t_max);
                              },
                              [&](const ConvolutionSynapses& s) {
                                  const StageSize size = stage_size(s.shape);
                                  inputs = size.input;
                                  outputs = size.output;
                                  check_weights(layer, s.weights,
                                                std::uint64_t{s.shape.out_channels} *
                                                    (s.shape.in_channels / s.shape.groups) *
                                                    s.shape.kernel[0] * s.shape.kernel[1]);
                                  check_delay(layer, s.delay, network.t_max);
                              },
                              [&](const FirstOfWindow& s) {
                                  const StageSize size = stage_size(s.shape);
                                  inputs = size.input;
                                  outputs = size.output;
                                  check_delay(layer, s.delay, network.t_max);
                              }},
                   layer.synapses);
        if (inputs != before)
            throw NetworkError(layer.name, "",
                               "expected synapses of " + std::to_string(before) +
                                   " neurons, the layer before it" + found(inputs));
        if (outputs != layer.size())
            throw NetworkError(layer.name, "",
                               "expected synapses onto " + std::to_string(layer.size()) +
                                   " neurons, its shape" + found(outputs));
        before = outputs;
    }
}

namespace {

/// Stages of one layer's projection.
std::vector<Stage> stages_of(const FirstSpikeLayer& layer) {
    const auto weights_of = [](const std::vector<double>& weights) { return Weights(weights); };
    const auto delay_stage = [](std::uint64_t size, Duration delay) {
        Delay stage;
        stage.size = static_cast<std::uint32_t>(size);
        stage.delays = {delay};
        return stage;
    };
    std::vector<Stage> stages;
    std::visit(Overloaded{[&](const DenseSynapses& s) {
                              if (s.delays.size() > 1) {
                                  std::vector<NeuronIndex> pre;
                                  std::vector<NeuronIndex> post;
                                  for (NeuronIndex i = 0; i < s.inputs; ++i) {
                                      for (NeuronIndex j = 0; j < s.outputs; ++j) {
                                          pre.push_back(i);
                                          post.push_back(j);
                                      }
                                  }
                                  stages.push_back(Sparse::of(layer.name + "_synapses", s.inputs, s.outputs,
                                                              pre, post, s.weights, s.delays));
                                  return;
                              }
                              Dense dense;
                              dense.name = layer.name + "_weights";
                              dense.inputs = s.inputs;
                              dense.outputs = s.outputs;
                              dense.weights = weights_of(s.weights);
                              stages.push_back(std::move(dense));
                              if (s.delays.front() > Duration())
                                  stages.push_back(delay_stage(s.outputs, s.delays.front()));
                          },
                          [&](const ConvolutionSynapses& s) {
                              Convolution convolution = s.shape;
                              convolution.name = layer.name + "_weights";
                              convolution.weights = weights_of(s.weights);
                              stages.push_back(std::move(convolution));
                              if (s.delay > Duration()) stages.push_back(delay_stage(layer.size(), s.delay));
                          },
                          [&](const FirstOfWindow& s) {
                              Pooling pooling = s.shape;
                              pooling.name = layer.name + "_window";
                              stages.push_back(std::move(pooling));
                              if (s.delay > Duration()) stages.push_back(delay_stage(layer.size(), s.delay));
                          }},
               layer.synapses);
    return stages;
}

}  // namespace

Network network_of(const FirstSpikeNetwork& network) {
    check(network);
    std::vector<Population> populations{{network.input_name, network.input, neurons::Input{}}};
    std::vector<Projection> projections;
    for (const FirstSpikeLayer& layer : network.layers) {
        neurons::If model;
        model.V_th = layer.V_th;
        model.V_reset = after_spike;
        populations.push_back({layer.name, layer.shape, neurons::PerNeuron<neurons::If>{model}});
        const auto target = static_cast<std::uint32_t>(populations.size() - 1);
        std::vector<Stage> stages = stages_of(layer);
        const Shape& from = populations[target - 1].shape;
        if (from.size() > 1 && std::holds_alternative<DenseSynapses>(layer.synapses)) {
            Flatten flatten;
            flatten.name = layer.name + "_flat";
            flatten.in_shape = from;
            flatten.out_shape = {static_cast<std::uint32_t>(element_count(from))};
            flatten.start_dim = 0;
            stages.insert(stages.begin(), flatten);
        }
        projections.push_back({target - 1, target, std::move(stages)});
    }
    const auto last = static_cast<std::uint32_t>(populations.size() - 1);
    return Network(std::move(populations), std::move(projections), {{"output", last}});
}

namespace {

/// One projection as the synapses of a layer.
class LayerReader {
  public:
    LayerReader(const Network& network, const Projection& projection)
        : network_(network), projection_(projection) {}

    [[nodiscard]] FirstSpikeLayer layer() {
        const Population& target = network_.populations()[projection_.target];
        const auto* model = std::get_if<neurons::PerNeuron<neurons::If>>(&target.model);
        if (!model) {
            throw NetworkError(
                target.name, "",
                "expected IF neurons, found " + std::string(neurons::model_name(target.model)) + ".");
        }
        const neurons::If first = (*model)[0];
        for (const neurons::If& p : *model) check_neuron(target, p, first);
        for (const Stage& stage : projection_.stages) {
            std::visit([this](const auto& s) { take(s); }, stage);
        }
        FirstSpikeLayer layer;
        layer.name = target.name;
        layer.shape = target.shape;
        layer.V_th = first.V_th - first.V_0;
        const double J = first.J;
        if (auto* dense = std::get_if<DenseSynapses>(&synapses_)) {
            for (double& w : dense->weights) w *= J;
            if (dense->delays.empty()) {
                dense->delays = {delay_};
            } else {
                for (Duration& d : dense->delays) d = d + delay_;
            }
        } else if (auto* convolution = std::get_if<ConvolutionSynapses>(&synapses_)) {
            for (double& w : convolution->weights) w *= J;
            convolution->delay = delay_;
        } else if (auto* window = std::get_if<FirstOfWindow>(&synapses_)) {
            if (J < layer.V_th)
                throw no("a sum over a window whose single spike does not make its neuron fire");
            window->delay = delay_;
        } else {
            throw no("no synapses with weights");
        }
        layer.synapses = take_synapses();
        return layer;
    }

  private:
    using Synapses = std::variant<std::monostate, DenseSynapses, ConvolutionSynapses, FirstOfWindow>;

    [[nodiscard]] NetworkError no(const std::string& what) const {
        return NetworkError(network_.projection_name(projection_), "",
                            "a network of first spikes has projections that are dense, sparse, a convolution "
                            "or a sum over windows, "
                            "each with one delay or, if sparse, one a synapse; found " +
                                what + ".");
    }
    void check_neuron(const Population& population, const neurons::If& p, const neurons::If& first) const {
        if (p.I_e != 0.0)
            throw NetworkError(population.name, "I_e",
                               "expected 0 in a network of first spikes, found " + shown(p.I_e) + ".");
        if (p.V_th != first.V_th || p.V_0 != first.V_0 || p.J != first.J) {
            throw NetworkError(
                population.name, "V_th",
                "expected the same threshold, start and jump for all its neurons, found others.");
        }
    }

    template <class S>
    void place(S synapses) {
        if (!std::holds_alternative<std::monostate>(synapses_)) throw no("two of them in one projection");
        synapses_ = std::move(synapses);
    }

    void take(const Flatten&) {}
    void take(const Delay& stage) {
        for (const Duration d : stage.delays) {
            if (d != stage.delays.front()) throw no("delays that differ between channels");
        }
        delay_ = delay_ + stage.delays.front();
    }
    void take(const Dense& stage) {
        if (stage.blocks != 1) throw no("a matrix in blocks");
        check_bias(stage.bias);
        DenseSynapses dense{stage.inputs, stage.outputs, {}, {}};
        stage.weights.visit([&](auto w) { dense.weights.assign(w.begin(), w.end()); });
        place(std::move(dense));
    }
    void take(const Sparse& stage) {
        const std::uint64_t n = std::uint64_t{stage.inputs} * stage.outputs;
        DenseSynapses dense{stage.inputs, stage.outputs, std::vector<double>(n, 0.0),
                            std::vector<Duration>(n)};
        std::vector<bool> known(n, false);
        for (NeuronIndex i = 0; i < stage.inputs; ++i) {
            for (std::uint64_t s = stage.table->rows[i]; s < stage.table->rows[i + 1]; ++s) {
                const Sparse::Segment& segment = stage.table->segments[s];
                for (std::uint64_t k = segment.begin; k < segment.end; ++k) {
                    const std::uint64_t at = std::uint64_t{i} * stage.outputs + stage.table->targets[k];
                    if (known[at]) throw no("several synapses between one pair of neurons");
                    known[at] = true;
                    dense.weights[at] = stage.weights[k];
                    dense.delays[at] = segment.delay;
                }
            }
        }
        place(std::move(dense));
    }
    void take(const Convolution& stage) {
        check_bias(stage.bias);
        ConvolutionSynapses convolution{stage, {}, {}};
        stage.weights.visit([&](auto w) { convolution.weights.assign(w.begin(), w.end()); });
        convolution.shape.weights = convolution.shape.bias = {};
        place(std::move(convolution));
    }
    void take(const Pooling& stage) {
        if (stage.kind != Pooling::Kind::sum) throw no("a mean over windows");
        place(FirstOfWindow{stage, {}});
    }
    void take(const Scale&) { throw no("a stage that scales"); }
    void take(const Rule&) { throw no("synapses that a rule draws"); }
    /// A Conv2d of NIR always has one: of zeros it is none.
    void check_bias(const Weights& bias) const {
        if (bias.empty()) return;
        bias.visit([this](auto b) {
            if (std::any_of(b.begin(), b.end(), [](auto x) { return x != 0; })) throw no("a bias");
        });
    }

    std::variant<DenseSynapses, ConvolutionSynapses, FirstOfWindow> take_synapses() {
        if (auto* dense = std::get_if<DenseSynapses>(&synapses_)) return std::move(*dense);
        if (auto* convolution = std::get_if<ConvolutionSynapses>(&synapses_)) return std::move(*convolution);
        return std::move(std::get<FirstOfWindow>(synapses_));
    }

    const Network& network_;
    const Projection& projection_;
    Synapses synapses_;
    Duration delay_;
};

}  // namespace

FirstSpikeNetwork first_spike_network(const Network& network, Duration t_max, Duration silence_decides_at) {
    std::optional<std::uint32_t> at;
    for (std::uint32_t q = 0; q < network.populations().size(); ++q) {
        if (!network.populations()[q].is_source()) continue;
        if (at || !network.populations()[q].is_input()) {
            throw NetworkError(network.populations()[q].name, "",
                               "a network of first spikes has one input and no other source of spikes.");
        }
        at = q;
    }
    if (!at) throw UsageError("a network of first spikes has one input; this one has none.");
    FirstSpikeNetwork result;
    result.input_name = network.populations()[*at].name;
    result.input = network.populations()[*at].shape;
    result.t_max = t_max;
    result.silence_decides_at = silence_decides_at;
    std::size_t used = 0;
    while (true) {
        const Projection* onward = nullptr;
        for (const Projection& projection : network.projections()) {
            if (projection.source != *at) continue;
            if (onward)
                throw NetworkError(
                    network.populations()[*at].name, "",
                    "a network of first spikes is a chain; this population feeds several others.");
            onward = &projection;
        }
        if (!onward) break;
        if (++used > network.projections().size())
            throw NetworkError(network.populations()[*at].name, "",
                               "a network of first spikes is a chain; this one has a cycle.");
        result.layers.push_back(LayerReader(network, *onward).layer());
        at = onward->target;
    }
    if (used != network.projections().size() || result.layers.size() + 1 != network.populations().size()) {
        throw UsageError(
            "a network of first spikes is a chain from the input to the output; this one has populations or "
            "projections beside it.");
    }
    check(result);
    return result;
}

}  // namespace saltus::learning
