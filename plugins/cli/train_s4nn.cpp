// saltus train s4nn DATASET -o OUT.nir: networks in which each neuron fires at most once.
#include <memory>

#include "commands.hpp"
#include "console.hpp"
#include "reading.hpp"
#include "saltus/converters/nir.hpp"
#include "saltus/datasets/evaluate.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/s4nn.hpp"
#include "training.hpp"

namespace saltus::cli {

namespace {

struct Options {
    TrainingArguments training{{.epochs = 100,
                                .batch = 1,
                                .learning_rate = 0.2,
                                .weight_decay = 1e-6,
                                .optimizer = "sgd",
                                .schedule = "linear",
                                .last_rate = 0.05}};
    std::vector<std::string> hidden{"400"};
    std::vector<double> initial;
    double threshold = 100.0;
    std::string margin = "3ms";
    std::string loss = "relative";
    std::string softness = "5ms";
    std::string order = "paper";
    bool not_normalised = false;
    std::vector<double> dropout;
    std::uint32_t shift = 0;
    bool learn_delays = false;
    std::string delay_step = "1ms";
    std::string largest_delay = "20ms";
    double delay_rate = 1e-3;
    double averaged_samples = 60000.0;
    ReadingOptions reading;
};

learning::S4nnOptions rule_options(const Options& options) {
    learning::S4nnOptions rule;
    rule.margin = parse_duration(options.margin);
    rule.softness = parse_duration(options.softness);
    rule.loss = learning::s4nn_loss(options.loss);
    rule.order = learning::s4nn_order(options.order);
    rule.normalise = !options.not_normalised;
    rule.dropout = options.dropout;
    rule.shift = options.shift;
    rule.random_seed = options.training.seed();
    rule.learn_delays = options.learn_delays;
    rule.delay_step = parse_duration(options.delay_step);
    rule.largest_delay = parse_duration(options.largest_delay);
    rule.delay_rate = options.delay_rate;
    return rule;
}

learning::FirstSpikeNetwork first_network(const Options& options, const datasets::Dataset& dataset,
                                          const converters::FirstSpikeReading& first) {
    if (!options.training.network().empty()) {
        const converters::Import import = read_network(options.training.network(), options.reading);
        return learning::first_spike_network(import.network, first.t_max, first.silence_decides_at);
    }
    learning::FirstSpikePlan plan;
    plan.input = dataset.shape;
    for (const std::string& layer : options.hidden) plan.layers.push_back(learning::LayerPlan::parse(layer));
    plan.layers.push_back(static_cast<std::uint32_t>(dataset.classes.size()));
    plan.threshold = options.threshold;
    plan.initial = options.initial;
    plan.delay = first.slot;
    plan.t_max = first.t_max;
    plan.silence_decides_at = first.silence_decides_at;
    plan.seed = options.training.seed();
    return learning::new_first_spikes(plan);
}

void train(Options& options) {
    const converters::FirstSpikeReading first = options.training.encoding().reading();
    const datasets::Dataset dataset = options.training.dataset(encoding_of(first));
    const learning::S4nnOptions rule = rule_options(options);
    learning::FirstSpikeNetwork network = first_network(options, dataset, first);
    const auto samples = std::make_shared<const learning::SampleSet>(datasets::load_samples(dataset));
    const auto document = [&](const learning::FirstSpikeNetwork& trained) {
        io::NirDocument result = converters::nir_from_network(learning::network_of(trained));
        converters::set_first_spike(result, first);
        return result;
    };
    if (options.training.batch() == 1 && !options.learn_delays) {
        learning::S4nnSequentialOptions sequential;
        sequential.learning_rates = {options.training.learning_rate()};
        sequential.weight_decays = {options.training.weight_decay()};
        sequential.averaged_samples = options.averaged_samples;
        learning::S4nnSequential learner(std::move(network), samples, rule, sequential);
        options.training.run("S4NN, one sample at a time", learner, {dataset.name},
                             [&] { return document(learner.network()); });
        return;
    }
    const auto gradient = std::make_shared<learning::S4nnRule>(std::move(network), samples, rule);
    learning::GradientLearner learner(gradient, options.training.gradient_options());
    options.training.run("S4NN, mini-batches", learner, {dataset.name},
                         [&] { return document(gradient->network(learner.parameters())); });
}

}  // namespace

void add_train_s4nn(CLI::App& train_verb) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = train_verb.add_subcommand("s4nn", "first spikes, by temporal back-propagation (S4NN)");
    options->training.add_to(*verb);
    verb->add_option(
            "--hidden", options->hidden,
            "hidden layers: neurons, as in 400 or 200,100; 16c5: a convolution to 16 channels with kernels "
            "of 5 x 5; p2: the first spike of windows of 2 x 2")
        ->delimiter(',')
        ->capture_default_str();
    verb->add_option("--threshold", options->threshold, "of every neuron")->capture_default_str();
    verb->add_option(
            "--initial", options->initial,
            "weights begin uniform in [0, X): one number for each layer with weights (default: such that the "
            "sum over all inputs of a neuron is about 20, then 8 thresholds; with convolutions 2, some < 0)")
        ->delimiter(',');
    verb->add_option("--margin", options->margin, "by which the label should be first")
        ->capture_default_str();
    verb->add_option("--loss", options->loss, "relative (to the earliest output) or cross_entropy")
        ->capture_default_str();
    verb->add_option("--softness", options->softness, "time constant of the cross-entropy")
        ->capture_default_str();
    verb->add_option("--order", options->order,
                     "batch of 1: errors of a layer from the weights before (paper) or after (code) the step")
        ->capture_default_str();
    verb->add_flag("--not-normalised", options->not_normalised,
                   "do not divide the errors of a layer by their norm");
    verb->add_option(
            "--dropout", options->dropout,
            "mini-batches: share of the spikes of the input, the first hidden layer, ... that is dropped "
            "in learning, as in 0.1,0.2")
        ->delimiter(',');
    verb->add_option("--shift", options->shift,
                     "mini-batches: images are moved by up to so many pixels in learning");
    verb->add_option("--averaged-samples", options->averaged_samples,
                     "batch of 1: hand out an average of the weights over so many samples; 0: none")
        ->capture_default_str();
    verb->add_flag("--learn-delays", options->learn_delays, "learn a delay for each synapse, too");
    verb->add_option("--delay-step", options->delay_step, "learnt delays are multiples of it")
        ->capture_default_str();
    verb->add_option("--largest-delay", options->largest_delay)->capture_default_str();
    verb->add_option("--delay-rate", options->delay_rate, "learning rate of delays beside that of weights")
        ->capture_default_str();
    options->reading.add_to(*verb);
    verb->footer("Example: saltus train s4nn mnist -o mnist.nir --log mnist.jsonl");
    verb->callback([options] { train(*options); });
}

}  // namespace saltus::cli
