// The networks that exact gradients begin with.
#pragma once

#include "exact_training.hpp"
#include "saltus/datasets/dataset.hpp"
#include "saltus/engine/learning/samples.hpp"
#include "saltus/engine/network.hpp"

namespace saltus::plugins {

/// The new network of a request. Throws UsageError for what makes none.
[[nodiscard]] Network new_exact_network(const ExactRequest& request, const datasets::Dataset& dataset,
                                        const learning::SampleSet& samples);

/// The same network with all to all drawn by a rule as the matrix that a layer is run by, and convolutions
/// without biases that are 0.
[[nodiscard]] Network in_layers(const Network& network);

}  // namespace saltus::plugins
