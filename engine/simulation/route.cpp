#include "route.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/explicit_synapses.hpp"

namespace saltus {

namespace {

constexpr std::uint64_t most_expanded_synapses = std::uint64_t{1} << 31;

/// Position of a row-major index in (channel, y, x).
struct Pixel {
    Pixel(NeuronIndex index, const Convolution::Pair& size) {
        const std::uint32_t area = size[0] * size[1];
        channel = index / area;
        y = index % area / size[1];
        x = index % area % size[1];
    }
    std::uint32_t channel, y, x;
};

/// Weights of a convolution as one spike meets them: [in channel][row][column][out channel of its group],
/// rows and columns in the order of their places.
Weights by_source_of(const Convolution& c, const AxisMap& rows, const AxisMap& columns) {
    const std::size_t in_per_group = c.in_channels / c.groups;
    const std::size_t out_per_group = c.out_channels / c.groups;
    return c.weights.visit([&](auto w) {
        std::vector<typename decltype(w)::value_type> result(w.size());
        const auto* next = w.data();
        for (std::size_t out = 0; out < c.out_channels; ++out) {
            for (std::size_t i = 0; i < in_per_group; ++i) {
                const std::size_t in = out / out_per_group * in_per_group + i;
                for (std::uint32_t y = 0; y < c.kernel[0]; ++y) {
                    for (std::uint32_t x = 0; x < c.kernel[1]; ++x) {
                        const std::size_t place =
                            (in * c.kernel[0] + rows.place(y)) * c.kernel[1] + columns.place(x);
                        result[place * out_per_group + out % out_per_group] = *next++;
                    }
                }
            }
        }
        return Weights(std::move(result));
    });
}

// fan_out(step, index, emit) calls emit(target, weight) for everything that one spike at `index` reaches.

template <class Emit>
void fan_out(const DenseStep& step, NeuronIndex index, Emit&& emit) {
    const Dense& d = step.dense;
    const NeuronIndex first = index / d.inputs * d.outputs;
    d.weights.visit([&](auto w) {
        const auto row = w.subspan(std::size_t{index} * d.outputs, d.outputs);
        for (std::uint32_t o = 0; o < d.outputs; ++o) emit(first + o, static_cast<double>(row[o]));
    });
}

template <class Emit>
void fan_out_segments(const Sparse& sparse, std::uint64_t first, std::uint64_t last, Emit&& emit) {
    sparse.weights.visit([&](auto w) {
        for (std::uint64_t segment = first; segment < last; ++segment) {
            const Sparse::Segment& s = sparse.table->segments[segment];
            for (std::uint64_t k = s.begin; k < s.end; ++k) {
                emit(sparse.table->targets[k], static_cast<double>(w[k]), s.delay);
            }
        }
    });
}

template <class Emit>
void fan_out(const SparseStep& step, NeuronIndex index, Emit&& emit) {
    const Sparse& s = step.sparse;
    fan_out_segments(s, s.table->rows[index], s.table->rows[index + 1],
                     [&](NeuronIndex j, double w, Duration) { emit(j, w); });
}

/// Calls f(pixel, count, first channel, weights) for every run of output pixels that one spike at `index`
/// reaches: to each of the `count` pixels go the next weights, one per channel of the group. Always inline:
/// it becomes part of functions that exist in several versions.
template <class W, class F>
[[gnu::always_inline]] inline void for_each_run(const ConvolutionStep& step, const W* weights,
                                                NeuronIndex index, F f) {
    const Convolution& c = step.convolution;
    const Pixel from(index, c.in_size);
    const std::uint32_t channels = c.out_channels / c.groups;
    const std::uint32_t first_channel = from.channel / (c.in_channels / c.groups) * channels;
    const W* const kernel = weights + std::size_t{from.channel} * c.kernel[0] * c.kernel[1] * channels;
    const auto columns = step.columns.runs(from.x);
    for (const AxisMap::Run& rows : step.rows.runs(from.y)) {
        for (std::uint32_t y = 0; y < rows.count; ++y) {
            const W* const row = kernel + std::size_t{rows.place + y} * c.kernel[1] * channels;
            for (const AxisMap::Run& run : columns) {
                f((rows.out + y) * c.out_size[1] + run.out, run.count, first_channel,
                  row + std::size_t{run.place} * channels);
            }
        }
    }
}

template <class Emit>
void fan_out(const ConvolutionStep& step, NeuronIndex index, Emit&& emit) {
    const NeuronIndex out_area = step.convolution.out_size[0] * step.convolution.out_size[1];
    const std::uint32_t channels = step.convolution.out_channels / step.convolution.groups;
    step.by_source.visit([&](auto weights) {
        for_each_run(step, weights.data(), index,
                     [&](NeuronIndex pixel, std::uint32_t count, std::uint32_t first_channel, const auto* w) {
                         for (std::uint32_t p = pixel; p < pixel + count; ++p) {
                             for (std::uint32_t o = first_channel; o < first_channel + channels; ++o) {
                                 emit(o * out_area + p, static_cast<double>(*w++));
                             }
                         }
                     });
    });
}

template <class Emit>
void fan_out(const PoolingStep& step, NeuronIndex index, Emit&& emit) {
    const Pooling& p = step.pooling;
    const Pixel from(index, p.in_size);
    for (const AxisMap::Run& rows : step.rows.runs(from.y)) {
        for (std::uint32_t y = rows.out; y < rows.out + rows.count; ++y) {
            for (const AxisMap::Run& columns : step.columns.runs(from.x)) {
                for (std::uint32_t x = columns.out; x < columns.out + columns.count; ++x) {
                    emit((from.channel * p.out_size[0] + y) * p.out_size[1] + x, step.weight);
                }
            }
        }
    }
}

template <class Emit>
void fan_out(const ScaleStep& step, NeuronIndex index, Emit&& emit) {
    emit(index, step.scale.factors[index]);
}

// into(step, ...) is fan_out as the last step of a chain; a row of weights that meets a row of neurons is
// added whole.

template <class S>
std::uint64_t into(const S& step, NeuronIndex index, double amplitude, Arrivals& arrivals) {
    std::uint64_t events = 0;
    fan_out(step, index, [&](NeuronIndex j, double w) {
        arrivals.add(j, amplitude * w);
        ++events;
    });
    return events;
}

SALTUS_VECTOR_VERSIONS
void into_all_float(const float* row, double amplitude, Arrivals& arrivals) {
    arrivals.add_to_all(row, amplitude);
}

std::uint64_t into(const DenseStep& step, NeuronIndex index, double amplitude, Arrivals& arrivals) {
    const Dense& d = step.dense;
    if (d.blocks > 1 || arrivals.layout().block() > 1)
        return into<DenseStep>(step, index, amplitude, arrivals);
    d.weights.visit([&](auto w) {
        const auto* row = w.data() + std::size_t{index} * d.outputs;
        if constexpr (std::is_same_v<decltype(row), const float*>) {
            into_all_float(row, amplitude, arrivals);
        } else {
            arrivals.add_to_all(row, amplitude);
        }
    });
    return d.outputs;
}

template <class W>
[[gnu::always_inline]] inline std::uint64_t into_blocks(const ConvolutionStep& step, const W* weights,
                                                        NeuronIndex index, double amplitude,
                                                        Arrivals& arrivals) {
    const std::uint32_t channels = step.convolution.out_channels;
    const std::uint32_t per_group = channels / step.convolution.groups;
    std::uint64_t events = 0;
    for_each_run(
        step, weights, index,
        [&](NeuronIndex pixel, std::uint32_t count, std::uint32_t first_channel, const W* w)
            __attribute__((always_inline)) {
                events += std::uint64_t{count} * per_group;
                if (per_group == channels) {
                    arrivals.add_to_blocks(pixel, count, 0, w, std::size_t{count} * channels, amplitude);
                    return;
                }
                for (std::uint32_t p = pixel; p < pixel + count; ++p, w += per_group) {
                    arrivals.add_to_blocks(p, 1, first_channel, w, per_group, amplitude);
                }
            });
    return events;
}
SALTUS_VECTOR_VERSIONS
std::uint64_t into_blocks_float(const ConvolutionStep& step, const float* weights, NeuronIndex index,
                                double amplitude, Arrivals& arrivals) {
    return into_blocks(step, weights, index, amplitude, arrivals);
}

std::uint64_t into(const ConvolutionStep& step, NeuronIndex index, double amplitude, Arrivals& arrivals) {
    if (arrivals.layout().block() != step.convolution.out_channels) {
        return into<ConvolutionStep>(step, index, amplitude, arrivals);
    }
    return step.by_source.visit([&](auto weights) -> std::uint64_t {
        if constexpr (std::is_same_v<decltype(weights), std::span<const float>>) {
            return into_blocks_float(step, weights.data(), index, amplitude, arrivals);
        } else {
            return into_blocks(step, weights.data(), index, amplitude, arrivals);
        }
    });
}

/// The step that a stage becomes; none for those that only change shape or delay.
void append_step(std::vector<Step>& steps, const Stage& stage) {
    if (const auto* dense = std::get_if<Dense>(&stage)) steps.emplace_back(DenseStep{*dense});
    if (const auto* sparse = std::get_if<Sparse>(&stage)) steps.emplace_back(SparseStep{*sparse});
    if (const auto* convolution = std::get_if<Convolution>(&stage))
        steps.emplace_back(ConvolutionStep(*convolution));
    if (const auto* pooling = std::get_if<Pooling>(&stage)) steps.emplace_back(PoolingStep(*pooling));
    if (const auto* scale = std::get_if<Scale>(&stage)) steps.emplace_back(ScaleStep{*scale});
}

/// Every path of one spike through a chain, with the delay it meets.
template <class Emit>
void walk(const std::vector<Stage>& stages, std::size_t k, NeuronIndex index, double amplitude,
          Duration delay, Emit&& emit) {
    if (k == stages.size()) {
        emit(index, amplitude, delay);
        return;
    }
    if (const auto* d = std::get_if<Delay>(&stages[k])) {
        walk(stages, k + 1, index, amplitude,
             delay + (d->delays.size() == 1 ? d->delays[0] : d->delays[index]), emit);
        return;
    }
    if (const auto* sparse = std::get_if<Sparse>(&stages[k])) {
        fan_out_segments(*sparse, sparse->table->rows[index], sparse->table->rows[index + 1],
                         [&](NeuronIndex j, double w, Duration d) {
                             walk(stages, k + 1, j, amplitude * w, delay + d, emit);
                         });
        return;
    }
    std::vector<Step> step;
    append_step(step, stages[k]);
    if (step.empty()) {
        walk(stages, k + 1, index, amplitude, delay, emit);
        return;
    }
    std::visit(
        [&](const auto& s) {
            fan_out(s, index,
                    [&](NeuronIndex j, double w) { walk(stages, k + 1, j, amplitude * w, delay, emit); });
        },
        step.front());
}

}  // namespace

std::vector<double> bias_of(const Stage& stage) {
    std::vector<double> bias;
    if (const auto* dense = std::get_if<Dense>(&stage); dense && !dense->bias.empty()) {
        for (std::size_t i = 0; i < dense->bias.size(); ++i) bias.push_back(dense->bias[i]);
    }
    if (const auto* c = std::get_if<Convolution>(&stage); c && !c->bias.empty()) {
        for (std::size_t o = 0; o < c->out_channels; ++o) {
            bias.insert(bias.end(), std::size_t{c->out_size[0]} * c->out_size[1], c->bias[o]);
        }
    }
    if (std::all_of(bias.begin(), bias.end(), [](double b) { return b == 0.0; })) bias.clear();
    return bias;
}

Projection drawn(Projection projection) {
    for (Stage& stage : projection.stages) {
        if (const auto* rule = std::get_if<Rule>(&stage)) stage = Sparse::of(*rule);
    }
    return projection;
}

Sparse expanded(const Projection& projection, std::uint32_t source_size, const std::string& name) {
    std::vector<NeuronIndex> sources;
    std::vector<NeuronIndex> targets;
    std::vector<double> weights;
    std::vector<Duration> delays;
    for (NeuronIndex i = 0; i < source_size; ++i) {
        walk(projection.stages, 0, i, 1.0, Duration(), [&](NeuronIndex j, double w, Duration d) {
            if (targets.size() == most_expanded_synapses) {
                throw LimitError(
                    name + ": delays that differ between channels need one entry per synapse, more than " +
                    std::to_string(most_expanded_synapses) + " here.");
            }
            sources.push_back(i);
            targets.push_back(j);
            weights.push_back(w);
            delays.push_back(d);
        });
    }
    const std::uint64_t target_size =
        projection.stages.empty() ? source_size : stage_size(projection.stages.back()).output;
    return Sparse::of(name, source_size, static_cast<std::uint32_t>(target_size), sources, targets, weights,
                      delays);
}

AxisMap::AxisMap(std::uint32_t in, std::uint32_t out, std::uint32_t kernel, std::uint32_t stride,
                 std::uint32_t padding, std::uint32_t dilation)
    : place_(kernel) {
    std::uint32_t next = 0;
    for (std::uint32_t phase = 0; phase < std::min(stride, kernel); ++phase) {
        for (std::uint32_t k = phase + (kernel - 1 - phase) / stride * stride;; k -= stride) {
            place_[k] = next++;
            if (k < stride) break;
        }
    }
    // in + padding = out * stride + k * dilation
    for (std::uint64_t i = 0; i < in; ++i) {
        begin_.push_back(static_cast<std::uint32_t>(runs_.size()));
        for (std::uint32_t k = kernel; k-- > 0;) {  // descending k is ascending output
            const std::uint64_t reach = std::uint64_t{k} * dilation;
            if (i + padding < reach || (i + padding - reach) % stride != 0) continue;
            const std::uint64_t o = (i + padding - reach) / stride;
            if (o >= out) continue;
            Run* const last = runs_.size() > begin_.back() ? &runs_.back() : nullptr;
            if (last && last->out + last->count == o && last->place + last->count == place_[k]) {
                ++last->count;
            } else {
                runs_.push_back({static_cast<std::uint32_t>(o), place_[k], 1});
            }
        }
    }
    begin_.push_back(static_cast<std::uint32_t>(runs_.size()));
}

ConvolutionStep::ConvolutionStep(const Convolution& c)
    : convolution(c),
      rows(c.in_size[0], c.out_size[0], c.kernel[0], c.stride[0], c.padding[0], c.dilation[0]),
      columns(c.in_size[1], c.out_size[1], c.kernel[1], c.stride[1], c.padding[1], c.dilation[1]),
      by_source(by_source_of(c, rows, columns)) {}

PoolingStep::PoolingStep(const Pooling& p)
    : pooling(p),
      weight(p.kind == Pooling::Kind::sum ? 1.0 : 1.0 / (static_cast<double>(p.kernel[0]) * p.kernel[1])),
      rows(p.in_size[0], p.out_size[0], p.kernel[0], p.stride[0], p.padding[0], 1),
      columns(p.in_size[1], p.out_size[1], p.kernel[1], p.stride[1], p.padding[1], 1) {}

Route::Route(const Projection& described, std::uint32_t source_size, const std::string& name)
    : target_(described.target) {
    const Projection projection = drawn(described);
    for (const Stage& stage : projection.stages) append_step(steps_, stage);

    std::vector<std::vector<double>> biases;  // of each step
    std::size_t steps_before = 0;
    for (std::size_t k = 0; k < projection.stages.size(); ++k) {
        const std::vector<double> bias = bias_of(projection.stages[k]);
        std::vector<Step> one;
        append_step(one, projection.stages[k]);
        steps_before += one.size();
        if (bias.empty()) continue;
        for (std::size_t later = k + 1; later < projection.stages.size(); ++later) {
            const auto* delay = std::get_if<Delay>(&projection.stages[later]);
            if (delay && std::any_of(delay->delays.begin(), delay->delays.end(),
                                     [](Duration d) { return d > Duration(); })) {
                throw NetworkError(
                    name, "bias",
                    stage_kind(projection.stages[k]) + " " + quoted(stage_name(projection.stages[k])) +
                        " has a bias and a delay follows: a constant signal that starts late is not "
                        "supported by the exact clock. Put the delay before it, or the bias after.");
            }
        }
        Arrivals constant(static_cast<std::uint32_t>(stage_size(projection.stages.back()).output), Layout());
        for (std::size_t j = 0; j < bias.size(); ++j) {
            deliver_from(steps_before, static_cast<NeuronIndex>(j), bias[j], constant);
        }
        constant_signal_.resize(stage_size(projection.stages.back()).output, 0.0);
        constant.drain([&](NeuronIndex j, std::span<double> x) {
            for (std::size_t i = 0; i < x.size(); ++i) constant_signal_[j + i] += std::exchange(x[i], 0.0);
        });
    }

    const Duration shortest = projection.min_delay();
    if (shortest == projection.max_delay()) {
        delay_ = shortest;
    } else {
        const bool explicit_synapses =
            projection.stages.size() == 1 && std::holds_alternative<Sparse>(projection.stages[0]);
        if (!explicit_synapses) {
            steps_.clear();
            steps_.emplace_back(SparseStep{expanded(projection, source_size, name)});
        }
        per_synapse_ = true;
    }
}

std::uint64_t Route::deliver(NeuronIndex neuron, Arrivals& arrivals) const {
    return deliver_from(0, neuron, 1.0, arrivals);
}

std::uint64_t Route::deliver_from(std::size_t step, NeuronIndex index, double amplitude,
                                  Arrivals& arrivals) const {
    if (step == steps_.size()) {
        arrivals.add(index, amplitude);
        return 1;
    }
    return std::visit(
        [&](const auto& s) {
            if (step + 1 == steps_.size()) return into(s, index, amplitude, arrivals);
            std::uint64_t events = 0;
            fan_out(s, index, [&](NeuronIndex j, double w) {
                events += deliver_from(step + 1, j, amplitude * w, arrivals);
            });
            return events;
        },
        steps_[step]);
}

void Route::add_constant_signal(std::vector<double>& x) const {
    for (std::size_t j = 0; j < constant_signal_.size(); ++j) x[j] += constant_signal_[j];
}

ExplicitSynapses explicit_synapses(const Network& network, const Projection& projection) {
    const std::uint32_t source_size = network.populations()[projection.source].size();
    const std::string name = network.projection_name(projection);
    const Projection plain = drawn(projection);
    ExplicitSynapses result;
    if (projection.has_bias()) {
        result.constant_signal.resize(network.populations()[projection.target].size());
        Route(plain, source_size, name).add_constant_signal(result.constant_signal);
    }
    const auto* sparse = plain.stages.size() == 1 ? std::get_if<Sparse>(&plain.stages[0]) : nullptr;
    result.synapses = sparse ? *sparse : expanded(plain, source_size, name);
    return result;
}

}  // namespace saltus
