// Real instants between the ticks of the clock.
#pragma once

#include <cmath>
#include <cstdint>

#include "saltus/engine/time.hpp"

namespace saltus {

/// t + delay in femtoseconds, or INT64_MAX, at which nothing happens, beyond the range.
[[nodiscard]] inline std::int64_t after(std::int64_t t, std::int64_t delay) {
    return delay > INT64_MAX - t ? INT64_MAX : t + delay;
}

/// A real instant: a tick and the part of a tick beyond it.
struct Instant {
    Time tick;
    double rest_fs = 0.0;
};

[[nodiscard]] inline double seconds_between(const Instant& from, const Instant& to) {
    const auto ticks = static_cast<double>(to.tick.femtoseconds() - from.tick.femtoseconds());
    return (ticks + (to.rest_fs - from.rest_fs)) / femtoseconds_per_second;
}

/// `seconds` >= 0 after `from`; never where that is beyond `end`.
[[nodiscard]] inline Instant later(const Instant& from, double seconds, Time end) {
    const double fs = seconds * femtoseconds_per_second + from.rest_fs;
    const auto room = static_cast<double>(end.femtoseconds() - from.tick.femtoseconds());
    const double ticks = std::round(fs);
    if (!(ticks <= room)) return {Time::never(), 0.0};
    return {Time(Duration(from.tick.femtoseconds() + static_cast<std::int64_t>(ticks))), fs - ticks};
}

}  // namespace saltus
