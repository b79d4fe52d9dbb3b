#include "saltus/datasets/yin_yang.hpp"

#include <cmath>
#include <memory>
#include <random>
#include <utility>

#include "labels.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::datasets {

namespace {

/// NumPy's RandomState.
class LegacyRandom {
  public:
    explicit LegacyRandom(std::uint32_t seed) : words_(seed) {}

    /// 0, 1 or 2.
    std::uint32_t class_of_three() {
        while (true) {
            const auto c = static_cast<std::uint32_t>(words_() & 3u);
            if (c < 3) return c;
        }
    }
    double uniform() {
        const double high = static_cast<double>(words_() >> 5);
        const double low = static_cast<double>(words_() >> 6);
        return (high * 0x1p26 + low) / 0x1p53;
    }

  private:
    std::mt19937 words_;
};

std::uint8_t label_of(double x, double y, double R, double r) {
    const double dr = std::sqrt((x - 1.5 * R) * (x - 1.5 * R) + (y - R) * (y - R));
    const double dl = std::sqrt((x - 0.5 * R) * (x - 0.5 * R) + (y - R) * (y - R));
    if (dr < r || dl < r) return 2;
    return dr <= r || (dl > r && dl <= 0.5 * R) || (y > R && dr > 0.5 * R) ? 1 : 0;
}

}  // namespace

std::vector<YinYangSample> yin_yang(std::uint64_t samples, std::uint32_t seed, double R, double r) {
    if (!(r > 0.0 && r < 0.5 * R && R <= 0.5)) {
        throw UsageError("Yin-Yang: expected 0 < r < R / 2 and R <= 0.5, found r = " + shown(r) +
                         ", R = " + shown(R) + ".");
    }
    LegacyRandom random(seed);
    std::vector<YinYangSample> result(samples);
    for (YinYangSample& sample : result) {
        const std::uint32_t wanted = random.class_of_three();
        while (true) {
            const double x = 2.0 * R * random.uniform();
            const double y = 2.0 * R * random.uniform();
            if (std::sqrt((x - R) * (x - R) + (y - R) * (y - R)) > R) continue;
            if (label_of(x, y, R, r) != wanted) continue;
            sample = {{x, y, 1.0 - x, 1.0 - y}, static_cast<std::uint8_t>(wanted)};
            break;
        }
    }
    return result;
}

Dataset feature_dataset(std::string name, std::uint32_t columns, std::vector<double> values,
                        std::vector<std::int64_t> labels, const FeatureEncoding& encoding) {
    if (encoding.first < Duration() || encoding.last <= encoding.first) {
        throw UsageError("encoding: expected 0 <= first < last, found " + to_string(encoding.first) +
                         " and " + to_string(encoding.last) + ".");
    }
    for (std::size_t k = 0; k < values.size(); ++k) {
        if (!(values[k] >= 0.0 && values[k] <= 1.0)) {
            throw UsageError(name + ", sample " + std::to_string(k / columns) + ", column " +
                             std::to_string(k % columns) + ": expected a number from 0 to 1, found " +
                             shown(values[k]) + ".");
        }
    }
    Dataset dataset;
    dataset.name = std::move(name);
    dataset.shape = {columns + (encoding.bias ? 1u : 0u)};
    dataset.size = labels.size();
    dataset.classes = numbered_classes(labels);
    auto rows = std::make_shared<const std::vector<double>>(std::move(values));
    dataset.sample = [rows, columns, encoding, labels = std::move(labels)](std::uint64_t i) {
        check_index(i, labels.size());
        Sample sample{std::to_string(i), {}, labels[i]};
        const double first = encoding.first.seconds();
        const double span = encoding.last.seconds() - first;
        for (std::uint32_t k = 0; k < columns; ++k) {
            sample.spikes.add(Time(duration_from_seconds(first + (*rows)[i * columns + k] * span)), k);
        }
        if (encoding.bias) sample.spikes.add(Time(encoding.first), columns);
        sample.spikes.sort();
        return sample;
    };
    return dataset;
}

Dataset open_yin_yang(const std::string& split, const FeatureEncoding& encoding) {
    struct Part {
        const char* name;
        std::uint32_t seed;
        std::uint64_t samples;
    };
    constexpr Part parts[] = {{"train", 42, 5000}, {"validation", 41, 1000}, {"test", 40, 1000}};
    std::vector<double> values;
    std::vector<std::int64_t> labels;
    for (const Part& part : parts) {
        if (!split.empty() && split != part.name) continue;
        for (const YinYangSample& sample : yin_yang(part.samples, part.seed)) {
            values.insert(values.end(), sample.features.begin(), sample.features.end());
            labels.push_back(sample.label);
        }
    }
    if (labels.empty()) {
        throw UsageError("yin-yang: expected the part train, validation or test, found " +
                         saltus::quoted(split) + ".");
    }
    Dataset dataset = feature_dataset("Yin-Yang", 4, std::move(values), std::move(labels), encoding);
    dataset.classes = {"yin", "yang", "dot"};
    return dataset;
}

}  // namespace saltus::datasets
