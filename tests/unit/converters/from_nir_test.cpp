// The graph of a document as populations and projections.
#include <doctest/doctest.h>

#include "conversion.hpp"

namespace saltus::test {
namespace {

Names names_of_populations(const Network& network) {
    Names names;
    for (const Population& population : network.populations()) names.push_back(population.name);
    return names;
}

std::vector<double> seconds_of(const SpikeTrain& spikes, NeuronIndex neuron) {
    std::vector<double> seconds;
    for (std::size_t k = 0; k < spikes.size(); ++k) {
        if (spikes.neurons[k] == neuron) seconds.push_back(spikes.times[k].seconds());
    }
    return seconds;
}

NirDocument loop() {
    return document({{"input", input({1})}, {"a", relay(1)}, {"w", linear(1, 1)}, {"output", output({1})}},
                    {{"input", "a"}, {"a", "w"}, {"w", "a"}, {"a", "output"}});
}

TEST_SUITE("converters/from_nir/graph") {
    TEST_CASE("sub-graphs become part of the whole, under their path") {
        const NirNode innermost = graph({{"in", input({2})}, {"lif", relay(2)}, {"out", output({2})}},
                                        {{"in", "lif"}, {"lif", "out"}});
        const NirNode inner =
            graph({{"in", input({3})}, {"w", linear(2, 3)}, {"deep", innermost}, {"out", output({2})}},
                  {{"in", "w"}, {"w", "deep"}, {"deep", "out"}});
        const Network network =
            network_of(chain({{"input", input({3})}, {"inner", inner}, {"output", output({2})}}));
        CHECK(names_of_populations(network) == Names{"input", "inner.deep.lif"});
        REQUIRE(network.projections().size() == 1);
        REQUIRE(network.projections()[0].stages.size() == 1);
        CHECK(stage_name(network.projections()[0].stages[0]) == "inner.w");
        REQUIRE(network.outputs().size() == 1);
        CHECK(network.outputs()[0].name == "output");
        CHECK(network.outputs()[0].population == network.index_of("inner.deep.lif"));
    }

    TEST_CASE("an edge to 'sub.port' reaches that port alone") {
        const NirNode inner =
            graph({{"A", input({1})},
                   {"B", input({1})},
                   {"fast", relay(1)},
                   {"slow", relay(1)},
                   {"late", delay({0.5})},
                   {"X", output({1})},
                   {"Y", output({1})}},
                  {{"A", "fast"}, {"B", "late"}, {"late", "slow"}, {"fast", "X"}, {"slow", "Y"}});
        const Network network = network_of(document(
            {{"a", input({1})}, {"b", input({1})}, {"sub", inner}, {"x", output({1})}, {"y", output({1})}},
            {{"a", "sub.B"}, {"b", "sub.A"}, {"sub.Y", "x"}, {"sub.X", "y"}}));
        const SimulationResult result =
            run(network, {{"a", train({{1.0, 0}})}, {"b", train({{2.0, 0}})}}, 3.0);
        CHECK(result.spikes[network.index_of("sub.slow")] == train({{1.5, 0}}));
        CHECK(result.spikes[network.index_of("sub.fast")] == train({{2.0, 0}}));
        REQUIRE(network.outputs().size() == 2);
        CHECK(network.outputs()[0].population == network.index_of("sub.slow"));
        CHECK(network.outputs()[1].population == network.index_of("sub.fast"));
    }

    TEST_CASE("a node that has the name of a node in a sub-graph is refused") {
        const NirNode inner =
            graph({{"in", input({1})}, {"b", relay(1)}, {"out", output({1})}}, {{"in", "b"}, {"b", "out"}});
        const NirDocument twice = document({{"input", input({1})}, {"a", inner}, {"a.b", relay(1)}},
                                           {{"input", "a"}, {"input", "a.b"}});
        CHECK(contains(message_of<NetworkError>([&] { static_cast<void>(network_of(twice)); }), "a.b"));
    }

    TEST_CASE("a bias that several sources share counts once, one that leads to several targets in each") {
        // input -> relay -> shared -> t, input -> shared -> t and u. Bias 2 per second, over 3 s.
        const Network network = network_of(document({{"input", input({1})},
                                                     {"relay", relay(1)},
                                                     {"shared", affine({1, 1}, {10.0}, {2.0})},
                                                     {"t", sum(1)},
                                                     {"u", sum(1)}},
                                                    {{"input", "relay"},
                                                     {"relay", "shared"},
                                                     {"input", "shared"},
                                                     {"shared", "t"},
                                                     {"shared", "u"}}));
        CHECK(potentials_of(network, "t", {{1.0, 0}}, 3.0) == std::vector<double>{2 * 10.0 + 3 * 2.0});
        CHECK(potentials_of(network, "u", {{1.0, 0}}, 3.0) == std::vector<double>{2 * 10.0 + 3 * 2.0});
    }

    TEST_CASE("a bias before a branch that joins again counts once for each way") {
        const Network network = network_of(document(
            {{"input", input({1})},
             {"first", affine({1, 1}, {1.0}, {2.0})},
             {"left", affine({1, 1}, {3.0}, {5.0})},
             {"right", matrix({1, 1}, {7.0})},
             {"t", sum(1)}},
            {{"input", "first"}, {"first", "left"}, {"first", "right"}, {"left", "t"}, {"right", "t"}}));
        CHECK(potentials_of(network, "t", {}, 1.0) == std::vector<double>{2.0 * 3.0 + 5.0 + 2.0 * 7.0});
        CHECK(potentials_of(network, "t", {{0.5, 0}}, 1.0) == std::vector<double>{25.0 + 3.0 + 7.0});
    }

    TEST_CASE("a duplicate edge after a bias doubles it, one before does not") {
        const auto potential = [](const Edges& edges) {
            NirDocument twice =
                document({{"input", input({1})}, {"w", affine({1, 1}, {10.0}, {1.0})}, {"t", sum(1)}}, edges);
            io::check_nir(twice, "net.nir", {.sum_duplicate_edges = true});
            const Network network = converters::network_from_nir(twice).network;
            return potentials_of(network, "t", {{0.5, 0}}, 1.0).at(0);
        };
        CHECK(potential({{"input", "w"}, {"w", "t"}, {"w", "t"}}) == 2 * (10.0 + 1.0));
        CHECK(potential({{"input", "w"}, {"input", "w"}, {"w", "t"}}) == 2 * 10.0 + 1.0);
    }

    TEST_CASE("an Output fed by weights is the sum of what has arrived, and a note says so") {
        const auto imported = import_of(
            chain({{"input", input({2})}, {"w", matrix({1, 2}, {3.0, -1.0})}, {"result", output({1})}}));
        CHECK(names_of_populations(imported.network) == Names{"input", "result"});
        CHECK(potentials_of(imported.network, "result", {{0.1, 0}, {0.2, 0}, {0.3, 1}}, 1.0) ==
              std::vector<double>{5.0});
        CHECK(any_contains(imported.notes, "output 'result' is fed by weights"));
    }

    TEST_CASE("an Output that feeds a node is refused") {
        const NirDocument wrong = document({{"input", input({1})}, {"output", output({1})}, {"a", relay(1)}},
                                           {{"input", "output"}, {"output", "a"}});
        CHECK_THROWS_AS(static_cast<void>(network_of(wrong)), Error);
    }

    TEST_CASE("a cycle without delay is refused by the exact clock by name, and a recurrent delay cures it") {
        const std::string refused =
            message_of<NetworkError>([&] { static_cast<void>(ExactSimulation(network_of(loop()))); });
        CHECK(contains(refused, "a -> a"));
        CHECK(contains(refused, "no delay"));

        NirReading reading;
        reading.recurrent_delay = parse_duration("250ms");
        const auto cured = import_of(loop(), reading);
        CHECK(spikes_of(cured.network, "a", {{1.0, 0}}, 2.0) ==
              train({{1.0, 0}, {1.25, 0}, {1.5, 0}, {1.75, 0}, {2.0, 0}}));
        CHECK(any_contains(cured.notes, "a -> a closes a cycle without delay: delayed by 250ms"));
    }

    TEST_CASE("a cycle of nodes without memory is refused by name") {
        const NirDocument wrong =
            document({{"input", input({1})}, {"v", linear(1, 1)}, {"w", linear(1, 1)}, {"a", relay(1)}},
                     {{"input", "v"}, {"v", "w"}, {"w", "v"}, {"w", "a"}});
        CHECK(contains(message_of<NetworkError>([&] { static_cast<void>(network_of(wrong)); }),
                       "cycle of nodes without memory"));
    }

    TEST_CASE("branches that double at every node are refused, or not walked where they lead nowhere") {
        Nodes nodes{{"input", input({1})}};
        Edges edges;
        std::string from = "input";
        for (int i = 0; i < 60; ++i) {
            const std::string n = std::to_string(i);
            for (const std::string& name : {"l" + n, "r" + n, "j" + n}) {
                nodes.emplace_back(name, node("Scale", {{"scale", filled(1.0, {1})}}));
            }
            for (const std::string& side : {"l" + n, "r" + n}) {
                edges.emplace_back(from, side);
                edges.emplace_back(side, "j" + n);
            }
            from = "j" + n;
        }
        CHECK(any_contains(import_of(document(nodes, edges)).notes,
                           "node 'j59' leads to no neuron and no Output: left out."));
        nodes.emplace_back("t", sum(1));
        edges.emplace_back(from, "t");
        CHECK(contains(message_of<LimitError>([&] { static_cast<void>(network_of(document(nodes, edges))); }),
                       "paths between neurons"));
    }

    TEST_CASE("a chain of ten thousand nodes is one projection") {
        Nodes nodes{{"input", input({1})}};
        for (int i = 0; i < 10'000; ++i) {
            nodes.emplace_back("s" + std::to_string(i), node("Scale", {{"scale", filled(1.0, {1})}}));
        }
        nodes.emplace_back("t", sum(1));
        CHECK(network_of(chain(nodes)).projections()[0].stages.size() == 10'000);
    }

    TEST_CASE("a network does not depend on the order of nodes and edges in the document") {
        Nodes nodes{{"input", input({2})},
                    {"p", affine({1, 2}, {0.1, 0.2}, {0.7})},
                    {"q", matrix({1, 2}, {0.3, 0.5})},
                    {"r", affine({1, 2}, {0.7, 1e-9}, {0.1})},
                    {"t", sum(1)}};
        Edges edges{{"input", "p"}, {"input", "q"}, {"input", "r"}, {"p", "t"}, {"q", "t"}, {"r", "t"}};
        const std::vector<double> expected =
            potentials_of(network_of(document(nodes, edges)), "t", {{0.1, 0}, {0.2, 1}}, 1.0);
        std::reverse(nodes.begin(), nodes.end());
        std::reverse(edges.begin(), edges.end());
        CHECK(potentials_of(network_of(document(nodes, edges)), "t", {{0.1, 0}, {0.2, 1}}, 1.0) == expected);
    }
}

TEST_SUITE("converters/from_nir/delay") {
    TEST_CASE("one delay for all channels shifts every arrival") {
        const Network network =
            network_of(chain({{"input", input({2})}, {"d", delay({0.25, 0.25})}, {"a", relay(2)}}));
        CHECK(spikes_of(network, "a", {{1.0, 0}, {1.5, 1}}, 2.0) == train({{1.25, 0}, {1.75, 1}}));
    }

    TEST_CASE("a delay before a Linear is one per source, one after it one per target") {
        const NirNode all = matrix({2, 2}, {1.0, 1.0, 1.0, 1.0});
        const Network before = network_of(
            chain({{"input", input({2})}, {"d", delay({0.25, 0.5})}, {"w", all}, {"a", relay(2)}}));
        const SpikeTrain by_source = spikes_of(before, "a", {{1.0, 0}, {2.0, 1}}, 3.0);
        CHECK(seconds_of(by_source, 0) == std::vector<double>{1.25, 2.5});
        CHECK(seconds_of(by_source, 1) == std::vector<double>{1.25, 2.5});

        const Network after = network_of(
            chain({{"input", input({2})}, {"w", all}, {"d", delay({0.25, 0.5})}, {"a", relay(2)}}));
        const SpikeTrain by_target = spikes_of(after, "a", {{1.0, 0}, {2.0, 1}}, 3.0);
        CHECK(seconds_of(by_target, 0) == std::vector<double>{1.25, 2.25});
        CHECK(seconds_of(by_target, 1) == std::vector<double>{1.5, 2.5});
    }

    TEST_CASE("delays along a chain add up") {
        const Network network = network_of(chain({{"input", input({2})},
                                                  {"d", delay({0.25, 0.5})},
                                                  {"w", matrix({1, 2}, {1.0, 1.0})},
                                                  {"e", delay({0.125})},
                                                  {"a", relay(1)}}));
        CHECK(spikes_of(network, "a", {{1.0, 0}, {2.0, 1}}, 3.0) == train({{1.375, 0}, {2.625, 0}}));
    }

    TEST_CASE("a delay is read in the unit of the file") {
        NirReading reading;
        reading.time_unit = converters::TimeUnit::milliseconds;
        const Network network =
            network_of(chain({{"input", input({1})}, {"d", delay({1.5})}, {"a", relay(1)}}), reading);
        CHECK(spikes_of(network, "a", {{0.0, 0}}, 1.0) == train({{0.0015, 0}}));
        reading.time_unit = converters::TimeUnit::steps;
        reading.dt = parse_duration("2ms");
        const Network steps =
            network_of(chain({{"input", input({1})}, {"d", delay({3})}, {"a", relay(1)}}), reading);
        CHECK(spikes_of(steps, "a", {{0.0, 0}}, 1.0) == train({{0.006, 0}}));
    }
}

TEST_SUITE("converters/from_nir/notes") {
    NirDocument leaky(double tau) {
        return chain({{"input", input({1})},
                      {"lif", node("LIF", {{"tau", reals({tau})},
                                           {"r", reals({1.0})},
                                           {"v_leak", reals({0.0})},
                                           {"v_threshold", reals({1.0})},
                                           {"v_reset", reals({0.0})}})},
                      {"output", output({1})}});
    }

    TEST_CASE("no convention: said where a time constant gives a spike another meaning, and only there") {
        CHECK(any_contains(import_of(leaky(0.02)).notes, "convention: none given"));
        CHECK(import_of(chain({{"input", input({1})}, {"a", relay(1)}, {"output", output({1})}}))
                  .notes.empty());
        NirReading reading;
        reading.convention = "nir";
        CHECK(import_of(leaky(0.02), reading).notes.empty());
    }

    TEST_CASE("time constants above half a second are questioned unless the unit is told") {
        CHECK(any_contains(import_of(leaky(20.0)).notes, "--time-unit ms"));
        CHECK_FALSE(any_contains(import_of(leaky(0.02)).notes, "--time-unit"));
        NirReading reading;
        reading.time_unit = converters::TimeUnit::milliseconds;
        CHECK_FALSE(any_contains(import_of(leaky(20.0), reading).notes, "--time-unit"));
    }

    TEST_CASE("a step that is needed and not given is told") {
        NirReading reading;
        reading.convention = "norse";
        CHECK(any_contains(import_of(leaky(0.02), reading).notes, "one step is 1ms, the default of norse"));
        reading.dt = parse_duration("2ms");
        CHECK(import_of(leaky(0.02), reading).notes.empty());
    }

    TEST_CASE("the document's own metadata name its convention and step, and the reader overrules them") {
        NirDocument own = leaky(0.02);
        own.root.metadata.entries = {
            {"saltus", io::NirGroup{{{"convention", std::string("norse")}, {"dt", number(2e-3)}}}}};
        const auto J = [](const Network& network) {
            return std::get<neurons::PerNeuron<neurons::Lif>>(network.populations()[1].model).at(0).J;
        };
        const auto imported = import_of(own);
        CHECK(J(imported.network) == doctest::Approx(0.1).epsilon(1e-14));  // dt / tau
        CHECK(any_contains(imported.notes, "convention 'norse', as the file's own metadata say"));
        NirReading reading;
        reading.convention = "nir";
        CHECK(J(network_of(own, reading)) == doctest::Approx(50.0).epsilon(1e-14));
    }

    TEST_CASE("what is left out or silent is told") {
        const Notes notes = import_of(document({{"input", input({1})},
                                                {"a", relay(1)},
                                                {"lost", linear(1, 1)},
                                                {"silent", relay(1)},
                                                {"out", output({1})}},
                                               {{"input", "a"}, {"lost", "silent"}, {"a", "out"}}))
                                .notes;
        CHECK(any_contains(notes, "node 'lost' is reached from no population: left out."));
        CHECK(any_contains(notes, "population 'silent' can be reached by no input"));
    }

    TEST_CASE("a step must be longer than nothing") {
        NirReading reading;
        reading.dt = Duration();
        CHECK_THROWS_AS(static_cast<void>(network_of(leaky(0.02), reading)), UsageError);
    }
}

}  // namespace
}  // namespace saltus::test
