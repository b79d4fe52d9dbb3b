// SONATA circuits: what goes before what, and files that lie.
#include "saltus/io/sonata_network.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "saltus/engine/errors.hpp"
#include "unit/io/hdf5_fixture.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::io;
using namespace saltus::test;

namespace {

using Ids = std::vector<std::uint64_t>;
using Reals = std::vector<double>;

/// A circuit of two neurons and one virtual node, every file of which a test may replace.
class Circuit {
  public:
    Circuit() {
        write("circuit_config.json", R"({
            "manifest": {"$BASE": "${configdir}", "$NET": "$BASE/net"},
            "components": {"point_neuron_models_dir": "$BASE/cells", "synaptic_models_dir": "syn"},
            "networks": {
                "nodes": [{"nodes_file": "$NET/nodes.h5", "node_types_file": "$NET/node_types.csv"}],
                "edges": [{"edges_file": "${NET}/edges.h5", "edge_types_file": "net/edge_types.csv"},
                          {"edges_file": "missing.h5", "enabled": false}]}})");
        write("net/node_types.csv",
              "node_type_id model_type model_template dynamics_params \"a b\"\n"
              "7 point_neuron nest:iaf_psc_exp cell.json \"x y\"\n"
              "9 virtual NULL NULL NULL\n");
        write("net/edge_types.csv",
              "edge_type_id delay syn_weight dynamics_params\n"
              "1 2.5 NULL weak.json\n"
              "2 NULL -3.5 weak.json\n");
        write("cells/cell.json", R"({"C_m": 250.0, "tau_m": 20, "comment": "none"})");
        write("syn/weak.json", R"({"weight": 0.25})");
        nodes();
        edges();
    }

    void write(const char* name, std::string_view text) const { write_bytes(folder_ / name, text); }
    void nodes(const Ids& types = {7, 7}, const Ids& ids = {1, 0}) const {
        Hdf5Writer(folder_ / "net/nodes.h5")
            .column("nodes/in/node_type_id", Ids{9})
            .group("nodes/in/0")
            .column("nodes/out/node_type_id", types)
            .column("nodes/out/node_id", ids)
            .column("nodes/out/node_group_id", std::vector<std::uint32_t>{0, 3})
            .column("nodes/out/node_group_index", Ids{0, 1})
            .group("nodes/out/0")
            .column("nodes/out/3/dynamics_params/tau_m", Reals{1.0, 30.0});
    }
    void edges(const Ids& sources = {0, 0, 0}, const Ids& targets = {0, 1, 1}, const Ids& types = {1, 2, 1},
               const Ids& rows = {0, 1, 0}, const Reals& delays = {8.0, 9.0}) const {
        Hdf5Writer(folder_ / "net/edges.h5")
            .column("edges/in_out/source_node_id", sources)
            .text_attribute("edges/in_out/source_node_id", "node_population", "in")
            .column("edges/in_out/target_node_id", targets)
            .text_attribute("edges/in_out/target_node_id", "node_population", "out")
            .column("edges/in_out/edge_type_id", types)
            .column("edges/in_out/edge_group_id", std::vector<std::uint16_t>{0, 1, 2})
            .column("edges/in_out/edge_group_index", rows)
            .column("edges/in_out/1/delay", delays)
            .column("edges/in_out/2/nsyns", std::vector<std::uint32_t>{4})
            .group("edges/in_out/0")
            .column("edges/in_out/indices/source_to_target/node_id_to_ranges", Ids{1, 2, 3});
    }

    [[nodiscard]] SonataCircuit read(const char* config = "circuit_config.json") const {
        return read_sonata_circuit(folder_ / config);
    }
    [[nodiscard]] std::string refusal() const {
        return message_of<FileError>([&] { return read(); });
    }
    [[nodiscard]] std::filesystem::path operator/(const char* name) const { return folder_ / name; }

  private:
    TemporaryFolder folder_;
};

}  // namespace

TEST_SUITE("io/sonata_network") {
    TEST_CASE("nodes come in the order of their ids, with what their types and they themselves say") {
        const SonataCircuit circuit = Circuit().read();
        REQUIRE(circuit.nodes.size() == 2);
        CHECK(circuit.nodes[0].population == "in");
        CHECK(circuit.nodes[0].type == std::vector<std::uint32_t>{1});
        const SonataNodes& out = circuit.nodes[1];
        CHECK(out.population == "out");
        CHECK(out.type == std::vector<std::uint32_t>{0, 0});
        CHECK(out.types[0].id == 7);
        CHECK(out.types[0].attributes.at("model_template") == "nest:iaf_psc_exp");
        CHECK(out.types[0].attributes.at("a b") == "x y");
        CHECK(out.types[1].attributes.count("model_template") == 0);
        CHECK(out.types[0].parameters == std::map<std::string, double>{{"C_m", 250.0}, {"tau_m", 20.0}});
        const std::vector<double>& tau_m = out.parameters.at("tau_m");
        REQUIRE(tau_m.size() == 2);
        CHECK(tau_m[0] == 30.0);  // row 1 of the file has id 0
        CHECK(std::isnan(tau_m[1]));
    }

    TEST_CASE("an edge's own value goes before that of its type, the type's column before its parameters") {
        const SonataCircuit circuit = Circuit().read();
        REQUIRE(circuit.edges.size() == 1);
        const SonataEdges& edges = circuit.edges[0];
        CHECK(edges.population == "in_out");
        CHECK(edges.source == "in");
        CHECK(edges.target == "out");
        CHECK(edges.sources == std::vector<NeuronIndex>{0, 0, 0});
        CHECK(edges.targets == std::vector<NeuronIndex>{0, 1, 1});
        CHECK(edges.weight == std::vector<double>{0.25, -3.5, 4 * 0.25});
        CHECK(edges.delay == std::vector<double>{2.5, 9.0, 2.5});
    }

    TEST_CASE("an edge of which nothing is said has no delay, and groups may be left out") {
        const Circuit circuit;
        circuit.write("net/edge_types.csv", "edge_type_id\n1\n");
        Hdf5Writer(circuit / "net/edges.h5")
            .column("edges/e/source_node_id", Ids{0, 0})
            .text_attribute("edges/e/source_node_id", "node_population", "in")
            .column("edges/e/target_node_id", Ids{0, 1})
            .text_attribute("edges/e/target_node_id", "node_population", "out")
            .column("edges/e/edge_type_id", Ids{1, 1})
            .column("edges/e/0/syn_weight", Reals{5.0, 6.0});
        const SonataEdges edges = circuit.read().edges.at(0);
        CHECK(edges.weight == std::vector<double>{5.0, 6.0});
        CHECK(std::isnan(edges.delay[0]));
        CHECK(std::isnan(edges.delay[1]));
    }

    TEST_CASE("a simulation configuration leads to its circuit") {
        const Circuit circuit;
        circuit.write("simulation_config.json", R"({"network": "$HERE/circuit_config.json",
            "manifest": {"$HERE": "."}, "run": {"tstop": 10.0}})");
        CHECK(is_sonata_config(circuit / "simulation_config.json"));
        CHECK(is_sonata_config(circuit / "circuit_config.json"));
        CHECK(!is_sonata_config(circuit / "cells/cell.json"));
        CHECK(!is_sonata_config(circuit / "missing.json"));
        CHECK(circuit.read("simulation_config.json").edges.size() == 1);
        circuit.write("simulation_config.json", R"({"network": "simulation_config.json"})");
        CHECK(contains(message_of<FileError>([&] { return circuit.read("simulation_config.json"); }),
                       "network: expected a circuit configuration, found "));
    }

    TEST_CASE("configurations that lead nowhere are refused") {
        const Circuit circuit;
        const auto refusal = [&](std::string_view text) {
            circuit.write("circuit_config.json", text);
            return circuit.refusal();
        };
        CHECK(contains(refusal("{"), "is not JSON"));
        CHECK(contains(refusal("[]"), "expected a JSON object, found array"));
        CHECK(contains(refusal("{}"), "expected 'networks' (a circuit) or 'network' (a simulation)"));
        CHECK(contains(refusal(R"({"networks": []})"), "networks: expected an object, found array"));
        CHECK(contains(refusal(R"({"networks": {}})"), "networks.nodes: names no population of nodes"));
        CHECK(contains(refusal(R"({"networks": {"nodes": [{}]}})"),
                       "networks.nodes[0]: expected an entry 'nodes_file', found none"));
        CHECK(contains(refusal(R"({"networks": {"nodes": [{"nodes_file": 3}]}})"),
                       "networks.nodes[0].nodes_file: expected a path, found number"));
        CHECK(contains(refusal(R"({"networks": {"nodes": [{"nodes_file": "$X/n.h5"}]}})"),
                       "expected a name of the manifest, found '$X'"));
        CHECK(contains(refusal(R"({"manifest": {"$X": "$Y", "$Y": "$X"},
                                   "networks": {"nodes": [{"nodes_file": "$X/n.h5"}]}})"),
                       "names of the manifest that never end"));
        CHECK(contains(refusal(R"({"manifest": {"$X": "$X$X"},
                                   "networks": {"nodes": [{"nodes_file": "$X/n.h5"}]}})"),
                       "names of the manifest that never end"));
        CHECK(contains(refusal(R"({"networks": {"nodes": [{"nodes_file": "n.h5"}]}})"), "no such file"));
        std::string deep = R"({"networks": )";
        for (int i = 0; i < 100'000; ++i) deep += "[";
        CHECK(contains(refusal(deep), "is nested deeper than 32 levels"));
    }

    TEST_CASE("tables of types that cannot be read are refused by line") {
        const Circuit circuit;
        const auto refusal = [&](std::string_view text) {
            circuit.write("net/node_types.csv", text);
            return circuit.refusal();
        };
        CHECK(contains(refusal("type model_type\n"), "line 1: expected a column 'node_type_id', found none"));
        CHECK(contains(refusal("node_type_id a\n7\n"), "line 2: expected 2 columns, found 1"));
        CHECK(contains(refusal("node_type_id\n\nx\n"),
                       "line 3, node_type_id: expected a whole number, found 'x'"));
        CHECK(contains(refusal("node_type_id\n7\n7\n"), "line 3, node_type_id: expected each type once"));
        CHECK(contains(refusal("node_type_id\n\"7\n"), "line 2: expected a closing quote, found none"));
        CHECK(contains(refusal("node_type_id dynamics_params\n7 lost.json\n"), "lost.json: no such file"));
        CHECK(contains(refusal("node_type_id\n7\n"), "expected a type of the table, found 9"));
        CHECK(contains(refusal(""), "expected a type of the table, found 9"));
        circuit.write("cells/cell.json", R"({"tau_m": 1e999})");
        CHECK(contains(refusal("node_type_id dynamics_params\n7 cell.json\n9 NULL\n"), "is not JSON"));
    }

    TEST_CASE("nodes that contradict themselves are refused") {
        const Circuit circuit;
        circuit.nodes({7, 7}, {0, 0});
        CHECK(contains(circuit.refusal(), "entry 1: expected each of 0 to 1 once, found 0"));
        circuit.nodes({7, 7}, {0, 2});
        CHECK(contains(circuit.refusal(), "entry 1: expected each of 0 to 1 once, found 2"));
        circuit.nodes({7, 7}, {0, 1, 2});
        CHECK(contains(circuit.refusal(), "expected a column of 2"));
        circuit.nodes({7, 7, 7}, {0, 1, 2});
        CHECK(contains(circuit.refusal(), "expected a column of 3"));
    }

    TEST_CASE("edges that contradict themselves are refused") {
        const Circuit circuit;
        circuit.edges({0, 0});
        CHECK(contains(circuit.refusal(), "source_node_id"));
        circuit.edges({0, 0, std::uint64_t{1} << 40});
        CHECK(contains(circuit.refusal(), "expected a node, 0 to 268435455, found 1099511627776"));
        circuit.edges({0, 0, ~std::uint64_t{0}});
        CHECK(contains(circuit.refusal(), "out of range"));
        circuit.edges({0, 0, 0}, {0, 1, 1}, {1, 2, 3});
        CHECK(contains(circuit.refusal(), "entry 2: expected a type of the table, found 3"));
        circuit.edges({0, 0, 0}, {0, 1, 1}, {1, 2, 1}, {0, 2, 0});
        CHECK(contains(circuit.refusal(), "entry 1: expected a row of group 1, 0 to 2 (exclusive), found 2"));
        circuit.edges({0, 0, 0}, {0, 1, 1}, {1, 2, 1}, {0, 1, 0}, {1.0, std::nan("")});
        CHECK(contains(circuit.refusal(), "entry 1: expected a finite number, found nan"));
        circuit.edges();
        circuit.write("net/edge_types.csv", "edge_type_id delay\n1 soon\n2 1\n");
        CHECK(contains(circuit.refusal(), "edge type 1, delay: expected a finite number, found 'soon'"));
        circuit.write("net/edges.h5", "");
        CHECK(contains(circuit.refusal(), "edges.h5"));
        Hdf5Writer(circuit / "net/edges.h5")
            .external_link("edges", (circuit / "net/nodes.h5").string(), "nodes");
        CHECK(contains(circuit.refusal(), "edges"));
        Hdf5Writer(circuit / "net/edges.h5").column("edges/e/edge_type_id", Ids{});
        CHECK(contains(circuit.refusal(), "source_node_id"));
    }

    TEST_CASE("more edges than are read at once come out in their order") {
        const Circuit circuit;
        const std::size_t n = (std::size_t{1} << 20) + 5;
        Ids targets(n);
        for (std::size_t i = 0; i < n; ++i) targets[i] = i % 3 == 0 ? 0 : 1;
        Reals delays(n);
        for (std::size_t i = 0; i < n; ++i) delays[i] = static_cast<double>(i);
        circuit.write("net/edge_types.csv", "edge_type_id\n1\n");
        Hdf5Writer(circuit / "net/edges.h5")
            .column("edges/e/source_node_id", Ids(n, 0))
            .text_attribute("edges/e/source_node_id", "node_population", "in")
            .column("edges/e/target_node_id", targets)
            .text_attribute("edges/e/target_node_id", "node_population", "out")
            .column("edges/e/edge_type_id", Ids(n, 1))
            .column("edges/e/0/delay", delays);
        const SonataEdges edges = circuit.read().edges.at(0);
        CHECK(edges.delay == delays);
        CHECK(edges.targets == std::vector<NeuronIndex>(targets.begin(), targets.end()));
    }
}
