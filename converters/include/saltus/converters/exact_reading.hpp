// How a network that was trained on exact gradients decides, which NIR has no field for: metadata of the top
// graph,
//
//   saltus: {exact: {loss, decay, duration, slot [s]; slots, encoding}}
//
// `loss` is one of ClassLoss: the first output spike decides, or the largest mean or maximal potential.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "saltus/engine/time.hpp"
#include "saltus/io/nir.hpp"

namespace saltus::converters {

struct ExactReading {
    std::string loss = "first_spike_cross_entropy";
    double decay = 0.0;                     // [s] of the weighted mean; 0: none
    Duration duration{60'000'000'000'000};  // of a sample
    std::string encoding = "continuous";    // of numbers as spikes
    Duration slot{78'125'000'000};
    std::uint32_t slots = 256;
};

void set_exact_reading(io::NirDocument& document, const ExactReading& reading);

/// Nothing where the document says nothing. Throws UsageError where it says nonsense.
[[nodiscard]] std::optional<ExactReading> exact_reading_of(const io::NirDocument& document);

}  // namespace saltus::converters
