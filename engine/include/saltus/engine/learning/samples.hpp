// Labelled samples as spikes, end to end in memory: what the rules learn from.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "saltus/engine/projection.hpp"
#include "saltus/engine/spike_train.hpp"

namespace saltus::learning {

class SampleSet {
  public:
    /// Spikes of one sample, ascending in time.
    struct View {
        std::span<const std::int64_t> times;  // [fs]
        std::span<const NeuronIndex> neurons;
        std::uint32_t label = 0;
    };

    SampleSet(Shape shape, std::uint32_t classes) : shape_(std::move(shape)), classes_(classes) {}

    /// `spikes` are sorted. Throws InputError for a neuron outside the shape, a time before 0, or a label
    /// that is no class.
    void add(const SpikeTrain& spikes, std::int64_t label);

    [[nodiscard]] const Shape& shape() const { return shape_; }
    [[nodiscard]] std::uint32_t classes() const { return classes_; }
    [[nodiscard]] std::uint64_t size() const { return labels_.size(); }
    [[nodiscard]] View operator[](std::uint64_t i) const {
        const std::uint64_t begin = offsets_[i];
        const std::uint64_t n = offsets_[i + 1] - begin;
        return {{times_.data() + begin, n}, {neurons_.data() + begin, n}, labels_[i]};
    }

  private:
    Shape shape_;
    std::uint32_t classes_;
    std::vector<std::uint64_t> offsets_{0};
    std::vector<std::int64_t> times_;
    std::vector<NeuronIndex> neurons_;
    std::vector<std::uint32_t> labels_;
};

}  // namespace saltus::learning
