#include "saltus/engine/learning/frames.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/learner.hpp"

namespace saltus::learning {

namespace {

constexpr std::uint64_t most_values = std::uint64_t{1} << 28;

class JoinedFrames final : public FrameSet {
  public:
    JoinedFrames(std::shared_ptr<const FrameSet> first, std::shared_ptr<const FrameSet> second,
                 std::vector<std::uint32_t> labels)
        : FrameSet(first->layout(), std::move(labels)),
          first_(std::move(first)),
          second_(std::move(second)) {}

    void read(std::uint64_t i, std::span<float> values) const override {
        i < first_->size() ? first_->read(i, values) : second_->read(i - first_->size(), values);
    }
    void read_altered(std::uint64_t i, std::uint64_t draw, std::span<float> values) const override {
        i < first_->size() ? first_->read_altered(i, draw, values)
                           : second_->read_altered(i - first_->size(), draw, values);
    }

  private:
    std::shared_ptr<const FrameSet> first_;
    std::shared_ptr<const FrameSet> second_;
};

class ReorderedFrames final : public FrameSet {
  public:
    ReorderedFrames(std::shared_ptr<const FrameSet> set, std::vector<std::uint64_t> order,
                    std::vector<std::uint32_t> labels)
        : FrameSet(set->layout(), std::move(labels)), set_(std::move(set)), order_(std::move(order)) {}

    void read(std::uint64_t i, std::span<float> values) const override { set_->read(order_[i], values); }
    void read_altered(std::uint64_t i, std::uint64_t draw, std::span<float> values) const override {
        set_->read_altered(order_[i], draw, values);
    }

  private:
    std::shared_ptr<const FrameSet> set_;
    std::vector<std::uint64_t> order_;
};

/// Sums of the numbers at each place of the shape, and of their squares, [place][2].
void add_moments(std::span<const float> values, std::span<double> moments) {
    const std::size_t width = moments.size() / 2;
    for (std::size_t at = 0; at < values.size(); at += width) {
        for (std::size_t k = 0; k < width; ++k) {
            const double x = values[at + k];
            moments[2 * k] += x;
            moments[2 * k + 1] += x * x;
        }
    }
}

std::vector<float> deviations_of(std::span<const double> moments, double n) {
    std::vector<float> result(moments.size() / 2, 1.0f);
    for (std::size_t k = 0; k < result.size(); ++k) {
        const double mean = moments[2 * k] / n;
        const double square = moments[2 * k + 1] / n;
        const double variance = square - mean * mean;
        // What is left of equal numbers is rounding.
        if (variance > 1e-14 * square) result[k] = static_cast<float>(std::sqrt(variance));
    }
    return result;
}

}  // namespace

FrameSet::FrameSet(FrameLayout layout, std::vector<std::uint32_t> labels)
    : layout_(std::move(layout)), labels_(std::move(labels)) {
    const std::uint64_t width = layout_.width();
    if (layout_.steps == 0 || width == 0 || width > most_values / layout_.steps) {
        throw UsageError("frames: expected 1 to " + std::to_string(most_values) +
                         " numbers a sample, found " + std::to_string(layout_.steps) + " steps of shape " +
                         to_string(layout_.shape) + ".");
    }
    if (layout_.dt <= Duration()) {
        throw UsageError("frames, dt: expected > 0, found " + to_string(layout_.dt) + ".");
    }
    if (layout_.classes.empty()) throw UsageError("frames: expected at least one class, found none.");
    for (std::size_t i = 0; i < labels_.size(); ++i) {
        if (labels_[i] >= layout_.classes.size()) {
            throw UsageError("frames, sample " + std::to_string(i) + ", label: expected 0 to " +
                             std::to_string(layout_.classes.size() - 1) + ", found " +
                             std::to_string(labels_[i]) + ".");
        }
    }
}

void FrameSet::read_altered(std::uint64_t i, std::uint64_t, std::span<float> values) const {
    read(i, values);
}

StoredFrames::StoredFrames(FrameLayout layout, std::vector<float> values, std::vector<std::uint32_t> labels)
    : FrameSet(std::move(layout), std::move(labels)), values_(std::move(values)) {
    const std::uint64_t each = this->layout().values();
    if (values_.size() % each != 0 || values_.size() / each != size()) {
        throw UsageError("frames: expected " + std::to_string(size()) + " samples of " +
                         std::to_string(each) + " numbers, found " + std::to_string(values_.size()) +
                         " numbers.");
    }
    for (std::size_t k = 0; k < values_.size(); ++k) {
        if (!std::isfinite(values_[k])) {
            throw UsageError("frames, sample " + std::to_string(k / each) + ", step " +
                             std::to_string(k % each / this->layout().width()) +
                             ": expected finite numbers, found " + shown(values_[k]) + ".");
        }
    }
}

void StoredFrames::read(std::uint64_t i, std::span<float> values) const {
    const std::uint64_t each = layout().values();
    std::copy_n(values_.begin() + static_cast<std::ptrdiff_t>(i * each), each, values.begin());
}

std::shared_ptr<const FrameSet> joined(std::shared_ptr<const FrameSet> first,
                                       std::shared_ptr<const FrameSet> second) {
    const FrameLayout& a = first->layout();
    const FrameLayout& b = second->layout();
    if (a.steps != b.steps || a.shape != b.shape || a.dt != b.dt || a.classes != b.classes) {
        throw UsageError("frames: expected two parts of the same layout, found " + std::to_string(a.steps) +
                         " steps of " + to_string(a.dt) + ", shape " + to_string(a.shape) + ", " +
                         std::to_string(a.classes.size()) + " classes, and " + std::to_string(b.steps) +
                         " steps of " + to_string(b.dt) + ", shape " + to_string(b.shape) + ", " +
                         std::to_string(b.classes.size()) + " classes.");
    }
    std::vector<std::uint32_t> labels = first->labels();
    labels.insert(labels.end(), second->labels().begin(), second->labels().end());
    return std::make_shared<JoinedFrames>(std::move(first), std::move(second), std::move(labels));
}

std::shared_ptr<const FrameSet> reordered(std::shared_ptr<const FrameSet> set,
                                          std::vector<std::uint64_t> order) {
    std::vector<std::uint32_t> labels;
    labels.reserve(order.size());
    for (const std::uint64_t i : order) {
        if (i >= set->size()) {
            throw UsageError("frames, order: expected numbers below " + std::to_string(set->size()) +
                             ", found " + std::to_string(i) + ".");
        }
        labels.push_back(set->label(i));
    }
    return std::make_shared<ReorderedFrames>(std::move(set), std::move(order), std::move(labels));
}

void read_batch(const FrameSet& set, std::span<const std::uint64_t> samples,
                std::optional<std::uint64_t> draw, unsigned threads, FrameBatch& batch) {
    const std::uint64_t each = set.layout().values();
    batch.values.resize(samples.size() * each);
    batch.labels.resize(samples.size());
    for_each_parallel(samples.size(), threads, [&](std::size_t k, unsigned) {
        const std::span<float> values(batch.values.data() + k * each, each);
        batch.labels[k] = set.label(samples[k]);
        draw ? set.read_altered(samples[k], *draw, values) : set.read(samples[k], values);
    });
}

void divide_by_deviation(const FrameLayout& layout, FrameBatch& batch) {
    const std::size_t width = layout.width();
    std::vector<double> moments(2 * width);
    add_moments(batch.values, moments);
    const std::vector<float> by =
        deviations_of(moments, static_cast<double>(batch.labels.size()) * layout.steps);
    for (std::size_t k = 0; k < batch.values.size(); ++k) batch.values[k] /= by[k % width];
}

std::vector<float> deviations(const FrameSet& set, unsigned threads) {
    const FrameLayout& layout = set.layout();
    std::vector<double> moments(2 * layout.width());
    std::vector<std::vector<float>> buffers(std::max(threads, 1u), std::vector<float>(layout.values()));
    ordered_sum(set.size(), threads, moments, [&](std::size_t i, unsigned thread, std::span<double> partial) {
        set.read(i, buffers[thread]);
        add_moments(buffers[thread], partial);
    });
    return deviations_of(moments, static_cast<double>(set.size()) * layout.steps);
}

}  // namespace saltus::learning
