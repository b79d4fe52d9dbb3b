#include "saltus/datasets/log_mel.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "fft.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::datasets {

namespace {

constexpr double linear_hertz = 200.0 / 3.0;  // a mel, below 1 kHz
constexpr double bend = 1000.0;               // [Hz]
const double log_step = std::log(6.4) / 27.0;

double mel(double hertz) {
    return hertz < bend ? hertz / linear_hertz : bend / linear_hertz + std::log(hertz / bend) / log_step;
}

double hertz(double mels) {
    const double above = mels - bend / linear_hertz;
    return above < 0.0 ? mels * linear_hertz : bend * std::exp(above * log_step);
}

void check_range(const char* option, std::uint32_t value, std::uint32_t most) {
    if (value < 1 || value > most) {
        throw UsageError(std::string("log-mel, ") + option + ": expected 1 to " + std::to_string(most) +
                         ", found " + std::to_string(value) + ".");
    }
}

void check(const MelOptions& o) {
    check_range("rate", o.rate, 1'000'000);
    check_range("samples", o.samples, 1u << 24);
    check_range("window", o.window, 1u << 16);
    check_range("hop", o.hop, o.samples);
    check_range("bands", o.bands, 1024);
    const double half = o.rate / 2.0;
    if (!(o.low >= 0.0 && o.low < o.high && o.high <= half)) {
        throw UsageError("log-mel: expected 0 <= low < high <= " + shown(half) +
                         " Hz, half the rate, found low = " + shown(o.low) + ", high = " + shown(o.high) +
                         ".");
    }
}

/// The part of a filter that is not 0.
struct Filter {
    std::size_t first = 0;
    std::vector<double> weights;
};

std::vector<Filter> filters_of(const MelOptions& o) {
    std::vector<double> corners(o.bands + 2);
    for (std::size_t k = 0; k < corners.size(); ++k) {
        corners[k] = hertz(mel(o.low) + (mel(o.high) - mel(o.low)) * static_cast<double>(k) / (o.bands + 1));
    }
    std::vector<Filter> filters(o.bands);
    for (std::size_t b = 0; b < filters.size(); ++b) {
        const double left = corners[b];
        const double peak = corners[b + 1];
        const double right = corners[b + 2];
        for (std::size_t k = 0; k <= o.window / 2; ++k) {
            const double f = static_cast<double>(k) * o.rate / o.window;
            const double height = std::min((f - left) / (peak - left), (right - f) / (right - peak));
            if (height <= 0.0) continue;
            if (filters[b].weights.empty()) filters[b].first = k;
            filters[b].weights.push_back(height * 2.0 / (right - left));
        }
        if (filters[b].weights.empty()) {
            throw UsageError("log-mel, bands: no frequency of a window of " + std::to_string(o.window) +
                             " samples lies in band " + std::to_string(b) +
                             ". Take fewer bands or a longer window.");
        }
    }
    return filters;
}

/// x[t] weighted by a kernel of `fewest_frames` about each frame; the ends continue the first and last.
template <class Kernel>
void differentiate(std::span<const double> x, std::span<double> y, Kernel kernel) {
    constexpr std::size_t half = fewest_frames / 2;
    for (std::size_t t = half; t + half < x.size(); ++t) {
        y[t] = 0.0;
        for (std::size_t j = 0; j < fewest_frames; ++j) {
            y[t] += kernel(static_cast<double>(j) - static_cast<double>(half)) * x[t + j - half];
        }
    }
    std::fill_n(y.begin(), half, y[half]);
    std::fill_n(y.end() - half, half, y[x.size() - 1 - half]);
}

/// The standard deviation, 1 where it is 0.
double deviation(std::span<const double> x) {
    const auto n = static_cast<double>(x.size());
    double mean = 0.0;
    for (const double value : x) mean += value / n;
    double variance = 0.0;
    for (const double value : x) variance += (value - mean) * (value - mean) / n;
    // Of equal numbers, what the rounding of their mean leaves.
    return variance > 1e-28 * mean * mean ? std::sqrt(variance) : 1.0;
}

}  // namespace

MelOptions MelOptions::at_rate(std::uint32_t rate) {
    MelOptions options;
    options.rate = rate;
    options.samples = rate;
    options.window = static_cast<std::uint32_t>(std::uint64_t{rate} * 3 / 100);
    options.hop = rate / 100;
    return options;
}

struct MelSpectrogram::Plan {
    explicit Plan(const MelOptions& o)
        : options((check(o), o)), fft(o.window), window(o.window), filters(filters_of(o)) {
        for (std::size_t j = 0; j < window.size(); ++j) {
            const double turn = 2.0 * std::numbers::pi * static_cast<double>(j) / o.window;
            window[j] = 0.5 - 0.5 * std::cos(turn);
        }
    }

    MelOptions options;
    Fft fft;
    std::vector<double> window;
    std::vector<Filter> filters;
};

MelSpectrogram::MelSpectrogram(const MelOptions& options) : plan_(std::make_unique<Plan>(options)) {}
MelSpectrogram::~MelSpectrogram() = default;
MelSpectrogram::MelSpectrogram(MelSpectrogram&&) noexcept = default;
MelSpectrogram& MelSpectrogram::operator=(MelSpectrogram&&) noexcept = default;

const MelOptions& MelSpectrogram::options() const {
    return plan_->options;
}

std::vector<double> MelSpectrogram::power(std::span<const double> sound) const {
    const MelOptions& o = plan_->options;
    const std::size_t pad = o.window / 2;
    std::vector<double> centred(o.samples + 2 * pad + o.window);
    const std::size_t n = std::min<std::size_t>(sound.size(), o.samples);
    const std::size_t cut = (sound.size() - n) / 2;
    std::copy_n(sound.begin() + static_cast<std::ptrdiff_t>(cut), n,
                centred.begin() + static_cast<std::ptrdiff_t>(pad + (o.samples - n) / 2));

    std::vector<double> result;
    result.reserve(std::size_t{frames()} * o.bands);
    std::vector<double> frame(o.window);
    std::vector<double> spectrum(o.window / 2 + 1);
    for (std::size_t t = 0; t < frames(); ++t) {
        for (std::size_t j = 0; j < frame.size(); ++j) frame[j] = centred[t * o.hop + j] * plan_->window[j];
        plan_->fft.power(frame, spectrum);
        for (const Filter& filter : plan_->filters) {
            double sum = 0.0;
            for (std::size_t k = 0; k < filter.weights.size(); ++k)
                sum += filter.weights[k] * spectrum[filter.first + k];
            result.push_back(sum);
        }
    }
    return result;
}

double decibels(double power) {
    return 10.0 * std::log10(std::max(power, 1e-10));
}

void log_mel_features(std::span<const double> power, std::uint32_t bands, bool derivatives,
                      std::span<float> features) {
    const std::size_t steps = power.size() / bands;
    const double loudest = *std::max_element(power.begin(), power.end());
    const std::size_t channels = derivatives ? 3 : 1;
    std::vector<std::vector<double>> row(channels, std::vector<double>(steps));
    for (std::size_t b = 0; b < bands; ++b) {
        for (std::size_t t = 0; t < steps; ++t) {
            row[0][t] = loudest > 0.0 ? std::log1p(power[t * bands + b] / loudest) : 0.0;
        }
        if (derivatives) {
            // sum k^2 = 60; the second kernel is 2 (k^2 - m) / sum (k^2 - m)^2 with m = 60 / 9, k = -4 ... 4
            differentiate(row[0], row[1], [](double k) { return k / 60.0; });
            differentiate(row[0], row[2], [](double k) { return (k * k - 20.0 / 3.0) / 154.0; });
        }
        for (std::size_t c = 0; c < channels; ++c) {
            const double by = deviation(row[c]);
            for (std::size_t t = 0; t < steps; ++t) {
                features[(t * channels + c) * bands + b] = static_cast<float>(row[c][t] / by);
            }
        }
    }
}

}  // namespace saltus::datasets
