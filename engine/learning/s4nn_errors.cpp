#include "s4nn_errors.hpp"

#include <algorithm>
#include <cmath>

#include "saltus/engine/errors.hpp"

namespace saltus::learning {

S4nnOptions::Order s4nn_order(std::string_view name) {
    if (name == "paper") return S4nnOptions::Order::paper;
    if (name == "code") return S4nnOptions::Order::code;
    throw UsageError("order: expected paper or code, found " + quoted(name) + ".");
}

S4nnOptions::Loss s4nn_loss(std::string_view name) {
    if (name == "relative") return S4nnOptions::Loss::relative;
    if (name == "cross_entropy") return S4nnOptions::Loss::cross_entropy;
    throw UsageError("loss: expected relative or cross_entropy, found " + quoted(name) + ".");
}

std::string listed(const std::vector<double>& values) {
    std::string text;
    for (const double value : values) text += (text.empty() ? "" : ", ") + shown(value);
    return text.empty() ? "none" : text;
}

Asked asked(const S4nnOptions& options) {
    Asked asked{{"loss", options.loss == S4nnOptions::Loss::relative ? "relative" : "cross_entropy"},
                {"margin", to_string(options.margin)},
                {"softness", to_string(options.softness)},
                {"normalised errors", options.normalise ? "true" : "false"},
                {"learnt delays", options.learn_delays ? "true" : "false"}};
    if (options.learn_delays) {
        asked["delay step"] = to_string(options.delay_step);
        asked["largest delay"] = to_string(options.largest_delay);
        asked["rate of delays"] = shown(options.delay_rate);
    }
    return asked;
}

void check_samples(const FirstSpikeNetwork& network, const SampleSet& samples, const S4nnOptions& options) {
    if (element_count(samples.shape()) != element_count(network.input)) {
        throw UsageError("input " + quoted(network.input_name) + " takes " + to_string(network.input) +
                         ", samples are " + to_string(samples.shape()) + ".");
    }
    if (network.classes() < samples.classes()) {
        throw UsageError("layer " + quoted(network.layers.back().name) + " has " +
                         std::to_string(network.classes()) + " neurons for " +
                         std::to_string(samples.classes()) + " classes.");
    }
    if (options.margin <= Duration() || options.margin >= network.t_max) {
        throw UsageError("margin: expected > 0 and < t_max, " + to_string(network.t_max) + ", found " +
                         to_string(options.margin) + ".");
    }
    if (options.delay_step < Duration() || options.delay_step >= network.t_max ||
        options.largest_delay < options.delay_step || options.largest_delay >= network.t_max) {
        throw UsageError("delays that are learnt: expected 0 <= step <= largest < t_max, " +
                         to_string(network.t_max) + ", found " + to_string(options.delay_step) + " and " +
                         to_string(options.largest_delay) + ".");
    }
}

double at_layer(const std::vector<double>& values, std::size_t layer, std::size_t layers, const char* name) {
    if (values.size() != 1 && values.size() != layers) {
        throw UsageError(std::string(name) + ": expected 1 or " + std::to_string(layers) +
                         ", one for each layer, found " + std::to_string(values.size()) + ".");
    }
    return values.size() == 1 ? values.front() : values[layer];
}

std::vector<std::int64_t> s4nn_targets(const std::vector<std::int64_t>& times, std::uint32_t label,
                                       std::int64_t t_max, std::int64_t margin) {
    const std::int64_t earliest = *std::min_element(times.begin(), times.end());
    std::vector<std::int64_t> targets = times;
    if (earliest == t_max) {
        targets[label] = t_max - margin;
        return targets;
    }
    for (std::size_t j = 0; j < times.size(); ++j) {
        if (times[j] - earliest < margin) targets[j] = std::min(earliest + margin, t_max);
    }
    targets[label] = earliest;
    return targets;
}

namespace {

constexpr std::int64_t tails = 16;  // time constants after which an output counts no more: exp(-16) = 1e-7

void sort_latest_first(Deltas& deltas) {
    std::stable_sort(deltas.begin(), deltas.end(),
                     [](const Delta& a, const Delta& b) { return a.time > b.time; });
}

}  // namespace

OutputLoss::OutputLoss(const FirstSpikeNetwork& network, const S4nnOptions& options)
    : options_(options),
      t_max_(network.t_max.femtoseconds()),
      known_(options.loss == S4nnOptions::Loss::relative
                 ? options.margin.femtoseconds()
                 : std::min(tails * options.softness.femtoseconds(), t_max_)) {}

void OutputLoss::operator()(const std::vector<std::int64_t>& times, std::uint32_t label,
                            OutputErrors& errors) const {
    errors.deltas.clear();
    errors.loss = 0.0;
    if (options_.loss == S4nnOptions::Loss::relative) {
        relative(times, label, errors);
    } else {
        cross_entropy(times, label, errors);
    }
    sort_latest_first(errors.deltas);
}

void OutputLoss::relative(const std::vector<std::int64_t>& times, std::uint32_t label,
                          OutputErrors& errors) const {
    const std::vector<std::int64_t> targets =
        s4nn_targets(times, label, t_max_, options_.margin.femtoseconds());
    for (std::size_t j = 0; j < times.size(); ++j) {
        if (targets[j] == times[j]) continue;
        const double e = static_cast<double>(targets[j] - times[j]) / static_cast<double>(t_max_);
        errors.deltas.push_back({static_cast<NeuronIndex>(j), times[j], e});
        errors.loss += 0.5 * e * e;
    }
}

void OutputLoss::cross_entropy(const std::vector<std::int64_t>& times, std::uint32_t label,
                               OutputErrors& errors) const {
    const std::int64_t earliest = *std::min_element(times.begin(), times.end());
    const auto tau = static_cast<double>(options_.softness.femtoseconds());
    double sum = 0.0;
    for (std::size_t j = 0; j < times.size(); ++j) {
        if (j != label && times[j] - earliest >= known_) continue;
        const double p = std::exp(static_cast<double>(earliest - times[j]) / tau);
        errors.deltas.push_back({static_cast<NeuronIndex>(j), times[j], p});
        sum += p;
    }
    errors.loss = std::log(sum) + static_cast<double>(times[label] - earliest) / tau;
    for (Delta& delta : errors.deltas) {
        delta.value = delta.value / sum - (delta.neuron == label ? 1.0 : 0.0);
    }
}

void normalise(Deltas& deltas) {
    double squares = 0.0;
    for (const Delta& delta : deltas) squares += delta.value * delta.value;
    if (squares == 0.0) return;
    const double norm = std::sqrt(squares);
    for (Delta& delta : deltas) delta.value /= norm;
}

void collect(const Spikes& spikes, std::span<double> below, Deltas& deltas) {
    deltas.clear();
    for (std::size_t s = spikes.size(); s-- > 0;) {
        double& value = below[spikes.neurons[s]];
        if (value != 0.0) deltas.push_back({spikes.neurons[s], spikes.times[s], value});
        value = 0.0;
    }
}

}  // namespace saltus::learning
