// Rules that draw synapses: who is connected to whom, with which weight and delay, as a function of a seed.
//
// A rule is a description of a few bytes. Its synapses are drawn where they are needed, target by target, so
// that each thread and each rank draws only those of its own targets, and all together draw the same network
// for any number of them. The names and meanings of the rules are NEST's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "saltus/engine/random.hpp"
#include "saltus/engine/spike_train.hpp"
#include "saltus/engine/time.hpp"

namespace saltus {

/// The value of each synapse: one for all, or drawn.
struct Distribution {
    enum class Kind { constant, uniform, uniform_grid, normal };

    Kind kind = Kind::constant;
    double value = 0.0;  // constant: the value; normal: the mean
    double sd = 0.0;     // normal: standard deviation
    double low =
        0.0;  // uniform: [low, high); grid: low, low + step, ..., high; normal: drawn again until within
    double high = 0.0;
    double step = 0.0;  // grid: its step; normal: > 0 rounds to multiples of it; uniform: 0
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
    Distribution delay{};  // [s], rounded to the tick
};

/// A synapse as a rule draws it.
struct Synapse {
    NeuronIndex source;
    NeuronIndex target;
    double weight;
    Duration delay;
};

/// The synapses of `rule` onto the targets first_target <= target < end_target, in ascending order of
/// targets; the same for any partition of the targets. `take` is called with each. Throws NetworkError for a
/// rule that cannot be fulfilled (see check_rule).
template <class F>
void for_each_synapse(const Rule& rule, NeuronIndex first_target, NeuronIndex end_target, F&& take);

}  // namespace saltus
