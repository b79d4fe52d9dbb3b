#include "weights.hpp"

#include <algorithm>

#include "../../simulation/kernels.hpp"

namespace saltus::learning::surrogate {

namespace {

using Reduction = SurrogateLayer::Reduction;

/// sum[k] += factor x[k]
SALTUS_VECTOR_VERSIONS
void add_scaled(double* __restrict sum, const double* __restrict x, std::size_t n, double factor) {
#pragma omp simd
    for (std::size_t k = 0; k < n; ++k) sum[k] += factor * x[k];
}

bool has_neurons(const SurrogateNetwork::Layer& layer) {
    return layer.described.kind != SurrogateLayer::Kind::pooling;
}

/// Calls f(tap, in channel, row), row the weights to all output channels.
template <class F>
void for_each_row(const SurrogateNetwork::Layer& layer, std::span<const double> parameters, F&& f) {
    std::vector<double> row(layer.out.channels);
    for (std::uint32_t tap = 0; tap < layer.taps(); ++tap) {
        for (std::uint32_t c = 0; c < layer.in.channels; ++c) {
            for (std::uint32_t o = 0; o < layer.out.channels; ++o)
                row[o] = layer.connected(c, o) ? parameters[layer.at.w + layer.weight(tap, c, o)] : 0.0;
            f(tap, c, row);
        }
    }
}

}  // namespace

template <class T>
Weights<T>::Weights(const SurrogateNetwork& network, const SurrogateOptions& options)
    : network_(network), options_(options), layers_(network.layers().size()), sums_(layers_.size()) {
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        const SurrogateNetwork::Layer& layer = network.layers()[l];
        Layer& mine = layers_[l];
        mine.width = padded(layer.out.channels);
        mine.in_width = padded(layer.in.channels);
        if (!has_neurons(layer)) continue;
        mine.pairs = layer.spikes() && (layer.described.lateral || layer.described.recurrent);
        const auto take = [&](std::size_t& at, std::size_t n) {
            at = size_;
            size_ += n;
        };
        take(sums_[l].weights, std::size_t{layer.taps()} * layer.in.channels * mine.width);
        take(sums_[l].pairs, mine.pairs ? layer.out.channels * mine.width : mine.width);
        take(sums_[l].b, mine.width);
        take(sums_[l].square, mine.width);
        take(sums_[l].leak, mine.width);
    }
}

template <class T>
void Weights<T>::set(std::span<const double> parameters, unsigned threads) {
    for_each_parallel(layers_.size(), threads, [&](std::size_t l, unsigned) {
        if (has_neurons(network_.layers()[l])) set_layer(l, parameters);
    });
}

template <class T>
void Weights<T>::set_layer(std::size_t l, std::span<const double> parameters) {
    const SurrogateNetwork::Layer& layer = network_.layers()[l];
    Layer& mine = layers_[l];
    const std::size_t outputs = layer.out.channels;
    const bool lateral = layer.spikes() && layer.described.lateral;
    const bool leaks = layer.at.beta != SurrogateParameters::none;
    const double beta = leaks ? parameters[layer.at.beta] : 0.0;
    const double gain = 1.0 - beta;
    mine.beta = static_cast<T>(beta);

    mine.forward.assign(std::size_t{layer.taps()} * layer.in.channels * mine.width, T(0));
    mine.backward.assign(std::size_t{layer.taps()} * outputs * mine.in_width, T(0));
    mine.square.assign(outputs, 0.0);
    mine.overlap.assign(lateral ? outputs * outputs : 0, 0.0);
    for_each_row(layer, parameters, [&](std::uint32_t tap, std::uint32_t c, const std::vector<double>& row) {
        T* forward = mine.forward.data() + (std::size_t{tap} * layer.in.channels + c) * mine.width;
        T* backward = mine.backward.data() + std::size_t{tap} * outputs * mine.in_width + c;
        for (std::size_t o = 0; o < outputs; ++o) {
            forward[o] = static_cast<T>(row[o]);
            backward[o * mine.in_width] = static_cast<T>(gain * row[o]);
            mine.square[o] += row[o] * row[o];
        }
        if (!lateral) return;
        for (std::size_t i = 0; i < outputs; ++i)
            add_scaled(mine.overlap.data() + i * outputs, row.data(), outputs, row[i]);
    });

    // Channels that only fill the last block never spike and have no gradient.
    mine.per_norm.assign(mine.width, T(0));
    mine.threshold.assign(mine.width, T(1));
    for (std::size_t j = 0; j < outputs; ++j) {
        mine.per_norm[j] = static_cast<T>(1.0 / (mine.square[j] + norm_floor));
        mine.threshold[j] = static_cast<T>(parameters[layer.at.b + j]);
    }
    if (!layer.spikes()) return;
    if (!mine.pairs) {
        mine.jump.assign(mine.width, T(0));
        for (std::size_t j = 0; j < outputs; ++j)
            mine.jump[j] = static_cast<T>(-beta * parameters[layer.at.b + j] * mine.square[j]);
        mine.jump_back = mine.jump;
        if (options_.detach_reset) mine.jump_back.assign(mine.width, T(0));
        return;
    }
    mine.jump.assign(outputs * mine.width, T(0));
    mine.jump_back.assign(outputs * mine.width, T(0));
    for (std::size_t i = 0; i < outputs; ++i) {
        for (std::size_t j = 0; j < outputs; ++j) {
            double reset = 0.0;
            if (lateral) {
                reset = -beta * mine.overlap[i * outputs + j];
            } else if (i == j) {
                reset = -beta * parameters[layer.at.b + j] * mine.square[j];
            }
            const double v =
                layer.described.recurrent ? gain * parameters[layer.at.v + i * outputs + j] : 0.0;
            mine.jump[i * mine.width + j] = static_cast<T>(reset + v);
            mine.jump_back[j * mine.width + i] = static_cast<T>((options_.detach_reset ? 0.0 : reset) + v);
        }
    }
}

template <class T>
void Weights<T>::add_gradient(std::span<const double> parameters, std::span<const double> sums,
                              std::span<double> gradient, unsigned threads) const {
    for_each_parallel(layers_.size(), threads, [&](std::size_t l, unsigned) {
        if (has_neurons(network_.layers()[l])) add_layer(l, parameters, sums, gradient);
    });
}

template <class T>
void Weights<T>::add_layer(std::size_t l, std::span<const double> parameters, std::span<const double> sums,
                           std::span<double> gradient) const {
    const SurrogateNetwork::Layer& layer = network_.layers()[l];
    const Layer& mine = layers_[l];
    const LayerSums& at = sums_[l];
    const std::size_t outputs = layer.out.channels;
    const bool lateral = layer.spikes() && layer.described.lateral;
    const bool leaks = layer.at.beta != SurrogateParameters::none;
    const double beta = leaks ? parameters[layer.at.beta] : 0.0;
    const bool detached = options_.detach_reset;
    const auto b = [&](std::size_t j) { return parameters[layer.at.b + j]; };
    /// S_ij
    const auto pair = [&](std::size_t i, std::size_t j) { return sums[at.pairs + i * mine.width + j]; };

    std::vector<double> square(outputs);  // derivative by n
    double leak = 0.0;
    for (std::size_t j = 0; j < outputs; ++j) {
        square[j] = sums[at.square + j];
        gradient[layer.at.b + j] += sums[at.b + j];
        leak += sums[at.leak + j];
        if (!layer.spikes() || lateral) continue;
        const double own = mine.pairs ? pair(j, j) : sums[at.pairs + j];
        leak -= own * b(j) * mine.square[j];
        if (detached) continue;
        gradient[layer.at.b + j] -= beta * mine.square[j] * own;
        square[j] -= beta * b(j) * own;
    }
    std::vector<double> overlap;  // derivative by G, with its transpose
    if (lateral) {
        overlap.assign(outputs * outputs, 0.0);
        for (std::size_t i = 0; i < outputs; ++i) {
            for (std::size_t j = 0; j < outputs; ++j) {
                leak -= pair(i, j) * mine.overlap[i * outputs + j];
                if (!detached) overlap[i * outputs + j] = -beta * (pair(i, j) + pair(j, i));
            }
        }
    }
    if (layer.described.recurrent) {
        for (std::size_t i = 0; i < outputs; ++i) {
            for (std::size_t j = 0; j < outputs; ++j) {
                const std::size_t k = layer.at.v + i * outputs + j;
                leak -= pair(i, j) * parameters[k];
                gradient[k] += (1.0 - beta) * pair(i, j);
            }
        }
    }
    if (leaks) gradient[layer.at.beta] += leak;

    std::vector<double> sum(outputs);
    for_each_row(layer, parameters, [&](std::uint32_t tap, std::uint32_t c, const std::vector<double>& row) {
        const double* drive =
            sums.data() + at.weights + (std::size_t{tap} * layer.in.channels + c) * mine.width;
        for (std::size_t o = 0; o < outputs; ++o) sum[o] = (1.0 - beta) * drive[o] + 2.0 * row[o] * square[o];
        if (lateral && !detached) {
            for (std::size_t i = 0; i < outputs; ++i)
                add_scaled(sum.data(), overlap.data() + i * outputs, outputs, row[i]);
        }
        for (std::uint32_t o = 0; o < layer.out.channels; ++o) {
            if (layer.connected(c, o)) gradient[layer.at.w + layer.weight(tap, c, o)] += sum[o];
        }
    });
}

template class Weights<float>;
template class Weights<double>;

}  // namespace saltus::learning::surrogate
