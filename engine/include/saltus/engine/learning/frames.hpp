// Labelled samples as numbers on a grid of steps: what networks in discrete time learn from.
//
// A sample is [step][shape], row-major, float. The shape of a step is (channel, band) for sound, (polarity,
// y, x) for a camera, (unit) for spikes without a place.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "saltus/engine/projection.hpp"
#include "saltus/engine/time.hpp"

namespace saltus::learning {

/// What all samples of a set have in common.
struct FrameLayout {
    std::uint32_t steps = 0;
    Shape shape;                       // of one step
    Duration dt;                       // from step to step
    std::vector<std::string> classes;  // names of the labels 0, 1, ...

    /// Numbers of one step, and of one sample.
    [[nodiscard]] std::uint64_t width() const { return element_count(shape); }
    [[nodiscard]] std::uint64_t values() const { return steps * width(); }
};

/// Any number of threads may read at once.
class FrameSet {
  public:
    virtual ~FrameSet() = default;

    [[nodiscard]] const FrameLayout& layout() const { return layout_; }
    [[nodiscard]] std::uint64_t size() const { return labels_.size(); }
    [[nodiscard]] std::uint32_t label(std::uint64_t i) const { return labels_[i]; }
    [[nodiscard]] const std::vector<std::uint32_t>& labels() const { return labels_; }

    /// Sample i into `values`, which has room for layout().values() numbers. Throws FileError for one that
    /// cannot be read.
    virtual void read(std::uint64_t i, std::span<float> values) const = 0;
    /// The same, altered for learning (moved in time, noise, ...): a function of the set's own seed, `draw`
    /// and i. Draws are told apart by their number: that of the mini-batch, or of the epoch.
    virtual void read_altered(std::uint64_t i, std::uint64_t draw, std::span<float> values) const;

  protected:
    /// Throws UsageError for a layout without steps, numbers or classes, or with more than 2^28 numbers a
    /// sample, and for a label that is no class.
    FrameSet(FrameLayout layout, std::vector<std::uint32_t> labels);

  private:
    FrameLayout layout_;
    std::vector<std::uint32_t> labels_;
};

/// Samples that are in memory as they are.
class StoredFrames final : public FrameSet {
  public:
    /// `values` is [sample][step][shape]. Throws UsageError also where it is of another size, or holds a
    /// number that is not finite.
    StoredFrames(FrameLayout layout, std::vector<float> values, std::vector<std::uint32_t> labels);

    void read(std::uint64_t i, std::span<float> values) const override;

  private:
    std::vector<float> values_;
};

/// The samples of `first`, then those of `second`: a part to learn from, then one that is held back. Throws
/// UsageError unless both have the same layout.
[[nodiscard]] std::shared_ptr<const FrameSet> joined(std::shared_ptr<const FrameSet> first,
                                                     std::shared_ptr<const FrameSet> second);

/// The samples of `set` in another order, or some of them: number i is `order[i]`. Throws UsageError for a
/// number that is not below the size of the set.
[[nodiscard]] std::shared_ptr<const FrameSet> reordered(std::shared_ptr<const FrameSet> set,
                                                        std::vector<std::uint64_t> order);

struct FrameBatch {
    std::vector<float> values;  // [sample][step][shape]
    std::vector<std::uint32_t> labels;
};

/// Reads some samples, altered by `draw` if there is one; what `batch` held is replaced.
void read_batch(const FrameSet& set, std::span<const std::uint64_t> samples,
                std::optional<std::uint64_t> draw, unsigned threads, FrameBatch& batch);

/// Divides each number by the standard deviation of its place in the shape over all samples and steps of the
/// batch, where that is not 0. What comes out for a sample depends on those beside it.
void divide_by_deviation(const FrameLayout& layout, FrameBatch& batch);

/// The same deviations, of a whole set as read() gives it, 1 in place of 0: they make a division that does
/// not depend on the batch. Sums are in the order of the samples, for any number of threads.
[[nodiscard]] std::vector<float> deviations(const FrameSet& set, unsigned threads);

}  // namespace saltus::learning
