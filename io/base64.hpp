// Base64 as in RFC 4648, section 4: padded, without line breaks.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace saltus::io {

/// Length of the text for `bytes` bytes.
[[nodiscard]] constexpr std::size_t base64_length(std::size_t bytes) {
    return (bytes + 2) / 3 * 4;
}

void append_base64(std::string& text, std::span<const std::byte> bytes);

/// nullopt where the text is not exactly what append_base64 makes of some bytes.
[[nodiscard]] std::optional<std::vector<std::byte>> from_base64(std::string_view text);

}  // namespace saltus::io
