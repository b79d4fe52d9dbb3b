// Checkpoints of a run: where, how often, and going on from one.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "saltus/engine/simulate.hpp"

namespace saltus::cli {

class Checkpoints {
  public:
    void add_to(CLI::App& app);

    [[nodiscard]] bool wanted() const { return !path_.empty() || !every_.empty() || resume_; }
    /// Fills in what was not said: the file is named after the output of the run. Throws UsageError.
    void settle(const std::string& out);
    [[nodiscard]] const std::string& path() const { return path_; }

    /// There is one to go on from, as far as rank 0 sees; all ranks say the same.
    [[nodiscard]] bool go_on(Communication& ranks) const;
    /// Has the run write checkpoints, and begin with the one that is there. Returns where it begins if it
    /// goes on.
    [[nodiscard]] std::optional<Time> apply(SimulationOptions& run, bool goes_on,
                                            std::vector<std::string>& notes) const;
    /// The run is done and its output written.
    void remove() const;

  private:
    std::string path_;
    std::string every_;
    bool resume_ = false;
};

}  // namespace saltus::cli
