// QIF: against integration of its equation, and against the textbook's period.
#include "saltus/engine/neurons/qif.hpp"

#include <doctest/doctest.h>

#include "reference.hpp"

namespace saltus::neurons {
namespace {

using test::Vector;

constexpr double long_time = 1e3;
constexpr double tau_m = 10e-3;

Qif::Constants with_current(double I) {
    return constants(Qif{.tau_m = tau_m, .I_e = I}, 0.0);
}
auto equation(double I) {
    return [I](const Vector<1>& y) { return Vector<1>{(y[0] * y[0] + I) / tau_m}; };
}

TEST_SUITE("neurons/qif") {
    TEST_CASE("the flow solves the equation, for positive, vanishing and negative current") {
        for (const double I : {4.0, 0.25, 1e-6, 1e-20, 0.0, -1e-20, -1e-6, -1.0, -9.0}) {
            for (const double V : {-50.0, -3.0, -1.0, -0.3, 0.0, 0.2, 1.0}) {
                for (const double s : {1e-5, 2e-3, 5e-3}) {
                    CAPTURE(I);
                    CAPTURE(V);
                    CAPTURE(s);
                    const Vector<1> expected = test::integrated(equation(I), Vector<1>{V}, s, 20'000);
                    CHECK(std::abs(flow(with_current(I), {V}, s).V - static_cast<double>(expected[0])) <
                          1e-12 * (1.0 + static_cast<double>(std::abs(expected[0]))));
                }
            }
        }
    }
    TEST_CASE("the flow over a sum of times is the flow of the flow") {
        for (const double I : {2.0, 0.0, -2.0}) {
            CAPTURE(I);
            const auto c = with_current(I);
            CHECK(flow(c, {-7.0}, 12e-3).V ==
                  doctest::Approx(flow(c, flow(c, {-7.0}, 4e-3), 8e-3).V).epsilon(1e-13));
        }
    }
    TEST_CASE("positive current: the interval is that of the textbook") {
        // Ermentrout & Kopell 1986: T = (tau/r)(atan(V_th/r) - atan(V_reset/r)), r = sqrt I
        for (double I = 1e-6; I < 1e6; I *= 3.7) {
            CAPTURE(I);
            const double r = std::sqrt(I);
            CHECK(next_crossing(with_current(I), {-100.0}, 100.0, long_time) ==
                  doctest::Approx(2.0 * tau_m / r * std::atan(100.0 / r)).epsilon(4e-16));
        }
    }
    TEST_CASE("no current: only what is above 0 escapes, after tau (1/V - 1/V_th)") {
        const auto c = with_current(0.0);
        CHECK(next_crossing(c, {0.5}, 100.0, long_time) ==
              doctest::Approx(tau_m * (2.0 - 0.01)).epsilon(1e-15));
        CHECK(std::isinf(next_crossing(c, {0.0}, 100.0, long_time)));
        CHECK(std::isinf(next_crossing(c, {-0.5}, 100.0, long_time)));
        // a threshold below 0 is on the way to 0
        CHECK(next_crossing(c, {-4.0}, -2.0, long_time) == doctest::Approx(tau_m / 4.0).epsilon(1e-15));
    }
    TEST_CASE("negative current: it rests at -r, stands at r, and fires from beyond r alone") {
        const auto c = with_current(-4.0);
        CHECK(flow(c, {-2.0}, 3e-3).V == -2.0);
        CHECK(flow(c, {-2.0}, 100.0).V == -2.0);
        CHECK(flow(c, {2.0}, 3e-3).V == 2.0);
        CHECK(flow(c, {2.0}, 100.0).V == 2.0);
        CHECK(flow(c, {1.9}, 1.0).V == doctest::Approx(-2.0).epsilon(1e-15));
        CHECK(flow(c, {-50.0}, 1.0).V == doctest::Approx(-2.0).epsilon(1e-15));
        CHECK(std::isinf(next_crossing(c, {2.0}, 100.0, long_time)));
        CHECK(std::isinf(next_crossing(c, {-50.0}, 100.0, long_time)));
        CHECK(std::isinf(next_crossing(c, {-50.0}, -1.0, long_time)));
        // s = (tau/2r) ln[(V_th - r)(V + r) / ((V_th + r)(V - r))]
        CHECK(next_crossing(c, {3.0}, 100.0, long_time) ==
              doctest::Approx(tau_m / 4.0 * std::log(98.0 * 5.0 / (102.0 * 1.0))).epsilon(1e-15));
        CHECK(next_crossing(c, {-50.0}, -3.0, long_time) ==
              doctest::Approx(tau_m / 4.0 * std::log(5.0 * 48.0 / (1.0 * 52.0))).epsilon(1e-15));
    }
    TEST_CASE("the escape from close beside the unstable point is followed, however long it takes") {
        const auto c = with_current(-1.0);
        for (const double beyond : {0x1p-10, 0x1p-30, 0x1p-50}) {
            CAPTURE(beyond);
            const double s = next_crossing(c, {1.0 + beyond}, 100.0, long_time);
            CHECK(s == doctest::Approx(tau_m / 2.0 * std::log(99.0 * (2.0 + beyond) / (101.0 * beyond)))
                           .epsilon(1e-14));
            // half-way V is where the rest of the way takes as long, to one unit in the last place of V
            const double V = flow(c, {1.0 + beyond}, 0.5 * s).V;
            CHECK(std::abs(next_crossing(c, {V}, 100.0, long_time) - 0.5 * s) <
                  tau_m / 2.0 * 0x1p-52 / (V - 1.0) + 4e-16 * s);
        }
    }
    TEST_CASE("the flow is at threshold when next_crossing says so") {
        for (const double I : {100.0, 0.25, 1e-12, 0.0, -1e-12, -0.25}) {
            for (const double V : {0.7, 3.0, 99.0}) {
                CAPTURE(I);
                CAPTURE(V);
                const auto c = with_current(I);
                const double s = next_crossing(c, {V}, 100.0, long_time);
                // an error of one unit in s is one of V^2 s/tau in V
                CHECK(std::abs(flow(c, {V}, s).V - 100.0) < 4e-16 * (100.0 + 1e4 * s / tau_m));
            }
        }
    }
    TEST_CASE("currents that meet in 0 cross at the same time") {
        const double at_zero = next_crossing(with_current(0.0), {0.5}, 100.0, long_time);
        for (double I = 1e-3; I > 1e-30; I *= 0.1) {
            CAPTURE(I);
            CHECK(std::abs(next_crossing(with_current(I), {0.5}, 100.0, long_time) - at_zero) <
                  0.03 * I + 1e-17);
            CHECK(std::abs(next_crossing(with_current(-I), {0.5}, 100.0, long_time) - at_zero) <
                  0.03 * I + 1e-17);
        }
    }
    TEST_CASE("a crossing beyond the horizon is none") {
        const double T = next_crossing(with_current(0.25), {0.0}, 100.0, long_time);
        CHECK(std::isinf(next_crossing(with_current(0.25), {0.0}, 100.0, 0.999 * T)));
        CHECK(std::isfinite(next_crossing(with_current(0.25), {0.0}, 100.0, 1.001 * T)));
    }
}

}  // namespace
}  // namespace saltus::neurons
