// Times as files hold them (a floating-point number in some unit), as instants of the exact clock.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>

#include "saltus/engine/time.hpp"

namespace saltus::io {

/// The femtosecond nearest to `value` units of `femtoseconds_per_unit` each, with one rounding only: what the
/// product loses in double comes back through fma. Nothing where that is NaN, negative, or beyond the range.
[[nodiscard]] inline std::optional<Time> recorded_time(double value, double femtoseconds_per_unit) {
    const double product = value * femtoseconds_per_unit;
    if (!(value >= 0.0) || !(product < 0x1p63 - 0x1p11)) return std::nullopt;
    const double lost = std::fma(value, femtoseconds_per_unit, -product);
    const double whole = std::floor(product);
    const auto rest = static_cast<std::int64_t>(std::round((product - whole) + lost));
    return Time(Duration(static_cast<std::int64_t>(whole) + rest));
}

}  // namespace saltus::io
