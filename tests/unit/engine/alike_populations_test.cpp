// Populations that share blocks: who does, what a block keeps of their synapses, and that nobody's spikes or
// state tell.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "saltus/engine/communication.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/network_builder.hpp"
#include "saltus/engine/simulate.hpp"
#include "saltus/engine/snapshot.hpp"
#include "simulation/plan.hpp"

namespace saltus {
namespace {

/// How the populations of a network are chosen.
struct Choice {
    std::string name;
    std::string model = "lif_exp";
    bool inhibitory_weight_differs = true;  // from one target to the other
    bool random_weights = false;
    bool any_delay = false;
    bool poisson = false;
    bool procedural = false;
};
const std::vector<Choice> choices{
    {.name = "delta", .model = "lif_delta"},
    {.name = "exp"},
    {.name = "exp, one weight", .inhibitory_weight_differs = false},
    {.name = "exp, weights of their own", .random_weights = true},
    {.name = "exp, delays of their own", .any_delay = true},
    {.name = "exp, trains", .random_weights = true, .poisson = true},
    {.name = "delta, trains", .model = "lif_delta", .poisson = true},
    {.name = "exp, drawn again", .procedural = true},
};

/// Three alike populations whose thresholds, resets, refractory periods and drives differ, all connected with
/// all, some pairs twice; the last is longer than a group of Poisson trains.
NetworkBuilder builder_of(const Choice& choice) {
    NetworkBuilder build(7);
    const bool delta = choice.model == "lif_delta";
    struct Kind {
        const char* name;
        std::uint32_t size;
        double V_th, V_reset, t_ref, E_L;
    };
    const std::vector<Kind> kinds{{"b", 150, 20e-3, 10e-3, 2e-3, 0.0},
                                  {"a", 70, 18e-3, 5e-3, 0.0, 1e-3},
                                  {"c", 1'100, 22e-3, 0.0, 1e-3, -1e-3}};
    for (const Kind& kind : kinds) {
        Parameters p{{"tau_m", 20e-3},      {"E_L", kind.E_L},
                     {"V_th", kind.V_th},   {"V_reset", kind.V_reset},
                     {"t_ref", kind.t_ref}, {"V_0", Distribution::uniform(0.0, 20e-3)}};
        const double drive = choice.poisson ? 0.0 : 1.4 * kind.V_th;
        if (delta) {
            p.push_back({"I_e", drive});
        } else {
            p.push_back({"C_m", 250e-12});
            p.push_back({"tau_syn", 2e-3});
            p.push_back({"I_e", drive * 250e-12 / 20e-3});
        }
        build.population(kind.name, {kind.size}, choice.model, p);
    }
    const double w = delta ? 0.4e-3 : 100e-12;
    const auto weight = [&](double mean) {
        return choice.random_weights ? Distribution::normal(mean, 0.3 * std::abs(mean))
                                     : Distribution::constant(mean);
    };
    const Distribution delay =
        choice.any_delay ? Distribution::uniform(1e-3, 4e-3) : Distribution::uniform(1e-3, 4e-3, 0.25e-3);
    for (const Kind& source : kinds) {
        for (const Kind& target : kinds) {
            double mean = std::string(source.name) == "a" ? -4.0 * w : w;
            if (mean < 0.0 && choice.inhibitory_weight_differs && std::string(target.name) == "c")
                mean *= 1.5;
            build.connect(source.name, target.name,
                          {.rule = "bernoulli",
                           .p = 0.1,
                           .procedural = choice.procedural,
                           .weight = weight(mean),
                           .delay = delay});
        }
    }
    build.connect("b", "c", {.rule = "bernoulli", .p = 0.05, .weight = weight(w), .delay = delay});
    if (choice.poisson) {
        for (const Kind& kind : kinds) {
            const std::string name = std::string("drive of ") + kind.name;
            build.source(name, {kind.size}, "poisson", {{"rate", 9'000.0}});
            build.connect(name, kind.name,
                          {.rule = "one_to_one",
                           .weight = Distribution::constant(delta ? 0.15e-3 : 20e-12),
                           .delay = Distribution::constant(1e-3)});
        }
    }
    return build;
}

/// The network of one population alone, which receives the spikes that the others have sent in `run`.
Network alone(const Network& network, std::uint32_t q, const SimulationResult& run) {
    std::vector<Population> populations(network.populations().begin(), network.populations().end());
    std::vector<Projection> projections;
    for (const Projection& projection : network.projections()) {
        if (projection.target != q) continue;
        projections.push_back(projection);
        const Population& source = populations[projection.source];
        if (projection.source == q || source.is_source()) continue;
        populations[projection.source].model = neurons::SpikeSource{run.spikes[projection.source]};
    }
    // What it sends to itself arrives from a twin that only repeats.
    Population twin = populations[q];
    twin.model = neurons::SpikeSource{run.spikes[q]};
    for (Projection& projection : projections) {
        if (projection.source == q) projection.source = static_cast<std::uint32_t>(populations.size());
    }
    twin.name += " ";  // the next in the order of names
    populations.push_back(twin);
    return Network(populations, projections);
}

TEST_SUITE("engine/alike_populations") {
    TEST_CASE("alike populations share one block for each thread, and their synapses one table") {
        for (const Choice& choice : choices) {
            CAPTURE(choice.name);
            const Network network = builder_of(choice).network();
            const auto pieces_of = [&](const Plan& plan) {
                std::vector<std::size_t> pieces;  // of each block of neurons
                for (const Plan::Place& place : plan.places) {
                    if (network.populations()[place.plan.pieces.front().population].is_source()) continue;
                    pieces.push_back(place.plan.pieces.size());
                }
                return pieces;
            };
            const Plan plan(network, {1, local_communication()});
            CHECK(pieces_of(plan) == std::vector<std::size_t>{3});
            const Plan on_two(network, {2, local_communication()});
            const std::vector<std::size_t> pieces = pieces_of(on_two);
            CHECK(pieces.size() == 2);
            // A population with trains of its own is cut between groups of them.
            CHECK(std::accumulate(pieces.begin(), pieces.end(), std::size_t{0}) ==
                  (choice.poisson ? 4u : 6u));

            const auto block =
                std::find_if(plan.places.begin(), plan.places.end(),
                             [](const Plan::Place& place) { return place.plan.pieces.size() == 3; });
            REQUIRE(block != plan.places.end());
            // One arrival for all targets, but where one number for all weights would no longer do.
            const bool one = choice.random_weights || !choice.inhibitory_weight_differs;
            CHECK(block->plan.from[plan.order[*network.find("a")]].size() == (choice.procedural ? 3u
                                                                              : one             ? 1u
                                                                                                : 2u));
            CHECK(block->plan.from[plan.order[*network.find("b")]].size() == (choice.procedural ? 4u : 2u));
        }
    }

    TEST_CASE("neurons that need frames of their own, or sit on other levels, share no block") {
        NetworkBuilder build(1);
        const auto add = [&](const std::string& name, const std::string& model, double tau_m) {
            Parameters p{{"tau_m", tau_m}, {"V_th", 20e-3}};
            if (model == "lif_exp") p.push_back({"tau_syn", 2e-3});
            build.population(name, {100}, model, p);
        };
        add("a", "lif_exp", 20e-3);
        add("b", "lif_exp", 10e-3);
        add("c", "lif_delta", 20e-3);
        add("d", "lif_exp", 20e-3);
        add("after", "lif_exp", 20e-3);
        for (const char* from : {"a", "b", "c", "d"}) {
            for (const char* to : {"a", "b", "c", "d"})
                build.connect(from, to, {.delay = Distribution::constant(1e-3)});
        }
        build.connect("d", "after", {.delay = Distribution::constant(1e-3)});
        const Plan plan(build.network(), {1, local_communication()});
        std::set<std::set<std::string>> blocks;
        for (const Plan::Place& place : plan.places) {
            std::set<std::string> names;
            for (const Piece& piece : place.plan.pieces) names.insert(piece.name);
            blocks.insert(names);
        }
        CHECK(blocks == std::set<std::set<std::string>>{{"a", "d"}, {"b"}, {"c"}, {"after"}});
    }

    TEST_CASE("a block holds no more neurons than 16 bits count") {
        NetworkBuilder build(1);
        for (const char* name : {"a", "b", "c"}) {
            build.population(name, {30'000}, "lif_delta", {{"tau_m", 20e-3}, {"V_th", 20e-3}});
            build.connect(name, name, {.rule = "one_to_one", .delay = Distribution::constant(1e-3)});
        }
        const Plan plan(build.network(), {1, local_communication()});
        REQUIRE(plan.places.size() == 2);
        CHECK(plan.places[0].plan.size() == 60'000);
        CHECK(plan.places[1].plan.size() == 30'000);
    }

    TEST_CASE("a table of several projections holds the rows of each, and takes no more memory") {
        for (const bool one_weight : {true, false}) {
            for (const Distribution& delay :
                 {Distribution::constant(1e-3), Distribution::uniform(1e-3, 2e-3, 0.25e-3),
                  Distribution::uniform(1e-3, 9e-3, 0.01e-3), Distribution::uniform(1e-3, 2e-3)}) {
                std::vector<Stage> stages;
                for (const std::uint64_t seed : {1u, 2u}) {
                    Rule rule;
                    rule.kind = Rule::Kind::fixed_indegree;
                    rule.inputs = 300;
                    rule.outputs = 200;
                    rule.number = 40;
                    rule.seed = seed;
                    rule.delay = delay;
                    rule.weight = one_weight ? Distribution::constant(0.5) : Distribution::normal(1.0, 0.5);
                    stages.emplace_back(rule);
                }
                using Synapse = std::tuple<std::int64_t, std::uint32_t, double>;
                const auto add_row = [](const SynapseTable& table, NeuronIndex source, std::uint32_t first,
                                        std::vector<Synapse>& row) {
                    table.walk(source, [&](std::int64_t t, std::uint32_t begin, std::uint32_t end) {
                        table.visit_weights([&](auto weights) {
                            for (std::uint32_t k = begin; k < end; ++k) {
                                if constexpr (std::is_pointer_v<decltype(weights)>)
                                    row.emplace_back(t, first + table.targets()[k], weights[k]);
                                else
                                    row.emplace_back(t, first + table.targets()[k], weights);
                            }
                        });
                    });
                };
                const SynapseTable left({{&stages[0], Duration(5), {50, 200}}});
                const SynapseTable right({{&stages[1], Duration(5), {0, 80}}});
                const SynapseTable both(
                    {{&stages[0], Duration(5), {50, 200}, 0}, {&stages[1], Duration(5), {0, 80}, 170}});
                CHECK(both.size() == left.size() + right.size());
                CHECK(both.bytes() <= left.bytes() + right.bytes());
                CHECK(both.has_one_weight() == one_weight);
                int different = 0;
                for (NeuronIndex source = 0; source < 300; ++source) {
                    std::vector<Synapse> apart, together;
                    add_row(left, source, 0, apart);
                    add_row(right, source, 170, apart);
                    add_row(both, source, 0, together);
                    std::stable_sort(apart.begin(), apart.end(), [](const Synapse& a, const Synapse& b) {
                        return std::get<0>(a) < std::get<0>(b);
                    });
                    different += apart != together;
                }
                CHECK(different == 0);
            }
        }
    }

    TEST_CASE("synapses of different delays, weights or precision are of different kinds") {
        Rule rule;
        rule.kind = Rule::Kind::one_to_one;
        rule.inputs = rule.outputs = 3;
        rule.weight = Distribution::constant(0.5);
        rule.delay = Distribution::uniform(1e-3, 2e-3, 0.5e-3);
        const auto kind = [](const Rule& r) { return SynapseTable::kind_of(Stage(r), Duration()); };
        CHECK(kind(rule) == kind(rule));
        Rule other = rule;
        other.weight = Distribution::constant(0.25);
        CHECK(kind(other) != kind(rule));
        other.weight = Distribution::uniform(0.0, 1.0);
        CHECK(kind(other) != kind(rule));
        Rule later = rule;
        later.delay = Distribution::uniform(1.5e-3, 2.5e-3, 0.5e-3);
        CHECK(kind(later) != kind(rule));
        CHECK(kind(later) ==
              SynapseTable::kind_of(Stage(rule), duration_from_seconds(0.5e-3)));  // a delay before it
        const Stage listed = Sparse::of(
            "s", 3, 3, {0, 1, 2}, {0, 1, 2}, {0.5, 0.5, 0.5},
            {duration_from_seconds(1e-3), duration_from_seconds(1.5e-3), duration_from_seconds(2e-3)});
        CHECK(SynapseTable::kind_of(listed, Duration()) == kind(rule));
        const Stage doubles = Sparse::of(
            "s", 3, 3, {0, 1, 2}, {0, 1, 2}, {0.5, 0.5, 0.1},
            {duration_from_seconds(1e-3), duration_from_seconds(1.5e-3), duration_from_seconds(2e-3)});
        other.delay = rule.delay;
        CHECK(SynapseTable::kind_of(doubles, Duration()) != kind(other));
    }

    TEST_CASE("each of several alike populations does what it does alone, on any number of threads") {
        for (const Choice& choice : choices) {
            CAPTURE(choice.name);
            const Network network = builder_of(choice).network();
            SimulationOptions options{.duration = duration_from_seconds(0.05)};
            for (const Population& population : network.populations())
                options.recorded.push_back(population.name);
            for (const double t : {0.01, 0.0333, 0.05})
                options.potential_times.emplace_back(duration_from_seconds(t));
            const SimulationResult run = simulate(network, {}, options);
            CHECK(run.neuron_spikes > 500);
            for (const std::uint32_t threads : {2u, 3u, 5u}) {
                const SimulationResult other = simulate(network, {}, options, {threads});
                CHECK(fingerprint(other) == fingerprint(run));
                CHECK(other.synaptic_events == run.synaptic_events);
                for (std::size_t k = 0; k < run.potentials.size(); ++k)
                    CHECK(other.potentials[k].values == run.potentials[k].values);
            }
            for (const PotentialRecord& record : run.potentials) {
                const std::uint32_t q = record.population;
                CAPTURE(network.populations()[q].name);
                SimulationOptions one = options;
                one.recorded = {network.populations()[q].name};
                const SimulationResult result = simulate(alone(network, q, run), {}, one);
                CHECK(result.spikes[q] == run.spikes[q]);
                REQUIRE(result.potentials.size() == 1);
                CHECK(result.potentials[0].values == record.values);
            }
        }
    }

    TEST_CASE(
        "a snapshot of populations that share blocks tells nothing of blocks, and is gone on with by "
        "others") {
        for (const Choice& choice : choices) {
            CAPTURE(choice.name);
            const Network network = builder_of(choice).network();
            const SimulationOptions plain{.duration = duration_from_seconds(0.05)};
            const auto whole = fingerprint(simulate(network, {}, plain));
            std::shared_ptr<const Snapshot> first;
            for (const std::uint32_t threads : {1u, 2u, 5u}) {
                CAPTURE(threads);
                SimulationOptions taking = plain;
                std::shared_ptr<const Snapshot> taken;
                taking.snapshot_due = [&](Time done) {
                    return !taken && done >= Time(duration_from_seconds(0.02));
                };
                taking.on_snapshot = [&](const Snapshot& s) { taken = std::make_shared<const Snapshot>(s); };
                CHECK(fingerprint(simulate(network, {}, taking, {threads})) == whole);
                REQUIRE(taken);
                if (!first) first = taken;
                CHECK(taken->time == first->time);
                CHECK(taken->in_flight == first->in_flight);
                for (std::size_t q = 0; q < taken->populations.size(); ++q) {
                    CHECK(taken->populations[q].reals == first->populations[q].reals);
                    CHECK(taken->populations[q].events == first->populations[q].events);
                    CHECK(taken->populations[q].trains == first->populations[q].trains);
                    CHECK(taken->populations[q].frame_origin == first->populations[q].frame_origin);
                }
                for (const std::uint32_t others : {1u, 3u, 4u}) {
                    SimulationOptions resuming = plain;
                    resuming.resume_from = taken;
                    CHECK(fingerprint(simulate(network, {}, resuming, {others})) == whole);
                }
            }
        }
    }

    TEST_CASE("a snapshot in which one of several alike populations is damaged is refused by its name") {
        const Network network = builder_of(choices[1]).network();
        const SimulationOptions plain{.duration = duration_from_seconds(0.05)};
        Snapshot good;
        SimulationOptions taking = plain;
        bool taken = false;
        taking.snapshot_due = [&](Time done) { return !taken && done >= Time(duration_from_seconds(0.02)); };
        taking.on_snapshot = [&](const Snapshot& s) {
            good = s;
            taken = true;
        };
        (void)simulate(network, {}, taking);
        REQUIRE(taken);
        const std::uint32_t q = *network.find("a");
        const auto resume = [&](const Snapshot& snapshot) {
            SimulationOptions resuming = plain;
            resuming.resume_from = std::make_shared<const Snapshot>(snapshot);
            return simulate(network, {}, resuming);
        };
        CHECK_NOTHROW(resume(good));
        Snapshot missing = good;
        missing.populations[q].reals.erase("B");
        CHECK_THROWS_WITH_AS(resume(missing), "snapshot: population 'a': a part of its state is missing.",
                             SnapshotError);
        Snapshot shifted = good;
        shifted.populations[q].frame_origin -= 1;
        const std::string expected = std::to_string(good.populations[q].frame_origin);
        const std::string found = std::to_string(good.populations[q].frame_origin - 1);
        CHECK_THROWS_WITH_AS(resume(shifted),
                             ("snapshot: population 'a': expected its frame to begin at " + expected +
                              " fs, found " + found + " fs.")
                                 .c_str(),
                             SnapshotError);
    }
}

}  // namespace
}  // namespace saltus
