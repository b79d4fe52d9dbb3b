// Discrete Fourier transform of any length, fast where its prime factors are small:
//
//   X[k] = sum_j x[j] exp(-2 pi i j k / n)
//
// Stockham's self-sorting form, decimation in frequency, one pass for each prime factor p: with n = p m and
// s transforms side by side, y[(p k + r) s + q] = w_n^(k r) sum_j w_p^(j r) x[(j m + k) s + q].
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace saltus::datasets {

class Fft {
  public:
    explicit Fft(std::size_t n);

    [[nodiscard]] std::size_t size() const { return size_; }
    /// |X[k]|^2, k = 0 ... n / 2, of n real numbers.
    void power(std::span<const double> x, std::span<double> power) const;

  private:
    struct Numbers {
        std::vector<double> re, im;
    };
    struct Pass {
        std::size_t p, m, s;
        Numbers turns;  // w_n^(k r) w_p^(j r) as [k][r][j]
    };
    static void run(const Pass& pass, const Numbers& x, Numbers& y);

    std::size_t size_;
    std::vector<Pass> passes_;
};

}  // namespace saltus::datasets
