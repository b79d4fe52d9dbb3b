// saltus train surrogate DATASET -o OUT.nir: layers in discrete time, by surrogate gradients.
#include <memory>

#include "commands.hpp"
#include "console.hpp"
#include "evaluate_surrogate.hpp"
#include "frame_arguments.hpp"
#include "reading.hpp"
#include "saltus/engine/errors.hpp"
#include "shared/surrogate_layers.hpp"
#include "shared/surrogate_training.hpp"
#include "training.hpp"

namespace saltus::cli {

namespace {

/// Optimiser, schedule and mini-batch are those of Pellegrini, Zimmer and Masquelier 2021.
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
    std::string scaling = "auto";
    std::string convention;
    std::string dt;
    plugins::SurrogateRequest request;

    [[nodiscard]] converters::NirReading reading() const {
        converters::NirReading reading;
        if (!convention.empty()) reading.convention = convention;
        if (!dt.empty()) reading.dt = parse_duration(dt);
        return reading;
    }
};

/// The network to begin with, and the layers of a new one.
void enter_network(const std::string& path, const converters::NirReading& reading,
                   plugins::SurrogateRequest& request) {
    if (path.empty()) return;
    if (request.layers) {
        throw UsageError("--layers and --network both describe the network: expected one of them.");
    }
    request.layers = plugins::read_layers(path);
    if (request.layers) return;
    try {
        plugins::begin_with(request, read_document(path, false), reading);
    } catch (const UsageError& error) {
        throw FileError(path, "", error.what());
    }
}

void train(Options& options) {
    const TrainingArguments& arguments = options.training;
    plugins::SurrogateRequest& request = options.request;
    enter_network(arguments.network(), options.reading(), request);
    const converters::FirstSpikeReading encoding = arguments.encoding().reading();
    request.encoding = encoding.encoding;
    request.slot = encoding.slot;
    request.slots = encoding.slots;
    request.frames = options.frames.options(arguments.seed());
    request.frames.threads = arguments.threads();
    request.samples.split = arguments.split();
    request.samples.validation = arguments.validation();
    request.samples.scaling = datasets::scaling_from(options.scaling);
    request.samples.seed = arguments.seed();
    request.samples.threads = arguments.threads();
    request.gradient = arguments.gradient_options();

    plugins::SurrogateTraining training(arguments.path(), request);
    TrainingSamples samples{arguments.path()};
    samples.held_back = training.held_back();
    samples.balance = training.balance();
    samples.asked = training.asked();
    samples.figures = [&] {
        nlohmann::ordered_json figures{{"parameters", training.parameters()}};
        const auto e = training.evaluate(arguments.threads());
        if (!e) return figures;
        figures["balanced_accuracy"] = e->balanced_accuracy();
        figures["spikes_per_neuron_and_step"] = rates_of(*e);
        return figures;
    };
    options.training.run("surrogate gradients", training.learner(), samples,
                         [&] { return training.trained(); });
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
    verb->add_option("--layers", options->request.layers,
                     "the network in words, as in \"conv 64 kernel=4x3; dense 128 recurrent; readout mean\" "
                     "(default: of sound three convolutions, of others one dense layer); also as JSON: "
                     "--network NAME.json");
    verb->add_option(
        "--convention", options->convention,
        "--network with neurons of NIR: the tool whose steps they take, as in run (default: what "
        "the file says, or a guess)");
    verb->add_option("--dt", options->dt, "of these neurons: length of a step, which --frame must be");
    options->frames.add_to(*verb);
    options->frames.add_augmentation_to(*verb);
    verb->add_option("--validation-split", options->request.samples.validation_split,
                     "part of the data that is held back to choose the best epoch, in place of --validation");
    verb->add_option("--scaling", options->scaling,
                     "divide each number of a step by its deviation: auto (sound only), deviation, none")
        ->capture_default_str();
    verb->add_flag("--balanced", options->request.balanced,
                   "draw samples with replacement, all classes equally often");
    verb->add_option("--surrogate", options->request.surrogate,
                     "derivative of a spike: a preset (s2net, norse, snntorch.atan, ...) or a kind (sigmoid, "
                     "atan, triangle, ...)")
        ->capture_default_str();
    verb->add_option("--slope", options->request.slope, "its slope (default: the preset's; 1 of a kind)");
    verb->add_option("--peak", options->request.peak, "its peak (default: the preset's; 1 of a kind)");
    verb->add_option("--activity", options->request.rule.activity, "weight of the spikes in the loss")
        ->capture_default_str();
    verb->add_option("--truncate", options->request.rule.truncate,
                     "errors go back to the last multiple of so many steps (default: to the beginning)");
    verb->add_flag("--detach-reset", options->request.rule.detach_reset,
                   "leave the reset out of the gradient");
    verb->add_flag("--recompute", options->request.rule.recompute,
                   "compute potentials again in place of keeping them");
    verb->add_option("--precision", options->request.precision, "float32 or float64")->capture_default_str();
    verb->footer(
        "Example: saltus train surrogate speech-commands --validation-split validation --shift 100ms "
        "-o speech.nir");
    verb->callback([options] { train(*options); });
}

}  // namespace saltus::cli
