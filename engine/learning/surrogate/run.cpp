#include "run.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace saltus::learning::surrogate {

namespace {

using Kind = SurrogateLayer::Kind;
using Reduction = SurrogateLayer::Reduction;
using PlacedLayer = SurrogateNetwork::Layer;

/// Outputs o, and their inputs o stride + tap dilation - padding, along one axis.
struct Range {
    std::uint64_t begin = 0, end = 0;  // outputs whose input exists
    std::uint64_t stride = 1;
    std::int64_t offset = 0;

    [[nodiscard]] std::uint64_t input(std::uint64_t o) const {
        return static_cast<std::uint64_t>(static_cast<std::int64_t>(o * stride) + offset);
    }
};

Range range(const PlacedLayer& layer, std::size_t axis, std::uint32_t tap) {
    const std::int64_t in = axis == 0 ? layer.in.steps : layer.in.space[axis - 1];
    const std::int64_t out = axis == 0 ? layer.out.steps : layer.out.space[axis - 1];
    Range r;
    r.stride = layer.stride[axis];
    r.offset = std::int64_t{tap} * layer.dilation[axis] - layer.padding[axis];
    const auto stride = static_cast<std::int64_t>(r.stride);
    const std::int64_t begin = r.offset < 0 ? (-r.offset + stride - 1) / stride : 0;
    const std::int64_t end = in - r.offset > 0 ? std::min(out, (in - 1 - r.offset) / stride + 1) : 0;
    r.begin = static_cast<std::uint64_t>(begin);
    r.end = static_cast<std::uint64_t>(std::max(begin, end));
    return r;
}

/// Positions of one step, as a row number of all steps.
std::size_t row_of(const SignalSize& size, std::uint64_t t, std::uint64_t a, std::uint64_t b) {
    return (t * size.space[0] + a) * size.space[1] + b;
}

/// Calls f(tap, first output row, first input row, n, step between input rows): n outputs that follow one
/// another, and their inputs through one tap of the kernel.
template <class F>
void for_each_run(const PlacedLayer& layer, F&& f) {
    const bool along_time = layer.out.positions() == 1;
    // All taps of some steps before the next: what they read and write stays in the cache.
    const std::uint64_t block = along_time ? layer.out.steps : std::max(1u, 256 / layer.out.positions());
    for (std::uint64_t first = 0; first < layer.out.steps; first += block) {
        std::uint32_t tap = 0;
        for (std::uint32_t kt = 0; kt < layer.kernel[0]; ++kt) {
            Range t = range(layer, 0, kt);
            t.begin = std::max(t.begin, first);
            t.end = std::min(t.end, first + block);
            for (std::uint32_t ka = 0; ka < layer.kernel[1]; ++ka) {
                const Range a = range(layer, 1, ka);
                for (std::uint32_t kb = 0; kb < layer.kernel[2]; ++kb, ++tap) {
                    const Range b = range(layer, 2, kb);
                    if (a.begin == a.end || b.begin == b.end || t.begin >= t.end) continue;
                    if (along_time) {
                        f(tap, t.begin, row_of(layer.in, t.input(t.begin), a.input(0), b.input(0)),
                          t.end - t.begin, t.stride * layer.in.positions());
                        continue;
                    }
                    for (std::uint64_t step = t.begin; step < t.end; ++step) {
                        for (std::uint64_t k = a.begin; k < a.end; ++k) {
                            f(tap, row_of(layer.out, step, k, b.begin),
                              row_of(layer.in, t.input(step), a.input(k), b.input(b.begin)), b.end - b.begin,
                              b.stride);
                        }
                    }
                }
            }
        }
    }
}

/// Output row that takes input (t, a, b) through a tap, or none.
constexpr std::size_t no_row = static_cast<std::size_t>(-1);
std::size_t output_row(const PlacedLayer& layer, const std::array<std::uint32_t, 3>& at,
                       const std::array<std::uint32_t, 3>& tap) {
    std::array<std::uint64_t, 3> out{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const std::int64_t shifted =
            std::int64_t{at[axis]} + layer.padding[axis] - std::int64_t{tap[axis]} * layer.dilation[axis];
        if (shifted < 0) return no_row;
        out[axis] = static_cast<std::uint64_t>(shifted);
        if (layer.stride[axis] != 1) {
            if (out[axis] % layer.stride[axis] != 0) return no_row;
            out[axis] /= layer.stride[axis];
        }
        if (out[axis] >= (axis == 0 ? layer.out.steps : layer.out.space[axis - 1])) return no_row;
    }
    return row_of(layer.out, out[0], out[1], out[2]);
}

template <class T>
BitRows bit_rows(const Signal<T>& signal, std::size_t row, std::size_t step) {
    return {signal.bits.data() + row * signal.words, step * signal.words, signal.words};
}
template <class T>
NumberRows<T> number_rows(const Signal<T>& signal, std::size_t row, std::size_t step) {
    return {signal.numbers.data() + row * signal.width, step * signal.width, signal.size.channels};
}

}  // namespace

template <class T>
void Signal<T>::become_binary(const SignalSize& of) {
    size = of;
    binary = true;
    words = surrogate::words(of.channels);
    width = padded(of.channels);
    bits.resize(rows() * words);
}

template <class T>
void Signal<T>::become_numbers(const SignalSize& of) {
    size = of;
    binary = false;
    width = padded(of.channels);
    words = 0;
    numbers.assign(rows() * width, T(0));
}

template <class T>
std::uint64_t Signal<T>::spikes() const {
    std::uint64_t n = 0;
    for (const std::uint64_t word : bits) n += static_cast<std::uint64_t>(std::popcount(word));
    return n;
}

template <class T>
Run<T>::Run(const Weights<T>& weights)
    : weights_(weights), network_(weights.network()), layers_(network_.layers().size()) {
    std::size_t widest = 0;
    for (std::size_t l = 0; l < layers_.size(); ++l) widest = std::max(widest, weights[l].width);
    zeros_.assign(widest, T(0));
}

template <class T>
const Signal<T>& Run<T>::source(std::uint32_t from) const {
    return from == SurrogateNetwork::input ? input_ : layers_[from].out;
}

template <class T>
const Signal<T>& Run<T>::in(std::size_t l) const {
    const auto& from = network_.layers()[l].from;
    return from.size() > 1 ? layers_[l].joined : source(from[0]);
}

template <class T>
template <class Number>
void Run<T>::forward(std::span<const Number> sample) {
    const SignalSize& size = network_.input_size();
    const std::size_t places = size.positions();
    const bool binary =
        std::all_of(sample.begin(), sample.end(), [](Number x) { return x == Number(0) || x == Number(1); });
    binary ? input_.become_binary(size) : input_.become_numbers(size);
    if (binary) std::fill(input_.bits.begin(), input_.bits.end(), 0);
    const Number* next = sample.data();
    for (std::size_t t = 0; t < size.steps; ++t) {
        for (std::size_t c = 0; c < size.channels; ++c) {
            for (std::size_t p = 0; p < places; ++p, ++next) {
                if (*next == Number(0)) continue;
                const std::size_t row = t * places + p;
                if (binary) {
                    input_.bits[row * input_.words + c / 64] |= std::uint64_t{1} << (c % 64);
                } else {
                    input_.numbers[row * input_.width + c] = static_cast<T>(*next);
                }
            }
        }
    }
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        const PlacedLayer& layer = network_.layers()[l];
        if (layer.from.size() > 1) join(l);
        if (layer.described.kind == Kind::pooling) {
            pool(l);
        } else if (layer.spikes()) {
            drive(l, x_of(l));
            spike(l);
        }
        if (layer.described.kind == Kind::readout) read_out(l);
    }
}

template <class T>
void Run<T>::join(std::size_t l) {
    const PlacedLayer& layer = network_.layers()[l];
    Signal<T>& joined = layers_[l].joined;
    const bool add = layer.described.join == SurrogateLayer::Join::add;
    joined.become_numbers(layer.in);
    std::size_t first = 0;
    for (const std::uint32_t from : layer.from) {
        const Signal<T>& part = source(from);
        for (std::size_t row = 0; row < part.rows(); ++row) {
            T* to = joined.numbers.data() + row * joined.width + first;
            for (std::size_t c = 0; c < part.size.channels; ++c) to[c] += part.at(row, c);
        }
        if (!add) first += part.size.channels;
    }
}

template <class T>
void Run<T>::pool(std::size_t l) {
    const PlacedLayer& layer = network_.layers()[l];
    const Signal<T>& from = in(l);
    Signal<T>& out = layers_[l].out;
    out.become_numbers(layer.out);
    const auto kind = layer.described.pool;
    if (kind != SurrogateLayer::Pool::max) {
        const T factor = kind == SurrogateLayer::Pool::sum ? T(1) : T(1) / static_cast<T>(layer.taps());
        for_each_run(layer, [&](std::uint32_t, std::size_t first, std::size_t first_in, std::size_t n,
                                std::size_t step) {
            for (std::size_t k = 0; k < n; ++k) {
                for (std::size_t c = 0; c < layer.in.channels; ++c)
                    out.numbers[(first + k) * out.width + c] += factor * from.at(first_in + k * step, c);
            }
        });
        return;
    }
    std::fill(out.numbers.begin(), out.numbers.end(), -std::numeric_limits<T>::infinity());
    for_each_run(
        layer, [&](std::uint32_t, std::size_t first, std::size_t first_in, std::size_t n, std::size_t step) {
            for (std::size_t k = 0; k < n; ++k) {
                for (std::size_t c = 0; c < layer.in.channels; ++c) {
                    T& largest = out.numbers[(first + k) * out.width + c];
                    largest = std::max(largest, from.at(first_in + k * step, c));
                }
            }
        });
    // Windows beyond the edge, and channels that only fill the last block.
    for (T& value : out.numbers) {
        if (value == -std::numeric_limits<T>::infinity()) value = T(0);
    }
}

template <class T>
void Run<T>::pool_back(std::size_t l) {
    const PlacedLayer& layer = network_.layers()[l];
    const Signal<T>& from = in(l);
    Layer& mine = layers_[l];
    const std::size_t width = mine.out.width;
    const std::size_t in_width = padded(layer.in.channels);
    std::vector<T> errors(from.rows() * in_width, T(0));
    const auto kind = layer.described.pool;
    const bool max = kind == SurrogateLayer::Pool::max;
    const T factor = kind == SurrogateLayer::Pool::average ? T(1) / static_cast<T>(layer.taps()) : T(1);
    // The first of the largest takes it all: what it took is not given twice.
    std::vector<std::uint8_t> given(max ? mine.out.rows() * width : 0, 0);
    for_each_run(
        layer, [&](std::uint32_t, std::size_t first, std::size_t first_in, std::size_t n, std::size_t step) {
            for (std::size_t k = 0; k < n; ++k) {
                for (std::size_t c = 0; c < layer.in.channels; ++c) {
                    const std::size_t to = (first + k) * width + c;
                    if (max) {
                        if (given[to] || from.at(first_in + k * step, c) != mine.out.numbers[to]) continue;
                        given[to] = 1;
                    }
                    errors[(first_in + k * step) * in_width + c] += factor * mine.errors[to];
                }
            }
        });
    split(l, errors);
}

template <class T>
void Run<T>::drive(std::size_t l, std::vector<T>& x) {
    const PlacedLayer& layer = network_.layers()[l];
    const auto& w = weights_[l];
    const Signal<T>& from = in(l);
    x.assign(std::size_t{layer.out.steps} * layer.out.positions() * w.width, T(0));
    for_each_run(layer, [&](std::uint32_t tap, std::size_t first, std::size_t first_in, std::size_t n,
                            std::size_t step) {
        const T* table = w.forward.data() + std::size_t{tap} * layer.in.channels * w.width;
        if (from.binary) {
            add_spikes(x.data() + first * w.width, n, bit_rows(from, first_in, step), table, w.width);
        } else {
            add_numbers(x.data() + first * w.width, n, number_rows(from, first_in, step), table, w.width);
        }
    });
}

template <class T>
void Run<T>::spike(std::size_t l) {
    const PlacedLayer& layer = network_.layers()[l];
    const auto& w = weights_[l];
    Signal<T>& out = layers_[l].out;
    const std::vector<T>& x = x_of(l);
    std::vector<T>& u = u_of(l);
    out.become_binary(layer.out);
    u.resize(x.size());
    NeuronStep<T> step;
    step.n = layer.out.positions();
    step.width = w.width;
    step.words = out.words;
    step.beta = w.beta;
    step.per_norm = w.per_norm.data();
    step.threshold = w.threshold.data();
    const std::size_t row = step.n * w.width;
    jump_.resize(row);
    for (std::size_t t = 0; t < layer.out.steps; ++t) {
        step.x = x.data() + t * row;
        step.u = u.data() + t * row;
        step.spikes = out.bits.data() + t * step.n * out.words;
        if (t > 0) {
            step.before = step.u - row;
            step.jump = jump_.data();
            std::fill(jump_.begin(), jump_.end(), T(0));
            const BitRows last{step.spikes - step.n * out.words, out.words, out.words};
            if (w.pairs) {
                add_spikes(jump_.data(), step.n, last, w.jump.data(), w.width);
            } else {
                for (std::size_t k = 0; k < step.n; ++k) {
                    for (std::size_t j = 0; j < layer.out.channels; ++j) {
                        if (last.first[k * out.words + j / 64] >> (j % 64) & 1)
                            jump_[k * w.width + j] = w.jump[j];
                    }
                }
            }
        }
        step_neurons(step);
    }
}

template <class T>
void Run<T>::potentials(std::size_t l) {
    const PlacedLayer& layer = network_.layers()[l];
    const auto& w = weights_[l];
    const std::vector<T>& x = x_of(l);
    std::vector<T>& u = u_of(l);
    u.resize(x.size());
    for (std::size_t t = 0; t < layer.out.steps; ++t) {
        for (std::size_t j = 0; j < w.width; ++j) {
            const std::size_t at = t * w.width + j;
            u[at] = w.beta * (t > 0 ? u[at - w.width] : T(0)) + (T(1) - w.beta) * x[at];
        }
    }
}

template <class T>
void Run<T>::read_out(std::size_t l) {
    const PlacedLayer& layer = network_.layers()[l];
    const auto& w = weights_[l];
    const std::size_t classes = layer.out.channels;
    output_.assign(classes, 0.0);
    const Reduction reduction = layer.described.reduction;
    if (reduction == Reduction::count) {
        const Signal<T>& out = layers_[l].out;
        for (std::size_t t = 0; t < layer.out.steps; ++t) {
            for (std::size_t j = 0; j < classes; ++j) output_[j] += static_cast<double>(out.at(t, j));
        }
        return;
    }
    const auto scaled = [&](double h, std::size_t j) {
        return h * static_cast<double>(w.per_norm[j]) - static_cast<double>(w.threshold[j]);
    };
    drive(l, x_of(l));
    const std::vector<T>& x = x_of(l);
    if (reduction == Reduction::mean) {
        for (std::size_t t = 0; t < layer.out.steps; ++t) {
            for (std::size_t j = 0; j < classes; ++j) output_[j] += static_cast<double>(x[t * w.width + j]);
        }
        for (std::size_t j = 0; j < classes; ++j)
            output_[j] = scaled(output_[j] / static_cast<double>(layer.out.steps), j);
        return;
    }
    potentials(l);
    const std::vector<T>& u = u_of(l);
    best_step_.assign(classes, layer.out.steps - 1);
    for (std::size_t j = 0; j < classes; ++j) {
        if (reduction == Reduction::max) {
            best_step_[j] = 0;
            for (std::uint32_t t = 1; t < layer.out.steps; ++t) {
                if (u[t * w.width + j] > u[best_step_[j] * w.width + j]) best_step_[j] = t;
            }
        }
        output_[j] = scaled(static_cast<double>(u[best_step_[j] * w.width + j]), j);
    }
}

template <class T>
double Run<T>::cross_entropy(std::uint32_t label) const {
    const double largest = *std::max_element(output_.begin(), output_.end());
    double sum = 0.0;
    for (const double x : output_) sum += std::exp(x - largest);
    return largest + std::log(sum) - output_[label];
}

template <class T>
std::uint32_t Run<T>::answer() const {
    return static_cast<std::uint32_t>(std::max_element(output_.begin(), output_.end()) - output_.begin());
}

template <class T>
double Run<T>::activity(std::size_t layer) const {
    const SignalSize& size = network_.layers()[layer].out;
    return 0.5 * static_cast<double>(layers_[layer].out.spikes()) /
           (static_cast<double>(size.steps) * static_cast<double>(size.neurons()));
}

template <class T>
double Run<T>::regulariser() const {
    double sum = 0.0;
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        const std::uint32_t number = network_.layers()[l].spiking;
        if (number > 0) sum += number * activity(l);
    }
    return sum * weights_.options().activity / std::max(network_.spiking_layers(), 1u);
}

template <class T>
double Run<T>::excess(std::size_t layer, std::size_t row, std::size_t channel) const {
    const auto& w = weights_[layer];
    const std::vector<T>& u = layers_[layer].u;
    return static_cast<double>(u[row * w.width + channel] * w.per_norm[channel] - w.threshold[channel]);
}

template <class T>
bool Run<T>::wants_errors(std::size_t l) const {
    for (const std::uint32_t from : network_.layers()[l].from) {
        if (from != SurrogateNetwork::input || wants_input_errors_) return true;
    }
    return false;
}

template <class T>
std::vector<T>& Run<T>::errors_of(std::uint32_t from) {
    if (from == SurrogateNetwork::input) return input_errors_;
    Layer& layer = layers_[from];
    if (!layer.has_errors) {
        layer.has_errors = true;
        const SignalSize& size = network_.layers()[from].out;
        layer.errors.assign(std::size_t{size.steps} * size.positions() * weights_[from].width, T(0));
    }
    return layer.errors;
}

template <class T>
void Run<T>::backward(std::uint32_t label, std::span<double> sums, bool input_gradient) {
    wants_input_errors_ = input_gradient;
    if (input_gradient) {
        input_errors_.assign(
            std::size_t{input_.size.steps} * input_.size.positions() * padded(input_.size.channels), T(0));
    }
    for (Layer& layer : layers_) layer.has_errors = false;
    sums_.assign(sums.size(), T(0));

    const double largest = *std::max_element(output_.begin(), output_.end());
    std::vector<double> slope(output_.size());
    double total = 0.0;
    for (std::size_t j = 0; j < slope.size(); ++j) total += slope[j] = std::exp(output_[j] - largest);
    for (double& x : slope) x /= total;
    slope[label] -= 1.0;

    for (std::size_t l = layers_.size(); l-- > 0;) {
        const PlacedLayer& layer = network_.layers()[l];
        if (layer.described.kind == Kind::readout) {
            read_out_back(l, slope);
            if (!layer.spikes()) continue;
        }
        if (layer.described.kind == Kind::pooling) {
            if (layers_[l].has_errors) pool_back(l);
        } else {
            errors_of(static_cast<std::uint32_t>(l));
            if (weights_.options().recompute) {
                drive(l, shared_x_);
                spike(l);
            }
            push_down_activity(l);
            spike_back(l);
            collect(l);
            hand_down(l);
        }
        if (weights_.options().recompute) layers_[l].errors = {};
    }
    for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += static_cast<double>(sums_[k]);
}

template <class T>
void Run<T>::read_out_back(std::size_t l, std::span<const double> slope) {
    const PlacedLayer& layer = network_.layers()[l];
    const auto& w = weights_[l];
    const LayerSums& at = weights_.sums(l);
    const std::size_t classes = layer.out.channels;
    std::vector<T>& errors = errors_of(static_cast<std::uint32_t>(l));
    const std::size_t steps = layer.out.steps;
    switch (layer.described.reduction) {
        case Reduction::count:
            for (std::size_t t = 0; t < steps; ++t) {
                for (std::size_t j = 0; j < classes; ++j) errors[t * w.width + j] = static_cast<T>(slope[j]);
            }
            return;
        case Reduction::mean:
            return mean_back(l, slope);
        case Reduction::max:
        case Reduction::last:
            break;
    }
    if (weights_.options().recompute) {
        drive(l, shared_x_);
        potentials(l);
    }
    const std::vector<T>& u = u_of(l);
    const std::vector<T>& x = x_of(l);
    for (std::size_t j = 0; j < classes; ++j) {
        const auto s = static_cast<T>(slope[j]);
        const std::size_t last = best_step_[j];
        sums_[at.b + j] -= s;
        sums_[at.square + j] -= s * u[last * w.width + j] * w.per_norm[j] * w.per_norm[j];
        T p = s * w.per_norm[j];
        for (std::size_t t = last + 1; t-- > 0; p *= w.beta) {
            const std::size_t k = t * w.width + j;
            errors[k] = p;
            sums_[at.leak + j] += p * ((t > 0 ? u[k - w.width] : T(0)) - x[k]);
        }
    }
    collect(l);
    hand_down(l);
}

template <class T>
void Run<T>::mean_back(std::size_t l, std::span<const double> slope) {
    const PlacedLayer& layer = network_.layers()[l];
    const auto& w = weights_[l];
    const LayerSums& at = weights_.sums(l);
    const Signal<T>& from = in(l);
    const std::size_t classes = layer.out.channels;
    const std::size_t places = layer.in.positions();
    std::vector<T> p(w.width, T(0));
    for (std::size_t j = 0; j < classes; ++j) {
        const double per_norm = static_cast<double>(w.per_norm[j]);
        const double mean = (output_[j] + static_cast<double>(w.threshold[j])) / per_norm;
        sums_[at.b + j] -= static_cast<T>(slope[j]);
        sums_[at.square + j] -= static_cast<T>(slope[j] * mean * per_norm * per_norm);
        p[j] = static_cast<T>(slope[j] * per_norm / static_cast<double>(layer.out.steps));
    }
    // The errors are the same in all steps: what came in is summed over them first.
    std::vector<T> sum(places * layer.in.channels, T(0));
    for (std::size_t row = 0; row < from.rows(); ++row) {
        T* to = sum.data() + row % places * layer.in.channels;
        if (from.binary) {
            for_each_bit(from.bits.data() + row * from.words, from.words,
                         [&](std::size_t c) { to[c] += T(1); });
        } else {
            for (std::size_t c = 0; c < layer.in.channels; ++c) to[c] += from.numbers[row * from.width + c];
        }
    }
    for (std::size_t k = 0; k < sum.size(); ++k) {
        T* to = sums_.data() + at.weights + k * w.width;
        for (std::size_t j = 0; j < classes; ++j) to[j] += sum[k] * p[j];
    }
    if (!wants_errors(l)) return;
    const std::size_t in_width = w.in_width;
    std::vector<T> down(places * in_width, T(0));
    for (std::size_t place = 0; place < places; ++place) {
        for (std::size_t j = 0; j < classes; ++j) {
            const T* table = w.backward.data() + (place * classes + j) * in_width;
            for (std::size_t c = 0; c < in_width; ++c) down[place * in_width + c] += p[j] * table[c];
        }
    }
    if (layer.from.size() == 1) {
        std::vector<T>& errors = errors_of(layer.from[0]);
        for (std::size_t t = 0; t < layer.in.steps; ++t) {
            T* to = errors.data() + t * down.size();
            for (std::size_t k = 0; k < down.size(); ++k) to[k] += down[k];
        }
        return;
    }
    std::vector<T> errors;
    for (std::size_t t = 0; t < layer.in.steps; ++t) errors.insert(errors.end(), down.begin(), down.end());
    split(l, errors);
}

template <class T>
void Run<T>::push_down_activity(std::size_t l) {
    const PlacedLayer& layer = network_.layers()[l];
    const double neurons = static_cast<double>(layer.out.steps) * static_cast<double>(layer.out.neurons());
    const auto push =
        static_cast<T>(weights_.options().activity * layer.spiking / network_.spiking_layers() / neurons);
    if (push == T(0)) return;
    const Signal<T>& out = layers_[l].out;
    std::vector<T>& errors = layers_[l].errors;
    for (std::size_t row = 0; row < out.rows(); ++row) {
        for_each_bit(out.bits.data() + row * out.words, out.words,
                     [&](std::size_t c) { errors[row * out.width + c] += push; });
    }
}

template <class T>
void Run<T>::spike_back(std::size_t l) {
    const PlacedLayer& layer = network_.layers()[l];
    const auto& w = weights_[l];
    const LayerSums& at = weights_.sums(l);
    const Signal<T>& out = layers_[l].out;
    const std::vector<T>& x = x_of(l);
    const std::vector<T>& u = u_of(l);
    std::vector<T>& errors = layers_[l].errors;
    const std::uint32_t truncate = weights_.options().truncate;
    const std::size_t outputs = layer.out.channels;

    NeuronStepBack<T> back;
    back.n = layer.out.positions();
    back.width = w.width;
    back.zeros = zeros_.data();
    back.beta = w.beta;
    back.per_norm = w.per_norm.data();
    back.threshold = w.threshold.data();
    back.b = sums_.data() + at.b;
    back.square = sums_.data() + at.square;
    back.leak = sums_.data() + at.leak;
    const std::size_t row = back.n * w.width;
    const bool marks = marks_errors(l);
    if (marks) {
        back.words = out.words;
        own_.resize((layer.out.steps + std::size_t{1}) * row);
        marks_.resize((layer.out.steps + std::size_t{1}) * back.n * back.words);
    }
    const T* table = w.jump_back.data();
    for (std::size_t t = layer.out.steps; t-- > 0;) {
        back.g = errors.data() + t * row;
        back.u = u.data() + t * row;
        back.x = x.data() + t * row;
        back.before = t > 0 ? back.u - row : nullptr;
        const bool last = t + 1 == layer.out.steps || (truncate > 0 && (t + 1) % truncate == 0);
        back.next = last ? nullptr : back.g + row;
        if (!last && w.pairs) {
            Products<T> products;
            products.taps = 1;
            products.inner = outputs;
            products.width = w.width;
            products.tables = &table;
            std::array<const T*, tile_rows> sources;
            std::array<T*, tile_rows> to;
            products.sources = sources.data();
            products.out = to.data();
            for (std::size_t k = 0; k < back.n; k += tile_rows) {
                products.rows = std::min(tile_rows, back.n - k);
                for (std::size_t r = 0; r < products.rows; ++r) {
                    sources[r] = back.next + (k + r) * w.width;
                    to[r] = back.g + (k + r) * w.width;
                }
                gather_products(products);
            }
        } else if (!last) {
            for (std::size_t k = 0; k < row; ++k) back.g[k] += w.jump_back[k % w.width] * back.next[k];
        }
        if (marks) {
            back.own = own_.data() + (t + 1) * row;
            back.marks = marks_.data() + (t + 1) * back.n * back.words;
        }
        step_neurons_back(back, weights_.options().function);
        if (t == 0) continue;
        const BitRows before = bit_rows(out, (t - 1) * back.n, 1);
        if (w.pairs) {
            collect_spikes(sums_.data() + at.pairs, back.n, before, back.g, w.width);
        } else {
            for (std::size_t k = 0; k < back.n; ++k) {
                for (std::size_t j = 0; j < outputs; ++j) {
                    if (before.first[k * out.words + j / 64] >> (j % 64) & 1)
                        sums_[at.pairs + j] += back.g[k * w.width + j];
                }
            }
        }
    }
}

template <class T>
void Run<T>::collect(std::size_t l) {
    const PlacedLayer& layer = network_.layers()[l];
    const auto& w = weights_[l];
    const Signal<T>& from = in(l);
    const T* p = layers_[l].errors.data();
    for_each_run(layer, [&](std::uint32_t tap, std::size_t first, std::size_t first_in, std::size_t n,
                            std::size_t step) {
        T* table = sums_.data() + weights_.sums(l).weights + std::size_t{tap} * layer.in.channels * w.width;
        if (from.binary) {
            collect_spikes(table, n, bit_rows(from, first_in, step), p + first * w.width, w.width);
        } else {
            collect_numbers(table, n, number_rows(from, first_in, step), p + first * w.width, w.width);
        }
    });
}

/// A spike's derivative is 0 almost everywhere, and errors leak with the same beta from every step to the one
/// before, as far as they go.
template <class T>
bool Run<T>::marks_errors(std::size_t l) const {
    const PlacedLayer& layer = network_.layers()[l];
    return layer.spikes() && wants_errors(l) && weights_.options().function.bounded() &&
           weights_.options().truncate == 0 && layer.stride[0] == 1;
}

/// The transposed convolution of p. It commutes with the leak p[t] = own[t] + beta p[t + 1]: so only `own`
/// goes through the kernel, and what comes out leaks. p ends before the first step, as if own were -beta p[0]
/// there.
template <class T>
void Run<T>::hand_down_marked(std::size_t l, std::vector<T>& errors) {
    const PlacedLayer& layer = network_.layers()[l];
    const auto& w = weights_[l];
    const std::size_t row = layer.out.positions() * w.width;
    const std::size_t words = layers_[l].out.words;
    for (std::size_t k = 0; k < row; ++k) own_[k] = -w.beta * layers_[l].errors[k];
    for (std::size_t place = 0; place < layer.out.positions(); ++place) {
        for (std::size_t c = 0; c < layer.out.channels; ++c) {
            std::uint64_t& word = marks_[place * words + c / 64];
            if (c % 64 == 0) word = 0;
            word |= std::uint64_t{1} << (c % 64);
        }
    }
    PlacedLayer longer = layer;
    longer.out.steps += 1;
    longer.padding[0] += 1;
    const std::uint32_t reach = (layer.kernel[0] - 1) * layer.dilation[0];
    longer.in.steps = std::max(layer.in.steps, layer.out.steps + reach - std::min(reach, layer.padding[0]));
    const std::size_t in_row = layer.in.positions() * w.in_width;
    leaking_.assign(longer.in.steps * in_row, T(0));
    for_each_run(longer, [&](std::uint32_t tap, std::size_t first, std::size_t first_in, std::size_t n,
                             std::size_t step) {
        add_marked(leaking_.data() + first_in * w.in_width, step * w.in_width, n,
                   BitRows{marks_.data() + first * words, words, words}, own_.data() + first * w.width,
                   w.width, w.backward.data() + std::size_t{tap} * layer.out.channels * w.in_width,
                   w.in_width);
    });
    std::vector<T> nothing(in_row, T(0));
    std::vector<T> beyond(in_row);
    for (std::size_t t = longer.in.steps; t-- > 0;) {
        T* now = leaking_.data() + t * in_row;
        const T* later = t + 1 < longer.in.steps ? now + in_row : nothing.data();
        leak_back(now, later, t < layer.in.steps ? errors.data() + t * in_row : beyond.data(), in_row,
                  w.beta);
    }
}

template <class T>
void Run<T>::hand_down(std::size_t l) {
    if (!wants_errors(l)) return;
    const PlacedLayer& layer = network_.layers()[l];
    const auto& w = weights_[l];
    const T* p = layers_[l].errors.data();
    const bool joined = layer.from.size() > 1;
    std::vector<T> own;
    if (joined) own.assign(std::size_t{layer.in.steps} * layer.in.positions() * w.in_width, T(0));
    std::vector<T>& errors = joined ? own : errors_of(layer.from[0]);
    if (marks_errors(l)) {
        hand_down_marked(l, errors);
        if (joined) split(l, own);
        return;
    }

    const std::size_t taps = layer.taps();
    const std::size_t table_size = std::size_t{layer.out.channels} * w.in_width;
    std::vector<const T*> sources(taps * tile_rows);
    std::vector<const T*> tables(taps);
    std::array<T*, tile_rows> to{};
    Products<T> products;
    products.inner = layer.out.channels;
    products.width = w.in_width;
    products.sources = sources.data();
    products.tables = tables.data();
    products.out = to.data();

    // Rows of a tile follow one another along the axis along which they meet the same taps.
    const bool along_time = layer.out.positions() == 1;
    const std::size_t places = layer.in.positions();
    const std::size_t rows = std::size_t{layer.in.steps} * places;
    const auto at = [&](std::size_t k) -> std::array<std::uint32_t, 3> {
        const std::size_t t = along_time ? k % layer.in.steps : k / places;
        const std::size_t place = along_time ? k / layer.in.steps : k % places;
        return {static_cast<std::uint32_t>(t), static_cast<std::uint32_t>(place / layer.in.space[1]),
                static_cast<std::uint32_t>(place % layer.in.space[1])};
    };
    for (std::size_t k = 0; k < rows; k += tile_rows) {
        products.rows = std::min(tile_rows, rows - k);
        std::array<std::array<std::uint32_t, 3>, tile_rows> where;
        for (std::size_t r = 0; r < products.rows; ++r) {
            where[r] = at(k + r);
            to[r] = errors.data() + row_of(layer.in, where[r][0], where[r][1], where[r][2]) * w.in_width;
        }
        products.taps = 0;
        std::array<std::uint32_t, 3> tap{};
        for (std::size_t number = 0; number < taps; ++number) {
            bool any = false;
            for (std::size_t r = 0; r < products.rows; ++r) {
                const std::size_t row = output_row(layer, where[r], tap);
                any = any || row != no_row;
                sources[products.taps * tile_rows + r] = row == no_row ? zeros_.data() : p + row * w.width;
            }
            if (any) tables[products.taps++] = w.backward.data() + number * table_size;
            for (std::size_t axis = 3; axis-- > 0;) {
                if (++tap[axis] < layer.kernel[axis]) break;
                tap[axis] = 0;
            }
        }
        if (products.taps > 0) gather_products(products);
    }
    if (joined) split(l, own);
}

template <class T>
void Run<T>::split(std::size_t l, const std::vector<T>& errors) {
    const PlacedLayer& layer = network_.layers()[l];
    const std::size_t width = padded(layer.in.channels);
    const std::size_t rows = errors.size() / width;
    const bool add = layer.described.join == SurrogateLayer::Join::add;
    std::size_t first = 0;
    for (const std::uint32_t from : layer.from) {
        const std::size_t channels = source(from).size.channels;
        if (from != SurrogateNetwork::input || wants_input_errors_) {
            std::vector<T>& to = errors_of(from);
            const std::size_t to_width = padded(channels);
            for (std::size_t row = 0; row < rows; ++row) {
                for (std::size_t c = 0; c < channels; ++c)
                    to[row * to_width + c] += errors[row * width + first + c];
            }
        }
        if (!add) first += channels;
    }
}

template class Run<float>;
template class Run<double>;
template void Run<float>::forward(std::span<const float>);
template void Run<float>::forward(std::span<const double>);
template void Run<double>::forward(std::span<const float>);
template void Run<double>::forward(std::span<const double>);

}  // namespace saltus::learning::surrogate
