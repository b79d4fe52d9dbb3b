// RampIF: its two regimes against their straight lines, and whole runs of the exact clock.
#include "saltus/engine/neurons/ramp_if.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/network_builder.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus::neurons {
namespace {

constexpr double long_time = 1e3;

// V' = 10 (I + 0.5) until 20 ms, 50 V/s until 40 ms.
RampIf a_neuron() {
    RampIf p;
    p.R = 10.0;
    p.I_e = 0.5;
    p.J = 2.0;
    return p;
}

SpikeTrain run(const Parameters& neuron, const SpikeTrain& input, const std::vector<double>& weights,
               Duration duration) {
    NetworkBuilder build(1);
    build.input("in", {static_cast<std::uint32_t>(weights.size())});
    build.population("a", {1}, "if_ramp", neuron);
    ConnectionMatrix matrix{static_cast<std::uint32_t>(weights.size()), 1, weights, 0.0};
    build.connect("in", "a", matrix);
    SimulationOptions options;
    options.duration = duration;
    options.recorded = {"a"};
    return ExactSimulation(build.network()).run({{"in", input}}, options).spikes[1];
}
constexpr Duration us(std::int64_t n) {
    return Duration(n * 1'000'000'000);
}

TEST_SUITE("neurons/ramp_if") {
    TEST_CASE("the flow is a straight line in each regime, and over a sum of times that of the flow") {
        const auto c = constants(a_neuron(), 0.25);
        const RampIf::State start{0.1, 3.0, 0.0};
        // slopes: 10 (3 + 0.5 + 0.25) = 37.5, then 50, then 0
        CHECK(flow(c, start, 4e-3).V == doctest::Approx(0.1 + 37.5 * 4e-3).epsilon(1e-15));
        CHECK(flow(c, start, 30e-3).V == doctest::Approx(0.1 + 37.5 * 20e-3 + 50.0 * 10e-3).epsilon(1e-15));
        CHECK(flow(c, start, 90e-3).V == doctest::Approx(0.1 + 37.5 * 20e-3 + 50.0 * 20e-3).epsilon(1e-15));
        for (const double first : {1e-3, 20e-3, 25e-3, 40e-3, 70e-3}) {
            for (const double second : {1e-3, 19e-3, 60e-3}) {
                CAPTURE(first);
                CAPTURE(second);
                const RampIf::State one = flow(c, start, first + second);
                const RampIf::State two = flow(c, flow(c, start, first), second);
                CHECK(two.V == doctest::Approx(one.V).epsilon(1e-14));
                CHECK(two.I == one.I);
                CHECK(two.t == doctest::Approx(one.t).epsilon(1e-15));
            }
        }
    }
    TEST_CASE("arrivals jump the current, in the refractory period too, while V stands") {
        const auto c = constants(a_neuron(), 0.0);
        RampIf::State v{0.1, 0.0, 1e-3};
        arrive(c, v, 1.5);
        refractory_arrive(c, v, -0.25);
        CHECK(v.I == 2.5);
        const RampIf::State later = refractory_flow(c, v, 5e-3);
        CHECK(later.V == 0.1);
        CHECK(later.t == doctest::Approx(6e-3).epsilon(1e-15));
    }
    TEST_CASE("the crossing is on the ramp alone: whatever V is before, whatever it comes to after") {
        const auto c = constants(a_neuron(), 0.0);
        // V(t_min) = V + 10 (I + 0.5) (t_min - t)
        CHECK(next_crossing(c, {0.0, 1.0, 0.0}, 1.0, long_time) ==
              doctest::Approx(20e-3 + (1.0 - 0.3) / 50.0).epsilon(1e-15));
        CHECK(next_crossing(c, {0.0, 1.0, 5e-3}, 1.0, long_time) ==
              doctest::Approx(15e-3 + (1.0 - 0.225) / 50.0).epsilon(1e-15));
        CHECK(next_crossing(c, {7.0, 1.0, 5e-3}, 1.0, long_time) == doctest::Approx(15e-3).epsilon(1e-15));
        CHECK(next_crossing(c, {0.5, -9.0, 25e-3}, 1.0, long_time) == doctest::Approx(10e-3).epsilon(1e-15));
        CHECK(std::isinf(next_crossing(c, {-0.2, -0.5, 0.0}, 1.0, long_time)));  // would come after t_max
        CHECK(std::isinf(next_crossing(c, {7.0, 1.0, 40e-3}, 1.0, long_time)));
        CHECK(std::isinf(next_crossing(c, {7.0, 1.0, 5e-3}, 1.0, 14e-3)));
        CHECK(std::isinf(next_crossing(c, {0.0, 1.0, 0.0}, 1.0, 33e-3)));
    }
    TEST_CASE("nothing makes it fire outside its ramp") {
        const RampIf p = a_neuron();
        CHECK(threshold(p, {5.0, 0.0, 19.9e-3}) == std::numeric_limits<double>::infinity());
        CHECK(threshold(p, {5.0, 0.0, 20e-3}) == 1.0);
        CHECK(threshold(p, {5.0, 0.0, 39.9e-3}) == 1.0);
        CHECK(threshold(p, {5.0, 0.0, 40e-3}) == std::numeric_limits<double>::infinity());
    }
    TEST_CASE("the exact clock: the time is a rectified linear function of those of the inputs") {
        // R = 1/C_m = 50: V(20 ms) = 50 (0.9 * 16 ms - 0.4 * 7 ms) = 0.58, t = 20 ms + (1 - 0.58)/50
        const Parameters neuron{{"C_m", 0.02}, {"t_ref", 1.0}};
        SpikeTrain input;
        input.add(Time(us(4000)), 0);
        input.add(Time(us(13000)), 1);
        SpikeTrain fired = run(neuron, input, {0.9, -0.4}, us(100'000));
        REQUIRE(fired.size() == 1);
        CHECK(fired.times[0] == Time(us(28400)));
        fired = run(neuron, input, {0.9, -2.1}, us(100'000));  // V(20 ms) = -0.015
        CHECK(fired.size() == 0);
        fired = run(neuron, input, {9.0, -0.4}, us(100'000));  // above the threshold long before
        REQUIRE(fired.size() == 1);
        CHECK(fired.times[0] == Time(us(20000)));
        input.add(Time(us(25000)), 1);  // on the ramp nothing counts
        fired = run(neuron, input, {0.9, -0.4}, us(100'000));
        REQUIRE(fired.size() == 1);
        CHECK(fired.times[0] == Time(us(28400)));
    }
    TEST_CASE("without a refractory period it fires as often as the ramp reaches the threshold") {
        // V(20 ms) = 0.8: 4 ms to the threshold, then 10 ms from V_reset = 0.5
        SpikeTrain input;
        input.add(Time(us(4000)), 0);
        const SpikeTrain fired = run({{"C_m", 0.02}, {"V_reset", 0.5}}, input, {1.0}, us(100'000));
        REQUIRE(fired.size() == 2);
        CHECK(fired.times[0] == Time(us(24000)));
        CHECK(fired.times[1] == Time(us(34000)));
    }
    TEST_CASE("what is no ramp is refused by name") {
        const auto refused = [](const Parameters& parameters) -> std::string {
            try {
                (void)run(parameters, {}, {1.0}, us(1000));
            } catch (const Error& error) {
                return error.what();
            }
            return "";
        };
        CHECK(refused({{"slope", 0.0}}).find("field 'slope'") != std::string::npos);
        CHECK(refused({{"t_min", -1e-3}}).find("field 't_min'") != std::string::npos);
        CHECK(refused({{"t_max", -1e-3}}).find("field 't_max'") != std::string::npos);
        CHECK(refused({{"tau_m", 1e-3}}).find("no such parameter") != std::string::npos);
    }
}

}  // namespace
}  // namespace saltus::neurons
