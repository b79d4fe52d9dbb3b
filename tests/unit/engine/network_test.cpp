#include "saltus/engine/network.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "saltus/engine/errors.hpp"

namespace saltus {
namespace {

Population lif(const std::string& name, std::uint32_t n) {
    return {name, {n}, neurons::PerNeuron<neurons::Lif>(1)};
}
Population input(const std::string& name, std::uint32_t n) {
    return {name, {n}, neurons::Input{}};
}

Dense all_ones(std::uint32_t inputs, std::uint32_t outputs) {
    return {"fc", 1, inputs, outputs, Weights(std::vector<float>(std::size_t{inputs} * outputs, 1.0f)), {}};
}
Delay delay(std::uint32_t n, std::int64_t fs) {
    return {"d", n, {Duration(fs)}};
}

/// The text of the NetworkError that building throws.
std::string refusal(std::vector<Population> populations, std::vector<Projection> projections) {
    try {
        const Network network(std::move(populations), std::move(projections));
    } catch (const NetworkError& error) {
        return error.what();
    }
    return "accepted";
}

TEST_SUITE("network") {
    TEST_CASE("names must be there, and differ") {
        CHECK(refusal({lif("", 1)}, {}) == "'': a population needs a name.");
        CHECK(refusal({lif("a", 1), lif("a", 2)}, {}) == "'a': two populations have this name.");
    }
    TEST_CASE("a population has at least one neuron and at most 2^32 - 2") {
        CHECK(refusal({{"a", {2, 0}, neurons::PerNeuron<neurons::If>(1)}}, {}) ==
              "'a', field 'shape': expected at least one neuron, found (2, 0).");
        CHECK(refusal({{"a", {65536, 65536}, neurons::PerNeuron<neurons::If>(1)}}, {}) ==
              "'a', field 'shape': (65536, 65536) holds more than 4294967294 neurons.");
    }
    TEST_CASE("parameters are one, or one per neuron, and in their range") {
        CHECK(refusal({{"a", {3}, neurons::PerNeuron<neurons::If>(2)}}, {}) ==
              "'a': expected parameters for 1 or 3 neurons, found 2.");
        neurons::PerNeuron<neurons::Lif> model(3);
        model[1].tau_m = -0.01;
        CHECK(refusal({{"a", {3}, model}}, {}) ==
              "'a', field 'tau_m': neuron 1: expected > 0, found -0.010000.");
        model[1].tau_m = 0.01;
        model[2].V_th = std::nan("");
        CHECK(refusal({{"a", {3}, model}}, {}) ==
              "'a', field 'V_th': neuron 2: expected a finite number, found nan.");
        model[2].V_th = 1.0;
        model[0].t_ref = Duration(-1);
        CHECK(refusal({{"a", {3}, model}}, {}) == "'a', field 't_ref': neuron 0: expected >= 0, found -1fs.");
    }
    TEST_CASE("synaptic time constants are positive, thresholds do not jump down") {
        const auto of = []<class P>(const P& p) {
            return refusal({{"a", {1}, neurons::PerNeuron<P>{p}}}, {});
        };
        CHECK(of(neurons::LifExp2{.tau_syn_ex = 0.0}) ==
              "'a', field 'tau_syn_ex': neuron 0: expected > 0, found 0.000000.");
        CHECK(of(neurons::LifExp2{.tau_syn_in = -1.0}) ==
              "'a', field 'tau_syn_in': neuron 0: expected > 0, found -1.000000.");
        CHECK(of(neurons::LifAlpha{.tau_syn_in = std::numeric_limits<double>::infinity()}) ==
              "'a', field 'tau_syn_in': neuron 0: expected > 0, found inf.");
        CHECK(of(neurons::LifAdaptive{.th_tau = 0.0}) ==
              "'a', field 'th_tau': neuron 0: expected > 0, found 0.000000.");
        CHECK(of(neurons::LifAdaptive{.th_jump = -0.5}) ==
              "'a', field 'th_jump': neuron 0: expected >= 0, found -0.500000.");
        CHECK(of(neurons::Qif{.V_th = std::numeric_limits<double>::infinity()}) ==
              "'a', field 'V_th': neuron 0: expected a finite number, found inf.");
        CHECK(of(neurons::LifAdaptive{}) == "accepted");
    }
    TEST_CASE("stages must fit each other and their ends") {
        CHECK(refusal({input("in", 3), lif("a", 2)}, {{0, 1, {all_ones(4, 2)}}}) ==
              "in -> a: Linear 'fc' takes 4 elements, found 3.");
        CHECK(refusal({input("in", 3), lif("a", 2)}, {{0, 1, {all_ones(3, 4)}}}) ==
              "in -> a: the target has 2 neurons, found a projection to 4.");
        CHECK(refusal({input("in", 3), lif("a", 2)}, {{0, 1, {}}}) ==
              "in -> a: the target has 2 neurons, found a projection to 3.");
        CHECK(refusal({input("in", 3), lif("a", 2)}, {{1, 0, {all_ones(2, 3)}}}) ==
              "a -> in: the target is a source of spikes, which receives none.");
    }
    TEST_CASE("weights must be finite and as many as the stage says") {
        Dense fc = all_ones(2, 2);
        fc.weights = Weights(std::vector<double>{1.0, 0.1, std::numeric_limits<double>::infinity(), 0.0});
        CHECK(refusal({input("in", 2), lif("a", 2)}, {{0, 1, {fc}}}) ==
              "'fc', field 'weight': entry 2: expected a finite number, found inf.");
        fc.weights = Weights(std::vector<float>{1.0f});
        CHECK(refusal({input("in", 2), lif("a", 2)}, {{0, 1, {fc}}}) ==
              "'fc', field 'weight': expected 4 values, found 1.");
    }
    TEST_CASE("explicit synapses refuse what does not exist") {
        const auto of = [](std::vector<NeuronIndex> pre, std::vector<NeuronIndex> post, std::vector<double> w,
                           std::vector<Duration> d) -> std::string {
            try {
                (void)Sparse::of("s", 2, 3, pre, post, w, d);
            } catch (const NetworkError& error) {
                return error.what();
            }
            return "accepted";
        };
        CHECK(of({0, 1}, {0}, {1, 1}, {Duration()}) ==
              "'s', field 'post': expected 2 entries as in 'pre', found 1.");
        CHECK(of({0, 2}, {0, 0}, {1, 1}, {Duration()}) ==
              "'s', field 'pre[1]': expected a neuron below 2, found 2.");
        CHECK(of({0, 1}, {0, 3}, {1, 1}, {Duration()}) ==
              "'s', field 'post[1]': expected a neuron below 3, found 3.");
        CHECK(of({0, 1}, {0, 1}, {1, 1}, {Duration(1), Duration(-5)}) ==
              "'s', field 'delay[1]': expected >= 0, found -5fs.");
        CHECK(of({0, 1}, {0, 1}, {1, 1}, {Duration(1), Duration(5)}) == "accepted");
    }
    TEST_CASE("explicit synapses are sorted into segments of equal delay, whatever the order of the list") {
        const Sparse s = Sparse::of("s", 2, 3, {1, 0, 1, 1}, {2, 1, 0, 1}, {0.1, 0.2, 0.3, 0.4},
                                    {Duration(5), Duration(1), Duration(2), Duration(5)});
        REQUIRE(s.table->segments.size() == 3);
        CHECK(s.table->rows == std::vector<std::uint64_t>{0, 1, 3});
        CHECK(s.table->segments[1].delay == Duration(2));
        CHECK(s.table->targets == std::vector<NeuronIndex>{1, 0, 1, 2});
        CHECK(s.weights[2] == 0.4);
    }
    TEST_CASE("weights keep float where that is exact, else double") {
        const auto is_float = [](const Weights& w) {
            return w.visit([](auto values) { return sizeof(values[0]) == sizeof(float); });
        };
        CHECK(is_float(Weights(std::vector<double>{0.5, -3.0})));
        CHECK_FALSE(is_float(Weights(std::vector<double>{0.5, 0.1})));
    }
    TEST_CASE("levels follow the longest chain without delay") {
        // in -> a -> b -> c, in -> c, and c -> a with a delay
        const Network network({input("in", 1), lif("a", 1), lif("b", 1), lif("c", 1)},
                              {{0, 1, {}}, {1, 2, {}}, {2, 3, {}}, {0, 3, {}}, {3, 1, {delay(1, 5)}}});
        CHECK(network.levels() == std::vector<std::uint32_t>{0, 1, 2, 3});
        CHECK(network.cycles_without_delay().empty());
    }
    TEST_CASE("a cycle without delay is named, with the way out") {
        const Network network({input("in", 1), lif("a", 1), lif("b", 1)},
                              {{0, 1, {}}, {1, 2, {}}, {2, 1, {}}});
        REQUIRE(network.cycles_without_delay().size() == 1);
        CHECK(network.cycles_without_delay()[0] == std::vector<std::string>{"a", "b", "a"});
        CHECK_THROWS_WITH_AS((void)network.levels(),
                             doctest::Contains("a -> b -> a: this cycle has no delay."), NetworkError);
        CHECK_THROWS_WITH_AS((void)network.levels(), doctest::Contains("--recurrent-delay 1ms"),
                             NetworkError);
    }
    TEST_CASE("a recurrent delay goes onto the projection that leads back, and only there") {
        const Network network({input("in", 1), lif("a", 1), lif("b", 1)},
                              {{0, 1, {}}, {1, 2, {}}, {2, 1, {}}, {2, 2, {}}});
        std::vector<std::string> delayed;
        const Network cured = network.with_recurrent_delay(Duration(7), &delayed);
        CHECK(delayed == std::vector<std::string>{"b -> a", "b -> b"});
        CHECK(cured.levels() == std::vector<std::uint32_t>{0, 1, 2});
        CHECK(cured.projections()[1].max_delay() == Duration());
        CHECK(cured.projections()[2].min_delay() == Duration(7));
        CHECK_THROWS_AS((void)network.with_recurrent_delay(Duration()), UsageError);
    }
    TEST_CASE("populations that nothing reaches are named") {
        Population driven = lif("driven", 1);
        std::get<neurons::PerNeuron<neurons::Lif>>(driven.model)[0].I_e = 2.0;
        const Network network({input("in", 1), lif("a", 1), lif("alone", 1), driven, lif("after", 1)},
                              {{0, 1, {}}, {3, 4, {}}});
        CHECK(network.unreachable() == std::vector<std::string>{"alone"});
    }
    TEST_CASE("an unknown name is answered by the nearest known one") {
        const Network network({input("input", 1), lif("hidden", 1)}, {});
        CHECK_THROWS_WITH_AS((void)network.index_of("hiden"),
                             "no population is called 'hiden'. Did you mean 'hidden'?", UsageError);
    }
    TEST_CASE("a convolution counts its synapses without the padding") {
        // 3 x 3 image, kernel 3, padding 1: corners have 4 neighbours, edges 6, the middle 9.
        Convolution c;
        c.in_channels = 2;
        c.out_channels = 5;
        c.in_size = c.out_size = {3, 3};
        c.kernel = {3, 3};
        c.padding = {1, 1};
        CHECK(synapse_count(c) == 2 * 5 * (4 * 4 + 4 * 6 + 9));
    }
}

}  // namespace
}  // namespace saltus
