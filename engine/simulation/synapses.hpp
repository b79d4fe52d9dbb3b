// The synapses of one projection onto one block of neurons, by rows: what a spike of one source brings.
//
// A row is sorted by (delay, target). An axon cursor walks along it: a spike waits in the queue with the
// delay of its next synapses, and all synapses of one delay are delivered in one pass. Three layouts, by what
// the delays of the rows are:
//   one      every synapse has the same delay: nothing is stored
//   shared   rows with several synapses per delay: the bounds of each (source, delay) segment
//   own      else: an index into the list of delays, or the delay itself, per synapse
// Targets are counted from the block's first neuron, so that 16 bits hold them.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <variant>
#include <vector>

#include "saltus/engine/projection.hpp"

namespace saltus {

/// Neurons [begin, end) of one population.
struct NeuronRange {
    NeuronIndex begin = 0;
    NeuronIndex end = 0;

    [[nodiscard]] std::uint32_t size() const { return end - begin; }
};

class SynapseTable {
  public:
    using Target = std::uint16_t;
    static constexpr std::uint32_t most_targets = 1u << 16;
    static constexpr std::uint64_t most_synapses = (1u << 31) - 1;
    /// Position in a row: of a segment or of a synapse, as the layout counts.
    using Cursor = std::uint32_t;
    static constexpr Cursor at_end = UINT32_MAX;

    /// The synapses of `stage`, which is Sparse or Rule, onto `range`. Throws LimitError for 2^32 synapses or
    /// more.
    SynapseTable(const Stage& stage, Duration delay_before, NeuronRange range);

    /// First position of the row of `source`, at_end if it is empty.
    [[nodiscard]] Cursor first(NeuronIndex source) const;
    /// Delay of the synapses at `cursor`.
    [[nodiscard]] std::int64_t delay_fs(Cursor cursor) const {
        if (layout_ == Layout::one) return delays_.front();
        if (layout_ == Layout::shared) return delays_[cursor];
        return delay_own_.empty() ? delays_[delay_index_[cursor]] : delay_own_[cursor];
    }
    /// Calls take(delay, begin, end) for each group of synapses of one delay, from `cursor` on, while the
    /// delay is below `stop_delay`. Returns the position of the next, at_end if there is none.
    template <class F>
    Cursor walk(NeuronIndex source, Cursor cursor, std::int64_t stop_delay, F&& take) const {
        switch (layout_) {
            case Layout::one:
                if (delays_.front() >= stop_delay) return cursor;
                take(delays_.front(), rows_[source], rows_[source + 1]);
                return at_end;
            case Layout::shared: {
                const auto n = static_cast<Cursor>(delays_.size());
                const std::uint32_t* bounds = bounds_.data() + std::size_t{source} * n;
                for (; cursor < n; ++cursor) {
                    if (bounds[cursor] == bounds[cursor + 1]) continue;
                    if (delays_[cursor] >= stop_delay) return cursor;
                    take(delays_[cursor], bounds[cursor], bounds[cursor + 1]);
                }
                return at_end;
            }
            case Layout::own:
                break;
        }
        const Cursor row_end = rows_[source + 1];
        const auto walk_own = [&](auto delay_of) {
            while (cursor < row_end) {
                const std::int64_t delay = delay_of(cursor);
                if (delay >= stop_delay) return cursor;
                const Cursor begin = cursor++;
                while (cursor < row_end && delay_of(cursor) == delay) ++cursor;
                take(delay, begin, cursor);
            }
            return at_end;
        };
        if (delay_own_.empty()) return walk_own([&](Cursor k) { return delays_[delay_index_[k]]; });
        return walk_own([&](Cursor k) { return delay_own_[k]; });
    }

    [[nodiscard]] const Target* targets() const { return targets_.data(); }
    /// Calls f with the weight that all synapses share, or with a pointer to their weights.
    template <class F>
    decltype(auto) visit_weights(F&& f) const {
        if (const auto* floats = std::get_if<std::vector<float>>(&weights_)) return f(floats->data());
        if (const auto* doubles = std::get_if<std::vector<double>>(&weights_)) return f(doubles->data());
        return f(std::get<double>(weights_));
    }
    [[nodiscard]] std::uint64_t size() const { return targets_.size(); }
    [[nodiscard]] std::uint64_t bytes() const;

  private:
    enum class Layout { one, shared, own };

    template <class S>
    void fill(const S& stage, std::int64_t delay_before, NeuronRange range);
    Layout layout_ = Layout::one;
    std::vector<std::int64_t> delays_;        // one: the delay; else all distinct ones, ascending, if few
    std::vector<std::uint32_t> rows_;         // one, own: synapses of source s are [rows[s], rows[s + 1])
    std::vector<std::uint32_t> bounds_;       // shared: segment k of source s ends where the next begins
    std::vector<std::uint16_t> delay_index_;  // own, few distinct delays
    std::vector<std::int64_t> delay_own_;     // own, many
    std::vector<Target> targets_;
    std::variant<double, std::vector<float>, std::vector<double>> weights_;
};

}  // namespace saltus
