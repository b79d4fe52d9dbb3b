#include "saltus/converters/exact_reading.hpp"

#include <cmath>

#include "own_metadata.hpp"
#include "saltus/engine/learning/losses.hpp"

namespace saltus::converters {

void set_exact_reading(io::NirDocument& document, const ExactReading& reading) {
    set_own_group(document, "exact",
                  {{{"loss", reading.loss},
                    {"decay", io::NirArray::of(std::vector<double>{reading.decay}, {})},
                    {"duration", seconds_of(reading.duration)},
                    {"encoding", reading.encoding},
                    {"slot", seconds_of(reading.slot)},
                    {"slots", io::NirArray::of(static_cast<std::int64_t>(reading.slots))}}});
}

std::optional<ExactReading> exact_reading_of(const io::NirDocument& document) {
    const io::NirGroup* group = own_group(document, "exact");
    if (!group) return std::nullopt;
    const OwnFields fields(*group, "exact");
    ExactReading reading;
    reading.loss = fields.text("loss");
    (void)learning::class_loss_kind(reading.loss);
    reading.decay = fields.number("decay");
    if (!(reading.decay >= 0.0 && std::isfinite(reading.decay))) throw fields.wrong("decay", "seconds >= 0");
    reading.duration = fields.duration("duration");
    reading.encoding = fields.text("encoding");
    reading.slot = fields.duration("slot");
    const double slots = fields.number("slots");
    if (!(slots >= 1.0 && slots <= 1048576.0)) throw fields.wrong("slots", "1 to 1048576");
    reading.slots = static_cast<std::uint32_t>(slots);
    return reading;
}

}  // namespace saltus::converters
