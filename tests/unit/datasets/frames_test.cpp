#include "saltus/datasets/frames.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>
#include <random>

#include "saltus/datasets/dataset.hpp"
#include "saltus/datasets/log_mel.hpp"
#include "saltus/datasets/touch.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/recorded_signals.hpp"
#include "unit/io/hdf5_fixture.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::datasets;
using learning::FrameSet;
using saltus::test::contains;
using saltus::test::Hdf5Writer;
using saltus::test::message_of;
using saltus::test::TemporaryFolder;
using saltus::test::write_bytes;

namespace {

namespace fs = std::filesystem;

const std::string samples = std::string(SALTUS_DATASETS) + "/samples/";
constexpr Duration ms(std::int64_t n) {
    return Duration(n * 1'000'000'000'000);
}

std::vector<float> read(const FrameSet& set, std::uint64_t i) {
    std::vector<float> values(set.layout().values());
    set.read(i, values);
    return values;
}

std::vector<float> altered(const FrameSet& set, std::uint64_t i, std::uint64_t draw) {
    std::vector<float> values(set.layout().values());
    set.read_altered(i, draw, values);
    return values;
}

double sum(const std::vector<float>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
}

std::map<std::string, int> counts(const FrameSet& set) {
    std::map<std::string, int> result;
    for (const std::uint32_t label : set.labels()) ++result[set.layout().classes[label]];
    return result;
}

/// A WAV file of 16-bit samples.
std::string wav(std::uint32_t rate, const std::vector<int>& values) {
    std::string data;
    const auto le = [](std::uint64_t value, unsigned width) {
        std::string bytes;
        for (unsigned k = 0; k < width; ++k) bytes += static_cast<char>(value >> (8 * k) & 255);
        return bytes;
    };
    for (const int v : values) data += le(static_cast<std::uint64_t>(v), 2);
    return "RIFF" + le(36 + data.size(), 4) + "WAVEfmt " + le(16, 4) + le(1, 2) + le(1, 2) + le(rate, 4) +
           le(std::uint64_t{rate} * 2, 4) + le(2, 2) + le(16, 2) + "data" + le(data.size(), 4) + data;
}

std::string usage(const fs::path& path, const std::string& split, const FrameOptions& options = {}) {
    return message_of<UsageError>([&] { return open_frames(path, split, options)->size(); });
}

}  // namespace

TEST_SUITE("datasets/frames: speech commands") {
    const std::string folder = samples + "speech-commands";

    TEST_CASE("twelve words, without silence, by the parts of the file") {
        const auto train = open_frames(folder, "train");
        CHECK(train->layout().steps == 101);
        CHECK(train->layout().shape == Shape{3, 40});
        CHECK(train->layout().dt == ms(10));
        const std::vector<std::string> words{"bed",   "cat",  "down", "eight", "five", "go",
                                             "happy", "left", "one",  "right", "up",   "zero"};
        CHECK(train->layout().classes == words);
        CHECK(counts(*train).size() == 12);
        for (const auto& [word, n] : counts(*train)) CHECK(n >= 2);
        const auto validation = open_frames(folder, "validation");
        const auto test = open_frames(folder, "test");
        CHECK(counts(*validation).size() == 12);
        CHECK(validation->layout().classes == words);
        CHECK(counts(*test).size() == 12);
        CHECK(open_frames(folder, "")->size() == train->size() + validation->size() + test->size());
    }

    TEST_CASE("seven categories: other trained words are unknown, the test is by official category") {
        const auto train = open_frames(folder, "train", {.task = "7"});
        CHECK(train->layout().classes ==
              std::vector<std::string>{"down", "go", "left", "right", "up", "_silence_", "_unknown_"});
        const io::SpeechFeatures file = io::read_speech_features(folder + "/features.h5");
        std::map<std::string, int> expected;
        for (std::uint64_t k = 0; k < file.clips.size(); ++k) {
            const std::string& category = file.clips.canonical[k];
            const auto& classes = train->layout().classes;
            if (std::find(classes.begin(), classes.end(), category) != classes.end()) ++expected[category];
        }
        CHECK(counts(*open_frames(folder, "test", {.task = "7"})) == expected);
        CHECK(counts(*train).at("_silence_") == 2);
        CHECK(counts(*train).at("_unknown_") >= 14);  // two of each of seven words, and of the WAV files
        CHECK(counts(*open_frames(folder, "validation", {.task = "7"})).at("_unknown_") >= 7);
    }

    TEST_CASE("of more than 1000 other clips in train, as equally many of each word are unknown") {
        const TemporaryFolder made;
        // Words a (800 clips), b (300), c (100) are other words; go is a category.
        const std::vector<std::pair<std::uint8_t, int>> clips{{0, 800}, {1, 300}, {2, 100}, {3, 2}};
        std::vector<std::uint8_t> word;
        for (const auto& [w, n] : clips) word.insert(word.end(), std::size_t(n), w);
        word.push_back(3);
        std::vector<std::uint8_t> split(word.size(), 0);
        split.back() = 1;
        std::vector<std::string> canonical(word.size());
        canonical.back() = "go";
        const std::string path = (made / "a.h5").string();
        Hdf5Writer(path)
            .cube("audio", std::vector<std::int16_t>(word.size(), 5), {word.size(), 1})
            .column("length", std::vector<std::uint16_t>(word.size(), 1))
            .column("word", word)
            .column("split", split)
            .strings("word_names", {"a", "b", "c", "go"})
            .strings("split_names", {"train", "test"})
            .strings("canonical", canonical)
            .integer_attribute("/", "sample_rate_hz", 8000);
        const auto train = open_frames(path, "train", {.dt = ms(100), .task = "7"});
        // Rounds of a, b, c: 100 rounds of all three, 200 of a and b, then a alone up to 1000.
        CHECK(counts(*train) == std::map<std::string, int>{{"_unknown_", 1000}, {"go", 2}});
        CHECK(counts(*open_frames(path, "test", {.dt = ms(100), .task = "7"})) ==
              std::map<std::string, int>{{"go", 1}});
        CHECK(contains(usage(path, "validation"), "has no part 'validation'; it has train, test."));
    }

    TEST_CASE("sound gives the features of its stored levels, to their rounding") {
        const io::SpeechFeatures stored = io::read_speech_features(folder + "/features.h5");
        const auto from_sound = open_frames(folder + "/audio.h5", "", {.derivatives = false});
        const auto from_levels = open_frames(folder, "", {.derivatives = false});
        // Levels are rounded to 0.25 dB, 6 % of the power, of the frame and of the loudest one.
        int found = 0;
        for (std::uint64_t i = 0; i < from_sound->size(); ++i) {
            const std::vector<float> a = read(*from_sound, i);
            for (std::uint64_t k = 0; k < from_levels->size(); ++k) {
                const std::vector<float> b = read(*from_levels, k);
                float largest = 0.0f;
                for (std::size_t j = 0; j < a.size(); ++j)
                    largest = std::max(largest, std::abs(a[j] - b[j]) / (1.0f + std::abs(a[j])));
                if (largest < 0.12f) {
                    CHECK(from_sound->label(i) == from_levels->label(k));
                    ++found;
                }
            }
        }
        CHECK(found == int(from_sound->size()));
    }

    TEST_CASE("moved in time: some whole number of frames, the rest silent") {
        const auto plain = open_frames(folder, "train", {.derivatives = false});
        const auto moved = open_frames(folder, "train",
                                       {.derivatives = false, .augmentation = {.shift = ms(39), .seed = 4}});
        // L of a moved recording is that of the recording, up to the factors of each band and of the maximum;
        // what is zero where it was moved from tells by how much.
        std::map<int, int> seen;
        for (std::uint64_t draw = 0; draw < 60; ++draw) {
            const std::vector<float> values = altered(*moved, 0, draw);
            int before = 0;
            while (before < 101 && values[std::size_t(before) * 40] == 0.0f) ++before;
            int after = 0;
            while (after < 101 && values[std::size_t(100 - after) * 40] == 0.0f) ++after;
            CHECK((before == 0 || after == 0));
            ++seen[before - after];
        }
        CHECK(seen.begin()->first == -3);
        CHECK(seen.rbegin()->first == 3);
        CHECK(seen.size() == 7);
        CHECK(read(*moved, 0) == read(*plain, 0));
    }

    TEST_CASE("alteration is a function of seed, draw and sample, and of nothing else") {
        const FrameOptions options{
            .augmentation = {.shift = ms(100), .noise = 0.5, .mask_steps = 9, .mask_bands = 5, .seed = 7}};
        FrameOptions other = options;
        other.augmentation.seed = 8;
        const auto set = open_frames(folder, "train", options);
        const auto again = open_frames(folder, "train", options);
        const auto reseeded = open_frames(folder, "train", other);
        CHECK(altered(*set, 3, 5) == altered(*again, 3, 5));
        CHECK(altered(*set, 3, 5) != altered(*set, 3, 6));
        CHECK(altered(*set, 3, 5) != altered(*reseeded, 3, 5));
        CHECK(altered(*set, 3, 5) != read(*set, 3));
        learning::FrameBatch one, three;
        const std::vector<std::uint64_t> chosen{5, 3, 11, 0, 7};
        learning::read_batch(*set, chosen, 9, 1, one);
        learning::read_batch(*set, chosen, 9, 3, three);
        CHECK(one.values == three.values);
        CHECK(one.labels == three.labels);
        CHECK(std::equal(one.values.begin() + std::ptrdiff_t(set->layout().values()),
                         one.values.begin() + 2 * std::ptrdiff_t(set->layout().values()),
                         altered(*set, 3, 9).begin()));
    }

    TEST_CASE("what cannot be is refused by name") {
        CHECK(contains(usage(folder, "tests"),
                       "split: expected train, validation or test, found 'tests'. Did "
                       "you mean 'test'?"));
        CHECK(contains(usage(folder, "train", {.task = "12"}), "task: expected 12w or 7, found '12'."));
        CHECK(contains(usage(folder, "train", {.dt = ms(5)}), "holds frames of 10ms"));
        CHECK(contains(usage(folder, "train", {.steps = 5}), "steps and binary are for spikes"));
        CHECK(contains(usage(samples + "n-mnist", "test", {.task = "7"}), "task and left out are for sound"));
        CHECK(contains(usage(folder + "/audio.h5", "", {.dt = Duration(62'500'000'000'001)}),
                       "dt: expected a whole number of samples at 16000 a second"));
        CHECK(contains(usage(folder + "/audio.h5", "", {.dt = ms(250)}),
                       "expected at least 9 frames for derivatives over time, found 5."));
        CHECK(contains(usage(folder, "", {.augmentation = {.noise = -1.0}}), "augmentation, noise"));
        CHECK(contains(usage(folder, "", {.augmentation = {.drop = 1.5}}), "augmentation, drop"));
        CHECK(contains(usage(folder, "", {.augmentation = {.shift = ms(-1)}}), "augmentation, shift"));
        CHECK(contains(message_of<FileError>([&] { return open_dataset(folder); }),
                       "expected spikes, events or images, found sound."));
    }

    TEST_CASE("sound in frames of any dt") {
        const auto fine = open_frames(folder + "/audio.h5", "", {.dt = ms(4)});
        CHECK(fine->layout().steps == 251);
        CHECK(fine->layout().dt == ms(4));
        CHECK(std::isfinite(sum(read(*fine, 0))));
    }
}

TEST_SUITE("datasets/frames: spoken digits") {
    const std::string folder = samples + "spoken-digits";

    TEST_CASE("takes below 5 are the test part, or a speaker is") {
        const auto train = open_frames(folder, "train");
        const auto test = open_frames(folder, "test");
        CHECK(train->size() == 10);
        CHECK(test->size() == 10);
        CHECK(train->layout().steps == 101);  // 8 kHz, 30 ms in 240 samples
        CHECK(train->layout().classes.size() == 10);
        CHECK(counts(*train).size() == 10);
        const auto theo = open_frames(folder, "test", {.left_out = "theo"});
        const auto rest = open_frames(folder, "train", {.left_out = "theo"});
        const io::DigitRecordings file = io::read_digit_recordings(folder + "/fsdd.h5");
        const auto by_theo = std::count_if(file.speaker.begin(), file.speaker.end(),
                                           [&](std::uint32_t s) { return file.speakers[s] == "theo"; });
        CHECK(std::uint64_t(by_theo) == theo->size());
        CHECK(theo->size() + rest->size() == 20);
        CHECK(contains(usage(folder, "test", {.left_out = "teo"}), "Did you mean 'theo'?"));
        CHECK(contains(usage(folder, "validation"), "it has train and test."));
    }
}

TEST_SUITE("datasets/frames: WAV folders") {
    // SHA-1 of the speaker, computed with Python's hashlib.
    TEST_CASE("a speaker belongs to one part, by the rule of speech commands") {
        CHECK(split_of_speaker("d6360b32") == "train");
        CHECK(split_of_speaker("bfd26d6b") == "test");
        CHECK(split_of_speaker("c099668c") == "validation");
    }

    TEST_CASE("names say label and part, folders before names") {
        const TemporaryFolder folder;
        write_bytes(folder / "yes" / "bfd26d6b_nohash_0.wav", wav(8000, {1, 2, 3}));
        write_bytes(folder / "no" / "d6360b32_nohash_0.wav", wav(8000, {1, 2}));
        write_bytes(folder / "no" / "c099668c_nohash_1.WAV", wav(8000, {}));
        write_bytes(folder / "_background_noise_" / "tap.wav", "no sound");
        write_bytes(folder / "notes.txt", "");
        CHECK(counts(*open_frames(folder.path(), "")) == std::map<std::string, int>{{"no", 2}, {"yes", 1}});
        CHECK(counts(*open_frames(folder.path(), "test")) == std::map<std::string, int>{{"yes", 1}});
        CHECK(counts(*open_frames(folder.path(), "train")) == std::map<std::string, int>{{"no", 1}});
        CHECK(counts(*open_frames(folder.path(), "validation")) == std::map<std::string, int>{{"no", 1}});
        CHECK(open_frames(folder.path(), "test")->layout().classes == std::vector<std::string>{"no", "yes"});
        write_bytes(folder / "Test" / "yes" / "d6360b32_nohash_3.wav", wav(8000, {1}));
        CHECK(open_frames(folder.path(), "test")->size() == 2);
    }

    TEST_CASE("spoken digits as distributed: label, speaker, take") {
        const TemporaryFolder folder;
        write_bytes(folder / "7_jackson_4.wav", wav(8000, {1, 2, 3}));
        write_bytes(folder / "7_jackson_5.wav", wav(8000, {1, 2, 3}));
        write_bytes(folder / "3_theo_49.wav", wav(8000, {1, 2, 3}));
        CHECK(counts(*open_frames(folder.path(), "test")) == std::map<std::string, int>{{"7", 1}});
        CHECK(counts(*open_frames(folder.path(), "train")) == std::map<std::string, int>{{"3", 1}, {"7", 1}});
        CHECK(contains(usage(folder.path(), "validation"), "it has test, train."));
    }

    TEST_CASE("another rate, and a file without a label, are refused with its name") {
        const TemporaryFolder folder;
        write_bytes(folder / "a_1.wav", wav(8000, {1}));
        write_bytes(folder / "b_1.wav", wav(16000, {1}));
        const auto refusal = [&] {
            return message_of<FileError>([&] { return open_frames(folder.path(), ""); });
        };
        CHECK(contains(refusal(),
                       "b_1.wav: expected 8000 samples a second, as in 'a_1.wav', found 16000. Convert"));
        write_bytes(folder / "c.wav", wav(8000, {1}));
        CHECK(contains(refusal(), "c.wav: expected a label as the name of its folder"));
        write_bytes(folder / "c.wav", "");
        fs::remove(folder / "c.wav");
        write_bytes(folder / "b_1.wav", "RIFF");
        CHECK(contains(refusal(), "b_1.wav: expected a WAV file"));
    }

    TEST_CASE("a folder of one clip is a set of one sample") {
        const TemporaryFolder folder;
        fs::create_directories(folder / "down");
        fs::copy_file(samples + "speech-commands/down_439c84f4_nohash_1.wav",
                      folder / "down" / "439c84f4_nohash_1.wav");
        const auto set = open_frames(folder.path(), "");
        CHECK(set->layout().shape == Shape{3, 40});
        CHECK(set->layout().steps == 101);
    }
}

TEST_SUITE("datasets/frames: spikes") {
    TEST_CASE("every spike is counted once, in steps of any length") {
        const Dataset dataset = open_dataset(samples + "n-mnist");
        for (const std::int64_t fs : {ms(1).femtoseconds(), ms(7).femtoseconds(), ms(400).femtoseconds(),
                                      std::int64_t{3'333'333'333'333}}) {
            CAPTURE(fs);
            const auto set = open_frames(samples + "n-mnist", "test", {.dt = Duration(fs)});
            CHECK(set->layout().shape == Shape{2, 34, 34});
            CHECK(set->size() == dataset.size);
            const Sample sample = dataset.sample(11);
            const std::vector<float> values = read(*set, 11);
            CHECK(sum(values) == double(sample.spikes.size()));
            std::vector<float> expected(values.size());
            for (std::size_t k = 0; k < sample.spikes.size(); ++k) {
                const auto step = std::size_t(sample.spikes.times[k].femtoseconds() / fs);
                expected[step * 2312 + sample.spikes.neurons[k]] += 1.0f;
            }
            CHECK(values == expected);
            CHECK(set->label(11) == std::uint32_t(sample.label));
        }
    }

    TEST_CASE("binary frames have one where there are any, and steps cut or lengthen") {
        const auto counted = open_frames(samples + "n-mnist", "test", {.dt = ms(100)});
        const auto binary = open_frames(samples + "n-mnist", "test", {.dt = ms(100), .binary = true});
        const auto cut = open_frames(samples + "n-mnist", "test", {.dt = ms(100), .steps = 2});
        const auto longer = open_frames(samples + "n-mnist", "test", {.dt = ms(100), .steps = 9});
        const std::vector<float> values = read(*counted, 0);
        std::vector<float> ones = values;
        for (float& x : ones) x = x > 0.0f ? 1.0f : 0.0f;
        CHECK(read(*binary, 0) == ones);
        CHECK(read(*cut, 0) == std::vector<float>(values.begin(), values.begin() + 2 * 2312));
        std::vector<float> padded = values;
        padded.resize(9 * 2312);
        CHECK(read(*longer, 0) == padded);
        CHECK(contains(usage(samples + "n-mnist", "", {.dt = Duration()}), "dt: expected > 0"));
        CHECK(contains(usage(samples + "n-mnist", "", {.dt = Duration(1)}), "Take a larger one."));
    }

    TEST_CASE("rows of spoken digits in the SHD layout are counted too") {
        const auto set = open_frames(samples + "fsdd_spikes/fsdd_spikes_20.h5", "");
        CHECK(set->layout().shape == Shape{64});
        double all = 0.0;
        for (std::uint64_t i = 0; i < set->size(); ++i) all += sum(read(*set, i));
        CHECK(all == 8046.0);
    }

    TEST_CASE("random spikes, numbers of units, dt and steps: each spike is in its step or after the last") {
        std::mt19937_64 random(11);
        for (int trial = 0; trial < 40; ++trial) {
            CAPTURE(trial);
            const std::size_t n = 1 + random() % 4;
            std::vector<std::vector<double>> times(n);
            std::vector<std::vector<std::int64_t>> units(n);
            std::vector<std::int64_t> labels;
            for (std::size_t i = 0; i < n; ++i) {
                for (std::uint64_t k = random() % 30; k-- > 0;) {
                    times[i].push_back(double(random() % 1'000'000) * 1e-6);
                    units[i].push_back(std::int64_t(random() % 50));
                }
                std::sort(times[i].begin(), times[i].end());
                labels.push_back(std::int64_t(random() % 3));
            }
            times[0].push_back(1.0);  // the last of all
            units[0].push_back(49);
            const TemporaryFolder folder;
            Hdf5Writer(folder / "a.h5")
                .rows("spikes/times", times)
                .rows("spikes/units", units)
                .column("labels", labels);
            FrameOptions options;
            options.dt = Duration(std::int64_t(1 + random() % 200) * 1'000'000'000'003);
            options.steps = random() % 2 == 0 ? 0 : std::uint32_t(1 + random() % 20);
            const auto set = open_frames(folder / "a.h5", "", options);
            const Dataset dataset = open_dataset(folder / "a.h5");
            CHECK(set->layout().shape == Shape{50});
            if (options.steps == 0) {
                CHECK(set->layout().steps == 1'000'000'000'000'000 / options.dt.femtoseconds() + 1);
            } else {
                CHECK(set->layout().steps == options.steps);
            }
            for (std::uint64_t i = 0; i < n; ++i) {
                std::vector<float> expected(set->layout().values());
                const SpikeTrain& spikes = dataset.sample(i).spikes;
                for (std::size_t k = 0; k < spikes.size(); ++k) {
                    const auto step =
                        std::uint64_t(spikes.times[k].femtoseconds() / options.dt.femtoseconds());
                    if (step < set->layout().steps) expected[step * 50 + spikes.neurons[k]] += 1.0f;
                }
                CHECK(read(*set, i) == expected);
            }
        }
    }

    TEST_CASE("moved by pixels: the picture at another place, what leaves it gone") {
        const FrameOptions options{.dt = ms(400), .augmentation = {.pixels = 2, .seed = 1}};
        const auto set = open_frames(samples + "n-mnist", "test", options);
        const std::vector<float> plain = read(*set, 0);
        std::map<std::pair<int, int>, int> seen;
        for (std::uint64_t draw = 0; draw < 200; ++draw) {
            const std::vector<float> values = altered(*set, 0, draw);
            for (int down = -2; down <= 2; ++down) {
                for (int right = -2; right <= 2; ++right) {
                    std::vector<float> expected(plain.size());
                    for (int p = 0; p < 2; ++p) {
                        for (int y = std::max(0, -down); y < std::min(34, 34 - down); ++y) {
                            for (int x = std::max(0, -right); x < std::min(34, 34 - right); ++x) {
                                expected[std::size_t((p * 34 + y + down) * 34 + x + right)] =
                                    plain[std::size_t((p * 34 + y) * 34 + x)];
                            }
                        }
                    }
                    if (expected == values) ++seen[{down, right}];
                }
            }
        }
        CHECK(seen.size() == 25);
        int all = 0;
        for (const auto& [by, n] : seen) all += n;
        CHECK(all == 200);
    }

    TEST_CASE("dropped and added spikes are as many as asked for") {
        const auto count = [](const Augmentation& augmentation, std::uint64_t draw) {
            const auto set =
                open_frames(samples + "n-mnist", "test", {.dt = ms(10), .augmentation = augmentation});
            return sum(altered(*set, 0, draw));
        };
        const double n = count({}, 0);
        CHECK(count({.drop = 1.0}, 0) == 0.0);
        CHECK(count({.noise = 0.5}, 0) == n + double(std::llround(0.5 * n)));
        // Binomial: 5 standard deviations.
        CHECK(std::abs(count({.drop = 0.25}, 0) - 0.75 * n) < 5.0 * std::sqrt(n * 0.25 * 0.75));
        CHECK(count({.drop = 0.25}, 0) != count({.drop = 0.25}, 1));
    }

    TEST_CASE("moved in time: by less than the shift, spikes before the start gone") {
        const auto set = open_frames(samples + "n-mnist", "test",
                                     {.dt = ms(1), .steps = 500, .augmentation = {.shift = ms(20)}});
        const auto first = [](const std::vector<float>& values) {
            const auto at = std::find_if(values.begin(), values.end(), [](float x) { return x > 0.0f; });
            return (at - values.begin()) / 2312;
        };
        const auto plain = first(read(*set, 3));
        std::ptrdiff_t latest = 0;
        for (std::uint64_t draw = 0; draw < 50; ++draw) {
            const auto at = first(altered(*set, 3, draw));
            CHECK(at <= plain + 21);
            latest = std::max(latest, at);
        }
        CHECK(latest > plain);
    }
}

TEST_SUITE("datasets/touch") {
    TEST_CASE("a spike at each crossing of a threshold, between rows on the straight line") {
        // 0, then 10 in the first row of 2 ms: crosses 4 at 0.8 ms and 8 at 1.6 ms; then down to 1: crosses
        // 4 (from 8) at 2 + 2 * 6 / 9 ms.
        const std::vector<std::uint8_t> levels{245, 254, 254};
        const SpikeTrain spikes = touch_spikes(levels, 1);
        REQUIRE(spikes.size() == 3);
        CHECK(spikes.neurons == std::vector<NeuronIndex>{1, 1, 0});
        CHECK(spikes.times[0].femtoseconds() == 800'000'000'000);
        CHECK(spikes.times[1].femtoseconds() == 1'600'000'000'000);
        CHECK(spikes.times[2].femtoseconds() == 2'000'000'000'000 + 1'333'333'333'333);
    }

    TEST_CASE("no contact gives no spikes, nor do changes below the threshold") {
        CHECK(touch_spikes(std::vector<std::uint8_t>(24, 255), 12).empty());
        CHECK(touch_spikes(std::vector<std::uint8_t>{252, 255, 252, 255}, 1).empty());
        CHECK(touch_spikes(std::vector<std::uint8_t>{0}, 1, {.threshold = 255}).size() == 1);
        CHECK(touch_spikes({}, 1).empty());
    }

    TEST_CASE("an encoding out of its range is refused") {
        const auto refusal = [](const TouchEncoding& encoding) {
            return message_of<UsageError>([&] { return touch_spikes({}, 1, encoding); });
        };
        CHECK(contains(refusal({.threshold = 0}), "touch, threshold: expected 1 to 255, found 0."));
        CHECK(contains(refusal({.row = Duration()}), "touch, row"));
    }

    TEST_CASE("Braille letters: 27 classes, six repetitions of each for testing") {
        const Dataset train = open_dataset(samples + "braille/braille_30.h5", "train");
        const Dataset test = open_dataset(samples + "braille/braille_30.h5", "test");
        CHECK(train.size == 648);
        CHECK(test.size == 162);
        CHECK(train.shape == std::vector<std::uint32_t>{2, 12});
        CHECK(train.classes.size() == 27);
        CHECK(train.classes.front() == "Space");
        // Only taxels 1, 2, 6 and 10 ever change.
        std::map<std::uint32_t, int> taxels;
        for (std::uint64_t i = 0; i < test.size; ++i) {
            for (const NeuronIndex neuron : test.sample(i).spikes.neurons) ++taxels[neuron % 12];
        }
        CHECK(taxels.size() == 4);
        CHECK(taxels.contains(1));
        CHECK(taxels.contains(2));
        CHECK(taxels.contains(6));
        CHECK(taxels.contains(10));
        const auto frames = open_frames(samples + "braille/braille_30.h5", "test", {.dt = ms(8)});
        CHECK(frames->layout().steps == 20);  // 77 rows of 2 ms
        CHECK(sum(read(*frames, 5)) == double(test.sample(5).spikes.size()));
    }
}
