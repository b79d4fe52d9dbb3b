// saltus train exact DATASET -o OUT.nir: exact gradients of spike times and potentials.
#include <memory>

#include "commands.hpp"
#include "console.hpp"
#include "reading.hpp"
#include "shared/exact_training.hpp"
#include "training.hpp"

namespace saltus::cli {

namespace {

struct Options {
    TrainingArguments training{{.epochs = 100, .batch = 32, .learning_rate = 5e-3}};
    std::string tau_m = "20ms";
    std::string tau_syn = "5ms";
    std::string window = "20ms";
    std::string tau_0 = "1ms";
    std::string tau_1 = "6.4ms";
    std::string gap = "2ms";
    std::string target = "20ms";
    std::string other_target = "30ms";
    std::string decay = "0ms";
    std::string duration = "60ms";
    std::string initial_delay = "0ms";
    std::string largest_delay = "50ms";
    plugins::ExactRequest request;
    ReadingOptions reading;
};

double seconds(const std::string& text) {
    return parse_duration(text).seconds();
}

plugins::ExactRequest request_of(const Options& options) {
    plugins::ExactRequest request = options.request;
    request.tau_m = seconds(options.tau_m);
    request.tau_syn = seconds(options.tau_syn);
    request.window = seconds(options.window);
    request.initial_delay = parse_duration(options.initial_delay);
    request.seed = options.training.seed();
    request.split = options.training.split();
    learning::ExactOptions& rule = request.rule;
    rule.loss.tau_0 = seconds(options.tau_0);
    rule.loss.tau_1 = seconds(options.tau_1);
    rule.loss.gap = seconds(options.gap);
    rule.loss.target = seconds(options.target);
    rule.loss.other_target = seconds(options.other_target);
    rule.loss.decay = seconds(options.decay);
    rule.duration = parse_duration(options.duration);
    rule.largest_delay = parse_duration(options.largest_delay);
    converters::ExactReading& reading = request.reading;
    const converters::FirstSpikeReading encoded =
        options.training.encoding().reading(converters::FirstSpikeReading{
            .encoding = reading.encoding, .slot = reading.slot, .slots = reading.slots});
    reading.encoding = encoded.encoding;
    reading.slot = encoded.slot;
    reading.slots = encoded.slots;
    request.gradient = options.training.gradient_options();
    const std::string& network = options.training.network();
    if (!network.empty()) request.network = read_network(network, options.reading).network;
    return request;
}

void train(Options& options) {
    plugins::ExactTraining training(options.training.path(), request_of(options));
    options.training.run("exact gradients", training.learner(), {training.dataset()}, [&] {
        std::vector<std::string> notes;
        io::NirDocument document = training.trained(&notes);
        if (!options.training.quiet()) print_notes(notes);
        return document;
    });
}

}  // namespace

void add_train_exact(CLI::App& train_verb) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = train_verb.add_subcommand("exact", "exact gradients of spike times and potentials");
    options->training.add_to(*verb);
    verb->add_option(
            "--hidden", options->request.hidden,
            "hidden layers: neurons, as in 120 or 200,100; 16c5: a convolution to 16 channels with kernels "
            "of 5 x 5; p2: the first spike of each window of 2 x 2")
        ->delimiter(',')
        ->capture_default_str();
    verb->add_option("--initial", options->request.initial,
                     "means of the first weights, one number a layer that has any")
        ->delimiter(',');
    verb->add_option("--initial-sd", options->request.initial_sd, "their standard deviations")
        ->delimiter(',');
    verb->add_option(
        "--inputs", options->request.inputs,
        "only so many inputs have synapses, the first ones (default: all; yin-yang: 4 leaves out "
        "the bias)");
    verb->add_option(
            "--neuron", options->request.neuron,
            "lif; with one spike at most lif_once, lif_equal_once (tau_m = tau_syn), lif_double_once "
            "(tau_m = 2 tau_syn), if_once (no leak), linear_once (no leak, no decay: ReL-PSP), ramp_once "
            "(as that, but firing on a ramp, layer after layer)")
        ->capture_default_str();
    verb->add_option("--tau-m", options->tau_m, "membrane time constant")->capture_default_str();
    verb->add_option("--tau-syn", options->tau_syn, "synaptic time constant")->capture_default_str();
    verb->add_option("--window", options->window,
                     "ramp_once: inputs come within this time, and a layer fires within as much")
        ->capture_default_str();
    verb->add_option("--loss", options->request.loss,
                     "first_spike_cross_entropy, first_spike_squared_error, first_spike_gap, mean_potential, "
                     "largest_potential")
        ->capture_default_str();
    verb->add_option("--tau-0", options->tau_0, "cross-entropy of first spikes: its softness")
        ->capture_default_str();
    verb->add_option("--alpha", options->request.rule.loss.alpha, "and the weight of the label's early spike")
        ->capture_default_str();
    verb->add_option("--tau-1", options->tau_1, "on this scale of time")->capture_default_str();
    verb->add_option("--gap", options->gap, "first_spike_gap: by which the others come later")
        ->capture_default_str();
    verb->add_option("--target", options->target, "first_spike_squared_error: time of the label")
        ->capture_default_str();
    verb->add_option("--other-target", options->other_target, "and of the others")->capture_default_str();
    verb->add_option("--decay", options->decay, "mean_potential: earlier counts more; 0ms: all alike")
        ->capture_default_str();
    verb->add_option("--gain", options->request.rule.loss.gain, "losses of potentials: factor of them")
        ->capture_default_str();
    verb->add_option("-d,--duration", options->duration, "of the run of a sample")->capture_default_str();
    verb->add_flag("--learn-delays", options->request.rule.learn_delays,
                   "learn a delay for each synapse, too");
    verb->add_option("--initial-delay", options->initial_delay, "delays begin uniform from 0 to this")
        ->capture_default_str();
    verb->add_option("--largest-delay", options->largest_delay)->capture_default_str();
    verb->add_option("--delay-rate", options->request.rule.delay_rate,
                     "learning rate of delays [s] beside that of weights")
        ->capture_default_str();
    verb->add_option("--largest-factor", options->request.rule.largest_factor,
                     "bound of |1/V'| at spikes [s/V]; inf: exact")
        ->capture_default_str();
    verb->add_option("--wake", options->request.rule.wake, "rise of the weights onto a silent label")
        ->capture_default_str();
    verb->add_option(
            "--lower-rate", options->request.rule.rates.lower,
            "hidden neurons that fire less often in a sample, on average over a mini-batch, are raised")
        ->capture_default_str();
    verb->add_option("--upper-rate", options->request.rule.rates.upper,
                     "and those that fire more often are lowered")
        ->capture_default_str();
    verb->add_option("--rate-strength", options->request.rule.rates.strength,
                     "by this for each spike too few or too many")
        ->capture_default_str();
    verb->add_option("--input-dropout", options->request.rule.input_dropout, "share of input spikes left out")
        ->capture_default_str();
    verb->add_option("--input-shift", options->request.rule.input_shift,
                     "images are moved by up to so many pixels")
        ->capture_default_str();
    verb->add_flag("--input-mirror", options->request.rule.input_mirror,
                   "every other image, by chance, has left and right exchanged");
    for (const char* name : {"--hidden", "--initial", "--initial-sd", "--inputs", "--neuron", "--tau-m",
                             "--tau-syn", "--window", "--initial-delay"})
        verb->get_option(name)->excludes(verb->get_option("--network"));
    options->reading.add_to(*verb);
    verb->footer("Example: saltus train exact yin-yang -o yin-yang.nir --log yin-yang.jsonl");
    verb->callback([options] { train(*options); });
}

}  // namespace saltus::cli
