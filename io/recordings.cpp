#include "saltus/io/recordings.hpp"

#include <algorithm>

#include "hdf5.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::io {

namespace {

constexpr std::uint64_t max_bytes = std::uint64_t{1} << 32;
constexpr std::uint64_t max_names = std::uint64_t{1} << 20;

void check_shape(const hdf5::Dataset& dataset, const std::vector<std::uint64_t>& shape,
                 const std::string& what) {
    if (dataset.shape() != shape) {
        throw dataset.error("expected " + hdf5::to_string(shape) + ", " + what + ", found shape " +
                            hdf5::to_string(dataset.shape()) + ".");
    }
}

/// One whole number from 0 to `most` for each of n recordings.
std::vector<std::uint32_t> column(const hdf5::Group& root, const std::string& name, std::uint64_t n,
                                  std::uint64_t most) {
    const hdf5::Dataset dataset = root.dataset(name);
    check_shape(dataset, {n}, "one per recording");
    std::vector<std::uint32_t> values = dataset.read<std::uint32_t>(max_bytes);
    for (std::size_t k = 0; k < values.size(); ++k) {
        if (values[k] > most) {
            throw dataset.error("entry " + std::to_string(k) + ": expected 0 to " + std::to_string(most) +
                                ", found " + std::to_string(values[k]) + ".");
        }
    }
    return values;
}

std::vector<std::uint8_t> flags(const hdf5::Group& root, const std::string& name, std::uint64_t n) {
    const std::vector<std::uint32_t> values = column(root, name, n, 1);
    return {values.begin(), values.end()};
}

std::vector<std::string> names(const hdf5::Group& root, const std::string& name) {
    const hdf5::Dataset dataset = root.dataset(name);
    std::vector<std::string> result = dataset.read_strings(max_names);
    if (result.empty()) throw dataset.error("expected at least one name, found none.");
    return result;
}

std::vector<std::uint64_t> offsets(const hdf5::Dataset& dataset, std::uint64_t end) {
    std::vector<std::uint64_t> values = dataset.read<std::uint64_t>(max_bytes);
    if (values.empty() || values.front() != 0 || values.back() != end ||
        !std::is_sorted(values.begin(), values.end())) {
        throw dataset.error("expected offsets that rise from 0 to " + std::to_string(end) +
                            ", the number of entries, found others.");
    }
    return values;
}

std::uint32_t rate_of(const hdf5::Group& root) {
    constexpr std::int64_t highest = 1'000'000;
    const std::int64_t rate = root.integer_attribute("sample_rate_hz").value_or(0);
    if (rate < 1 || rate > highest) {
        throw root.error("attribute 'sample_rate_hz': expected 1 to " + std::to_string(highest) +
                         " samples a second, found " + (rate == 0 ? "none" : std::to_string(rate)) + ".");
    }
    return static_cast<std::uint32_t>(rate);
}

SpeechClips clips_of(const hdf5::Group& root, std::uint64_t n) {
    SpeechClips clips;
    clips.words = names(root, "word_names");
    clips.splits = names(root, "split_names");
    clips.word = column(root, "word", n, clips.words.size() - 1);
    clips.split = column(root, "split", n, clips.splits.size() - 1);
    const hdf5::Dataset canonical = root.dataset("canonical");
    check_shape(canonical, {n}, "one per recording");
    clips.canonical = canonical.read_strings(max_bytes);
    return clips;
}

void check_sizes(const hdf5::Dataset& dataset, std::size_t dimensions) {
    const bool fits = dataset.shape().size() == dimensions &&
                      std::all_of(dataset.shape().begin() + 1, dataset.shape().end(),
                                  [](std::uint64_t n) { return n > 0 && n <= (1u << 24); });
    if (!fits) {
        throw dataset.error("expected " + std::to_string(dimensions) +
                            " dimensions, none of them empty, found shape " +
                            hdf5::to_string(dataset.shape()) + ".");
    }
}

}  // namespace

namespace {

RecordingLayout layout_of(const hdf5::Group& root) {
    if (root.contains("logmel")) return RecordingLayout::speech_features;
    if (root.contains("audio"))
        return root.contains("word") ? RecordingLayout::speech_audio : RecordingLayout::digits;
    if (root.contains("taxels")) return RecordingLayout::touch;
    return RecordingLayout::none;
}

}  // namespace

RecordingLayout recording_layout(const std::filesystem::path& path) {
    return layout_of(hdf5::File::open(path).root());
}

bool holds_samples(const std::filesystem::path& path) {
    const hdf5::File file = hdf5::File::open(path);
    const hdf5::Group root = file.root();
    const bool labelled = root.contains("labels") && (root.contains("samples") || root.contains("spikes"));
    const bool camera = root.contains("events") && root.contains("offsets");
    return labelled || camera || layout_of(root) != RecordingLayout::none;
}

SpeechFeatures read_speech_features(const std::filesystem::path& path) {
    const hdf5::File file = hdf5::File::open(path);
    const hdf5::Group root = file.root();
    const hdf5::Dataset levels = root.dataset("logmel");
    check_sizes(levels, 3);
    SpeechFeatures features;
    features.clips = clips_of(root, levels.shape()[0]);
    features.frames = static_cast<std::uint32_t>(levels.shape()[1]);
    features.bands = static_cast<std::uint32_t>(levels.shape()[2]);
    features.offset_db = levels.number_attribute("offset_db");
    features.step_db = levels.number_attribute("step_db");
    features.levels = levels.read<std::uint8_t>(max_bytes);
    return features;
}

SpeechAudio read_speech_audio(const std::filesystem::path& path) {
    const hdf5::File file = hdf5::File::open(path);
    const hdf5::Group root = file.root();
    const hdf5::Dataset audio = root.dataset("audio");
    check_sizes(audio, 2);
    const std::uint64_t n = audio.shape()[0];
    const std::uint64_t samples = audio.shape()[1];
    SpeechAudio speech;
    speech.clips = clips_of(root, n);
    speech.sound.rate = rate_of(root);
    const std::vector<std::uint32_t> length = column(root, "length", n, samples);
    speech.sound.length.assign(length.begin(), length.end());
    for (std::uint64_t k = 0; k < n; ++k) speech.sound.begin.push_back(k * samples);
    speech.sound.samples = audio.read<std::int16_t>(max_bytes);
    return speech;
}

DigitRecordings read_digit_recordings(const std::filesystem::path& path) {
    const hdf5::File file = hdf5::File::open(path);
    const hdf5::Group root = file.root();
    const hdf5::Group audio = root.group("audio");
    const hdf5::Dataset samples = audio.dataset("samples");
    check_sizes(samples, 1);
    const std::vector<std::uint64_t> at = offsets(audio.dataset("offsets"), samples.size());
    const std::uint64_t n = at.size() - 1;
    DigitRecordings digits;
    digits.sound.rate = rate_of(root);
    for (std::uint64_t k = 0; k < n; ++k) {
        digits.sound.begin.push_back(at[k]);
        digits.sound.length.push_back(at[k + 1] - at[k]);
    }
    digits.speakers = names(root, "speaker_names");
    digits.label = column(root, "label", n, 65535);
    digits.speaker = column(root, "speaker", n, digits.speakers.size() - 1);
    digits.test = flags(root, "test", n);
    digits.sound.samples = samples.read<std::int16_t>(max_bytes);
    return digits;
}

TouchRecordings read_touch_recordings(const std::filesystem::path& path) {
    const hdf5::File file = hdf5::File::open(path);
    const hdf5::Group root = file.root();
    const hdf5::Dataset taxels = root.dataset("taxels");
    check_sizes(taxels, 2);
    TouchRecordings touch;
    touch.taxels = static_cast<std::uint32_t>(taxels.shape()[1]);
    touch.offsets = offsets(root.dataset("offsets"), taxels.shape()[0]);
    const std::uint64_t n = touch.offsets.size() - 1;
    touch.letters = names(root, "letters");
    touch.label = column(root, "label", n, touch.letters.size() - 1);
    touch.test = flags(root, "test", n);
    touch.pressure = taxels.read<std::uint8_t>(max_bytes);
    return touch;
}

}  // namespace saltus::io
