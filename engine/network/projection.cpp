#include "saltus/engine/projection.hpp"

#include <algorithm>
#include <numeric>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/overloaded.hpp"
#include "saltus/engine/synapse_draw.hpp"

namespace saltus {

namespace {

constexpr std::uint64_t most_explicit_synapses = std::uint64_t{1} << 31;

std::uint64_t area(const Convolution::Pair& p) {
    return std::uint64_t{p[0]} * p[1];
}

/// Pairs (input, output) of one axis that a window connects: out * stride + k * dilation - padding = in.
std::uint64_t window_pairs(std::uint32_t in, std::uint32_t out, std::uint32_t kernel, std::uint32_t stride,
                           std::uint32_t padding, std::uint32_t dilation) {
    std::uint64_t pairs = 0;
    for (std::uint64_t o = 0; o < out; ++o) {
        for (std::uint64_t k = 0; k < kernel; ++k) {
            const std::uint64_t padded = o * stride + k * dilation;
            if (padded >= padding && padded - padding < in) ++pairs;
        }
    }
    return pairs;
}

template <class Window>
std::uint64_t window_pairs(const Window& w, const Convolution::Pair& dilation) {
    std::uint64_t pairs = 1;
    for (std::size_t axis = 0; axis < 2; ++axis) {
        pairs *= window_pairs(w.in_size[axis], w.out_size[axis], w.kernel[axis], w.stride[axis],
                              w.padding[axis], dilation[axis]);
    }
    return pairs;
}

/// Smallest and largest delay of one stage.
std::pair<Duration, Duration> delays_of(const Stage& stage) {
    if (const auto* delay = std::get_if<Delay>(&stage)) {
        const auto [low, high] = std::minmax_element(delay->delays.begin(), delay->delays.end());
        return {*low, *high};
    }
    if (const auto* sparse = std::get_if<Sparse>(&stage); sparse && !sparse->table->segments.empty()) {
        const auto& segments = sparse->table->segments;
        const auto by_delay = [](const auto& a, const auto& b) { return a.delay < b.delay; };
        const auto [low, high] = std::minmax_element(segments.begin(), segments.end(), by_delay);
        return {low->delay, high->delay};
    }
    if (const auto* rule = std::get_if<Rule>(&stage)) {
        const auto [low, high] = delay_range(*rule);
        return {low, high};
    }
    return {};
}

}  // namespace

std::uint64_t element_count(const Shape& shape) {
    return std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
}

std::string to_string(const Shape& shape) {
    std::string text = "(";
    for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
    return text + (shape.size() == 1 ? ",)" : ")");
}

Sparse Sparse::of(std::string name, std::uint32_t inputs, std::uint32_t outputs,
                  const std::vector<NeuronIndex>& sources, const std::vector<NeuronIndex>& targets,
                  const std::vector<double>& weights, const std::vector<Duration>& delays) {
    const std::size_t n = sources.size();
    const auto refuse = [&](const char* field, const std::string& text) {
        return NetworkError(name, field, text);
    };
    if (targets.size() != n) {
        throw refuse("post", "expected " + std::to_string(n) + " entries as in 'pre', found " +
                                 std::to_string(targets.size()) + ".");
    }
    if (weights.size() != n) {
        throw refuse("weight", "expected " + std::to_string(n) + " entries as in 'pre', found " +
                                   std::to_string(weights.size()) + ".");
    }
    if (delays.size() != n && delays.size() != 1) {
        throw refuse("delay", "expected 1 or " + std::to_string(n) + " entries, found " +
                                  std::to_string(delays.size()) + ".");
    }
    const auto delay_of = [&](std::size_t s) { return delays.size() == 1 ? delays[0] : delays[s]; };
    for (std::size_t s = 0; s < n; ++s) {
        const auto place = [&](const char* field) {
            return std::string(field) + "[" + std::to_string(s) + "]";
        };
        if (sources[s] >= inputs) {
            throw refuse(place("pre").c_str(), "expected a neuron below " + std::to_string(inputs) +
                                                   ", found " + std::to_string(sources[s]) + ".");
        }
        if (targets[s] >= outputs) {
            throw refuse(place("post").c_str(), "expected a neuron below " + std::to_string(outputs) +
                                                    ", found " + std::to_string(targets[s]) + ".");
        }
        if (delay_of(s) < Duration()) {
            throw refuse(place("delay").c_str(), "expected >= 0, found " + to_string(delay_of(s)) + ".");
        }
    }

    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        if (sources[a] != sources[b]) return sources[a] < sources[b];
        if (delay_of(a) != delay_of(b)) return delay_of(a) < delay_of(b);
        if (targets[a] != targets[b]) return targets[a] < targets[b];
        return weights[a] < weights[b];
    });

    Table table;
    table.rows.assign(std::size_t{inputs} + 1, 0);
    table.targets.reserve(n);
    std::vector<double> sorted_weights;
    sorted_weights.reserve(n);
    for (std::size_t k = 0; k < n; ++k) {
        const std::size_t s = order[k];
        const bool new_segment =
            k == 0 || sources[s] != sources[order[k - 1]] || delay_of(s) != delay_of(order[k - 1]);
        if (new_segment) {
            table.segments.push_back({delay_of(s), k, k});
            ++table.rows[std::size_t{sources[s]} + 1];
        }
        table.segments.back().end = k + 1;
        table.targets.push_back(targets[s]);
        sorted_weights.push_back(weights[s]);
    }
    std::partial_sum(table.rows.begin(), table.rows.end(), table.rows.begin());

    return {std::move(name), inputs, outputs, std::make_shared<const Table>(std::move(table)),
            Weights(sorted_weights)};
}

Sparse Sparse::of(const Rule& rule) {
    if (synapse_count(rule) > most_explicit_synapses) {
        throw LimitError((rule.name.empty() ? "" : rule.name + ": ") + std::string(rule_name(rule.kind)) +
                         " draws more synapses than can be listed one by one, " +
                         std::to_string(most_explicit_synapses) + ".");
    }
    std::vector<NeuronIndex> sources;
    std::vector<NeuronIndex> targets;
    std::vector<double> weights;
    std::vector<Duration> delays;
    for_each_synapse(rule, 0, rule.outputs, [&](const Synapse& synapse) {
        sources.push_back(synapse.source);
        targets.push_back(synapse.target);
        weights.push_back(synapse.weight);
        delays.push_back(synapse.delay);
    });
    return of(rule.name, rule.inputs, rule.outputs, sources, targets, weights, delays);
}

StageSize stage_size(const Stage& stage) {
    return std::visit(
        Overloaded{
            [](const Dense& s) {
                return StageSize{std::uint64_t{s.blocks} * s.inputs, std::uint64_t{s.blocks} * s.outputs};
            },
            [](const Sparse& s) {
                return StageSize{s.inputs, s.outputs};
            },
            [](const Rule& s) {
                return StageSize{s.inputs, s.outputs};
            },
            [](const Convolution& s) {
                return StageSize{s.in_channels * area(s.in_size), s.out_channels * area(s.out_size)};
            },
            [](const Pooling& s) {
                return StageSize{s.channels * area(s.in_size), s.channels * area(s.out_size)};
            },
            [](const Scale& s) {
                return StageSize{s.factors.size(), s.factors.size()};
            },
            [](const Flatten& s) {
                return StageSize{element_count(s.in_shape), element_count(s.out_shape)};
            },
            [](const Delay& s) {
                return StageSize{s.size, s.size};
            },
        },
        stage);
}

const std::string& stage_name(const Stage& stage) {
    return std::visit([](const auto& s) -> const std::string& { return s.name; }, stage);
}

std::string stage_kind(const Stage& stage) {
    return std::visit(
        Overloaded{
            [](const Dense& s) { return std::string(s.bias.empty() ? "Linear" : "Affine"); },
            [](const Sparse&) { return std::string("Sparse"); },
            [](const Rule& s) { return std::string(rule_name(s.kind)); },
            [](const Convolution& s) { return std::string(s.one_dimensional ? "Conv1d" : "Conv2d"); },
            [](const Pooling& s) {
                return std::string(s.kind == Pooling::Kind::sum ? "SumPool2d" : "AvgPool2d");
            },
            [](const Scale&) { return std::string("Scale"); },
            [](const Flatten&) { return std::string("Flatten"); },
            [](const Delay&) { return std::string("Delay"); },
        },
        stage);
}

std::uint64_t synapse_count(const Stage& stage) {
    return std::visit(Overloaded{
                          [](const Dense& s) { return std::uint64_t{s.blocks} * s.inputs * s.outputs; },
                          [](const Sparse& s) { return std::uint64_t{s.table->targets.size()}; },
                          [](const Rule& s) { return synapse_count(s); },
                          [](const Convolution& s) {
                              return window_pairs(s, s.dilation) * s.out_channels *
                                     (s.in_channels / s.groups);
                          },
                          [](const Pooling& s) {
                              return window_pairs(s, {1, 1}) * s.channels;
                          },
                          [](const Scale& s) { return std::uint64_t{s.factors.size()}; },
                          [](const Flatten& s) { return element_count(s.in_shape); },
                          [](const Delay& s) { return std::uint64_t{s.size}; },
                      },
                      stage);
}

Duration Projection::min_delay() const {
    Duration sum;
    for (const Stage& stage : stages) sum = sum + delays_of(stage).first;
    return sum;
}

Duration Projection::max_delay() const {
    Duration sum;
    for (const Stage& stage : stages) sum = sum + delays_of(stage).second;
    return sum;
}

bool Projection::has_bias() const {
    return std::any_of(stages.begin(), stages.end(), [](const Stage& stage) {
        if (const auto* dense = std::get_if<Dense>(&stage)) return !dense->bias.empty();
        if (const auto* convolution = std::get_if<Convolution>(&stage)) return !convolution->bias.empty();
        return false;
    });
}

}  // namespace saltus
