#include "exact_training.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "saltus/converters/nir.hpp"
#include "saltus/datasets/evaluate.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/network_builder.hpp"

namespace saltus::plugins {

namespace {

/// The weight of an arrival at each layer, on average, such that a hidden neuron fires about once in a sample
/// and so do outputs, or such that potentials of outputs are near 1: the recipes of Wunderlich & Pehle 2021,
/// scaled.
struct FirstWeights {
    double mean;
    double deviation;
};
FirstWeights first_weights(const ExactRequest& request, std::size_t layer, std::uint32_t sources,
                           const learning::SampleSet& samples) {
    const auto of = [&](const std::vector<double>& given, double otherwise) {
        return layer < given.size() ? given[layer] : otherwise;
    };
    if (layer == 0) {
        double spikes = 0.0;
        for (std::uint64_t i = 0; i < samples.size(); ++i)
            spikes += static_cast<double>(samples[i].times.size());
        const double mean = 8.0 * static_cast<double>(samples.size()) / std::max(spikes, 1.0);
        return {of(request.initial, mean), of(request.initial_sd, 0.55 * mean)};
    }
    const auto n = static_cast<double>(sources);
    const bool last = layer == request.hidden.size();
    if (last && learning::ClassLoss{.kind = learning::class_loss_kind(request.loss)}.is_of_potentials())
        return {of(request.initial, 70.0 / n), of(request.initial_sd, 7.0 / std::sqrt(n))};
    return {of(request.initial, 110.0 / n), of(request.initial_sd, std::max(12.0 / n, 1.2 / std::sqrt(n)))};
}

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
        known += (known.empty() ? "" : ", ") + std::string(kind.name);
        if (kind.name != request.neuron) continue;
        Parameters parameters{{"tau_m", kind.tau_m}, {"tau_syn", kind.tau_syn}};
        if (kind.tau_m == endless) parameters.emplace_back("C_m", tau);
        if (kind.once) parameters.emplace_back("t_ref", request.rule.duration.seconds());
        return parameters;
    }
    throw UsageError("neuron: expected one of " + known + ", found " + quoted(request.neuron) + "." +
                     did_you_mean(request.neuron, names));
}

/// Only the first `some` inputs keep their synapses.
Network with_inputs(const Network& network, std::uint32_t some) {
    std::vector<Projection> projections(network.projections().begin(), network.projections().end());
    std::vector<Stage>& stages = projections.front().stages;
    const auto stage = std::find_if(stages.begin(), stages.end(),
                                    [](const Stage& s) { return std::holds_alternative<Rule>(s); });
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

Network new_network(const ExactRequest& request, const datasets::Dataset& dataset,
                    const learning::SampleSet& samples) {
    NetworkBuilder build(request.seed);
    build.input("input", dataset.shape);
    std::string before = "input";
    auto sources = static_cast<std::uint32_t>(element_count(dataset.shape));
    std::vector<std::uint32_t> sizes = request.hidden;
    sizes.push_back(static_cast<std::uint32_t>(dataset.classes.size()));
    const learning::ClassLoss loss{.kind = learning::class_loss_kind(request.loss)};
    for (std::size_t layer = 0; layer < sizes.size(); ++layer) {
        const bool last = layer + 1 == sizes.size();
        const std::string name = last ? "output" : "hidden" + std::to_string(layer + 1);
        if (last && loss.is_of_potentials()) {
            build.population(name, {sizes[layer]}, "li_exp",
                             {{"tau_m", request.tau_m}, {"tau_syn", request.tau_syn}});
        } else {
            build.population(name, {sizes[layer]}, "lif_exp", neuron_parameters(request));
        }
        const FirstWeights weights = first_weights(request, layer, sources, samples);
        Connection connection;
        connection.weight = Distribution::normal(weights.mean, weights.deviation);
        const double delay = request.initial_delay.seconds();
        if (request.rule.learn_delays && delay > 0.0) connection.delay = Distribution::uniform(0.0, delay);
        build.connect(before, name, connection);
        before = name;
        sources = sizes[layer];
    }
    return request.inputs ? with_inputs(build.network(), *request.inputs) : build.network();
}

/// All to all drawn by a rule, as the matrices that layers are run by; as they are where delays are to be
/// learnt.
Network with_matrices(const Network& network) {
    std::vector<Projection> projections(network.projections().begin(), network.projections().end());
    for (Projection& projection : projections) {
        for (Stage& stage : projection.stages) {
            const auto* rule = std::get_if<Rule>(&stage);
            if (!rule || rule->kind != Rule::Kind::all_to_all || !rule->autapses) continue;
            const Sparse sparse = Sparse::of(*rule);
            std::vector<double> weights(sparse.weights.size());
            for (std::size_t k = 0; k < weights.size(); ++k) weights[k] = sparse.weights[k];
            stage = Dense{rule->name, 1, rule->inputs, rule->outputs, Weights(weights), {}};
        }
    }
    return Network({network.populations().begin(), network.populations().end()}, std::move(projections),
                   {network.outputs().begin(), network.outputs().end()});
}

}  // namespace

learning::ExactOptions default_exact_options() {
    learning::ExactOptions rule;
    rule.loss.tau_0 = 1e-3;
    rule.loss.alpha = 3e-3;
    rule.loss.tau_1 = 6.4e-3;
    rule.loss.gap = 2e-3;
    rule.loss.target = 20e-3;
    rule.loss.other_target = 30e-3;
    rule.duration = Duration(60'000'000'000'000);
    rule.delay_rate = 0.1;
    rule.largest_delay = Duration(50'000'000'000'000);
    rule.largest_factor = 0.2;
    rule.wake = 3.0;
    return rule;
}

ExactTraining::ExactTraining(const std::filesystem::path& path, ExactRequest request)
    : reading_(request.reading) {
    request.rule.loss.kind = learning::class_loss_kind(request.loss);
    reading_.loss = request.loss;
    reading_.decay = request.rule.loss.decay;
    reading_.duration = request.rule.duration;
    const datasets::Dataset dataset = datasets::open_dataset(
        path, request.split, datasets::encoding_of(reading_.encoding, reading_.slot, reading_.slots));
    dataset_ = dataset.name;
    const auto samples = std::make_shared<const learning::SampleSet>(datasets::load_samples(dataset));
    Network network = request.network ? std::move(*request.network) : new_network(request, dataset, *samples);
    if (!request.rule.learn_delays) network = with_matrices(network);
    rule_ = std::make_shared<learning::ExactRule>(network, samples, request.rule);
    learner_ = std::make_unique<learning::GradientLearner>(rule_, request.gradient);
}

io::NirDocument ExactTraining::trained(std::vector<std::string>* notes) const {
    io::NirDocument document = converters::nir_from_network(rule_->network(learner_->parameters()), notes);
    converters::set_exact_reading(document, reading_);
    return document;
}

}  // namespace saltus::plugins
