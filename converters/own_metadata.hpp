// Metadata of the top graph of a document that are Saltus' own: graph metadata "saltus", a group for each
// subject. Other tools pass over them.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/neurons/ramp_if.hpp"
#include "saltus/engine/time.hpp"
#include "saltus/io/nir.hpp"

namespace saltus::converters {

[[nodiscard]] inline io::NirArray seconds_of(Duration d) {
    return io::NirArray::of(std::vector<double>{d.seconds()}, {});
}

[[nodiscard]] inline const io::NirGroup* group_in(const io::NirGroup& group, std::string_view name) {
    const io::NirValue* value = group.find(name);
    return value ? std::get_if<io::NirGroup>(value) : nullptr;
}

[[nodiscard]] inline const io::NirGroup* own_metadata(const io::NirDocument& document) {
    return group_in(document.root.metadata, "saltus");
}

/// The group of one subject, or null.
[[nodiscard]] inline const io::NirGroup* own_group(const io::NirDocument& document,
                                                   std::string_view subject) {
    const io::NirGroup* own = own_metadata(document);
    return own ? group_in(*own, subject) : nullptr;
}

/// The convention by which a document says that it means what it means, if it does.
[[nodiscard]] inline std::optional<std::string> own_convention(const io::NirDocument& document) {
    const io::NirGroup* own = own_metadata(document);
    const io::NirValue* value = own ? own->find("convention") : nullptr;
    const auto* name = value ? std::get_if<std::string>(value) : nullptr;
    return name ? std::optional(*name) : std::nullopt;
}
/// The length of its steps.
[[nodiscard]] inline std::optional<Duration> own_step(const io::NirDocument& document) {
    const io::NirGroup* own = own_metadata(document);
    const io::NirValue* value = own ? own->find("dt") : nullptr;
    const auto* dt = value ? std::get_if<io::NirArray>(value) : nullptr;
    if (!dt || dt->size() != 1) return std::nullopt;
    return duration_from_seconds(dt->real(0), "metadata saltus, dt");
}

/// Replaces the group of one subject.
inline void set_own_group(io::NirDocument& document, const std::string& subject, io::NirGroup fields) {
    io::NirGroup own;
    if (const io::NirGroup* before = own_metadata(document)) own = *before;
    std::erase_if(own.entries, [&](const auto& entry) { return entry.first == subject; });
    own.entries.emplace_back(subject, std::move(fields));
    std::erase_if(document.root.metadata.entries, [](const auto& entry) { return entry.first == "saltus"; });
    document.root.metadata.entries.emplace_back("saltus", std::move(own));
}

/// What the metadata of a node say of neurons that fire on a ramp, beside the fields of the CubaLIF it is for
/// other tools. In seconds, whatever the unit of time of the file.
struct RampNumber {
    std::string_view name;
    double neurons::RampIf::*member;
};
inline constexpr std::array<RampNumber, 7> ramp_numbers{{{"t_min", &neurons::RampIf::t_min},
                                                         {"t_max", &neurons::RampIf::t_max},
                                                         {"slope", &neurons::RampIf::slope},
                                                         {"R", &neurons::RampIf::R},
                                                         {"J", &neurons::RampIf::J},
                                                         {"I_e", &neurons::RampIf::I_e},
                                                         {"V_0", &neurons::RampIf::V_0}}};

/// Fields of a subject; what is missing or of another kind throws UsageError.
class OwnFields {
  public:
    OwnFields(const io::NirGroup& group, std::string subject) : group_(group), subject_(std::move(subject)) {}

    [[nodiscard]] double number(const char* name) const {
        const io::NirValue* value = group_.find(name);
        const auto* array = value ? std::get_if<io::NirArray>(value) : nullptr;
        if (!array || array->size() != 1) throw wrong(name, "a number");
        return array->real(0);
    }
    [[nodiscard]] Duration duration(const char* name) const {
        const Duration d = duration_from_seconds(number(name), name);
        if (d <= Duration()) throw wrong(name, "a number of seconds > 0");
        return d;
    }
    [[nodiscard]] std::string text(const char* name) const {
        const io::NirValue* value = group_.find(name);
        const auto* text = value ? std::get_if<std::string>(value) : nullptr;
        if (!text) throw wrong(name, "a string");
        return *text;
    }
    [[nodiscard]] UsageError wrong(const char* name, const char* expected) const {
        return UsageError("metadata saltus, " + subject_ + ", " + name + ": expected " + expected +
                          ", found something else or nothing.");
    }

  private:
    const io::NirGroup& group_;
    std::string subject_;
};

}  // namespace saltus::converters
