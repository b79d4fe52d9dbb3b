#include "saltus/datasets/touch.hpp"

#include <memory>
#include <utility>

#include "saltus/engine/errors.hpp"
#include "saltus/io/recordings.hpp"
#include "touch_recordings.hpp"

namespace saltus::datasets {

SpikeTrain touch_spikes(std::span<const std::uint8_t> levels, std::uint32_t taxels,
                        const TouchEncoding& encoding) {
    if (encoding.threshold < 1 || encoding.threshold > 255) {
        throw UsageError("touch, threshold: expected 1 to 255, found " + std::to_string(encoding.threshold) +
                         ".");
    }
    const std::int64_t row = encoding.row.femtoseconds();
    if (row < 1 || encoding.row.seconds() > 1.0) {
        throw UsageError("touch, row: expected > 0 and at most 1 s, found " + to_string(encoding.row) + ".");
    }
    const auto step = static_cast<std::int64_t>(encoding.threshold);
    SpikeTrain spikes;
    for (std::uint32_t k = 0; k < taxels; ++k) {
        std::int64_t before = 0;
        std::int64_t reference = 0;
        for (std::size_t r = 0; r * taxels < levels.size(); ++r) {
            const std::int64_t now = 255 - levels[r * taxels + k];
            const bool rising = now > before;
            while (rising ? now - reference >= step : reference - now >= step) {
                reference += rising ? step : -step;
                // Whole femtoseconds, rounded down.
                const std::int64_t passed = row * (reference - before) / (now - before);
                spikes.add(Time(Duration(static_cast<std::int64_t>(r) * row + passed)),
                           rising ? taxels + k : k);
            }
            before = now;
        }
    }
    spikes.sort();
    return spikes;
}

Dataset open_touch_recordings(const std::filesystem::path& path, const std::string& split) {
    auto touch = std::make_shared<const io::TouchRecordings>(io::read_touch_recordings(path));
    std::vector<std::uint64_t> chosen;
    for (std::uint64_t k = 0; k < touch->label.size(); ++k) {
        if (split.empty() || (touch->test[k] == 1) == (split == "test")) chosen.push_back(k);
    }
    Dataset dataset;
    dataset.name = "touch";
    dataset.shape = {2, touch->taxels};
    dataset.size = chosen.size();
    dataset.classes = touch->letters;
    dataset.sample = [touch, chosen = std::move(chosen)](std::uint64_t i) {
        check_index(i, chosen.size());
        const std::uint64_t k = chosen[i];
        const std::span<const std::uint8_t> rows(touch->pressure.data() + touch->offsets[k] * touch->taxels,
                                                 (touch->offsets[k + 1] - touch->offsets[k]) * touch->taxels);
        return Sample{std::to_string(k), touch_spikes(rows, touch->taxels), std::int64_t{touch->label[k]}};
    };
    return dataset;
}

}  // namespace saltus::datasets
