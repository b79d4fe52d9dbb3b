// The loop on a rule of which everything is known: sample i has the value x_i, the loss is
// (w - x_i)^2 / 2 with one parameter w, so that w goes to the mean of the samples.
#include "saltus/engine/learning/training.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/gradient_learner.hpp"
#include "saltus/engine/random.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::learning;
using saltus::test::contains;
using saltus::test::message_of;

namespace {

class Mean : public Rule {
  public:
    explicit Mean(std::vector<double> x, std::size_t n = 1) : x_(std::move(x)) {
        groups_[0].name = "w";
        groups_[0].size = n;
    }
    [[nodiscard]] const std::vector<ParameterGroup>& groups() const override { return groups_; }
    [[nodiscard]] std::vector<double> initial() const override {
        return std::vector<double>(groups_[0].size, 0.0);
    }
    [[nodiscard]] std::uint64_t samples() const override { return x_.size(); }
    Tally gradient(std::span<const double> w, std::span<const std::uint64_t> batch,
                   std::span<double> gradient, unsigned threads) override {
        ordered_sum(batch.size(), threads, gradient, [&](std::size_t i, unsigned, std::span<double> partial) {
            for (std::size_t k = 0; k < partial.size(); ++k) partial[k] += w[k] - x_[batch[i]];
        });
        order.insert(order.end(), batch.begin(), batch.end());
        return measure(w, batch, threads);
    }
    [[nodiscard]] Tally measure(std::span<const double> w, std::span<const std::uint64_t> samples,
                                unsigned) override {
        Tally tally;
        for (const std::uint64_t i : samples) {
            const double e = w[0] - x_[i];
            tally += {1, std::abs(e) < 0.5 ? 1u : 0u, 0.5 * e * e};
        }
        return tally;
    }

    std::vector<std::uint64_t> order;  // of the samples learnt from

  private:
    std::vector<ParameterGroup> groups_{1};
    std::vector<double> x_;
};

std::vector<double> random_values(std::size_t n) {
    std::vector<double> x(n);
    SequentialRandom random(1, 2, 3);
    for (double& value : x) value = random.normal();
    return x;
}

GradientLearnerOptions plain(double rate) {
    GradientLearnerOptions options;
    options.optimizer.kind = OptimizerOptions::Kind::sgd;
    options.learning_rate = rate;
    return options;
}

GradientLearnerOptions all_kinds_of_state() {
    GradientLearnerOptions options;
    options.learning_rate = 0.01;
    options.averaging = 0.9;
    return options;
}

std::string refusal(const TrainingOptions& options) {
    GradientLearner learner(std::make_shared<Mean>(random_values(10)), plain(0.1));
    return message_of<UsageError>([&] { train(learner, options); });
}

}  // namespace

TEST_SUITE("learning/training") {
    TEST_CASE("one step of a whole batch with rate 1 is the mean of the samples") {
        GradientLearner learner(std::make_shared<Mean>(std::vector<double>{1.0, 2.0, 6.0}), plain(1.0));
        TrainingOptions options;
        options.epochs = 1;
        options.batch = 3;
        const TrainingResult result = train(learner, options);
        CHECK(learner.parameters()[0] == doctest::Approx(3.0).epsilon(1e-15));
        REQUIRE(result.log.size() == 1);
        CHECK(result.log[0].training.loss == doctest::Approx(0.5 * (1.0 + 4.0 + 36.0)).epsilon(1e-15));
        CHECK(result.log[0].training.samples == 3);
        CHECK_FALSE(result.best_epoch);
    }

    TEST_CASE("an epoch takes each sample once, in another order each time, and none that is held back") {
        auto rule = std::make_shared<Mean>(random_values(100));
        GradientLearner learner(rule, plain(0.1));
        TrainingOptions options;
        options.epochs = 2;
        options.batch = 7;
        options.validation = 20;
        train(learner, options);
        REQUIRE(rule->order.size() == 160);
        const auto middle = rule->order.begin() + 80;
        const std::set<std::uint64_t> first(rule->order.begin(), middle);
        const std::set<std::uint64_t> second(middle, rule->order.end());
        CHECK(first.size() == 80);
        CHECK(*first.rbegin() == 79);
        CHECK(second == first);
        CHECK_FALSE(std::equal(rule->order.begin(), middle, middle));
        CHECK_FALSE(std::is_sorted(rule->order.begin(), middle));
    }

    TEST_CASE("an order is a permutation and a function of seed and epoch") {
        CHECK(shuffled(50, 1, 2) == shuffled(50, 1, 2));
        CHECK(shuffled(50, 1, 2) != shuffled(50, 2, 2));
        CHECK(shuffled(50, 1, 2) != shuffled(50, 1, 3));
        CHECK(shuffled(0, 1, 1).empty());
        // each of the six orders of three about equally often: 3000 +- 5 sd, sd = sqrt(18000 5/36) = 50
        std::vector<int> counts(6, 0);
        for (std::uint64_t epoch = 0; epoch < 18000; ++epoch) {
            const auto o = shuffled(3, 9, epoch);
            ++counts[o[0] * 2 + (o[1] > o[2] ? 1 : 0)];
        }
        for (const int count : counts) CHECK(std::abs(count - 3000) < 250);
    }

    TEST_CASE("the same bits on 1, 2, 3 and 4 threads") {
        std::vector<double> expected;
        for (const unsigned threads : {1u, 2u, 3u, 4u}) {
            GradientLearner learner(std::make_shared<Mean>(random_values(300), 20'000), all_kinds_of_state());
            TrainingOptions options;
            options.epochs = 2;
            options.batch = 37;
            options.threads = threads;
            train(learner, options);
            const std::vector<double> found(learner.parameters().begin(), learner.parameters().end());
            if (expected.empty()) expected = found;
            CHECK(found == expected);
        }
    }

    TEST_CASE("a training that goes on from any of its snapshots ends with the same bits and log") {
        TrainingOptions options;
        options.epochs = 3;
        options.batch = 16;
        options.validation = 30;
        options.schedule.kind = Schedule::Kind::cosine;
        std::vector<TrainingSnapshot> snapshots;
        options.snapshot_due = [] { return true; };
        options.on_snapshot = [&](const TrainingSnapshot& s) { snapshots.push_back(s); };
        GradientLearner whole(std::make_shared<Mean>(random_values(100)), all_kinds_of_state());
        const TrainingResult expected = train(whole, options);
        REQUIRE(snapshots.size() == 15);  // 70 samples, 5 mini-batches an epoch
        options.on_snapshot = nullptr;
        for (const TrainingSnapshot& snapshot : snapshots) {
            GradientLearner learner(std::make_shared<Mean>(random_values(100)), all_kinds_of_state());
            options.resume_from = std::make_shared<TrainingSnapshot>(snapshot);
            const TrainingResult result = train(learner, options);
            CHECK(learner.state() == whole.state());
            REQUIRE(result.log.size() == 3);
            for (std::size_t e = 0; e < 3; ++e) {
                CHECK(result.log[e].training.loss == expected.log[e].training.loss);
                CHECK(result.log[e].validation.loss == expected.log[e].validation.loss);
                CHECK(result.log[e].best == expected.log[e].best);
            }
            CHECK(result.best_epoch == expected.best_epoch);
        }
    }

    TEST_CASE("the best epoch is handed out, and training stops when no better one comes") {
        // Learning leads away from the samples that are held back, the last two.
        std::vector<double> x(20, 8.0);
        x[18] = x[19] = 1.0;
        GradientLearner learner(std::make_shared<Mean>(x), plain(0.125));
        TrainingOptions options;
        options.epochs = 50;
        options.batch = 18;
        options.validation = 2;
        options.patience = 4;
        const TrainingResult result = train(learner, options);
        CHECK(result.stopped_early);
        REQUIRE(result.best_epoch);
        CHECK(*result.best_epoch == 1);
        CHECK(result.log.size() == 5);
        CHECK(learner.parameters()[0] == 1.0);  // after the first step

        GradientLearner last(std::make_shared<Mean>(x), plain(0.125));
        options.keep_best = false;
        train(last, options);
        CHECK(last.parameters()[0] == doctest::Approx(8.0 * (1.0 - std::pow(0.875, 5.0))).epsilon(1e-14));
    }

    TEST_CASE("progress tells how far the training is, and its answer stops it") {
        GradientLearner learner(std::make_shared<Mean>(random_values(10)), plain(0.1));
        TrainingOptions options;
        options.epochs = 4;
        options.batch = 5;
        std::vector<double> fractions;
        options.on_progress = [&](const TrainingProgress& p) {
            fractions.push_back(p.fraction);
            CHECK(p.epoch == (fractions.size() + 1) / 2);
            CHECK(p.samples_per_second > 0.0);
            return fractions.size() < 3;
        };
        const TrainingResult result = train(learner, options);
        CHECK(result.interrupted);
        CHECK(fractions == std::vector<double>{0.125, 0.25, 0.375});
        CHECK(result.log.size() == 1);
    }

    TEST_CASE("averaged parameters: the mean of the steps at first, later an exponential average") {
        GradientLearnerOptions options = plain(1.0);
        options.averaging = 0.75;
        // Batches of one with rate 1: w is the last sample.
        const std::vector<double> x{1.0, 2.0, 4.0, 8.0, 16.0, 32.0};
        GradientLearner learner(std::make_shared<Mean>(x), options);
        double average = 0.0;
        for (std::uint64_t i = 0; i < x.size(); ++i) {
            learner.learn(std::vector<std::uint64_t>{i}, 1.0, 1);
            const double taken = std::max(0.25, 1.0 / static_cast<double>(i + 1));
            average += taken * (x[i] - average);
            CHECK(learner.parameters()[0] == doctest::Approx(average).epsilon(1e-15));
        }
    }

    TEST_CASE("a long gradient is cut to the largest norm") {
        GradientLearnerOptions options = plain(1.0);
        options.largest_norm = 2.0;
        GradientLearner learner(std::make_shared<Mean>(std::vector<double>{30.0}, 4), options);
        learner.learn(std::vector<std::uint64_t>{0}, 1.0, 1);
        CHECK(learner.parameters()[0] == doctest::Approx(1.0).epsilon(1e-15));  // 4 equal parts of norm 2
    }

    TEST_CASE("options that mean nothing are refused by name") {
        TrainingOptions options;
        options.batch = 0;
        CHECK(contains(refusal(options), "mini-batch: expected at least 1, found 0"));
        options = {};
        options.validation = 10;
        CHECK(contains(refusal(options), "expected fewer than there are, 10, found 10"));
        options = {};
        options.patience = 1;
        CHECK(contains(refusal(options), "early stopping needs samples held back"));
    }

    TEST_CASE("a snapshot of another training or another learner is refused") {
        TrainingOptions options;
        options.epochs = 1;
        std::shared_ptr<TrainingSnapshot> snapshot;
        options.snapshot_due = [] { return true; };
        options.on_snapshot = [&](const TrainingSnapshot& s) {
            snapshot = std::make_shared<TrainingSnapshot>(s);
        };
        GradientLearner learner(std::make_shared<Mean>(random_values(10)), plain(0.1));
        train(learner, options);
        REQUIRE(snapshot);
        options = {};
        options.resume_from = snapshot;
        options.seed = 1;
        CHECK(contains(refusal(options), "the training to go on from was another"));
        options.seed = 0;
        snapshot->learner["parameters"] = {1.0, 2.0};
        CHECK(contains(refusal(options), "'parameters': expected 1 values, found 2"));
    }

    TEST_CASE("what differs from the training to go on from is named, and what was asked of it") {
        const auto trained = [](double rate, TrainingOptions options) {
            std::shared_ptr<TrainingSnapshot> snapshot;
            options.epochs = 1;
            options.snapshot_due = [] { return true; };
            options.on_snapshot = [&](const TrainingSnapshot& s) {
                snapshot = std::make_shared<TrainingSnapshot>(s);
            };
            GradientLearner learner(std::make_shared<Mean>(random_values(10)), plain(rate));
            train(learner, options);
            return snapshot;
        };
        TrainingOptions options;
        options.asked = {{"layers", "dense 3"}, {"shift", "1ms"}};
        const auto snapshot = trained(0.1, options);
        CHECK(snapshot->asked.at("layers") == "dense 3");
        options.resume_from = snapshot;
        CHECK_NOTHROW(trained(0.1, options));
        options.asked = {{"layers", "dense 4"}, {"noise", "1"}};
        options.batch = 5;
        const std::string said = message_of<UsageError>([&] { trained(0.2, options); });
        CHECK(contains(said, "layers: expected 'dense 3', found 'dense 4'."));
        CHECK(contains(said, "shift: expected '1ms', found nothing."));
        CHECK(contains(said, "noise: expected nothing, found '1'."));
        CHECK(contains(said, "mini-batch: expected '32', found '5'."));
        CHECK(contains(said, "learning rate: expected '0.1', found '0.2'."));
        CHECK_FALSE(contains(said, "seed"));
    }

    TEST_CASE("samples held back are a share or a number, rounded, and leave some to learn from") {
        CHECK(held_back(0.0, 10) == 0);
        CHECK(held_back(0.25, 10) == 3);
        CHECK(held_back(1.0 / 12.0, 60000) == 5000);
        CHECK(held_back(1.0, 10) == 1);
        CHECK(held_back(9.0, 10) == 9);
        CHECK(contains(message_of<UsageError>([] { (void)held_back(10.0, 10); }),
                       "expected fewer than there are, 10, found 10"));
        CHECK(contains(message_of<UsageError>([] { (void)held_back(0.99, 10); }), "fewer than there are"));
        CHECK(contains(message_of<UsageError>([] { (void)held_back(-0.1, 10); }), "expected >= 0"));
        CHECK(contains(message_of<UsageError>([] { (void)held_back(std::nan(""), 10); }), "expected >= 0"));
    }

    TEST_CASE("balanced drawing takes classes equally often however many samples they have") {
        std::vector<std::uint32_t> labels(10000, 0);
        std::fill(labels.begin(), labels.begin() + 100, 2);  // class 1 does not occur
        std::uint64_t rare = 0;
        const std::vector<std::uint64_t> order = balanced(labels, 3, 1);
        CHECK(order.size() == labels.size());
        for (const std::uint64_t i : order) rare += labels.at(i) == 2 ? 1 : 0;
        // Binomial, n = 10000, p = 1 / 2: five standard deviations are 250.
        CHECK(rare > 4750);
        CHECK(rare < 5250);
        CHECK(balanced(labels, 3, 1) == order);
        CHECK(balanced(labels, 3, 2) != order);
        CHECK(balanced(labels, 4, 1) != order);
    }

    TEST_CASE("labels for balanced drawing are one for each sample, and exclude the order of the file") {
        const auto rule = std::make_shared<Mean>(std::vector<double>{1.0, 2.0, 3.0});
        GradientLearner learner(rule, {});
        TrainingOptions options;
        options.balance = {0, 1};
        CHECK(contains(message_of<UsageError>([&] { train(learner, options); }), "balanced drawing"));
        options.balance = {0, 1, 1};
        options.shuffle = false;
        CHECK(contains(message_of<UsageError>([&] { train(learner, options); }), "order of the file"));
    }
}
