#include "forward.hpp"

#include <algorithm>
#include <limits>

namespace saltus::learning {

namespace {

constexpr std::size_t piece = 16;  // spikes: fewer cost calls, more are computed in vain
constexpr std::int64_t end_of_time = std::numeric_limits<std::int64_t>::max() / 2;

}  // namespace

Layers make_layers(const FirstSpikeNetwork& network) {
    Layers layers;
    for (const FirstSpikeLayer& layer : network.layers) {
        layers.push_back(make_layer(layer, network.t_max.femtoseconds()));
    }
    return layers;
}

Chance::Chance(const S4nnOptions& options, const Shape& input, std::uint64_t step, std::uint64_t sample)
    : shares_(options.dropout), random_(options.random_seed, step), sample_(sample) {
    if (options.shift == 0) return;
    constexpr std::uint64_t place_of_shifts = std::uint64_t{255} << 32;  // beyond all layers
    const std::uint64_t n = 2 * std::uint64_t{options.shift} + 1;
    const std::uint64_t place = sample << 40 | place_of_shifts;
    moves_ = true;
    rows_ = input[input.size() - 2];
    columns_ = input.back();
    down_ = static_cast<std::int64_t>(random_.below(place, n)) - options.shift;
    right_ = static_cast<std::int64_t>(random_.below(place + 1, n)) - options.shift;
}

Forward::Forward(const FirstSpikeNetwork& network, const Layers& layers)
    : network_(network),
      layers_(layers),
      t_max_(network.t_max.femtoseconds()),
      spikes_(layers.size() + 1),
      taken_(layers.size()),
      times_(network.classes()),
      seen_(element_count(network.input), 0) {
    for (const auto& layer : layers) {
        states_.push_back(layer->state());
        least_delay_ += layer->least_delay();
    }
}

void Forward::run(const SampleSet::View& sample, const Until& until, const Chance* chance) {
    ++runs_;
    for (Spikes& spikes : spikes_) spikes.clear();
    std::fill(taken_.begin(), taken_.end(), 0);
    std::fill(times_.begin(), times_.end(), t_max_);
    for (std::size_t l = 0; l < layers_.size(); ++l) layers_[l]->reset(*states_[l]);

    Spikes& input = spikes_.front();
    const Spikes& output = spikes_.back();
    const std::size_t n = sample.times.size();
    std::size_t told = 0;  // output spikes
    for (std::size_t k = 0; k < n || told == 0;) {
        for (std::size_t end = k + piece; k < n && (k < end || sample.times[k] == sample.times[k - 1]); ++k) {
            NeuronIndex neuron = sample.neurons[k];
            if (sample.times[k] >= t_max_) continue;
            if (chance) {
                const std::optional<NeuronIndex> moved = chance->moved(neuron);
                if (!moved || chance->drops(0, *moved)) continue;
                neuron = *moved;
            }
            if (seen_[neuron] == runs_) continue;
            seen_[neuron] = runs_;
            input.times.push_back(sample.times[k]);
            input.neurons.push_back(neuron);
        }
        const std::int64_t next = k < n ? sample.times[k] : end_of_time;
        std::int64_t horizon = next;
        for (std::size_t l = 0; l < layers_.size(); ++l) {
            layers_[l]->advance(*states_[l], spikes_[l], taken_[l], horizon, spikes_[l + 1]);
            taken_[l] = spikes_[l].size();
            if (chance && l + 1 < layers_.size()) drop(*chance, l + 1);
            horizon += layers_[l]->least_delay();
        }
        for (; told < output.size(); ++told) times_[output.neurons[told]] = output.times[told];
        if (next >= t_max_) return;
        if (!until.decided || told == 0) continue;
        const bool waits = until.neuron >= 0 && times_[static_cast<std::size_t>(until.neuron)] == t_max_;
        if (!waits && horizon >= output.times.front() + until.margin) return;
    }
}

/// Those that the next layer has not seen.
void Forward::drop(const Chance& chance, std::size_t layer) {
    Spikes& spikes = spikes_[layer];
    std::size_t kept = taken_[layer];
    for (std::size_t s = kept; s < spikes.size(); ++s) {
        if (chance.drops(layer, spikes.neurons[s])) continue;
        spikes.times[kept] = spikes.times[s];
        spikes.neurons[kept++] = spikes.neurons[s];
    }
    spikes.times.resize(kept);
    spikes.neurons.resize(kept);
}

Forward::Decision Forward::decision() const {
    const Spikes& output = spikes_.back();
    const Spikes& sources = spikes_[layers_.size() - 1];
    Decision decision;
    std::vector<NeuronIndex> candidates;
    decision.time = output.size() == 0 ? t_max_ : output.times.front();
    for (std::size_t s = 0; s < output.size() && output.times[s] == decision.time; ++s) {
        candidates.push_back(output.neurons[s]);
    }
    decision.tied = candidates.size() > 1;
    std::int64_t when = decision.time;
    if (candidates.empty()) {
        for (NeuronIndex j = 0; j < network_.classes(); ++j) candidates.push_back(j);
        when = network_.silence_decides_at.femtoseconds();
    }
    decision.neuron = decision.lowest = candidates.front();
    if (candidates.size() == 1) return decision;
    double largest = -std::numeric_limits<double>::infinity();
    for (const NeuronIndex j : candidates) {
        const double V = layers_.back()->potential(sources, j, when);
        if (V > largest) {
            largest = V;
            decision.neuron = j;
        }
    }
    if (output.size() == 0) decision.lowest = decision.neuron;
    return decision;
}

}  // namespace saltus::learning
