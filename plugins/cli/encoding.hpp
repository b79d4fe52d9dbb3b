// How numbers of a data set become spikes, and how first spikes are read: what the command line says, else
// what the network's file says, else the encoding of the S4NN paper.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "saltus/converters/first_spike.hpp"
#include "saltus/datasets/encoding.hpp"

namespace saltus::cli {

class EncodingOptions {
  public:
    void add_to(CLI::App& app);

    /// Throws UsageError.
    [[nodiscard]] converters::FirstSpikeReading reading(
        const std::optional<converters::FirstSpikeReading>& of_file = std::nullopt) const;

  private:
    std::string encoding_;
    std::string slot_;
    std::optional<std::uint32_t> slots_;
};

[[nodiscard]] datasets::Encoding encoding_of(const converters::FirstSpikeReading& reading);

}  // namespace saltus::cli
