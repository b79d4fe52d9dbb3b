// Spikes from files for the inputs of a network.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "saltus/engine/errors.hpp"
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

/// What files feed to the inputs of a network.
struct FileInputs {
    std::vector<InputSpikes> spikes;
    std::map<std::string, std::string> file_of;  // of each input population, for errors

    /// What a run says of an input, said of its file.
    [[nodiscard]] FileError error(const InputError& error) const;
};

/// Of the populations in the files only those that are inputs are taken; a file with a single population
/// feeds the only input whatever the names are. Throws FileError.
[[nodiscard]] FileInputs read_inputs(const std::vector<std::string>& paths, const Network& network,
                                     std::vector<std::string>& notes);

}  // namespace saltus::cli
