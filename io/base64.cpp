// Three bytes are four digits of six bits, the first digit from the high bits.
#include "base64.hpp"

#include <array>
#include <cstdint>

namespace saltus::io {

namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 64;

constexpr std::array<std::uint8_t, 256> values = [] {
    std::array<std::uint8_t, 256> table{};
    table.fill(no_digit);
    for (std::size_t i = 0; i < digits.size(); ++i) {
        table[static_cast<unsigned char>(digits[i])] = static_cast<std::uint8_t>(i);
    }
    return table;
}();

}  // namespace

void append_base64(std::string& text, std::span<const std::byte> bytes) {
    text.reserve(text.size() + base64_length(bytes.size()));
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t n = bytes.size() - i;
        const auto byte = [&](std::size_t k) {
            return k < n ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0u;
        };
        const std::uint32_t bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        text += digits[bits >> 18];
        text += digits[bits >> 12 & 63];
        text += n > 1 ? digits[bits >> 6 & 63] : '=';
        text += n > 2 ? digits[bits & 63] : '=';
    }
}

std::optional<std::vector<std::byte>> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
    const std::size_t given = text.size() - padding;
    std::vector<std::byte> bytes;
    bytes.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        std::uint32_t bits = 0;
        for (std::size_t k = i; k < i + 4; ++k) {
            const std::uint8_t value =
                k < given ? values[static_cast<unsigned char>(text[k])] : std::uint8_t{0};
            if (value == no_digit) return std::nullopt;
            bits = bits << 6 | value;
        }
        for (const unsigned shift : {16u, 8u, 0u})
            bytes.push_back(static_cast<std::byte>(bits >> shift & 255));
    }
    for (std::size_t i = 0; i < padding; ++i) {
        if (bytes.back() != std::byte{0}) return std::nullopt;
        bytes.pop_back();
    }
    return bytes;
}

}  // namespace saltus::io
