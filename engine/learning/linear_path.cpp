#include "linear_path.hpp"

#include <string>

#include "../simulation/route.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::learning {

namespace {

std::uint32_t whole_steps(Duration delay, Duration dt) {
    const std::int64_t d = delay.femtoseconds();
    const std::int64_t step = dt.femtoseconds();
    return static_cast<std::uint32_t>(d / step + (d % step > step - 1 - d % step ? 1 : 0));
}

bool has_weights(const Stage& stage) {
    return std::holds_alternative<Dense>(stage) || std::holds_alternative<Convolution>(stage);
}
bool is_fixed(const Stage& stage) {
    return std::holds_alternative<Pooling>(stage) || std::holds_alternative<Scale>(stage);
}
bool keeps_values(const Stage& stage) {
    return std::holds_alternative<Flatten>(stage) || std::holds_alternative<Delay>(stage);
}

/// Stages begin ... end - 1 as synapses; nothing where they change no value.
std::optional<Sparse> synapses_of(const Projection& projection, std::size_t begin, std::size_t end,
                                  std::uint32_t size, const std::string& name) {
    Projection part{projection.source, projection.target, {}};
    for (std::size_t k = begin; k < end; ++k) {
        if (!keeps_values(projection.stages[k])) part.stages.push_back(projection.stages[k]);
    }
    if (part.stages.empty()) return std::nullopt;
    return expanded(part, size, name);
}

/// f(input, output, weight)
template <class F>
void for_each_synapse(const Sparse& sparse, F&& f) {
    const Sparse::Table& table = *sparse.table;
    for (std::size_t i = 0; i < sparse.inputs; ++i) {
        for (std::uint64_t s = table.rows[i]; s < table.rows[i + 1]; ++s) {
            for (std::uint64_t k = table.segments[s].begin; k < table.segments[s].end; ++k)
                f(i, std::size_t{table.targets[k]}, sparse.weights[k]);
        }
    }
}

void back_through(const Dense& d, const double* x, const double* by_y, const double* w, double* by_w,
                  double* by_x) {
    for (std::size_t b = 0; b < d.blocks; ++b, x += d.inputs, by_y += d.outputs) {
        for (std::size_t i = 0; i < d.inputs; ++i) {
            const std::size_t row = (b * d.inputs + i) * d.outputs;
            if (x[i] != 0.0) {
                for (std::size_t j = 0; j < d.outputs; ++j) by_w[row + j] += x[i] * by_y[j];
            }
            if (!by_x) continue;
            double sum = 0.0;
            for (std::size_t j = 0; j < d.outputs; ++j) sum += w[row + j] * by_y[j];
            by_x[b * d.inputs + i] += sum;
        }
    }
}

void back_through(const Convolution& c, const double* x, const double* by_y, const double* w, double* by_w,
                  double* by_x) {
    const std::size_t in_group = c.in_channels / c.groups;
    const std::size_t out_group = c.out_channels / c.groups;
    /// The input of place k of the kernel at output `out`, along an axis; beyond its end where there is none.
    const auto input = [&](std::size_t axis, std::size_t out, std::size_t k) {
        return out * c.stride[axis] + k * c.dilation[axis] - c.padding[axis];
    };
    for (std::size_t o = 0; o < c.out_channels; ++o) {
        for (std::size_t oy = 0; oy < c.out_size[0]; ++oy) {
            for (std::size_t ox = 0; ox < c.out_size[1]; ++ox) {
                const double g = by_y[(o * c.out_size[0] + oy) * c.out_size[1] + ox];
                if (g == 0.0) continue;
                for (std::size_t k = 0; k < in_group; ++k) {
                    const std::size_t channel = o / out_group * in_group + k;
                    for (std::size_t i = 0; i < c.kernel[0]; ++i) {
                        const std::size_t y = input(0, oy, i);
                        if (y >= c.in_size[0]) continue;
                        for (std::size_t j = 0; j < c.kernel[1]; ++j) {
                            const std::size_t column = input(1, ox, j);
                            if (column >= c.in_size[1]) continue;
                            const std::size_t from = (channel * c.in_size[0] + y) * c.in_size[1] + column;
                            const std::size_t at = ((o * in_group + k) * c.kernel[0] + i) * c.kernel[1] + j;
                            by_w[at] += g * x[from];
                            if (by_x) by_x[from] += g * w[at];
                        }
                    }
                }
            }
        }
    }
}

}  // namespace

LinearPath::LinearPath(const Network& network, const Projection& projection, Duration dt)
    : source_(projection.source), target_(projection.target) {
    const std::string name = network.projection_name(projection);
    const std::vector<Stage>& stages = projection.stages;
    for (std::size_t k = 0; k < stages.size(); ++k) {
        if (!has_weights(stages[k]) && !is_fixed(stages[k]) && !keeps_values(stages[k])) {
            throw LimitError(name + ": a " + std::string(stage_kind(stages[k])) +
                             " does not learn by surrogate gradients on the stepped clock.");
        }
        if (!has_weights(stages[k])) continue;
        if (weighted_) {
            throw LimitError(name +
                             ": of several nodes with weights between two populations none learns by "
                             "surrogate gradients on the stepped clock; expected one.");
        }
        weighted_ = k;
    }
    if (projection.min_delay() != projection.max_delay())
        throw LimitError(name + ": delays that differ do not learn on the stepped clock.");
    delay_ = whole_steps(projection.min_delay(), dt);
    if (delay_ == 0 && projection.min_delay() > Duration()) {
        throw LimitError(name + ": a delay of " + to_string(projection.min_delay()) +
                         " is none in steps of " + to_string(dt) + ", and does not learn.");
    }
    size_ = static_cast<std::uint32_t>(network.populations()[source_].size());
    if (!weighted_) {
        before_ = synapses_of(projection, 0, stages.size(), size_, name);
        return;
    }
    stage_ = stages[*weighted_];
    if (auto* dense = std::get_if<Dense>(&stage_)) dense->weights = dense->bias = Weights();
    if (auto* c = std::get_if<Convolution>(&stage_)) c->weights = c->bias = Weights();
    before_ = synapses_of(projection, 0, *weighted_, size_, name);
    after_ = synapses_of(projection, *weighted_ + 1, stages.size(),
                         static_cast<std::uint32_t>(stage_size(stages[*weighted_]).output), name);
    Projection rest{source_, target_, {}};
    rest.stages.assign(stages.begin() + static_cast<std::ptrdiff_t>(*weighted_) + 1, stages.end());
    bias_delay_ = whole_steps(rest.min_delay(), dt);
}

const double* LinearPath::behind(const double* by_x, std::vector<double>& room) const {
    if (!after_) return by_x;
    room.assign(after_->inputs, 0.0);
    for_each_synapse(*after_, [&](std::size_t i, std::size_t j, double w) { room[i] += w * by_x[j]; });
    return room.data();
}

void LinearPath::back(const double* sent, const double* by_x, std::span<const double> weights,
                      double* by_weights, double* by_sent) const {
    if (!weighted_) {
        if (!by_sent) return;
        if (before_) {
            for_each_synapse(*before_,
                             [&](std::size_t i, std::size_t j, double w) { by_sent[i] += w * by_x[j]; });
        } else {
            // One to one: as many arrive as are sent.
            for (std::size_t i = 0; i < size_; ++i) by_sent[i] += by_x[i];
        }
        return;
    }
    std::vector<double> room;
    const double* by_y = behind(by_x, room);
    std::vector<double> in;
    std::vector<double> by_in;
    if (before_) {
        in.assign(before_->outputs, 0.0);
        for_each_synapse(*before_, [&](std::size_t i, std::size_t j, double w) { in[j] += w * sent[i]; });
        if (by_sent) by_in.assign(before_->outputs, 0.0);
    }
    const double* x = before_ ? in.data() : sent;
    double* const by_input = !by_sent ? nullptr : before_ ? by_in.data() : by_sent;
    if (const auto* dense = std::get_if<Dense>(&stage_)) {
        back_through(*dense, x, by_y, weights.data(), by_weights, by_input);
    } else {
        back_through(std::get<Convolution>(stage_), x, by_y, weights.data(), by_weights, by_input);
    }
    if (!before_ || !by_sent) return;
    for_each_synapse(*before_, [&](std::size_t i, std::size_t j, double w) { by_sent[i] += w * by_in[j]; });
}

void LinearPath::bias_back(const double* by_x, double* by_bias) const {
    std::vector<double> room;
    const double* by_y = behind(by_x, room);
    if (const auto* dense = std::get_if<Dense>(&stage_)) {
        for (std::size_t j = 0; j < std::size_t{dense->blocks} * dense->outputs; ++j) by_bias[j] += by_y[j];
        return;
    }
    const auto& c = std::get<Convolution>(stage_);
    const std::size_t places = std::size_t{c.out_size[0]} * c.out_size[1];
    for (std::size_t o = 0; o < c.out_channels; ++o) {
        for (std::size_t k = 0; k < places; ++k) by_bias[o] += by_y[o * places + k];
    }
}

}  // namespace saltus::learning
