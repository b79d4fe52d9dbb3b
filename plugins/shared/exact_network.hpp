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

}  // namespace saltus::plugins
