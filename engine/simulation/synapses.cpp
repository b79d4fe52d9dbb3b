#include "synapses.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/synapse_draw.hpp"

namespace saltus {

namespace {

/// Delays per source and delay from which on the bounds of segments are stored, not the delay of each
/// synapse.
constexpr double dense_segments = 3.0;
constexpr std::size_t most_indexed_delays = 1u << 16;

/// Distinct delays that `stage` may have, ascending; empty: not enumerable.
std::vector<std::int64_t> distinct_delays(const Sparse& sparse) {
    std::vector<std::int64_t> delays;
    for (const Sparse::Segment& segment : sparse.table->segments) {
        delays.push_back(segment.delay.femtoseconds());
    }
    std::sort(delays.begin(), delays.end());
    delays.erase(std::unique(delays.begin(), delays.end()), delays.end());
    if (delays.empty()) delays.push_back(0);
    if (delays.size() > most_indexed_delays) delays.clear();
    return delays;
}
std::vector<std::int64_t> distinct_delays(const Rule& rule) {
    const detail::DelayDraw draw(rule.delay);
    const std::int64_t low = draw.low().femtoseconds();
    const std::int64_t step = draw.step().femtoseconds();
    const auto steps = static_cast<std::uint64_t>((draw.high().femtoseconds() - low) / step);
    std::vector<std::int64_t> delays;
    if (steps >= most_indexed_delays) return delays;
    for (std::uint64_t k = 0; k <= steps; ++k) delays.push_back(low + static_cast<std::int64_t>(k) * step);
    return delays;
}

/// Calls take(source, target, weight, delay_fs) for every synapse onto `range`, targets ascending within a
/// (source, delay).
template <class F>
void for_each(const Sparse& sparse, NeuronRange range, F&& take) {
    const Sparse::Table& table = *sparse.table;
    sparse.weights.visit([&](auto weights) {
        for (NeuronIndex source = 0; source < sparse.inputs; ++source) {
            for (std::uint64_t s = table.rows[source]; s < table.rows[source + 1]; ++s) {
                const Sparse::Segment& segment = table.segments[s];
                const auto first = table.targets.begin() + static_cast<std::ptrdiff_t>(segment.begin);
                const auto last = table.targets.begin() + static_cast<std::ptrdiff_t>(segment.end);
                for (auto j = std::lower_bound(first, last, range.begin); j != last && *j < range.end; ++j) {
                    take(source, *j,
                         static_cast<double>(weights[static_cast<std::size_t>(j - table.targets.begin())]),
                         segment.delay.femtoseconds());
                }
            }
        }
    });
}
template <class F>
void for_each(const Rule& rule, NeuronRange range, F&& take) {
    for_each_synapse(rule, range.begin, range.end,
                     [&](const Synapse& s) { take(s.source, s.target, s.weight, s.delay.femtoseconds()); });
}
/// The same for the sources alone, which is all that counting needs.
template <class F>
void for_each_source(const Sparse& sparse, NeuronRange range, F&& take) {
    for_each(sparse, range, [&](NeuronIndex source, NeuronIndex, double, std::int64_t) { take(source); });
}
template <class F>
void for_each_source(const Rule& rule, NeuronRange range, F&& take) {
    for_each_synapse<Values::none>(rule, range.begin, range.end, [&](const Synapse& s) { take(s.source); });
}

/// The weight of all synapses, if there is one.
bool shares_weight(const Sparse& sparse, double& weight) {
    return sparse.weights.visit([&](auto w) {
        weight = w.empty() ? 0.0 : static_cast<double>(w[0]);
        return std::all_of(w.begin(), w.end(), [&](auto x) { return x == w[0]; });
    });
}
bool shares_weight(const Rule& rule, double& weight) {
    weight = rule.weight.value;
    return rule.weight.kind == Distribution::Kind::constant;
}
bool keeps_float(const Sparse& sparse) {
    return sparse.weights.visit([](auto w) { return sizeof(w[0]) == sizeof(float); });
}
bool keeps_float(const Rule&) {
    return true;  // draws are rounded to float: eight digits of a random number are enough
}

/// Position of each of `delays` in the list of distinct ones.
class DelayIndex {
  public:
    explicit DelayIndex(const std::vector<std::int64_t>& distinct) : distinct_(distinct) {
        if (distinct.size() < 2) return;
        step_ = distinct[1] - distinct[0];
        for (std::size_t k = 1; k < distinct.size(); ++k) {
            if (distinct[k] - distinct[k - 1] != step_) step_ = 0;
        }
    }
    [[nodiscard]] std::uint16_t operator()(std::int64_t delay) const {
        if (step_ != 0) return static_cast<std::uint16_t>((delay - distinct_.front()) / step_);
        return static_cast<std::uint16_t>(std::lower_bound(distinct_.begin(), distinct_.end(), delay) -
                                          distinct_.begin());
    }

  private:
    const std::vector<std::int64_t>& distinct_;
    std::int64_t step_ = 0;  // 0: not evenly spaced
};

/// Brings columns[...] of the rows into the order of `key` within each row; equal keys keep their order.
template <class Key, class... Column>
void sort_rows(const LargeArray<std::uint32_t>& rows, LargeArray<Key>& key, LargeArray<Column>&... columns) {
    std::vector<std::uint32_t> order;
    const auto permute = [&](auto& column, std::uint32_t begin) {
        if (column.empty()) return;
        std::vector<std::decay_t<decltype(column[0])>> sorted(order.size());
        for (std::size_t k = 0; k < order.size(); ++k) sorted[k] = column[begin + order[k]];
        std::copy(sorted.begin(), sorted.end(), column.begin() + begin);
    };
    for (std::size_t s = 0; s + 1 < rows.size(); ++s) {
        const std::uint32_t begin = rows[s];
        const std::uint32_t end = rows[s + 1];
        const auto first = key.begin() + begin;
        if (std::is_sorted(first, key.begin() + end)) continue;
        order.resize(end - begin);
        std::iota(order.begin(), order.end(), 0u);
        std::stable_sort(order.begin(), order.end(),
                         [&](std::uint32_t a, std::uint32_t b) { return first[a] < first[b]; });
        permute(key, begin);
        (permute(columns, begin), ...);
    }
}

}  // namespace

SynapseTable::SynapseTable(const Stage& stage, Duration delay_before, NeuronRange range) {
    std::visit(
        [&](const auto& s) {
            using S = std::decay_t<decltype(s)>;
            if constexpr (std::is_same_v<S, Sparse> || std::is_same_v<S, Rule>) {
                fill(s, delay_before.femtoseconds(), range);
            }
        },
        stage);
}

template <class S>
void SynapseTable::fill(const S& stage, std::int64_t delay_before, NeuronRange range) {
    std::vector<std::uint64_t> counts(std::size_t{stage.inputs} + 1, 0);
    for_each_source(stage, range, [&](NeuronIndex source) { ++counts[source + 1]; });
    std::partial_sum(counts.begin(), counts.end(), counts.begin());
    if (counts.back() > most_synapses) {
        throw LimitError("projection " + quoted(stage.name) + ": " + std::to_string(counts.back()) +
                         " synapses onto " + std::to_string(range.size()) +
                         " neurons, more than 2^31 - 1. Use more threads or ranks, or split the population.");
    }
    rows_.assign(counts.begin(), counts.end());
    counts = {};
    const std::size_t n = rows_.back();

    delays_ = distinct_delays(stage);
    const bool one_delay = delays_.size() == 1;
    const DelayIndex index(delays_);
    double weight = 0.0;
    const bool one_weight = shares_weight(stage, weight);
    LargeArray<float> floats;
    LargeArray<double> doubles;
    const bool single = keeps_float(stage);
    targets_.resize(n);
    if (!one_weight) single ? floats.resize(n) : doubles.resize(n);
    if (delays_.empty())
        delay_own_.resize(n);
    else if (!one_delay)
        delay_index_.resize(n);

    std::vector<std::uint32_t> next(rows_.begin(), rows_.end() - 1);
    for_each(stage, range, [&](NeuronIndex source, NeuronIndex target, double w, std::int64_t delay) {
        const std::uint32_t k = next[source]++;
        targets_[k] = static_cast<Target>(target - range.begin);
        if (!one_weight) {
            if (single)
                floats[k] = static_cast<float>(w);
            else
                doubles[k] = w;
        }
        if (delays_.empty())
            delay_own_[k] = delay + delay_before;
        else if (!one_delay)
            delay_index_[k] = index(delay);
    });
    for (std::int64_t& delay : delays_) delay += delay_before;
    if (delays_.empty())
        sort_rows(rows_, delay_own_, targets_, floats, doubles);
    else if (!one_delay)
        sort_rows(rows_, delay_index_, targets_, floats, doubles);

    if (one_weight)
        weights_ = weight;
    else if (single)
        weights_ = std::move(floats);
    else
        weights_ = std::move(doubles);

    if (one_delay) return;
    layout_ = Layout::own;
    const std::size_t segments = std::size_t{stage.inputs} * delays_.size();
    if (!delays_.empty() && static_cast<double>(n) >= dense_segments * static_cast<double>(segments)) {
        layout_ = Layout::shared;
        bounds_.reserve(segments + 1);
        for (std::size_t s = 0; s < stage.inputs; ++s) {
            std::uint32_t k = rows_[s];
            for (std::size_t d = 0; d < delays_.size(); ++d) {
                bounds_.push_back(k);
                while (k < rows_[s + 1] && delay_index_[k] == d) ++k;
            }
        }
        bounds_.push_back(static_cast<std::uint32_t>(n));
        rows_ = {};
        delay_index_ = {};
    }
}

std::uint64_t SynapseTable::bytes() const {
    const std::uint64_t weights = std::visit(
        [](const auto& w) -> std::uint64_t {
            if constexpr (requires { w.size(); }) return w.size() * sizeof(w[0]);
            return 0;
        },
        weights_);
    return weights + rows_.size() * sizeof(rows_[0]) + bounds_.size() * sizeof(bounds_[0]) +
           delay_index_.size() * sizeof(delay_index_[0]) + delay_own_.size() * sizeof(delay_own_[0]) +
           targets_.size() * sizeof(targets_[0]);
}

}  // namespace saltus
