// Small JSON files of settings: objects, strings, lists of strings and numbers. No true, false and null.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace saltus::io {

struct Settings;
using Setting = std::variant<double, std::string, std::vector<std::string>, Settings>;

struct Settings {
    std::vector<std::pair<std::string, Setting>> entries;  // in the order of the file
};

/// Throws FileError for a file that is larger than 1 MiB or is no such JSON.
[[nodiscard]] Settings read_settings(const std::filesystem::path& path);

/// "the string 'x'", "a number", "a list", "an object": what was found, for errors.
[[nodiscard]] std::string kind_of(const Setting& setting);

}  // namespace saltus::io
