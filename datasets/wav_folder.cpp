// Folders of WAV files; see frames.hpp for what their names say.
#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <set>
#include <string_view>
#include <utility>

#include "saltus/io/wav.hpp"
#include "sha1.hpp"
#include "sound.hpp"

namespace saltus::datasets {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> split_names{"train", "validation", "test"};
constexpr std::string_view background = "_background_noise_";
constexpr std::string_view same_speaker = "_nohash_";
constexpr int digits_in_test = 5;  // takes 0 ... 4

struct WavFile {
    fs::path path;
    std::string name;  // relative to the folder of the data set
    std::string label;
    std::string split;  // "" where nothing says
};

std::string lower_case(std::string text) {
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return text;
}

bool is_split(const std::string& name) {
    return std::find(split_names.begin(), split_names.end(), lower_case(name)) != split_names.end();
}

std::string split_by_name(const std::string& stem) {
    if (const std::size_t at = stem.find(same_speaker); at != std::string::npos) {
        const std::string before = stem.substr(0, at);
        return split_of_speaker(before.substr(before.rfind('_') + 1));  // npos + 1 is 0
    }
    const std::size_t last = stem.rfind('_');
    if (last == std::string::npos || stem.find('_') == last) return "";
    int take = 0;
    const char* const end = stem.data() + stem.size();
    const auto [stop, error] = std::from_chars(stem.data() + last + 1, end, take);
    if (error != std::errc() || stop != end || take < 0) return "";
    return take < digits_in_test ? "test" : "train";
}

WavFile named(const fs::path& path, const fs::path& root) {
    const fs::path relative = path.lexically_relative(root);
    std::vector<std::string> folders;
    for (const fs::path& part : relative.parent_path()) folders.push_back(part.string());
    const std::string stem = path.stem().string();
    WavFile file{path, relative.generic_string(), {}, {}};
    if (!folders.empty() && is_split(folders.front())) {
        file.split = lower_case(folders.front());
        folders.erase(folders.begin());
    } else {
        file.split = split_by_name(stem);
    }
    file.label = folders.empty() ? stem.substr(0, stem.find('_')) : folders.back();
    if (folders.empty() && stem.find('_') == std::string::npos) {
        throw FileError::unexpected(path.string(), "",
                                    "a label as the name of its folder (yes/a.wav) or before a '_' "
                                    "(yes_a.wav)",
                                    saltus::quoted(stem));
    }
    return file;
}

bool is_wav(const fs::directory_entry& entry) {
    return lower_case(entry.path().extension().string()) == ".wav" && entry.is_regular_file();
}

std::vector<WavFile> files_below(const fs::path& folder) {
    std::vector<WavFile> files;
    try {
        for (fs::recursive_directory_iterator at(folder), end; at != end; ++at) {
            if (at->is_directory() && at->path().filename() == background) {
                at.disable_recursion_pending();
            } else if (is_wav(*at)) {
                files.push_back(named(at->path(), folder));
            }
        }
    } catch (const fs::filesystem_error& error) {
        throw FileError(folder.string(), "", "its files cannot be listed: " + error.code().message() + ".");
    }
    std::sort(files.begin(), files.end(), [](const WavFile& a, const WavFile& b) { return a.name < b.name; });
    return files;
}

}  // namespace

std::string split_of_speaker(const std::string& speaker) {
    // The digest as a number modulo 2^27 is its last 27 bits.
    constexpr std::uint32_t largest = (1u << 27) - 1;
    const double percent = 100.0 * (sha1(speaker)[4] & largest) / largest;
    return percent < 10.0 ? "validation" : percent < 20.0 ? "test" : "train";
}

bool is_wav_folder(const fs::path& folder) {
    std::error_code error;
    for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        if (is_wav(*at)) return true;
    }
    return false;
}

SoundPart open_wav_folder(const fs::path& folder, const std::string& split, const FrameOptions& options) {
    std::vector<WavFile> files = files_below(folder);
    SoundPart part;
    std::set<std::string> labels;
    for (const WavFile& file : files) labels.insert(file.label);
    part.classes.assign(labels.begin(), labels.end());
    if (!split.empty()) {
        std::set<std::string> parts;
        for (const WavFile& file : files) {
            if (!file.split.empty()) parts.insert(file.split);
        }
        if (!parts.contains(split)) {
            std::string known;
            for (const std::string& name : parts) known += (known.empty() ? "" : ", ") + name;
            throw no_such_part(folder, split, known.empty() ? "none" : known);
        }
        std::erase_if(files, [&](const WavFile& file) { return file.split != split; });
    }
    for (const WavFile& file : files) {
        const auto at = std::lower_bound(part.classes.begin(), part.classes.end(), file.label);
        part.labels.push_back(static_cast<std::uint32_t>(at - part.classes.begin()));
    }
    const io::Sound first = io::read_wav(files.front().path);
    part.spectra = spectra_of(files.size(), first.rate, options, [&](std::size_t k) {
        const io::Sound sound = io::read_wav(files[k].path);
        if (sound.rate != first.rate) {
            throw FileError::unexpected(
                files[k].path.string(), "",
                std::to_string(first.rate) + " samples a second, as in " + saltus::quoted(files.front().name),
                std::to_string(sound.rate), "Convert all files to one rate.");
        }
        return sound.mono();
    });
    part.recordings.resize(files.size());
    std::iota(part.recordings.begin(), part.recordings.end(), std::uint64_t{0});
    return part;
}

}  // namespace saltus::datasets
