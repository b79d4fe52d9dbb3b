#include "spectra.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "draws.hpp"
#include "saltus/datasets/log_mel.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::datasets {

namespace {

/// Moves frames by `by`; what is left behind is silent.
void shift(std::vector<double>& power, std::uint32_t bands, std::int64_t by) {
    const auto distance = static_cast<std::ptrdiff_t>(
        std::min<std::uint64_t>(static_cast<std::uint64_t>(std::abs(by)) * bands, power.size()));
    if (by > 0) {
        std::move_backward(power.begin(), power.end() - distance, power.end());
        std::fill_n(power.begin(), distance, 0.0);
    } else {
        std::move(power.begin() + distance, power.end(), power.begin());
        std::fill(power.end() - distance, power.end(), 0.0);
    }
}

/// A run of up to `most` of n places.
struct Run {
    std::uint64_t first, end;
    Run(Draws& draws, std::uint64_t most, std::uint64_t n) {
        const std::uint64_t length = draws.below(std::min(most, n) + 1);
        first = draws.below(n - length + 1);
        end = first + length;
    }
};

class SoundFrames final : public learning::FrameSet {
  public:
    SoundFrames(learning::FrameLayout layout, SoundPart part, const FrameOptions& options)
        : FrameSet(std::move(layout), std::move(part.labels)),
          spectra_(std::move(part.spectra)),
          recordings_(std::move(part.recordings)),
          derivatives_(options.derivatives),
          augmentation_(options.augmentation) {}

    void read(std::uint64_t i, std::span<float> values) const override {
        std::vector<double> power(std::size_t{spectra_->frames} * spectra_->bands);
        spectra_->read(recordings_[i], power);
        log_mel_features(power, spectra_->bands, derivatives_, values);
    }
    void read_altered(std::uint64_t i, std::uint64_t draw, std::span<float> values) const override {
        std::vector<double> power(std::size_t{spectra_->frames} * spectra_->bands);
        spectra_->read(recordings_[i], power);
        alter(power, Draws(augmentation_.seed, draw, i));
        log_mel_features(power, spectra_->bands, derivatives_, values);
    }

  private:
    void alter(std::vector<double>& power, Draws draws) const {
        const std::uint32_t bands = spectra_->bands;
        const Augmentation& a = augmentation_;
        const auto most = static_cast<std::uint64_t>(a.shift.femtoseconds() / layout().dt.femtoseconds());
        if (most > 0) shift(power, bands, draws.about_zero(most));
        if (a.noise > 0.0) {
            const double mean =
                std::accumulate(power.begin(), power.end(), 0.0) / static_cast<double>(power.size());
            const double level = a.noise * draws.uniform() * mean;
            for (double& x : power) x += level * draws.exponential();
        }
        if (a.mask_steps > 0) {
            const Run run(draws, a.mask_steps, spectra_->frames);
            std::fill_n(power.begin() + static_cast<std::ptrdiff_t>(run.first * bands),
                        (run.end - run.first) * bands, 0.0);
        }
        if (a.mask_bands > 0) {
            const Run run(draws, a.mask_bands, bands);
            for (std::size_t row = 0; row < power.size(); row += bands) {
                for (std::uint64_t b = run.first; b < run.end; ++b) power[row + b] = 0.0;
            }
        }
    }

    std::shared_ptr<const Spectra> spectra_;
    std::vector<std::uint64_t> recordings_;
    bool derivatives_;
    Augmentation augmentation_;
};

}  // namespace

void Spectra::read(std::uint64_t recording, std::span<double> to) const {
    const std::size_t begin = recording * to.size();
    for (std::size_t k = 0; k < to.size(); ++k) {
        to[k] = levels.empty() ? double{power[begin + k]} : power_of_level[levels[begin + k]];
    }
}

std::shared_ptr<const learning::FrameSet> sound_frames(SoundPart part, const FrameOptions& options) {
    const Spectra& spectra = *part.spectra;
    if (options.derivatives && spectra.frames < fewest_frames) {
        throw UsageError("log-mel: expected at least " + std::to_string(fewest_frames) +
                         " frames for derivatives over time, found " + std::to_string(spectra.frames) +
                         ". Take a smaller dt, or no derivatives.");
    }
    learning::FrameLayout layout;
    layout.steps = spectra.frames;
    layout.shape = {options.derivatives ? 3u : 1u, spectra.bands};
    layout.dt = options.dt;
    layout.classes = part.classes;
    return std::make_shared<SoundFrames>(std::move(layout), std::move(part), options);
}

}  // namespace saltus::datasets
