// LIFAlpha: alpha synapses, against integration of its equations and against closed forms.
#include "saltus/engine/neurons/lif_alpha.hpp"

#include <doctest/doctest.h>

#include "reference.hpp"

namespace saltus::neurons {
namespace {

using test::Vector;

constexpr double long_time = 1e3;
constexpr std::array<double, 7> tau_syns{1e-3, 2e-3, 5e-3, 19.9e-3, 20e-3, 20e-3 * (1 + 1e-9), 60e-3};

/// (V, I_ex, y_ex, I_in, y_in)
auto equations(const LifAlpha& p) {
    return [p](const Vector<5>& y) {
        return Vector<5>{((p.E_L - y[0]) + p.R * (y[1] + y[3] + p.I_e)) / p.tau_m, y[2] - y[1] / p.tau_syn_ex,
                         -y[2] / p.tau_syn_ex, y[4] - y[3] / p.tau_syn_in, -y[4] / p.tau_syn_in};
    };
}
Vector<5> vector(const LifAlpha::State& v) {
    return {v.V, v.ex.I, v.ex.y, v.in.I, v.in.y};
}

TEST_SUITE("neurons/lif_alpha") {
    TEST_CASE("a weight is the peak of its current, one time constant after it arrives") {
        const auto c = constants(LifAlpha{.tau_syn_ex = 2e-3, .tau_syn_in = 5e-3, .J = 3.0}, 0.0);
        LifAlpha::State v{0.0, {0.0, 0.0}, {0.0, 0.0}};
        arrive(c, v, {0.5, -0.25});
        CHECK(refractory_flow(c, v, 2e-3).ex.I == doctest::Approx(1.5).epsilon(1e-15));
        CHECK(refractory_flow(c, v, 5e-3).in.I == doctest::Approx(-0.75).epsilon(1e-15));
        CHECK(refractory_flow(c, v, 2e-3 * (1 - 1e-4)).ex.I < 1.5);
        CHECK(refractory_flow(c, v, 2e-3 * (1 + 1e-4)).ex.I < 1.5);
        CHECK(refractory_flow(c, v, 1e-3).V == 0.0);
    }
    TEST_CASE("the flow solves the equations, for any ratio of the time constants, soon and late") {
        for (const double tau_syn_ex : tau_syns) {
            for (const double tau_syn_in : tau_syns) {
                for (const double s : {1e-5, 7e-3, 40e-3}) {
                    CAPTURE(tau_syn_ex);
                    CAPTURE(tau_syn_in);
                    CAPTURE(s);
                    const LifAlpha p{.tau_m = 20e-3,
                                     .tau_syn_ex = tau_syn_ex,
                                     .tau_syn_in = tau_syn_in,
                                     .R = 2.0,
                                     .E_L = 0.1,
                                     .I_e = 0.3};
                    const LifAlpha::State start{-0.4, {1.0, 4e3}, {-0.5, -3e2}};
                    const LifAlpha::State at = flow(constants(p, 0.0), start, s);
                    const Vector<5> expected = test::integrated(equations(p), vector(start), s, 6000);
                    CHECK(std::abs(at.V - static_cast<double>(expected[0])) < 1e-13 * 4.0);
                    CHECK(at.ex.I == doctest::Approx(static_cast<double>(expected[1])).epsilon(1e-12));
                    CHECK(at.ex.y == doctest::Approx(static_cast<double>(expected[2])).epsilon(1e-12));
                    CHECK(at.in.I == doctest::Approx(static_cast<double>(expected[3])).epsilon(1e-12));
                    CHECK(at.in.y == doctest::Approx(static_cast<double>(expected[4])).epsilon(1e-12));
                }
            }
        }
    }
    TEST_CASE("the flow over a sum of times is the flow of the flow") {
        const auto c = constants(LifAlpha{.tau_m = 20e-3, .tau_syn_ex = 2e-3, .tau_syn_in = 30e-3}, 0.2);
        const LifAlpha::State start{0.3, {2.0, 1e3}, {-1.0, -50.0}};
        const LifAlpha::State direct = flow(c, start, 6e-3);
        const LifAlpha::State in_two = flow(c, flow(c, start, 2.5e-3), 3.5e-3);
        CHECK(direct.V == doctest::Approx(in_two.V).epsilon(1e-14));
        CHECK(direct.ex.I == doctest::Approx(in_two.ex.I).epsilon(1e-14));
        CHECK(direct.in.I == doctest::Approx(in_two.in.I).epsilon(1e-14));
    }
    TEST_CASE("tau_syn = tau_m from rest: the peak is at 2 tau_m and touches the threshold to 1e-12") {
        // V(s) = (R/tau_m) y s^2/2 e^{-s/tau_m}, largest 2 R y tau_m e^{-2}
        const LifAlpha p{.tau_m = 20e-3, .tau_syn_ex = 20e-3, .tau_syn_in = 5e-3};
        const auto c = constants(p, 0.0);
        const double touching = std::exp(2.0) / (2.0 * 20e-3);
        const auto crossing = [&](double y) {
            return next_crossing(c, {0.0, {0.0, y}, {0.0, 0.0}}, 1.0, long_time);
        };
        CHECK(crossing(touching * (1 + 1e-12)) == doctest::Approx(40e-3).epsilon(1e-5));
        CHECK(std::isinf(crossing(touching * (1 - 1e-12))));
        for (double more = 1e-6; more < 1e9; more *= 7.3) {
            CAPTURE(more);
            const double y = touching * (1 + more);
            const double s = crossing(y);
            REQUIRE(s < 40e-3);
            // V = 1 at the crossing, to the rounding of s^2 and e^{-s/tau_m}
            CHECK(50.0 * y * s * s / 2.0 * std::exp(-s / 20e-3) == doctest::Approx(1.0).epsilon(2e-15));
        }
    }
    TEST_CASE("crossings of random states are those of the integrated equations, none is missed or made up") {
        test::Random random;
        int crossings = 0;
        for (int i = 0; i < 500; ++i) {
            const LifAlpha p{.tau_m = 20e-3,
                             .tau_syn_ex = random.one_of(tau_syns),
                             .tau_syn_in = random.one_of(tau_syns),
                             .I_e = random.uniform(-0.5, 1.4)};
            const LifAlpha::State start{
                random.uniform(-1.0, 1.0),
                {random.uniform(0.0, 4.0), random.uniform(0.0, 8.0) / p.tau_syn_ex},
                {random.uniform(-4.0, 0.0), random.uniform(-8.0, 0.0) / p.tau_syn_in}};
            CAPTURE(i);
            const auto excess = [](const Vector<5>& y) { return y[0] - 1.0L; };
            const test::Crossing expected =
                test::first_crossing(equations(p), excess, vector(start), 40e-3, 6000);
            const double s = next_crossing(constants(p, 0.0), start, 1.0, 40e-3);
            if (std::abs(expected.nearest) < 1e-6L) continue;  // grazes: the steps cannot tell
            CHECK(std::isinf(s) == std::isinf(expected.time));
            if (std::isinf(expected.time)) continue;
            ++crossings;
            CHECK(std::abs(s - expected.time) * std::abs(expected.slope) < 1e-11);
        }
        CHECK(crossings > 100);
        CHECK(crossings < 400);
    }
    TEST_CASE(
        "a peak that touches the threshold by 1e-12 is found, one that misses by as much is passed by") {
        // Excitation pushes V up, slower inhibition pulls it down, the drive carries it across much later.
        for (const double tau_syn_in : {5e-3, 19.9e-3, 20e-3}) {
            CAPTURE(tau_syn_in);
            const LifAlpha p{.tau_m = 20e-3, .tau_syn_ex = 1e-3, .tau_syn_in = tau_syn_in, .I_e = 1.2};
            const auto c = constants(p, 0.0);
            const LifAlpha::State start{0.0, {0.0, 10.0e3}, {0.0, -6.0 / tau_syn_in}};
            const double s_peak =
                test::peak_between([&](double s) { return flow(c, start, s).V; }, 0.0, 5e-3);
            const double V_peak = flow(c, start, s_peak).V;
            REQUIRE(V_peak < 1.2);
            CHECK(next_crossing(c, start, V_peak - 1e-12, long_time) ==
                  doctest::Approx(s_peak).epsilon(1e-4));
            const double missing = next_crossing(c, start, V_peak + 1e-12, long_time);
            REQUIRE(std::isfinite(missing));
            CHECK(missing > 2.0 * s_peak);
            CHECK(std::abs(flow(c, start, missing).V - V_peak) < 2e-12);
        }
    }
    TEST_CASE("the currents may turn three times, and all three turns are found") {
        // The slope e^{-a s} (p + dp s + (q + dq s) e^{-ds}) with dq = 1 vanishes at 1, 3 and 8 ms: three
        // linear equations for p, dp, q (Cramer's rule).
        const std::array<double, 3> s{1e-3, 3e-3, 8e-3};
        constexpr double a_slow = 100.0;
        constexpr double a_fast = 400.0;
        using Column = std::array<double, 3>;
        const auto determinant = [](const Column& x, const Column& y, const Column& z) {
            return x[0] * (y[1] * z[2] - y[2] * z[1]) - x[1] * (y[0] * z[2] - y[2] * z[0]) +
                   x[2] * (y[0] * z[1] - y[1] * z[0]);
        };
        const Column one{1.0, 1.0, 1.0};
        Column decay{};
        Column right{};
        for (std::size_t i = 0; i < 3; ++i) {
            decay[i] = std::exp(-(a_fast - a_slow) * s[i]);
            right[i] = -s[i] * decay[i];
        }
        const double all = determinant(one, s, decay);
        const double p = determinant(right, s, decay) / all;
        const double dp = determinant(one, right, decay) / all;
        const double q = determinant(one, s, right) / all;
        // p = y - a I, dp = -a y
        const auto synapse = [](double value, double slope, double a) {
            const double y = -slope / a;
            return LifAlpha::Synapse{(y - value) / a, y};
        };
        const auto turns =
            detail::turns_of_currents(synapse(p, dp, a_slow), a_slow, synapse(q, 1.0, a_fast), a_fast, 1.0);
        REQUIRE(turns.end() - turns.begin() == 3);
        for (std::size_t i = 0; i < 3; ++i) CHECK(turns.begin()[i] == doctest::Approx(s[i]).epsilon(1e-10));
    }
    TEST_CASE("time constants that meet change the crossing by no more than they differ") {
        const LifAlpha::State start{0.0, {0.0, 400.0}, {-2.0, 0.0}};
        const auto crossing = [&](double tau_syn_ex, double tau_syn_in) {
            const LifAlpha p{.tau_m = 20e-3, .tau_syn_ex = tau_syn_ex, .tau_syn_in = tau_syn_in};
            return next_crossing(constants(p, 0.0), start, 1.0, long_time);
        };
        const double equal = crossing(20e-3, 20e-3);
        REQUIRE(std::isfinite(equal));
        for (double d = 1e-3; d > 1e-17; d *= 0.1) {
            CAPTURE(d);
            CHECK(std::abs(crossing(20e-3 * (1 + d), 20e-3) - equal) < 0.1 * d + 2e-17);
            CHECK(std::abs(crossing(20e-3 * (1 - d), 20e-3 * (1 + d)) - equal) < 0.1 * d + 2e-17);
        }
    }
    TEST_CASE("a membrane that hardly leaks crosses as the integral of its current does, and not above it") {
        // tau_m -> infinity, R = tau_m: V(s) = y tau_syn^2 (1 - (1 + x) e^{-x}), x = s/tau_syn
        for (const double tau_m : {1e16, 1e20, 1e30, 1e300}) {
            CAPTURE(tau_m);
            const LifAlpha p{.tau_m = tau_m, .tau_syn_ex = 5e-3, .tau_syn_in = 7e-3, .R = tau_m};
            const auto c = constants(p, 0.0);
            const LifAlpha::State start{0.0, {0.0, 400.0}, {0.0, 0.0}};
            const double limit = 400.0 * 5e-3 * 5e-3;
            for (const double rest : {0.5, 1e-3, 1e-6}) {
                CAPTURE(rest);
                const double x = next_crossing(c, start, limit * (1 - rest), long_time) / 5e-3;
                CHECK((1.0 + x) * std::exp(-x) == doctest::Approx(rest).epsilon(1e-15 / rest));
            }
            CHECK(std::isinf(next_crossing(c, start, limit * (1 + 1e-11), long_time)));
        }
    }
    TEST_CASE("a horizon without end is allowed") {
        constexpr double endless = std::numeric_limits<double>::infinity();
        const LifAlpha quiet{.tau_m = 20e-3, .tau_syn_ex = 2e-3, .tau_syn_in = 5e-3};
        CHECK(
            std::isinf(next_crossing(constants(quiet, 0.0), {0.9, {0.5, 100.0}, {-1.0, 0.0}}, 1.0, endless)));
        const LifAlpha driven{.tau_m = 20e-3, .I_e = 1.5};
        CHECK(next_crossing(constants(driven, 0.0), {0.0, {0.0, 0.0}, {0.0, 0.0}}, 1.0, endless) ==
              doctest::Approx(20e-3 * std::log(3.0)).epsilon(1e-15));
    }
}

}  // namespace
}  // namespace saltus::neurons
