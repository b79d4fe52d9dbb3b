// Networks from files: by ending, and with the choices that the command line offers.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "saltus/converters/nir.hpp"
#include "saltus/converters/surrogate_model.hpp"

namespace saltus::cli {

/// Options of every command that runs or shows a network.
class ReadingOptions {
  public:
    enum class Clock { option, chosen_elsewhere };
    /// Where the clock is chosen elsewhere, there is no option for it, nor for the convention.
    explicit ReadingOptions(Clock clock = Clock::option) : has_clock_(clock == Clock::option) {}

    void add_to(CLI::App& app);

    [[nodiscard]] converters::NirReading reading() const;  // throws UsageError
    [[nodiscard]] const std::string& clock() const { return clock_; }
    [[nodiscard]] bool steps() const { return clock_ == "stepped"; }
    [[nodiscard]] std::string dt() const { return dt_; }
    [[nodiscard]] bool sum_duplicate_edges() const { return sum_duplicate_edges_; }

  private:
    bool has_clock_;
    std::string clock_ = "exact";
    std::string convention_;
    std::string time_unit_;
    std::string spike_area_;
    std::string reset_;
    std::string dt_;
    std::string recurrent_delay_;
    std::string t_ref_;
    bool sum_duplicate_edges_ = false;
};

/// Reads a document; `.nir` (and any other ending that is not JSON) is HDF5. Of a SONATA circuit, what
/// NIR can hold; NetworkError where it cannot hold it all.
[[nodiscard]] io::NirDocument read_document(const std::string& path, bool sum_duplicate_edges);

/// Reads a document and takes it as a network; a NetworkError names the file.
[[nodiscard]] converters::Import read_network(const std::string& path, const ReadingOptions& options);
/// The same with a reading of one's own.
[[nodiscard]] converters::Import read_network(const std::string& path, const ReadingOptions& options,
                                              const converters::NirReading& reading);

/// The network of a NIR file that `train surrogate` wrote; nothing of another file. Throws FileError.
[[nodiscard]] std::optional<converters::SurrogateModel> read_surrogate(const std::string& path);

}  // namespace saltus::cli
