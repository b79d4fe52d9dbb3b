// SHA-1 (FIPS 180-4) of a short text, for the rule that splits speech commands by speaker.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace saltus::datasets {

/// The five words of the digest, the first one the most significant.
[[nodiscard]] std::array<std::uint32_t, 5> sha1(std::string text);

}  // namespace saltus::datasets
