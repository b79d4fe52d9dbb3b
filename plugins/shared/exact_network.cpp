#include "exact_network.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/first_spike.hpp"
#include "saltus/engine/network_builder.hpp"
#include "saltus/engine/random.hpp"

namespace saltus::plugins {

namespace {

using learning::LayerPlan;

constexpr std::string_view ramp_once = "ramp_once";

/// Neurons by the rule that their first spikes are known for. V = w g times the response to a spike; no leak,
/// or no decay of the current, is a time constant beside which a run is nothing in double precision.
Parameters neuron_parameters(const ExactRequest& request) {
    constexpr double endless = 1e30;
    struct Kind {
        std::string_view name;
        double tau_m;
        double tau_syn;
        bool once;
    };
    const double tau_m = request.tau_m;
    const double tau = request.tau_syn;
    const std::array<Kind, 6> kinds{{{"lif", tau_m, tau, false},
                                     {"lif_once", tau_m, tau, true},
                                     {"lif_equal_once", tau, tau, true},
                                     {"lif_double_once", 2.0 * tau, tau, true},
                                     {"if_once", endless, tau, true},
                                     {"linear_once", endless, endless, true}}};
    std::vector<std::string_view> names;
    std::string known;
    for (const Kind& kind : kinds) {
        names.push_back(kind.name);
        known += std::string(kind.name) + ", ";
        if (kind.name != request.neuron) continue;
        Parameters parameters{{"tau_m", kind.tau_m}, {"tau_syn", kind.tau_syn}};
        if (kind.tau_m == endless) parameters.emplace_back("C_m", tau);
        if (kind.once) parameters.emplace_back("t_ref", request.rule.duration.seconds());
        return parameters;
    }
    names.push_back(ramp_once);
    throw UsageError("neuron: expected one of " + known + std::string(ramp_once) + ", found " +
                     quoted(request.neuron) + "." + did_you_mean(request.neuron, names));
}

/// Only the first `some` inputs keep their synapses.
Network with_inputs(const Network& network, std::uint32_t some) {
    std::vector<Projection> projections(network.projections().begin(), network.projections().end());
    std::vector<Stage>& stages = projections.front().stages;
    const auto stage = std::find_if(stages.begin(), stages.end(),
                                    [](const Stage& s) { return std::holds_alternative<Rule>(s); });
    if (stage == stages.end())
        throw UsageError(
            "inputs: expected a first layer that is all to all, found a convolution or windows.");
    const Sparse all = Sparse::of(std::get<Rule>(*stage));
    if (some == 0 || some > all.inputs) {
        throw UsageError("inputs: expected 1 to " + std::to_string(all.inputs) +
                         ", as many as a sample has, found " + std::to_string(some) + ".");
    }
    std::vector<NeuronIndex> pre;
    std::vector<NeuronIndex> post;
    std::vector<double> weights;
    std::vector<Duration> delays;
    for (NeuronIndex i = 0; i < some; ++i) {
        for (std::uint64_t s = all.table->rows[i]; s < all.table->rows[i + 1]; ++s) {
            const Sparse::Segment& segment = all.table->segments[s];
            for (std::uint64_t k = segment.begin; k < segment.end; ++k) {
                pre.push_back(i);
                post.push_back(all.table->targets[k]);
                weights.push_back(all.weights[k]);
                delays.push_back(segment.delay);
            }
        }
    }
    *stage = Sparse::of(all.name, all.inputs, all.outputs, pre, post, weights, delays);
    return Network({network.populations().begin(), network.populations().end()}, std::move(projections),
                   {network.outputs().begin(), network.outputs().end()});
}

/// Builds one layer behind the other.
class Maker {
  public:
    Maker(const ExactRequest& request, const datasets::Dataset& dataset, const learning::SampleSet& samples)
        : request_(request), samples_(samples), shape_(dataset.shape), build_(request.seed) {
        for (const std::string& text : request.hidden) layers_.push_back(LayerPlan::parse(text));
        for (const LayerPlan& layer : layers_)
            convolves_ = convolves_ || layer.kind != LayerPlan::Kind::dense;
        ramps_ = request.neuron == ramp_once;
        ramp_ = request.window;
        if (ramps_ && request.rule.learn_delays) {
            throw UsageError(
                "learn delays: expected neurons other than ramp_once, whose layers have no delays.");
        }
        if (ramps_ && !(ramp_ > 0.0)) throw UsageError("window: expected > 0, found " + shown(ramp_) + " s.");
        if (convolves_ && request.rule.learn_delays)
            throw UsageError("learn delays: expected layers all to all, found a convolution or windows.");
        layers_.emplace_back(static_cast<std::uint32_t>(dataset.classes.size()));
        if (layers_.front().kind != LayerPlan::Kind::dense && shape_.size() == 2)
            shape_.insert(shape_.begin(), 1);  // images of one channel
        build_.input(before_, shape_);
    }

    Network network() {
        for (std::size_t k = 0; k < layers_.size(); ++k) {
            const LayerPlan& layer = layers_[k];
            const bool last = k + 1 == layers_.size();
            const std::string name = last ? "output" : "hidden" + std::to_string(k + 1);
            if (layer.kind == LayerPlan::Kind::dense) make_dense(layer, name, last);
            if (layer.kind == LayerPlan::Kind::convolution) make_convolution(layer, name);
            if (layer.kind == LayerPlan::Kind::window) make_windows(layer, name);
            before_ = name;
        }
        return build_.network();
    }

  private:
    /// The weight of an arrival, on average, such that a hidden neuron fires about once in a sample and so do
    /// outputs, or such that potentials of outputs are near 1: the recipes of Wunderlich & Pehle 2021,
    /// scaled.
    struct FirstWeights {
        double mean;
        double deviation;
    };

    void make_dense(const LayerPlan& layer, const std::string& name, bool last) {
        const bool reads =
            last && learning::ClassLoss{.kind = learning::class_loss_kind(request_.loss)}.is_of_potentials();
        const auto n = static_cast<double>(element_count(shape_));
        shape_ = {layer.size};
        if (reads) {
            build_.population(name, shape_, "li_exp",
                              {{"tau_m", request_.tau_m}, {"tau_syn", request_.tau_syn}});
        } else {
            make_neurons(name, last);
        }
        FirstWeights otherwise{110.0 / n, std::max(12.0 / n, 1.2 / std::sqrt(n))};
        if (reads) otherwise = {70.0 / n, 7.0 / std::sqrt(n)};
        if (with_weights_ == 0) otherwise = by_spikes(spikes_per_sample());
        if (convolves_ && !reads) otherwise = apart(n);
        if (ramps_ && !reads) otherwise = balanced(n);
        const FirstWeights weights = take(otherwise);
        Connection connection;
        connection.weight = Distribution::normal(weights.mean, weights.deviation);
        const double delay = request_.initial_delay.seconds();
        if (request_.rule.learn_delays && delay > 0.0) connection.delay = Distribution::uniform(0.0, delay);
        build_.connect(before_, name, connection);
    }

    void make_convolution(const LayerPlan& layer, const std::string& name) {
        Convolution convolution = layer.convolution(shape_);
        shape_ = {layer.size, convolution.out_size[0], convolution.out_size[1]};
        make_neurons(name, false);
        const std::size_t inputs =
            std::size_t{convolution.in_channels} * convolution.kernel[0] * convolution.kernel[1];
        const auto n = static_cast<double>(inputs);
        const FirstWeights weights = take(ramps_ ? balanced(n) : apart(n));
        SequentialRandom random(request_.seed, with_weights_, 0);
        std::vector<double> values(inputs * layer.size);
        for (double& w : values) w = weights.mean + weights.deviation * random.normal();
        convolution.weights = Weights(values);
        build_.connect(before_, name, {std::move(convolution)});
    }

    /// Neurons that fire on a ramp do so in a window of their layer's own, after that of the layer before. In
    /// that of the outputs a potential of 0 fires in the middle, so that they tell what is negative, too.
    void make_neurons(const std::string& name, bool last) {
        if (!ramps_) return build_.population(name, shape_, "lif_exp", neuron_parameters(request_));
        const double window = request_.window;
        const double end = ramp_ + (last ? 4.0 : 1.0) * window;
        const double duration = request_.rule.duration.seconds();
        if (last && end > duration * (1.0 + 1e-9)) {
            throw UsageError("duration: expected at least " + shown(end) +
                             " s, the end of the window of the outputs, found " + shown(duration) + " s.");
        }
        build_.population(name, shape_, "if_ramp",
                          {{"t_min", ramp_},
                           {"t_max", end},
                           {"slope", 1.0 / window},
                           {"C_m", window},
                           {"V_th", last ? 2.0 : 1.0},
                           {"t_ref", duration}});
        ramp_ = end;
    }

    void make_windows(const LayerPlan& layer, const std::string& name) {
        const Pooling windows = layer.windows(shape_);
        shape_ = {windows.channels, windows.out_size[0], windows.out_size[1]};
        build_.population(name, shape_, "if_delta",
                          {{"V_th", 1.0}, {"t_ref", request_.rule.duration.seconds()}});
        build_.connect(before_, name, {windows});
    }

    [[nodiscard]] static FirstWeights by_spikes(double arrivals) {
        const double mean = 8.0 / arrivals;
        return {mean, 0.55 * mean};
    }
    /// Channels that differ from the start, most of which a window leaves silent: where all fire on the
    /// average, they learn later, and cost more.
    [[nodiscard]] static FirstWeights apart(double inputs) { return {3.0 / inputs, 5.5 / std::sqrt(inputs)}; }
    /// Excitation and inhibition alike, as for rectified linear units (He et al. 2015), of which few reach
    /// the threshold before the ramp.
    [[nodiscard]] static FirstWeights balanced(double inputs) { return {0.0, 1.2 / std::sqrt(inputs)}; }
    [[nodiscard]] double spikes_per_sample() const {
        double spikes = 0.0;
        for (std::uint64_t i = 0; i < samples_.size(); ++i)
            spikes += static_cast<double>(samples_[i].times.size());
        return std::max(spikes, 1.0) / static_cast<double>(std::max<std::uint64_t>(samples_.size(), 1));
    }
    /// What was asked for the next layer with weights, or this.
    FirstWeights take(const FirstWeights& otherwise) {
        const std::size_t k = with_weights_++;
        const auto of = [k](const std::vector<double>& given, double value) {
            return k < given.size() ? given[k] : value;
        };
        return {of(request_.initial, otherwise.mean), of(request_.initial_sd, otherwise.deviation)};
    }

    const ExactRequest& request_;
    const learning::SampleSet& samples_;
    Shape shape_;  // of the layer before
    std::string before_ = "input";
    NetworkBuilder build_;
    std::vector<LayerPlan> layers_;
    std::size_t with_weights_ = 0;  // layers with weights so far
    bool convolves_ = false;
    bool ramps_ = false;
    double ramp_ = 0.0;  // [s] when that of the next layer begins
};

}  // namespace

Network new_exact_network(const ExactRequest& request, const datasets::Dataset& dataset,
                          const learning::SampleSet& samples) {
    const Network network = Maker(request, dataset, samples).network();
    return request.inputs ? with_inputs(network, *request.inputs) : network;
}

}  // namespace saltus::plugins
