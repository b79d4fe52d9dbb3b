// Twelve steps on three parameters with the gradient a_k w_k + cos(t + k), t = 0, 1, ...; what PyTorch
// 2.13.0 (torch.optim, float64) makes of the same.
#include "saltus/engine/learning/optimizer.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/schedule.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::learning;
using saltus::test::contains;
using saltus::test::message_of;

namespace {

using Kind = OptimizerOptions::Kind;
using Three = std::array<double, 3>;

constexpr Three start{1.0, -2.0, 0.5};

Three slope(const Three& w, int t) {
    constexpr Three a{1.0, 0.25, 4.0};
    Three g{};
    for (std::size_t k = 0; k < 3; ++k)
        g[k] = a[k] * w[k] + std::cos(static_cast<double>(t) + static_cast<double>(k));
    return g;
}

Three after_steps(const OptimizerOptions& options, int steps = 12) {
    Optimizer optimizer(options, 3);
    Three w = start;
    for (int t = 0; t < steps; ++t) {
        const Three g = slope(w, t);
        optimizer.advance();
        optimizer.update(0, w, g, 0.05);
    }
    return w;
}

void check_equal(const Three& found, const Three& expected) {
    for (std::size_t k = 0; k < 3; ++k) CHECK(found[k] == doctest::Approx(expected[k]).epsilon(1e-14));
}

OptimizerOptions adaptive(Kind kind, double decay = 0.0) {
    OptimizerOptions options;
    options.kind = kind;
    options.beta_1 = 0.8;
    options.beta_2 = 0.95;
    options.weight_decay = decay;
    return options;
}

OptimizerOptions sgd(double momentum, bool nesterov, double decay) {
    OptimizerOptions options;
    options.kind = Kind::sgd;
    options.momentum = momentum;
    options.nesterov = nesterov;
    options.weight_decay = decay;
    return options;
}

std::string refusal(const OptimizerOptions& options) {
    return message_of<UsageError>([&] { Optimizer(options, 1); });
}

}  // namespace

TEST_SUITE("learning/optimizer") {
    TEST_CASE("every optimizer makes the steps that PyTorch makes") {
        check_equal(after_steps(sgd(0.0, false, 0.0)),
                    {0.573231102535294, -1.694826801165245, -0.013224676734866662});
        check_equal(after_steps(sgd(0.9, false, 0.1)),
                    {-0.4196606975328003, -0.2702501282312742, 0.1934601257827741});
        check_equal(after_steps(sgd(0.9, true, 0.0)),
                    {-0.22898969566001012, -0.5677479933476303, -0.014015188704453282});
        check_equal(after_steps(adaptive(Kind::adam, 0.1)),
                    {0.5519052517203457, -1.5446832694217258, 0.008718568588380216});
        check_equal(after_steps(adaptive(Kind::adamw, 0.1)),
                    {0.5255210072123839, -1.5850261565315908, 0.0013995163491755044});
        check_equal(after_steps(adaptive(Kind::radam)),
                    {0.6300534492584573, -1.7852754342546604, 0.11150280385302919});
    }

    TEST_CASE("the first step of Adam is the learning rate against the sign of the gradient") {
        // m^ = g, v^ = g^2
        OptimizerOptions options;
        options.epsilon = 0.0;
        Optimizer optimizer(options, 2);
        std::array<double, 2> w{1.0, 1.0};
        optimizer.advance();
        optimizer.update(0, w, std::array<double, 2>{1e-9, -7.0}, 0.125);
        CHECK(w[0] == doctest::Approx(0.875).epsilon(1e-15));
        CHECK(w[1] == doctest::Approx(1.125).epsilon(1e-15));
    }

    TEST_CASE("a step in ranges, in any order, is the step in one piece") {
        for (const Kind kind : {Kind::sgd, Kind::adam, Kind::adamw, Kind::radam}) {
            OptimizerOptions options = adaptive(kind, 0.1);
            options.momentum = 0.5;
            Optimizer whole(options, 3);
            Optimizer parts(options, 3);
            Three a = start;
            Three b = start;
            for (int t = 0; t < 9; ++t) {
                const Three g = slope(a, t);
                whole.advance();
                whole.update(0, a, g, 0.05);
                parts.advance();
                parts.update(2, {b.data() + 2, 1}, {g.data() + 2, 1}, 0.05);
                parts.update(0, {b.data(), 2}, {g.data(), 2}, 0.05);
            }
            CHECK(a == b);
        }
    }

    TEST_CASE("what is restored goes on with the same bits") {
        for (const Kind kind : {Kind::sgd, Kind::adam, Kind::radam}) {
            OptimizerOptions options = adaptive(kind);
            options.momentum = 0.5;
            Optimizer optimizer(options, 3);
            Three w = start;
            for (int t = 0; t < 4; ++t) {
                optimizer.advance();
                optimizer.update(0, w, slope(w, t), 0.05);
            }
            Optimizer other(options, 3);
            other.restore(optimizer.steps(), optimizer.first_moment(), optimizer.second_moment());
            for (int t = 4; t < 12; ++t) {
                other.advance();
                other.update(0, w, slope(w, t), 0.05);
            }
            CHECK(w == after_steps(options));
        }
    }

    TEST_CASE("parameters that do not decay are spared by weight decay") {
        Optimizer optimizer(sgd(0.0, false, 0.5), 1);
        std::array<double, 1> w{8.0};
        optimizer.advance();
        optimizer.update(0, w, std::array<double, 1>{0.0}, 0.25, false);
        CHECK(w[0] == 8.0);
        optimizer.advance();
        optimizer.update(0, w, std::array<double, 1>{0.0}, 0.25, true);
        CHECK(w[0] == 7.0);  // 8 (1 - 0.25 * 0.5)
    }

    TEST_CASE("options out of their range are refused by name") {
        CHECK(contains(refusal(sgd(1.0, false, 0.0)), "momentum: expected 0 <= x < 1, found 1"));
        CHECK(contains(refusal(sgd(0.0, false, -1.0)), "weight_decay: expected 0 <= x, found -1"));
        OptimizerOptions options;
        options.beta_2 = std::nan("");
        CHECK(contains(refusal(options), "beta_2"));
        CHECK(contains(message_of<UsageError>([] { return optimizer_kind("adma"); }),
                       "expected sgd, adam, adamw or radam, found 'adma'. Did you mean 'adam'?"));
        CHECK(contains(message_of<UsageError>([] {
                           Optimizer({}, 2).restore(1, {0.0}, {0.0, 0.0});
                       }),
                       "expected moments of 2 and 2 parameters, found 1 and 2"));
    }
}

TEST_SUITE("learning/schedule") {
    TEST_CASE("schedules follow their formulas") {
        Schedule s;
        CHECK(s.factor(7.5, 10.0) == 1.0);
        s.kind = Schedule::Kind::step;
        s.gamma = 0.5;
        s.period = 2.0;
        CHECK(s.factor(1.99, 10.0) == 1.0);
        CHECK(s.factor(4.0, 10.0) == 0.25);
        s.kind = Schedule::Kind::exponential;
        CHECK(s.factor(0.5, 10.0) == doctest::Approx(std::sqrt(0.5)).epsilon(1e-15));
        s.kind = Schedule::Kind::cosine;
        s.last = 0.1;
        CHECK(s.factor(0.0, 10.0) == 1.0);
        CHECK(s.factor(5.0, 10.0) == doctest::Approx(0.55).epsilon(1e-15));
        CHECK(s.factor(10.0, 10.0) == doctest::Approx(0.1).epsilon(1e-15));
        s.kind = Schedule::Kind::linear;
        CHECK(s.factor(2.5, 10.0) == doctest::Approx(0.775).epsilon(1e-15));
    }

    TEST_CASE("warming up rises from nothing to the schedule") {
        Schedule s;
        s.warmup = 2.0;
        CHECK(s.factor(0.0, 10.0) == 0.0);
        CHECK(s.factor(0.5, 10.0) == 0.25);
        CHECK(s.factor(2.0, 10.0) == 1.0);
    }

    TEST_CASE("schedules out of their range are refused by name") {
        Schedule s;
        s.gamma = 0.0;
        CHECK(contains(message_of<UsageError>([&] { s.check(); }), "schedule, gamma: expected > 0, found 0"));
        CHECK(contains(message_of<UsageError>([] { return schedule_kind("cosin"); }),
                       "Did you mean 'cosine'?"));
    }
}
