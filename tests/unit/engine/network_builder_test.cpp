// Networks built in code: names and units of parameters, seeds that do not depend on the order, refusals.
#include "saltus/engine/network_builder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus {
namespace {

template <class P>
const neurons::PerNeuron<P>& neurons_of(const Network& network, std::uint32_t q) {
    return std::get<neurons::PerNeuron<P>>(network.populations()[q].model);
}
const Rule& rule_of(const Network& network, std::size_t p) {
    return std::get<Rule>(network.projections()[p].stages.at(0));
}

template <class F>
std::string refusal(F&& f) {
    try {
        f();
    } catch (const NetworkError& error) {
        return error.what();
    }
    return "accepted";
}

std::string population_refusal(const char* model, const Parameters& parameters, Shape shape = {3}) {
    return refusal([&] { NetworkBuilder().population("a", shape, model, parameters); });
}
std::string source_refusal(const char* kind, const Parameters& parameters) {
    return refusal([&] { NetworkBuilder().source("s", {2}, kind, parameters); });
}
std::string connection_refusal(const Connection& connection) {
    NetworkBuilder build;
    build.input("a", {4});
    build.population("b", {4}, "lif_delta", {});
    return refusal([&] { build.connect("a", "b", connection); });
}
std::string connection_refusal(const ConnectionList& connection) {
    NetworkBuilder build;
    build.input("a", {4});
    build.population("b", {4}, "lif_delta", {});
    return refusal([&] { build.connect("a", "b", connection); });
}

TEST_SUITE("engine/network_builder") {
    TEST_CASE("parameters are in SI units under the names of NEST") {
        NetworkBuilder build;
        build.population("a", {2, 2}, "lif_exp",
                         {{"C_m", 250e-12},
                          {"tau_m", 20e-3},
                          {"tau_syn", 3e-3},
                          {"E_L", std::vector<double>{-70e-3, -71e-3, -72e-3, -73e-3}},
                          {"V_th", -50e-3},
                          {"V_reset", -60e-3},
                          {"I_e", 1e-9},
                          {"t_ref", 2e-3}});
        const Network network = build.network();
        CHECK(network.populations()[0].shape == Shape{2, 2});
        const auto& model = neurons_of<neurons::CubaLif>(network, 0);
        REQUIRE(model.size() == 4);
        const neurons::CubaLif& p = model[1];
        CHECK(p.R == 20e-3 / 250e-12);
        CHECK(p.tau_m == 20e-3);
        CHECK(p.tau_syn == 3e-3);
        CHECK(p.E_L == -71e-3);
        CHECK(p.V_th == -50e-3);
        CHECK(p.V_reset == -60e-3);
        CHECK(p.I_e == 1e-9);
        CHECK(p.t_ref == Duration(2'000'000'000'000));
        CHECK(p.V_0 == -71e-3);  // at rest
        CHECK(p.J == 1.0);
    }

    TEST_CASE("without a capacitance the resistance is 1, and potentials start where they are told") {
        NetworkBuilder build;
        build.population("lif", {2}, "lif_delta", {{"I_e", 0.5}, {"V_m", 0.25}});
        build.population("if", {2}, "if_delta", {{"C_m", 4.0}, {"V_0", std::vector<double>{0.1, 0.2}}});
        const Network network = build.network();
        const auto& lif = neurons_of<neurons::Lif>(network, 0);
        REQUIRE(lif.size() == 1);
        CHECK(lif[0].R == 1.0);
        CHECK(lif[0].I_e == 0.5);
        CHECK(lif[0].V_0 == 0.25);
        const auto& integrate = neurons_of<neurons::If>(network, 1);
        REQUIRE(integrate.size() == 2);
        CHECK(integrate[0].R == 0.25);
        CHECK(integrate[1].V_0 == 0.2);
    }

    TEST_CASE("a start that is drawn is the same whenever it is asked, and all that neurons differ in") {
        const auto built = [](std::uint64_t seed) {
            NetworkBuilder build(seed);
            build.population("a", {1000}, "lif_delta",
                             {{"E_L", 1e-3}, {"V_0", Distribution::uniform(0.0, 15e-3)}});
            build.population("b", {1000}, "lif_delta", {{"V_m", Distribution::uniform(0.0, 15e-3)}});
            return build.network();
        };
        const Network network = built(3);
        const auto& a = neurons_of<neurons::Lif>(network, 0);
        REQUIRE(a.size() == 1000);
        CHECK(a.same_but_start());
        double sum = 0.0;
        for (std::size_t i = 0; i < 1000; ++i) {
            CHECK(a[i].E_L == 1e-3);
            CHECK((a[i].V_0 >= 0.0 && a[i].V_0 < 15e-3));
            CHECK(a[i].V_0 == neurons_of<neurons::Lif>(built(3), 0)[i].V_0);
            sum += a[i].V_0;
        }
        // Uniform: mean 7.5 mV, standard error 15 mV / sqrt(12 * 1000); five of them.
        CHECK(std::abs(sum / 1000 - 7.5e-3) < 5.0 * 15e-3 / std::sqrt(12'000.0));
        CHECK(a[0].V_0 != neurons_of<neurons::Lif>(network, 1)[0].V_0);
        CHECK(a[0].V_0 != neurons_of<neurons::Lif>(built(4), 0)[0].V_0);
    }

    TEST_CASE("a start that is drawn or given as an array computes the same as parameters one by one") {
        NetworkBuilder build(3);
        const Parameters others{{"tau_m", 20e-3}, {"V_th", 15e-3}, {"I_e", 20e-3}};
        Parameters drawn = others;
        drawn.emplace_back("V_0", Distribution::normal(5e-3, 3e-3));
        build.population("a", {300}, "lif_delta", drawn);
        const Network network = build.network();
        std::vector<double> starts;
        neurons::PerNeuron<neurons::Lif> listed;
        for (const neurons::Lif& p : neurons_of<neurons::Lif>(network, 0)) {
            starts.push_back(p.V_0);
            listed.push_back(p);
        }
        NetworkBuilder by_array(3);
        Parameters array = others;
        array.emplace_back("V_0", starts);
        by_array.population("a", {300}, "lif_delta", array);
        CHECK(neurons_of<neurons::Lif>(by_array.network(), 0).same_but_start());
        CHECK(!listed.same_but_start());
        const SimulationOptions options{.duration = duration_from_seconds(0.1)};
        const SimulationResult expected = simulate(Network({{"a", {300}, listed}}, {}), {}, options);
        CHECK(expected.neuron_spikes > 300);
        for (const std::uint32_t threads : {1u, 3u}) {
            CHECK(fingerprint(simulate(network, {}, options, {threads})) == fingerprint(expected));
            CHECK(fingerprint(simulate(by_array.network(), {}, options, {threads})) == fingerprint(expected));
        }
    }

    TEST_CASE("every parameter can be drawn, of neurons and of sources") {
        NetworkBuilder build(1);
        build.source("s", {50}, "poisson", {{"rate", Distribution::uniform(10.0, 20.0)}});
        build.population("a", {50}, "lif_delta",
                         {{"tau_m", Distribution::normal(20e-3, 2e-3, 15e-3, 25e-3)},
                          {"V_0", Distribution::uniform(0.0, 1e-3)}});
        const Network network = build.network();
        const auto& rates = std::get<neurons::PoissonSource>(network.populations()[0].model).rate;
        CHECK(rates.size() == 50);
        CHECK(std::all_of(rates.begin(), rates.end(), [](double r) { return r >= 10.0 && r < 20.0; }));
        const auto& a = neurons_of<neurons::Lif>(network, 1);
        CHECK(a.size() == 50);
        CHECK(!a.same_but_start());
        CHECK(std::all_of(a.begin(), a.end(), [](const auto& p) {
            return p.tau_m >= 15e-3 && p.tau_m <= 25e-3 && p.V_0 >= 0.0 && p.V_0 < 1e-3;
        }));
        CHECK(a[0].tau_m != a[1].tau_m);
    }

    TEST_CASE("entries are shared by copies until one of them is changed") {
        neurons::PerNeuron<neurons::Lif> listed(3);
        const neurons::PerNeuron<neurons::Lif> copy = listed;
        listed[1].V_th = 7.0;
        CHECK(std::as_const(listed)[1].V_th == 7.0);
        CHECK(copy[1].V_th == 1.0);
        CHECK(copy.size() == 3);
        CHECK_THROWS_AS((void)copy.at(3), std::out_of_range);

        neurons::PerNeuron<neurons::Lif> computed(4, {},
                                                  [](std::size_t i) { return static_cast<double>(i); });
        const auto before = computed;
        computed[2].V_0 = -1.0;
        CHECK(std::as_const(computed)[2].V_0 == -1.0);
        CHECK(std::as_const(computed)[3].V_0 == 3.0);
        CHECK(!computed.same_but_start());
        CHECK(before[2].V_0 == 2.0);
    }

    TEST_CASE("a start that is not finite is found where the neuron is made ready") {
        const neurons::PerNeuron<neurons::Lif> computed(
            4, {}, [](std::size_t i) { return i == 2 ? std::numeric_limits<double>::quiet_NaN() : 0.0; });
        const Network network({{"a", {4}, computed}}, {});
        CHECK(refusal([&] { (void)simulate(network, {}, {.duration = Duration(1)}); }) ==
              "'a', field 'V_0': neuron 2: expected a finite number, found nan.");
    }

    TEST_CASE("NEST's names bring NEST's defaults") {
        NetworkBuilder build;
        build.population("delta", {1}, "iaf_psc_delta_ps", {});
        build.population("exp", {1}, "iaf_psc_exp", {{"tau_syn_in", 4e-3}});
        build.population("alpha", {1}, "iaf_psc_alpha_ps", {{"tau_syn", 1e-3}, {"V_0", -60e-3}});
        const Network network = build.network();
        const neurons::Lif& delta = neurons_of<neurons::Lif>(network, 0)[0];
        CHECK(delta.tau_m == 10e-3);
        CHECK(delta.R == 10e-3 / 250e-12);
        CHECK(delta.E_L == -70e-3);
        CHECK(delta.V_th == -55e-3);
        CHECK(delta.V_reset == -70e-3);
        CHECK(delta.V_0 == -70e-3);
        CHECK(delta.t_ref == Duration(2'000'000'000'000));
        const neurons::LifExp2& exp = neurons_of<neurons::LifExp2>(network, 1)[0];
        CHECK(exp.tau_syn_ex == 2e-3);
        CHECK(exp.tau_syn_in == 4e-3);
        const neurons::LifAlpha& alpha = neurons_of<neurons::LifAlpha>(network, 2)[0];
        CHECK(alpha.tau_syn_ex == 1e-3);
        CHECK(alpha.tau_syn_in == 1e-3);
        CHECK(alpha.V_0 == -60e-3);
    }

    TEST_CASE("every model takes its own parameters") {
        NetworkBuilder build;
        build.population("adaptive", {1}, "lif_delta_adaptive", {{"th_jump", 2e-3}, {"th_tau", 0.1}});
        build.population("qif", {1}, "qif_delta", {{"tau_m", 5e-3}, {"I_e", -1.0}});
        for (const std::string& model : neuron_models()) build.population(model, {2}, model, {{"V_0", 0.5}});
        const Network network = build.network();
        CHECK(neurons_of<neurons::LifAdaptive>(network, 0)[0].th_jump == 2e-3);
        CHECK(neurons_of<neurons::LifAdaptive>(network, 0)[0].th_tau == 0.1);
        CHECK(neurons_of<neurons::Qif>(network, 1)[0].I_e == -1.0);
        CHECK(population_refusal("qif_delta", {{"C_m", 1.0}}).find("has no such parameter") !=
              std::string::npos);
    }

    TEST_CASE("sources hold what is said of them") {
        NetworkBuilder build;
        build.source("noise", {2}, "poisson", {{"rate", std::vector<double>{10.0, 20.0}}, {"start", 0.5}}, 7);
        build.source("clock", {2}, "regular", {{"interval", 10e-3}, {"stop", 1.0}});
        SpikeTrain spikes;
        spikes.add(Time(Duration(5)), 1);
        spikes.add(Time(Duration(2)), 0);
        build.source("file", {2}, spikes);
        const Network network = build.network();
        const auto& noise = std::get<neurons::PoissonSource>(network.populations()[0].model);
        CHECK(noise.rate == std::vector<double>{10.0, 20.0});
        CHECK(noise.seed == 7);
        CHECK(noise.start == Time(Duration(500'000'000'000'000)));
        CHECK(noise.stop == Time::never());
        const auto& clock = std::get<neurons::RegularSource>(network.populations()[1].model);
        CHECK(clock.interval == std::vector<Duration>{Duration(10'000'000'000'000)});
        CHECK(clock.first == std::vector<Time>{Time(Duration(10'000'000'000'000))});
        CHECK(clock.stop == Time(Duration(1'000'000'000'000'000)));
        const auto& file = std::get<neurons::SpikeSource>(network.populations()[2].model);
        CHECK(file.spikes.times == std::vector<Time>{Time(Duration(2)), Time(Duration(5))});
    }

    TEST_CASE("a matrix of weights is a dense projection, with a delay only where there is one") {
        NetworkBuilder build;
        build.input("a", {2});
        build.population("b", {3}, "if_delta", {});
        build.connect("a", "b", ConnectionMatrix{2, 3, {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}, 1e-3});
        build.connect("a", "b", ConnectionMatrix{2, 3, std::vector<double>(6, 0.5)});
        const Network network = build.network();
        REQUIRE(network.projections()[0].stages.size() == 2);
        const auto& dense = std::get<Dense>(network.projections()[0].stages[0]);
        CHECK(dense.inputs == 2);
        CHECK(dense.outputs == 3);
        CHECK(dense.weights[4] == 5.0);
        CHECK(network.projections()[0].min_delay() == Duration(1'000'000'000'000));
        CHECK(network.projections()[0].max_delay() == Duration(1'000'000'000'000));
        CHECK(network.projections()[1].stages.size() == 1);
    }

    TEST_CASE("a matrix of weights that does not fit is refused") {
        const auto refused = [](const ConnectionMatrix& matrix) {
            NetworkBuilder build;
            build.input("a", {2});
            build.population("b", {3}, "if_delta", {});
            return refusal([&] { build.connect("a", "b", matrix); });
        };
        CHECK(refused({3, 2, std::vector<double>(6, 1.0)}) ==
              "a -> b, field 'weight': expected a matrix of 2 x 3, source by target, found 3 x 2.");
        CHECK(refused({2, 3, std::vector<double>(5, 1.0)}).find("expected 6 values, found 5.") !=
              std::string::npos);
        const double nan = std::numeric_limits<double>::quiet_NaN();
        CHECK(refused({2, 3, std::vector<double>(6, nan)}).find("expected a finite number") !=
              std::string::npos);
        CHECK(refused({2, 3, std::vector<double>(6, 1.0), -1e-3}).find("field 'delay'") != std::string::npos);
    }

    TEST_CASE("seeds come from names: the order of calls and other populations do not matter") {
        const auto connect = [](NetworkBuilder& build) {
            build.connect("exc", "inh", Connection{.rule = "fixed_indegree", .k = 3});
        };
        NetworkBuilder first(5);
        first.population("exc", {10}, "lif_delta", {});
        first.population("inh", {10}, "lif_delta", {});
        first.source("noise", {2}, "poisson", {{"rate", 1.0}});
        connect(first);
        connect(first);
        NetworkBuilder second(5);
        second.source("other", {2}, "poisson", {{"rate", 1.0}});
        second.source("noise", {2}, "poisson", {{"rate", 1.0}});
        second.population("inh", {10}, "lif_delta", {});
        second.population("exc", {10}, "lif_delta", {});
        second.connect("inh", "exc", Connection{.rule = "fixed_indegree", .k = 3});
        connect(second);
        connect(second);
        const Network a = first.network();
        const Network b = second.network();
        CHECK(rule_of(a, 0).seed == rule_of(b, 1).seed);
        CHECK(rule_of(a, 1).seed == rule_of(b, 2).seed);
        CHECK(rule_of(a, 0).seed != rule_of(a, 1).seed);
        CHECK(rule_of(b, 0).seed != rule_of(b, 1).seed);
        const auto seed = [](const Network& n, const char* name) {
            return std::get<neurons::PoissonSource>(n.populations()[n.index_of(name)].model).seed;
        };
        CHECK(seed(a, "noise") == seed(b, "noise"));
        CHECK(seed(b, "noise") != seed(b, "other"));
        NetworkBuilder third(6);
        third.population("exc", {10}, "lif_delta", {});
        third.population("inh", {10}, "lif_delta", {});
        connect(third);
        CHECK(rule_of(third.network(), 0).seed != rule_of(a, 0).seed);
    }

    TEST_CASE("every rule takes its argument and passes on what is drawn") {
        NetworkBuilder build;
        build.population("a", {10}, "lif_delta", {});
        const auto connect = [&](Connection connection) {
            connection.weight = Distribution::constant(0.5);
            connection.delay = Distribution::uniform(1e-3, 2e-3);
            connection.seed = 9;
            build.connect("a", "a", connection);
        };
        connect({.rule = "all_to_all", .autapses = false});
        connect({.rule = "one_to_one"});
        connect({.rule = "fixed_indegree", .k = 4, .multapses = false});
        connect({.rule = "fixed_outdegree", .k = 5});
        connect({.rule = "fixed_total_number", .N = 33});
        connect({.rule = "bernoulli", .p = 0.5});
        connect({.rule = "pairwise_bernoulli", .p = 0.25});
        const Network network = build.network();
        CHECK(synapse_count(rule_of(network, 0)) == 90);
        CHECK(synapse_count(rule_of(network, 1)) == 10);
        CHECK(synapse_count(rule_of(network, 2)) == 40);
        CHECK(!rule_of(network, 2).multapses);
        CHECK(synapse_count(rule_of(network, 3)) == 50);
        CHECK(synapse_count(rule_of(network, 4)) == 33);
        CHECK(rule_of(network, 5).probability == 0.5);
        CHECK(rule_of(network, 6).probability == 0.25);
        CHECK(rule_of(network, 6).seed == 9);
        CHECK(rule_of(network, 6).weight.value == 0.5);
        CHECK(network.projections()[6].min_delay() == Duration(1'000'000'000'000));
    }

    TEST_CASE("explicit synapses deliver their weight after their delay") {
        NetworkBuilder build;
        build.input("in", {2});
        build.population("out", {3}, "if_delta", {});
        build.connect("in", "out", ConnectionList{{0, 0, 1}, {2, 1, 0}, {1.0, 0.5, 1.5}, {1e-3, 2e-3, 0.0}});
        SpikeTrain spikes;
        spikes.add(Time(), 0);
        spikes.add(Time(), 1);
        SimulationOptions options;
        options.duration = Duration(5'000'000'000'000);
        const SimulationResult result = simulate(build.network(), {{"in", spikes}}, options);
        SpikeTrain expected;
        expected.add(Time(), 0);
        expected.add(Time(Duration(1'000'000'000'000)), 2);
        CHECK(result.spikes[1] == expected);
    }

    TEST_CASE("names that nothing has are refused with the nearest one") {
        CHECK(population_refusal("lif_delta", {{"tau", 1.0}}) ==
              "'a', field 'tau': lif_delta has no such parameter. Did you mean 'tau_m'?");
        CHECK(population_refusal("lif_delta", {{"tau_syn", 1.0}}).find("has no such parameter") !=
              std::string::npos);
        CHECK(population_refusal("lif_delt", {}) ==
              "'a', field 'model': no model is called 'lif_delt'. Did you mean 'lif_delta'?");
        CHECK(population_refusal("aeif_psc_exp", {}) ==
              "'a', field 'model': 'aeif_psc_exp' has no closed-form flow, the exact clock cannot run it.");
        for (const char* name : {"izhikevich", "hh_psc_alpha", "adex", "iaf_cond_exp"})
            CHECK(population_refusal(name, {}).find("has no closed-form flow") != std::string::npos);
        CHECK(source_refusal("poison", {}) ==
              "'s', field 'kind': no source is called 'poison'. Did you mean 'poisson'?");
        CHECK(source_refusal("poisson", {{"rates", 1.0}}) ==
              "'s', field 'rates': poisson has no such parameter. Did you mean 'rate'?");
        CHECK(connection_refusal(Connection{.rule = "all_to_al"}) ==
              "a -> b, field 'rule': no rule is called 'all_to_al'. Did you mean 'all_to_all'?");
        NetworkBuilder build;
        build.input("exc", {1});
        CHECK(refusal([&] { build.connect("exd", "exc", Connection{}); }) ==
              "'exd': no population is called so. Did you mean 'exc'?");
    }

    TEST_CASE("populations that cannot be are refused when they are named") {
        CHECK(population_refusal("lif_delta", {}, {0}) ==
              "'a', field 'shape': expected at least one neuron, found (0,).");
        CHECK(population_refusal("lif_delta", {{"E_L", std::vector<double>{1.0, 2.0}}}) ==
              "'a', field 'E_L': expected 1 or 3 values, found 2.");
        CHECK(population_refusal("lif_delta", {{"E_L", std::nan("")}}) ==
              "'a', field 'E_L': neuron 0: expected a finite number, found nan.");
        CHECK(population_refusal("lif_delta", {{"E_L", 0.0}, {"E_L", 1.0}}) ==
              "'a', field 'E_L': given twice.");
        CHECK(population_refusal("lif_delta", {{"V_0", 0.0}, {"V_m", 1.0}}) ==
              "'a', field 'V_m': V_0 is given too; they are the same.");
        CHECK(population_refusal("lif_delta", {{"C_m", -1.0}}) ==
              "'a', field 'C_m': neuron 0: expected > 0, found -1.000000.");
        CHECK(population_refusal("lif_delta", {{"tau_m", 0.0}}) ==
              "'a', field 'tau_m': neuron 0: expected > 0, found 0.000000.");
        CHECK(population_refusal("lif_delta", {{"t_ref", -1e-3}}) ==
              "'a', field 't_ref': neuron 0: expected >= 0, found -1ms.");
        CHECK(population_refusal("lif_delta", {{"t_ref", 1e5}}) ==
              "'a', field 't_ref': expected at most 9223 s, found 100000 s.");
        CHECK(population_refusal("lif_exp", {{"tau_syn_ex", 1e-3}, {"tau_syn_in", 2e-3}}) ==
              "'a', field 'tau_syn_in': neuron 0: this model has one synaptic time constant, expected "
              "tau_syn_ex, found another.");
        NetworkBuilder build;
        build.input("a", {1});
        CHECK(refusal([&] { build.input("a", {2}); }) == "'a': two populations have this name.");
        CHECK(refusal([&] { build.input("", {2}); }) == "'': a population needs a name.");
    }

    TEST_CASE("distributions and arrays of parameters that cannot be are refused") {
        CHECK(population_refusal("lif_delta", {{"V_0", Distribution::uniform(1.0, 0.0)}}) ==
              "'a', field 'V_0': high: expected >= low, 1, found 0.");
        CHECK(population_refusal("lif_delta", {{"tau_m", Distribution::constant(-1.0)}}).find("tau_m") !=
              std::string::npos);
        CHECK(population_refusal("lif_delta", {{"V_0", std::vector<double>{}}}) ==
              "'a', field 'V_0': expected 1 or 3 values, found 0.");
        CHECK(population_refusal("lif_delta", {{"V_0", Distribution::uniform(0.0, 1.0)}}, {3, 0})
                  .find("shape") != std::string::npos);
        CHECK(population_refusal("lif_delta", {{"tau_m", Distribution::uniform(1.0, 2.0)}},
                                 {1u << 31, 1u << 31})
                  .find("holds more than") != std::string::npos);
    }

    TEST_CASE("sources that cannot be are refused when they are named") {
        CHECK(source_refusal("poisson", {}) == "'s', field 'rate': expected a rate in Hz, found none.");
        CHECK(source_refusal("poisson", {{"rate", -1.0}}) ==
              "'s', field 'rate': neuron 0: expected >= 0 Hz, found -1.");
        CHECK(source_refusal("poisson", {{"rate", 1.0}, {"start", -1.0}}) ==
              "'s', field 'start': expected >= 0, found -1s.");
        CHECK(source_refusal("poisson", {{"rate", 1.0}, {"stop", std::vector<double>{1.0, 2.0}}}) ==
              "'s', field 'stop': expected one value for all neurons.");
        CHECK(source_refusal("poisson", {{"rate", 1.0}, {"stop", std::numeric_limits<double>::infinity()}}) ==
              "accepted");
        CHECK(source_refusal("regular", {{"interval", 0.0}}) ==
              "'s', field 'interval': neuron 0: expected > 0, found 0s.");
        CHECK(source_refusal("regular", {{"interval", 1e-16}}) ==
              "'s', field 'interval': expected 0 or at least one tick of time, 1e-15 s, found 1e-16 s.");
        SpikeTrain spikes;
        spikes.add(Time(), 2);
        CHECK(refusal([&] { NetworkBuilder().source("s", {2}, spikes); }) ==
              "'s', field 'neurons': spike 0: expected a neuron below 2, found 2.");
        spikes.times.clear();
        CHECK(refusal([&] { NetworkBuilder().source("s", {2}, spikes); }) ==
              "'s', field 'neurons': expected 0 entries as in 'times', found 1.");
    }

    TEST_CASE("connections that cannot be are refused when they are made") {
        CHECK(connection_refusal(Connection{.rule = "fixed_indegree"}) ==
              "a -> b, field 'k': fixed_indegree needs it, found none.");
        CHECK(connection_refusal(Connection{.rule = "one_to_one", .p = 0.5}) ==
              "a -> b, field 'p': one_to_one has no such argument.");
        CHECK(connection_refusal(Connection{.rule = "fixed_total_number", .k = 5}).find("field 'k'") !=
              std::string::npos);
        CHECK(connection_refusal(Connection{.autapses = false}) ==
              "a -> b, field 'autapses': they exist within one population only. Leave them on.");
        CHECK(connection_refusal(Connection{.weight = Distribution::constant(std::nan(""))}) ==
              "a -> b, field 'weight': expected a finite number, found nan.");
        CHECK(connection_refusal(Connection{.delay = Distribution::constant(1e-16)}) ==
              "a -> b, field 'delay': expected 0 or at least one tick of time, 1e-15 s, found 1e-16.");
        NetworkBuilder build;
        build.input("in", {1});
        build.input("other", {1});
        CHECK(refusal([&] { build.connect("in", "other", Connection{}); }) ==
              "in -> other: the target is a source of spikes, which receives none.");
        CHECK(build.network().projections().empty());
    }

    TEST_CASE("synapses that cannot be drawn source by source cannot be procedural") {
        Connection c{.rule = "fixed_indegree", .k = 2, .procedural = true};
        CHECK(connection_refusal(c) ==
              "a -> b, field 'procedural': fixed_indegree draws the sources of each target, and what a spike "
              "brings "
              "cannot be drawn by itself. Use fixed_outdegree or bernoulli, or leave it off.");
        c = {.rule = "fixed_total_number", .N = 2, .procedural = true};
        CHECK(connection_refusal(c).find("fixed_total_number draws the sources") != std::string::npos);
        c = {.rule = "bernoulli", .p = 0.5, .procedural = true, .delay = Distribution::uniform(1e-3, 2e-3)};
        CHECK(connection_refusal(c) ==
              "a -> b, field 'procedural': expected at most 65536 different delays with 4 sources, found "
              "1000000000001. Give the delays a coarser step, or leave it off.");
        c.delay = Distribution::uniform(1e-3, 2e-3, 0.1e-3);
        CHECK(connection_refusal(c) == "accepted");
        for (const char* const rule : {"all_to_all", "one_to_one"})
            CHECK(connection_refusal({.rule = rule, .procedural = true}) == "accepted");
        CHECK(connection_refusal({.rule = "fixed_outdegree", .k = 2, .procedural = true}) == "accepted");
    }

    TEST_CASE("lists of synapses that cannot be are refused when they are made") {
        CHECK(connection_refusal(ConnectionList{{0, 1}, {0, 1}, {1.0}, {0.0}}) == "accepted");
        CHECK(connection_refusal(ConnectionList{{}, {}, {1.0}, {0.0}}) == "accepted");
        CHECK(connection_refusal(ConnectionList{{0}, {0, 1}, {1.0}, {0.0}}) ==
              "a -> b, field 'post': expected 1 entries as in 'pre', found 2.");
        CHECK(connection_refusal(ConnectionList{{4}, {0}, {1.0}, {0.0}}) ==
              "a -> b, field 'pre[0]': expected a neuron below 4, found 4.");
        CHECK(connection_refusal(ConnectionList{{0, 0}, {0, 1}, {1.0, std::nan("")}, {0.0}}) ==
              "a -> b, field 'weight': entry 1: expected a finite number, found nan.");
        CHECK(connection_refusal(ConnectionList{{0, 0}, {0, 1}, {1.0}, {1e-3, 5e-16}}) ==
              "a -> b, field 'delay[1]': expected 0 or at least one tick of time, 1e-15 s, found 5e-16 s.");
        CHECK(connection_refusal(ConnectionList{{0, 0}, {0, 1}, {1.0}, {1e-3, -1e-3}}) ==
              "a -> b, field 'delay[1]': expected >= 0, found -1ms.");
        CHECK(connection_refusal(ConnectionList{{0, 0}, {0, 1}, {1.0}, {std::nan("")}}) ==
              "a -> b, field 'delay': expected a time, found nan s.");
    }
}

}  // namespace
}  // namespace saltus
