#include "saltus/converters/first_spike.hpp"

#include <vector>

#include "saltus/engine/errors.hpp"

namespace saltus::converters {

namespace {

io::NirArray seconds(Duration d) {
    return io::NirArray::of(std::vector<double>{d.seconds()}, {});
}

const io::NirGroup* group_in(const io::NirGroup& group, std::string_view name) {
    const io::NirValue* value = group.find(name);
    return value ? std::get_if<io::NirGroup>(value) : nullptr;
}

class Fields {
  public:
    explicit Fields(const io::NirGroup& group) : group_(group) {}

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
    [[nodiscard]] static UsageError wrong(const char* name, const char* expected) {
        return UsageError("metadata saltus, first_spike, " + std::string(name) + ": expected " + expected +
                          ", found something else or nothing.");
    }

  private:
    const io::NirGroup& group_;
};

}  // namespace

void set_first_spike(io::NirDocument& document, const FirstSpikeReading& reading) {
    io::NirGroup fields{{{"t_max", seconds(reading.t_max)},
                         {"silence_decides_at", seconds(reading.silence_decides_at)},
                         {"encoding", reading.encoding},
                         {"slot", seconds(reading.slot)},
                         {"slots", io::NirArray::of(static_cast<std::int64_t>(reading.slots))}}};
    io::NirGroup own;
    if (const io::NirGroup* before = group_in(document.root.metadata, "saltus")) own = *before;
    std::erase_if(own.entries, [](const auto& entry) { return entry.first == "first_spike"; });
    own.entries.emplace_back("first_spike", std::move(fields));
    std::erase_if(document.root.metadata.entries, [](const auto& entry) { return entry.first == "saltus"; });
    document.root.metadata.entries.emplace_back("saltus", std::move(own));
}

std::optional<FirstSpikeReading> first_spike_of(const io::NirDocument& document) {
    const io::NirGroup* own = group_in(document.root.metadata, "saltus");
    const io::NirGroup* group = own ? group_in(*own, "first_spike") : nullptr;
    if (!group) return std::nullopt;
    const Fields fields(*group);
    FirstSpikeReading reading;
    reading.t_max = fields.duration("t_max");
    reading.silence_decides_at = fields.duration("silence_decides_at");
    reading.encoding = fields.text("encoding");
    reading.slot = fields.duration("slot");
    const double slots = fields.number("slots");
    if (!(slots >= 1.0 && slots <= 1048576.0)) throw Fields::wrong("slots", "1 to 1048576");
    reading.slots = static_cast<std::uint32_t>(slots);
    return reading;
}

}  // namespace saltus::converters
