// Values of synapses, and how a number of them is split between two halves.
#include "saltus/engine/synapse_draw.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace saltus {

namespace detail {

namespace {

/// Hypergeometric or binomial number: how many of `count` draws fall into `left` of left + right pairs.
///
/// Inversion that starts at the mode and walks outwards: the probabilities there are the largest, their
/// ratios are rational, and their sum, taken until it no longer changes, needs no factorial. The walk takes a
/// few standard deviations of steps.
class HalfDraw {
  public:
    HalfDraw(std::uint64_t count, std::uint64_t left, std::uint64_t right, bool repeated)
        : n_(static_cast<double>(count)),
          left_(static_cast<double>(left)),
          right_(static_cast<double>(right)),
          repeated_(repeated) {}

    std::uint64_t operator()(double u) const {
        const double lowest = repeated_ ? 0.0 : std::max(0.0, n_ - right_);
        const double highest = repeated_ ? n_ : std::min(n_, left_);
        const double guess = repeated_ ? (n_ + 1.0) * left_ / (left_ + right_)
                                       : (n_ + 1.0) * (left_ + 1.0) / (left_ + right_ + 2.0);
        const double mode = std::clamp(std::floor(guess), lowest, highest);
        double sum = 1.0;
        walk(mode, lowest, highest, [&](double, double p) {
            sum += p;
            return true;
        });
        double rest = u * sum - 1.0;
        double found = mode;
        if (rest >= 0.0) {
            walk(mode, lowest, highest, [&](double k, double p) {
                found = k;
                rest -= p;
                return rest >= 0.0;
            });
        }
        return static_cast<std::uint64_t>(found);
    }

  private:
    /// P(k + 1) / P(k)
    [[nodiscard]] double ratio(double k) const {
        if (repeated_) return (n_ - k) / (k + 1.0) * (left_ / right_);
        return (n_ - k) / (k + 1.0) * ((left_ - k) / (right_ - n_ + k + 1.0));
    }

    /// take(k, P(k) / P(mode)) for k = mode + 1, mode - 1, mode + 2, ... while it matters and take says so.
    template <class F>
    void walk(double mode, double lowest, double highest, F&& take) const {
        constexpr double negligible = 0x1p-60;
        double up = 1.0;
        double down = 1.0;
        double above = mode;
        double below = mode;
        while (up > 0.0 || down > 0.0) {
            up = above < highest ? up * ratio(above) : 0.0;
            if (up < negligible) up = 0.0;
            if (up > 0.0 && !take(++above, up)) return;
            down = below > lowest ? down / ratio(below - 1.0) : 0.0;
            if (down < negligible) down = 0.0;
            if (down > 0.0 && !take(--below, down)) return;
        }
    }

    double n_;
    double left_;
    double right_;
    bool repeated_;
};

/// Counts of the units of one range [begin, end) of a node, where they lie in [first, last).
void split_node(const SplitTree& tree, std::uint64_t node, std::uint64_t begin, std::uint64_t end,
                std::uint64_t count, std::uint64_t first, std::uint64_t last, std::uint64_t* counts) {
    if (begin >= last || end <= first || count == 0) return;
    if (end - begin == 1) {
        counts[begin - first] = count;
        return;
    }
    const std::uint64_t middle = begin + (end - begin) / 2;
    const std::uint64_t left = (middle - begin) * tree.per_unit;
    const std::uint64_t right = std::min(tree.pairs, end * tree.per_unit) - middle * tree.per_unit;
    SequentialRandom random(tree.seed, tree.stream + node, static_cast<std::uint32_t>(Purpose::split));
    const std::uint64_t in_left = HalfDraw(count, left, right, tree.repeated)(random.uniform());
    split_node(tree, 2 * node, begin, middle, in_left, first, last, counts);
    split_node(tree, 2 * node + 1, middle, end, count - in_left, first, last, counts);
}

/// So near to a bound, in steps, a multiple of the step is on it (check_rule counts it so).
constexpr double on_bound = 1e-6;

std::int64_t whole_femtoseconds(double seconds) {
    return duration_from_seconds(seconds, "delay").femtoseconds();
}
double in_steps(double seconds, std::int64_t step) {
    return static_cast<double>(whole_femtoseconds(seconds)) / static_cast<double>(step);
}

}  // namespace

void split(const SplitTree& tree, std::uint32_t first, std::uint32_t end,
           std::vector<std::uint64_t>& counts) {
    counts.assign(first < end ? end - first : 0, 0);
    split_node(tree, 1, 0, tree.units, tree.count, first, end, counts.data());
}

WeightDraw::WeightDraw(const Distribution& distribution) : d_(distribution) {
    if (d_.kind == Distribution::Kind::uniform_grid) {
        grid_ = static_cast<std::uint64_t>(std::round((d_.high - d_.low) / d_.step)) + 1;
    }
    if (d_.kind == Distribution::Kind::normal && d_.step > 0.0) {  // in steps
        d_.low = std::ceil(d_.low / d_.step - on_bound);
        d_.high = std::floor(d_.high / d_.step + on_bound);
    }
    if (d_.kind == Distribution::Kind::normal && d_.sd == 0.0) {
        d_.kind = Distribution::Kind::constant;
        if (d_.step > 0.0) d_.value = std::clamp(std::round(d_.value / d_.step), d_.low, d_.high) * d_.step;
    }
}

DelayDraw::DelayDraw(const Distribution& distribution) : d_(distribution) {
    switch (d_.kind) {
        case Distribution::Kind::constant:
            low_ = high_ = whole_femtoseconds(d_.value);
            break;
        case Distribution::Kind::uniform:
            low_ = whole_femtoseconds(d_.low);
            high_ = whole_femtoseconds(d_.high);
            break;
        case Distribution::Kind::uniform_grid:
            low_ = whole_femtoseconds(d_.low);
            step_ = whole_femtoseconds(d_.step);
            grid_ = static_cast<std::uint64_t>(std::round((d_.high - d_.low) / d_.step)) + 1;
            high_ = low_ + static_cast<std::int64_t>(grid_ - 1) * step_;
            break;
        case Distribution::Kind::normal:
            if (d_.step > 0.0) step_ = whole_femtoseconds(d_.step);
            mean_steps_ = d_.value * femtoseconds_per_second / static_cast<double>(step_);
            sd_steps_ = d_.sd * femtoseconds_per_second / static_cast<double>(step_);
            fewest_steps_ = static_cast<std::int64_t>(std::ceil(in_steps(d_.low, step_) - on_bound));
            most_steps_ = static_cast<std::int64_t>(std::floor(in_steps(d_.high, step_) + on_bound));
            if (d_.sd == 0.0) {
                d_.kind = Distribution::Kind::constant;
                const auto nearest = static_cast<std::int64_t>(mean_steps_ + 0.5);
                fewest_steps_ = most_steps_ = std::clamp(nearest, fewest_steps_, most_steps_);
            }
            low_ = fewest_steps_ * step_;
            high_ = most_steps_ * step_;
            break;
    }
}

void DistinctNumbers::reset(std::uint64_t n) {
    const std::uint64_t size = std::bit_ceil(2 * n + 1);
    slots_.assign(size, free_);
    mask_ = size - 1;
}

bool DistinctNumbers::insert(std::uint32_t x) {
    std::uint64_t slot = (x * std::uint64_t{0x9E3779B97F4A7C15u} >> 32) & mask_;
    while (slots_[slot] != free_) {
        if (slots_[slot] == x) return false;
        slot = (slot + 1) & mask_;
    }
    slots_[slot] = x;
    return true;
}

}  // namespace detail

std::uint64_t number_of_delays(const Rule& rule) {
    const detail::DelayDraw draw(rule.delay);
    return static_cast<std::uint64_t>((draw.high() - draw.low()).femtoseconds() /
                                      draw.step().femtoseconds()) +
           1;
}

DelayRange delay_range(const Rule& rule) {
    const detail::DelayDraw draw(rule.delay);
    return {draw.low(), draw.high()};
}

}  // namespace saltus
