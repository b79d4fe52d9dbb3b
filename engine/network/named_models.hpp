// Populations of neurons and sources from names and named parameters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "saltus/engine/network_builder.hpp"

namespace saltus {

/// Parameters of `size` neurons. Throws NetworkError with `population` as its node.
[[nodiscard]] neurons::Model named_model(const std::string& population, std::uint64_t size,
                                         std::string_view model, Parameters parameters);

[[nodiscard]] neurons::Model named_source(const std::string& population, std::uint64_t size,
                                          std::string_view kind, const Parameters& parameters,
                                          std::uint64_t seed);

/// The span of time nearest to `seconds`. Throws NetworkError for what is not finite, beyond the range, or
/// shorter than a tick but not 0.
[[nodiscard]] Duration checked_duration(const std::string& node, const std::string& field, double seconds);

}  // namespace saltus
