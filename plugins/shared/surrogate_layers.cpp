#include "surrogate_layers.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "saltus/engine/errors.hpp"

namespace saltus::plugins {

namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

/// Entry number k of "layers".
class Entry {
  public:
    Entry(const std::string& path, std::size_t k, const ordered_json& value)
        : path_(path), where_("'/layers/" + std::to_string(k) + "'"), value_(value) {}

    [[nodiscard]] std::string words() const {
        if (value_.is_string()) return in_words(value_.get<std::string>());
        if (!value_.is_object()) throw wrong(where_, "an object or a string", value_);
        constexpr std::array<std::string_view, 4> kinds{"dense", "conv", "pool", "readout"};
        std::string text;
        std::string rest;
        for (const auto& [key, value] : value_.items()) {
            if (std::find(kinds.begin(), kinds.end(), key) == kinds.end()) {
                rest += field(key, value);
                continue;
            }
            if (!text.empty()) throw wrong(where_, "one of dense, conv, pool, readout", value_);
            text = key + " " + one(key, value);
        }
        if (text.empty()) throw wrong(where_, "one of dense, conv, pool, readout", value_);
        return text + rest;
    }

  private:
    /// A layer is one line, and a field one word.
    [[nodiscard]] std::string in_words(const std::string& text) const {
        if (text.find_first_of(";\n") != std::string::npos) throw wrong(where_, "one layer", text);
        return text;
    }
    [[nodiscard]] std::string one(const std::string& key, const ordered_json& value) const {
        if (value.is_number_unsigned()) return std::to_string(value.get<std::uint64_t>());
        if (value.is_string()) {
            auto text = value.get<std::string>();
            if (!text.empty() && text.find_first_of("; \t\r\n=+") == std::string::npos) return text;
        }
        throw wrong(at(key), "a whole number or one word", value);
    }
    [[nodiscard]] std::string field(const std::string& key, const ordered_json& value) const {
        constexpr std::array<std::string_view, 4> axes{"kernel", "stride", "dilation", "padding"};
        constexpr std::array<std::string_view, 10> keys{"kernel",    "stride", "dilation", "padding",
                                                        "groups",    "name",   "from",     "join",
                                                        "recurrent", "lateral"};
        if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
            throw FileError::unexpected(path_, at(key), "a field of a layer", saltus::quoted(key),
                                        did_you_mean(key, keys));
        }
        if (key == "recurrent" || key == "lateral") {
            if (!value.is_boolean()) throw wrong(at(key), "true or false", value);
            if (key == "recurrent") return value.get<bool>() ? " recurrent" : "";
            return value.get<bool>() ? "" : " no_lateral";
        }
        if (!value.is_array()) return " " + key + "=" + one(key, value);
        const bool is_axes = std::find(axes.begin(), axes.end(), key) != axes.end();
        if ((!is_axes && key != "from") || value.empty())
            throw wrong(at(key), key == "from" || is_axes ? "at least one entry" : "one word", value);
        std::string text;
        for (const ordered_json& part : value)
            text += (text.empty() ? "" : is_axes ? "x" : "+") + one(key, part);
        return " " + key + "=" + text;
    }
    [[nodiscard]] std::string at(const std::string& key) const {
        return where_.substr(0, where_.size() - 1) + "/" + key + "'";
    }
    [[nodiscard]] FileError wrong(const std::string& where, const std::string& expected,
                                  const ordered_json& found) const {
        std::string text = found.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
        if (text.size() > 60) text = text.substr(0, 57) + "...";
        return FileError::unexpected(path_, where, expected, text);
    }

    const std::string& path_;
    std::string where_;
    const ordered_json& value_;
};

/// All entries, one a line.
std::string words_of(const ordered_json& list, const std::string& path) {
    std::string text;
    std::size_t k = 0;
    for (const ordered_json& layer : list) text += Entry(path, k++, layer).words() + "\n";
    return text;
}

}  // namespace

std::string layers_of_json(const std::string& list) {
    const std::string origin = "layers";
    try {
        const ordered_json json = ordered_json::parse(list);
        if (!json.is_array()) throw FileError::unexpected(origin, "", "a list of layers", "something else");
        return words_of(json, origin);
    } catch (const FileError& error) {
        throw UsageError(error.what());
    } catch (const ordered_json::parse_error& error) {
        throw UsageError(origin + ": no JSON: " + error.what());
    }
}

std::optional<std::string> read_layers(const std::string& path) {
    if (fs::path(path).extension() != ".json") return std::nullopt;
    constexpr std::uintmax_t most = 1u << 20;
    std::error_code error;
    const std::uintmax_t size = fs::file_size(path, error);
    if (error) throw FileError(path, "", "cannot be read: " + error.message() + ".");
    std::ifstream file(path, std::ios::binary);
    if (!file) throw FileError(path, "", "cannot be opened for reading.");
    std::string head(static_cast<std::size_t>(std::min(size, most)), '\0');
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
    if (!file) throw FileError(path, "", "cannot be read.");
    if (head.find("\"layers\"") == std::string::npos || head.find("\"nodes\"") != std::string::npos)
        return std::nullopt;
    if (size > most) {
        throw FileError::unexpected(path, "", "a description of at most 1 MiB", std::to_string(size) + " B");
    }
    ordered_json json;
    try {
        json = ordered_json::parse(head);
    } catch (const ordered_json::parse_error& wrong) {
        throw FileError(path, "", std::string("is no JSON: ") + wrong.what());
    }
    if (!json.is_object() || !json.contains("layers") || !json["layers"].is_array())
        throw FileError::unexpected(path, "'/layers'", "a list of layers", "something else or nothing");
    for (const auto& [key, value] : json.items()) {
        if (key != "layers") throw FileError::unexpected(path, "", "layers", saltus::quoted(key));
    }
    return words_of(json["layers"], path);
}

}  // namespace saltus::plugins
