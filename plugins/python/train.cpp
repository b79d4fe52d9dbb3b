// Training. The GIL is released while it runs.
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include "network.hpp"
#include "saltus/converters/first_spike.hpp"
#include "saltus/converters/nir.hpp"
#include "saltus/datasets/evaluate.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/s4nn.hpp"
#include "saltus/engine/learning/training.hpp"
#include "saltus/io/training_checkpoint.hpp"

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

TrainingOptions training_from(const Arguments& a, std::uint64_t samples) {
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
    const double held_back = a.get<double>("validation");
    if (!(held_back >= 0.0)) throw UsageError("validation: expected >= 0, found " + shown(held_back) + ".");
    options.validation = static_cast<std::uint64_t>(
        held_back < 1.0 ? held_back * static_cast<double>(samples) + 0.5 : held_back);
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

/// Everything of a training under the names of saltus.train.Training, "document", and "error": the exception
/// that stopped it, or None.
nb::dict train_s4nn(const std::optional<std::shared_ptr<BuiltNetwork>>& built,
                    const std::filesystem::path& path, const std::string& split, const nb::dict& arguments,
                    const std::string& checkpoint, bool resume, nb::object callback, nb::object on_epoch) {
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
    TrainingOptions options = training_from(a, samples->size());
    if (resume && std::filesystem::exists(checkpoint)) {
        options.resume_from = std::make_shared<TrainingSnapshot>(io::read_training_checkpoint(checkpoint));
    }
    Watch watch(std::move(callback));
    options.on_progress = [&](const TrainingProgress& p) {
        return watch.go_on(p.fraction, p.epoch, p.tally.mean_loss(), p.tally.accuracy(), p.samples_per_second,
                           p.seconds_left);
    };
    options.on_epoch = [&](const EpochRecord& record) {
        if (on_epoch.is_none()) return;
        const nb::gil_scoped_acquire gil;
        on_epoch(record_of(record));
    };
    if (!checkpoint.empty()) {
        const auto last =
            std::make_shared<std::chrono::steady_clock::time_point>(std::chrono::steady_clock::now());
        options.snapshot_due = [last, every = a.get<double>("checkpoint_every")] {
            const auto now = std::chrono::steady_clock::now();
            if (std::chrono::duration<double>(now - *last).count() < every) return false;
            *last = now;
            return true;
        };
        options.on_snapshot = [&](const TrainingSnapshot& snapshot) {
            io::write_training_checkpoint(checkpoint, snapshot);
        };
    }
    TrainingResult outcome;
    {
        const nb::gil_scoped_release unlocked;
        outcome = train(*s4nn.learner, options);
    }
    io::NirDocument document = converters::nir_from_network(network_of(s4nn.trained()));
    converters::set_first_spike(document, reading);
    nb::list log;
    for (const EpochRecord& record : outcome.log) log.append(record_of(record));
    nb::dict out;
    out["document"] = nb::cast(std::move(document));
    out["log"] = log;
    out["best_epoch"] = outcome.best_epoch ? nb::cast(*outcome.best_epoch) : nb::none();
    out["stopped_early"] = outcome.stopped_early;
    out["interrupted"] = outcome.interrupted;
    out["error"] = watch.raised();
    return out;
}

}  // namespace

void bind_train(nb::module_& module) {
    using namespace nb::literals;
    module.def("train_s4nn", train_s4nn, "built"_a.none(), "path"_a, "split"_a, "arguments"_a, "checkpoint"_a,
               "resume"_a, "callback"_a.none(), "on_epoch"_a.none());
}

}  // namespace saltus::python
