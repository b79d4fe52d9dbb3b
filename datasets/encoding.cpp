#include "saltus/datasets/encoding.hpp"

#include <array>
#include <cmath>
#include <optional>
#include <string>

#include "saltus/engine/errors.hpp"

namespace saltus::datasets {

namespace {

constexpr std::uint32_t brightest = 255;
constexpr std::array<std::string_view, 4> names{"latency", "continuous", "rank", "charging"};

/// When each level spikes.
using Times = std::array<std::optional<Time>, brightest + 1>;

Times rank_times(std::span<const std::uint8_t> levels, const Encoding& encoding) {
    std::array<bool, brightest + 1> occurs{};
    for (const std::uint8_t p : levels) occurs[p] = true;
    Times times;
    std::int64_t rank = 0;
    for (std::uint32_t p = brightest; p > 0 && rank < encoding.slots; --p) {
        if (occurs[p]) times[p] = Time(Duration(rank++ * encoding.slot.femtoseconds()));
    }
    return times;
}

std::optional<Time> time_of(std::uint32_t p, const Encoding& encoding) {
    const Duration t_max = encoding.t_max();
    const double x = static_cast<double>(p) / brightest;
    switch (encoding.kind) {
        case Encoding::Kind::latency: {
            const std::uint64_t slot = std::uint64_t{brightest - p} * encoding.slots / brightest;
            if (slot >= encoding.slots) return std::nullopt;
            return Time(Duration(static_cast<std::int64_t>(slot) * encoding.slot.femtoseconds()));
        }
        case Encoding::Kind::continuous:
            if (p == 0) return std::nullopt;
            return Time(duration_from_seconds(t_max.seconds() * (1.0 - x)));
        case Encoding::Kind::charging: {
            if (x <= encoding.theta) return std::nullopt;
            const double seconds = encoding.tau.seconds() * std::log(x / (x - encoding.theta));
            if (!(seconds < t_max.seconds())) return std::nullopt;
            return Time(duration_from_seconds(seconds));
        }
        case Encoding::Kind::rank:
            break;
    }
    return std::nullopt;
}

}  // namespace

Duration Encoding::t_max() const {
    return Duration(slot.femtoseconds() * static_cast<std::int64_t>(slots));
}

void Encoding::check() const {
    constexpr std::uint32_t most = 1u << 20;
    if (slots < 1 || slots > most) {
        throw UsageError("encoding, slots: expected 1 to " + std::to_string(most) + ", found " +
                         std::to_string(slots) + ".");
    }
    if (slot <= Duration() || slot.femtoseconds() > Duration::max().femtoseconds() / slots) {
        throw UsageError("encoding, slot: expected > 0 and all of them within 9223 s, found " +
                         to_string(slot) + ".");
    }
    if (tau <= Duration()) {
        throw UsageError("encoding, tau: expected > 0, found " + to_string(tau) + ".");
    }
    if (!(theta > 0.0 && theta < 1.0)) {
        throw UsageError("encoding, theta: expected 0 < x < 1, found " + shown(theta) + ".");
    }
}

Encoding::Kind encoding_kind(std::string_view name) {
    for (std::size_t k = 0; k < names.size(); ++k) {
        if (names[k] == name) return static_cast<Encoding::Kind>(k);
    }
    throw UsageError("encoding: expected latency, continuous, rank or charging, found " + quoted(name) + "." +
                     did_you_mean(name, names));
}

Encoding encoding_of(std::string_view name, Duration slot, std::uint32_t slots) {
    Encoding encoding;
    encoding.kind = encoding_kind(name);
    encoding.slot = slot;
    encoding.slots = slots;
    encoding.check();
    return encoding;
}

SpikeTrain encode(std::span<const std::uint8_t> levels, const Encoding& encoding) {
    Times times;
    if (encoding.kind == Encoding::Kind::rank) {
        times = rank_times(levels, encoding);
    } else {
        for (std::uint32_t p = 0; p <= brightest; ++p) times[p] = time_of(p, encoding);
    }
    SpikeTrain spikes;
    for (std::size_t i = 0; i < levels.size(); ++i) {
        if (times[levels[i]]) spikes.add(*times[levels[i]], static_cast<NeuronIndex>(i));
    }
    spikes.sort();
    return spikes;
}

}  // namespace saltus::datasets
