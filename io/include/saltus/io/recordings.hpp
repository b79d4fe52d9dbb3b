// Labelled recordings that are no spikes yet, in HDF5 files.
//
// Speech commands, as frames or as sound; one entry a clip:
//     /word, /split     index into /word_names, /split_names (strings)
//     /canonical        string: its category in the official test set, "" where it has none
//     /logmel           uint8 (clips, frames, bands), attributes offset_db, step_db: power is
//                       10^((offset_db + step_db level) / 10); a frame every 10 ms
//     /audio, /length   int16 (clips, samples), of which the first `length` count; attribute sample_rate_hz
//                       of the file
//
// Spoken digits:
//     /audio/samples    int16, all end to end; /audio/offsets: recording k is [offsets[k], offsets[k + 1])
//     /label, /speaker (index into /speaker_names), /test (1: belongs to the test part), sample_rate_hz
//
// Touch:
//     /taxels           uint8 (rows, taxels), 255: no contact, less: more pressure; /offsets as above, in
//                       rows; /label (index into /letters), /test
//
// All readers throw FileError: a column of another length or type, an index beyond its names, offsets that
// do not rise from 0 to the end, sizes that the file cannot hold.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace saltus::io {

/// What is known of each clip of speech commands.
struct SpeechClips {
    std::vector<std::string> words;
    std::vector<std::string> splits;
    std::vector<std::uint32_t> word;   // one per clip, and so on
    std::vector<std::uint32_t> split;  // index into splits
    std::vector<std::string> canonical;

    [[nodiscard]] std::uint64_t size() const { return word.size(); }
};

struct SpeechFeatures {
    SpeechClips clips;
    std::uint32_t frames = 0;
    std::uint32_t bands = 0;
    double offset_db = 0.0;
    double step_db = 0.0;
    std::vector<std::uint8_t> levels;  // [clip][frame][band]
};

/// Mono sound of 16 bits; clip k is [begin[k], begin[k] + length[k]).
struct SoundClips {
    std::uint32_t rate = 0;  // samples a second
    std::vector<std::int16_t> samples;
    std::vector<std::uint64_t> begin;
    std::vector<std::uint64_t> length;
};

struct SpeechAudio {
    SpeechClips clips;
    SoundClips sound;
};

struct DigitRecordings {
    SoundClips sound;
    std::vector<std::string> speakers;
    std::vector<std::uint32_t> label;  // one per recording, and so on
    std::vector<std::uint32_t> speaker;
    std::vector<std::uint8_t> test;
};

struct TouchRecordings {
    std::uint32_t taxels = 0;
    std::vector<std::string> letters;
    std::vector<std::uint8_t> pressure;  // [row][taxel], as in the file
    std::vector<std::uint64_t> offsets;  // in rows; one more than recordings
    std::vector<std::uint32_t> label;
    std::vector<std::uint8_t> test;
};

/// Which of these an HDF5 file is.
enum class RecordingLayout { none, speech_features, speech_audio, digits, touch };
/// Throws FileError where it is no HDF5 file at all.
[[nodiscard]] RecordingLayout recording_layout(const std::filesystem::path& path);

/// One of these, or labelled samples as in spikes.hpp.
[[nodiscard]] bool holds_samples(const std::filesystem::path& path);

[[nodiscard]] SpeechFeatures read_speech_features(const std::filesystem::path& path);
[[nodiscard]] SpeechAudio read_speech_audio(const std::filesystem::path& path);
[[nodiscard]] DigitRecordings read_digit_recordings(const std::filesystem::path& path);
[[nodiscard]] TouchRecordings read_touch_recordings(const std::filesystem::path& path);

}  // namespace saltus::io
