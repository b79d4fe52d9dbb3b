#include "saltus/engine/learning/training.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/random.hpp"

namespace saltus::learning {

namespace {

using Clock = std::chrono::steady_clock;

class Loop {
  public:
    Loop(Learner& learner, const TrainingOptions& options) : learner_(learner), options_(options) {
        check();
        held_back_.resize(options.validation);
        std::iota(held_back_.begin(), held_back_.end(), learner.samples() - options.validation);
        training_ = learner.samples() - options.validation;
        batches_ = (training_ + options.batch - 1) / options.batch;
        if (options.resume_from) {
            now_ = *options.resume_from;
            check_same(now_.asked);
            if (now_.batches > batches_) {
                throw UsageError("the training to go on from: expected at most " + std::to_string(batches_) +
                                 " mini-batches in an epoch, found " + std::to_string(now_.batches) + ".");
            }
            learner_.restore(now_.learner);
            now_.learner.clear();
        }
        now_.asked = asked();
        first_ = now_.epoch * training_ + std::min(now_.batches * options.batch, training_);
        for (const EpochRecord& record : now_.log) {
            if (record.best) best_ = record;
        }
    }

    TrainingResult run() {
        while (now_.epoch < options_.epochs && !interrupted_ && !waited_long_enough()) epoch();
        TrainingResult result;
        result.interrupted = interrupted_;
        result.stopped_early = !interrupted_ && now_.epoch < options_.epochs;
        if (options_.keep_best && !interrupted_ && !now_.best.empty()) learner_.restore(now_.best);
        if (best_.validation.samples > 0) result.best_epoch = best_.epoch;
        result.log = std::move(now_.log);
        return result;
    }

  private:
    void check() const {
        const auto positive = [](const char* name, std::uint64_t x) {
            if (x == 0) throw UsageError(std::string(name) + ": expected at least 1, found 0.");
        };
        positive("mini-batch", options_.batch);
        positive("threads", options_.threads);
        options_.schedule.check();
        if (options_.validation >= learner_.samples()) {
            throw UsageError("samples held back for validation: expected fewer than there are, " +
                             std::to_string(learner_.samples()) + ", found " +
                             std::to_string(options_.validation) + ".");
        }
        if (!options_.balance.empty() && options_.balance.size() != learner_.samples()) {
            throw UsageError("balanced drawing: expected a label for each of " +
                             std::to_string(learner_.samples()) + " samples, found " +
                             std::to_string(options_.balance.size()) + ".");
        }
        if (!options_.balance.empty() && !options_.shuffle) {
            throw UsageError("balanced drawing and the order of the file exclude each other.");
        }
        if (options_.patience > 0 && options_.validation == 0) {
            throw UsageError("early stopping needs samples held back for validation, found none.");
        }
    }

    [[nodiscard]] Asked asked() const {
        Asked asked = learner_.asked();
        asked.insert(options_.asked.begin(), options_.asked.end());
        const Schedule& schedule = options_.schedule;
        asked["samples"] = std::to_string(learner_.samples());
        asked["held back samples"] = std::to_string(options_.validation);
        asked["mini-batch"] = std::to_string(options_.batch);
        asked["seed"] = std::to_string(options_.seed);
        asked["schedule"] = std::string(schedule_name(schedule.kind)) + ", gamma " + shown(schedule.gamma) +
                            ", period " + shown(schedule.period) + ", last rate " + shown(schedule.last) +
                            ", warmup " + shown(schedule.warmup);
        const bool to_the_end =
            schedule.kind == Schedule::Kind::cosine || schedule.kind == Schedule::Kind::linear;
        if (to_the_end) asked["epochs"] = std::to_string(options_.epochs);
        asked["order"] = !options_.balance.empty() ? "balanced" : options_.shuffle ? "shuffled" : "as given";
        return asked;
    }

    /// Throws UsageError unless `before` is what is asked now.
    void check_same(const Asked& before) const {
        const Asked now = asked();
        std::string differ;
        const auto tell = [&](const std::string& name, const std::string& expected,
                              const std::string& found) {
            differ += " " + name + ": expected " + expected + ", found " + found + ".";
        };
        for (const auto& [name, value] : before) {
            const auto same = now.find(name);
            if (same == now.end()) {
                tell(name, quoted(value), "nothing");
            } else if (same->second != value) {
                tell(name, quoted(value), quoted(same->second));
            }
        }
        for (const auto& [name, value] : now) {
            if (before.count(name) == 0) tell(name, "nothing", quoted(value));
        }
        if (differ.empty()) return;
        throw UsageError("the training to go on from was another." + differ +
                         " Ask for the same, or begin anew.");
    }

    [[nodiscard]] bool waited_long_enough() const {
        return options_.patience > 0 && now_.epoch >= best_.epoch + options_.patience && !now_.log.empty();
    }

    [[nodiscard]] double seconds() const {
        return std::chrono::duration<double>(Clock::now() - start_).count();
    }

    void epoch() {
        std::vector<std::uint64_t> order(training_);
        if (!options_.balance.empty()) {
            order = balanced({options_.balance.data(), training_}, options_.seed, now_.epoch);
        } else if (options_.shuffle) {
            order = shuffled(training_, options_.seed, now_.epoch);
        } else {
            std::iota(order.begin(), order.end(), 0);
        }
        double factor = 1.0;
        while (now_.batches < batches_) {
            const std::uint64_t begin = now_.batches * options_.batch;
            const std::uint64_t end = std::min(begin + options_.batch, training_);
            const double done = static_cast<double>(now_.epoch) +
                                static_cast<double>(now_.batches) / static_cast<double>(batches_);
            const bool warming = done < options_.schedule.warmup;
            factor = options_.schedule.factor(warming ? done + 1.0 / static_cast<double>(batches_) : done,
                                              static_cast<double>(options_.epochs));
            now_.tally += learner_.learn({order.data() + begin, end - begin}, factor, options_.threads);
            ++now_.batches;
            if (now_.batches == batches_) close(factor);
            if (!report(end)) {
                interrupted_ = true;
                return;
            }
            if (now_.batches == 0) return;
        }
    }

    /// An epoch is over.
    void close(double factor) {
        learner_.end_epoch(now_.epoch);
        EpochRecord record;
        record.epoch = now_.epoch + 1;
        record.rate_factor = factor;
        record.training = now_.tally;
        if (!held_back_.empty()) {
            record.validation = learner_.measure(held_back_, options_.threads);
            const Tally& before = best_.validation;
            record.best =
                best_.epoch == 0 || record.validation.correct > before.correct ||
                (record.validation.correct == before.correct && record.validation.loss < before.loss);
        }
        record.seconds = seconds();
        if (record.best) {
            best_ = record;
            now_.best = learner_.state();
        }
        now_.log.push_back(record);
        now_.tally = {};
        now_.batches = 0;
        ++now_.epoch;
        if (options_.on_epoch) options_.on_epoch(record);
    }

    /// After each mini-batch: snapshot and progress; false stops.
    bool report(std::uint64_t in_epoch) {
        bool go_on = true;
        if (options_.on_progress) {
            const bool closed = now_.batches == 0;
            const std::uint64_t done = now_.epoch * training_ + (closed ? 0 : in_epoch);
            const std::uint64_t all = options_.epochs * training_;
            TrainingProgress progress;
            progress.epoch = now_.epoch + (closed ? 0 : 1);
            progress.epochs = options_.epochs;
            progress.fraction = static_cast<double>(done) / static_cast<double>(all);
            progress.tally = closed ? now_.log.back().training : now_.tally;
            progress.samples_per_second = static_cast<double>(done - first_) / std::max(seconds(), 1e-9);
            progress.seconds_left = static_cast<double>(all - done) / progress.samples_per_second;
            go_on = options_.on_progress(progress);
        }
        if (options_.on_snapshot && (!go_on || (options_.snapshot_due && options_.snapshot_due()))) {
            now_.learner = learner_.state();
            options_.on_snapshot(now_);
            now_.learner.clear();
        }
        return go_on;
    }

    Learner& learner_;
    const TrainingOptions& options_;
    std::vector<std::uint64_t> held_back_;
    std::uint64_t training_ = 0;  // samples
    std::uint64_t batches_ = 0;   // of an epoch
    std::uint64_t first_ = 0;     // samples of trainings that this one goes on from
    TrainingSnapshot now_;
    EpochRecord best_;
    bool interrupted_ = false;
    Clock::time_point start_ = Clock::now();
};

}  // namespace

std::uint64_t held_back(double asked, std::uint64_t samples) {
    if (!(asked >= 0.0)) throw UsageError("validation: expected >= 0, found " + shown(asked) + ".");
    const auto all = static_cast<double>(samples);
    const double n = asked < 1.0 ? asked * all + 0.5 : asked;
    if (n >= all) {
        throw UsageError("validation: expected fewer than there are, " + std::to_string(samples) +
                         ", found " + shown(asked) + ".");
    }
    return static_cast<std::uint64_t>(n);
}

std::vector<std::uint64_t> shuffled(std::uint64_t n, std::uint64_t seed, std::uint64_t epoch) {
    std::vector<std::uint64_t> order(n);
    std::iota(order.begin(), order.end(), 0);
    const CounterRandom random(seed, epoch);
    for (std::uint64_t i = n; i > 1; --i) std::swap(order[i - 1], order[random.below(i, i)]);
    return order;
}

std::vector<std::uint64_t> balanced(std::span<const std::uint32_t> labels, std::uint64_t seed,
                                    std::uint64_t epoch) {
    std::map<std::uint32_t, std::vector<std::uint64_t>> of_class;
    for (std::uint64_t i = 0; i < labels.size(); ++i) of_class[labels[i]].push_back(i);
    std::vector<const std::vector<std::uint64_t>*> classes;
    for (const auto& entry : of_class) classes.push_back(&entry.second);
    const CounterRandom random(seed, epoch);
    std::vector<std::uint64_t> order(labels.size());
    for (std::uint64_t i = 0; i < order.size(); ++i) {
        const std::vector<std::uint64_t>& members = *classes[random.below(2 * i, classes.size())];
        order[i] = members[random.below(2 * i + 1, members.size())];
    }
    return order;
}

TrainingResult train(Learner& learner, const TrainingOptions& options) {
    return Loop(learner, options).run();
}

}  // namespace saltus::learning
