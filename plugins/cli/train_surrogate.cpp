// saltus train surrogate DATASET -o OUT.nir: layers in discrete time, by surrogate gradients.
#include <memory>
#include <utility>

#include "commands.hpp"
#include "console.hpp"
#include "frame_arguments.hpp"
#include "saltus/converters/surrogate_model.hpp"
#include "saltus/datasets/evaluate_surrogate.hpp"
#include "saltus/datasets/learning_frames.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/surrogate.hpp"
#include "saltus/engine/learning/surrogate_text.hpp"
#include "surrogate_arguments.hpp"
#include "training.hpp"

namespace saltus::cli {

namespace {

/// Of sound, the network of Pellegrini, Zimmer and Masquelier 2021.
constexpr const char* sound_layers =
    "conv 64 kernel=4x3; conv 64 kernel=4x3 dilation=4x3; conv 64 kernel=4x3 dilation=16x9; readout mean";
constexpr const char* other_layers = "dense 128; readout mean";

/// Optimiser, schedule and mini-batch are theirs, too.
struct Options {
    TrainingArguments training{{.epochs = 10,
                                .batch = 64,
                                .learning_rate = 1e-3,
                                .weight_decay = 1e-5,
                                .optimizer = "radam",
                                .schedule = "exponential",
                                .gamma = 0.85,
                                .warmup = 1.0,
                                .largest_element = 5.0}};
    FrameArguments frames;
    std::string layers;
    std::string validation_split;
    std::string scaling = "auto";
    std::string surrogate = "s2net";
    std::optional<double> slope;
    std::optional<double> peak;
    std::string precision = "float32";
    bool balanced = false;
    learning::SurrogateOptions rule;
};

learning::SurrogateOptions rule_options(const Options& options) {
    learning::SurrogateOptions rule = options.rule;
    rule.function = learning::surrogate_function(options.surrogate);
    if (options.slope) rule.function.slope = *options.slope;
    if (options.peak) rule.function.peak = *options.peak;
    if (options.precision != "float32" && options.precision != "float64") {
        throw UsageError("--precision: expected float32 or float64, found " + quoted(options.precision) +
                         ".");
    }
    if (options.precision == "float64") rule.precision = learning::SurrogateOptions::Precision::float64;
    return rule;
}

/// The network to begin with; without parameters where it is new.
converters::SurrogateModel first_model(const Options& options) {
    const std::string& path = options.training.network();
    converters::SurrogateModel model;
    if (path.empty()) return model;
    if (!options.layers.empty()) {
        throw UsageError("--layers and --network both describe the network: expected one of them.");
    }
    if (!read_layers(path)) {
        std::optional<converters::SurrogateModel> trained = read_surrogate(path);
        if (!trained) {
            throw LimitError(path +
                             ": a network of neurons as NIR has them is not trained by surrogate gradients; "
                             "expected one that `saltus train surrogate` wrote, or a description of layers.");
        }
        model = std::move(*trained);
    }
    return model;
}

std::string layers_of(const Options& options, const learning::FrameLayout& layout) {
    if (!options.layers.empty()) return options.layers;
    if (!options.training.network().empty()) return read_layers(options.training.network()).value_or("");
    return layout.shape.size() == 2 && datasets::is_sound(options.training.path()) ? sound_layers
                                                                                   : other_layers;
}

void train(Options& options) {
    const learning::SurrogateOptions rule_of = rule_options(options);
    converters::SurrogateModel model = first_model(options);
    const bool new_network = model.parameters.empty();
    const converters::FirstSpikeReading encoding = options.training.encoding().reading();
    datasets::FrameOptions frames = options.frames.options(options.training.seed());
    frames.encoding = encoding_of(encoding);
    frames.threads = options.training.threads();

    datasets::LearningFramesOptions learning_frames;
    learning_frames.split = options.training.split();
    learning_frames.validation_split = options.validation_split;
    learning_frames.validation = options.training.validation();
    learning_frames.scaling = datasets::scaling_from(options.scaling);
    learning_frames.seed = options.training.seed();
    learning_frames.threads = options.training.threads();
    if (!new_network) learning_frames.divisors = model.divisors;
    const datasets::LearningFrames data =
        datasets::open_learning_frames(options.training.path(), frames, learning_frames);
    const learning::FrameLayout& layout = data.samples->layout();
    if (new_network) {
        model.description.steps = layout.steps;
        model.description.input = layout.shape;
        model.description.layers = learning::surrogate_layers(
            layers_of(options, layout), static_cast<std::uint32_t>(layout.classes.size()));
    }
    const learning::SurrogateNetwork network(model.description);
    model.classes = layout.classes;
    model.dt = layout.dt;
    model.divisors = data.divisors;
    model.task = frames.task;
    model.derivatives = frames.derivatives;
    model.binary = frames.binary;
    model.encoding = encoding.encoding;
    model.slot = encoding.slot;
    model.slots = encoding.slots;

    const auto rule = std::make_shared<learning::SurrogateRule>(
        network, data.samples, rule_of,
        new_network ? network.initial(options.training.seed()) : model.parameters);
    learning::GradientLearnerOptions gradient = options.training.gradient_options();
    gradient.optimizer.decoupled = true;
    learning::GradientLearner learner(rule, gradient);

    TrainingSamples samples{options.training.path()};
    samples.held_back = data.held_back;
    if (options.balanced) samples.balance = data.samples->labels();
    samples.figures = [&] {
        nlohmann::ordered_json figures{{"parameters", network.parameters()}};
        if (data.held_back == 0) return figures;
        std::vector<std::uint64_t> held_back(data.held_back);
        for (std::uint64_t k = 0; k < data.held_back; ++k)
            held_back[k] = data.samples->size() - data.held_back + k;
        const datasets::SurrogateEvaluation e = datasets::evaluate_surrogate(
            network, learner.parameters(), learning::reordered(data.samples, std::move(held_back)),
            {options.training.threads(), {}});
        figures["balanced_accuracy"] = e.balanced_accuracy();
        figures["spikes_per_neuron_and_step"] = rates_of(network, e.measure.rates);
        return figures;
    };
    options.training.run("surrogate gradients", learner, samples, [&] {
        model.parameters.assign(learner.parameters().begin(), learner.parameters().end());
        return converters::nir_from_surrogate(model);
    });
}

}  // namespace

void add_train_surrogate(CLI::App& train_verb) {
    auto options = std::make_shared<Options>();
    CLI::App* verb =
        train_verb.add_subcommand("surrogate", "layers in discrete time, by surrogate gradients");
    options->training.add_to(
        *verb,
        "sound (speech commands, spoken digits, a folder of WAV files), a folder or file "
        "of events, touch, spikes or images, or yin-yang");
    verb->add_option("--layers", options->layers,
                     "the network in words, as in \"conv 64 kernel=4x3; dense 128 recurrent; readout mean\" "
                     "(default: of sound three convolutions, of others one dense layer); also as JSON: "
                     "--network NAME.json");
    options->frames.add_to(*verb);
    options->frames.add_augmentation_to(*verb);
    verb->add_option("--validation-split", options->validation_split,
                     "part of the data that is held back to choose the best epoch, in place of --validation");
    verb->add_option("--scaling", options->scaling,
                     "divide each number of a step by its deviation: auto (sound only), deviation, none")
        ->capture_default_str();
    verb->add_flag("--balanced", options->balanced,
                   "draw samples with replacement, all classes equally often");
    verb->add_option("--surrogate", options->surrogate,
                     "derivative of a spike: a preset (s2net, norse, snntorch.atan, ...) or a kind (sigmoid, "
                     "atan, triangle, ...)")
        ->capture_default_str();
    verb->add_option("--slope", options->slope, "its slope (default: the preset's; 1 of a kind)");
    verb->add_option("--peak", options->peak, "its peak (default: the preset's; 1 of a kind)");
    verb->add_option("--activity", options->rule.activity, "weight of the spikes in the loss")
        ->capture_default_str();
    verb->add_option("--truncate", options->rule.truncate,
                     "errors go back to the last multiple of so many steps (default: to the beginning)");
    verb->add_flag("--detach-reset", options->rule.detach_reset, "leave the reset out of the gradient");
    verb->add_flag("--recompute", options->rule.recompute,
                   "compute potentials again in place of keeping them");
    verb->add_option("--precision", options->precision, "float32 or float64")->capture_default_str();
    verb->footer(
        "Example: saltus train surrogate speech-commands --validation-split validation --shift 100ms "
        "-o speech.nir");
    verb->callback([options] { train(*options); });
}

}  // namespace saltus::cli
