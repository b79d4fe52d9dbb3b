// What reading a tool's files gives.
#pragma once

#include <string>
#include <vector>

#include "saltus/engine/network.hpp"

namespace saltus::converters {

struct Import {
    Network network;
    std::vector<std::string> notes;  // what was guessed or repaired, one sentence each
};

}  // namespace saltus::converters
