// The rows that a block keeps of a projection: what was drawn or listed, source by source, by delay.
#include "simulation/synapses.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/network.hpp"
#include "saltus/engine/simulate.hpp"
#include "saltus/engine/synapse_draw.hpp"

namespace saltus {
namespace {

/// delay [fs], target, weight
using Entry = std::tuple<std::int64_t, NeuronIndex, double>;

std::vector<Entry> row_of(const SynapseTable& table, NeuronIndex source, NeuronIndex first) {
    std::vector<Entry> row;
    table.walk(source, [&](std::int64_t delay, std::uint32_t begin, std::uint32_t end) {
        REQUIRE(begin < end);
        table.visit_weights([&](auto weights) {
            for (std::uint32_t k = begin; k < end; ++k) {
                double w = 0.0;
                if constexpr (std::is_pointer_v<decltype(weights)>)
                    w = static_cast<double>(weights[k]);
                else
                    w = weights;
                row.emplace_back(delay, first + table.targets()[k], w);
            }
        });
    });
    return row;
}

/// Compares all rows of the table of a rule with its synapses, which are brought into the order of (delay, as
/// drawn).
void check_rows(const Rule& rule, Duration before, NeuronRange range) {
    std::vector<std::vector<Entry>> expected(rule.inputs);
    std::uint64_t n = 0;
    for_each_synapse(rule, range.begin, range.end, [&](const Synapse& s) {
        const double weight = rule.weight.kind == Distribution::Kind::constant
                                  ? s.weight
                                  : static_cast<double>(static_cast<float>(s.weight));
        expected[s.source].emplace_back((s.delay + before).femtoseconds(), s.target, weight);
        ++n;
    });
    const Stage stage(rule);
    const SynapseTable table({{&stage, before, range}});
    REQUIRE(table.size() == n);
    std::vector<NeuronIndex> sources;
    std::vector<NeuronIndex> expected_sources;
    table.each_source([&](NeuronIndex source) { sources.push_back(source); });
    for (NeuronIndex source = 0; source < rule.inputs; ++source) {
        if (!expected[source].empty()) expected_sources.push_back(source);
    }
    CHECK(sources == expected_sources);
    std::uint32_t different = 0;
    for (NeuronIndex source = 0; source < rule.inputs; ++source) {
        std::vector<Entry>& row = expected[source];
        std::stable_sort(row.begin(), row.end(),
                         [](const Entry& a, const Entry& b) { return std::get<0>(a) < std::get<0>(b); });
        different += row_of(table, source, range.begin) != row;
    }
    CHECK(different == 0);
}

TEST_SUITE("engine/synapses") {
    TEST_CASE("rows hold what their rule draws, by delay and then as drawn, for every layout") {
        const std::vector<Distribution> delays{
            Distribution::constant(1.5e-3),                               // one delay
            Distribution::uniform(1e-3, 2e-3, 0.1e-3),                    // few
            Distribution::uniform(0.0, 20e-3, 0.01e-3),                   // more than a row has synapses
            Distribution::normal(1.5e-3, 0.75e-3, 0.1e-3, 5e-3, 0.1e-3),  // few, unevenly used
            Distribution::uniform(1e-3, 2e-3),                            // any
        };
        struct Size {
            std::uint32_t inputs, outputs, k;
        };
        // Long rows, rows of a few, more sources than synapses, and so many sources that they come in groups.
        for (const Size size : {Size{40, 300, 60}, Size{500, 200, 20}, Size{3'000, 100, 5},
                                Size{1'024, 50, 3}, Size{50'000, 30, 9}}) {
            for (const Rule::Kind kind : {Rule::Kind::fixed_indegree, Rule::Kind::fixed_total_number}) {
                for (const Distribution& delay : delays) {
                    for (const bool one_weight : {true, false}) {
                        Rule rule;
                        rule.kind = kind;
                        rule.inputs = size.inputs;
                        rule.outputs = size.outputs;
                        rule.number = kind == Rule::Kind::fixed_indegree ? size.k : size.k * size.outputs;
                        rule.seed = 5;
                        rule.delay = delay;
                        rule.weight =
                            one_weight ? Distribution::constant(0.5) : Distribution::normal(1.0, 0.5);
                        CAPTURE(size.inputs);
                        CAPTURE(rule_name(kind));
                        CAPTURE(&delay - delays.data());
                        CAPTURE(one_weight);
                        check_rows(rule, Duration(), {0, rule.outputs});
                        check_rows(rule, Duration(7), {rule.outputs / 3, rule.outputs / 2});
                    }
                }
            }
        }
    }

    TEST_CASE("rows of the rules that go source by source hold what they draw") {
        for (const Rule::Kind kind : {Rule::Kind::all_to_all, Rule::Kind::one_to_one, Rule::Kind::bernoulli,
                                      Rule::Kind::fixed_outdegree}) {
            Rule rule;
            rule.kind = kind;
            rule.inputs = rule.outputs = 1'100;
            rule.number = 3;
            rule.probability = 0.01;
            rule.delay = Distribution::uniform(1e-3, 2e-3, 0.25e-3);
            rule.weight = Distribution::uniform(-1.0, 1.0);
            CAPTURE(rule_name(kind));
            check_rows(rule, Duration(3), {500, 1'050});
        }
    }

    TEST_CASE("synapses that are procedural take no memory, and a rule in a longer chain cannot be") {
        const auto network = [](bool procedural, std::vector<Stage> more) {
            Rule rule;
            rule.kind = Rule::Kind::bernoulli;
            rule.inputs = rule.outputs = 1'000;
            rule.probability = 0.1;
            rule.delay = Distribution::constant(1e-3);
            rule.procedural = procedural;
            std::vector<Stage> stages{rule};
            stages.insert(stages.end(), more.begin(), more.end());
            const neurons::PerNeuron<neurons::Lif> neurons(1);
            return Network({{"a", {1'000}, neurons}}, {{0, 0, stages}});
        };
        CHECK(ExactSimulation(network(false, {})).synapse_bytes() > 200'000);
        CHECK(ExactSimulation(network(true, {})).synapse_bytes() == 0);
        const Scale scale{"", Weights(std::vector<double>(1'000, 2.0))};
        CHECK_NOTHROW(ExactSimulation(network(false, {scale})));
        CHECK_THROWS_WITH_AS(
            ExactSimulation(network(true, {scale})),
            "a -> a, field 'procedural': expected the rule alone, found a chain of 2 stages. Leave "
            "it off.",
            NetworkError);
    }

    TEST_CASE("more synapses than memory, or than a thread can hold, are refused before any is drawn") {
        const auto refusal = [](std::uint32_t size, std::uint64_t k, bool procedural) -> std::string {
            Rule rule;
            rule.kind = procedural ? Rule::Kind::fixed_outdegree : Rule::Kind::fixed_indegree;
            rule.inputs = rule.outputs = size;
            rule.number = k;
            rule.delay = Distribution::constant(1e-3);
            rule.procedural = procedural;
            const neurons::PerNeuron<neurons::Lif> neurons(1);
            try {
                (void)ExactSimulation(Network({{"a", {size}, neurons}}, {{0, 0, {rule}}}));
            } catch (const LimitError& error) {
                return error.what();
            }
            return "accepted";
        };
        // 2 x 10^12 synapses of 2 bytes.
        const std::string beyond = refusal(100'000'000, 20'000, false);
        CHECK(beyond.find("projection 'a -> a': its 2000000000000 synapses of this process take 3.64 TiB or "
                          "more, those of "
                          "all projections 3.64 TiB, and there are ") == 0);
        CHECK(beyond.find(" of memory. Use more ranks, or procedural synapses.") != std::string::npos);
        CHECK(refusal(1'000, 10'000'000, false) ==
              "projection 'a -> a': about 10000000000 synapses onto 1000 neurons that one thread looks "
              "after, more "
              "than "
              "2147483647. Use more threads or ranks.");
        CHECK(refusal(1'000, 10'000'000, true) == "accepted");
    }

    TEST_CASE("where most sources have no synapse here, the table does not grow with their number") {
        Rule rule;
        rule.kind = Rule::Kind::fixed_indegree;
        rule.inputs = 1'000'000;
        rule.outputs = 100;
        rule.number = 10;
        rule.delay = Distribution::constant(1e-3);
        const Stage stage(rule);
        const SynapseTable table({{&stage, Duration(), {0, 100}}});
        CHECK(table.size() == 1'000);
        // 2 bytes a target, 4 a row, 16 for each 64 sources.
        CHECK(table.bytes() <= 1'000 * 6 + 4 + (1'000'000 / 64 + 1) * 16);
    }
}

}  // namespace
}  // namespace saltus
