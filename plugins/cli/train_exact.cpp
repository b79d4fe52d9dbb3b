// saltus train exact DATASET -o OUT.nir: exact gradients of spike times and potentials.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "commands.hpp"
#include "console.hpp"
#include "reading.hpp"
#include "saltus/converters/exact_reading.hpp"
#include "saltus/converters/nir.hpp"
#include "saltus/datasets/evaluate.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/exact_rule.hpp"
#include "saltus/engine/network_builder.hpp"
#include "training.hpp"

namespace saltus::cli {

namespace {

struct Options {
    TrainingArguments training{{.epochs = 100, .batch = 32, .learning_rate = 5e-3}};
    std::vector<std::uint32_t> hidden{120};
    std::vector<double> means;
    std::vector<double> deviations;
    std::uint32_t inputs = 0;
    std::string neuron = "lif";
    std::string tau_m = "20ms";
    std::string tau_syn = "5ms";
    std::string loss = "first_spike_cross_entropy";
    std::string tau_0 = "1ms";
    std::string tau_1 = "6.4ms";
    double alpha = 3e-3;
    std::string gap = "2ms";
    std::string target = "20ms";
    std::string other_target = "30ms";
    std::string decay = "0ms";
    double gain = 1.0;
    std::string duration = "60ms";
    bool learn_delays = false;
    std::string initial_delay = "0ms";
    std::string largest_delay = "50ms";
    double delay_rate = 0.1;
    double largest_factor = 0.2;
    double wake = 3.0;
    double input_dropout = 0.0;
    std::uint32_t input_shift = 0;
    learning::RateBand rates;
    ReadingOptions reading;
};

double seconds(const std::string& text) {
    return parse_duration(text).seconds();
}

learning::ExactOptions rule_options(const Options& options) {
    learning::ExactOptions rule;
    rule.loss.kind = learning::class_loss_kind(options.loss);
    rule.loss.tau_0 = seconds(options.tau_0);
    rule.loss.tau_1 = seconds(options.tau_1);
    rule.loss.alpha = options.alpha;
    rule.loss.gap = seconds(options.gap);
    rule.loss.target = seconds(options.target);
    rule.loss.other_target = seconds(options.other_target);
    rule.loss.decay = seconds(options.decay);
    rule.loss.gain = options.gain;
    rule.duration = parse_duration(options.duration);
    rule.learn_delays = options.learn_delays;
    rule.delay_rate = options.delay_rate;
    rule.largest_delay = parse_duration(options.largest_delay);
    rule.largest_factor = options.largest_factor;
    rule.wake = options.wake;
    rule.input_dropout = options.input_dropout;
    rule.input_shift = options.input_shift;
    rule.rates = options.rates;
    return rule;
}

/// The weight of an arrival at each layer, on average, such that a hidden neuron fires about once in a sample
/// and so do outputs, or such that potentials of outputs are near 1: the recipes of Wunderlich & Pehle 2021,
/// scaled.
struct FirstWeights {
    double mean;
    double deviation;
};
FirstWeights first_weights(const Options& options, std::size_t layer, std::uint32_t sources,
                           const learning::SampleSet& samples) {
    const auto of = [&](const std::vector<double>& given, double otherwise) {
        return layer < given.size() ? given[layer] : otherwise;
    };
    if (layer == 0) {
        double spikes = 0.0;
        for (std::uint64_t i = 0; i < samples.size(); ++i)
            spikes += static_cast<double>(samples[i].times.size());
        const double mean = 8.0 * static_cast<double>(samples.size()) / std::max(spikes, 1.0);
        return {of(options.means, mean), of(options.deviations, 0.55 * mean)};
    }
    const auto n = static_cast<double>(sources);
    const bool last = layer == options.hidden.size();
    if (last && learning::ClassLoss{.kind = learning::class_loss_kind(options.loss)}.is_of_potentials())
        return {of(options.means, 70.0 / n), of(options.deviations, 7.0 / std::sqrt(n))};
    return {of(options.means, 110.0 / n), of(options.deviations, std::max(12.0 / n, 1.2 / std::sqrt(n)))};
}

/// Neurons by the rule that their first spikes are known for. V = w g times the response to a spike; no leak,
/// or no decay of the current, is a time constant beside which a run is nothing in double precision.
Parameters neuron_parameters(const Options& options) {
    constexpr double endless = 1e30;
    struct Kind {
        std::string_view name;
        double tau_m;
        double tau_syn;
        bool once;
    };
    const double tau_m = seconds(options.tau_m);
    const double tau = seconds(options.tau_syn);
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
        if (kind.name != options.neuron) continue;
        Parameters parameters{{"tau_m", kind.tau_m}, {"tau_syn", kind.tau_syn}};
        if (kind.tau_m == endless) parameters.emplace_back("C_m", tau);
        if (kind.once) parameters.emplace_back("t_ref", parse_duration(options.duration).seconds());
        return parameters;
    }
    throw UsageError("neuron: expected one of " + known + ", found " + quoted(options.neuron) + "." +
                     did_you_mean(options.neuron, names));
}

/// Only the first `some` inputs keep their synapses.
Network with_inputs(const Network& network, std::uint32_t some) {
    std::vector<Projection> projections(network.projections().begin(), network.projections().end());
    std::vector<Stage>& stages = projections.front().stages;
    const auto stage = std::find_if(stages.begin(), stages.end(),
                                    [](const Stage& s) { return std::holds_alternative<Rule>(s); });
    const Sparse all = Sparse::of(std::get<Rule>(*stage));
    if (some > all.inputs) {
        throw UsageError("inputs: expected at most " + std::to_string(all.inputs) +
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

Network first_network(const Options& options, const datasets::Dataset& dataset,
                      const learning::SampleSet& samples) {
    if (!options.training.network().empty()) {
        return read_network(options.training.network(), options.reading).network;
    }
    const std::uint64_t seed = options.training.seed();
    NetworkBuilder build(seed);
    build.input("input", dataset.shape);
    std::string before = "input";
    auto sources = static_cast<std::uint32_t>(element_count(dataset.shape));
    std::vector<std::uint32_t> sizes = options.hidden;
    sizes.push_back(static_cast<std::uint32_t>(dataset.classes.size()));
    const learning::ClassLoss loss{.kind = learning::class_loss_kind(options.loss)};
    for (std::size_t layer = 0; layer < sizes.size(); ++layer) {
        const bool last = layer + 1 == sizes.size();
        const std::string name = last ? "output" : "hidden" + std::to_string(layer + 1);
        if (last && loss.is_of_potentials()) {
            build.population(name, {sizes[layer]}, "li_exp",
                             {{"tau_m", seconds(options.tau_m)}, {"tau_syn", seconds(options.tau_syn)}});
        } else {
            build.population(name, {sizes[layer]}, "lif_exp", neuron_parameters(options));
        }
        const FirstWeights weights = first_weights(options, layer, sources, samples);
        Connection connection;
        connection.weight = Distribution::normal(weights.mean, weights.deviation);
        const double delay = seconds(options.initial_delay);
        if (options.learn_delays && delay > 0.0) connection.delay = Distribution::uniform(0.0, delay);
        build.connect(before, name, connection);
        before = name;
        sources = sizes[layer];
    }
    return options.inputs > 0 ? with_inputs(build.network(), options.inputs) : build.network();
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

void train(Options& options) {
    converters::ExactReading reading;
    const converters::FirstSpikeReading encoded =
        options.training.encoding().reading(converters::FirstSpikeReading{
            .encoding = reading.encoding, .slot = reading.slot, .slots = reading.slots});
    reading.encoding = encoded.encoding;
    reading.slot = encoded.slot;
    reading.slots = encoded.slots;
    const learning::ExactOptions rule_of = rule_options(options);
    reading.loss = options.loss;
    reading.decay = rule_of.loss.decay;
    reading.duration = rule_of.duration;

    const datasets::Dataset dataset = options.training.dataset(encoding_of(encoded));
    const auto samples = std::make_shared<const learning::SampleSet>(datasets::load_samples(dataset));
    Network network = first_network(options, dataset, *samples);
    if (!options.learn_delays) network = with_matrices(network);
    const auto rule = std::make_shared<learning::ExactRule>(network, samples, rule_of);
    learning::GradientLearner learner(rule, options.training.gradient_options());
    options.training.run("exact gradients", learner, {dataset.name}, [&] {
        std::vector<std::string> notes;
        io::NirDocument document = converters::nir_from_network(rule->network(learner.parameters()), &notes);
        if (!options.training.quiet()) print_notes(notes);
        converters::set_exact_reading(document, reading);
        return document;
    });
}

}  // namespace

void add_train_exact(CLI::App& train_verb) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = train_verb.add_subcommand("exact", "exact gradients of spike times and potentials");
    options->training.add_to(*verb);
    verb->add_option("--hidden", options->hidden, "neurons of the hidden layers, as in 120 or 200,100")
        ->delimiter(',')
        ->capture_default_str();
    verb->add_option("--initial", options->means, "means of the first weights, one number a layer")
        ->delimiter(',');
    verb->add_option("--initial-sd", options->deviations, "their standard deviations")->delimiter(',');
    verb->add_option(
        "--inputs", options->inputs,
        "only so many inputs have synapses, the first ones (default: all; yin-yang: 4 leaves out "
        "the bias)");
    verb->add_option(
            "--neuron", options->neuron,
            "lif; with one spike at most lif_once, lif_equal_once (tau_m = tau_syn), lif_double_once "
            "(tau_m = 2 tau_syn), if_once (no leak), linear_once (no leak, no decay: ReL-PSP)")
        ->capture_default_str();
    verb->add_option("--tau-m", options->tau_m, "membrane time constant")->capture_default_str();
    verb->add_option("--tau-syn", options->tau_syn, "synaptic time constant")->capture_default_str();
    verb->add_option("--loss", options->loss,
                     "first_spike_cross_entropy, first_spike_squared_error, first_spike_gap, mean_potential, "
                     "largest_potential")
        ->capture_default_str();
    verb->add_option("--tau-0", options->tau_0, "cross-entropy of first spikes: its softness")
        ->capture_default_str();
    verb->add_option("--alpha", options->alpha, "and the weight of the label's early spike")
        ->capture_default_str();
    verb->add_option("--tau-1", options->tau_1, "on this scale of time")->capture_default_str();
    verb->add_option("--gap", options->gap, "first_spike_gap: by which the others come later")
        ->capture_default_str();
    verb->add_option("--target", options->target, "first_spike_squared_error: time of the label")
        ->capture_default_str();
    verb->add_option("--other-target", options->other_target, "and of the others")->capture_default_str();
    verb->add_option("--decay", options->decay, "mean_potential: earlier counts more; 0ms: all alike")
        ->capture_default_str();
    verb->add_option("--gain", options->gain, "losses of potentials: factor of them")->capture_default_str();
    verb->add_option("-d,--duration", options->duration, "of the run of a sample")->capture_default_str();
    verb->add_flag("--learn-delays", options->learn_delays, "learn a delay for each synapse, too");
    verb->add_option("--initial-delay", options->initial_delay, "delays begin uniform from 0 to this")
        ->capture_default_str();
    verb->add_option("--largest-delay", options->largest_delay)->capture_default_str();
    verb->add_option("--delay-rate", options->delay_rate,
                     "learning rate of delays [s] beside that of weights")
        ->capture_default_str();
    verb->add_option("--largest-factor", options->largest_factor,
                     "bound of |1/V'| at spikes [s/V]; inf: exact")
        ->capture_default_str();
    verb->add_option("--wake", options->wake, "rise of the weights onto a silent label")
        ->capture_default_str();
    verb->add_option(
            "--lower-rate", options->rates.lower,
            "hidden neurons that fire less often in a sample, on average over a mini-batch, are raised")
        ->capture_default_str();
    verb->add_option("--upper-rate", options->rates.upper, "and those that fire more often are lowered")
        ->capture_default_str();
    verb->add_option("--rate-strength", options->rates.strength, "by this for each spike too few or too many")
        ->capture_default_str();
    verb->add_option("--input-dropout", options->input_dropout, "share of input spikes left out")
        ->capture_default_str();
    verb->add_option("--input-shift", options->input_shift, "images are moved by up to so many pixels")
        ->capture_default_str();
    for (const char* name : {"--hidden", "--initial", "--initial-sd", "--inputs", "--neuron", "--tau-m",
                             "--tau-syn", "--initial-delay"})
        verb->get_option(name)->excludes(verb->get_option("--network"));
    options->reading.add_to(*verb);
    verb->footer("Example: saltus train exact yin-yang -o yin-yang.nir --log yin-yang.jsonl");
    verb->callback([options] { train(*options); });
}

}  // namespace saltus::cli
