// N-MNIST as it is distributed: Train/5/00001.bin, Test/7/00001.bin; or all files in one folder, with the
// label in the name: test_00001_label7.bin.
#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "camera.hpp"
#include "labels.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::datasets {

namespace {

namespace fs = std::filesystem;

struct Recording {
    fs::path path;
    std::string name;  // relative to the folder of the data set
    std::int64_t label = 0;
};

std::string lower_case(std::string text) {
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return text;
}

/// The folder of one part: the sub-folder of that name, in any case.
fs::path part_of(const fs::path& folder, const std::string& split) {
    if (split.empty()) return folder;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        if (entry.is_directory() && lower_case(entry.path().filename().string()) == split)
            return entry.path();
    }
    throw UsageError(folder.string() + " has no part " + saltus::quoted(split) +
                     ": there is no sub-folder of that name. Leave the split out to take all files.");
}

std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::int64_t label_of(const fs::path& path) {
    constexpr std::string_view mark = "_label";
    const std::string stem = path.stem().string();
    const std::size_t at = stem.rfind(mark);
    const std::string text =
        at == std::string::npos ? path.parent_path().filename().string() : stem.substr(at + mark.size());
    const std::optional<std::int64_t> label = whole_number(text);
    if (!label) {
        throw FileError::unexpected(
            path.string(), "",
            "a label: the number of its class as the name of its folder (7/00001.bin) or at "
            "the end of its own (00001_label7.bin)",
            saltus::quoted(text));
    }
    check_label(*label, path.string(), "label");
    return *label;
}

std::vector<Recording> recordings_below(const fs::path& folder, const fs::path& root) {
    std::vector<Recording> recordings;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
        if (lower_case(entry.path().extension().string()) != ".bin" || !entry.is_regular_file()) continue;
        recordings.push_back(
            {entry.path(), entry.path().lexically_relative(root).generic_string(), label_of(entry.path())});
    }
    std::sort(recordings.begin(), recordings.end(),
              [](const Recording& a, const Recording& b) { return a.name < b.name; });
    return recordings;
}

std::vector<Recording> listed(const fs::path& path, const std::string& split) {
    try {
        return recordings_below(part_of(path, split), path);
    } catch (const fs::filesystem_error& error) {
        throw FileError(path.string(), "", "its files cannot be listed: " + error.code().message() + ".");
    }
}

}  // namespace

Dataset open_camera_folder(const fs::path& path, const std::string& split) {
    std::vector<Recording> recordings = listed(path, split);
    if (recordings.empty()) {
        throw FileError::unexpected(path.string(), "", "40-bit event files (*.bin)", "none");
    }
    std::vector<std::int64_t> labels;
    for (const Recording& recording : recordings) labels.push_back(recording.label);

    const Frame frame;
    Dataset dataset;
    dataset.name = "N-MNIST";
    dataset.shape = frame.shape();
    dataset.size = recordings.size();
    dataset.classes = numbered_classes(labels);
    dataset.sample = [frame, recordings = std::move(recordings)](std::uint64_t i) {
        check_index(i, recordings.size());
        const Recording& recording = recordings[i];
        return Sample{recording.name, spikes_of(io::read_aer(recording.path), frame, recording.path.string()),
                      recording.label};
    };
    return dataset;
}

}  // namespace saltus::datasets
