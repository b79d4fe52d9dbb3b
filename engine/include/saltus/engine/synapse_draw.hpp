// The synapses of a rule, drawn.
//
// Every stream of random numbers belongs to a unit of the rule and to a purpose (sources or targets, weights,
// delays), and is a function of the rule's seed alone:
//   fixed_indegree, fixed_total_number           a unit is a target
//   all_to_all, one_to_one, bernoulli,
//   fixed_outdegree                              a unit is a source with 1024 targets
// so any range of targets is drawn without the others, and a pass that needs no weights draws none. How many
// of a total number fall to each target (or of a source's synapses to each 1024 targets) is decided by
// halving: a number is split between the two halves of a range as chance would, which needs the draws of one
// path only.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "saltus/engine/connectivity.hpp"
#include "saltus/engine/random.hpp"

namespace saltus {

/// A synapse as a rule draws it.
struct Synapse {
    NeuronIndex source;
    NeuronIndex target;
    double weight;   // 0 unless asked for
    Duration delay;  // 0 unless asked for
};

/// What of a synapse is wanted beside its ends.
enum class Values : unsigned { none = 0, weight = 1, delay = 2, weight_and_delay = 3 };

[[nodiscard]] constexpr bool wants(Values values, Values one) {
    return (static_cast<unsigned>(values) & static_cast<unsigned>(one)) != 0;
}

namespace detail {

enum class Purpose : std::uint32_t { partner = 1, weight, delay, split, parameter };

/// Draws values of a distribution.
class WeightDraw {
  public:
    explicit WeightDraw(const Distribution& distribution);
    [[nodiscard]] bool is_constant() const { return d_.kind == Distribution::Kind::constant; }
    [[nodiscard]] double constant() const { return d_.value; }
    [[nodiscard]] double operator()(SequentialRandom& random) const {
        switch (d_.kind) {
            case Distribution::Kind::constant:
                break;
            case Distribution::Kind::uniform:
                return d_.low + (d_.high - d_.low) * random.uniform();
            case Distribution::Kind::uniform_grid:
                return d_.low + static_cast<double>(random.below(grid_)) * d_.step;
            case Distribution::Kind::normal:
                for (;;) {
                    double x = d_.value + d_.sd * random.normal();
                    if (d_.step > 0.0) x = std::round(x / d_.step);
                    if (x >= d_.low && x <= d_.high) return d_.step > 0.0 ? x * d_.step : x;
                }
        }
        return d_.value;
    }

  private:
    Distribution d_;          // normal: bounds in steps if it has them
    std::uint64_t grid_ = 1;  // number of values
};

/// Draws delays: everything that is rounded is computed in whole femtoseconds.
class DelayDraw {
  public:
    explicit DelayDraw(const Distribution& distribution);
    [[nodiscard]] bool is_constant() const { return d_.kind == Distribution::Kind::constant; }
    [[nodiscard]] Duration constant() const { return low(); }
    [[nodiscard]] Duration low() const { return Duration(low_); }
    [[nodiscard]] Duration high() const { return Duration(high_); }
    /// All values are low + k step.
    [[nodiscard]] Duration step() const { return Duration(step_); }
    [[nodiscard]] Duration operator()(SequentialRandom& random) const {
        switch (d_.kind) {
            case Distribution::Kind::constant:
                break;
            case Distribution::Kind::uniform:
                return Duration(low_ + static_cast<std::int64_t>(
                                           random.below(static_cast<std::uint64_t>(high_ - low_) + 1)));
            case Distribution::Kind::uniform_grid:
                return Duration(low_ + static_cast<std::int64_t>(random.below(grid_)) * step_);
            case Distribution::Kind::normal:
                for (;;) {
                    // To the nearest step: nothing below 0 is kept, so that cutting off is rounding down.
                    const double steps = mean_steps_ + sd_steps_ * random.normal() + 0.5;
                    if (!(steps >= 0.0 && steps < 0x1p63)) continue;
                    const auto whole = static_cast<std::int64_t>(steps);
                    if (whole >= fewest_steps_ && whole <= most_steps_) return Duration(whole * step_);
                }
        }
        return Duration(low_);
    }

  private:
    Distribution d_;
    std::int64_t low_ = 0;   // [fs]
    std::int64_t high_ = 0;  // [fs]
    std::int64_t step_ = 1;  // [fs]
    std::uint64_t grid_ = 1;
    double mean_steps_ = 0.0;  // normal
    double sd_steps_ = 0.0;
    std::int64_t fewest_steps_ = 0;
    std::int64_t most_steps_ = 0;
};

/// Numbers below 2^32 - 1, each at most once.
class DistinctNumbers {
  public:
    /// Empties it and makes room for n numbers.
    void reset(std::uint64_t n);
    /// False if it is there already.
    bool insert(std::uint32_t x);

  private:
    static constexpr std::uint32_t free_ = 0xffffffffu;
    std::vector<std::uint32_t> slots_;
    std::uint64_t mask_ = 0;
};

/// A tree of splits: `count` synapses over `units` equal units, the last of which may be smaller.
struct SplitTree {
    std::uint64_t seed;
    std::uint64_t stream;  // node n draws from stream + n
    std::uint64_t count;
    std::uint32_t units;
    std::uint64_t per_unit;  // pairs of a unit
    std::uint64_t pairs;     // of all units
    bool repeated;           // a pair may be drawn several times
};
/// Counts of the units first <= u < end.
void split(const SplitTree& tree, std::uint32_t first, std::uint32_t end, std::vector<std::uint64_t>& counts);

}  // namespace detail

/// Draws the synapses of one rule, again and again. Holds scratch memory: one for each thread.
class SynapseDraw {
  public:
    static constexpr std::uint32_t unit_targets = 1024;

    /// The rule must be one that check_rule accepts.
    explicit SynapseDraw(const Rule& rule)
        : rule_(rule),
          weight_(rule.weight),
          delay_(rule.delay),
          log_absent_(std::log1p(-rule.probability)),
          source_driven_(is_drawn_by_source(rule.kind)) {}

    /// True where from() can draw the synapses of one source by itself.
    [[nodiscard]] bool is_source_driven() const { return source_driven_; }

    /// Calls take(synapse) for each onto first <= target < end. Those of each source come in ascending order
    /// of targets. Where a unit holds several targets, the others of a unit that the range cuts are drawn too
    /// and dropped.
    template <Values values = Values::weight_and_delay, class F>
    void onto(NeuronIndex first, NeuronIndex end, F&& take) {
        if (source_driven_) {
            const bool diagonal = rule_.kind == Rule::Kind::one_to_one;
            const NeuronIndex last = diagonal ? end : rule_.inputs;
            for (NeuronIndex source = diagonal ? first : 0; source < last; ++source) {
                from<values>(source, first, end, take);
            }
        } else if (rule_.kind == Rule::Kind::fixed_indegree) {
            for (NeuronIndex target = first; target < end; ++target) {
                draw_sources<values>(target, rule_.number, take);
            }
        } else {
            if (first != counts_first_ || counts_.size() != end - first) {
                detail::split({rule_.seed, 0, rule_.number, rule_.outputs, source_candidates(),
                               source_candidates() * rule_.outputs, rule_.multapses},
                              first, end, counts_);
                counts_first_ = first;
            }
            for (NeuronIndex target = first; target < end; ++target) {
                draw_sources<values>(target, counts_[target - first], take);
            }
        }
    }

    /// The same for the synapses of one source, in the same order. Only where is_source_driven().
    template <Values values = Values::weight_and_delay, class F>
    void from(NeuronIndex source, NeuronIndex first, NeuronIndex end, F&& take) {
        switch (rule_.kind) {
            case Rule::Kind::one_to_one:
                if (source >= first && source < end) {
                    UnitValues<values> unit(*this, unit_key(source, source / unit_targets));
                    take(unit.next(source, source));
                }
                return;
            case Rule::Kind::all_to_all:
                for_each_unit(first, end, [&](NeuronIndex begin, NeuronIndex stop) {
                    UnitValues<values> unit(*this, unit_key(source, begin / unit_targets));
                    for (NeuronIndex target = begin; target < stop; ++target) {
                        if (!rule_.autapses && target == source) continue;
                        const Synapse synapse = unit.next(source, target);
                        if (target >= first && target < end) take(synapse);
                    }
                });
                return;
            case Rule::Kind::bernoulli:
                if (rule_.probability == 0.0) return;
                for_each_unit(first, end, [&](NeuronIndex begin, NeuronIndex stop) {
                    draw_pairs<values>(source, begin, stop, first, end, take);
                });
                return;
            case Rule::Kind::fixed_outdegree:
                draw_targets<values>(source, first, end, take);
                return;
            case Rule::Kind::fixed_indegree:
            case Rule::Kind::fixed_total_number:
                return;
        }
    }

  private:
    /// Weights and delays of one unit, in the order of its synapses.
    template <Values values>
    class UnitValues {
      public:
        UnitValues(const SynapseDraw& draw, std::uint64_t unit)
            : draw_(draw),
              weights_(stream(draw, unit, detail::Purpose::weight,
                              wants(values, Values::weight) && !draw.weight_.is_constant())),
              delays_(stream(draw, unit, detail::Purpose::delay,
                             wants(values, Values::delay) && !draw.delay_.is_constant())) {}

        [[gnu::always_inline]] Synapse next(NeuronIndex source, NeuronIndex target) {
            Synapse synapse{source, target, 0.0, {}};
            if constexpr (wants(values, Values::weight)) {
                const auto& weight = draw_.weight_;
                synapse.weight = weight.is_constant() ? weight.constant() : weight(weights_);
            }
            if constexpr (wants(values, Values::delay)) {
                const auto& delay = draw_.delay_;
                synapse.delay = delay.is_constant() ? delay.constant() : delay(delays_);
            }
            return synapse;
        }

      private:
        static SequentialRandom stream(const SynapseDraw& draw, std::uint64_t unit, detail::Purpose purpose,
                                       bool used) {
            if (!used) return SequentialRandom(std::array<std::uint64_t, 4>{});
            return draw.random(unit, purpose);
        }

        const SynapseDraw& draw_;
        SequentialRandom weights_;
        SequentialRandom delays_;
    };

    [[nodiscard]] SequentialRandom random(std::uint64_t unit, detail::Purpose purpose) const {
        return {rule_.seed, unit, static_cast<std::uint32_t>(purpose)};
    }
    [[nodiscard]] static std::uint64_t unit_key(NeuronIndex source, NeuronIndex unit) {
        return (std::uint64_t{source} << 32) | unit;
    }
    /// Sources that a target may have, and targets of a source: without autapses, candidate c stands for
    /// neuron c, or c + 1 from the neuron itself on.
    [[nodiscard]] std::uint64_t source_candidates() const {
        return std::uint64_t{rule_.inputs} - (rule_.autapses ? 0 : 1);
    }
    [[nodiscard]] std::uint64_t target_candidates() const {
        return std::uint64_t{rule_.outputs} - (rule_.autapses ? 0 : 1);
    }
    [[nodiscard]] NeuronIndex neuron(std::uint64_t candidate, NeuronIndex self) const {
        return static_cast<NeuronIndex>(candidate) + (!rule_.autapses && candidate >= self ? 1u : 0u);
    }

    /// f(begin, end) for the units that hold targets of the range, whole.
    template <class F>
    void for_each_unit(NeuronIndex first, NeuronIndex end, F&& f) const {
        for (std::uint64_t begin = first / unit_targets * std::uint64_t{unit_targets}; begin < end;
             begin += unit_targets) {
            f(static_cast<NeuronIndex>(begin),
              static_cast<NeuronIndex>(std::min<std::uint64_t>(begin + unit_targets, rule_.outputs)));
        }
    }

    /// take(candidate) for `count` of n candidates: with repetition, or distinct (Floyd's algorithm; Bentley
    /// and Floyd, Programming pearls, CACM 30, 1987).
    template <class F>
    void draw_candidates(SequentialRandom random, std::uint64_t count, std::uint64_t n, F&& take) {
        if (rule_.multapses) {
            for (std::uint64_t i = 0; i < count; ++i) take(random.below(n));
            return;
        }
        distinct_.reset(count);
        for (std::uint64_t last = n - count; last < n; ++last) {
            const std::uint64_t candidate = random.below(last + 1);
            const bool added = distinct_.insert(static_cast<std::uint32_t>(candidate));
            if (!added) distinct_.insert(static_cast<std::uint32_t>(last));
            take(added ? candidate : last);
        }
    }

    template <Values values, class F>
    void draw_sources(NeuronIndex target, std::uint64_t count, F& take) {
        UnitValues<values> unit(*this, target);
        draw_candidates(random(target, detail::Purpose::partner), count, source_candidates(),
                        [&](std::uint64_t c) { take(unit.next(neuron(c, target), target)); });
    }

    template <Values values, class F>
    void draw_targets(NeuronIndex source, NeuronIndex first, NeuronIndex end, F& take) {
        const auto before = [&](NeuronIndex target) {  // candidates below the target
            return target - (!rule_.autapses && target > source ? 1u : 0u);
        };
        const std::uint64_t n = target_candidates();
        const NeuronIndex first_unit = before(first) / unit_targets;
        const auto end_unit =
            static_cast<NeuronIndex>((std::uint64_t{before(end)} + unit_targets - 1) / unit_targets);
        if (first >= end || first_unit >= end_unit) return;
        detail::split({rule_.seed, unit_key(source, 0), rule_.number,
                       static_cast<std::uint32_t>((n + unit_targets - 1) / unit_targets), unit_targets, n,
                       rule_.multapses},
                      first_unit, end_unit, counts_);
        for (NeuronIndex u = first_unit; u < end_unit; ++u) {
            const std::uint64_t begin = std::uint64_t{u} * unit_targets;
            candidates_.clear();
            draw_candidates(random(unit_key(source, u), detail::Purpose::partner), counts_[u - first_unit],
                            std::min<std::uint64_t>(unit_targets, n - begin),
                            [&](std::uint64_t c) { candidates_.push_back(begin + c); });
            std::sort(candidates_.begin(), candidates_.end());
            UnitValues<values> unit(*this, unit_key(source, u));
            for (const std::uint64_t candidate : candidates_) {
                const Synapse synapse = unit.next(source, neuron(candidate, source));
                if (synapse.target >= first && synapse.target < end) take(synapse);
            }
        }
    }

    /// Each pair of a unit with the rule's probability: the gaps between those that are there are geometric.
    template <Values values, class F>
    void draw_pairs(NeuronIndex source, NeuronIndex begin, NeuronIndex stop, NeuronIndex first,
                    NeuronIndex end, F& take) {
        SequentialRandom gaps = random(unit_key(source, begin / unit_targets), detail::Purpose::partner);
        UnitValues<values> unit(*this, unit_key(source, begin / unit_targets));
        for (NeuronIndex target = begin;; ++target) {
            const double gap = std::log(1.0 - gaps.uniform()) / log_absent_;
            if (!(gap < static_cast<double>(stop - target))) return;
            target += static_cast<NeuronIndex>(gap);
            if (!rule_.autapses && target == source) continue;
            const Synapse synapse = unit.next(source, target);
            if (target >= first && target < end) take(synapse);
        }
    }

    Rule rule_;
    detail::WeightDraw weight_;
    detail::DelayDraw delay_;
    double log_absent_;  // log of the probability that a pair is not connected
    bool source_driven_;
    detail::DistinctNumbers distinct_;
    std::vector<std::uint64_t> counts_;
    NeuronIndex counts_first_ = 0;  // fixed_total_number: the target that they begin with
    std::vector<std::uint64_t> candidates_;
};

/// SynapseDraw(rule).onto<values>(first_target, end_target, take).
template <Values values = Values::weight_and_delay, class F>
void for_each_synapse(const Rule& rule, NeuronIndex first_target, NeuronIndex end_target, F&& take) {
    SynapseDraw(rule).onto<values>(first_target, end_target, take);
}

}  // namespace saltus
