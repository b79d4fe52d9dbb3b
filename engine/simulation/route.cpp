#include "route.hpp"

#include <algorithm>
#include <array>

#include "saltus/engine/errors.hpp"

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

/// Weights of a convolution as one spike meets them: [in channel][out channel of its group][height][width].
Weights transposed(const Convolution& c) {
    const std::uint32_t in_per_group = c.in_channels / c.groups;
    const std::uint32_t out_per_group = c.out_channels / c.groups;
    const std::size_t area = std::size_t{c.kernel[0]} * c.kernel[1];
    return c.weights.visit([&](auto w) {
        using W = typename decltype(w)::value_type;
        std::vector<W> result(w.size());
        for (std::size_t in = 0; in < c.in_channels; ++in) {
            const std::size_t group = in / in_per_group;
            for (std::size_t o = 0; o < out_per_group; ++o) {
                const std::size_t out = group * out_per_group + o;
                const auto from = w.begin() + static_cast<std::ptrdiff_t>((out * in_per_group + in % in_per_group) * area);
                std::copy_n(from, area, result.begin() + static_cast<std::ptrdiff_t>((in * out_per_group + o) * area));
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

template <class Emit>
void fan_out(const ConvolutionStep& step, NeuronIndex index, Emit&& emit) {
    const Convolution& c = step.convolution;
    const Pixel from(index, c.in_size);
    const std::uint32_t out_per_group = c.out_channels / c.groups;
    const std::uint32_t first_out = from.channel / (c.in_channels / c.groups) * out_per_group;
    const std::uint32_t out_area = c.out_size[0] * c.out_size[1];
    const std::size_t kernel_area = std::size_t{c.kernel[0]} * c.kernel[1];
    const auto rows = step.rows.taps(from.y);
    const auto columns = step.columns.taps(from.x);

    step.by_source.visit([&](auto weights) {
        const auto* w = weights.data() + std::size_t{from.channel} * out_per_group * kernel_area;
        for (std::uint32_t o = first_out; o < first_out + out_per_group; ++o, w += kernel_area) {
            for (const AxisMap::Tap& row : rows) {
                const NeuronIndex out_row = o * out_area + row.out * c.out_size[1];
                const auto* w_row = w + std::size_t{row.k} * c.kernel[1];
                for (const AxisMap::Tap& column : columns) {
                    emit(out_row + column.out, static_cast<double>(w_row[column.k]));
                }
            }
        }
    });
}

template <class Emit>
void fan_out(const PoolingStep& step, NeuronIndex index, Emit&& emit) {
    const Pooling& p = step.pooling;
    const Pixel from(index, p.in_size);
    for (const AxisMap::Tap& row : step.rows.taps(from.y)) {
        for (const AxisMap::Tap& column : step.columns.taps(from.x)) {
            emit((from.channel * p.out_size[0] + row.out) * p.out_size[1] + column.out, step.weight);
        }
    }
}

template <class Emit>
void fan_out(const ScaleStep& step, NeuronIndex index, Emit&& emit) {
    emit(index, step.scale.factors[index]);
}

// into(step, ...) is fan_out as the last step of a chain; a dense row needs no list of its targets.

template <class S>
std::uint64_t into(const S& step, NeuronIndex index, double amplitude, Arrivals& arrivals) {
    std::uint64_t events = 0;
    fan_out(step, index, [&](NeuronIndex j, double w) {
        arrivals.add(j, amplitude * w);
        ++events;
    });
    return events;
}

std::uint64_t into(const DenseStep& step, NeuronIndex index, double amplitude, Arrivals& arrivals) {
    const Dense& d = step.dense;
    d.weights.visit([&](auto w) {
        arrivals.add_row(index / d.inputs * d.outputs, w.subspan(std::size_t{index} * d.outputs, d.outputs), amplitude);
    });
    return d.outputs;
}

/// The step that a stage becomes; none for those that only change shape or delay.
void append_step(std::vector<Step>& steps, const Stage& stage) {
    if (const auto* dense = std::get_if<Dense>(&stage)) steps.emplace_back(DenseStep{*dense});
    if (const auto* sparse = std::get_if<Sparse>(&stage)) steps.emplace_back(SparseStep{*sparse});
    if (const auto* convolution = std::get_if<Convolution>(&stage)) steps.emplace_back(ConvolutionStep(*convolution));
    if (const auto* pooling = std::get_if<Pooling>(&stage)) steps.emplace_back(PoolingStep(*pooling));
    if (const auto* scale = std::get_if<Scale>(&stage)) steps.emplace_back(ScaleStep{*scale});
}

/// Bias of a stage, element by element of its output; empty if there is none but zeros.
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

/// Every path of one spike through a chain, with the delay it meets.
template <class Emit>
void walk(const std::vector<Stage>& stages, std::size_t k, NeuronIndex index, double amplitude, Duration delay,
          Emit&& emit) {
    if (k == stages.size()) {
        emit(index, amplitude, delay);
        return;
    }
    if (const auto* d = std::get_if<Delay>(&stages[k])) {
        walk(stages, k + 1, index, amplitude, delay + (d->delays.size() == 1 ? d->delays[0] : d->delays[index]), emit);
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
            fan_out(s, index, [&](NeuronIndex j, double w) { walk(stages, k + 1, j, amplitude * w, delay, emit); });
        },
        step.front());
}

/// The chain as explicit synapses.
Sparse expanded(const Projection& projection, std::uint32_t source_size, const std::string& name) {
    std::vector<NeuronIndex> sources;
    std::vector<NeuronIndex> targets;
    std::vector<double> weights;
    std::vector<Duration> delays;
    for (NeuronIndex i = 0; i < source_size; ++i) {
        walk(projection.stages, 0, i, 1.0, Duration(), [&](NeuronIndex j, double w, Duration d) {
            if (targets.size() == most_expanded_synapses) {
                throw LimitError(name + ": delays that differ between channels need one entry per synapse, more than " +
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
    return Sparse::of(name, source_size, static_cast<std::uint32_t>(target_size), sources, targets, weights, delays);
}

}  // namespace

AxisMap::AxisMap(std::uint32_t in, std::uint32_t out, std::uint32_t kernel, std::uint32_t stride,
                 std::uint32_t padding, std::uint32_t dilation) {
    // in + padding = out * stride + k * dilation
    for (std::uint64_t i = 0; i < in; ++i) {
        begin_.push_back(static_cast<std::uint32_t>(taps_.size()));
        for (std::uint32_t k = kernel; k-- > 0;) {  // descending k is ascending output
            const std::uint64_t reach = std::uint64_t{k} * dilation;
            if (i + padding < reach || (i + padding - reach) % stride != 0) continue;
            const std::uint64_t o = (i + padding - reach) / stride;
            if (o < out) taps_.push_back({static_cast<std::uint32_t>(o), k});
        }
    }
    begin_.push_back(static_cast<std::uint32_t>(taps_.size()));
}

ConvolutionStep::ConvolutionStep(const Convolution& c)
    : convolution(c),
      by_source(transposed(c)),
      rows(c.in_size[0], c.out_size[0], c.kernel[0], c.stride[0], c.padding[0], c.dilation[0]),
      columns(c.in_size[1], c.out_size[1], c.kernel[1], c.stride[1], c.padding[1], c.dilation[1]) {}

PoolingStep::PoolingStep(const Pooling& p)
    : pooling(p),
      weight(p.kind == Pooling::Kind::sum ? 1.0 : 1.0 / (static_cast<double>(p.kernel[0]) * p.kernel[1])),
      rows(p.in_size[0], p.out_size[0], p.kernel[0], p.stride[0], p.padding[0], 1),
      columns(p.in_size[1], p.out_size[1], p.kernel[1], p.stride[1], p.padding[1], 1) {}

Route::Route(const Projection& projection, std::uint32_t source_size, const std::string& name)
    : target_(projection.target) {
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
                throw NetworkError(name, "bias",
                                   stage_kind(projection.stages[k]) + " " + quoted(stage_name(projection.stages[k])) +
                                       " has a bias and a delay follows: a constant signal that starts late is not "
                                       "supported by the exact clock. Put the delay before it, or the bias after.");
            }
        }
        Arrivals constant(static_cast<std::uint32_t>(stage_size(projection.stages.back()).output));
        for (std::size_t j = 0; j < bias.size(); ++j) {
            deliver_from(steps_before, static_cast<NeuronIndex>(j), bias[j], constant);
        }
        constant_signal_.resize(stage_size(projection.stages.back()).output, 0.0);
        constant.drain([&](NeuronIndex j, double x) { constant_signal_[j] += x; });
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

std::uint32_t Route::segments(NeuronIndex neuron) const {
    if (!per_synapse_) return 1;
    const auto& rows = std::get<SparseStep>(steps_.front()).sparse.table->rows;
    return static_cast<std::uint32_t>(rows[neuron + 1] - rows[neuron]);
}

Duration Route::delay(NeuronIndex neuron, std::uint32_t segment) const {
    if (!per_synapse_) return delay_;
    const Sparse::Table& table = *std::get<SparseStep>(steps_.front()).sparse.table;
    return table.segments[table.rows[neuron] + segment].delay;
}

std::uint64_t Route::deliver(NeuronIndex neuron, std::uint32_t segment, Arrivals& arrivals) const {
    if (!per_synapse_) return deliver_from(0, neuron, 1.0, arrivals);
    const Sparse& sparse = std::get<SparseStep>(steps_.front()).sparse;
    const std::uint64_t row = sparse.table->rows[neuron] + segment;
    std::uint64_t events = 0;
    fan_out_segments(sparse, row, row + 1, [&](NeuronIndex j, double w, Duration) {
        arrivals.add(j, w);
        ++events;
    });
    return events;
}

std::uint64_t Route::deliver_from(std::size_t step, NeuronIndex index, double amplitude, Arrivals& arrivals) const {
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

}  // namespace saltus
