// Losses against their formulas, and their derivatives against differences.
#include "saltus/engine/learning/losses.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "saltus/engine/errors.hpp"

namespace saltus::learning {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();
constexpr double end = 0.04;

double value(const ClassLoss& loss, const std::vector<double>& x, std::uint32_t label) {
    std::vector<double> slopes(x.size());
    return loss(x, label, end, slopes);
}

void check_slopes(const ClassLoss& loss, std::vector<double> x, std::uint32_t label) {
    std::vector<double> slopes(x.size());
    (void)loss(x, label, end, slopes);
    for (std::size_t k = 0; k < x.size(); ++k) {
        CAPTURE(k);
        const double at = x[k];
        const double h = 1e-7;
        x[k] = at + h;
        const double up = value(loss, x, label);
        x[k] = at - h;
        const double down = value(loss, x, label);
        x[k] = at;
        CHECK(slopes[k] == doctest::Approx((up - down) / (2.0 * h)).epsilon(1e-6));
    }
}

template <class F>
std::string message(F&& f) {
    try {
        f();
    } catch (const UsageError& error) {
        return error.what();
    }
    return "";
}

TEST_SUITE("learning/losses") {
    TEST_CASE("cross-entropy of first spikes by its formula") {
        ClassLoss loss;
        loss.tau_0 = 1e-3;
        loss.alpha = 3e-3;
        loss.tau_1 = 6.4e-3;
        const double sum = std::exp(-10.0) + std::exp(-12.0) + std::exp(-11.0);
        const double expected = -std::log(std::exp(-12.0) / sum) + 3e-3 * std::expm1(12.0 / 6.4);
        CHECK(value(loss, {10e-3, 12e-3, 11e-3}, 1) == doctest::Approx(expected).epsilon(1e-13));
    }
    TEST_CASE("derivatives are differences, for every loss") {
        using Kind = ClassLoss::Kind;
        for (const Kind kind : {Kind::first_spike_cross_entropy, Kind::first_spike_squared_error,
                                Kind::first_spike_gap, Kind::mean_potential, Kind::largest_potential}) {
            CAPTURE(static_cast<int>(kind));
            ClassLoss loss;
            loss.kind = kind;
            loss.tau_0 = 3e-3;
            loss.alpha = 0.1;
            loss.target = 5e-3;
            loss.other_target = 15e-3;
            loss.gap = 2e-3;
            loss.gain = 2.0;
            check_slopes(loss, {10e-3, 12e-3, 7e-3}, 2);
            check_slopes(loss, {10e-3, 12e-3, 7e-3}, 0);
        }
    }
    TEST_CASE("a silent neuron counts as firing at the end, or when it is told, and has no derivative") {
        ClassLoss loss;
        loss.tau_0 = 10e-3;
        std::vector<double> slopes(2);
        CHECK(loss(std::vector<double>{0.01, never}, 0, end, slopes) == value(loss, {0.01, end}, 0));
        CHECK(slopes[1] == 0.0);
        CHECK(slopes[0] > 0.0);
        loss.silent = 0.02;
        CHECK(value(loss, {0.01, never}, 0) == value(loss, {0.01, 0.02}, 0));
    }
    TEST_CASE("the first spike decides, or the largest potential, the lowest of equals, or none") {
        ClassLoss loss;
        CHECK(loss.decide(std::vector<double>{3.0, 1.0, 1.0}) == 1);
        CHECK(loss.decide(std::vector<double>{never, never}) == 2);
        loss.kind = ClassLoss::Kind::largest_potential;
        CHECK(loss.decide(std::vector<double>{3.0, 1.0, 3.0}) == 0);
    }
    TEST_CASE("wrong parameters are refused by name") {
        ClassLoss loss;
        loss.tau_0 = 0.0;
        CHECK(message([&] { loss.check(); }) == "loss, tau_0: expected > 0, found 0.");
        CHECK(message([] {
                  (void)class_loss_kind("mean_potentail");
              }).find("Did you mean 'mean_potential'?") != std::string::npos);
    }
}

}  // namespace
}  // namespace saltus::learning
