// Synapses that are not kept: what a spike brings is drawn again, from (seed, source), when it arrives.
//
// An arrival is a segment of a row, the synapses of one delay. Its number is source * delays + delay:
// segments of several sources that arrive at once are delivered in the order in which a table holds them, so
// that a run has the same bits as with synapses that are kept.
#pragma once

#include <cstdint>
#include <vector>

#include "saltus/engine/synapse_draw.hpp"
#include "synapses.hpp"

namespace saltus {

/// The synapses of a rule onto the neurons of one block.
struct ProceduralRows {
    Rule rule;  // is_drawn_by_source(rule.kind), with number_of_delays() of delays
    std::int64_t delay_before = 0;
    NeuronRange range;
};

/// Draws rows, one after the other, into memory of its own.
class RowDraw {
  public:
    explicit RowDraw(const ProceduralRows& rows)
        : rows_(rows),
          draw_(rows.rule),
          delay_(rows.rule.delay),
          delays_(static_cast<std::uint32_t>(number_of_delays(rows.rule))) {
        if (delays_ > 1) has_delay_.resize(delays_);
    }

    /// Calls take(delay, segment) for every segment that the row of `source` may have, in ascending order.
    template <class F>
    void walk(NeuronIndex source, F&& take) {
        const std::int64_t low = delay_.low().femtoseconds() + rows_.delay_before;
        if (delays_ == 1) return take(low, source);
        has_delay_.assign(delays_, false);
        draw_.from<Values::delay>(source, rows_.range.begin, rows_.range.end,
                                  [&](const Synapse& s) { has_delay_[index_of(s.delay)] = true; });
        for (std::uint32_t d = 0; d < delays_; ++d) {
            if (has_delay_[d]) take(low + d * delay_.step().femtoseconds(), source * delays_ + d);
        }
    }

    /// Draws the synapses of a segment.
    void draw(std::uint32_t segment) {
        targets_.clear();
        weights_.clear();
        const NeuronIndex source = segment / delays_;
        const std::uint32_t delay = segment % delays_;
        if (delays_ > 1)
            draw_row<Values::weight_and_delay>(source,
                                               [&](const Synapse& s) { return index_of(s.delay) == delay; });
        else
            draw_row<Values::weight>(source, [](const Synapse&) { return true; });
    }
    [[nodiscard]] std::size_t size() const { return targets_.size(); }
    /// Counted from the first neuron of the range.
    [[nodiscard]] const NeuronIndex* targets() const { return targets_.data(); }
    /// Calls f with the weight that all synapses share, or with a pointer to their weights.
    template <class F>
    void visit_weights(F&& f) const {
        if (has_one_weight())
            f(rows_.rule.weight.value);
        else
            f(weights_.data());
    }

  private:
    [[nodiscard]] bool has_one_weight() const {
        return rows_.rule.weight.kind == Distribution::Kind::constant;
    }
    [[nodiscard]] std::uint32_t index_of(Duration delay) const {
        return static_cast<std::uint32_t>((delay - delay_.low()).femtoseconds() /
                                          delay_.step().femtoseconds());
    }
    template <Values values, class Test>
    void draw_row(NeuronIndex source, Test&& belongs) {
        const bool one_weight = has_one_weight();
        draw_.from<values>(source, rows_.range.begin, rows_.range.end, [&](const Synapse& s) {
            if (!belongs(s)) return;
            targets_.push_back(s.target - rows_.range.begin);
            if (!one_weight) weights_.push_back(static_cast<float>(s.weight));
        });
    }

    const ProceduralRows& rows_;
    SynapseDraw draw_;
    detail::DelayDraw delay_;
    std::uint32_t delays_;
    std::vector<bool> has_delay_;
    std::vector<NeuronIndex> targets_;
    std::vector<float> weights_;  // as precise as in a table
};

}  // namespace saltus
