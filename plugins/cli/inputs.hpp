// Spikes from files for the inputs of a network.
#pragma once

#include <string>
#include <vector>

#include "saltus/engine/network.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus::cli {

/// Spikes of one file for the inputs of the network. Only populations that are inputs are taken; a file with
/// a single population feeds the only input whatever the names are.
void append_inputs(const std::string& path, const Network& network, std::vector<InputSpikes>& inputs,
                   std::vector<std::string>& notes);

}  // namespace saltus::cli
