// Rules that draw synapses: what they promise, for any partition of the targets, and what they refuse.
//
// Statistical bounds hold for fixed seeds, so a test passes always or never; the probability stated is the
// one with which a right generator would have failed on the seed that was chosen.
#include "saltus/engine/connectivity.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/network.hpp"
#include "saltus/engine/simulate.hpp"
#include "saltus/engine/synapse_draw.hpp"

namespace saltus {
namespace {

using Row = std::tuple<NeuronIndex, NeuronIndex, double, std::int64_t>;

Rule rule(Rule::Kind kind, std::uint32_t inputs, std::uint32_t outputs) {
    Rule r;
    r.kind = kind;
    r.inputs = inputs;
    r.outputs = outputs;
    r.seed = 12;
    r.probability = 0.1;
    r.number = 7;
    return r;
}

std::vector<Row> synapses(SynapseDraw& draw, NeuronIndex first, NeuronIndex end) {
    std::vector<Row> rows;
    draw.onto(first, end, [&](const Synapse& s) {
        rows.emplace_back(s.source, s.target, s.weight, s.delay.femtoseconds());
    });
    return rows;
}
std::vector<Row> synapses(const Rule& r, NeuronIndex first, NeuronIndex end) {
    SynapseDraw draw(r);
    return synapses(draw, first, end);
}
std::vector<Row> synapses(const Rule& r) {
    return synapses(r, 0, r.outputs);
}

std::vector<std::uint64_t> per_target(const Rule& r) {
    std::vector<std::uint64_t> count(r.outputs, 0);
    for (const Row& s : synapses(r)) ++count[std::get<1>(s)];
    return count;
}
std::vector<std::uint64_t> per_source(const Rule& r) {
    std::vector<std::uint64_t> count(r.inputs, 0);
    for (const Row& s : synapses(r)) ++count[std::get<0>(s)];
    return count;
}

/// Sum of (count - expected)^2 / expected.
double chi_square(const std::vector<std::uint64_t>& counts, double expected) {
    double sum = 0.0;
    for (const std::uint64_t count : counts) {
        const double d = static_cast<double>(count) - expected;
        sum += d * d / expected;
    }
    return sum;
}

/// A chi-square with f degrees of freedom has mean f and variance 2 f; beyond 6 standard deviations lies less
/// than 1e-6 for the f used here (Wilson and Hilferty 1931).
bool is_chi_square(double x, double f) {
    return std::abs(x - f) < 6.0 * std::sqrt(2.0 * f);
}

const std::array<Rule::Kind, 6> kinds{Rule::Kind::all_to_all,         Rule::Kind::one_to_one,
                                      Rule::Kind::fixed_indegree,     Rule::Kind::fixed_outdegree,
                                      Rule::Kind::fixed_total_number, Rule::Kind::bernoulli};

/// Every kind, with repetition and without, over more targets than a unit holds, with drawn values.
std::vector<Rule> rules_of_all_kinds() {
    std::vector<Rule> rules;
    for (const Rule::Kind kind : kinds) {
        for (const bool autapses : {true, false}) {
            for (const bool multapses : {true, false}) {
                const bool by_number = kind == Rule::Kind::fixed_indegree ||
                                       kind == Rule::Kind::fixed_outdegree ||
                                       kind == Rule::Kind::fixed_total_number;
                if (kind == Rule::Kind::one_to_one && !autapses) continue;
                if (!by_number && !multapses) continue;  // it has no meaning for them
                Rule r = rule(kind, 2'300, 2'300);
                if (kind == Rule::Kind::all_to_all) r.inputs = r.outputs = 1'030;
                if (kind == Rule::Kind::bernoulli) r.probability = 0.01;
                if (kind == Rule::Kind::fixed_total_number) r.number = 20'000;
                r.autapses = autapses;
                r.multapses = multapses;
                r.weight = Distribution::normal(1.0, 0.5, 0.0, 2.0);
                r.delay = Distribution::uniform(1e-3, 2e-3);
                rules.push_back(r);
            }
        }
    }
    return rules;
}

std::string refusal(const Rule& r) {
    try {
        check_rule("a -> b", r);
    } catch (const NetworkError& error) {
        return error.what();
    }
    return "accepted";
}

TEST_SUITE("engine/connectivity") {
    TEST_CASE("xoshiro256++ gives what its recurrence gives by hand, and its streams are told apart") {
        // From the state {1, 2, 3, 4}: rotl(1 + 4, 23) + 1 = 41943041. The next state is {7, 0, 262146,
        // rotl(6, 45)}, so the second number is rotl(7 + 6 2^45, 23) + 7 = 7 2^23 + 6 2^4 2^0 2^64 / 2^64 + 7
        // with 2^68 wrapping to 2^4.
        SequentialRandom random(std::array<std::uint64_t, 4>{1, 2, 3, 4});
        CHECK(random.bits() == 41943041u);
        CHECK(random.bits() == (std::uint64_t{7} << 23) + (std::uint64_t{6} << 4) + 7);

        std::set<std::uint64_t> draws;
        std::size_t made = 0;
        for (int bit = 0; bit < 64; ++bit) {
            const std::uint64_t x = std::uint64_t{1} << bit;
            draws.insert(SequentialRandom(x, 0, 0).bits());
            draws.insert(SequentialRandom(0, x, 0).bits());
            made += 2;
        }
        for (std::uint32_t purpose = 0; purpose < 64; ++purpose, ++made)
            draws.insert(SequentialRandom(0, 0, purpose).bits());
        CHECK(draws.size() == made);
    }

    TEST_CASE("any partition of the targets draws the same synapses") {
        for (const Rule& r : rules_of_all_kinds()) {
            CAPTURE(rule_name(r.kind));
            CAPTURE(r.autapses);
            CAPTURE(r.multapses);
            std::vector<Row> whole = synapses(r);
            REQUIRE(!whole.empty());
            std::sort(whole.begin(), whole.end());
            for (const std::uint32_t parts : {1u, 2u, 3u, 7u}) {
                std::vector<Row> joined;
                SynapseDraw draw(r);
                for (std::uint32_t p = parts; p-- > 0;) {
                    const auto bound = [&](std::uint32_t k) {
                        return static_cast<NeuronIndex>(std::uint64_t{k} * r.outputs / parts);
                    };
                    const std::vector<Row> part = synapses(draw, bound(p), bound(p + 1));
                    CHECK(std::all_of(part.begin(), part.end(), [&](const Row& s) {
                        return std::get<1>(s) >= bound(p) && std::get<1>(s) < bound(p + 1);
                    }));
                    joined.insert(joined.end(), part.begin(), part.end());
                }
                std::sort(joined.begin(), joined.end());
                CHECK(joined == whole);
            }
            CHECK(synapses(r, 5, 5).empty());
        }
    }

    TEST_CASE("the targets of each source ascend") {
        for (const Rule& r : rules_of_all_kinds()) {
            CAPTURE(rule_name(r.kind));
            std::vector<NeuronIndex> last(r.inputs, 0);
            bool ascending = true;
            for (const Row& s : synapses(r)) {
                ascending = ascending && std::get<1>(s) >= last[std::get<0>(s)];
                last[std::get<0>(s)] = std::get<1>(s);
            }
            CHECK(ascending);
        }
    }

    TEST_CASE("one source drawn by itself has the synapses that it has among all") {
        int source_driven = 0;
        for (const Rule& r : rules_of_all_kinds()) {
            CAPTURE(rule_name(r.kind));
            SynapseDraw draw(r);
            if (!draw.is_source_driven()) continue;
            ++source_driven;
            std::map<NeuronIndex, std::vector<Row>> rows;
            for (const Row& s : synapses(draw, 100, r.outputs - 1)) rows[std::get<0>(s)].push_back(s);
            for (const NeuronIndex source : {0u, 1u, 99u, 100u, 1'023u, 1'024u, r.inputs - 1}) {
                std::vector<Row> row;
                draw.from(source, 100, r.outputs - 1, [&](const Synapse& s) {
                    row.emplace_back(s.source, s.target, s.weight, s.delay.femtoseconds());
                });
                CHECK(row == rows[source]);
            }
        }
        CHECK(source_driven == 9);  // all_to_all, bernoulli: 2 each; fixed_outdegree: 4; one_to_one: 1
    }

    TEST_CASE("a pass that leaves out weights or delays draws the same of what it asks for") {
        for (const Rule& r : rules_of_all_kinds()) {
            CAPTURE(rule_name(r.kind));
            std::vector<Row> ends;
            for_each_synapse<Values::none>(r, 0, r.outputs, [&](const Synapse& s) {
                ends.emplace_back(s.source, s.target, s.weight, s.delay.femtoseconds());
            });
            std::vector<Row> delays;
            for_each_synapse<Values::delay>(r, 0, r.outputs, [&](const Synapse& s) {
                delays.emplace_back(s.source, s.target, s.weight, s.delay.femtoseconds());
            });
            std::vector<Row> all = synapses(r);
            for (Row& s : all) std::get<2>(s) = 0.0;
            CHECK(delays == all);
            for (Row& s : all) std::get<3>(s) = 0;
            CHECK(ends == all);
        }
    }

    TEST_CASE("without autapses no neuron meets itself, without multapses no pair comes twice") {
        for (const Rule& r : rules_of_all_kinds()) {
            CAPTURE(rule_name(r.kind));
            std::vector<std::uint64_t> pairs;
            std::size_t autapses = 0;
            for (const Row& s : synapses(r)) {
                pairs.push_back((std::uint64_t{std::get<0>(s)} << 32) | std::get<1>(s));
                autapses += std::get<0>(s) == std::get<1>(s) ? 1 : 0;
            }
            if (!r.autapses) CHECK(autapses == 0);
            std::sort(pairs.begin(), pairs.end());
            const bool repeated = std::adjacent_find(pairs.begin(), pairs.end()) != pairs.end();
            if (!r.multapses) CHECK(!repeated);
            const bool by_number = r.kind == Rule::Kind::fixed_indegree ||
                                   r.kind == Rule::Kind::fixed_outdegree ||
                                   r.kind == Rule::Kind::fixed_total_number;
            // 16'000 or more draws from 5.3 million pairs repeat one 24 times in the mean: never with 4e-11.
            if (r.multapses) CHECK(repeated == by_number);
        }
    }

    TEST_CASE("counts are what the rule says") {
        for (const bool multapses : {true, false}) {
            Rule r = rule(Rule::Kind::fixed_indegree, 50, 30);
            r.multapses = multapses;
            for (const std::uint64_t n : per_target(r)) CHECK(n == 7);
            r = rule(Rule::Kind::fixed_outdegree, 50, 3'000);
            r.multapses = multapses;
            for (const std::uint64_t n : per_source(r)) CHECK(n == 7);
            r = rule(Rule::Kind::fixed_total_number, 50, 30);
            r.multapses = multapses;
            r.number = 1'234;
            CHECK(synapses(r).size() == 1'234);
        }
        CHECK(synapses(rule(Rule::Kind::all_to_all, 5, 3)).size() == 15);
        Rule r = rule(Rule::Kind::all_to_all, 5, 5);
        r.autapses = false;
        CHECK(synapses(r).size() == 20);
        CHECK(synapse_count(r) == 20);
        const std::vector<Row> diagonal = synapses(rule(Rule::Kind::one_to_one, 3, 3));
        CHECK(diagonal == std::vector<Row>{{0, 0, 1.0, 0}, {1, 1, 1.0, 0}, {2, 2, 1.0, 0}});
    }

    TEST_CASE("as many as there are: every candidate once") {
        Rule r = rule(Rule::Kind::fixed_indegree, 40, 40);
        r.autapses = r.multapses = false;
        r.number = 39;
        CHECK(synapses(r).size() == 40 * 39);
        r.kind = Rule::Kind::fixed_outdegree;
        CHECK(synapses(r).size() == 40 * 39);
        r.kind = Rule::Kind::fixed_total_number;
        r.number = 40 * 39;
        for (const std::uint64_t n : per_target(r)) CHECK(n == 39);
        r.kind = Rule::Kind::bernoulli;
        r.probability = 1.0;
        CHECK(synapses(r).size() == 40 * 39);
        r.probability = 0.0;
        CHECK(synapses(r).empty());
        r.number = 0;
        for (const Rule::Kind kind :
             {Rule::Kind::fixed_indegree, Rule::Kind::fixed_outdegree, Rule::Kind::fixed_total_number}) {
            r.kind = kind;
            CHECK(synapses(r).empty());
        }
    }

    TEST_CASE("sources of a fixed in-degree are equally often drawn, each pair of neurons too") {
        for (const bool multapses : {true, false}) {
            Rule r = rule(Rule::Kind::fixed_indegree, 20, 20'000);
            r.multapses = multapses;
            // 140'000 draws over 20 sources. Without repetition the counts vary by 1 - 7/20 and (n - 1)/n of
            // the binomial variance: sampling theory of finite populations.
            const double scale = multapses ? 1.0 : (20.0 - 7.0) / 19.0;
            CHECK(is_chi_square(chi_square(per_source(r), 7'000.0) / scale, 19.0));
        }
        Rule r = rule(Rule::Kind::fixed_indegree, 10, 10);
        r.autapses = r.multapses = false;
        r.number = 2;
        std::vector<std::uint64_t> pairs(100, 0);
        for (r.seed = 0; r.seed < 9'000; ++r.seed) {
            for (const Row& s : synapses(r)) ++pairs[std::get<0>(s) * 10 + std::get<1>(s)];
        }
        std::erase(pairs, 0u);
        REQUIRE(pairs.size() == 90);
        // 2 of 9 sources in each of 9'000 networks: binomial 2'000 +- 39.4; 6 standard deviations, 90 pairs:
        // fails with 2e-7.
        for (const std::uint64_t n : pairs) CHECK(std::abs(static_cast<double>(n) - 2'000.0) < 237.0);
    }

    TEST_CASE("targets of a fixed out-degree are equally often drawn, across units too") {
        for (const bool multapses : {true, false}) {
            for (const bool autapses : {true, false}) {
                Rule r = rule(Rule::Kind::fixed_outdegree, 2'500, 2'500);
                r.multapses = multapses;
                r.autapses = autapses;
                r.number = 200;
                const double scale = multapses ? 1.0 : (2'500.0 - 200.0) / 2'499.0;
                CHECK(is_chi_square(chi_square(per_target(r), 200.0) / scale, 2'499.0));
            }
        }
    }

    TEST_CASE("a fixed total number falls on targets as single draws would") {
        Rule r = rule(Rule::Kind::fixed_total_number, 100, 3'000);
        r.number = 300'000;
        CHECK(is_chi_square(chi_square(per_target(r), 100.0), 2'999.0));
        CHECK(is_chi_square(chi_square(per_source(r), 3'000.0), 99.0));
        // Without repetition: hypergeometric, with variance smaller by (N - n) / (N - 1), N = 300'000 pairs.
        r.multapses = false;
        r.number = 150'000;
        CHECK(is_chi_square(chi_square(per_target(r), 50.0) / 0.5, 2'999.0));
        CHECK(is_chi_square(chi_square(per_source(r), 1'500.0) / 0.5, 99.0));
    }

    TEST_CASE("pairs are there with the probability of the rule, in number and in distribution") {
        for (const double p : {0.001, 0.1, 0.5, 0.97}) {
            CAPTURE(p);
            Rule r = rule(Rule::Kind::bernoulli, 400, 2'500);
            r.probability = p;
            const double n = 400.0 * 2'500.0;
            const double found = static_cast<double>(synapses(r).size());
            // Binomial; 5 standard deviations, outside with 6e-7.
            CHECK(std::abs(found - n * p) < 5.0 * std::sqrt(n * p * (1.0 - p)));
            CHECK(synapse_count(r) == static_cast<std::uint64_t>(std::lround(n * p)));
            if (p < 0.1) continue;  // the chi-square wants some in each cell
            CHECK(is_chi_square(chi_square(per_target(r), 400.0 * p) / (1.0 - p), 2'499.0));
            CHECK(is_chi_square(chi_square(per_source(r), 2'500.0 * p) / (1.0 - p), 399.0));
        }
    }

    TEST_CASE("another seed draws another network") {
        for (const Rule::Kind kind : {Rule::Kind::fixed_indegree, Rule::Kind::fixed_outdegree,
                                      Rule::Kind::fixed_total_number, Rule::Kind::bernoulli}) {
            Rule r = rule(kind, 100, 100);
            const std::vector<Row> first = synapses(r);
            r.seed += 1;
            CHECK(synapses(r) != first);
        }
    }

    TEST_CASE("weights follow their distribution") {
        Rule r = rule(Rule::Kind::fixed_indegree, 100, 10'000);
        r.number = 10;
        constexpr double n = 100'000.0;
        const auto moments = [&] {
            double sum = 0.0;
            double squares = 0.0;
            for (const Row& s : synapses(r)) {
                sum += std::get<2>(s);
                squares += std::get<2>(s) * std::get<2>(s);
            }
            return std::pair(sum / n, squares / n);
        };
        // Five standard errors each, outside with 6e-7.
        r.weight = Distribution::uniform(-1.0, 1.0);
        auto [mean, square] = moments();
        CHECK(std::abs(mean) < 5.0 * std::sqrt(1.0 / 3.0 / n));
        CHECK(std::abs(square - 1.0 / 3.0) < 5.0 * std::sqrt(4.0 / 45.0 / n));
        r.weight = Distribution::normal(3.0, 1.0);
        std::tie(mean, square) = moments();
        CHECK(std::abs(mean - 3.0) < 5.0 * std::sqrt(1.0 / n));
        CHECK(std::abs(square - 10.0) < 5.0 * std::sqrt(38.0 / n));  // Var x^2 = 4 mean^2 + 2
        // Drawn again until positive: half-normal, mean sqrt(2/pi), mean square 1.
        r.weight = Distribution::normal(0.0, 1.0, 0.0);
        std::tie(mean, square) = moments();
        CHECK(std::abs(mean - std::sqrt(2.0 / 3.14159265358979)) < 5.0 * std::sqrt(0.3634 / n));
        CHECK(std::abs(square - 1.0) < 5.0 * std::sqrt(2.0 / n));
        const std::vector<Row> rows = synapses(r);
        CHECK(std::all_of(rows.begin(), rows.end(), [](const Row& s) { return std::get<2>(s) >= 0.0; }));

        r.weight = Distribution::uniform(0.5, 2.0, 0.25);
        std::map<double, std::uint64_t> grid;
        for (const Row& s : synapses(r)) ++grid[std::get<2>(s)];
        std::vector<std::uint64_t> counts;
        double expected = 0.5;
        for (const auto& [weight, count] : grid) {
            CHECK(weight == expected);
            expected += 0.25;
            counts.push_back(count);
        }
        REQUIRE(counts.size() == 7);
        CHECK(is_chi_square(chi_square(counts, n / 7.0), 6.0));
    }

    TEST_CASE(
        "a normal distribution without spread is its mean, on the step that is nearest within the bounds") {
        const auto drawn = [](const Distribution& d) {
            SequentialRandom random(1, 2, 3);
            return detail::WeightDraw(d)(random);
        };
        const auto delay = [](const Distribution& d) {
            SequentialRandom random(1, 2, 3);
            return detail::DelayDraw(d)(random).femtoseconds();
        };
        CHECK(drawn(Distribution::normal(0.7, 0.0)) == 0.7);
        CHECK(drawn(Distribution::normal(0.7, 0.0, 0.0, 1.0, 0.5)) == 0.5);
        CHECK(drawn(Distribution::normal(0.75, 0.0, 0.0, 0.5, 0.5)) == 0.5);
        CHECK(drawn(Distribution::normal(0.25, 0.0, 0.5, 1.0, 0.5)) == 0.5);
        CHECK(delay(Distribution::normal(1.26e-3, 0.0, 0.0, 1.0, 0.5e-3)) == 1'500'000'000'000);
        CHECK(delay(Distribution::normal(1.25e-3, 0.0, 0.0, 1e-3, 0.5e-3)) == 1'000'000'000'000);
        CHECK(delay(Distribution::normal(0.25e-3, 0.0, 0.5e-3, 1e-3, 0.5e-3)) == 500'000'000'000);
    }

    TEST_CASE("delays are whole multiples of their step, within their bounds, and reach them") {
        Rule r = rule(Rule::Kind::fixed_indegree, 100, 10'000);
        constexpr std::int64_t tenth = 100'000'000'000;  // 0.1 ms
        r.delay = Distribution::normal(1.5e-3, 0.75e-3, 0.1e-3, 3e-3, 0.1e-3);
        const Projection normal{0, 0, {r}};
        CHECK(normal.min_delay() == Duration(tenth));
        CHECK(normal.max_delay() == Duration(30 * tenth));
        std::set<std::int64_t> seen;
        for (const Row& s : synapses(r)) {
            seen.insert(std::get<3>(s));
        }
        std::set<std::int64_t> multiples;
        for (std::int64_t k = 1; k <= 30; ++k) multiples.insert(k * tenth);
        CHECK(seen == multiples);

        r.delay = Distribution::uniform(0.3e-3, 0.9e-3, 0.3e-3);
        seen.clear();
        for (const Row& s : synapses(r)) seen.insert(std::get<3>(s));
        CHECK(seen == std::set<std::int64_t>{3 * tenth, 6 * tenth, 9 * tenth});
        CHECK(delay_range(r).high == Duration(9 * tenth));

        r.delay = Distribution::uniform(1e-3, 1.000000000002e-3);  // three ticks
        seen.clear();
        for (const Row& s : synapses(r)) seen.insert(std::get<3>(s) - 10 * tenth);
        CHECK(seen == std::set<std::int64_t>{0, 1, 2});

        r.delay = Distribution::constant(1.5e-3);
        CHECK(delay_range(r).low == Duration(15 * tenth));
        CHECK(delay_range(r).high == Duration(15 * tenth));
        CHECK(std::get<3>(synapses(r)[0]) == 15 * tenth);
    }

    TEST_CASE("rules that cannot be fulfilled are refused by projection and field") {
        Rule r = rule(Rule::Kind::bernoulli, 10, 10);
        for (const double p : {-0.1, 1.5, std::nan("")}) {
            r.probability = p;
            CHECK(refusal(r).find("a -> b, field 'p': expected 0 to 1, found ") == 0);
        }
        r = rule(Rule::Kind::fixed_indegree, 10, 20);
        r.multapses = false;
        r.number = 11;
        CHECK(refusal(r) ==
              "a -> b, field 'k': expected at most the 10 sources, as multapses are off, found 11.");
        r.number = 10;
        CHECK(refusal(r) == "accepted");
        r.kind = Rule::Kind::fixed_outdegree;
        r.number = 21;
        CHECK(refusal(r) ==
              "a -> b, field 'k': expected at most the 20 targets, as multapses are off, found 21.");
        r.kind = Rule::Kind::fixed_total_number;
        r.number = 201;
        CHECK(refusal(r) ==
              "a -> b, field 'N': expected at most the 200 pairs, as multapses are off, found 201.");
        r = rule(Rule::Kind::fixed_indegree, 1, 1);
        r.autapses = false;
        CHECK(refusal(r) ==
              "a -> b, field 'k': expected 0, as there are no sources without autapses, found 7.");
        r = rule(Rule::Kind::fixed_indegree, 10, 20);
        r.autapses = false;
        CHECK(refusal(r) ==
              "a -> b, field 'autapses': they exist within one population only; found 10 "
              "sources and 20 targets. Leave them on.");
        CHECK(refusal(rule(Rule::Kind::one_to_one, 3, 4)) ==
              "a -> b, field 'rule': one_to_one: expected as many targets as the 3 sources, found 4.");
        r = rule(Rule::Kind::one_to_one, 3, 3);
        r.autapses = false;
        CHECK(refusal(r) == "a -> b, field 'autapses': one_to_one without autapses connects nothing.");
        r = rule(Rule::Kind::fixed_indegree, 10, 20);
        r.number = std::uint64_t{1} << 62;
        CHECK(refusal(r) ==
              "a -> b, field 'rule': expected at most 281474976710656 synapses of one "
              "projection, found more.");
        CHECK(refusal(rule(Rule::Kind::all_to_all, 0, 4)) ==
              "a -> b, field 'rule': expected at least one neuron on each side, found none.");
    }

    TEST_CASE("weights and delays that cannot be are refused by projection and field") {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        const auto weight = [](const Distribution& d) {
            Rule r = rule(Rule::Kind::all_to_all, 2, 2);
            r.weight = d;
            return refusal(r);
        };
        const auto delay = [](const Distribution& d) {
            Rule r = rule(Rule::Kind::all_to_all, 2, 2);
            r.delay = d;
            return refusal(r);
        };
        using D = Distribution;
        CHECK(weight(D::constant(std::nan(""))) ==
              "a -> b, field 'weight': expected a finite number, found nan.");
        CHECK(weight(D::uniform(1.0, infinity)) ==
              "a -> b, field 'weight': high: expected a finite number, found inf.");
        CHECK(weight(D::uniform(1.0, 0.5)) == "a -> b, field 'weight': high: expected >= low, 1, found 0.5.");
        CHECK(weight(D::uniform(-1e308, 1e308)) ==
              "a -> b, field 'weight': high - low: expected a finite number, found inf.");
        CHECK(weight(D::uniform(0.0, 1.0, -0.5)) ==
              "a -> b, field 'weight': step: expected > 0, found -0.5.");
        CHECK(weight(D::uniform(0.0, 1.0, 0.3)) ==
              "a -> b, field 'weight': step: expected a whole number of steps from low to high, found 0.3.");
        CHECK(weight(D::normal(0.0, -1.0)) == "a -> b, field 'weight': sd: expected >= 0, found -1.");
        CHECK(weight(D::normal(0.0, 1.0, 5.0, 6.0)) ==
              "a -> b, field 'weight': low, high: expected bounds within which a draw falls at least once in "
              "1000, found [5, 6] around the mean 0 with sd 1.");
        CHECK(weight(D::normal(0.5, 1.0, 0.4, 0.6, 1.0)).find("in steps of 1.") != std::string::npos);
        CHECK(weight(D::normal(0.0, 0.0)) == "accepted");
        CHECK(weight(D::normal(0.5, 0.0, 0.4, 0.6, 1.0)).find("in steps of 1.") != std::string::npos);
        CHECK(weight(D::normal(-3.0, 1.0, -infinity, 0.0)) == "accepted");

        CHECK(delay(D::constant(-1e-3)) == "a -> b, field 'delay': expected >= 0 s, found -0.001.");
        CHECK(delay(D::constant(0.9e-15)) ==
              "a -> b, field 'delay': expected 0 or at least one tick of time, 1e-15 s, found 9e-16.");
        CHECK(delay(D::constant(1e-15)) == "accepted");
        CHECK(delay(D::constant(0.0)) == "accepted");
        CHECK(delay(D::constant(1e5)) == "a -> b, field 'delay': expected at most 9223 s, found 100000.");
        CHECK(delay(D::uniform(-1e-3, 1e-3)) == "a -> b, field 'delay': low: expected >= 0 s, found -0.001.");
        CHECK(delay(D::normal(1e-3, 1e-3, 0.0)) ==
              "a -> b, field 'delay': high: expected a finite number, found inf.");
        CHECK(delay(D::normal(1e-3, 1e-3, 1e-4, 1e-2, 1e-16)) ==
              "a -> b, field 'delay': step: expected at least one tick, 1e-15 s, found 1e-16.");
    }

    TEST_CASE("a network checks its rules, counts their synapses and runs what they draw") {
        Rule r = rule(Rule::Kind::one_to_one, 3, 3);
        r.weight = Distribution::constant(2.0);
        r.delay = Distribution::constant(1e-3);
        const std::vector<Population> populations{{"in", {3}, neurons::Input{}},
                                                  {"out", {3}, neurons::PerNeuron<neurons::If>(1)}};
        const Network network(populations, {{0, 1, {r}}});
        CHECK(stage_kind(network.projections()[0].stages[0]) == "one_to_one");
        CHECK(synapse_count(network.projections()[0].stages[0]) == 3);
        SpikeTrain spikes;
        spikes.add(Time(Duration(5)), 1);
        SimulationOptions options;
        options.duration = Duration(2'000'000'000'000);
        const SimulationResult result = simulate(network, {{"in", spikes}}, options);
        SpikeTrain expected;
        expected.add(Time(Duration(1'000'000'000'005)), 1);
        CHECK(result.spikes[1] == expected);

        r.delay = Distribution::constant(-1.0);
        CHECK_THROWS_WITH_AS(Network(populations, {{0, 1, {r}}}),
                             "in -> out, field 'delay': expected >= 0 s, found -1.", NetworkError);
    }
}

}  // namespace
}  // namespace saltus
