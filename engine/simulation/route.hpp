// A projection made ready to deliver: the way of one spike from its source to the neurons that it reaches.
//
// Delays leave the chain here. A chain whose delays are the same for every synapse keeps its stages and has
// one delay. Any other is expanded into explicit synapses, sorted by delay within the row of a source
// (synapses()), and is delivered as those are.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "arrivals.hpp"
#include "saltus/engine/projection.hpp"

namespace saltus {

/// For each element of an axis the outputs whose windows hold it, and the place in the window, in runs in
/// which both ascend by one. Places of a window are kept in an order that makes the runs long: for stride s
/// the kernel elements k = 0, s, 2s, ... reach successive outputs from the last to the first, then k = 1, s +
/// 1, ..., and so on.
class AxisMap {
  public:
    struct Run {
        std::uint32_t out;    // first output
        std::uint32_t place;  // of the kernel element that leads there, in the order described
        std::uint32_t count;
    };
    AxisMap(std::uint32_t in, std::uint32_t out, std::uint32_t kernel, std::uint32_t stride,
            std::uint32_t padding, std::uint32_t dilation);

    [[nodiscard]] std::span<const Run> runs(std::uint32_t in) const {
        return std::span<const Run>(runs_).subspan(begin_[in], begin_[in + 1] - begin_[in]);
    }
    /// Place of kernel element k.
    [[nodiscard]] std::uint32_t place(std::uint32_t k) const { return place_[k]; }

  private:
    std::vector<std::uint32_t> place_;
    std::vector<std::uint32_t> begin_;
    std::vector<Run> runs_;
};

struct DenseStep {
    Dense dense;
};
struct SparseStep {
    Sparse sparse;
};
struct ConvolutionStep {
    explicit ConvolutionStep(const Convolution& convolution);

    Convolution convolution;
    AxisMap rows;
    AxisMap columns;
    Weights by_source;  // [in channel][place of row][place of column][out channel of the group]
};
struct PoolingStep {
    explicit PoolingStep(const Pooling& pooling);

    Pooling pooling;
    double weight;
    AxisMap rows;
    AxisMap columns;
};
struct ScaleStep {
    Scale scale;
};
using Step = std::variant<DenseStep, SparseStep, ConvolutionStep, PoolingStep, ScaleStep>;

/// Bias of a stage, element by element of its output; empty if there is none but zeros.
[[nodiscard]] std::vector<double> bias_of(const Stage& stage);

/// The projection with explicit synapses in place of rules.
[[nodiscard]] Projection drawn(Projection projection);

/// The chain as explicit synapses, without its biases. Throws LimitError for more than 2^31; `name` is the
/// projection's.
[[nodiscard]] Sparse expanded(const Projection& projection, std::uint32_t source_size,
                              const std::string& name);

class Route {
  public:
    /// Throws NetworkError for a bias that a delay follows, LimitError where expanding takes more than 2^31
    /// synapses. `name` is the projection's, for errors.
    Route(const Projection& projection, std::uint32_t source_size, const std::string& name);

    [[nodiscard]] std::uint32_t target() const { return target_; }

    /// Explicit synapses, if the delays of the chain differ; then there is nothing else.
    [[nodiscard]] const Sparse* synapses() const {
        return per_synapse_ ? &std::get<SparseStep>(steps_.front()).sparse : nullptr;
    }
    /// Delay of every synapse, where there are no explicit ones.
    [[nodiscard]] Duration delay() const { return delay_; }

    /// Adds what one spike of `neuron` brings, where there are no explicit synapses; returns the number of
    /// synaptic events.
    std::uint64_t deliver(NeuronIndex neuron, Arrivals& arrivals) const;

    /// Adds the constant signal that the biases of the chain send to the target, neuron by neuron.
    void add_constant_signal(std::vector<double>& x) const;

  private:
    std::uint64_t deliver_from(std::size_t step, NeuronIndex index, double amplitude,
                               Arrivals& arrivals) const;

    std::uint32_t target_;
    Duration delay_;            // of every synapse, where per_synapse_ is false
    bool per_synapse_ = false;  // then there is one SparseStep, whose segments carry the delays
    std::vector<Step> steps_;
    std::vector<double> constant_signal_;  // empty: none
};

}  // namespace saltus
