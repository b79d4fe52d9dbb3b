// The integrate-and-fire neuron with a synaptic current against the integrated equations and closed forms.
#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "reference.hpp"
#include "saltus/engine/neurons/if_exp.hpp"

namespace saltus::neurons {
namespace {

constexpr IfExp p{.tau_syn = 4e-3, .R = 120.0, .V_th = 1.0, .I_e = 0.1, .J = 1.5};

auto equations(const IfExp& q) {
    return [q](const test::Vector<2>& y) { return test::Vector<2>{q.R * (y[1] + q.I_e), -y[1] / q.tau_syn}; };
}

TEST_SUITE("neurons/if_exp") {
    TEST_CASE("the flow solves the equations") {
        const auto c = constants(p, 0.0);
        for (const double s : {1e-6, 1e-3, 7e-3, 40e-3}) {
            CAPTURE(s);
            const auto end = test::integrated(equations(p), test::Vector<2>{0.2L, 3.0L}, s, 4000);
            CHECK(flow(c, {0.2, 3.0}, s).V == doctest::Approx(static_cast<double>(end[0])).epsilon(1e-13));
            CHECK(flow(c, {0.2, 3.0}, s).I == doctest::Approx(static_cast<double>(end[1])).epsilon(1e-13));
        }
    }
    TEST_CASE("the first spike without drive is that of Mostafa's closed form") {
        // y = e^{t/tau_s}: y = w / (w - theta tau_m/tau_s) for one arrival at 0; R tau_s w is the charge
        IfExp q = p;
        q.I_e = 0.0;
        const double w = 3.0;
        const double theta = q.V_th / (q.R * q.tau_syn);
        const double t = q.tau_syn * std::log(w / (w - theta));
        CHECK(next_crossing(constants(q, 0.0), {0.0, w}, q.V_th, 1.0) == doctest::Approx(t).epsilon(1e-14));
        // Below it the charge does not suffice.
        CHECK(std::isinf(next_crossing(constants(q, 0.0), {0.0, 0.999 * theta}, q.V_th, 1.0)));
    }
    TEST_CASE("crossings of random states are those of the integrated equations") {
        std::mt19937_64 random(11);
        std::uniform_real_distribution<double> unit(0.0, 1.0);
        int crossings = 0;
        for (int k = 0; k < 300; ++k) {
            CAPTURE(k);
            IfExp q = p;
            q.I_e = 0.6 * unit(random) - 0.3;
            const IfExp::State state{1.6 * unit(random) - 0.7, 8.0 * unit(random) - 3.0};
            const double horizon = 20e-3;
            const auto excess = [&](const test::Vector<2>& y) { return y[0] - q.V_th; };
            const auto expected =
                test::first_crossing(equations(q), excess, test::Vector<2>{state.V, state.I}, horizon, 6000);
            if (std::isinf(expected.time) && expected.nearest > -1e-6L) continue;
            const double found = next_crossing(constants(q, 0.0), state, q.V_th, horizon);
            CHECK(std::isinf(found) == std::isinf(expected.time));
            if (std::isinf(found)) continue;
            ++crossings;
            CHECK(std::abs(found - expected.time) <= 1e-15 + 1e-13 / std::abs(expected.slope));
        }
        CHECK(crossings > 60);
    }
    TEST_CASE("while it is refractory V stands, and I collects and decays") {
        const auto c = constants(p, 0.0);
        IfExp::State state{0.3, 2.0};
        refractory_arrive(c, state, 2.0);
        CHECK(state.I == 5.0);
        state = refractory_flow(c, state, p.tau_syn);
        CHECK(state.V == 0.3);
        CHECK(state.I == doctest::Approx(5.0 * std::exp(-1.0)).epsilon(1e-15));
    }
    TEST_CASE("a biased input acts as a current") {
        CHECK(constants(p, 0.5).drive == doctest::Approx(120.0 * 0.6).epsilon(1e-16));
    }
}

}  // namespace
}  // namespace saltus::neurons
