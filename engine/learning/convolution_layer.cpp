#include "convolution_layer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "simulation/kernels.hpp"

namespace saltus::learning {

namespace {

constexpr std::int64_t not_at_all = std::numeric_limits<std::int64_t>::max();

/// Input places around each output place, with their places in the kernel.
std::vector<std::vector<Tap>> fields_of(const Convolution& c) {
    std::vector<std::vector<Tap>> fields;
    for (std::uint32_t y = 0; y < c.out_size[0]; ++y) {
        for (std::uint32_t x = 0; x < c.out_size[1]; ++x) {
            std::vector<Tap>& field = fields.emplace_back();
            for (std::uint32_t ky = 0; ky < c.kernel[0]; ++ky) {
                const std::int64_t from_y =
                    std::int64_t{y} * c.stride[0] + std::int64_t{ky} * c.dilation[0] - c.padding[0];
                if (from_y < 0 || from_y >= c.in_size[0]) continue;
                for (std::uint32_t kx = 0; kx < c.kernel[1]; ++kx) {
                    const std::int64_t from_x =
                        std::int64_t{x} * c.stride[1] + std::int64_t{kx} * c.dilation[1] - c.padding[1];
                    if (from_x < 0 || from_x >= c.in_size[1]) continue;
                    field.push_back(
                        {static_cast<std::uint32_t>(from_y * c.in_size[1] + from_x), ky * c.kernel[1] + kx});
                }
            }
        }
    }
    return fields;
}

void flatten(const std::vector<std::vector<Tap>>& rows, std::vector<Tap>& taps,
             std::vector<std::uint32_t>& begin) {
    begin.assign(1, 0);
    for (const std::vector<Tap>& row : rows) {
        taps.insert(taps.end(), row.begin(), row.end());
        begin.push_back(static_cast<std::uint32_t>(taps.size()));
    }
}

/// below[i] += value w[i] where i arrives by `time`, for the channels of each input place.
SALTUS_VECTOR_VERSIONS
void pass_down(const Tap* taps, std::size_t n, std::size_t channels, std::size_t all_channels,
               std::int64_t time, double value, const std::int64_t* __restrict arrivals,
               const double* __restrict weights, double* __restrict below) {
    for (std::size_t k = 0; k < n; ++k) {
        const std::int64_t* a = arrivals + taps[k].cell * all_channels;
        const double* w = weights + taps[k].row * channels;
        double* b = below + taps[k].cell * all_channels;
        for (std::size_t c = 0; c < channels; ++c) b[c] += a[c] <= time ? value * w[c] : 0.0;
    }
}

/// gradient[w] += value where its input arrives by `time`.
SALTUS_VECTOR_VERSIONS
void collect_gradient(const Tap* taps, std::size_t n, std::size_t channels, std::size_t all_channels,
                      std::int64_t time, double value, const std::int64_t* __restrict arrivals,
                      double* __restrict gradient) {
    for (std::size_t k = 0; k < n; ++k) {
        const std::int64_t* a = arrivals + taps[k].cell * all_channels;
        double* g = gradient + taps[k].row * channels;
        for (std::size_t c = 0; c < channels; ++c) g[c] += a[c] <= time ? value : 0.0;
    }
}

}  // namespace

struct ConvolutionLayer::State : LayerState {
    Grid V;  // [output place][group][output channel of the group, padded]
    std::vector<std::uint32_t> hot;
    std::vector<NeuronIndex> fired;
};

ConvolutionLayer::ConvolutionLayer(const ConvolutionSynapses& synapses, double V_th, std::int64_t t_max)
    : shape_(synapses.shape),
      channels_(shape_.in_channels / shape_.groups),
      filters_(shape_.out_channels / shape_.groups),
      kernel_(shape_.kernel[0] * shape_.kernel[1]),
      inputs_(shape_.in_size[0] * shape_.in_size[1]),
      outputs_(shape_.out_size[0] * shape_.out_size[1]),
      stride_((std::size_t{filters_} + narrow_tile - 1) / narrow_tile * narrow_tile),
      delay_(synapses.delay.femtoseconds()),
      t_max_(t_max),
      V_th_(V_th),
      grid_(std::size_t{shape_.in_channels} * kernel_ * stride_, 0) {
    const std::vector<std::vector<Tap>> fields = fields_of(shape_);
    std::vector<std::vector<Tap>> taps(inputs_);
    for (std::uint32_t p = 0; p < outputs_; ++p) {
        for (const Tap& tap : fields[p]) taps[tap.cell].push_back({p, tap.row});
    }
    flatten(fields, fields_, field_begin_);
    flatten(taps, taps_, tap_begin_);
}

void ConvolutionLayer::set(std::span<const double> weights, std::span<const double>, unsigned) {
    exact_ = weights;
    const std::size_t one = std::size_t{channels_} * kernel_;  // weights of a neuron
    double largest = 2.0 * V_th_;
    by_place_.resize(weights.size());
    for (std::size_t o = 0; o < shape_.out_channels; ++o) {
        double magnitude = 0.0;
        for (std::size_t c = 0; c < channels_; ++c) {
            for (std::size_t k = 0; k < kernel_; ++k) {
                const double w = weights[o * one + c * kernel_ + k];
                by_place_[o * one + k * channels_ + c] = w;
                magnitude += std::abs(w);
            }
        }
        largest = std::max(largest, magnitude);
    }
    const int possible = most_bits(largest);
    bits_ = std::min(possible, grid_bits(V_th_));
    round();
    if (!on_grid_ && bits_ < possible) {
        bits_ = possible;
        round();
    }
    slack_ = on_grid_ ? 0 : static_cast<std::int32_t>(1 + one / 2);
    start_ = slack_ - static_cast<std::int32_t>(std::ceil(V_th_ * std::ldexp(1.0, bits_)));
}

void ConvolutionLayer::round() {
    const double unit = std::ldexp(1.0, bits_);
    std::vector<double> row(filters_);
    on_grid_ = true;
    for (std::size_t c = 0; c < shape_.in_channels; ++c) {
        const std::size_t first = c / channels_ * filters_;
        for (std::size_t k = 0; k < kernel_; ++k) {
            for (std::size_t f = 0; f < filters_; ++f) {
                row[f] = exact_[((first + f) * channels_ + c % channels_) * kernel_ + k];
            }
            on_grid_ &= round_row(row.data(), grid_.data() + (c * kernel_ + k) * stride_, filters_, unit);
        }
    }
}

std::unique_ptr<LayerState> ConvolutionLayer::state() const {
    auto state = std::make_unique<State>();
    state->V.resize(std::size_t{outputs_} * shape_.groups * stride_);
    return state;
}

void ConvolutionLayer::reset(LayerState& state) const {
    auto& V = static_cast<State&>(state).V;
    std::fill(V.begin(), V.end(), start_);
    if (stride_ == filters_) return;
    for (std::size_t cell = 0; cell < V.size(); cell += stride_) {
        std::fill(V.begin() + static_cast<std::ptrdiff_t>(cell + filters_),
                  V.begin() + static_cast<std::ptrdiff_t>(cell + stride_), never);
    }
}

double ConvolutionLayer::sum(const Spikes& sources, std::size_t end, NeuronIndex neuron) const {
    const std::uint32_t filter = neuron / outputs_;
    const std::uint32_t group = filter / filters_;
    const std::span<const Tap> around = field(neuron % outputs_);
    double V = 0.0;
    for (std::size_t s = 0; s < end; ++s) {
        const std::uint32_t channel = sources.neurons[s] / inputs_;
        if (channel / channels_ != group) continue;
        const std::uint32_t place = sources.neurons[s] % inputs_;
        const auto tap =
            std::find_if(around.begin(), around.end(), [place](const Tap& t) { return t.cell == place; });
        if (tap == around.end()) continue;
        V += exact_[(std::size_t{filter} * channels_ + channel % channels_) * kernel_ + tap->row];
    }
    return V;
}

void ConvolutionLayer::advance(LayerState& state, const Spikes& sources, std::size_t from, std::int64_t,
                               Spikes& spikes) const {
    auto& [V, hot, fired] = static_cast<State&>(state);
    for (std::size_t s = from; s < sources.size() && sources.times[s] + delay_ < t_max_;) {
        const std::int64_t time = sources.times[s];
        hot.clear();
        for (; s < sources.size() && sources.times[s] == time; ++s) {
            const std::uint32_t channel = sources.neurons[s] / inputs_;
            const std::span<const Tap> around = taps(sources.neurons[s] % inputs_);
            for (std::size_t base = 0; base < stride_;) {
                const std::size_t tile = base + 2 * narrow_tile <= stride_ ? 2 * narrow_tile : narrow_tile;
                scatter(tile, grid_.data() + channel * kernel_ * stride_ + base, stride_, around,
                        shape_.groups, channel / channels_, V.data() + base, hot);
                base += tile;
            }
        }
        fired.clear();
        for (const std::uint32_t cell : hot) {
            std::int32_t* v = V.data() + cell * stride_;
            const std::uint32_t place = cell / shape_.groups;
            const std::uint32_t first = cell % shape_.groups * filters_;
            for (std::uint32_t f = 0; f < filters_; ++f) {
                if (v[f] < 0) continue;
                const NeuronIndex j = (first + f) * outputs_ + place;
                if (v[f] < 2 * slack_ && !(sum(sources, s, j) >= V_th_)) continue;
                v[f] = never;
                fired.push_back(j);
            }
        }
        std::sort(fired.begin(), fired.end());
        spikes.times.insert(spikes.times.end(), fired.size(), time + delay_);
        spikes.neurons.insert(spikes.neurons.end(), fired.begin(), fired.end());
    }
}

double ConvolutionLayer::potential(const Spikes& sources, NeuronIndex neuron, std::int64_t time) const {
    const auto end = std::upper_bound(sources.times.begin(), sources.times.end(), time - delay_);
    return sum(sources, static_cast<std::size_t>(end - sources.times.begin()), neuron);
}

std::vector<std::int64_t> ConvolutionLayer::arrivals(const Spikes& sources) const {
    std::vector<std::int64_t> arrivals(std::size_t{inputs_} * shape_.in_channels, not_at_all);
    for (std::size_t s = 0; s < sources.size(); ++s) {
        const NeuronIndex i = sources.neurons[s];
        arrivals[std::size_t{i % inputs_} * shape_.in_channels + i / inputs_] = sources.times[s] + delay_;
    }
    return arrivals;
}

void ConvolutionLayer::back(const Spikes& sources, const Deltas& deltas, std::span<double> below) const {
    const std::vector<std::int64_t> when = arrivals(sources);
    std::vector<double> sums(when.size(), 0.0);
    for (const Delta& delta : deltas) {
        const std::uint32_t filter = delta.neuron / outputs_;
        const std::span<const Tap> around = field(delta.neuron % outputs_);
        const std::size_t first = std::size_t{filter / filters_} * channels_;
        pass_down(around.data(), around.size(), channels_, shape_.in_channels, delta.time, delta.value,
                  when.data() + first, by_place_.data() + std::size_t{filter} * channels_ * kernel_,
                  sums.data() + first);
    }
    for (const NeuronIndex i : sources.neurons) {
        below[i] += sums[std::size_t{i % inputs_} * shape_.in_channels + i / inputs_];
    }
}

void ConvolutionLayer::add_gradient(const Spikes& sources, const Deltas& deltas, unsigned part,
                                    unsigned parts, std::span<double> weights, std::span<double>) const {
    const std::vector<std::int64_t> when = arrivals(sources);
    const std::size_t one = std::size_t{channels_} * kernel_;
    std::vector<double> sums(weights.size(), 0.0);  // [output channel][place of the kernel][input channel]
    for (const Delta& delta : deltas) {
        const std::uint32_t filter = delta.neuron / outputs_;
        if (filter % parts != part) continue;
        const std::span<const Tap> around = field(delta.neuron % outputs_);
        const std::size_t first = std::size_t{filter / filters_} * channels_;
        collect_gradient(around.data(), around.size(), channels_, shape_.in_channels, delta.time, delta.value,
                         when.data() + first, sums.data() + filter * one);
    }
    for (std::size_t o = part; o < shape_.out_channels; o += parts) {
        for (std::size_t c = 0; c < channels_; ++c) {
            for (std::size_t k = 0; k < kernel_; ++k) {
                weights[o * one + c * kernel_ + k] += sums[o * one + k * channels_ + c];
            }
        }
    }
}

}  // namespace saltus::learning
