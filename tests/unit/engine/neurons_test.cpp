// The closed forms of the models, against textbook formulas and against each other.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "saltus/engine/neurons/models.hpp"

namespace saltus::neurons {
namespace {

constexpr double long_time = 1e3;

TEST_SUITE("neurons/lif") {
    TEST_CASE("constant drive: regular firing at the textbook interval") {
        // Gerstner et al., Neuronal Dynamics, 1.3: T = tau_m ln(R I / (R I - V_th)) from V_reset = 0
        const Lif p{.tau_m = 20e-3, .I_e = 1.5};
        CHECK(next_crossing(constants(p, 0.0), {0.0}, p.V_th, long_time) ==
              doctest::Approx(20e-3 * std::log(3.0)).epsilon(1e-15));
    }
    TEST_CASE("drive that reaches threshold only asymptotically never fires") {
        const Lif p{.I_e = 1.0};
        CHECK(std::isinf(next_crossing(constants(p, 0.0), {0.0}, p.V_th, long_time)));
    }
    TEST_CASE("a crossing beyond the horizon is none") {
        const Lif p{.tau_m = 20e-3, .I_e = 1.5};
        CHECK(std::isinf(next_crossing(constants(p, 0.0), {0.0}, p.V_th, 0.02)));
        CHECK(std::isfinite(next_crossing(constants(p, 0.0), {0.0}, p.V_th, 0.022)));
    }
    TEST_CASE("the flow is at threshold when next_crossing says so, over twelve decades of drive") {
        const Lif p{.tau_m = 7e-3};
        for (double excess = 1e-6; excess < 1e6; excess *= 3.7) {
            CAPTURE(excess);
            const auto c = constants(p, 1.0 + excess);
            const double s = next_crossing(c, {0.25}, p.V_th, long_time);
            CHECK(std::abs(flow(c, {0.25}, s).V - p.V_th) <= 1e-15);
        }
    }
    TEST_CASE("the flow over a sum of times is the flow of the flow") {
        const auto c = constants(Lif{.tau_m = 10e-3, .E_L = -0.2}, 0.7);
        const double direct = flow(c, {0.3}, 5.5e-3).V;
        CHECK(direct == doctest::Approx(flow(c, flow(c, {0.3}, 2e-3), 3.5e-3).V).epsilon(1e-15));
    }
    TEST_CASE("a biased input acts as a current") {
        const Lif p{.tau_m = 10e-3, .R = 2.0, .E_L = 0.1, .I_e = 0.25};
        CHECK(constants(p, 0.5).E == doctest::Approx(0.1 + 2.0 * 0.75).epsilon(1e-16));
    }
}

TEST_SUITE("neurons/if") {
    TEST_CASE("constant drive climbs in a straight line") {
        const If p{.R = 4.0, .I_e = 0.5};
        const auto c = constants(p, 0.5);  // slope 4 V/s
        CHECK(flow(c, {0.25}, 0.125).V == 0.75);
        CHECK(next_crossing(c, {0.25}, 1.0, long_time) == 0.1875);
    }
    TEST_CASE("without drive, or with a falling one, it never fires by itself") {
        CHECK(std::isinf(next_crossing(constants(If{}, 0.0), {0.999}, 1.0, long_time)));
        CHECK(std::isinf(next_crossing(constants(If{}, -1.0), {0.999}, 1.0, long_time)));
    }
    TEST_CASE("it stands still exactly when nothing drives it") {
        CHECK(stands_still(constants(If{}, 0.0)));
        CHECK_FALSE(stands_still(constants(If{}, 0.1)));
        CHECK_FALSE(stands_still(constants(If{.I_e = 0.1}, 0.0)));
    }
}

/// The response to a current e^{-as}, as the integral it is: Simpson's rule over many intervals.
double response_by_quadrature(double a, double b, double s) {
    constexpr int n = 20'000;
    const double h = s / n;
    const auto f = [&](double u) { return std::exp(-b * (s - u)) * std::exp(-a * u); };
    double sum = f(0.0) + f(s);
    for (int i = 1; i < n; ++i) sum += f(i * h) * (i % 2 == 1 ? 4.0 : 2.0);
    return sum * h / 3.0;
}

TEST_SUITE("neurons/cuba_lif") {
    TEST_CASE("the synaptic response holds for equal, nearly equal and very different time constants") {
        for (const double tau_syn :
             {1e-3, 9e-3, 9.999e-3, 10e-3 * (1 - 1e-12), 10e-3, 10e-3 * (1 + 1e-9), 50e-3}) {
            CAPTURE(tau_syn);
            CHECK(detail::response(1.0 / tau_syn, 100.0, 7e-3) ==
                  doctest::Approx(response_by_quadrature(1.0 / tau_syn, 100.0, 7e-3)).epsilon(1e-12));
        }
    }
    TEST_CASE("the flow over a sum of times is the flow of the flow") {
        const auto c = constants(CubaLif{.tau_m = 20e-3, .tau_syn = 5e-3, .E_L = 0.1}, 0.0);
        const CubaLif::State direct = flow(c, {0.3, 2.0}, 6e-3);
        const CubaLif::State in_two = flow(c, flow(c, {0.3, 2.0}, 2.5e-3), 3.5e-3);
        CHECK(direct.V == doctest::Approx(in_two.V).epsilon(1e-14));
        CHECK(direct.I == doctest::Approx(in_two.I).epsilon(1e-14));
    }
    TEST_CASE("tau_m = 2 tau_syn: the crossing solves a quadratic") {
        // With x = exp(-s/tau_m): E + B x + A x^2 = V_th, A = g/(b - a), B = V - E - A, first crossing is the
        // larger root.
        const CubaLif p{.tau_m = 20e-3, .tau_syn = 10e-3};
        const auto c = constants(p, 0.0);
        for (const double I : {4.5, 5.0, 8.0, 30.0}) {
            CAPTURE(I);
            const double A = c.slope * I / (c.b - c.a);
            const double B = -A;
            const double x = (-B - std::sqrt(B * B + 4.0 * A * p.V_th)) / (2.0 * A);
            const double s = next_crossing(c, {0.0, I}, p.V_th, long_time);
            CHECK(s == doctest::Approx(-p.tau_m * std::log(x)).epsilon(1e-13));
        }
        CHECK(std::isinf(next_crossing(c, {0.0, 3.9}, p.V_th, long_time)));  // the peak is I/4
    }
    TEST_CASE(
        "a peak that touches the threshold by one part in 10^12 is found, one that misses by as much is "
        "not") {
        const CubaLif p{.tau_m = 20e-3, .tau_syn = 2e-3};
        const auto c = constants(p, 0.0);
        // k_max = (1/a) (b/a)^{b/(a - b)}
        const double k_max = std::pow(c.b / c.a, c.b / (c.a - c.b)) / c.a;
        const double touching = p.V_th / (c.slope * k_max);
        const double s_peak = std::log(c.a / c.b) / (c.a - c.b);
        const double s = next_crossing(c, {0.0, touching * (1 + 1e-12)}, p.V_th, long_time);
        CHECK(s == doctest::Approx(s_peak).epsilon(1e-4));
        CHECK(std::isinf(next_crossing(c, {0.0, touching * (1 - 1e-12)}, p.V_th, long_time)));
    }
    TEST_CASE("an inhibited neuron with strong drive falls first and crosses on its way back") {
        const CubaLif p{.tau_m = 20e-3, .tau_syn = 5e-3, .I_e = 2.0};
        const auto c = constants(p, 0.0);
        const double s = next_crossing(c, {0.5, -10.0}, p.V_th, long_time);
        REQUIRE(std::isfinite(s));
        CHECK(std::abs(flow(c, {0.5, -10.0}, s).V - p.V_th) < 1e-14);
        CHECK(flow(c, {0.5, -10.0}, 0.5 * s).V < p.V_th);
    }
    TEST_CASE("no state has a crossing that a fine search finds and next_crossing does not") {
        const double taus[] = {2e-3, 5e-3, 19.9e-3, 20e-3, 40e-3};
        for (const double tau_syn : taus) {
            for (const double I_e : {-1.0, 0.0, 0.9, 1.3}) {
                for (double I = -12.0; I <= 12.0; I += 1.7) {
                    for (const double V : {-1.0, 0.2, 0.9}) {
                        const CubaLif p{.tau_m = 20e-3, .tau_syn = tau_syn, .I_e = I_e};
                        const auto c = constants(p, 0.0);
                        const double s = next_crossing(c, {V, I}, 1.0, 0.2);
                        double first_above = std::numeric_limits<double>::infinity();
                        for (double u = 0.0; u <= 0.2 && std::isinf(first_above); u += 2e-5) {
                            if (flow(c, {V, I}, u).V >= 1.0) first_above = u;
                        }
                        CAPTURE(tau_syn);
                        CAPTURE(I_e);
                        CAPTURE(I);
                        CAPTURE(V);
                        if (std::isfinite(first_above)) {
                            CHECK(s <= first_above + 1e-12);
                            CHECK(s >= first_above - 2.1e-5);
                        } else if (std::isfinite(s)) {
                            CHECK(std::abs(flow(c, {V, I}, s).V - 1.0) <
                                  1e-13);  // between two points of the search
                        }
                    }
                }
            }
        }
    }
    TEST_CASE("a constant signal reaches its current with the synaptic time constant") {
        const CubaLif p{.tau_m = 20e-3, .tau_syn = 5e-3, .R = 2.0, .w_in = 3.0};
        const auto c = constants(p, 0.5);
        const CubaLif::State start = initial(p, c);
        CHECK(start.I == -1.5);  // no current yet
        CHECK(flow(c, start, 1.0).V == doctest::Approx(2.0 * 3.0 * 0.5).epsilon(1e-12));
    }
}

}  // namespace
}  // namespace saltus::neurons
