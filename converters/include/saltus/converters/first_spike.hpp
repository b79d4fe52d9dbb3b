// How the first spikes of a network are to be read, which NIR has no field for: metadata of the top graph,
//
//   saltus: {first_spike: {t_max, silence_decides_at, slot [s]; slots, encoding}}
//
// Other tools pass over it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "saltus/engine/time.hpp"
#include "saltus/io/nir.hpp"

namespace saltus::converters {

struct FirstSpikeReading {
    Duration t_max{256'000'000'000'000};
    Duration silence_decides_at{254'000'000'000'000};
    std::string encoding = "latency";  // of numbers as spikes
    Duration slot{1'000'000'000'000};
    std::uint32_t slots = 256;
};

void set_first_spike(io::NirDocument& document, const FirstSpikeReading& reading);

/// Nothing where the document says nothing. Throws UsageError where it says nonsense.
[[nodiscard]] std::optional<FirstSpikeReading> first_spike_of(const io::NirDocument& document);

}  // namespace saltus::converters
