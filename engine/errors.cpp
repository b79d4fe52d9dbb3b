#include "saltus/engine/errors.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace saltus {

namespace {

std::string joined(std::initializer_list<std::string> parts) {
    std::string text;
    for (const std::string& part : parts) {
        if (part.empty()) continue;
        if (!text.empty()) text += ": ";
        text += part;
    }
    return text;
}

std::string node_and_field(const std::string& node, const std::string& field) {
    std::string text = node.find(" -> ") == std::string::npos ? quoted(node) : node;
    if (!field.empty()) text += ", field " + quoted(field);
    return text;
}

/// Length of the valid UTF-8 sequence that starts at text[i], 0 if there is none.
std::size_t utf8_length(std::string_view text, std::size_t i) {
    const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
    const unsigned lead = byte(i);
    const std::size_t n = lead < 0x80                   ? 1
                          : lead >= 0xc2 && lead < 0xe0 ? 2
                          : lead >= 0xe0 && lead < 0xf0 ? 3
                          : lead >= 0xf0 && lead < 0xf5 ? 4
                                                        : 0;
    if (n == 0 || i + n > text.size()) return 0;
    for (std::size_t k = 1; k < n; ++k) {
        if ((byte(i + k) & 0xc0u) != 0x80u) return 0;
    }
    return n;
}

}  // namespace

FileError::FileError(std::string path, std::string where, const std::string& text)
    : Error(joined({path, where, text})), path_(std::move(path)), where_(std::move(where)) {}

FileError FileError::unexpected(std::string path, std::string where, const std::string& expected,
                                const std::string& found, const std::string& cure) {
    return {std::move(path), std::move(where),
            "expected " + expected + ", found " + found + "." + (cure.empty() ? "" : " " + cure)};
}

NetworkError::NetworkError(std::string node, std::string field, const std::string& text)
    : Error(joined({node_and_field(node, field), text})), node_(std::move(node)), field_(std::move(field)) {}

InputError::InputError(std::string population, const std::string& text)
    : Error(joined({"spikes for " + quoted(population), text})), population_(std::move(population)) {}

std::string quoted(std::string_view name) {
    static constexpr char hex[] = "0123456789abcdef";
    std::string text = "'";
    for (std::size_t i = 0; i < name.size();) {
        const auto byte = static_cast<unsigned char>(name[i]);
        const std::size_t n = utf8_length(name, i);
        if (n == 0 || byte < 0x20 || byte == 0x7f) {
            text += {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
            ++i;
        } else {
            text += name.substr(i, n);
            i += n;
        }
    }
    return text + "'";
}

std::string shown(double x) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.15g", x);
    return text.data();
}

std::size_t detail::edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
        }
    }
    return row[b.size()];
}

}  // namespace saltus
