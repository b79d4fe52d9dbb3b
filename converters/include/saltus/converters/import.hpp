// What reading a tool's files gives.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "saltus/converters/exact_reading.hpp"
#include "saltus/converters/first_spike.hpp"
#include "saltus/engine/network.hpp"
#include "saltus/engine/stepped.hpp"

namespace saltus::converters {

struct Import {
    Network network;
    std::vector<std::string> notes;                    // what was guessed or repaired, one sentence each
    std::optional<SteppedRules> rules = std::nullopt;  // where it was read for the stepped clock
    std::optional<FirstSpikeReading> first_spike = std::nullopt;  // as the file's own metadata say
    std::optional<ExactReading> exact = std::nullopt;             // the same
};

}  // namespace saltus::converters
