#include "circuit.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/overloaded.hpp"
#include "windows.hpp"

namespace saltus::learning {

namespace {

constexpr std::uint64_t most_synapses = std::uint64_t{1} << 27;

void check_gradient(const Population& population) {
    std::visit(
        [&]<class M>(const M& model) {
            if constexpr (neurons::HasNeurons<M>) {
                using P = typename M::value_type;
                if constexpr (!is_linear<P> && !std::is_same_v<P, neurons::RampIf>) {
                    throw NetworkError(population.name, "model",
                                       std::string(P::name) +
                                           " has no exact gradient yet; IF, LIF, IFExp, CubaLIF, I, LI and "
                                           "CubaLI have, and RampIF in chains of layers.");
                } else if constexpr (neurons::Spiking<P>) {
                    for (const P& p : model) {
                        if (p.reset != neurons::Reset::to_value) {
                            throw NetworkError(
                                population.name, "reset",
                                "expected a reset to V_reset, found another, which has no exact "
                                "gradient yet.");
                        }
                        if (p.V_reset >= p.V_th) {
                            throw NetworkError(population.name, "V_reset",
                                               "expected below V_th, found " + shown(p.V_reset) +
                                                   " and V_th " + shown(p.V_th) +
                                                   ": it fires again whatever arrives.");
                        }
                    }
                }
            }
        },
        population.model);
}

/// Rules become the synapses that they draw.
std::vector<Stage> drawn(const Projection& projection) {
    std::vector<Stage> stages = projection.stages;
    for (Stage& stage : stages) {
        if (const auto* rule = std::get_if<Rule>(&stage)) stage = Sparse::of(*rule);
    }
    return stages;
}

}  // namespace

/// A way from a neuron, or from a bias, as far as it has been followed.
struct Circuit::Path {
    std::uint32_t projection = 0;
    bool from_bias = false;
    std::uint32_t source = 0;
    double constant = 1.0;
    std::vector<std::uint32_t> factors{};
    std::vector<std::uint32_t> addends{};
    std::vector<const StageParameters*> parameters{};  // of each stage; null: it has none
};

Circuit::Circuit(const Network& network) : network_(network) {
    const auto populations = network_.populations();
    first_.push_back(0);
    for (const Population& population : populations) {
        check_gradient(population);
        if (population.size() > UINT32_MAX - first_.back()) {
            throw LimitError("gradient: the network has more than 2^32 neurons.");
        }
        first_.push_back(first_.back() + population.size());
    }
    std::uint64_t count = 0;
    for (const Projection& projection : network_.projections()) {
        std::uint64_t most = 1;
        for (const Stage& stage : projection.stages) most = std::max(most, synapse_count(stage));
        count += most;
        if (count > most_synapses) {
            throw LimitError("gradient: more than 2^27 synapses cannot be listed one by one.");
        }
        drawn_.push_back(drawn(projection));
    }
    for (std::uint32_t q = 0; q < drawn_.size(); ++q) add_parameters(q, drawn_[q]);
    for (std::uint32_t q = 0; q < drawn_.size(); ++q) add_paths(q, drawn_[q]);

    // Kahn's algorithm; populations that remain lie on cycles or behind them.
    std::vector<std::uint32_t> waiting(populations.size(), 0);
    for (const Projection& projection : network_.projections()) ++waiting[projection.target];
    for (std::uint32_t q = 0; q < populations.size(); ++q) {
        if (waiting[q] == 0) order_.push_back(q);
    }
    for (std::size_t k = 0; k < order_.size(); ++k) {
        for (const Projection& projection : network_.projections()) {
            if (projection.source == order_[k] && --waiting[projection.target] == 0)
                order_.push_back(projection.target);
        }
    }
    loops_ = order_.size() != populations.size();
    if (loops_) {
        order_.resize(populations.size());
        std::iota(order_.begin(), order_.end(), 0u);
    }

    begin_.assign(std::size_t{neurons()} + 1, 0);
    for (const Synapse& synapse : synapses_) ++begin_[synapse.target + 1];
    std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
    incoming_.resize(synapses_.size());
    std::vector<std::uint32_t> next(begin_.begin(), begin_.end() - 1);
    for (std::uint32_t s = 0; s < synapses_.size(); ++s) incoming_[next[synapses_[s].target]++] = s;
    linear_.resize(neurons());
    update();
}

std::uint32_t Circuit::population_of(std::uint32_t neuron) const {
    return static_cast<std::uint32_t>(std::upper_bound(first_.begin(), first_.end(), neuron) -
                                      first_.begin() - 1);
}

void Circuit::add_parameters(std::uint32_t projection, const std::vector<Stage>& stages) {
    for (std::uint32_t k = 0; k < stages.size(); ++k) {
        StageParameters at;
        at.projection = projection;
        at.stage = k;
        const auto add = [&](const Weights& values, std::size_t& place, std::size_t& number) {
            place = parameters_.size();
            number = values.size();
            for (std::size_t i = 0; i < values.size(); ++i) parameters_.push_back(values[i]);
        };
        std::visit(Overloaded{
                       [&](const Dense& s) {
                           add(s.weights, at.weights, at.weight_count);
                           add(s.bias, at.bias, at.bias_count);
                       },
                       [&](const Sparse& s) {
                           add(s.weights, at.weights, at.weight_count);
                           at.delays = parameters_.size();
                           at.delay_count = s.table->targets.size();
                           for (const Sparse::Segment& segment : s.table->segments) {
                               parameters_.insert(parameters_.end(), segment.end - segment.begin,
                                                  segment.delay.seconds());
                           }
                       },
                       [&](const Convolution& s) {
                           add(s.weights, at.weights, at.weight_count);
                           add(s.bias, at.bias, at.bias_count);
                       },
                       [&](const Scale& s) { add(s.factors, at.weights, at.weight_count); },
                       [&](const Delay& s) {
                           at.delays = parameters_.size();
                           at.delay_count = s.delays.size();
                           for (const Duration d : s.delays) parameters_.push_back(d.seconds());
                       },
                       [&](const auto&) {},  // a Rule has been drawn; others have no parameters
                   },
                   stages[k]);
        stages_.push_back(at);
    }
}

void Circuit::add_paths(std::uint32_t projection, const std::vector<Stage>& stages) {
    const Projection& edge = network_.projections()[projection];
    Path path;
    path.projection = projection;
    for (const StageParameters& parameters : stages_) {
        if (parameters.projection == projection) path.parameters.push_back(&parameters);
    }
    const std::uint32_t size = network_.populations()[edge.source].size();
    for (std::uint32_t i = 0; i < size; ++i) {
        path.source = first_[edge.source] + i;
        follow(stages, 0, i, path);
    }
    path.from_bias = true;
    for (std::size_t k = 0; k < stages.size(); ++k) {
        const StageParameters& at = *path.parameters[k];
        if (at.bias_count == 0) continue;
        const std::uint64_t outputs = stage_size(stages[k]).output;
        for (std::uint64_t o = 0; o < outputs; ++o) {
            // A matrix has a bias for each output, a convolution one for each channel.
            const std::uint64_t entry = o / (outputs / at.bias_count);
            path.factors.assign(1, static_cast<std::uint32_t>(at.bias + entry));
            follow(stages, k + 1, o, path);
        }
        path.factors.clear();
    }
}

void Circuit::follow(const std::vector<Stage>& stages, std::size_t stage, std::uint64_t index, Path& path) {
    if (stage == stages.size()) {
        const Projection& edge = network_.projections()[path.projection];
        const std::uint32_t target = first_[edge.target] + static_cast<std::uint32_t>(index);
        const auto begin = static_cast<std::uint32_t>(terms_.size());
        terms_.insert(terms_.end(), path.factors.begin(), path.factors.end());
        const auto middle = static_cast<std::uint32_t>(terms_.size());
        if (path.from_bias) {
            biases_.push_back({target, begin, middle, path.constant});
            return;
        }
        terms_.insert(terms_.end(), path.addends.begin(), path.addends.end());
        if (synapses_.size() >= most_synapses || terms_.size() >= UINT32_MAX - 64) {
            throw LimitError("gradient: more than 2^27 synapses cannot be listed one by one.");
        }
        const auto end = static_cast<std::uint32_t>(terms_.size());
        synapses_.push_back({path.source, target, begin, middle, end, path.constant});
        return;
    }
    const StageParameters& at = *path.parameters[stage];
    const auto onward = [&](std::uint64_t to) { follow(stages, stage + 1, to, path); };
    const auto weighted = [&](std::size_t weight, std::uint64_t to) {
        path.factors.push_back(static_cast<std::uint32_t>(at.weights + weight));
        onward(to);
        path.factors.pop_back();
    };
    const auto delayed = [&](std::size_t delay, auto&& go) {
        path.addends.push_back(static_cast<std::uint32_t>(at.delays + delay));
        go();
        path.addends.pop_back();
    };
    std::visit(Overloaded{
                   [&](const Dense& s) {
                       const std::uint64_t row = index * s.outputs;
                       const std::uint64_t block = index / s.inputs;
                       for (std::uint32_t o = 0; o < s.outputs; ++o) weighted(row + o, block * s.outputs + o);
                   },
                   [&](const Sparse& s) {
                       for (std::uint64_t r = s.table->rows[index]; r < s.table->rows[index + 1]; ++r) {
                           const Sparse::Segment& segment = s.table->segments[r];
                           for (std::uint64_t k = segment.begin; k < segment.end; ++k)
                               delayed(k, [&] { weighted(k, s.table->targets[k]); });
                       }
                   },
                   [&](const Convolution& s) {
                       const std::uint64_t plane = area(s.in_size);
                       const std::uint64_t channel = index / plane;
                       const std::uint32_t in_group = s.in_channels / s.groups;
                       const std::uint32_t out_group = s.out_channels / s.groups;
                       const auto group = static_cast<std::uint32_t>(channel / in_group);
                       for (std::uint32_t o = group * out_group; o < (group + 1) * out_group; ++o) {
                           const std::uint64_t kernel = (std::uint64_t{o} * in_group + channel % in_group);
                           windows_of(
                               s, s.dilation, index % plane,
                               [&](std::uint32_t y, std::uint32_t x, std::uint32_t i, std::uint32_t j) {
                                   weighted((kernel * s.kernel[0] + i) * s.kernel[1] + j,
                                            (std::uint64_t{o} * s.out_size[0] + y) * s.out_size[1] + x);
                               });
                       }
                   },
                   [&](const Pooling& s) {
                       const std::uint64_t plane = area(s.in_size);
                       const std::uint64_t channel = index / plane;
                       const double before = path.constant;
                       if (s.kind == Pooling::Kind::average)
                           path.constant /= static_cast<double>(area(s.kernel));
                       windows_of(s, {1, 1}, index % plane,
                                  [&](std::uint32_t y, std::uint32_t x, std::uint32_t, std::uint32_t) {
                                      onward((channel * s.out_size[0] + y) * s.out_size[1] + x);
                                  });
                       path.constant = before;
                   },
                   [&](const Scale&) { weighted(index, index); }, [&](const Flatten&) { onward(index); },
                   [&](const Delay& s) { delayed(s.delays.size() == 1 ? 0 : index, [&] { onward(index); }); },
                   [&](const Rule&) {},  // has been drawn
               },
               stages[stage]);
}

void Circuit::set_parameters(std::size_t first, std::span<const double> parameters) {
    std::copy(parameters.begin(), parameters.end(), parameters_.begin() + static_cast<std::ptrdiff_t>(first));
}

void Circuit::update() {
    signal_.assign(neurons(), 0.0);
    for (const Bias& bias : biases_) {
        double x = bias.constant;
        for (std::uint32_t t = bias.begin; t < bias.end; ++t) x *= parameters_[terms_[t]];
        signal_[bias.target] += x;
    }
    for (Synapse& synapse : synapses_) {
        synapse.weight = synapse.constant;
        for (std::uint32_t t = synapse.factors; t < synapse.addends; ++t)
            synapse.weight *= parameters_[terms_[t]];
        double delay = 0.0;
        for (std::uint32_t t = synapse.addends; t < synapse.end; ++t)
            delay += std::max(0.0, parameters_[terms_[t]]);
        synapse.delay_fs = duration_from_seconds(delay, "delay").femtoseconds();
    }
    const auto populations = network_.populations();
    for (std::uint32_t q = 0; q < populations.size(); ++q) {
        std::visit(
            [&]<class M>(const M& model) {
                if constexpr (neurons::HasNeurons<M>) {
                    if constexpr (is_linear<typename M::value_type>) {
                        for (std::uint32_t i = 0; i < populations[q].size(); ++i) {
                            const std::uint32_t neuron = first_[q] + i;
                            linear_[neuron] =
                                learning::linear(model[model.size() == 1 ? 0 : i], signal_[neuron]);
                        }
                    }
                }
            },
            populations[q].model);
    }
}

void Circuit::add_gradient(std::span<const double> by_weight, std::span<const double> by_delay,
                           std::span<const double> by_signal, std::span<double> gradient) const {
    /// Of a product: what `value`, its derivative, gives each of its factors.
    const auto spread = [&](std::uint32_t begin, std::uint32_t end, double value) {
        for (std::uint32_t t = begin; t < end; ++t) {
            double others = value;
            for (std::uint32_t u = begin; u < end; ++u) others *= u == t ? 1.0 : parameters_[terms_[u]];
            gradient[terms_[t]] += others;
        }
    };
    for (std::size_t s = 0; s < synapses_.size(); ++s) {
        const Synapse& synapse = synapses_[s];
        spread(synapse.factors, synapse.addends, by_weight[s] * synapse.constant);
        for (std::uint32_t t = synapse.addends; t < synapse.end; ++t) gradient[terms_[t]] += by_delay[s];
    }
    for (const Bias& bias : biases_) spread(bias.begin, bias.end, by_signal[bias.target] * bias.constant);
}

void Circuit::check_every_neuron() const {
    for (const Population& population : network_.populations()) {
        if (!std::holds_alternative<neurons::PerNeuron<neurons::RampIf>>(population.model)) continue;
        throw NetworkError(
            population.name, "model",
            "RampIF has exact gradients only in a chain of layers, one input to one readout that "
            "fires, without delays and biases, of equal neurons whose refractory period is as "
            "long as the run.");
    }
}

Network Circuit::with_parameters() const {
    const auto values = [&](std::size_t begin, std::size_t count) {
        const auto first = parameters_.begin() + static_cast<std::ptrdiff_t>(begin);
        return std::vector<double>(first, first + static_cast<std::ptrdiff_t>(count));
    };
    const auto delays = [&](const StageParameters& at) {
        std::vector<Duration> result;
        for (const double d : values(at.delays, at.delay_count))
            result.push_back(duration_from_seconds(std::max(0.0, d), "delay"));
        return result;
    };
    const auto projections_now = network_.projections();
    std::vector<Projection> projections(projections_now.begin(), projections_now.end());
    for (const StageParameters& at : stages_) {
        Stage& stage = projections[at.projection].stages[at.stage];
        stage = drawn_[at.projection][at.stage];
        const auto weights = [&] { return Weights(values(at.weights, at.weight_count)); };
        std::visit(Overloaded{
                       [&](Dense& s) {
                           s.weights = weights();
                           if (at.bias_count > 0) s.bias = Weights(values(at.bias, at.bias_count));
                       },
                       [&](Sparse& s) {
                           std::vector<NeuronIndex> sources;
                           for (NeuronIndex i = 0; i < s.inputs; ++i) {
                               for (std::uint64_t r = s.table->rows[i]; r < s.table->rows[i + 1]; ++r) {
                                   const Sparse::Segment& segment = s.table->segments[r];
                                   sources.insert(sources.end(), segment.end - segment.begin, i);
                               }
                           }
                           s = Sparse::of(s.name, s.inputs, s.outputs, sources, s.table->targets,
                                          values(at.weights, at.weight_count), delays(at));
                       },
                       [&](Convolution& s) {
                           s.weights = weights();
                           if (at.bias_count > 0) s.bias = Weights(values(at.bias, at.bias_count));
                       },
                       [&](Scale& s) { s.factors = weights(); },
                       [&](Delay& s) { s.delays = delays(at); },
                       [](auto&) {},
                   },
                   stage);
    }
    const auto populations = network_.populations();
    const auto outputs = network_.outputs();
    return Network({populations.begin(), populations.end()}, std::move(projections),
                   {outputs.begin(), outputs.end()});
}

}  // namespace saltus::learning
