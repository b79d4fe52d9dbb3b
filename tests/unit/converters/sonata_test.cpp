// SONATA circuits as networks: NEST's units and defaults, and what is refused.
#include "saltus/converters/sonata.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "saltus/engine/errors.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::converters;
using saltus::test::contains;
using saltus::test::message_of;

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

/// One virtual node and two neurons.
io::SonataCircuit circuit(const std::string& model = "nest:iaf_psc_exp") {
    io::SonataNodes in{"nodes.h5", "in", {{9, {{"model_type", "virtual"}}, {}}}, {0}, {}};
    io::SonataNodes out{
        "nodes.h5",
        "out",
        {{7, {{"model_type", "point_neuron"}, {"model_template", model}}, {{"C_m", 200.0}, {"tau_m", 20.0}}}},
        {0, 0},
        {{"tau_m", {nothing, 40.0}}}};
    io::SonataEdges edges{"edges.h5", "e", "in", "out", {0, 0}, {0, 1}, {80.0, nothing}, {2.5, nothing}};
    return {{in, out}, {edges}};
}

std::string refusal(const io::SonataCircuit& c) {
    return message_of<Error>([&] { return network_from_sonata(c); });
}

}  // namespace

TEST_SUITE("converters/sonata") {
    TEST_CASE("milliseconds, picofarads and picoamperes become SI units, the rest is NEST's default") {
        const Import import = network_from_sonata(circuit());
        const Network& network = import.network;
        REQUIRE(network.populations().size() == 2);
        CHECK(network.populations()[0].is_input());
        const Projection& projection = network.projections()[0];
        const auto& sparse = std::get<Sparse>(projection.stages.at(0));
        CHECK(sparse.table->targets == std::vector<NeuronIndex>{1, 0});  // by delay
        CHECK(sparse.weights[0] == 1e-12);
        CHECK(sparse.weights[1] == 80e-12);
        CHECK(projection.min_delay() == Duration(1'000'000'000'000));
        CHECK(projection.max_delay() == Duration(2'500'000'000'000));
        CHECK(import.notes ==
              std::vector<std::string>{
                  "edges 'e': 1 of 2 have NEST's default weight, 1, as the files say nothing.",
                  "edges 'e': 1 of 2 have NEST's default delay, 1 ms, as the files say nothing."});
    }

    TEST_CASE("a node's own parameter goes before that of its type") {
        const Network network = network_from_sonata(circuit("nest:iaf_psc_delta")).network;
        const auto& model = std::get<neurons::PerNeuron<neurons::Lif>>(network.populations()[1].model);
        REQUIRE(model.size() == 2);
        CHECK(model[0].tau_m == 20e-3);
        CHECK(model[1].tau_m == 40e-3);
        CHECK(model[1].R == 40e-3 / 200e-12);
        CHECK(model[0].V_th == -55e-3);
        // Weights of delta synapses are millivolts.
        CHECK(std::get<Sparse>(network.projections()[0].stages[0]).weights[1] == 80e-3);
    }

    TEST_CASE("edges between nodes that no file has are errors of the file") {
        io::SonataCircuit c = circuit();
        c.edges[0].targets[1] = 2;
        CHECK(refusal(c) == "edges.h5: edges 'e', target_node_id: expected nodes below 2, found 2 at 1.");
        c = circuit();
        c.edges[0].source = "inn";
        CHECK(refusal(c) ==
              "edges.h5: edges 'e', source_node_id: no file has nodes 'inn'. Did you mean 'in'?");
        c = circuit();
        c.nodes[0].type.clear();
        CHECK(refusal(c) == "nodes.h5: nodes 'in': expected at least one node, found none.");
    }

    TEST_CASE("models and parameters that are not known are refused by population") {
        CHECK(contains(refusal(circuit("nest:aeif_cond_alpha")),
                       "'out', field 'model': 'aeif_cond_alpha' has no closed-form flow"));
        CHECK(refusal(circuit("nrn:IntFire1")) ==
              "'out', field 'model_template': expected a model of NEST, nest:NAME, or of Saltus, "
              "saltus:NAME, found 'nrn:IntFire1'.");
        io::SonataCircuit c = circuit();
        c.nodes[1].types[0].attributes["model_type"] = "biophysical";
        CHECK(refusal(c) ==
              "'out', field 'model_type': expected virtual or point_neuron, found 'biophysical'.");
        c = circuit();
        c.nodes[1].types[0].parameters["V_min"] = -80.0;
        CHECK(contains(refusal(c), "'out', field 'V_min': iaf_psc_exp has no such parameter."));
        c = circuit();
        c.nodes[1].types[0].parameters.erase("tau_m");
        CHECK(refusal(c) ==
              "'out', field 'tau_m': expected a value for every node or for none, 1 of 2 have none.");
        c = circuit();
        c.nodes[1].types.push_back(c.nodes[1].types[0]);
        c.nodes[1].types[1].attributes["model_template"] = "nest:iaf_psc_delta";
        c.nodes[1].type[1] = 1;
        CHECK(refusal(c) ==
              "'out', field 'model_template': expected the same for all nodes of a population, found "
              "'nest:iaf_psc_exp' and 'nest:iaf_psc_delta'. Make a population of each.");
        c = circuit();
        c.edges[0].delay[0] = -1.0;
        CHECK(refusal(c) == "in -> out, field 'delay[0]': expected >= 0, found -1ms.");
    }

    TEST_CASE("a cycle without delay is given the delay that was asked for") {
        io::SonataCircuit c = circuit();
        c.edges.push_back({"edges.h5", "loop", "out", "out", {0}, {1}, {1.0}, {0.0}});
        CHECK(!network_from_sonata(c).network.cycles_without_delay().empty());
        const Import import = network_from_sonata(c, Duration(5));
        CHECK(import.network.cycles_without_delay().empty());
        CHECK(import.notes.back() == "out -> out closes a cycle without delay: delayed by 5fs as asked.");
    }
}
