#include "window_layer.hpp"

#include <algorithm>

namespace saltus::learning {

struct WindowLayer::State : LayerState {
    std::vector<char> fired;
    std::vector<NeuronIndex> now;
};

WindowLayer::WindowLayer(const FirstOfWindow& window, std::int64_t t_max)
    : channels_(window.shape.channels),
      inputs_(window.shape.in_size[0] * window.shape.in_size[1]),
      outputs_(window.shape.out_size[0] * window.shape.out_size[1]),
      delay_(window.delay.femtoseconds()),
      t_max_(t_max),
      begin_{0} {
    const Pooling& p = window.shape;
    std::vector<std::vector<std::uint32_t>> windows(inputs_);
    for (std::uint32_t w = 0; w < outputs_; ++w) {
        for (std::uint32_t ky = 0; ky < p.kernel[0]; ++ky) {
            for (std::uint32_t kx = 0; kx < p.kernel[1]; ++kx) {
                const std::int64_t y =
                    std::int64_t{w / p.out_size[1]} * p.stride[0] + ky - std::int64_t{p.padding[0]};
                const std::int64_t x =
                    std::int64_t{w % p.out_size[1]} * p.stride[1] + kx - std::int64_t{p.padding[1]};
                if (y < 0 || y >= p.in_size[0] || x < 0 || x >= p.in_size[1]) continue;
                windows[static_cast<std::size_t>(y * p.in_size[1] + x)].push_back(w);
            }
        }
    }
    for (const std::vector<std::uint32_t>& of_place : windows) {
        windows_.insert(windows_.end(), of_place.begin(), of_place.end());
        begin_.push_back(static_cast<std::uint32_t>(windows_.size()));
    }
}

std::unique_ptr<LayerState> WindowLayer::state() const {
    return std::make_unique<State>();
}

void WindowLayer::reset(LayerState& state) const {
    static_cast<State&>(state).fired.assign(std::size_t{channels_} * outputs_, 0);
}

void WindowLayer::advance(LayerState& state, const Spikes& sources, std::size_t from, std::int64_t,
                          Spikes& spikes) const {
    auto& [fired, now] = static_cast<State&>(state);
    for (std::size_t s = from; s < sources.size() && sources.times[s] + delay_ < t_max_;) {
        const std::int64_t time = sources.times[s];
        now.clear();
        for (; s < sources.size() && sources.times[s] == time; ++s) {
            const std::uint32_t channel = sources.neurons[s] / inputs_;
            for (const std::uint32_t window : windows(sources.neurons[s] % inputs_)) {
                const NeuronIndex j = channel * outputs_ + window;
                if (!fired[j]) now.push_back(j);
                fired[j] = 1;
            }
        }
        std::sort(now.begin(), now.end());
        spikes.times.insert(spikes.times.end(), now.size(), time + delay_);
        spikes.neurons.insert(spikes.neurons.end(), now.begin(), now.end());
    }
}

double WindowLayer::potential(const Spikes& sources, NeuronIndex neuron, std::int64_t time) const {
    std::uint64_t arrived = 0;
    for (std::size_t s = 0; s < sources.size() && sources.times[s] + delay_ <= time; ++s) {
        if (sources.neurons[s] / inputs_ != neuron / outputs_) continue;
        const std::span<const std::uint32_t> in = windows(sources.neurons[s] % inputs_);
        arrived += static_cast<std::uint64_t>(std::count(in.begin(), in.end(), neuron % outputs_));
    }
    return static_cast<double>(arrived);
}

void WindowLayer::back(const Spikes& sources, const Deltas& deltas, std::span<double> below) const {
    std::vector<Delta> of(std::size_t{channels_} * outputs_);  // silent ones have no value
    for (const Delta& delta : deltas) of[delta.neuron] = delta;
    for (std::size_t s = 0; s < sources.size(); ++s) {
        const std::uint32_t channel = sources.neurons[s] / inputs_;
        for (const std::uint32_t window : windows(sources.neurons[s] % inputs_)) {
            const Delta& delta = of[std::size_t{channel} * outputs_ + window];
            if (sources.times[s] + delay_ <= delta.time) below[sources.neurons[s]] += delta.value;
        }
    }
}

}  // namespace saltus::learning
