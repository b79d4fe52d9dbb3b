// LIFExp2: two exponential synapses, against integration of its equations and against closed forms.
#include "saltus/engine/neurons/lif_exp2.hpp"

#include <doctest/doctest.h>

#include "reference.hpp"
#include "saltus/engine/neurons/cuba_lif.hpp"

namespace saltus::neurons {
namespace {

using test::Vector;

constexpr double long_time = 1e3;
constexpr std::array<double, 7> tau_syns{1e-3, 2e-3, 5e-3, 19.9e-3, 20e-3, 20e-3 * (1 + 1e-9), 60e-3};

/// (V, I_ex, I_in)
auto equations(const LifExp2& p) {
    return [p](const Vector<3>& y) {
        return Vector<3>{((p.E_L - y[0]) + p.R * (y[1] + y[2] + p.I_e)) / p.tau_m, -y[1] / p.tau_syn_ex,
                         -y[2] / p.tau_syn_in};
    };
}
Vector<3> vector(const LifExp2::State& v) {
    return {v.V, v.I_ex, v.I_in};
}

TEST_SUITE("neurons/lif_exp2") {
    TEST_CASE("the flow solves the equations, for any ratio of the time constants") {
        for (const double tau_syn_ex : tau_syns) {
            for (const double tau_syn_in : tau_syns) {
                CAPTURE(tau_syn_ex);
                CAPTURE(tau_syn_in);
                const LifExp2 p{.tau_m = 20e-3,
                                .tau_syn_ex = tau_syn_ex,
                                .tau_syn_in = tau_syn_in,
                                .R = 2.0,
                                .E_L = 0.1,
                                .I_e = 0.3};
                const LifExp2::State start{-0.4, 5.0, -3.0};
                const LifExp2::State at = flow(constants(p, 0.0), start, 7e-3);
                const Vector<3> expected = test::integrated(equations(p), vector(start), 7e-3, 2000);
                CHECK(at.V == doctest::Approx(static_cast<double>(expected[0])).epsilon(1e-13));
                CHECK(at.I_ex == doctest::Approx(static_cast<double>(expected[1])).epsilon(1e-13));
                CHECK(at.I_in == doctest::Approx(static_cast<double>(expected[2])).epsilon(1e-13));
            }
        }
    }
    TEST_CASE("the flow over a sum of times is the flow of the flow") {
        const auto c = constants(LifExp2{.tau_m = 20e-3, .tau_syn_ex = 2e-3, .tau_syn_in = 30e-3}, 0.2);
        const LifExp2::State start{0.3, 2.0, -1.0};
        const LifExp2::State direct = flow(c, start, 6e-3);
        const LifExp2::State in_two = flow(c, flow(c, start, 2.5e-3), 3.5e-3);
        CHECK(direct.V == doctest::Approx(in_two.V).epsilon(1e-14));
        CHECK(direct.I_ex == doctest::Approx(in_two.I_ex).epsilon(1e-14));
        CHECK(direct.I_in == doctest::Approx(in_two.I_in).epsilon(1e-14));
    }
    TEST_CASE("weights >= 0 raise one current, weights < 0 the other, also during the refractory period") {
        const auto c = constants(LifExp2{.J = 2.0}, 0.0);
        LifExp2::State v{0.5, 1.0, -1.0};
        arrive(c, v, {3.0, -0.5});
        CHECK(v.I_ex == 7.0);
        CHECK(v.I_in == -2.0);
        refractory_arrive(c, v, {0.5, -0.25});
        CHECK(v.I_ex == 8.0);
        CHECK(v.I_in == -2.5);
        CHECK(refractory_flow(c, v, 1e-3).V == 0.5);
        CHECK(refractory_flow(c, v, 5e-3).I_ex == doctest::Approx(8.0 / std::exp(1.0)).epsilon(1e-15));
    }
    TEST_CASE("one time constant for both: the crossings are those of CubaLIF, at every rate of drive") {
        for (const double tau_syn : tau_syns) {
            for (double I = 1e-3; I < 1e6; I *= 3.7) {
                CAPTURE(tau_syn);
                CAPTURE(I);
                const LifExp2 two{
                    .tau_m = 20e-3, .tau_syn_ex = tau_syn, .tau_syn_in = tau_syn, .E_L = 0.1, .I_e = 0.3};
                const CubaLif one{.tau_m = 20e-3, .tau_syn = tau_syn, .E_L = 0.1, .I_e = 0.3};
                const double expected = next_crossing(constants(one, 0.0), {0.2, I}, 1.0, long_time);
                const double found =
                    next_crossing(constants(two, 0.0), {0.2, 1.5 * I, -0.5 * I}, 1.0, long_time);
                if (std::isinf(expected)) {
                    CHECK(std::isinf(found));
                } else {
                    CHECK(found == doctest::Approx(expected).epsilon(1e-12));
                }
            }
        }
    }
    TEST_CASE("crossings of random states are those of the integrated equations, none is missed or made up") {
        test::Random random;
        int crossings = 0;
        for (int i = 0; i < 500; ++i) {
            const LifExp2 p{.tau_m = 20e-3,
                            .tau_syn_ex = random.one_of(tau_syns),
                            .tau_syn_in = random.one_of(tau_syns),
                            .I_e = random.uniform(-0.5, 1.4)};
            const LifExp2::State start{random.uniform(-1.0, 1.0), random.uniform(0.0, 12.0),
                                       random.uniform(-12.0, 0.0)};
            CAPTURE(i);
            const auto excess = [](const Vector<3>& y) { return y[0] - 1.0L; };
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
            LifExp2 p{.tau_m = 20e-3, .tau_syn_ex = 2e-3, .tau_syn_in = tau_syn_in, .I_e = 1.2};
            const LifExp2::State start{0.0, 12.0, -6.0};
            const auto c = constants(p, 0.0);
            const double s_peak =
                test::peak_between([&](double s) { return flow(c, start, s).V; }, 0.0, 6e-3);
            const double V_peak = flow(c, start, s_peak).V;
            REQUIRE(V_peak < 1.2);
            const double touching = next_crossing(c, start, V_peak - 1e-12, long_time);
            CHECK(touching == doctest::Approx(s_peak).epsilon(1e-4));
            const double missing = next_crossing(c, start, V_peak + 1e-12, long_time);
            REQUIRE(std::isfinite(missing));
            CHECK(missing > 2.0 * s_peak);
            CHECK(std::abs(flow(c, start, missing).V - V_peak) < 2e-12);
        }
    }
    TEST_CASE("fast inhibition first pulls V down, then it rises to a peak that is not missed") {
        const LifExp2 p{.tau_m = 20e-3, .tau_syn_ex = 10e-3, .tau_syn_in = 1e-3};
        const auto c = constants(p, 0.0);
        const LifExp2::State start{0.2, 3.0, -20.0};
        const double s_peak = test::peak_between([&](double s) { return flow(c, start, s).V; }, 3e-3, 60e-3);
        const double V_peak = flow(c, start, s_peak).V;
        REQUIRE(V_peak > 0.3);
        CHECK(next_crossing(c, start, V_peak - 1e-12, long_time) == doctest::Approx(s_peak).epsilon(1e-4));
        CHECK(std::isinf(next_crossing(c, start, V_peak + 1e-12, long_time)));
        CHECK(std::isinf(next_crossing(c, start, V_peak - 1e-12, 0.9 * s_peak)));
    }
    TEST_CASE("time constants that meet change the crossing by no more than they differ") {
        const LifExp2::State start{0.0, 9.0, -2.0};
        const auto crossing = [&](double tau_syn_ex, double tau_syn_in) {
            const LifExp2 p{.tau_m = 20e-3, .tau_syn_ex = tau_syn_ex, .tau_syn_in = tau_syn_in};
            return next_crossing(constants(p, 0.0), start, 1.0, long_time);
        };
        const double equal = crossing(20e-3, 20e-3);
        REQUIRE(std::isfinite(equal));
        for (double d = 1e-3; d > 1e-17; d *= 0.1) {
            CAPTURE(d);
            CHECK(std::abs(crossing(20e-3 * (1 + d), 20e-3) - equal) < 0.1 * d + 1e-17);
            CHECK(std::abs(crossing(20e-3 * (1 - d), 20e-3 * (1 + d)) - equal) < 0.1 * d + 1e-17);
        }
    }
    TEST_CASE("a membrane that hardly leaks crosses as the integral of its current does, and not above it") {
        // tau_m -> infinity, R = tau_m: V(s) = w tau_syn (1 - e^{-s/tau_syn})
        for (const double tau_m : {1e16, 1e20, 1e30, 1e300}) {
            CAPTURE(tau_m);
            const LifExp2 p{.tau_m = tau_m, .tau_syn_ex = 5e-3, .tau_syn_in = 7e-3, .R = tau_m};
            const auto c = constants(p, 0.0);
            for (const double rest : {0.5, 1e-3, 1e-6}) {
                CAPTURE(rest);
                const double s = next_crossing(c, {0.0, 2.0, 0.0}, 2.0 * 5e-3 * (1 - rest), long_time);
                // V' is `rest` of what it was: rounding V moves the crossing by that much more.
                CHECK(std::abs(s + 5e-3 * std::log(rest)) < 5e-3 * 4e-16 / rest);
            }
            CHECK(std::isinf(next_crossing(c, {0.0, 2.0, 0.0}, 2.0 * 5e-3 * (1 + 1e-11), long_time)));
        }
    }
    TEST_CASE("a horizon without end is allowed") {
        constexpr double endless = std::numeric_limits<double>::infinity();
        const LifExp2 quiet{.tau_m = 20e-3, .tau_syn_ex = 2e-3, .tau_syn_in = 5e-3};
        CHECK(std::isinf(next_crossing(constants(quiet, 0.0), {0.9, 1.0, -1.0}, 1.0, endless)));
        const LifExp2 driven{.tau_m = 20e-3, .I_e = 1.5};
        CHECK(next_crossing(constants(driven, 0.0), {0.0, 0.0, 0.0}, 1.0, endless) ==
              doctest::Approx(20e-3 * std::log(3.0)).epsilon(1e-15));
    }
    TEST_CASE("a constant signal acts as a current") {
        CHECK(constants(LifExp2{.R = 2.0, .E_L = 0.1, .I_e = 0.25}, 0.5).E ==
              doctest::Approx(0.1 + 2.0 * 0.75).epsilon(1e-16));
    }
}

}  // namespace
}  // namespace saltus::neurons
