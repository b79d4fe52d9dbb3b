// Documents to networks and back, and what networks do, as the tests of converters need them.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "saltus/converters/nir.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/random.hpp"
#include "saltus/engine/simulate.hpp"
#include "unit/io/nir_documents.hpp"
#include "unit/io/nir_fixture.hpp"

namespace saltus::test {

using converters::NirReading;
using Notes = std::vector<std::string>;
using Names = std::vector<std::string>;
using Spikes = std::vector<std::pair<double, NeuronIndex>>;  // seconds, neuron

inline NirDocument checked(NirDocument document, const io::NirReadOptions& options = {}) {
    io::check_nir(document, "net.nir", options);
    return document;
}
inline converters::NirImport import_of(const NirDocument& document, const NirReading& reading = {}) {
    return converters::network_from_nir(checked(document), reading);
}
inline Network network_of(const NirDocument& document, const NirReading& reading = {}) {
    return import_of(document, reading).network;
}
/// A document in which losses are refused, checked and read back.
inline Network there_and_back(const Network& network) {
    return network_of(converters::nir_from_network(network));
}

inline Time at(double seconds) {
    return Time(duration_from_seconds(seconds));
}

inline SpikeTrain train(const Spikes& spikes) {
    SpikeTrain result;
    for (const auto& [seconds, neuron] : spikes) result.add(at(seconds), neuron);
    return result;
}

inline SimulationResult run(const Network& network, const std::vector<InputSpikes>& inputs, double seconds) {
    SimulationOptions options;
    options.duration = duration_from_seconds(seconds);
    return simulate(network, inputs, options);
}
inline SpikeTrain spikes_of(const Network& network, const std::string& population, const Spikes& spikes,
                            double seconds, const std::string& input = "input") {
    return run(network, {{input, train(spikes)}}, seconds).spikes[network.index_of(population)];
}
/// At the end of the run.
inline std::vector<double> potentials_of(const Network& network, const std::string& population,
                                         const Spikes& spikes, double seconds,
                                         const std::string& input = "input") {
    return run(network, {{input, train(spikes)}}, seconds).final_potentials[network.index_of(population)];
}

/// `count` spikes for each input of the network, at random instants of a run of `seconds`.
inline std::vector<InputSpikes> random_inputs(const Network& network, std::size_t count, double seconds) {
    std::vector<InputSpikes> inputs;
    std::uint64_t stream = 0;
    for (const Population& population : network.populations()) {
        if (!population.is_input()) continue;
        const CounterRandom random(1, stream++);
        SpikeTrain spikes;
        for (std::size_t k = 0; k < count; ++k) {
            spikes.add(at(seconds * random.uniform(2 * k)),
                       static_cast<NeuronIndex>(random.below(2 * k + 1, population.size())));
        }
        spikes.sort();
        inputs.push_back({population.name, std::move(spikes)});
    }
    return inputs;
}

/// What a run makes of one population.
struct Outcome {
    std::string population;
    SpikeTrain spikes;
    std::vector<double> final_potentials;

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// Of every population, by name: what must survive a conversion to the last bit.
inline std::vector<Outcome> outcome(const Network& network, const std::vector<InputSpikes>& inputs,
                                    double seconds) {
    const SimulationResult result = run(network, inputs, seconds);
    std::vector<Outcome> outcomes;
    for (std::size_t q = 0; q < result.spikes.size(); ++q) {
        outcomes.push_back({network.populations()[q].name, result.spikes[q], result.final_potentials[q]});
    }
    std::sort(outcomes.begin(), outcomes.end(),
              [](const Outcome& a, const Outcome& b) { return a.population < b.population; });
    return outcomes;
}

inline const NirNode& node_of(const NirDocument& document, const std::string& name) {
    const NirNode* found = document.root.graph->find(name);
    REQUIRE_MESSAGE(found != nullptr, name);
    return *found;
}
inline Names nodes_of(const NirDocument& document) {
    Names names = names_of(*document.root.graph);
    std::sort(names.begin(), names.end());
    return names;
}
/// Nodes, their contents and the edges, in no order. Types of numbers aside: a document may hold a float as a
/// double.
inline void check_same(const NirDocument& a, const NirDocument& b) {
    CHECK(nodes_of(a) == nodes_of(b));
    auto edges_a = a.root.graph->edges;
    auto edges_b = b.root.graph->edges;
    std::sort(edges_a.begin(), edges_a.end());
    std::sort(edges_b.begin(), edges_b.end());
    CHECK(edges_a == edges_b);
    for (const auto& named : a.root.graph->nodes) {
        const std::string& name = named.first;
        const NirNode& node = named.second;
        CAPTURE(name);
        const NirNode& other = node_of(b, name);
        CHECK(node.type == other.type);
        REQUIRE(node.fields.entries.size() == other.fields.entries.size());
        for (const auto& entry : node.fields.entries) {
            const std::string& field = entry.first;
            CAPTURE(field);
            const NirArray* array = node.array(field);
            if (array == nullptr) {
                CHECK(*node.string(field) == *other.string(field));
                continue;
            }
            REQUIRE(other.array(field) != nullptr);
            CHECK(array->shape == other.array(field)->shape);
            CHECK(array->reals() == other.array(field)->reals());
        }
    }
}

inline NirNode matrix(const Shape& shape, const std::vector<double>& weights) {
    return node("Linear", {{"weight", NirArray::of(weights, shape)}});
}
inline NirNode affine(const Shape& shape, const std::vector<double>& weights,
                      const std::vector<double>& bias) {
    return node("Affine", {{"weight", NirArray::of(weights, shape)}, {"bias", reals(bias)}});
}
/// n neurons that fire at every arrival of weight 0.5 or more.
inline NirNode relay(std::uint64_t n) {
    return node("IF",
                {{"r", filled(1.0, {n})}, {"v_threshold", filled(0.5, {n})}, {"v_reset", filled(0.0, {n})}});
}
/// n neurons whose potential is the sum of what has arrived.
inline NirNode sum(std::uint64_t n) {
    return node("I", {{"r", filled(1.0, {n})}});
}
inline NirNode delay(const std::vector<double>& seconds) {
    return node("Delay", {{"delay", reals(seconds)}});
}

inline bool any_contains(const Notes& notes, std::string_view part) {
    return std::any_of(notes.begin(), notes.end(),
                       [&](const std::string& note) { return contains(note, part); });
}

}  // namespace saltus::test
