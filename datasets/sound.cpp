#include "sound.hpp"

#include <omp.h>

#include "saltus/datasets/log_mel.hpp"
#include "saltus/engine/learning/learner.hpp"

namespace saltus::datasets {

namespace {

/// Samples from frame to frame.
std::uint32_t hop_of(Duration dt, std::uint32_t rate) {
    __extension__ using Wide = __int128;
    const Wide samples = Wide{dt.femtoseconds()} * rate;
    constexpr Wide second = 1'000'000'000'000'000;
    if (dt <= Duration() || samples % second != 0 || samples > second * rate) {
        throw UsageError("dt: expected a whole number of samples at " + std::to_string(rate) +
                         " a second, at most 1 s, found " + to_string(dt) + ".");
    }
    return static_cast<std::uint32_t>(samples / second);
}

}  // namespace

std::shared_ptr<const Spectra> spectra_of(std::size_t n, std::uint32_t rate, const FrameOptions& options,
                                          const std::function<std::vector<double>(std::size_t)>& sound) {
    MelOptions mel = MelOptions::at_rate(rate);
    mel.hop = hop_of(options.dt, rate);
    const MelSpectrogram spectrogram(mel);
    auto spectra = std::make_shared<Spectra>();
    spectra->frames = spectrogram.frames();
    spectra->bands = mel.bands;
    const std::size_t each = std::size_t{spectra->frames} * spectra->bands;
    spectra->power.resize(n * each);
    const unsigned threads =
        options.threads > 0 ? options.threads : static_cast<unsigned>(omp_get_max_threads());
    learning::for_each_parallel(n, threads, [&](std::size_t k, unsigned) {
        const std::vector<double> power = spectrogram.power(sound(k));
        for (std::size_t j = 0; j < each; ++j) spectra->power[k * each + j] = static_cast<float>(power[j]);
    });
    return spectra;
}

UsageError no_such_part(const std::filesystem::path& path, const std::string& split,
                        const std::string& parts) {
    return UsageError(path.string() + " has no part " + quoted(split) + "; it has " + parts + ".");
}

}  // namespace saltus::datasets
