#include "saltus/io/settings.hpp"

#include "json_tree.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::io {

namespace {

constexpr std::uint64_t max_settings_size = std::uint64_t{1} << 20;

Settings settings_of(const JsonObject& object, const std::string& origin, const std::string& place);

Setting setting_of(const JsonValue& value, const std::string& origin, const std::string& place) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* object = std::get_if<JsonObject>(&value))
        return settings_of(*object, origin, place + ".");
    const auto& list = std::get<JsonList>(value);
    if (const auto* texts = std::get_if<std::vector<std::string>>(&list.values);
        texts && list.shape.size() == 1) {
        return *texts;
    }
    if (list.shape.empty()) {
        if (const auto* real = std::get_if<std::vector<double>>(&list.values)) return real->front();
        if (const auto* whole = std::get_if<std::vector<std::int64_t>>(&list.values))
            return static_cast<double>(whole->front());
    }
    throw FileError::unexpected(origin, place, "a number, a string, a list of strings or an object",
                                kind_text(value));
}

Settings settings_of(const JsonObject& object, const std::string& origin, const std::string& place) {
    Settings settings;
    for (const auto& [key, value] : object.entries)
        settings.entries.emplace_back(key, setting_of(value, origin, place + key));
    return settings;
}

}  // namespace

Settings read_settings(const std::filesystem::path& path) {
    const std::string origin = path.string();
    return settings_of(parse_json(path, max_settings_size), origin, "");
}

std::string kind_of(const Setting& setting) {
    if (const auto* text = std::get_if<std::string>(&setting)) return "the string " + quoted(*text);
    if (const auto* number = std::get_if<double>(&setting)) return "the number " + shown(*number);
    return std::holds_alternative<Settings>(setting) ? "an object" : "a list";
}

}  // namespace saltus::io
