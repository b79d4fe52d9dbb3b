#include "saltus/datasets/log_mel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>
#include <random>

#include "fft.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/recorded_signals.hpp"
#include "saltus/io/wav.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::datasets;
using saltus::test::contains;
using saltus::test::message_of;

namespace {

const std::string samples = std::string(SALTUS_DATASETS) + "/samples/";

std::vector<double> random_numbers(std::size_t n, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<double> x(n);
    for (double& value : x) value = std::uniform_real_distribution<double>(-1.0, 1.0)(random);
    return x;
}

/// The `order`-th derivative at 0 of the polynomial of degree `order` (1 or 2) fitted to x[t - 4 ... t + 4],
/// by the normal equations.
double fitted(const std::vector<double>& x, std::size_t t, int order) {
    std::array<std::array<double, 4>, 3> a{};
    for (int k = -4; k <= 4; ++k) {
        const std::array<double, 3> powers{1.0, double(k), double(k) * k};
        for (std::size_t i = 0; i <= std::size_t(order); ++i) {
            for (std::size_t j = 0; j <= std::size_t(order); ++j) a[i][j] += powers[i] * powers[j];
            a[i][3] += powers[i] * x[std::size_t(std::ptrdiff_t(t) + k)];
        }
    }
    const std::size_t n = std::size_t(order) + 1;
    for (std::size_t p = 0; p < n; ++p) {
        for (std::size_t i = p + 1; i < n; ++i) {
            const double by = a[i][p] / a[p][p];
            for (std::size_t j = 0; j < 4; ++j) a[i][j] -= by * a[p][j];
        }
    }
    const double highest = a[n - 1][3] / a[n - 1][n - 1];
    return order == 1 ? highest : 2.0 * highest;
}

double deviation(const std::vector<double>& x) {
    double mean = 0.0, variance = 0.0;
    for (const double v : x) mean += v / double(x.size());
    for (const double v : x) variance += (v - mean) * (v - mean) / double(x.size());
    return std::sqrt(variance);
}

int level(double power) {
    return int(std::clamp(std::nearbyint((decibels(power) + 100.0) * 2.0), 0.0, 255.0));
}

/// Largest difference between the levels of a power and stored ones.
int difference(const std::vector<double>& power, const io::SpeechFeatures& stored, std::size_t row) {
    int largest = 0;
    for (std::size_t k = 0; k < power.size(); ++k)
        largest = std::max(largest, std::abs(level(power[k]) - int{stored.levels[row * power.size() + k]}));
    return largest;
}

}  // namespace

TEST_SUITE("datasets/fft") {
    TEST_CASE("the power of real numbers is that of the sum that defines the transform, at any length") {
        for (const std::size_t n : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 9u, 12u, 30u, 49u, 97u, 240u, 480u}) {
            CAPTURE(n);
            const std::vector<double> x = random_numbers(n, n);
            std::vector<double> power(n / 2 + 1);
            const Fft fft(n);
            CHECK(fft.size() == n);
            fft.power(x, power);
            for (std::size_t k = 0; k <= n / 2; ++k) {
                std::complex<double> sum;
                for (std::size_t j = 0; j < n; ++j)
                    sum += x[j] * std::polar(1.0, -2.0 * std::numbers::pi * double(j * k % n) / double(n));
                CHECK(power[k] == doctest::Approx(std::norm(sum)).epsilon(1e-11));
            }
        }
    }
}

TEST_SUITE("datasets/log_mel") {
    // Levels of 0.5 dB that librosa computed, see the folder's README.
    TEST_CASE("WAV files of speech commands give the stored features, level by level") {
        const io::SpeechFeatures stored = io::read_speech_features(samples + "speech-commands/features.h5");
        int found = 0;
        for (const char* name : {"down_439c84f4_nohash_1", "happy_37e8db82_nohash_1",
                                 "right_1eddce1d_nohash_3", "zero_2f813234_nohash_1"}) {
            CAPTURE(name);
            const io::Sound sound = io::read_wav(samples + "speech-commands/" + name + ".wav");
            CHECK(sound.rate == 16000);
            const std::vector<double> power = MelSpectrogram(MelOptions{}).power(sound.mono());
            REQUIRE(power.size() == std::size_t{stored.frames} * stored.bands);
            // The row of the clip: the only one whose levels are all within one.
            for (std::size_t row = 0; row < stored.clips.size(); ++row) {
                if (difference(power, stored, row) <= 1) ++found;
            }
        }
        CHECK(found == 4);
    }

    TEST_CASE("a tone is loudest in the band about its frequency") {
        const MelSpectrogram spectrogram(MelOptions{});
        CHECK(spectrogram.frames() == 101);
        // Slaney's scale: 40 bands between 0.3 mel (20 Hz) and 15 + 27 ln 4 / ln 6.4 mel (4 kHz).
        const double low = 0.3;
        const double high = 15.0 + 27.0 * std::log(4.0) / std::log(6.4);
        for (const double hertz : {200.0, 500.0, 1000.0, 2500.0}) {
            CAPTURE(hertz);
            const double mel =
                hertz < 1000.0 ? hertz * 3.0 / 200.0 : 15.0 + 27.0 * std::log(hertz / 1000.0) / std::log(6.4);
            std::vector<double> tone(16000);
            for (std::size_t k = 0; k < tone.size(); ++k)
                tone[k] = std::sin(2.0 * std::numbers::pi * hertz * double(k) / 16000.0);
            const std::vector<double> power = spectrogram.power(tone);
            const auto row = power.begin() + 50 * 40;
            const auto loudest = std::max_element(row, row + 40) - row;
            CHECK(std::abs(double(loudest) - ((mel - low) / (high - low) * 41.0 - 1.0)) <= 1.0);
        }
    }

    TEST_CASE("shorter sound is centred in silence, longer sound gives its middle") {
        const MelSpectrogram spectrogram({.rate = 8000, .samples = 400, .window = 80, .hop = 40, .bands = 8});
        const std::vector<double> sound = random_numbers(101, 1);
        std::vector<double> centred(400, 0.0);
        std::copy(sound.begin(), sound.end(), centred.begin() + 149);
        CHECK(spectrogram.power(sound) == spectrogram.power(centred));
        std::vector<double> longer(400 + 7, 0.25);
        std::copy(centred.begin(), centred.end(), longer.begin() + 3);
        CHECK(spectrogram.power(longer) == spectrogram.power(centred));
        for (const double x : spectrogram.power({})) CHECK(x == 0.0);
    }

    TEST_CASE("features are the logarithm and derivatives of fitted polynomials, over their deviation") {
        constexpr std::size_t steps = 23;
        constexpr std::uint32_t bands = 3;
        std::vector<double> power = random_numbers(steps * bands, 5);
        for (double& x : power) x = std::abs(x);
        const double loudest = *std::max_element(power.begin(), power.end());
        std::vector<float> features(steps * 3 * bands);
        log_mel_features(power, bands, true, features);
        std::vector<float> alone(steps * bands);
        log_mel_features(power, bands, false, alone);
        for (std::size_t b = 0; b < bands; ++b) {
            std::array<std::vector<double>, 3> row;
            for (std::size_t t = 0; t < steps; ++t)
                row[0].push_back(std::log(1.0 + power[t * bands + b] / loudest));
            for (std::size_t t = 0; t < steps; ++t) {
                const std::size_t middle = std::clamp<std::size_t>(t, 4, steps - 5);
                row[1].push_back(fitted(row[0], middle, 1));
                row[2].push_back(fitted(row[0], middle, 2));
            }
            for (std::size_t c = 0; c < 3; ++c) {
                const double by = deviation(row[c]);
                for (std::size_t t = 0; t < steps; ++t) {
                    CHECK(features[(t * 3 + c) * bands + b] == doctest::Approx(row[c][t] / by).epsilon(1e-5));
                }
            }
            for (std::size_t t = 0; t < steps; ++t)
                CHECK(alone[t * bands + b] == features[t * 3 * bands + b]);
        }
    }

    TEST_CASE("features do not depend on how loud the recording is") {
        std::vector<double> power = random_numbers(9 * 4, 8);
        for (double& x : power) x = std::abs(x);
        std::vector<float> features(9 * 3 * 4);
        std::vector<float> louder(features.size());
        log_mel_features(power, 4, true, features);
        for (double& x : power) x *= 1024.0;
        log_mel_features(power, 4, true, louder);
        CHECK(features == louder);
    }

    TEST_CASE("random rates, windows, hops and bands: as many frames as fit, powers finite and scaled by 4") {
        std::mt19937_64 random(2);
        int built = 0;
        for (int trial = 0; trial < 80; ++trial) {
            MelOptions o;
            o.rate = std::uint32_t(8000 + random() % 40000);
            o.samples = std::uint32_t(9 + random() % 3000);
            o.window = std::uint32_t(1 + random() % 700);
            o.hop = std::uint32_t(1 + o.samples / (2 + random() % 8));
            o.bands = std::uint32_t(1 + random() % 20);
            CAPTURE(trial);
            std::vector<double> sound = random_numbers(random() % 4000, random());
            // Bands may be too narrow for the window: then the error says so, and nothing else happens.
            const std::string refused = message_of<UsageError>([&] { return MelSpectrogram(o).frames(); });
            if (!refused.empty()) {
                CHECK(contains(refused, "Take fewer bands or a longer window."));
                continue;
            }
            ++built;
            const MelSpectrogram spectrogram(o);
            const std::vector<double> power = spectrogram.power(sound);
            CHECK(spectrogram.frames() == 1 + o.samples / o.hop);
            REQUIRE(power.size() == std::size_t{spectrogram.frames()} * o.bands);
            for (double& x : sound) x *= 2.0;
            const std::vector<double> louder = spectrogram.power(sound);
            for (std::size_t k = 0; k < power.size(); ++k) {
                CHECK(power[k] >= 0.0);
                CHECK(louder[k] == 4.0 * power[k]);
            }
        }
        CHECK(built > 20);
    }

    TEST_CASE("silence, and a band that never changes, give finite numbers") {
        std::vector<float> features(9 * 3 * 2, -1.0f);
        log_mel_features(std::vector<double>(18, 0.0), 2, true, features);
        CHECK(std::all_of(features.begin(), features.end(), [](float x) { return x == 0.0f; }));
        log_mel_features(std::vector<double>(18, 0.3), 2, true, features);
        for (std::size_t k = 0; k < features.size(); ++k) {
            CAPTURE(k);
            CHECK(features[k] == doctest::Approx(k / 2 % 3 == 0 ? std::log(2.0) : 0.0).epsilon(1e-6));
        }
    }

    TEST_CASE("options out of their range are refused by name") {
        const auto refusal = [](const MelOptions& options) {
            return message_of<UsageError>([&] { return MelSpectrogram(options).frames(); });
        };
        CHECK(contains(refusal({.rate = 0}), "log-mel, rate: expected 1 to 1000000, found 0."));
        CHECK(contains(refusal({.window = 0}), "log-mel, window"));
        CHECK(contains(refusal({.hop = 16001}), "log-mel, hop: expected 1 to 16000, found 16001."));
        CHECK(contains(refusal({.bands = 0}), "log-mel, bands"));
        CHECK(contains(refusal({.samples = 0}), "log-mel, samples"));
        CHECK(
            contains(refusal({.rate = 6000}), "high <= 3000 Hz, half the rate, found low = 20, high = 4000"));
        CHECK(contains(refusal({.low = 400.0, .high = 300.0}), "low = 400, high = 300"));
        CHECK(contains(refusal({.low = std::nan("")}), "low = nan"));
        CHECK(contains(refusal({.window = 64}), "lies in band 0. Take fewer bands or a longer window."));
    }
}
