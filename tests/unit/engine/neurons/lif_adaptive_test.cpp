// LIFAdaptive: a threshold that rises with every spike, against integration and closed forms.
#include "saltus/engine/neurons/lif_adaptive.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "reference.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus::neurons {
namespace {

using test::Vector;

constexpr double long_time = 1e3;

TEST_SUITE("neurons/lif_adaptive") {
    TEST_CASE("the threshold is V_th + h and rises by th_jump at a spike") {
        const LifAdaptive p{.V_th = 1.5, .th_jump = 0.25};
        LifAdaptive::State v{0.0, 0.5};
        CHECK(threshold(p, v) == 2.0);
        adapt(p, v);
        CHECK(v.h == 0.75);
        CHECK(threshold(p, v) == 2.25);
    }
    TEST_CASE("h decays with th_tau, during the refractory period too, when V stands") {
        const auto c = constants(LifAdaptive{.th_tau = 50e-3, .I_e = 2.0}, 0.0);
        const double h = 0.5 * std::exp(-0.4);
        CHECK(flow(c, {0.0, 0.5}, 20e-3).h == doctest::Approx(h).epsilon(1e-15));
        CHECK(refractory_flow(c, {0.3, 0.5}, 20e-3).h == doctest::Approx(h).epsilon(1e-15));
        CHECK(refractory_flow(c, {0.3, 0.5}, 20e-3).V == 0.3);
    }
    TEST_CASE("V crosses a threshold that comes down to it although V falls, at the tangent to 1e-12") {
        // E = 0, V_th = 1, th_tau = tau_m/2: with x = exp(-s/tau_m), V - V_th - h = B x - 1 - h x^2. It
        // touches 0 at x = 2/B if h = B^2/4.
        const LifAdaptive p{.tau_m = 20e-3, .th_tau = 10e-3};
        const auto c = constants(p, 0.0);
        for (const double B : {2.1, 3.0, 10.0, 1000.0}) {
            CAPTURE(B);
            const double h = B * B / 4.0;
            const double s = next_crossing(c, {B, h * (1 - 1e-12)}, 1.0, long_time);
            CHECK(s == doctest::Approx(20e-3 * std::log(B / 2.0)).epsilon(1e-4));
            CHECK(std::isinf(next_crossing(c, {B, h * (1 + 1e-12)}, 1.0, long_time)));
        }
        // Away from the tangent the first crossing is the larger root x.
        for (const double share : {0.9, 0.5, 0.2}) {
            CAPTURE(share);
            const double B = 30.0;
            const double h = share * B * B / 4.0;
            const double x = (B + std::sqrt(B * B - 4.0 * h)) / (2.0 * h);
            if (x >= 1.0) continue;
            CHECK(next_crossing(c, {B, h}, 1.0, long_time) ==
                  doctest::Approx(-20e-3 * std::log(x)).epsilon(1e-13));
        }
    }
    TEST_CASE("th_tau = tau_m: one exponential, one logarithm, over twelve decades of drive") {
        // (E - V_th) = (E - V + h) e^{-s/tau_m}
        const LifAdaptive p{.tau_m = 20e-3, .th_tau = 20e-3};
        for (double more = 1e-6; more < 1e6; more *= 3.7) {
            CAPTURE(more);
            const double s = next_crossing(constants(p, 1.0 + more), {0.25, 0.5}, 1.0, long_time);
            CHECK(s == doctest::Approx(20e-3 * std::log1p(1.25 / more)).epsilon(1e-9));
            const auto at = flow(constants(p, 1.0 + more), {0.25, 0.5}, s);
            CHECK(std::abs(at.V - 1.0 - at.h) < 1e-15);
        }
    }
    TEST_CASE("without a jump in the past it crosses where a LIF does") {
        const LifAdaptive p{.tau_m = 20e-3, .I_e = 1.5};
        CHECK(next_crossing(constants(p, 0.0), {0.0, 0.0}, 1.0, long_time) ==
              doctest::Approx(20e-3 * std::log(3.0)).epsilon(1e-15));
        CHECK(std::isinf(next_crossing(constants(LifAdaptive{.I_e = 1.0}, 0.0), {0.0, 0.0}, 1.0, long_time)));
    }
    TEST_CASE("crossings of random states are those of the integrated equations, none is missed or made up") {
        test::Random random;
        int crossings = 0;
        for (int i = 0; i < 500; ++i) {
            const LifAdaptive p{.tau_m = 20e-3,
                                .th_tau = random.one_of(std::array{3e-3, 19.99e-3, 20e-3, 50e-3, 200e-3}),
                                .I_e = random.uniform(-0.5, 2.0)};
            const double h = random.uniform(0.0, 4.0);
            const LifAdaptive::State start{random.uniform(-1.0, 1.0 + h), h};
            CAPTURE(i);
            const auto equations = [&](const Vector<2>& y) {
                return Vector<2>{((p.E_L - y[0]) + p.R * p.I_e) / p.tau_m, -y[1] / p.th_tau};
            };
            const auto excess = [](const Vector<2>& y) { return y[0] - y[1] - 1.0L; };
            const test::Crossing expected =
                test::first_crossing(equations, excess, Vector<2>{start.V, start.h}, 40e-3, 6000);
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
    TEST_CASE("in a run every spike finds V at V_th and what is left of all earlier jumps") {
        const Duration t_ref(2'000'000'000'000);
        const LifAdaptive p{
            .tau_m = 20e-3, .th_jump = 0.4, .th_tau = 60e-3, .V_reset = -0.2, .t_ref = t_ref, .I_e = 3.0};
        const Network network({{"a", {1}, PerNeuron<LifAdaptive>{p}}}, {});
        const SimulationResult result = simulate(network, {}, {.duration = Duration(1'000'000'000'000'000)});
        const auto& times = result.spikes[0].times;
        REQUIRE(times.size() > 20);
        for (std::size_t k = 0; k < times.size(); ++k) {
            CAPTURE(k);
            double h = 0.0;
            for (std::size_t i = 0; i < k; ++i)
                h += 0.4 * std::exp(-(times[k].seconds() - times[i].seconds()) / 60e-3);
            const double since =
                k == 0 ? times[0].seconds() : times[k].seconds() - times[k - 1].seconds() - t_ref.seconds();
            const double from = k == 0 ? 0.0 : -0.2;
            const double V = 3.0 + (from - 3.0) * std::exp(-since / 20e-3);
            CHECK(V == doctest::Approx(1.0 + h).epsilon(1e-12));
        }
        const double first = times[1].seconds() - times[0].seconds();
        const double last = times.back().seconds() - times[times.size() - 2].seconds();
        CHECK(last > 1.5 * first);  // it adapts
    }
}

}  // namespace
}  // namespace saltus::neurons
