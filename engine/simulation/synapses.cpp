#include "synapses.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <tuple>
#include <utility>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/synapse_draw.hpp"

namespace saltus {

namespace {

/// Synapses per source and delay from which on the bounds of segments are stored, not the delay of each
/// synapse.
constexpr double long_segment = 3.0;
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

/// The synapses of a stage onto some neurons, targets ascending within a (source, delay): each() calls
/// take(source, target, weight, delay_fs), each_source() take(source), which is all that counting needs.
template <class S>
class SynapsesOnto;
template <class S>
SynapsesOnto(const S&, NeuronRange) -> SynapsesOnto<S>;
template <>
class SynapsesOnto<Sparse> {
  public:
    SynapsesOnto(const Sparse& sparse, NeuronRange range) : sparse_(sparse), range_(range) {}

    template <class F>
    void each(F&& take) {
        const Sparse::Table& table = *sparse_.table;
        sparse_.weights.visit([&](auto weights) {
            for (NeuronIndex source = 0; source < sparse_.inputs; ++source) {
                for (std::uint64_t s = table.rows[source]; s < table.rows[source + 1]; ++s) {
                    const Sparse::Segment& segment = table.segments[s];
                    const auto first = table.targets.begin() + static_cast<std::ptrdiff_t>(segment.begin);
                    const auto last = table.targets.begin() + static_cast<std::ptrdiff_t>(segment.end);
                    for (auto j = std::lower_bound(first, last, range_.begin); j != last && *j < range_.end;
                         ++j) {
                        const auto k = static_cast<std::size_t>(j - table.targets.begin());
                        take(source, *j, static_cast<double>(weights[k]), segment.delay.femtoseconds());
                    }
                }
            }
        });
    }
    template <class F>
    void each_source(F&& take) {
        each([&](NeuronIndex source, NeuronIndex, double, std::int64_t) { take(source); });
    }

  private:
    const Sparse& sparse_;
    NeuronRange range_;
};
template <>
class SynapsesOnto<Rule> {
  public:
    SynapsesOnto(const Rule& rule, NeuronRange range) : draw_(rule), range_(range) {}

    template <class F>
    void each(F&& take) {
        draw_.onto(range_.begin, range_.end,
                   [&](const Synapse& s) { take(s.source, s.target, s.weight, s.delay.femtoseconds()); });
    }
    template <class F>
    void each_source(F&& take) {
        draw_.onto<Values::none>(range_.begin, range_.end, [&](const Synapse& s) { take(s.source); });
    }

  private:
    SynapseDraw draw_;
    NeuronRange range_;
};

/// Synapses of a source onto `range` in the mean.
template <class S>
double mean_row(const S& stage, std::uint64_t synapses, NeuronRange range) {
    const double part = static_cast<double>(range.size()) / stage.outputs;
    return static_cast<double>(synapses) * part / stage.inputs;
}
double mean_row(const Sparse& sparse, NeuronRange range) {
    return mean_row(sparse, sparse.table->targets.size(), range);
}
double mean_row(const Rule& rule, NeuronRange range) {
    return mean_row(rule, synapse_count(rule), range);
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

/// f(stage) of a Sparse or a Rule.
template <class F>
auto visit_synapses(const Stage& stage, F&& f) {
    if (const auto* sparse = std::get_if<Sparse>(&stage)) return f(*sparse);
    return f(std::get<Rule>(stage));
}

/// Position of each of `delays` in the list of distinct ones.
class DelayIndex {
  public:
    explicit DelayIndex(const std::vector<std::int64_t>& distinct) : distinct_(distinct) {
        if (distinct.size() < 2) return;
        const std::int64_t step = distinct[1] - distinct[0];
        for (std::size_t k = 1; k < distinct.size(); ++k) {
            if (distinct[k] - distinct[k - 1] != step) return;
        }
        per_step_ = 1.0 / static_cast<double>(step);
    }
    [[nodiscard]] std::uint16_t operator()(std::int64_t delay) const {
        if (per_step_ != 0.0) {  // a whole number of steps, below 2^16: rounding ends where dividing does
            return static_cast<std::uint16_t>(static_cast<double>(delay - distinct_.front()) * per_step_ +
                                              0.5);
        }
        return static_cast<std::uint16_t>(std::lower_bound(distinct_.begin(), distinct_.end(), delay) -
                                          distinct_.begin());
    }

  private:
    const std::vector<std::int64_t>& distinct_;
    double per_step_ = 0.0;  // 0: not evenly spaced
};

/// A new order for a piece of several columns.
class Reorder {
  public:
    void resize(std::uint32_t n) { from_.resize(n); }
    /// Element `from` of the columns comes to `place` of the piece.
    void put(std::uint32_t place, std::uint32_t from) { from_[place] = from; }
    template <class T>
    void operator()(LargeArray<T>& column, std::uint32_t begin) {
        if (column.empty()) return;
        auto& scratch = std::get<std::vector<T>>(scratch_);
        scratch.resize(from_.size());
        for (std::size_t k = 0; k < from_.size(); ++k) scratch[k] = column[from_[k]];
        std::copy(scratch.begin(), scratch.end(), column.begin() + begin);
    }

  private:
    std::vector<std::uint32_t> from_;
    std::tuple<std::vector<std::uint16_t>, std::vector<float>, std::vector<double>, std::vector<std::int64_t>>
        scratch_;
};

/// Sorts the piece [begin, end) by key; equal keys keep their order.
template <class Key>
void sort_by(const LargeArray<Key>& key, std::uint32_t begin, std::uint32_t end, Reorder& reorder) {
    std::vector<std::pair<Key, std::uint32_t>> order;
    order.reserve(end - begin);
    for (std::uint32_t k = begin; k < end; ++k) order.emplace_back(key[k], k);
    std::sort(order.begin(), order.end());
    reorder.resize(end - begin);
    for (std::uint32_t k = 0; k < order.size(); ++k) reorder.put(k, order[k].second);
}

/// Synapses are drawn target by target and wanted source by source. Put into their rows at once they would be
/// written all over the memory. So they first go to groups of neighbouring sources, and are sorted there, in
/// a cache, by counting the keys that a group has: (source of the group, delay).
class Groups {
  public:
    Groups(std::uint32_t sources, std::size_t delays)
        : sources_(sources), delays_(static_cast<std::uint32_t>(delays)) {
        constexpr std::uint32_t few_groups = 512;       // so many places to write at a fast cache holds
        constexpr std::uint32_t few_sources = 1 << 14;  // so many a slower one
        if (delays_ == 1 && sources <= few_sources) return;
        while ((sources >> shift_) > few_groups && (delays_ << (shift_ + 1)) <= most_keys) ++shift_;
    }
    static constexpr std::uint32_t most_keys = 1u << 16;

    /// A group is one row.
    [[nodiscard]] bool are_sorted() const { return shift_ == 0 && delays_ == 1; }
    [[nodiscard]] std::uint32_t size() const { return of(sources_ - 1) + 1; }
    [[nodiscard]] std::uint32_t delays() const { return delays_; }
    [[nodiscard]] std::uint32_t keys() const { return delays_ << shift_; }
    [[nodiscard]] std::uint32_t of(NeuronIndex source) const { return source >> shift_; }
    [[nodiscard]] std::uint16_t key(NeuronIndex source, std::uint32_t delay) const {
        return static_cast<std::uint16_t>((source & ((1u << shift_) - 1)) * delays_ + delay);
    }
    /// Sources [first(g), first(g + 1)) are group g.
    [[nodiscard]] NeuronIndex first(std::uint32_t g) const {
        return static_cast<NeuronIndex>(std::min<std::uint64_t>(std::uint64_t{g} << shift_, sources_));
    }

  private:
    std::uint32_t sources_;
    std::uint32_t delays_;
    std::uint32_t shift_ = 0;
};

}  // namespace

SynapseTable::Expected SynapseTable::expected(const Rule& rule, NeuronRange range) {
    const double synapses = mean_row(rule, range) * rule.inputs;
    double each = sizeof(Target);
    if (rule.weight.kind != Distribution::Kind::constant) each += sizeof(float);
    if (number_of_delays(rule) >= most_indexed_delays) each += sizeof(std::int64_t);
    return {synapses, synapses * each};
}

SynapseTable::Kind SynapseTable::kind_of(const Stage& stage, Duration delay_before) {
    return visit_synapses(stage, [&](const auto& s) {
        Kind kind;
        double weight = 0.0;
        if (shares_weight(s, weight))
            kind.weight = weight;
        else
            kind.floats = keeps_float(s);
        kind.delays = distinct_delays(s);
        for (std::int64_t& delay : kind.delays) delay += delay_before.femtoseconds();
        return kind;
    });
}

SynapseTable::SynapseTable(const std::vector<Part>& parts) {
    const Kind kind = kind_of(*parts.front().stage, parts.front().delay_before);
    delays_ = kind.delays;
    const auto sources = static_cast<std::uint32_t>(stage_size(*parts.front().stage).input);
    double length = 0.0;  // of a row, in the mean
    for (const Part& part : parts)
        length += visit_synapses(*part.stage, [&](const auto& s) { return mean_row(s, part.range); });
    // Where a row is short beside the list of delays, comparing its synapses takes less than counting.
    const bool by_count = !delays_.empty() && static_cast<double>(delays_.size()) <= 4.0 * (length + 1.0);
    const Groups groups(sources, by_count ? delays_.size() : 1);
    std::vector<std::uint64_t> group_begins(std::size_t{groups.size()} + 1, 0);
    for (const Part& part : parts) {
        visit_synapses(*part.stage, [&](const auto& s) {
            SynapsesOnto(s, part.range).each_source([&, groups](NeuronIndex source) {
                ++group_begins[groups.of(source) + 1];
            });
        });
    }
    std::partial_sum(group_begins.begin(), group_begins.end(), group_begins.begin());
    const std::uint64_t n = group_begins.back();
    if (n > most_synapses) {
        const Part& last = parts.back();
        throw LimitError("projection " + quoted(stage_name(*last.stage)) + ": " + std::to_string(n) +
                         " synapses onto " + std::to_string(last.first + last.range.size()) +
                         " neurons, more than 2^31 - 1. Use more threads or ranks, or split the population.");
    }

    if (kind.weight) {
        weights_ = *kind.weight;
    } else {
        if (kind.floats)
            weights_.emplace<LargeArray<float>>(n);
        else
            weights_.emplace<LargeArray<double>>(n);
    }
    LargeArray<std::uint16_t> keys(groups.are_sorted() ? 0 : n);
    targets_.resize(n);
    if (delays_.empty()) delay_own_.resize(n);
    if (!delays_.empty() && !by_count) delay_index_.resize(n);
    std::visit(
        [&](auto& weights) {
            const DelayIndex index(delays_);
            std::vector<std::uint32_t> next(group_begins.begin(), group_begins.end() - 1);
            const auto data = [](auto& column) { return column.empty() ? nullptr : column.data(); };
            const auto put = [&, groups, next = next.data(), targets = targets_.data(), keys = data(keys),
                              delay_index = data(delay_index_), delay_own = data(delay_own_)](
                                 NeuronIndex source, std::uint32_t target, double w, std::int64_t delay) {
                const std::uint32_t k = next[groups.of(source)]++;
                targets[k] = static_cast<Target>(target);
                if constexpr (!std::is_same_v<decltype(weights), double&>) {
                    weights[k] = static_cast<std::decay_t<decltype(weights[k])>>(w);
                }
                if (keys) keys[k] = groups.key(source, groups.delays() > 1 ? index(delay) : 0);
                if (delay_index) delay_index[k] = index(delay);
                if (delay_own) delay_own[k] = delay;
            };
            for (const Part& part : parts) {
                const std::uint32_t to_block = part.first - part.range.begin;
                const std::int64_t before = part.delay_before.femtoseconds();
                visit_synapses(*part.stage, [&](const auto& s) {
                    SynapsesOnto(s, part.range)
                        .each([put, to_block, before](NeuronIndex source, NeuronIndex target, double w,
                                                      std::int64_t delay) {
                            put(source, target + to_block, w, delay + before);
                        });
                });
            }
        },
        weights_);

    const std::size_t segments = std::size_t{sources} * groups.delays();
    long_segments_ = by_count && static_cast<double>(n) >= long_segment * static_cast<double>(segments);
    if (delays_.size() == 1)
        layout_ = Layout::one;
    else
        layout_ = long_segments_ ? Layout::shared : Layout::own;
    if (layout_ == Layout::shared)
        bounds_.reserve(segments + 1);
    else
        rows_ = Rows(sources, n);

    Reorder reorder;
    const auto reorder_all = [&](std::uint32_t begin) {
        reorder(targets_, begin);
        reorder(delay_index_, begin);
        reorder(delay_own_, begin);
        std::visit(
            [&](auto& weights) {
                if constexpr (!std::is_same_v<decltype(weights), double&>) reorder(weights, begin);
            },
            weights_);
    };
    std::vector<std::uint32_t> begins(groups.keys() + 1);  // of each key in its group
    for (std::uint32_t g = 0; g < groups.size(); ++g) {
        const auto begin = static_cast<std::uint32_t>(group_begins[g]);
        const auto end = static_cast<std::uint32_t>(group_begins[g + 1]);
        std::fill(begins.begin(), begins.end(), 0u);
        if (keys.empty()) begins[1] = end - begin;
        for (std::uint32_t k = begin; k < end && !keys.empty(); ++k) ++begins[keys[k] + 1u];
        std::partial_sum(begins.begin(), begins.end(), begins.begin());
        const std::uint32_t* row = begins.data();
        for (NeuronIndex source = groups.first(g); source < groups.first(g + 1); ++source) {
            if (layout_ == Layout::shared) {
                for (std::uint32_t d = 0; d < groups.delays(); ++d) bounds_.push_back(begin + row[d]);
            } else if (row[0] != row[groups.delays()] || !rows_.is_sparse()) {
                rows_.add(source, begin + row[0]);
            }
            row += groups.delays();
        }
        if (keys.empty()) continue;
        reorder.resize(end - begin);
        for (std::uint32_t k = begin; k < end; ++k) reorder.put(begins[keys[k]]++, k);
        reorder_all(begin);
        if (layout_ != Layout::own || !by_count) continue;
        // Now begins[key] is where it ends. What is left of the key is the delay.
        for (std::uint32_t key = 0, k = 0; key < groups.keys(); ++key) {
            for (; k < begins[key]; ++k) keys[begin + k] = static_cast<std::uint16_t>(key % groups.delays());
        }
    }
    if (layout_ == Layout::shared)
        bounds_.push_back(static_cast<std::uint32_t>(n));
    else
        rows_.close(static_cast<std::uint32_t>(n));
    if (layout_ != Layout::own) return;
    if (by_count) {
        delay_index_ = std::move(keys);
        return;
    }
    rows_.each([&](std::uint32_t begin, std::uint32_t end) {
        if (delay_own_.empty())
            sort_by(delay_index_, begin, end, reorder);
        else
            sort_by(delay_own_, begin, end, reorder);
        reorder_all(begin);
    });
}

std::uint64_t SynapseTable::bytes() const {
    const std::uint64_t weights = std::visit(
        [](const auto& w) -> std::uint64_t {
            if constexpr (requires { w.size(); }) return w.size() * sizeof(w[0]);
            return 0;
        },
        weights_);
    return weights + rows_.bytes() + bounds_.size() * sizeof(bounds_[0]) +
           delay_index_.size() * sizeof(delay_index_[0]) + delay_own_.size() * sizeof(delay_own_[0]) +
           targets_.size() * sizeof(targets_[0]);
}

}  // namespace saltus
