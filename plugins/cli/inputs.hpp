// Spikes from files for the inputs of a network.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "saltus/engine/network.hpp"
#include "saltus/engine/simulate.hpp"
#include "saltus/io/recordings.hpp"

namespace saltus::cli {

/// What files of sensors do not say.
class RecordingChoices {
  public:
    void add_to(CLI::App& app);
    [[nodiscard]] io::RecordingOptions options() const;  // throws UsageError

  private:
    std::string frame_;
    std::uint32_t address_bytes_ = 0;
    std::string tick_;
};

/// Spikes of one file for the inputs of the network. Only populations that are inputs are taken; a file with
/// a single population feeds the only input whatever the names are.
void append_inputs(const std::string& path, const Network& network, std::vector<InputSpikes>& inputs,
                   std::vector<std::string>& notes);

}  // namespace saltus::cli
