#include "saltus/datasets/frames.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string_view>

#include "event_frames.hpp"
#include "images.hpp"
#include "saltus/datasets/dataset.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/recordings.hpp"
#include "sound.hpp"

namespace saltus::datasets {

namespace {

namespace fs = std::filesystem;

using Opener = SoundPart (*)(const fs::path&, const std::string&, const FrameOptions&);

struct SoundFile {
    fs::path path;
    Opener open;
};

/// What `path` holds of sound, and how it is opened.
std::optional<SoundFile> sound_at(const fs::path& path) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
        for (const char* name : {"features.h5", "fsdd.h5"}) {
            if (fs::is_regular_file(path / name, error)) return sound_at(path / name);
        }
        if (!is_image_folder(path) && is_wav_folder(path)) return SoundFile{path, open_wav_folder};
        return std::nullopt;
    }
    if (!fs::is_regular_file(path, error) || is_image_file(path)) return std::nullopt;
    switch (io::recording_layout(path)) {
        case io::RecordingLayout::speech_features:
            return SoundFile{path, open_speech_features};
        case io::RecordingLayout::speech_audio:
            return SoundFile{path, open_speech_audio};
        case io::RecordingLayout::digits:
            return SoundFile{path, open_digits};
        case io::RecordingLayout::touch:
        case io::RecordingLayout::none:
            break;
    }
    return std::nullopt;
}

void check_share(const char* name, double value, double most) {
    if (!(value >= 0.0 && value <= most)) {
        throw UsageError(std::string("augmentation, ") + name + ": expected 0 to " + shown(most) +
                         ", found " + shown(value) + ".");
    }
}

}  // namespace

void Augmentation::check() const {
    constexpr std::uint32_t most_pixels = 1u << 20;
    check_share("noise", noise, 1e6);
    check_share("drop", drop, 1.0);
    check_share("pixels", pixels, most_pixels);
    if (shift < Duration() || shift.seconds() > 3600.0) {
        throw UsageError("augmentation, shift: expected 0 to 1 h, found " + to_string(shift) + ".");
    }
}

bool is_sound(const fs::path& path) {
    return sound_at(path).has_value();
}

std::shared_ptr<const learning::FrameSet> open_frames(const fs::path& path, const std::string& split,
                                                      const FrameOptions& options) {
    options.augmentation.check();
    constexpr std::array<std::string_view, 3> splits{"train", "validation", "test"};
    if (!split.empty() && std::find(splits.begin(), splits.end(), split) == splits.end()) {
        throw UsageError("split: expected train, validation or test, found " + quoted(split) + "." +
                         did_you_mean(split, splits));
    }
    if (const std::optional<SoundFile> sound = sound_at(path)) {
        if (options.steps != 0 || options.binary) {
            throw UsageError("steps and binary are for spikes; " + path.string() + " is sound.");
        }
        return sound_frames(sound->open(sound->path, split, options), options);
    }
    if (!options.task.empty() || !options.left_out.empty()) {
        throw UsageError("task and left out are for sound; " + path.string() + " is none.");
    }
    const Dataset all = open_dataset(path, "", options.encoding);
    return event_frames(split.empty() ? all : open_dataset(path, split, options.encoding), all, options);
}

}  // namespace saltus::datasets
