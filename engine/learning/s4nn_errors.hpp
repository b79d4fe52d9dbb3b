// Targets and errors of S4NN, for one sample after another.
#pragma once

#include "forward.hpp"
#include "saltus/engine/learning/s4nn.hpp"

namespace saltus::learning {

/// Throws UsageError where they do not fit together.
void check_samples(const FirstSpikeNetwork& network, const SampleSet& samples, const S4nnOptions& options);

/// The value for a layer of those for one or all; UsageError where they are neither.
[[nodiscard]] double at_layer(const std::vector<double>& values, std::size_t layer, std::size_t layers,
                              const char* name);

/// As Learner::asked(): what both rules have in common.
[[nodiscard]] Asked asked(const S4nnOptions& options);
/// "0.1, 0.2"
[[nodiscard]] std::string listed(const std::vector<double>& values);

/// T_j for each output.
[[nodiscard]] std::vector<std::int64_t> s4nn_targets(const std::vector<std::int64_t>& times,
                                                     std::uint32_t label, std::int64_t t_max,
                                                     std::int64_t margin);

/// Output errors that are not 0, latest first, and the loss.
struct OutputErrors {
    Deltas deltas;  // e_j
    double loss = 0.0;
};
class OutputLoss {
  public:
    OutputLoss(const FirstSpikeNetwork& network, const S4nnOptions& options);

    /// What has to be known of a sample.
    [[nodiscard]] Forward::Until until(std::uint32_t label) const { return {true, known_, label}; }
    void operator()(const std::vector<std::int64_t>& times, std::uint32_t label, OutputErrors& errors) const;

  private:
    void relative(const std::vector<std::int64_t>& times, std::uint32_t label, OutputErrors& errors) const;
    void cross_entropy(const std::vector<std::int64_t>& times, std::uint32_t label,
                       OutputErrors& errors) const;

    S4nnOptions options_;
    std::int64_t t_max_;
    std::int64_t known_;  // of outputs: how long after the earliest
};

/// Divides by the Euclidean norm, unless that is 0.
void normalise(Deltas& deltas);

/// Errors of the neurons in `spikes`, given below[neuron], which is set to 0 again.
void collect(const Spikes& spikes, std::span<double> below, Deltas& deltas);

}  // namespace saltus::learning
