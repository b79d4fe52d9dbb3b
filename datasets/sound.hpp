// The parts of data sets of sound.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "saltus/engine/errors.hpp"
#include "spectra.hpp"

namespace saltus::datasets {

[[nodiscard]] SoundPart open_speech_features(const std::filesystem::path& path, const std::string& split,
                                             const FrameOptions& options);
[[nodiscard]] SoundPart open_speech_audio(const std::filesystem::path& path, const std::string& split,
                                          const FrameOptions& options);
[[nodiscard]] SoundPart open_digits(const std::filesystem::path& path, const std::string& split,
                                    const FrameOptions& options);
[[nodiscard]] SoundPart open_wav_folder(const std::filesystem::path& folder, const std::string& split,
                                        const FrameOptions& options);
[[nodiscard]] bool is_wav_folder(const std::filesystem::path& folder);

/// What features.h5 counts by, and the frames of sound begin by, unless dt says otherwise.
inline constexpr Duration stored_frame{10'000'000'000'000};

/// Spectra of n recordings in steps of options.dt; `sound(k)` may be called by several threads at once.
[[nodiscard]] std::shared_ptr<const Spectra> spectra_of(
    std::size_t n, std::uint32_t rate, const FrameOptions& options,
    const std::function<std::vector<double>(std::size_t)>& sound);

[[nodiscard]] UsageError no_such_part(const std::filesystem::path& path, const std::string& split,
                                      const std::string& parts);

}  // namespace saltus::datasets
