// The exact clock on networks small enough to work out by hand. Times in milliseconds unless they say
// otherwise.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/random.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus {
namespace {

using neurons::CubaLif;
using neurons::If;
using neurons::Integrator;
using neurons::Li;
using neurons::Lif;
using neurons::PerNeuron;
using neurons::Reset;

constexpr Duration ms(std::int64_t n) {
    return Duration(n * 1'000'000'000'000);
}
constexpr Time at(std::int64_t n) {
    return Time(ms(n));
}

template <class P>
Population population(const std::string& name, std::uint32_t n, const P& p) {
    return {name, {n}, PerNeuron<P>{p}};
}
Population input(std::uint32_t n) {
    return {"in", {n}, neurons::Input{}};
}

/// Synapses from `source` to `target`, one after the other: {pre, post, weight, delay}.
struct Synapse {
    NeuronIndex pre;
    NeuronIndex post;
    double weight;
    Duration delay;
};
Projection connect(std::uint32_t source, std::uint32_t n_source, std::uint32_t target, std::uint32_t n_target,
                   const std::vector<Synapse>& synapses) {
    std::vector<NeuronIndex> pre, post;
    std::vector<double> weight;
    std::vector<Duration> delay;
    for (const Synapse& s : synapses) {
        pre.push_back(s.pre);
        post.push_back(s.post);
        weight.push_back(s.weight);
        delay.push_back(s.delay);
    }
    return {source, target, {Sparse::of("s", n_source, n_target, pre, post, weight, delay)}};
}

SpikeTrain train(std::vector<std::pair<std::int64_t, NeuronIndex>> spikes) {
    SpikeTrain result;
    for (const auto& [t, neuron] : spikes) result.add(at(t), neuron);
    return result;
}

std::vector<double> milliseconds(const SpikeTrain& spikes) {
    std::vector<double> times;
    for (const Time t : spikes.times) times.push_back(t.seconds() * 1e3);
    return times;
}

TEST_SUITE("simulation/exact") {
    TEST_CASE("a driven neuron fires at t_ref + T, again and again, without drift") {
        // T = tau ln((E - V_reset)/(E - V_th)); k-th spike at k T + (k - 1) t_ref, to half a femtosecond
        const Lif p{.tau_m = 20e-3, .V_th = 1.0, .t_ref = ms(2), .I_e = 1.5};
        const SimulationResult result =
            simulate(Network({population("a", 1, p)}, {}), {}, {.duration = ms(2000)});
        const long double T = 20e-3L * std::log(3.0L);
        REQUIRE(result.spikes[0].size() == 83);
        for (std::size_t k = 0; k < 83; ++k) {
            const long double expected =
                static_cast<long double>(k + 1) * T + static_cast<long double>(k) * 2e-3L;
            CHECK(std::abs(static_cast<long double>(result.spikes[0].times[k].femtoseconds()) -
                           expected * 1e15L) <= 1.0L);
        }
    }
    TEST_CASE("arrivals at one instant are summed before the threshold is tested") {
        // 6 + 6 - 5 = 7 < 10: silent, though 12 would have passed on the way
        const Network network({input(3), population("a", 1, If{.V_th = 10.0})},
                              {connect(0, 3, 1, 1, {{0, 0, 6, {}}, {1, 0, 6, {}}, {2, 0, -5, {}}})});
        const auto run = [&](const SpikeTrain& spikes) {
            return simulate(network, {{"in", spikes}}, {.duration = ms(5)}).spikes[1].size();
        };
        CHECK(run(train({{1, 0}, {1, 1}, {1, 2}})) == 0);
        CHECK(run(train({{1, 0}, {1, 1}, {2, 2}})) == 1);
        CHECK(run(train({{1, 0}, {1, 0}})) == 1);  // a spike that stands twice counts twice
    }
    TEST_CASE("the threshold is reached by equality") {
        const Network network({input(1), population("a", 1, If{.V_th = 10.0})},
                              {connect(0, 1, 1, 1, {{0, 0, 10, {}}})});
        CHECK(simulate(network, {{"in", train({{3, 0}})}}, {.duration = ms(5)}).spikes[1].times ==
              std::vector<Time>{at(3)});
    }
    TEST_CASE("delays add up exactly: 0.1 + 0.2 ms meets 0.3 ms") {
        const Duration tenth(100'000'000'000);
        const Network network(
            {input(1), population("relay", 1, If{.V_th = 1.0}), population("b", 1, If{.V_th = 10.0})},
            {connect(0, 1, 1, 1, {{0, 0, 1, tenth}}), connect(1, 1, 2, 1, {{0, 0, 4, tenth + tenth}}),
             connect(0, 1, 2, 1, {{0, 0, 6, tenth + tenth + tenth}})});
        const auto spikes = simulate(network, {{"in", train({{1, 0}})}}, {.duration = ms(5)}).spikes[2];
        REQUIRE(spikes.size() == 1);
        CHECK(spikes.times[0].femtoseconds() == 1'300'000'000'000);
    }
    TEST_CASE("one axon delivers over every delay of its synapses") {
        const Network network({input(1), population("a", 3, If{.V_th = 1.0})},
                              {connect(0, 1, 1, 3, {{0, 0, 1, ms(5)}, {0, 1, 1, ms(0)}, {0, 2, 1, ms(2)}})});
        const auto result = simulate(network, {{"in", train({{1, 0}})}}, {.duration = ms(10)});
        CHECK(result.spikes[1].times == std::vector<Time>{at(1), at(3), at(6)});
        CHECK(result.spikes[1].neurons == std::vector<NeuronIndex>{1, 2, 0});
        CHECK(result.synaptic_events == 3);
    }
    TEST_CASE("inside the refractory period a delta arrival is lost, at its very end it counts") {
        const Network network({input(1), population("a", 1, Lif{.tau_m = 1e3, .V_th = 1.0, .t_ref = ms(2)})},
                              {connect(0, 1, 1, 1, {{0, 0, 1, {}}})});
        const auto spikes =
            simulate(network, {{"in", train({{1, 0}, {2, 0}, {3, 0}})}}, {.duration = ms(9)}).spikes[1];
        CHECK(spikes.times == std::vector<Time>{at(1), at(3)});
    }
    TEST_CASE("resets: to a value, by subtraction (the rest fires a tick later), by repeated subtraction") {
        const auto run = [](Reset reset) {
            const If p{.V_th = 1.0, .V_reset = -0.5, .reset = reset};
            const Network network({input(1), population("a", 1, p)},
                                  {connect(0, 1, 1, 1, {{0, 0, 2.25, {}}})});
            SimulationOptions options{.duration = ms(5)};
            options.potential_times = {at(2)};
            const auto result = simulate(network, {{"in", train({{1, 0}})}}, options);
            return std::pair(result.spikes[1].times, result.potentials.at(0).values.at(0));
        };
        const Time tick_later = at(1) + Duration(1);
        CHECK(run(Reset::to_value) == std::pair(std::vector<Time>{at(1)}, -0.5));
        CHECK(run(Reset::subtract) == std::pair(std::vector<Time>{at(1), tick_later}, 0.25));
        CHECK(run(Reset::subtract_repeated) == std::pair(std::vector<Time>{at(1), at(1)}, 0.25));
    }
    TEST_CASE(
        "without a reset a neuron fires with each arrival that finds it at the threshold, and not else") {
        // V = 2.25, then 2.0, then 0.75, then 1.0; nobody else arrives
        const If p{.V_th = 1.0, .V_reset = 5.0, .reset = Reset::none};
        const Network network(
            {input(4), population("a", 2, p)},
            {connect(0, 4, 1, 2,
                     {{0, 0, 2.25, {}}, {1, 0, -0.25, {}}, {2, 0, -1.25, {}}, {3, 0, 0.25, {}}})});
        const InputSpikes in{"in", train({{1, 0}, {2, 1}, {3, 2}, {4, 3}})};
        SimulationOptions options{.duration = ms(9)};
        options.potential_times = {at(9)};
        const auto result = simulate(network, {in}, options);
        CHECK(result.spikes[1].times == std::vector<Time>{at(1), at(2), at(4)});
        CHECK(result.potentials.at(0).values == std::vector<double>{1.0, 0.0});
        // A drive takes it across once; E = 2 > V_th, so V never falls below again. Half a tick is 7e-14 of
        // that time.
        const Lif driven{.tau_m = 10e-3, .I_e = 2.0, .reset = Reset::none};
        const Network alone({input(1), population("a", 1, driven)}, {connect(0, 1, 1, 1, {{0, 0, 0.5, {}}})});
        const auto spikes = simulate(alone, {{"in", train({{12, 0}})}}, {.duration = ms(50)}).spikes[1];
        REQUIRE(spikes.size() == 2);
        CHECK(milliseconds(spikes)[0] == doctest::Approx(10.0 * std::log(2.0)).epsilon(1e-13));
        CHECK(spikes.times[1] == at(12));
    }
    TEST_CASE("potentials follow the closed form and include what happens at their instant") {
        const Network network({input(1), population("a", 1, Li{.tau_m = 10e-3, .J = 2.0})},
                              {connect(0, 1, 1, 1, {{0, 0, 1.5, {}}})});
        SimulationOptions options{.duration = ms(20)};
        options.potential_times = {at(0), at(4), at(5), at(15), at(20)};
        const auto result = simulate(network, {{"in", train({{5, 0}})}}, options);
        REQUIRE(result.potentials.size() == 1);
        const auto& v = result.potentials[0].values;
        CHECK(v[0] == 0.0);
        CHECK(v[1] == 0.0);
        CHECK(v[2] == 3.0);
        CHECK(v[3] == doctest::Approx(3.0 * std::exp(-1.0)).epsilon(1e-15));
        CHECK(v[4] == doctest::Approx(3.0 * std::exp(-1.5)).epsilon(1e-15));
        CHECK(result.final_potentials[1].at(0) == v[4]);
    }
    TEST_CASE("a biased projection is a constant current from the start") {
        Dense fc{"fc", 1, 1, 2, Weights(std::vector<float>{0, 0}), Weights(std::vector<float>{2.0f, 0.5f})};
        const Network network({input(1), population("a", 2, Lif{.tau_m = 10e-3})}, {{0, 1, {fc}}});
        const auto spikes = simulate(network, {}, {.duration = ms(15)}).spikes[1];
        CHECK(spikes.neurons ==
              std::vector<NeuronIndex>{0, 0});  // T = 10 ln 2 = 6.93 ms; the other rests at 0.5
        CHECK(milliseconds(spikes)[1] == doctest::Approx(20.0 * std::log(2.0)).epsilon(1e-14));
    }
    TEST_CASE("a spike train that keeps many neurons near threshold is the same in any order of building") {
        // Recurrent, excitatory and inhibitory, delays of several sizes; built forwards and backwards.
        const CounterRandom random(7, 1);
        std::vector<Synapse> recurrent;
        for (std::uint32_t k = 0; k < 400; ++k) {
            const auto pre = static_cast<NeuronIndex>(random.below(4 * k, 30));
            const auto post = static_cast<NeuronIndex>(random.below(4 * k + 1, 30));
            const double weight = pre < 24 ? 0.11 : -0.35;
            recurrent.push_back(
                {pre, post, weight,
                 Duration(1 + static_cast<std::int64_t>(random.below(4 * k + 2, 5'000'000'000'000)))});
        }
        SpikeTrain drive;
        for (std::uint32_t k = 0; k < 3000; ++k) {
            drive.add(
                Time(Duration(static_cast<std::int64_t>(random.below(100'000 + k, 500'000'000'000'000)))),
                static_cast<NeuronIndex>(random.below(200'000 + k, 30)));
        }
        std::vector<Synapse> one_to_one;
        for (NeuronIndex i = 0; i < 30; ++i) one_to_one.push_back({i, i, 0.3, Duration(1)});
        const CubaLif p{.tau_m = 15e-3, .tau_syn = 4e-3, .t_ref = ms(1), .J = 3.0};

        const Network forwards({input(30), population("a", 30, p)},
                               {connect(0, 30, 1, 30, one_to_one), connect(1, 30, 1, 30, recurrent)});
        std::reverse(recurrent.begin(), recurrent.end());
        const Network backwards({population("a", 30, p), input(30)},
                                {connect(0, 30, 0, 30, recurrent), connect(1, 30, 0, 30, one_to_one)});
        SpikeTrain reversed;
        for (std::size_t k = drive.size(); k-- > 0;) reversed.add(drive.times[k], drive.neurons[k]);

        const auto first = simulate(forwards, {{"in", drive}}, {.duration = ms(500)});
        const auto second = simulate(backwards, {{"in", reversed}}, {.duration = ms(500)});
        CHECK(first.spikes[1].size() > 100);
        CHECK(first.spikes[1] == second.spikes[0]);
        CHECK(fingerprint(first) == fingerprint(simulate(forwards, {{"in", drive}}, {.duration = ms(500)})));
    }
    TEST_CASE("several projections of one pair add up in the same order, however they are listed") {
        // (0.1 + 0.2) + 0.3 = 0.6000000000000001, but (0.3 + 0.2) + 0.1 = 0.6
        const auto spikes = [](const std::vector<double>& weights) {
            std::vector<Projection> projections;
            for (const double w : weights) projections.push_back(connect(0, 1, 1, 1, {{0, 0, w, {}}}));
            const If p{.V_th = 0.1 + 0.2 + 0.3, .reset = Reset::subtract};
            return simulate(Network({input(1), population("a", 1, p)}, projections),
                            {{"in", train({{1, 0}})}}, {.duration = ms(2)})
                .spikes[1]
                .size();
        };
        CHECK(spikes({0.1, 0.2, 0.3}) == spikes({0.3, 0.2, 0.1}));
        CHECK(spikes({0.1, 0.2, 0.3}) == spikes({0.2, 0.3, 0.1}));
    }
    TEST_CASE("a neuron stands at its reset value for as long as its refractory period lasts") {
        for (const double tau_m : {3e-3, 5e-3, 7e-3, 10e-3, 13e-3, 20e-3}) {
            CAPTURE(tau_m);
            const Lif p{.tau_m = tau_m, .V_reset = 0.25, .t_ref = ms(300), .I_e = 2.0};
            SimulationOptions options{.duration = ms(400)};
            options.potential_times = {at(50), at(150), at(299)};
            const auto result = simulate(Network({population("a", 1, p)}, {}), {}, options);
            CHECK(result.potentials.at(0).values == std::vector<double>{0.25, 0.25, 0.25});
        }
    }
    TEST_CASE("a run with a silent Poisson source goes on from a snapshot") {
        neurons::PoissonSource silent;
        silent.rate = {0.0};
        Rule rule;
        rule.kind = Rule::Kind::one_to_one;
        rule.inputs = rule.outputs = 1;
        const Lif p{.tau_m = 10e-3, .I_e = 2.0};
        const Network network({{"drive", {1}, silent}, population("a", 1, p)}, {{0, 1, {rule}}});
        SimulationOptions options{.duration = ms(400)};
        std::shared_ptr<const Snapshot> snapshot;
        options.snapshot_due = [&](Time t) { return !snapshot && t > at(200); };
        options.on_snapshot = [&](const Snapshot& s) { snapshot = std::make_shared<const Snapshot>(s); };
        const auto whole = simulate(network, {}, options);
        REQUIRE(snapshot);
        const auto resumed = simulate(network, {}, {.duration = ms(400), .resume_from = snapshot});
        CHECK(whole.spikes[1].size() > 20);
        CHECK(fingerprint(resumed) == fingerprint(whole));
    }
    TEST_CASE("a run can be stopped and keeps what it recorded") {
        const Lif p{.tau_m = 1e-3, .I_e = 1.5};
        std::uint64_t calls = 0;
        SimulationOptions options{.duration = ms(5000)};
        options.on_progress = [&](const Progress& progress) {
            CHECK(progress.fraction <= 1.0);
            return ++calls < 3;
        };
        const auto result = simulate(Network({population("a", 1, p)}, {}), {}, options);
        CHECK(result.interrupted);
        CHECK(calls == 3);
        CHECK(result.spikes[0].size() > 100);
        CHECK(result.spikes[0].times.back() < result.end);
        CHECK(result.end < at(5000));
    }
    TEST_CASE("a run can end with the instant of a population's first spike") {
        // b fires 1 ms after a; a goes on firing every millisecond, b too.
        const Network network({input(1), population("a", 1, If{}), population("b", 2, If{})},
                              {connect(0, 1, 1, 1, {{0, 0, 1, ms(1)}}),
                               connect(1, 1, 2, 2, {{0, 0, 1, ms(1)}, {0, 1, 1, ms(1)}})});
        const std::vector<InputSpikes> inputs{{"in", train({{1, 0}, {2, 0}, {3, 0}, {4, 0}, {90, 0}})}};
        for (const std::uint32_t threads : {1u, 2u}) {
            SimulationOptions options{.duration = ms(100)};
            options.until_first_spike_of = "b";
            const auto result = simulate(network, inputs, options, {.threads = threads});
            CHECK(result.end == at(3));
            CHECK_FALSE(result.interrupted);
            CHECK(milliseconds(result.spikes[1]) == std::vector<double>{2, 3});
            CHECK(result.spikes[2] == train({{3, 0}, {3, 1}}));
            CHECK(result.spike_counts == std::vector<std::uint64_t>{3, 2, 2});
            options.recorded = {"a"};
            CHECK(simulate(network, inputs, options).spike_counts == result.spike_counts);
            options.recorded = {};
            options.potential_times = {at(1), at(3), at(4)};
            const auto sampled = simulate(network, inputs, options);
            CHECK(sampled.potentials[0].times == std::vector<Time>{at(1), at(3)});
        }
        SimulationOptions options{.duration = ms(100)};
        options.until_first_spike_of = "b";
        CHECK(simulate(network, {}, options).end == at(100));
        options.until_first_spike_of = "c";
        CHECK_THROWS_WITH_AS((void)simulate(network, {}, options), doctest::Contains("c"), UsageError);
        options.until_first_spike_of = "b";
        options.snapshot_due = [](Time) { return false; };
        CHECK_THROWS_WITH_AS((void)simulate(network, {}, options), doctest::Contains("snapshot"), UsageError);
        const Network silent({population("r", 1, Integrator{})}, {});
        options = {.duration = ms(1)};
        options.until_first_spike_of = "r";
        CHECK_THROWS_WITH_AS((void)simulate(silent, {}, options), doctest::Contains("spikes"), UsageError);
    }
    TEST_CASE("only what is asked for is recorded, everything is counted") {
        const Network network(
            {input(1), population("a", 1, If{}), population("b", 1, If{})},
            {connect(0, 1, 1, 1, {{0, 0, 1, {}}}), connect(1, 1, 2, 1, {{0, 0, 1, ms(1)}})});
        SimulationOptions options{.duration = ms(5)};
        options.recorded = {"b"};
        const auto result = simulate(network, {{"in", train({{1, 0}, {2, 0}})}}, options);
        CHECK(result.spikes[1].empty());
        CHECK(result.spikes[2].size() == 2);
        CHECK(result.spike_counts == std::vector<std::uint64_t>{2, 2, 2});
        CHECK(result.neuron_spikes == 4);
        options.recorded = {"c"};
        CHECK_THROWS_AS((void)simulate(network, {}, options), UsageError);
    }
    TEST_CASE("wrong input spikes are refused, and named") {
        const Network network({input(2), population("a", 2, If{})}, {connect(0, 2, 1, 2, {{0, 0, 1, {}}})});
        const auto refusal = [&](const std::string& name, const SpikeTrain& spikes) -> std::string {
            try {
                (void)simulate(network, {{name, spikes}}, {.duration = ms(5)});
            } catch (const InputError& error) {
                return error.what();
            }
            return "accepted";
        };
        CHECK(refusal("in", train({{1, 0}, {2, 2}})) ==
              "spikes for 'in': spike 1: expected a neuron below 2, found 2.");
        CHECK(refusal("in", train({{-1, 0}})) ==
              "spikes for 'in': spike 0: expected a time >= 0, found -1ms.");
        CHECK(refusal("in", train({{6, 0}})) ==
              "spikes for 'in': spike 0: expected a time up to the end of the run, 5ms, found 6ms.");
        CHECK(refusal("a", train({})) ==
              "spikes for 'a': the network has no input of this name; its inputs: 'in'.");
        SpikeTrain uneven = train({{1, 0}});
        uneven.times.push_back(at(2));
        CHECK(refusal("in", uneven) == "spikes for 'in': expected as many neurons as times, found 1 and 2.");
        CHECK(refusal("in", train({{0, 0}, {5, 1}})) == "accepted");
    }
    TEST_CASE("a duration that is negative or beyond the range is refused") {
        const Network network({population("a", 1, If{})}, {});
        CHECK_THROWS_AS((void)simulate(network, {}, {.duration = Duration(-1)}), LimitError);
        CHECK_THROWS_AS((void)simulate(network, {}, {.duration = Duration::max()}), LimitError);
        CHECK(simulate(network, {}, {.duration = Duration()}).neuron_spikes == 0);
    }
    TEST_CASE("what the exact clock cannot do is refused by name") {
        const auto refusal = [](const Network& network) -> std::string {
            try {
                const ExactSimulation simulation(network);
            } catch (const Error& error) {
                return error.what();
            }
            return "accepted";
        };
        CHECK(refusal(Network({population("li", 1, Li{}), population("a", 1, If{})}, {{0, 1, {}}})) ==
              "li -> a: 'li' (LI) sends a continuous signal, and the exact clock carries spikes only.");
        CHECK(refusal(Network({population("a", 1, If{.V_th = 1.0, .V_reset = 1.0})}, {}))
                  .find("would fire without end") != std::string::npos);
        CHECK(refusal(Network({population("a", 1, If{.V_th = 1.0, .V_reset = 1.0, .t_ref = ms(1)})}, {})) ==
              "accepted");
        CHECK(refusal(Network(
                  {population("a", 1, If{.V_th = 0.0, .V_reset = -1.0, .reset = Reset::subtract})}, {})) ==
              "'a', field 'V_th': expected > 0 for a reset by subtraction, found 0.000000.");
        Dense fc{"fc", 1, 1, 1, Weights(std::vector<float>{1}), Weights(std::vector<float>{1})};
        CHECK(refusal(Network({input(1), population("a", 1, If{})}, {{0, 1, {fc, Delay{"d", 1, {ms(1)}}}}}))
                  .find("a delay follows") != std::string::npos);
        CHECK(refusal(Network({population("a", 1, If{})}, {{0, 0, {}}}))
                  .find("a -> a: this cycle has no delay") == 0);
    }
    TEST_CASE("more than a million spikes of one neuron at one instant are refused, not run") {
        const If p{.V_th = 1e-12, .reset = Reset::subtract_repeated};
        const Network network({input(1), population("a", 1, p)}, {connect(0, 1, 1, 1, {{0, 0, 1, {}}})});
        CHECK_THROWS_AS((void)simulate(network, {{"in", train({{1, 0}})}}, {.duration = ms(5)}), LimitError);
    }
    TEST_CASE("an integrator counts what arrives") {
        const Network network({input(2), population("sum", 1, Integrator{})},
                              {connect(0, 2, 1, 1, {{0, 0, 0.5, {}}, {1, 0, -2, ms(1)}})});
        const auto result = simulate(network, {{"in", train({{1, 0}, {2, 0}, {2, 1}})}}, {.duration = ms(5)});
        CHECK(result.final_potentials[1].at(0) == -1.0);
        CHECK(result.neuron_spikes == 0);
    }
}

}  // namespace
}  // namespace saltus
