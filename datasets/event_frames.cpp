// Spikes counted in steps.
#include "event_frames.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "draws.hpp"
#include "saltus/datasets/evaluate.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::datasets {

namespace {

class EventFrames final : public learning::FrameSet {
  public:
    EventFrames(learning::FrameLayout layout, std::vector<std::uint32_t> labels, learning::SampleSet samples,
                const FrameOptions& options)
        : FrameSet(std::move(layout), std::move(labels)),
          samples_(std::move(samples)),
          binary_(options.binary),
          augmentation_(options.augmentation) {
        const Shape& shape = this->layout().shape;
        columns_ = shape.back();
        rows_ = shape.size() < 2 ? 1 : shape[shape.size() - 2];
    }

    void read(std::uint64_t i, std::span<float> values) const override {
        std::fill(values.begin(), values.end(), 0.0f);
        const learning::SampleSet::View sample = samples_[i];
        for (std::size_t k = 0; k < sample.times.size(); ++k)
            count(sample.times[k], sample.neurons[k], values);
    }

    void read_altered(std::uint64_t i, std::uint64_t draw, std::span<float> values) const override {
        std::fill(values.begin(), values.end(), 0.0f);
        const Augmentation& a = augmentation_;
        Draws draws(a.seed, draw, i);
        const std::int64_t later = draws.about_zero(static_cast<std::uint64_t>(a.shift.femtoseconds()));
        const std::int64_t down = rows_ > 1 ? draws.about_zero(a.pixels) : 0;
        const std::int64_t right = draws.about_zero(a.pixels);
        const learning::SampleSet::View sample = samples_[i];
        for (std::size_t k = 0; k < sample.times.size(); ++k) {
            if (a.drop > 0.0 && draws.uniform() < a.drop) continue;
            const std::int64_t column = sample.neurons[k] % columns_ + right;
            const std::int64_t row = sample.neurons[k] / columns_ % rows_ + down;
            if (column < 0 || column >= columns_ || row < 0 || row >= rows_) continue;
            const std::int64_t moved = sample.neurons[k] + down * columns_ + right;
            count(sample.times[k] + later, static_cast<NeuronIndex>(moved), values);
        }
        const auto added = std::llround(a.noise * static_cast<double>(sample.times.size()));
        for (std::int64_t n = 0; n < added; ++n) add(draws.below(values.size()), values);
    }

  private:
    void count(std::int64_t time, NeuronIndex neuron, std::span<float> values) const {
        if (time < 0) return;
        const auto step = static_cast<std::uint64_t>(time / layout().dt.femtoseconds());
        if (step < layout().steps) add(step * layout().width() + neuron, values);
    }
    void add(std::uint64_t place, std::span<float> values) const {
        values[place] = binary_ ? 1.0f : values[place] + 1.0f;
    }

    learning::SampleSet samples_;
    bool binary_;
    Augmentation augmentation_;
    std::int64_t columns_ = 1;
    std::int64_t rows_ = 1;
};

/// Steps up to the last spike of all samples.
std::uint32_t steps_of(const Dataset& dataset, Duration dt) {
    std::int64_t last = 0;
    for (std::uint64_t i = 0; i < dataset.size; ++i) {
        const Sample sample = dataset.sample(i);
        if (!sample.spikes.empty())
            last = std::max(last, sample.spikes.times.back().since_start().femtoseconds());
    }
    const std::int64_t steps = last / dt.femtoseconds() + 1;
    if (steps > INT32_MAX) {
        throw UsageError("dt: " + to_string(dt) + " makes " + std::to_string(steps) +
                         " steps of a sample. Take a larger one.");
    }
    return static_cast<std::uint32_t>(steps);
}

}  // namespace

std::shared_ptr<const learning::FrameSet> event_frames(const Dataset& part, const Dataset& all,
                                                       const FrameOptions& options) {
    if (options.dt <= Duration()) throw UsageError("dt: expected > 0, found " + to_string(options.dt) + ".");
    learning::SampleSet samples = load_samples(part);
    std::vector<std::uint32_t> labels;
    for (std::uint64_t i = 0; i < samples.size(); ++i) labels.push_back(samples[i].label);
    learning::FrameLayout layout;
    layout.steps = options.steps > 0 ? options.steps : steps_of(all, options.dt);
    layout.shape = part.shape;
    layout.dt = options.dt;
    layout.classes = all.classes;
    return std::make_shared<EventFrames>(std::move(layout), std::move(labels), std::move(samples), options);
}

}  // namespace saltus::datasets
