// JSON as NIR uses it: objects, strings, numbers, and lists of numbers or strings that are as regular as an
// array. The file is read as it is parsed, numbers go straight into vectors. Refused, with the place
// ("node.nodes.lif.tau[2]"): anything that is not JSON (NaN, comments, a byte order mark, text behind the
// end), a key twice in an object, true, false, null, objects in lists, lists of unequal length, numbers and
// strings in one list, objects nested deeper than 64 and lists deeper than 16.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace saltus::io {

inline constexpr std::size_t max_json_objects = 64;
inline constexpr std::size_t max_json_lists = 16;

/// A number (shape empty) or a list. Numbers are integers if every one is written as an integer that fits
/// int64.
struct JsonList {
    std::vector<std::uint64_t> shape;
    std::variant<std::vector<std::int64_t>, std::vector<double>, std::vector<std::string>> values;
};

struct JsonObject;
using JsonValue = std::variant<JsonList, std::string, JsonObject>;

struct JsonObject {
    std::vector<std::pair<std::string, JsonValue>> entries;

    [[nodiscard]] JsonValue* find(std::string_view key);
};

/// The file must be one object, of at most `limit` bytes. Throws FileError.
[[nodiscard]] JsonObject parse_json(const std::filesystem::path& path, std::uint64_t limit);

/// "an object", "the string 'x'", "a list of strings", "a number": what was found, for errors.
[[nodiscard]] std::string kind_text(const JsonValue& value);

}  // namespace saltus::io
