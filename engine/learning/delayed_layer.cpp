#include "delayed_layer.hpp"

#include <algorithm>
#include <numeric>

#include "saltus/engine/learning/learner.hpp"

namespace saltus::learning {

namespace {

/// Spikes of one source arrive at the targets of one segment.
struct Arrival {
    std::int64_t time;
    NeuronIndex source;
    std::size_t segment;
};

}  // namespace

struct DelayedLayer::State : LayerState {
    std::vector<double> V;
    std::vector<char> fired;
    std::vector<Arrival> pending;
    std::vector<NeuronIndex> touched;
};

DelayedLayer::DelayedLayer(const DenseSynapses& synapses, double V_th, std::int64_t t_max)
    : inputs_(synapses.inputs), outputs_(synapses.outputs), t_max_(t_max), V_th_(V_th) {}

void DelayedLayer::set(std::span<const double> weights, std::span<const double> delays, unsigned threads) {
    weights_ = weights;
    delays_.resize(delays.size());
    targets_.resize(delays.size());
    sorted_.resize(delays.size());
    std::vector<std::vector<Segment>> segments(inputs_);
    for_each_parallel(inputs_, threads, [&](std::size_t i, unsigned) {
        const std::size_t begin = i * outputs_;
        for (std::size_t k = begin; k < begin + outputs_; ++k) {
            delays_[k] = duration_from_seconds(delays[k], "delay").femtoseconds();
        }
        const std::int64_t* row = delays_.data() + begin;
        NeuronIndex* targets = targets_.data() + begin;
        std::iota(targets, targets + outputs_, 0u);
        std::sort(targets, targets + outputs_,
                  [row](NeuronIndex a, NeuronIndex b) { return row[a] != row[b] ? row[a] < row[b] : a < b; });
        for (std::size_t k = 0; k < outputs_; ++k) {
            sorted_[begin + k] = weights[begin + targets[k]];
            const std::int64_t delay = row[targets[k]];
            if (segments[i].empty() || segments[i].back().delay != delay) segments[i].push_back({delay, 0});
            segments[i].back().end = begin + k + 1;
        }
    });
    segments_.clear();
    rows_.assign(1, 0);
    for (const std::vector<Segment>& row : segments) {
        segments_.insert(segments_.end(), row.begin(), row.end());
        rows_.push_back(segments_.size());
    }
    least_ = *std::min_element(delays_.begin(), delays_.end());
}

std::unique_ptr<LayerState> DelayedLayer::state() const {
    return std::make_unique<State>();
}

void DelayedLayer::reset(LayerState& state) const {
    auto& s = static_cast<State&>(state);
    s.V.assign(outputs_, 0.0);
    s.fired.assign(outputs_, 0);
    s.pending.clear();
}

void DelayedLayer::advance(LayerState& state, const Spikes& sources, std::size_t from, std::int64_t horizon,
                           Spikes& spikes) const {
    auto& [V, fired, pending, touched] = static_cast<State&>(state);
    for (std::size_t s = from; s < sources.size(); ++s) {
        const NeuronIndex i = sources.neurons[s];
        for (std::size_t k = rows_[i]; k < rows_[i + 1]; ++k) {
            const std::int64_t time = sources.times[s] + segments_[k].delay;
            if (time < t_max_) pending.push_back({time, i, k});
        }
    }
    // What comes later may still arrive at the same time as others.
    const std::int64_t known = horizon + least_;
    const auto due =
        std::partition(pending.begin(), pending.end(), [known](const Arrival& a) { return a.time >= known; });
    std::sort(due, pending.end(), [](const Arrival& a, const Arrival& b) {
        return a.time != b.time ? a.time < b.time : a.source < b.source;
    });
    for (auto next = due; next != pending.end();) {
        const std::int64_t time = next->time;
        touched.clear();
        for (; next != pending.end() && next->time == time; ++next) {
            const std::size_t begin = next->segment == rows_[next->source]
                                          ? std::size_t{next->source} * outputs_
                                          : segments_[next->segment - 1].end;
            for (std::size_t k = begin; k < segments_[next->segment].end; ++k) {
                const NeuronIndex j = targets_[k];
                V[j] += sorted_[k];
                if (V[j] >= V_th_ && !fired[j]) touched.push_back(j);
            }
        }
        std::sort(touched.begin(), touched.end());
        for (const NeuronIndex j : touched) {
            if (V[j] < V_th_ || fired[j]) continue;
            fired[j] = 1;
            spikes.times.push_back(time);
            spikes.neurons.push_back(j);
        }
    }
    pending.erase(due, pending.end());
}

double DelayedLayer::potential(const Spikes& sources, NeuronIndex neuron, std::int64_t time) const {
    double V = 0.0;
    for (std::size_t s = 0; s < sources.size(); ++s) {
        const std::size_t k = std::size_t{sources.neurons[s]} * outputs_ + neuron;
        if (sources.times[s] + delays_[k] <= time) V += weights_[k];
    }
    return V;
}

void DelayedLayer::back(const Spikes& sources, const Deltas& deltas, std::span<double> below) const {
    for (std::size_t s = 0; s < sources.size(); ++s) {
        const std::size_t row = std::size_t{sources.neurons[s]} * outputs_;
        double sum = 0.0;
        for (const Delta& delta : deltas) {
            const std::size_t k = row + delta.neuron;
            if (sources.times[s] + delays_[k] <= delta.time) sum += delta.value * weights_[k];
        }
        below[sources.neurons[s]] += sum;
    }
}

void DelayedLayer::add_gradient(const Spikes& sources, const Deltas& deltas, unsigned part, unsigned parts,
                                std::span<double> weights, std::span<double> delays) const {
    for (std::size_t s = 0; s < sources.size(); ++s) {
        if (sources.neurons[s] % parts != part) continue;
        const std::size_t row = std::size_t{sources.neurons[s]} * outputs_;
        for (const Delta& delta : deltas) {
            const std::size_t k = row + delta.neuron;
            if (sources.times[s] + delays_[k] > delta.time) continue;
            weights[k] += delta.value;
            if (!delays.empty()) delays[k] -= delta.value * weights_[k];
        }
    }
}

}  // namespace saltus::learning
