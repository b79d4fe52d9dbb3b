#include "sound.hpp"

#include <omp.h>

#include "saltus/datasets/log_mel.hpp"
#include "saltus/engine/learning/learner.hpp"

namespace saltus::datasets {

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
