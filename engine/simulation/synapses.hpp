// The synapses of one population onto one block of neurons, by rows: what a spike of one source brings. They
// are those of one projection, or of several whose targets share the block.
//
// A row is sorted by (delay, target): all synapses of one delay are delivered in one pass. Three layouts, by
// what the delays of the rows are:
//   one      every synapse has the same delay: nothing is stored
//   shared   rows with several synapses per delay: the bounds of each (source, delay) segment
//   own      else: an index into the list of delays, or the delay itself, per synapse
// Targets are counted from the block's first neuron, so that 16 bits hold them.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "large_array.hpp"
#include "piece.hpp"
#include "saltus/engine/projection.hpp"

namespace saltus {

/// Where the row of each source is, for sources of which most may have none.
class Rows {
  public:
    struct Row {
        std::uint32_t begin = 0;
        std::uint32_t end = 0;
    };

    Rows() = default;
    Rows(std::uint32_t sources, std::uint64_t synapses) {
        if (synapses < sources) marks_.resize(std::size_t{sources} / 64 + 1);
        begins_.reserve(std::min<std::uint64_t>(sources, synapses) + 1);
    }
    /// Only sources that are added have a row; else every one must be.
    [[nodiscard]] bool is_sparse() const { return !marks_.empty(); }
    /// The next source, in ascending order.
    void add(NeuronIndex source, std::uint32_t begin) {
        if (is_sparse()) {
            Mark& mark = marks_[source / 64];
            if (mark.bits == 0) mark.before = static_cast<std::uint32_t>(begins_.size());
            mark.bits |= std::uint64_t{1} << source % 64;
        }
        begins_.push_back(begin);
    }

    /// After the last: the number of synapses.
    void close(std::uint32_t synapses) { begins_.push_back(synapses); }

    [[nodiscard]] Row operator[](NeuronIndex source) const {
        std::uint32_t k = source;
        if (is_sparse()) {
            const Mark& mark = marks_[source / 64];
            const std::uint64_t bit = std::uint64_t{1} << source % 64;
            if ((mark.bits & bit) == 0) return {};
            k = mark.before + static_cast<std::uint32_t>(std::popcount(mark.bits & (bit - 1)));
        }
        return {begins_[k], begins_[k + 1]};
    }
    void prefetch(NeuronIndex source) const {
        if (is_sparse())
            __builtin_prefetch(marks_.data() + source / 64);
        else
            __builtin_prefetch(begins_.data() + source);
    }
    /// f(source) for every source that has synapses, in ascending order.
    template <class F>
    void each_source(F&& f) const {
        if (!is_sparse()) {
            for (NeuronIndex source = 0; source + 1 < begins_.size(); ++source) {
                if (begins_[source] != begins_[source + 1]) f(source);
            }
        }
        for (std::size_t k = 0; k < marks_.size(); ++k) {
            for (std::uint64_t bits = marks_[k].bits; bits != 0; bits &= bits - 1)
                f(static_cast<NeuronIndex>(64 * k + static_cast<std::size_t>(std::countr_zero(bits))));
        }
    }
    /// f(begin, end) for every row.
    template <class F>
    void each(F&& f) const {
        for (std::size_t k = 0; k + 1 < begins_.size(); ++k) f(begins_[k], begins_[k + 1]);
    }
    /// Row `source` of all sources ends where the next begins; nullptr if only some have rows.
    [[nodiscard]] const std::uint32_t* bounds() const { return is_sparse() ? nullptr : begins_.data(); }
    [[nodiscard]] std::uint64_t bytes() const {
        return begins_.size() * sizeof(begins_[0]) + marks_.size() * sizeof(Mark);
    }

  private:
    struct Mark {
        std::uint64_t bits = 0;    // 1: this source of 64 has a row
        std::uint32_t before = 0;  // rows of the sources before these 64, if any of them has one
    };
    LargeArray<std::uint32_t> begins_;
    LargeArray<Mark> marks_;  // empty: all sources have a row
};

class SynapseTable {
  public:
    using Target = std::uint16_t;
    static constexpr std::uint32_t most_targets = 1u << 16;
    static constexpr std::uint64_t most_synapses = (1u << 31) - 1;

    /// The synapses of `stage`, which is Sparse or Rule, onto neurons that a block keeps from number `first`
    /// on.
    struct Part {
        const Stage* stage;
        Duration delay_before;
        NeuronRange range;
        std::uint32_t first = 0;
    };
    /// `parts` come from one population, ascend in `first`, and are of one kind. Throws LimitError for more
    /// than most_synapses.
    explicit SynapseTable(const std::vector<Part>& parts);

    /// Synapses of one kind take no more memory in one table than in several.
    struct Kind {
        std::optional<double> weight;  // of all, if they share it
        bool floats = false;           // else: as precise are their weights
        std::vector<std::int64_t> delays;

        friend bool operator==(const Kind&, const Kind&) = default;
    };
    [[nodiscard]] static Kind kind_of(const Stage& stage, Duration delay_before);

    /// Synapses that a rule has onto `range`, in the mean, and the bytes that they take at least.
    struct Expected {
        double synapses = 0.0;
        double bytes = 0.0;
    };
    [[nodiscard]] static Expected expected(const Rule& rule, NeuronRange range);

    /// Where segments, the synapses of one source and delay, are long: segment `source * delays().size() + d`
    /// ends where the next begins. Else nullptr.
    [[nodiscard]] const std::uint32_t* segment_bounds() const {
        if (!long_segments_) return nullptr;
        return layout_ == Layout::shared ? bounds_.data() : rows_.bounds();
    }
    /// All distinct delays, ascending, if they are few.
    [[nodiscard]] const std::vector<std::int64_t>& delays() const { return delays_; }

    /// Asks for what walk(source) reads first, or for the whole row, for which that must be there; not where
    /// segments are long.
    void prefetch(NeuronIndex source, bool whole) const {
        if (!whole) {
            rows_.prefetch(source);
        } else if (layout_ == Layout::own) {
            const Rows::Row row = rows_[source];
            const std::uint32_t end = std::min(row.end, row.begin + 256);
            for (std::uint32_t k = row.begin; k < end; k += 32) {
                __builtin_prefetch(targets_.data() + k);
                if (delay_own_.empty()) __builtin_prefetch(delay_index_.data() + k);
            }
        } else {
            __builtin_prefetch(targets_.data() + rows_[source].begin);
        }
    }
    /// Calls take(delay, begin, end) for each group of synapses of one delay of the row of `source`, in
    /// ascending order: synapses [begin, end) of targets() and the weights.
    template <class F>
    void walk(NeuronIndex source, F&& take) const {
        if (layout_ == Layout::shared) {
            const std::size_t n = delays_.size();
            const std::uint32_t* bounds = bounds_.data() + std::size_t{source} * n;
            for (std::size_t k = 0; k < n; ++k) {
                if (bounds[k] != bounds[k + 1]) take(delays_[k], bounds[k], bounds[k + 1]);
            }
            return;
        }
        const Rows::Row row = rows_[source];
        std::uint32_t k = row.begin;
        const std::uint32_t end = row.end;
        if (layout_ == Layout::one) {
            if (k != end) take(delays_.front(), k, end);
            return;
        }
        const auto walk_own = [&](auto delay_of) {
            while (k < end) {
                const std::int64_t delay = delay_of(k);
                const std::uint32_t begin = k++;
                while (k < end && delay_of(k) == delay) ++k;
                take(delay, begin, k);
            }
        };
        if (delay_own_.empty())
            walk_own([&](std::uint32_t s) { return delays_[delay_index_[s]]; });
        else
            walk_own([&](std::uint32_t s) { return delay_own_[s]; });
    }

    /// f(source) for every source that has synapses here, in ascending order.
    template <class F>
    void each_source(F&& f) const {
        if (layout_ != Layout::shared) return rows_.each_source(f);
        const std::size_t n = delays_.size();
        for (std::size_t k = 0; k + 1 < bounds_.size(); k += n) {
            if (bounds_[k] != bounds_[k + n]) f(static_cast<NeuronIndex>(k / n));
        }
    }

    /// Calls take(delay, synapse) for each synapse of the row of `source`, in ascending order; only where
    /// few_share_delays().
    template <class F>
    void each(NeuronIndex source, F&& take) const {
        const Rows::Row row = rows_[source];
        if (delay_own_.empty()) {
            for (std::uint32_t k = row.begin; k < row.end; ++k) take(delays_[delay_index_[k]], k);
        } else {
            for (std::uint32_t k = row.begin; k < row.end; ++k) take(delay_own_[k], k);
        }
    }
    /// A group of one delay has one synapse or little more: the layout is `own`.
    [[nodiscard]] bool few_share_delays() const { return layout_ == Layout::own; }

    [[nodiscard]] const Target* targets() const { return targets_.data(); }
    /// Calls f with the weight that all synapses share, or with a pointer to their weights.
    template <class F>
    decltype(auto) visit_weights(F&& f) const {
        if (const auto* floats = std::get_if<LargeArray<float>>(&weights_)) return f(floats->data());
        if (const auto* doubles = std::get_if<LargeArray<double>>(&weights_)) return f(doubles->data());
        return f(std::get<double>(weights_));
    }
    [[nodiscard]] bool has_one_weight() const { return std::holds_alternative<double>(weights_); }
    [[nodiscard]] std::uint64_t size() const { return targets_.size(); }
    [[nodiscard]] std::uint64_t bytes() const;

  private:
    enum class Layout { one, shared, own };

    Layout layout_ = Layout::one;
    bool long_segments_ = false;
    std::vector<std::int64_t> delays_;       // one: the delay; else all distinct ones, ascending, if few
    Rows rows_;                              // one, own
    LargeArray<std::uint32_t> bounds_;       // shared: segment k of source s ends where the next begins
    LargeArray<std::uint16_t> delay_index_;  // own, few distinct delays
    LargeArray<std::int64_t> delay_own_;     // own, many
    LargeArray<Target> targets_;
    std::variant<double, LargeArray<float>, LargeArray<double>> weights_;
};

}  // namespace saltus
