// saltus train surrogate DATASET -o OUT.nir: back-propagation through time with a surrogate of the spike's
// derivative.
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "commands.hpp"
#include "console.hpp"
#include "frame_arguments.hpp"
#include "reading.hpp"
#include "saltus/converters/surrogate.hpp"
#include "saltus/datasets/frames.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/surrogate.hpp"
#include "saltus/engine/learning/surrogate_text.hpp"
#include "training.hpp"

namespace saltus::cli {

namespace {

struct Options {
    TrainingArguments training{{.epochs = 30,
                                .batch = 64,
                                .learning_rate = 1e-3,
                                .weight_decay = 1e-5,
                                .optimizer = "radam",
                                .schedule = "cosine"}};
    FrameArguments frames;
    std::string layers = "dense 128; readout mean";
    std::string surrogate = "s2net";
    double slope = 0.0;
    double peak = 0.0;
    double activity = 0.1;
    std::uint32_t truncate = 0;
    bool detach_reset = false;
    bool recompute = false;
    bool float64 = false;
    bool unscaled = false;
    CLI::Option* slope_given = nullptr;
    CLI::Option* peak_given = nullptr;
};

/// The text itself, or the file of that name.
std::string layers_text(const std::string& text) {
    if (!std::filesystem::is_regular_file(text)) return text;
    std::ifstream file(text);
    if (!file) throw FileError(text, "", "cannot be read.");
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
}

learning::SurrogateOptions rule_options(const Options& options) {
    learning::SurrogateOptions rule;
    rule.function = learning::surrogate_function(options.surrogate);
    if (options.slope_given->count() > 0) rule.function.slope = options.slope;
    if (options.peak_given->count() > 0) rule.function.peak = options.peak;
    rule.activity = options.activity;
    rule.truncate = options.truncate;
    rule.detach_reset = options.detach_reset;
    rule.recompute = options.recompute;
    if (options.float64) rule.precision = learning::SurrogateOptions::Precision::float64;
    return rule;
}

struct Samples {
    std::shared_ptr<const learning::FrameSet> all;
    std::optional<std::uint64_t> held_back;  // the data set has a part for that
};

Samples samples_of(const std::string& path, const std::string& split, const datasets::FrameOptions& options) {
    Samples samples{datasets::open_frames(path, split, options), std::nullopt};
    if (split != "train" || !datasets::is_sound(path)) return samples;
    std::shared_ptr<const learning::FrameSet> validation;
    try {
        datasets::FrameOptions plain = options;
        plain.augmentation = {};
        validation = datasets::open_frames(path, "validation", plain);
    } catch (const UsageError&) {
        return samples;  // there is no such part
    }
    samples.held_back = validation->size();
    samples.all = learning::joined(samples.all, validation);
    return samples;
}

void train(Options& options) {
    const datasets::FrameOptions frames = options.frames.options(options.training.seed());
    Samples samples = samples_of(options.training.dataset_path(), options.training.split(), frames);
    const learning::FrameLayout& layout = samples.all->layout();

    converters::SurrogateReading reading;
    reading.dt = layout.dt;
    reading.classes = layout.classes;
    reading.binary = frames.binary;
    reading.derivatives = frames.derivatives;
    reading.task = frames.task;
    std::vector<double> initial;
    if (!options.training.network().empty()) {
        const auto before = converters::surrogate_reading_of(read_document(options.training.network(), false));
        if (!before) {
            throw FileError(options.training.network(), "",
                            "is no network that learnt by a surrogate gradient. Describe one by --layers.");
        }
        reading.description = before->description;
        reading.divisors = before->divisors;
        initial = before->parameters;
    } else {
        reading.description.steps = layout.steps;
        reading.description.input = layout.shape;
        reading.description.layers = learning::surrogate_layers(
            layers_text(options.layers), static_cast<std::uint32_t>(layout.classes.size()));
        if (!options.unscaled && datasets::is_sound(options.training.dataset_path()))
            reading.divisors = learning::deviations(*samples.all, options.training.threads());
    }
    if (!reading.divisors.empty()) samples.all = learning::scaled_frames(samples.all, reading.divisors);
    const learning::SurrogateNetwork network(reading.description);
    if (initial.empty()) initial = network.initial(options.training.seed());
    const auto rule = std::make_shared<learning::SurrogateRule>(network, samples.all, rule_options(options),
                                                                std::move(initial));
    learning::GradientLearner learner(rule, options.training.gradient_options());
    options.training.run(
        "surrogate gradient", learner, options.training.dataset_path(),
        [&] {
            reading.parameters.assign(learner.parameters().begin(), learner.parameters().end());
            std::vector<std::string> notes;
            io::NirDocument document = converters::nir_from_surrogate(reading, &notes);
            if (!options.training.quiet()) print_notes(notes);
            return document;
        },
        samples.held_back);
}

}  // namespace

void add_train_surrogate(CLI::App& train_verb) {
    auto options = std::make_shared<Options>();
    CLI::App* verb =
        train_verb.add_subcommand("surrogate", "surrogate gradients, by back-propagation through time");
    options->training.add_to(*verb);
    options->frames.add_to(*verb);
    options->frames.add_augmentation_to(*verb);
    verb->add_option("--layers", options->layers,
                     "the network, as in 'conv 64 kernel=4x3 dilation=4x3; dense 128 recurrent; readout "
                     "mean', or a file with that; axes are time, then space")
        ->capture_default_str();
    verb->add_option("--surrogate", options->surrogate,
                     "a tool's (s2net, norse, snntorch.fast_sigmoid, ...), or sigmoid, atan, fast_sigmoid, "
                     "triangle, box, exponential, gaussian, ...")
        ->capture_default_str();
    options->slope_given = verb->add_option("--slope", options->slope, "of the surrogate, in place of its own");
    options->peak_given = verb->add_option("--peak", options->peak, "of the surrogate, in place of its own");
    verb->add_option("--activity", options->activity, "weight of the spikes in the loss: more, fewer spikes")
        ->capture_default_str();
    verb->add_option("--truncate", options->truncate,
                     "errors go back to the last multiple of so many steps; 0: to the beginning");
    verb->add_flag("--detach-reset", options->detach_reset, "the reset is no part of the gradient");
    verb->add_flag("--recompute", options->recompute, "less memory, more time");
    verb->add_flag("--float64", options->float64, "in double");
    verb->add_flag("--unscaled", options->unscaled,
                   "sound: do not divide by the standard deviation of each channel and band");
    verb->footer(
        "Example: saltus train surrogate speech-commands -o words.nir --layers 'conv 64 kernel=4x3; conv 64 "
        "kernel=4x3 dilation=4x3; readout mean' --shift 100ms --log words.jsonl");
    verb->callback([options] { train(*options); });
}

}  // namespace saltus::cli
