// Training. The GIL is released while it runs.
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include "frames.hpp"
#include "network.hpp"
#include "saltus/converters/first_spike.hpp"
#include "saltus/converters/nir.hpp"
#include "saltus/datasets/evaluate.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/s4nn.hpp"
#include "saltus/engine/learning/training.hpp"
#include "saltus/io/training_checkpoint.hpp"
#include "shared/exact_training.hpp"
#include "shared/surrogate_layers.hpp"
#include "shared/surrogate_training.hpp"

namespace saltus::python {

namespace {

using namespace learning;

/// Entries of a dictionary that saltus/train.py has filled.
class Arguments {
  public:
    explicit Arguments(const nb::dict& values) : values_(values) {}
    template <class T>
    [[nodiscard]] T get(const char* name) const {
        return nb::cast<T>(values_[name]);
    }
    [[nodiscard]] Duration duration(const char* name) const {
        return duration_from_seconds(get<double>(name), name);
    }

  private:
    const nb::dict& values_;
};

converters::FirstSpikeReading reading_from(const Arguments& a) {
    converters::FirstSpikeReading reading;
    reading.encoding = a.get<std::string>("encoding");
    reading.slot = a.duration("slot");
    reading.slots = a.get<std::uint32_t>("slots");
    const datasets::Encoding encoding = datasets::encoding_of(reading.encoding, reading.slot, reading.slots);
    reading.t_max = encoding.t_max();
    reading.silence_decides_at = encoding.silence_decides_at();
    return reading;
}

TrainingOptions training_from(const Arguments& a, std::uint64_t validation) {
    TrainingOptions options;
    options.epochs = a.get<std::uint64_t>("epochs");
    options.batch = a.get<std::uint64_t>("batch");
    options.schedule.kind = schedule_kind(a.get<std::string>("schedule"));
    options.schedule.last = a.get<double>("last_rate");
    options.schedule.gamma = a.get<double>("gamma");
    options.schedule.period = a.get<double>("period");
    options.schedule.warmup = a.get<double>("warmup");
    options.seed = a.get<std::uint64_t>("seed");
    options.shuffle = a.get<bool>("shuffle");
    options.validation = validation;
    options.patience = a.get<std::uint64_t>("patience");
    options.keep_best = a.get<bool>("keep_best");
    options.threads = a.get<unsigned>("threads");
    return options;
}

S4nnOptions rule_from(const Arguments& a) {
    S4nnOptions options;
    options.margin = a.duration("margin");
    options.softness = a.duration("softness");
    options.loss = s4nn_loss(a.get<std::string>("loss"));
    options.order = s4nn_order(a.get<std::string>("order"));
    options.normalise = a.get<bool>("normalise");
    options.dropout = a.get<std::vector<double>>("dropout");
    options.shift = a.get<std::uint32_t>("shift");
    options.random_seed = a.get<std::uint64_t>("seed");
    options.learn_delays = a.get<bool>("learn_delays");
    options.delay_step = a.duration("delay_step");
    options.largest_delay = a.duration("largest_delay");
    options.delay_rate = a.get<double>("delay_rate");
    return options;
}

GradientLearnerOptions gradient_from(const Arguments& a) {
    GradientLearnerOptions options;
    options.optimizer.kind = optimizer_kind(a.get<std::string>("optimizer"));
    options.optimizer.momentum = a.get<double>("momentum");
    options.optimizer.weight_decay = a.get<double>("weight_decay");
    options.learning_rate = a.get<double>("learning_rate");
    options.averaging = a.get<double>("averaging");
    return options;
}

/// What a call says beside its arguments.
struct Call {
    std::string checkpoint;  // empty: none
    bool resume = false;
    nb::object callback;  // or None
    nb::object on_epoch;
};

nb::dict tally_of(const Tally& tally) {
    nb::dict out;
    out["samples"] = tally.samples;
    out["correct"] = tally.correct;
    out["accuracy"] = tally.accuracy();
    out["loss"] = tally.mean_loss();
    return out;
}

nb::dict record_of(const EpochRecord& record) {
    nb::dict out;
    out["epoch"] = record.epoch;
    out["rate_factor"] = record.rate_factor;
    out["training"] = tally_of(record.training);
    if (record.validation.samples > 0) {
        out["validation"] = tally_of(record.validation);
        out["best"] = record.best;
    }
    out["seconds"] = record.seconds;
    return out;
}

/// Everything of a training under the names of saltus.train.Training, "document", which `result` makes, and
/// "error": the exception that stopped it, or None.
nb::dict run(Learner& learner, TrainingOptions options, const Arguments& a, const Call& call,
             const std::function<io::NirDocument()>& result) {
    if (call.resume && std::filesystem::exists(call.checkpoint)) {
        options.resume_from =
            std::make_shared<TrainingSnapshot>(io::read_training_checkpoint(call.checkpoint));
    }
    Watch watch(call.callback);
    options.on_progress = [&](const TrainingProgress& p) {
        return watch.go_on(p.fraction, p.epoch, p.tally.mean_loss(), p.tally.accuracy(), p.samples_per_second,
                           p.seconds_left);
    };
    options.on_epoch = [&](const EpochRecord& record) {
        if (call.on_epoch.is_none()) return;
        const nb::gil_scoped_acquire gil;
        call.on_epoch(record_of(record));
    };
    if (!call.checkpoint.empty()) {
        const auto last =
            std::make_shared<std::chrono::steady_clock::time_point>(std::chrono::steady_clock::now());
        options.snapshot_due = [last, every = a.get<double>("checkpoint_every")] {
            const auto now = std::chrono::steady_clock::now();
            if (std::chrono::duration<double>(now - *last).count() < every) return false;
            *last = now;
            return true;
        };
        options.on_snapshot = [&](const TrainingSnapshot& snapshot) {
            io::write_training_checkpoint(call.checkpoint, snapshot);
        };
    }
    TrainingResult outcome;
    {
        const nb::gil_scoped_release unlocked;
        outcome = train(learner, options);
    }
    nb::list log;
    for (const EpochRecord& record : outcome.log) log.append(record_of(record));
    nb::dict out;
    out["document"] = nb::cast(result());
    out["log"] = log;
    out["best_epoch"] = outcome.best_epoch ? nb::cast(*outcome.best_epoch) : nb::none();
    out["stopped_early"] = outcome.stopped_early;
    out["interrupted"] = outcome.interrupted;
    out["error"] = watch.raised();
    return out;
}

/// The learner of what is asked, and the network that it has made.
struct S4nn {
    S4nn(const Arguments& a, FirstSpikeNetwork network, const std::shared_ptr<const SampleSet>& samples) {
        const S4nnOptions rule = rule_from(a);
        if (a.get<std::uint64_t>("batch") == 1 && !rule.learn_delays) {
            S4nnSequentialOptions options;
            options.learning_rates = {a.get<double>("learning_rate")};
            options.weight_decays = {a.get<double>("weight_decay")};
            options.averaged_samples = a.get<double>("averaged_samples");
            auto sequential = std::make_unique<S4nnSequential>(std::move(network), samples, rule, options);
            trained = [&s = *sequential] { return s.network(); };
            learner = std::move(sequential);
            return;
        }
        auto gradient = std::make_shared<S4nnRule>(std::move(network), samples, rule);
        auto with_optimizer = std::make_unique<GradientLearner>(gradient, gradient_from(a));
        trained = [gradient, &g = *with_optimizer] { return gradient->network(g.parameters()); };
        learner = std::move(with_optimizer);
    }

    std::unique_ptr<Learner> learner;
    std::function<FirstSpikeNetwork()> trained;
};

nb::dict train_s4nn(const std::optional<std::shared_ptr<BuiltNetwork>>& built,
                    const std::filesystem::path& path, const std::string& split, const nb::dict& arguments,
                    const std::string& checkpoint, bool resume, const nb::object& callback,
                    const nb::object& on_epoch) {
    const Arguments a(arguments);
    const converters::FirstSpikeReading reading = reading_from(a);
    const datasets::Dataset dataset = datasets::open_dataset(
        path, split, datasets::encoding_of(reading.encoding, reading.slot, reading.slots));
    FirstSpikeNetwork network;
    if (built) {
        network = first_spike_network((*built)->network(), reading.t_max, reading.silence_decides_at);
    } else {
        FirstSpikePlan plan;
        plan.input = dataset.shape;
        for (const auto& layer : a.get<std::vector<std::string>>("hidden")) {
            plan.layers.push_back(LayerPlan::parse(layer));
        }
        plan.layers.push_back(static_cast<std::uint32_t>(dataset.classes.size()));
        plan.threshold = a.get<double>("threshold");
        plan.initial = a.get<std::vector<double>>("initial");
        plan.delay = reading.slot;
        plan.t_max = reading.t_max;
        plan.silence_decides_at = reading.silence_decides_at;
        plan.seed = a.get<std::uint64_t>("seed");
        network = new_first_spikes(plan);
    }
    const auto samples = std::make_shared<const SampleSet>(datasets::load_samples(dataset));
    const S4nn s4nn(a, std::move(network), samples);
    const TrainingOptions options = training_from(a, held_back(a.get<double>("validation"), samples->size()));
    return run(*s4nn.learner, options, a, {checkpoint, resume, callback, on_epoch}, [&] {
        io::NirDocument document = converters::nir_from_network(network_of(s4nn.trained()));
        converters::set_first_spike(document, reading);
        return document;
    });
}

plugins::ExactRequest exact_request_from(const Arguments& a) {
    plugins::ExactRequest request;
    request.hidden = a.get<std::vector<std::string>>("hidden");
    request.initial = a.get<std::vector<double>>("initial");
    request.initial_sd = a.get<std::vector<double>>("initial_sd");
    request.inputs = a.get<std::optional<std::uint32_t>>("inputs");
    request.neuron = a.get<std::string>("neuron");
    request.tau_m = a.get<double>("tau_m");
    request.tau_syn = a.get<double>("tau_syn");
    request.window = a.get<double>("window");
    request.initial_delay = a.duration("initial_delay");
    request.seed = a.get<std::uint64_t>("seed");
    request.split = a.get<std::string>("split");
    request.loss = a.get<std::string>("loss");
    learning::ExactOptions& rule = request.rule;
    rule.loss.tau_0 = a.get<double>("tau_0");
    rule.loss.alpha = a.get<double>("alpha");
    rule.loss.tau_1 = a.get<double>("tau_1");
    rule.loss.gap = a.get<double>("gap");
    rule.loss.target = a.get<double>("target");
    rule.loss.other_target = a.get<double>("other_target");
    rule.loss.decay = a.get<double>("decay");
    rule.loss.gain = a.get<double>("gain");
    rule.duration = a.duration("duration");
    rule.learn_delays = a.get<bool>("learn_delays");
    rule.delay_rate = a.get<double>("delay_rate");
    rule.largest_delay = a.duration("largest_delay");
    rule.largest_factor = a.get<double>("largest_factor");
    rule.wake = a.get<double>("wake");
    rule.rates = {a.get<double>("lower_rate"), a.get<double>("upper_rate"), a.get<double>("rate_strength")};
    rule.input_dropout = a.get<double>("input_dropout");
    rule.input_shift = a.get<std::uint32_t>("input_shift");
    rule.input_mirror = a.get<bool>("input_mirror");
    request.reading.encoding = a.get<std::string>("encoding");
    request.reading.slot = a.duration("slot");
    request.reading.slots = a.get<std::uint32_t>("slots");
    request.gradient = gradient_from(a);
    request.gradient.largest_norm = a.get<double>("largest_norm");
    request.gradient.largest_element = a.get<double>("largest_element");
    return request;
}

nb::dict train_exact(const std::optional<std::shared_ptr<BuiltNetwork>>& built,
                     const std::filesystem::path& path, const nb::dict& arguments,
                     const std::string& checkpoint, bool resume, const nb::object& callback,
                     const nb::object& on_epoch) {
    const Arguments a(arguments);
    plugins::ExactRequest request = exact_request_from(a);
    if (built) request.network = (*built)->network();
    std::optional<plugins::ExactTraining> training;
    {
        const nb::gil_scoped_release unlocked;
        training.emplace(path, std::move(request));
    }
    const TrainingOptions options =
        training_from(a, held_back(a.get<double>("validation"), training->learner().samples()));
    std::vector<std::string> notes;
    return run(training->learner(), options, a, {checkpoint, resume, callback, on_epoch},
               [&] { return training->trained(&notes); });
}

/// What the arguments ask for, but for the network.
plugins::SurrogateRequest request_from(const Arguments& a) {
    plugins::SurrogateRequest request;
    const auto seed = a.get<std::uint64_t>("seed");
    const auto threads = a.get<unsigned>("threads");
    if (const auto layers = a.get<std::optional<std::string>>("layers"))
        request.layers = plugins::layers_of_json(*layers);
    if (const auto words = a.get<std::optional<std::string>>("words")) request.layers = words;
    request.frames = frame_options(a.get<nb::dict>("frames"));
    request.encoding = a.get<std::string>("encoding");
    request.slot = a.duration("slot");
    request.slots = a.get<std::uint32_t>("slots");
    request.samples.split = a.get<std::string>("split");
    request.samples.validation_split = a.get<std::string>("validation_split");
    request.samples.validation = a.get<double>("validation");
    request.samples.scaling = datasets::scaling_from(a.get<std::string>("scaling"));
    request.samples.seed = seed;
    request.samples.threads = threads;
    request.surrogate = a.get<std::string>("surrogate");
    request.slope = a.get<std::optional<double>>("slope");
    request.peak = a.get<std::optional<double>>("peak");
    request.precision = a.get<std::string>("precision");
    request.rule.activity = a.get<double>("activity");
    request.rule.truncate = a.get<std::uint32_t>("truncate");
    request.rule.detach_reset = a.get<bool>("detach_reset");
    request.rule.recompute = a.get<bool>("recompute");
    request.balanced = a.get<bool>("balanced");
    request.gradient = gradient_from(a);
    request.gradient.largest_norm = a.get<double>("largest_norm");
    request.gradient.largest_element = a.get<double>("largest_element");
    return request;
}

/// As the command's --json tells them.
nb::dict figures_of(const plugins::SurrogateTraining& training, unsigned threads) {
    nb::dict figures;
    figures["parameters"] = training.parameters();
    std::optional<datasets::SurrogateEvaluation> e;
    {
        const nb::gil_scoped_release unlocked;
        e = training.evaluate(threads);
    }
    if (!e) return figures;
    figures["balanced_accuracy"] = e->balanced_accuracy();
    figures["spikes_per_neuron_and_step"] = rates_of(*e);
    return figures;
}

using Frames = std::shared_ptr<const FrameSet>;

/// Samples are those of `path`, or, where that is empty, given.
nb::dict train_surrogate(const std::optional<io::NirDocument>& document,
                         const std::optional<converters::NirReading>& reading,
                         const std::optional<std::filesystem::path>& path,
                         const std::optional<Frames>& samples, const std::optional<Frames>& held_back,
                         const nb::dict& arguments, const std::string& checkpoint, bool resume,
                         const nb::object& callback, const nb::object& on_epoch) {
    const Arguments a(arguments);
    plugins::SurrogateRequest request = request_from(a);
    if (document) plugins::begin_with(request, *document, reading.value());
    std::optional<plugins::SurrogateTraining> training;
    {
        const nb::gil_scoped_release unlocked;
        if (path) {
            training.emplace(*path, std::move(request));
        } else {
            training.emplace(samples.value(), held_back.value_or(nullptr), std::move(request));
        }
    }
    TrainingOptions options = training_from(a, training->held_back());
    options.balance = training->balance();
    options.asked = training->asked();
    nb::dict out = run(training->learner(), options, a, {checkpoint, resume, callback, on_epoch},
                       [&] { return training->trained(); });
    if (out["error"].is_none()) out["figures"] = figures_of(*training, options.threads);
    return out;
}

}  // namespace

void bind_train(nb::module_& module) {
    using namespace nb::literals;
    module.def("train_s4nn", train_s4nn, "built"_a.none(), "path"_a, "split"_a, "arguments"_a, "checkpoint"_a,
               "resume"_a, "callback"_a.none(), "on_epoch"_a.none());
    module.def("train_exact", train_exact, "built"_a.none(), "path"_a, "arguments"_a, "checkpoint"_a,
               "resume"_a, "callback"_a.none(), "on_epoch"_a.none());
    module.def("train_surrogate", train_surrogate, "document"_a.none(), "reading"_a.none(), "path"_a.none(),
               "samples"_a.none(), "held_back"_a.none(), "arguments"_a, "checkpoint"_a, "resume"_a,
               "callback"_a.none(), "on_epoch"_a.none());
}

}  // namespace saltus::python
