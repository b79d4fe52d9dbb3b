// The search for crossings that models share, on functions whose zeros are known.
#include "saltus/engine/neurons/crossing.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "reference.hpp"
#include "saltus/engine/neurons/response.hpp"

namespace saltus::neurons::detail {
namespace {

TEST_SUITE("neurons/crossing") {
    TEST_CASE("a zero is found to the last digit, from either end") {
        for (double root = 1e-9; root < 1e3; root *= 7.3) {
            CAPTURE(root);
            const auto f = [&](double s) { return Jet{std::expm1(s - root), std::exp(s - root)}; };
            CHECK(rising_zero(f, 0.0, root + 3.0, 0.0) == doctest::Approx(root).epsilon(4e-16));
            CHECK(rising_zero(f, 0.0, root + 3.0, root + 3.0) == doctest::Approx(root).epsilon(4e-16));
        }
    }
    TEST_CASE("a zero close before a peak takes a few steps from the peak") {
        for (const double height : {1e-2, 1e-6, 1e-12, 1e-20}) {
            CAPTURE(height);
            int calls = 0;
            const auto f = [&](double s) {
                ++calls;
                const double x = s - 1.0;
                return Jet{height - x * x - x * x * x / 3.0, -2.0 * x - x * x, -2.0 - 2.0 * x};
            };
            const double s = rising_zero(f, 0.0, 1.0, 1.0);
            CHECK(1.0 - s == doctest::Approx(std::sqrt(height)).epsilon(0.2 * std::sqrt(height) + 1e-6));
            CHECK(calls < 10);
        }
    }
    TEST_CASE("all zeros between the turns are found, in order, and no other") {
        // (s - 1)(s - 2)(s - 4), turning where 3 s^2 - 14 s + 14 = 0
        const auto f = [](double s) {
            return Jet{(s - 1) * (s - 2) * (s - 4), 3 * s * s - 14 * s + 14, 6 * s - 14};
        };
        Cuts<2> turns;
        turns.add((7.0 - std::sqrt(7.0)) / 3.0, 10.0);
        turns.add((7.0 + std::sqrt(7.0)) / 3.0, 10.0);
        const auto all = zeros(f, turns, 10.0);
        const std::vector<double> found(all.begin(), all.end());
        REQUIRE(found.size() == 3);
        CHECK(found[0] == doctest::Approx(1.0).epsilon(1e-15));
        CHECK(found[1] == doctest::Approx(2.0).epsilon(1e-15));
        CHECK(found[2] == doctest::Approx(4.0).epsilon(1e-15));
        const auto early = zeros(f, turns, 3.0);
        CHECK(early.end() - early.begin() == 2);
    }
    TEST_CASE("what is outside the horizon, or no number, cuts nothing") {
        Cuts<4> cuts;
        for (const double s : {-1.0, 0.0, 2.0, 3.0, std::nan(""), never}) cuts.add(s, 2.0);
        CHECK(cuts.begin() == cuts.end());
        cuts.add(1.0, 2.0);
        CHECK(*cuts.begin() == 1.0);
    }
    TEST_CASE("the first of two crossings is the one that is found") {
        // sin(s) - 0.9 rises through 0 at asin(0.9) and one turn later
        const auto f = [](double s) { return Jet{std::sin(s) - 0.9, std::cos(s), -std::sin(s)}; };
        const auto slope = [](double s) { return Jet{std::cos(s), -std::sin(s)}; };
        constexpr double pi = 3.14159265358979323846;
        Cuts<4> turns;
        for (const double s : {0.0, pi, 2 * pi, 3 * pi}) turns.add(s, 10.0);
        CHECK(first_crossing(f, slope, turns, 10.0) == doctest::Approx(std::asin(0.9)).epsilon(1e-15));
        CHECK(std::isinf(first_crossing(f, slope, Cuts<0>(), 1.0)));
    }
}

/// The response to a current, as the integral it is: Simpson's rule over many intervals.
template <class Current>
double by_quadrature(Current current, double b, double s) {
    constexpr int n = 20'000;
    const double h = s / n;
    const auto f = [&](double u) { return std::exp(-b * (s - u)) * current(u); };
    double sum = f(0.0) + f(s);
    for (int i = 1; i < n; ++i) sum += f(i * h) * (i % 2 == 1 ? 4.0 : 2.0);
    return sum * h / 3.0;
}

TEST_SUITE("neurons/response") {
    TEST_CASE("the response to a ramp holds for equal, nearly equal and very different time constants") {
        for (const double tau_syn : {1e-3, 5e-3, 9e-3, 9.999e-3, 10e-3 * (1 - 1e-12), 10e-3,
                                     10e-3 * (1 + 1e-9), 12e-3, 50e-3, 1.0}) {
            for (const double s : {1e-6, 1e-3, 7e-3, 40e-3}) {
                CAPTURE(tau_syn);
                CAPTURE(s);
                const double a = 1.0 / tau_syn;
                const auto ramp = [&](double u) { return u * std::exp(-a * u); };
                CHECK(ramp_response(a, 100.0, s) ==
                      doctest::Approx(by_quadrature(ramp, 100.0, s)).epsilon(2e-12));
            }
        }
    }
    TEST_CASE("series and closed form of chi meet to the last digits") {
        for (const bool faster : {true, false}) {
            const double below = chi(0.5 * (1 - 1e-16), faster);
            const double decay = std::exp(-0.5);
            const double closed = (faster ? 1.0 - 1.5 * decay : decay - 0.5) / 0.25;
            CHECK(below == doctest::Approx(closed).epsilon(2e-15));
            CHECK(chi(0.0, faster) == 0.5);
        }
    }
    TEST_CASE("no response exceeds its bound, and the bounds are close") {
        for (const double a : {1.0, 50.0, 99.9, 100.0, 100.0 * (1 + 1e-9), 1e3, 1e5}) {
            CAPTURE(a);
            const double slow = std::min(a, 100.0);
            double k_max = 0.0;
            double m_max = 0.0;
            for (double s = 1e-6 / slow; s < 20.0 / slow; s *= 1.001) {
                k_max = std::max(k_max, response(a, 100.0, s));
                m_max = std::max(m_max, ramp_response(a, 100.0, s));
            }
            CHECK(k_max <= largest_response(a, 100.0));
            CHECK(k_max >= largest_response(a, 100.0) * (1 - 1e-5));
            CHECK(m_max <= largest_ramp_response(a, 100.0));
            CHECK(m_max >= largest_ramp_response(a, 100.0) * 0.7);
        }
    }
    TEST_CASE("the bound of a response holds for a membrane that hardly leaks, or not at all") {
        CHECK(largest_response(50.0, 0.0) == doctest::Approx(1.0 / 50.0).epsilon(2e-12));
        for (const double b : {1e-300, 1e-20, 1e-14, 1e-6, 1.0, 24.9, 25.1}) {
            const auto x = static_cast<long double>(b);
            const auto k = static_cast<double>(std::pow(x / 50.0L, x / (50.0L - x)) / 50.0L);
            CHECK(largest_response(50.0, b) >= k);
            CHECK(largest_response(50.0, b) == doctest::Approx(k).epsilon(2e-12));
        }
    }
}

}  // namespace
}  // namespace saltus::neurons::detail
