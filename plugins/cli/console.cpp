#include "console.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <set>

namespace saltus::cli {

namespace {

volatile std::sig_atomic_t interrupt_seen = 0;

extern "C" void on_interrupt(int) {
    interrupt_seen = 1;
    std::signal(SIGINT, SIG_DFL);
}

/// Columns that a UTF-8 text takes, counting each code point as one.
std::size_t width(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u; }));
}

}  // namespace

void print_notes(const std::vector<std::string>& notes) {
    std::set<std::string> seen;
    for (const std::string& note : notes) {
        if (seen.insert(note).second) std::cerr << "note: " << note << "\n";
    }
}

void catch_interrupt() {
    std::signal(SIGINT, on_interrupt);
}

bool interrupted() {
    return interrupt_seen != 0;
}

ProgressLine::~ProgressLine() {
    if (drawn_) std::cerr << "\r\x1b[K" << std::flush;
}

void ProgressLine::update(double fraction, const std::string& text) {
    if (quiet_) return;
    const auto now = Clock::now();
    const bool terminal = isatty(STDERR_FILENO) != 0;
    const auto pause = terminal ? std::chrono::milliseconds(200) : std::chrono::milliseconds(60'000);
    if (now - last_ < pause || now - start_ < std::chrono::seconds(1)) return;
    last_ = now;
    const double elapsed = std::chrono::duration<double>(now - start_).count();
    std::string line = short_number(100.0 * fraction) + " %, " + text;
    if (fraction > 0.0) line += ", " + short_number(elapsed / fraction - elapsed) + " s left";
    if (terminal) {
        std::cerr << "\r\x1b[K" << line << std::flush;
        drawn_ = true;
    } else {
        std::cerr << line << "\n";
    }
}

void ProgressLine::say(const std::string& text) {
    if (quiet_) return;
    std::cerr << (drawn_ ? "\r\x1b[K" : "") << text << "\n";
    drawn_ = false;
}

double peak_rss_mib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

std::string with_commas(std::uint64_t n) {
    std::string digits = std::to_string(n);
    for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
    return digits;
}

std::string short_number(double x) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", x);
    return text;
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()), 0);
        for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width(row[c]));
    }
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t c = 0; c < row.size(); ++c) {
            line += row[c];
            if (c + 1 < row.size()) line += std::string(widths[c] - width(row[c]) + 2, ' ');
        }
        text += "  " + line + "\n";
    }
    return text;
}

std::string confusion_table(const std::vector<std::string>& classes,
                            const std::vector<std::uint64_t>& counts) {
    const std::size_t n = classes.size();
    std::vector<std::vector<std::string>> rows(1, {"true \\ decided"});
    rows[0].insert(rows[0].end(), classes.begin(), classes.end());
    for (std::size_t i = 0; i < n; ++i) {
        rows.push_back({classes[i]});
        for (std::size_t j = 0; j < n; ++j) {
            const std::uint64_t count = counts[i * n + j];
            rows.back().push_back(count == 0 ? "." : std::to_string(count));
        }
    }
    return table(rows);
}

}  // namespace saltus::cli
