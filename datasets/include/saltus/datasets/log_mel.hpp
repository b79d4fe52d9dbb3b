// Sound as frames: the power in bands of the mel scale, its logarithm, and how both change.
//
//   sound      centred in `samples` (zeros about a shorter one, the middle of a longer one), then
//              window / 2 zeros on both sides
//   S[t][b]    sum_k mel_b(k) |FFT(w x_t)[k]|^2; x_t begins at t hop; w[j] = (1 - cos(2 pi j / window)) / 2
//   mel_b      triangles between neighbouring ones of bands + 2 frequencies, equally spaced from low to high
//              on Slaney's scale (linear, 200/3 Hz a mel, up to 1 kHz; 27 mel for a factor 6.4 above),
//              divided by half their width (Slaney, "Auditory toolbox 2", 1998; the defaults of librosa)
//
//   L          log(1 + S / max S), max over the recording; 0 for silence
//   D1, D2     its first and second derivative over time: polynomials of order 1 and 2 fitted to 9 frames
//              (Savitzky, Golay, Anal. Chem. 36, 1964). Both are constant along a fitted polynomial, so the
//              first and last 4 frames have those of the frame beside them.
//   features   L, D1, D2, each band divided by its standard deviation over time, where that is not 0
//
// Pellegrini, Zimmer, Masquelier, "Low-activity supervised convolutional spiking neural networks applied to
// speech commands recognition", SLT 2021, divide a batch once more: learning::divide_by_deviation.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace saltus::datasets {

struct MelOptions {
    std::uint32_t rate = 16000;     // samples a second
    std::uint32_t samples = 16000;  // of a recording
    std::uint32_t window = 480;     // samples of a frame
    std::uint32_t hop = 160;        // samples from frame to frame
    std::uint32_t bands = 40;
    double low = 20.0;     // [Hz]
    double high = 4000.0;  // [Hz]

    /// 1 s in windows of 30 ms every 10 ms, at any rate.
    [[nodiscard]] static MelOptions at_rate(std::uint32_t rate);
};

class MelSpectrogram {
  public:
    /// Throws UsageError for options out of their range, and for bands so narrow that no frequency of the
    /// transform falls into one.
    explicit MelSpectrogram(const MelOptions& options);
    ~MelSpectrogram();
    MelSpectrogram(MelSpectrogram&&) noexcept;
    MelSpectrogram& operator=(MelSpectrogram&&) noexcept;

    [[nodiscard]] const MelOptions& options() const;
    [[nodiscard]] std::uint32_t frames() const { return 1 + options().samples / options().hop; }
    /// S as [frame][band]; any number of threads may ask at once.
    [[nodiscard]] std::vector<double> power(std::span<const double> sound) const;

  private:
    struct Plan;
    std::unique_ptr<const Plan> plan_;
};

/// 10 log10(max(S, 1e-10))
[[nodiscard]] double decibels(double power);

inline constexpr std::uint32_t fewest_frames = 9;  // that the derivatives are fitted to

/// L, D1, D2 of S, [frame][band], as [frame][3][band] into `features`; without derivatives L alone. With
/// derivatives there are at least `fewest_frames` frames.
void log_mel_features(std::span<const double> power, std::uint32_t bands, bool derivatives,
                      std::span<float> features);

}  // namespace saltus::datasets
