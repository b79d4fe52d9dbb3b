// The drawings of a report as inline SVG, and what they share with its tables.
#pragma once

#include <string>
#include <string_view>

#include "saltus/io/report.hpp"

namespace saltus::io::html {

/// `text` with everything that could be markup made harmless; control characters become U+FFFD.
[[nodiscard]] std::string escaped(std::string_view text);

/// At most six digits, whatever the locale.
[[nodiscard]] std::string number(double value);
/// Thousands apart: 123,456.
[[nodiscard]] std::string grouped(std::uint64_t value);

[[nodiscard]] std::string drawn(const Raster& raster);
[[nodiscard]] std::string drawn(const LinePlot& plot);
[[nodiscard]] std::string drawn(const Histogram& histogram);

}  // namespace saltus::io::html
