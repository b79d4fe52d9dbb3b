// Texts of nir_place.hpp.
#include "nir_place.hpp"

#include <charconv>

namespace saltus::io {

namespace {

template <class Number>
std::string shortest(Number value) {
    char digits[32];
    return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

}  // namespace

std::string to_text(const NirShape& shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    return text + "]";
}

std::string number_text(double value) {
    return shortest(value);
}

std::string number_text(float value) {
    return shortest(value);
}

std::string NirPlace::where(std::string_view field) const {
    std::string text = node.empty() ? "the graph" : "node " + saltus::quoted(node);
    if (!field.empty()) text += ", field " + saltus::quoted(field);
    return text;
}

FileError NirPlace::error(std::string_view field, const std::string& text) const {
    return {origin, where(field), text};
}

FileError NirPlace::unexpected(std::string_view field, const std::string& expected, const std::string& found,
                               const std::string& cure) const {
    return FileError::unexpected(origin, where(field), expected, found, cure);
}

}  // namespace saltus::io
