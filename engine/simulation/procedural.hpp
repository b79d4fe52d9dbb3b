// Synapses that are not kept: what a spike brings is drawn again, from (seed, source).
//
// An arrival is a segment of a row, the synapses of one delay. Its number is source * delays + delay:
// segments of several sources that arrive at once are delivered in the order in which a table holds them, so
// that a run has the same bits as with synapses that are kept. A row of one delay is drawn when it arrives. A
// row of several is drawn when its spike is sent, and held until the last of its segments has arrived: of all
// rows, those of spikes in flight.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "saltus/engine/synapse_draw.hpp"
#include "synapses.hpp"

namespace saltus {

/// The synapses of a rule onto the neurons of one block.
struct ProceduralRows {
    Rule rule;  // procedural, and as check_rule accepts it
    std::int64_t delay_before = 0;
    NeuronRange range;
    std::uint32_t first = 0;  // number in the block of the first neuron
};

/// Draws rows. Holds memory of its own: one for each block.
class RowDraw {
  public:
    /// Synapses of one delay. Targets are numbers in the block.
    struct Segment {
        std::span<const NeuronIndex> targets;
        const float* weights = nullptr;  // as precise as in a table; none: all are one_weight
        double one_weight = 0.0;

        /// Calls f with the weight that all synapses share, or with a pointer to their weights.
        template <class F>
        void visit_weights(F&& f) const {
            if (weights)
                f(weights);
            else
                f(one_weight);
        }
    };

    explicit RowDraw(const ProceduralRows& rows)
        : rows_(rows),
          draw_(rows.rule),
          delay_(rows.rule.delay),
          delays_(static_cast<std::uint32_t>(number_of_delays(rows.rule))) {}

    /// Calls push(delay, segment) for every segment that the row of `source` may have, in ascending order.
    /// push says whether the segment will be asked for.
    template <class F>
    void walk(NeuronIndex source, F&& push) {
        const std::int64_t low = delay_.low().femtoseconds() + rows_.delay_before;
        if (delays_ == 1) {
            push(low, source);
            return;
        }
        Row& row = held_row(source);
        for (std::uint32_t d = 0; d < delays_; ++d) {
            if (row.ends[d] == (d == 0 ? 0 : row.ends[d - 1])) continue;
            row.awaited += push(low + d * delay_.step().femtoseconds(), source * delays_ + d) ? 1u : 0u;
        }
        if (row.awaited == 0) release(source);
    }

    /// The synapses of a segment that walk has pushed; they stand until the next call.
    [[nodiscard]] Segment segment(std::uint32_t number) {
        const NeuronIndex source = number / delays_;
        if (delays_ == 1) {
            draw_row(source, scratch_);
            return segment_of(scratch_, 0);
        }
        Row& row = held_row(source);
        const Segment result = segment_of(row, number % delays_);
        if (--row.awaited == 0) release(source);
        return result;
    }

  private:
    struct Row {
        std::vector<NeuronIndex> targets;
        std::vector<float> weights;
        std::vector<std::uint32_t> ends;  // of each delay
        std::uint32_t awaited = 0;        // segments
    };

    [[nodiscard]] Segment segment_of(const Row& row, std::uint32_t delay) const {
        const std::uint32_t begin = delay == 0 ? 0 : row.ends[delay - 1];
        return {{row.targets.data() + begin, row.ends[delay] - begin},
                has_one_weight() ? nullptr : row.weights.data() + begin,
                rows_.rule.weight.value};
    }
    [[nodiscard]] bool has_one_weight() const {
        return rows_.rule.weight.kind == Distribution::Kind::constant;
    }

    Row& held_row(NeuronIndex source) {
        const auto found = held_.find(source);
        if (found != held_.end()) return pool_[found->second];
        if (free_.empty()) {
            free_.push_back(static_cast<std::uint32_t>(pool_.size()));
            pool_.emplace_back();
        }
        const std::uint32_t place = free_.back();
        free_.pop_back();
        held_.emplace(source, place);
        draw_row(source, pool_[place]);
        return pool_[place];
    }
    void release(NeuronIndex source) {
        const auto found = held_.find(source);
        free_.push_back(found->second);
        held_.erase(found);
    }

    void draw_row(NeuronIndex source, Row& row) {
        drawn_.clear();
        row.ends.assign(delays_, 0);
        draw_.from(source, rows_.range.begin, rows_.range.end, [&](const Synapse& s) {
            const std::int64_t steps = (s.delay - delay_.low()).femtoseconds() / delay_.step().femtoseconds();
            drawn_.push_back({s.target - rows_.range.begin + rows_.first, static_cast<std::uint32_t>(steps),
                              static_cast<float>(s.weight)});
            ++row.ends[drawn_.back().delay];
        });
        // Counted, summed up, and put in place: the ends are then where they belong.
        std::uint32_t begin = 0;
        for (std::uint32_t& end : row.ends) {
            const std::uint32_t n = end;
            end = begin;
            begin += n;
        }
        row.targets.resize(drawn_.size());
        row.weights.resize(has_one_weight() ? 0 : drawn_.size());
        for (const Drawn& synapse : drawn_) {
            const std::uint32_t k = row.ends[synapse.delay]++;
            row.targets[k] = synapse.target;
            if (!row.weights.empty()) row.weights[k] = synapse.weight;
        }
    }

    struct Drawn {
        NeuronIndex target;
        std::uint32_t delay;
        float weight;
    };

    const ProceduralRows& rows_;
    SynapseDraw draw_;
    detail::DelayDraw delay_;
    std::uint32_t delays_;
    std::vector<Drawn> drawn_;
    Row scratch_;
    std::vector<Row> pool_;
    std::vector<std::uint32_t> free_;                      // of the pool
    std::unordered_map<NeuronIndex, std::uint32_t> held_;  // of sources whose spikes are in flight
};

}  // namespace saltus
