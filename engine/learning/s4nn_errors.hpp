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

/// T_j for each output.
[[nodiscard]] std::vector<std::int64_t> s4nn_targets(const std::vector<std::int64_t>& times,
                                                     std::uint32_t label, std::int64_t t_max,
                                                     std::int64_t margin);

/// Output errors that are not 0, latest first, and the loss.
struct OutputErrors {
    Deltas deltas;  // e_j
    double loss = 0.0;
};
void output_errors(const std::vector<std::int64_t>& times, std::uint32_t label, std::int64_t t_max,
                   std::int64_t margin, OutputErrors& errors);

/// Divides by the Euclidean norm, unless that is 0.
void normalise(Deltas& deltas);

/// Errors of the neurons in `spikes`, given below[neuron], which is set to 0 again; normalised.
void collect(const Spikes& spikes, std::span<double> below, Deltas& deltas);

}  // namespace saltus::learning
