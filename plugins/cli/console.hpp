// What the program says and hears: notes and progress on standard error, results on standard output, Ctrl-C.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace saltus::cli {

/// Lines "note: ..." on standard error, each once.
void print_notes(const std::vector<std::string>& notes);

/// From here on Ctrl-C sets a flag in place of ending the program; a second one ends it.
void catch_interrupt();
[[nodiscard]] bool interrupted();

/// A line on standard error that tells how far a long job is. On a terminal it is renewed in place five times
/// a second; elsewhere a line a minute. Silent for jobs shorter than a second.
class ProgressLine {
  public:
    explicit ProgressLine(bool quiet) : quiet_(quiet) {}
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    /// `fraction` of the job is done; `text` says what else there is to say.
    void update(double fraction, const std::string& text);
    /// A line that stays.
    void say(const std::string& text);

  private:
    using Clock = std::chrono::steady_clock;

    bool quiet_;
    bool drawn_ = false;
    Clock::time_point start_ = Clock::now();
    Clock::time_point last_ = start_;
};

/// Largest resident set of this process so far, in MiB.
[[nodiscard]] double peak_rss_mib();

/// "1,234,567"
[[nodiscard]] std::string with_commas(std::uint64_t n);
/// Three significant digits or so, for people.
[[nodiscard]] std::string short_number(double x);

/// Lines up the columns of `rows`, the first of which is the heading.
[[nodiscard]] std::string table(const std::vector<std::vector<std::string>>& rows);
/// counts[i * classes + j]: samples of class i that were taken for class j.
[[nodiscard]] std::string confusion_table(const std::vector<std::string>& classes,
                                          const std::vector<std::uint64_t>& counts);

}  // namespace saltus::cli
