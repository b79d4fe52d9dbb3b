// Speech commands and spoken digits, from HDF5.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "saltus/io/recordings.hpp"
#include "sound.hpp"

namespace saltus::datasets {

namespace {

namespace fs = std::filesystem;

const std::string silence = "_silence_";
const std::string unknown = "_unknown_";
constexpr std::size_t unknown_in_train = 1000;

struct Choice {
    std::vector<std::uint64_t> recordings;
    std::vector<std::uint32_t> labels;
    std::vector<std::string> classes;

    void add(std::uint64_t recording, std::size_t label) {
        recordings.push_back(recording);
        labels.push_back(static_cast<std::uint32_t>(label));
    }
};

std::optional<std::size_t> index_of(const std::vector<std::string>& names, const std::string& name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - names.begin());
}

/// Words that occur in the part train.
std::set<std::string> words_in_train(const io::SpeechClips& clips) {
    std::set<std::string> words;
    for (std::uint64_t k = 0; k < clips.size(); ++k) {
        if (clips.splits[clips.split[k]] == "train") words.insert(clips.words[clips.word[k]]);
    }
    return words;
}

Choice all_trained_words(const io::SpeechClips& clips, const std::string& split) {
    const std::set<std::string> trained = words_in_train(clips);
    Choice choice;
    for (const std::string& word : clips.words) {
        if (word != silence && trained.contains(word)) choice.classes.push_back(word);
    }
    for (std::uint64_t k = 0; k < clips.size(); ++k) {
        if (!split.empty() && clips.splits[clips.split[k]] != split) continue;
        if (const auto label = index_of(choice.classes, clips.words[clips.word[k]])) choice.add(k, *label);
    }
    return choice;
}

/// As equally many of each word as there are, the first of the file.
std::set<std::uint64_t> first_of_each(const std::map<std::string, std::vector<std::uint64_t>>& words,
                                      std::size_t n) {
    std::set<std::uint64_t> chosen;
    for (std::size_t round = 0;; ++round) {
        bool any = false;
        for (const auto& [word, recordings] : words) {
            if (chosen.size() == n) return chosen;
            if (round >= recordings.size()) continue;
            chosen.insert(recordings[round]);
            any = true;
        }
        if (!any) return chosen;
    }
}

Choice categories(const io::SpeechClips& clips, const std::string& split) {
    const std::set<std::string> trained = words_in_train(clips);
    const std::set<std::string> official(clips.canonical.begin(), clips.canonical.end());
    Choice choice;
    for (const std::string& word : clips.words) {
        if (word != silence && trained.contains(word) && official.contains(word))
            choice.classes.push_back(word);
    }
    choice.classes.push_back(silence);
    choice.classes.push_back(unknown);
    const std::size_t unknown_label = choice.classes.size() - 1;

    std::map<std::string, std::vector<std::uint64_t>> others;  // of the part train
    for (std::uint64_t k = 0; k < clips.size(); ++k) {
        const std::string& word = clips.words[clips.word[k]];
        if (clips.splits[clips.split[k]] == "train" && !index_of(choice.classes, word))
            others[word].push_back(k);
    }
    const std::set<std::uint64_t> unknown_clips = first_of_each(others, unknown_in_train);

    for (std::uint64_t k = 0; k < clips.size(); ++k) {
        const std::string& part = clips.splits[clips.split[k]];
        if (!split.empty() && part != split) continue;
        const std::string& word = clips.words[clips.word[k]];
        if (part == "test") {
            if (const auto label = index_of(choice.classes, clips.canonical[k])) choice.add(k, *label);
        } else if (const auto label = index_of(choice.classes, word)) {
            choice.add(k, *label);
        } else if (part != "train" || unknown_clips.contains(k)) {
            choice.add(k, unknown_label);
        }
    }
    return choice;
}

Choice choice_of(const io::SpeechClips& clips, const fs::path& path, const std::string& split,
                 const std::string& task) {
    if (!split.empty() && !index_of(clips.splits, split)) {
        std::string parts;
        for (const std::string& name : clips.splits) parts += (parts.empty() ? "" : ", ") + name;
        throw no_such_part(path, split, parts);
    }
    constexpr std::array<std::string_view, 2> tasks{"12w", "7"};
    if (!task.empty() && std::find(tasks.begin(), tasks.end(), task) == tasks.end()) {
        throw UsageError("task: expected 12w or 7, found " + quoted(task) + "." + did_you_mean(task, tasks));
    }
    Choice choice = task == "7" ? categories(clips, split) : all_trained_words(clips, split);
    if (choice.classes.empty()) {
        throw FileError::unexpected(path.string(), "", "words that occur in the part train", "none");
    }
    return choice;
}

std::vector<double> clip_of(const io::SoundClips& sound, std::uint64_t k) {
    const auto begin = sound.samples.begin() + static_cast<std::ptrdiff_t>(sound.begin[k]);
    std::vector<double> values(begin, begin + static_cast<std::ptrdiff_t>(sound.length[k]));
    for (double& x : values) x /= 32768.0;
    return values;
}

SoundPart part_of(Choice choice, const io::SoundClips& sound, const FrameOptions& options) {
    SoundPart part;
    part.spectra = spectra_of(choice.recordings.size(), sound.rate, options,
                              [&](std::size_t k) { return clip_of(sound, choice.recordings[k]); });
    part.recordings.resize(choice.recordings.size());
    std::iota(part.recordings.begin(), part.recordings.end(), std::uint64_t{0});
    part.labels = std::move(choice.labels);
    part.classes = std::move(choice.classes);
    return part;
}

}  // namespace

SoundPart open_speech_features(const fs::path& path, const std::string& split, const FrameOptions& options) {
    if (options.dt != stored_frame) {
        throw UsageError("dt: " + path.string() + " holds frames of " + to_string(stored_frame) +
                         ", which cannot be divided; found " + to_string(options.dt) +
                         ". Use the sound itself for another dt.");
    }
    io::SpeechFeatures features = io::read_speech_features(path);
    Choice choice = choice_of(features.clips, path, split, options.task);
    auto spectra = std::make_shared<Spectra>();
    spectra->frames = features.frames;
    spectra->bands = features.bands;
    for (int level = 0; level < 256; ++level) {
        spectra->power_of_level.push_back(
            std::pow(10.0, (features.offset_db + features.step_db * level) / 10.0));
        if (!std::isfinite(spectra->power_of_level.back())) {
            throw FileError::unexpected(path.string(), "'/logmel', attributes 'offset_db' and 'step_db'",
                                        "levels of a finite power",
                                        shown(features.offset_db) + " and " + shown(features.step_db));
        }
    }
    spectra->levels = std::move(features.levels);
    return {std::move(spectra), std::move(choice.recordings), std::move(choice.labels),
            std::move(choice.classes)};
}

SoundPart open_speech_audio(const fs::path& path, const std::string& split, const FrameOptions& options) {
    const io::SpeechAudio speech = io::read_speech_audio(path);
    return part_of(choice_of(speech.clips, path, split, options.task), speech.sound, options);
}

SoundPart open_digits(const fs::path& path, const std::string& split, const FrameOptions& options) {
    const io::DigitRecordings digits = io::read_digit_recordings(path);
    if (!split.empty() && split != "train" && split != "test") {
        throw no_such_part(path, split, "train and test");
    }
    std::optional<std::size_t> left_out;
    if (!options.left_out.empty()) {
        left_out = index_of(digits.speakers, options.left_out);
        if (!left_out) {
            std::string speakers;
            for (const std::string& name : digits.speakers) speakers += (speakers.empty() ? "" : ", ") + name;
            throw UsageError("left out: expected a speaker (" + speakers + "), found " +
                             quoted(options.left_out) + "." +
                             did_you_mean(options.left_out, digits.speakers));
        }
    }
    Choice choice;
    std::uint32_t largest = 0;
    for (std::size_t k = 0; k < digits.label.size(); ++k) {
        const bool test = left_out ? digits.speaker[k] == *left_out : digits.test[k] == 1;
        if (split.empty() || test == (split == "test")) choice.add(k, digits.label[k]);
        largest = std::max(largest, digits.label[k]);
    }
    for (std::uint32_t label = 0; label <= largest; ++label) choice.classes.push_back(std::to_string(label));
    return part_of(std::move(choice), digits.sound, options);
}

}  // namespace saltus::datasets
