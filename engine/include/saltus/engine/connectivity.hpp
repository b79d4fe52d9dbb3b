// Rules that draw synapses: who is connected to whom, with which weight and delay, as a function of a seed.
//
// A rule is a description of a few bytes. Its synapses are drawn where they are needed (synapse_draw.hpp), so
// that each thread and each rank draws only those of its own targets, and all together draw the same network
// for any number of them. The names and meanings of the rules are NEST's.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "saltus/engine/spike_train.hpp"
#include "saltus/engine/time.hpp"

namespace saltus {

/// The value of each synapse: one for all, or drawn for each by itself.
struct Distribution {
    enum class Kind { constant, uniform, uniform_grid, normal };

    Kind kind = Kind::constant;
    double value = 0.0;  // constant: the value; normal: the mean
    double sd = 0.0;     // normal: standard deviation
    double low = 0.0;    // uniform: [low, high), grid: low, low + step, ..., high;
    double high = 0.0;   // normal: drawn again until low <= x <= high
    double step = 0.0;   // grid: its step; normal: > 0 rounds to multiples of it

    [[nodiscard]] static Distribution constant(double value);
    /// In [low, high); with a step, each of low, low + step, ..., high equally often.
    [[nodiscard]] static Distribution uniform(double low, double high, double step = 0.0);
    /// Rounded to a multiple of `step` if that is > 0, then drawn again unless within the bounds.
    [[nodiscard]] static Distribution normal(double mean, double sd,
                                             double low = -std::numeric_limits<double>::infinity(),
                                             double high = std::numeric_limits<double>::infinity(),
                                             double step = 0.0);
};

struct Rule {
    enum class Kind {
        all_to_all,
        one_to_one,
        fixed_indegree,
        fixed_outdegree,
        fixed_total_number,
        bernoulli
    };

    std::string name;
    Kind kind = Kind::all_to_all;
    std::uint32_t inputs = 0;   // neurons of the source population
    std::uint32_t outputs = 0;  // neurons of the target population
    std::uint64_t number = 0;   // fixed_indegree, fixed_outdegree: per neuron; fixed_total_number: of all
    double probability = 0.0;   // bernoulli: of each pair
    bool autapses = true;       // false: source i and target i are never connected (same population)
    bool multapses = true;      // false: each pair at most once
    std::uint64_t seed = 0;     // of this projection
    Distribution weight{Distribution::Kind::constant, 1.0};
    Distribution delay{};     // [s], rounded to the tick
    bool procedural = false;  // not kept: drawn again when a spike arrives
};

/// "all_to_all", "fixed_indegree", ...
[[nodiscard]] std::string_view rule_name(Rule::Kind kind);

/// Throws NetworkError for a rule that cannot be fulfilled or has parameters out of their range; `projection`
/// names it.
void check_rule(const std::string& projection, const Rule& rule);

/// Throws NetworkError for a distribution that has nothing to draw from; `field` of `node` is drawn from it.
void check_distribution(const std::string& node, const std::string& field, const Distribution& distribution);

/// Synapses that the rule draws; for bernoulli the expected number, rounded.
[[nodiscard]] std::uint64_t synapse_count(const Rule& rule);

/// The rule draws the synapses of one source by themselves; else those of one target.
[[nodiscard]] bool is_drawn_by_source(Rule::Kind kind);

/// Values that the delay of a synapse may have.
[[nodiscard]] std::uint64_t number_of_delays(const Rule& rule);

/// Smallest and largest delay that the rule can draw.
struct DelayRange {
    Duration low;
    Duration high;
};
[[nodiscard]] DelayRange delay_range(const Rule& rule);

}  // namespace saltus
