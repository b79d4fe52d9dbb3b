// Every reader of files, and the clocks on networks that a file chooses, behind one signature: for the
// fuzzers and for the replay of what they have found.
#pragma once

#include <filesystem>
#include <span>
#include <string_view>

namespace saltus::fuzz {

struct Reader {
    std::string_view name;    // of its folder below tests/fuzz/found
    std::string_view ending;  // of the file that it reads
    void (*read)(const std::filesystem::path&);
};

[[nodiscard]] std::span<const Reader> readers();

/// Reads the file. That it is refused by a saltus::Error is an answer; anything else is a finding.
void answer(const Reader& reader, const std::filesystem::path& path);

}  // namespace saltus::fuzz
