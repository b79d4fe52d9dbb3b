#include "saltus/converters/first_spike.hpp"

#include <utility>

#include "own_metadata.hpp"

namespace saltus::converters {

void set_first_spike(io::NirDocument& document, const FirstSpikeReading& reading) {
    set_own_group(document, "first_spike",
                  {{{"t_max", seconds_of(reading.t_max)},
                    {"silence_decides_at", seconds_of(reading.silence_decides_at)},
                    {"encoding", reading.encoding},
                    {"slot", seconds_of(reading.slot)},
                    {"slots", io::NirArray::of(static_cast<std::int64_t>(reading.slots))}}});
}

std::optional<FirstSpikeReading> first_spike_of(const io::NirDocument& document) {
    const io::NirGroup* group = own_group(document, "first_spike");
    if (!group) return std::nullopt;
    const OwnFields fields(*group, "first_spike");
    FirstSpikeReading reading;
    reading.t_max = fields.duration("t_max");
    reading.silence_decides_at = fields.duration("silence_decides_at");
    reading.encoding = fields.text("encoding");
    reading.slot = fields.duration("slot");
    const double slots = fields.number("slots");
    if (!(slots >= 1.0 && slots <= 1048576.0)) throw fields.wrong("slots", "1 to 1048576");
    reading.slots = static_cast<std::uint32_t>(slots);
    return reading;
}

}  // namespace saltus::converters
