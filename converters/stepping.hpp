// How each tool steps, as values of saltus/engine/stepped.hpp.
#pragma once

#include <optional>
#include <string>

#include "saltus/converters/convention.hpp"

namespace saltus::converters {

/// None for tools that know no steps.
[[nodiscard]] std::optional<Stepping> stepping_of(const std::string& name);

}  // namespace saltus::converters
