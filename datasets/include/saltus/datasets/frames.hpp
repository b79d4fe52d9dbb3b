// Data sets as numbers on a grid of steps, for networks in discrete time: sound as log-mel features, spikes
// and events counted in steps of any length.
//
// Altered samples are a function of (seed, draw, sample), whatever the number of threads:
//
//   sound    moved by a whole number of steps, up to `shift` either way; in each frame and band the power
//            r E mean(S) added, r uniform in [0, noise) for the recording, E exponential with mean 1 (the
//            power of white noise); up to mask_steps frames and mask_bands bands in a row set to 0
//   spikes   moved by up to `shift` either way, and by up to `pixels` in the last two dimensions; each left
//            out with probability `drop`; noise times as many as there are (rounded) added, anywhere in place
//            and time
//
// What is moved beyond an edge is gone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "saltus/datasets/encoding.hpp"
#include "saltus/engine/learning/frames.hpp"
#include "saltus/engine/time.hpp"

namespace saltus::datasets {

struct Augmentation {
    Duration shift{};
    double noise = 0.0;
    double drop = 0.0;             // spikes
    std::uint32_t pixels = 0;      // spikes
    std::uint32_t mask_steps = 0;  // sound
    std::uint32_t mask_bands = 0;  // sound
    std::uint64_t seed = 0;

    /// Throws UsageError for a number out of its range.
    void check() const;
};

struct FrameOptions {
    Duration dt{10'000'000'000'000};  // of sound, too: from frame to frame
    std::uint32_t steps = 0;          // spikes: 0: to the last one of all parts
    bool binary = false;              // spikes: a step has one or none
    bool derivatives = true;          // sound: L, D1, D2 as in log_mel.hpp; false: L alone
    std::string task = {};            // speech commands: "12w" (default) or "7"
    std::string left_out = {};        // spoken digits: the speaker who is the test part
    Augmentation augmentation{};
    Encoding encoding{};   // images as spikes
    unsigned threads = 0;  // that turn sound into features; 0: as many as OpenMP gives
};

/// Opens what `path` is:
///
/// - An HDF5 file of speech commands (recordings.hpp of io), as features or as sound, or a folder with such a
///   file features.h5. Parts train, validation, test. Task 12w: the words that occur in the part train,
///   except _silence_. Task 7: words that occur in train and are categories of the official test, _silence_,
///   and _unknown_: of train 1000 clips of the other words, as equally many of each as there are, the first
///   of the file; of validation all others; of test the clips with one of these categories.
/// - An HDF5 file of spoken digits, or a folder with such a file fsdd.h5. Parts train, test; or, with
///   `left_out`, by speaker.
/// - A folder with *.wav files, of one rate. The label is the name of the folder of a file, or the first part
///   of its own name before a '_' (bed_62581901_nohash_0.wav, 7_jackson_32.wav). Parts: folders train,
///   validation, test; else by the name: SPEAKER_nohash_N by the rule of speech commands (SHA-1 of the
///   speaker modulo 2^27, times 100 / (2^27 - 1): below 10 validation, below 20 test, else train),
///   LABEL_SPEAKER_N as spoken digits (N below 5 test, else train). A folder _background_noise_ is passed
///   over.
/// - Everything that open_dataset takes, its spikes counted in steps.
///
/// Sound is at most 1 s, centred. `split` is "", "train", "validation" or "test"; "" takes everything. Throws
/// FileError, and UsageError for a part or task that the data set does not have.
[[nodiscard]] std::shared_ptr<const learning::FrameSet> open_frames(const std::filesystem::path& path,
                                                                    const std::string& split,
                                                                    const FrameOptions& options = {});

/// `path` is one of sound, which only open_frames can open.
[[nodiscard]] bool is_sound(const std::filesystem::path& path);

/// The part of speech commands that a speaker belongs to.
[[nodiscard]] std::string split_of_speaker(const std::string& speaker);

}  // namespace saltus::datasets
