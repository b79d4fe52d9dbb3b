// The synapses of one projection onto one block of neurons, by rows: what a spike of one source brings.
//
// A row is sorted by (delay, target): all synapses of one delay are delivered in one pass. Three layouts, by
// what the delays of the rows are:
//   one      every synapse has the same delay: nothing is stored
//   shared   rows with several synapses per delay: the bounds of each (source, delay) segment
//   own      else: an index into the list of delays, or the delay itself, per synapse
// Targets are counted from the block's first neuron, so that 16 bits hold them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "large_array.hpp"
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
    /// The synapses of `stage`, which is Sparse or Rule, onto `range`. Throws LimitError for 2^32 synapses or
    /// more.
    SynapseTable(const Stage& stage, Duration delay_before, NeuronRange range);

    /// Asks for what walk(source) reads first, or for the whole row, for which that must be there.
    void prefetch(NeuronIndex source, bool whole) const {
        if (!whole) {
            if (layout_ != Layout::shared) __builtin_prefetch(rows_.data() + source);
        } else if (layout_ == Layout::shared) {
            const std::uint32_t* bounds = bounds_.data() + std::size_t{source} * delays_.size();
            for (std::size_t k = 0; k < delays_.size(); k += 16) __builtin_prefetch(bounds + k);
        } else if (layout_ == Layout::own) {
            const std::uint32_t begin = rows_[source];
            const std::uint32_t end = std::min(rows_[source + 1], begin + 256);
            for (std::uint32_t k = begin; k < end; k += 32) {
                __builtin_prefetch(targets_.data() + k);
                if (delay_own_.empty()) __builtin_prefetch(delay_index_.data() + k);
            }
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
        std::uint32_t k = rows_[source];
        const std::uint32_t end = rows_[source + 1];
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

    /// Calls take(delay, synapse) for each synapse of the row of `source`, in ascending order; only where
    /// few_share_delays().
    template <class F>
    void each(NeuronIndex source, F&& take) const {
        const std::uint32_t end = rows_[source + 1];
        if (delay_own_.empty()) {
            for (std::uint32_t k = rows_[source]; k < end; ++k) take(delays_[delay_index_[k]], k);
        } else {
            for (std::uint32_t k = rows_[source]; k < end; ++k) take(delay_own_[k], k);
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

    template <class S>
    void fill(const S& stage, std::int64_t delay_before, NeuronRange range);
    Layout layout_ = Layout::one;
    std::vector<std::int64_t> delays_;       // one: the delay; else all distinct ones, ascending, if few
    LargeArray<std::uint32_t> rows_;         // one, own: synapses of source s are [rows[s], rows[s + 1])
    LargeArray<std::uint32_t> bounds_;       // shared: segment k of source s ends where the next begins
    LargeArray<std::uint16_t> delay_index_;  // own, few distinct delays
    LargeArray<std::int64_t> delay_own_;     // own, many
    LargeArray<Target> targets_;
    std::variant<double, LargeArray<float>, LargeArray<double>> weights_;
};

}  // namespace saltus
