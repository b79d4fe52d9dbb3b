#include "fft.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace saltus::datasets {

Fft::Fft(std::size_t n) : size_(n) {
    Numbers circle{std::vector<double>(n), std::vector<double>(n)};
    for (std::size_t j = 0; j < n; ++j) {
        const double angle = -2.0 * std::numbers::pi * static_cast<double>(j) / static_cast<double>(n);
        circle.re[j] = std::cos(angle);
        circle.im[j] = std::sin(angle);
    }
    std::size_t s = 1;
    for (std::size_t p = 2; s < n; ++p) {
        if (p * p > n / s) p = n / s;  // what is left is prime
        for (; (n / s) % p == 0 && s < n; s *= p) {
            Pass pass{p, n / s / p, s, {}};
            for (std::size_t k = 0; k < pass.m; ++k) {
                for (std::size_t r = 0; r < p; ++r) {
                    for (std::size_t j = 0; j < p; ++j) {
                        const std::size_t turn = (k * r * s + j * r * (n / p)) % n;
                        pass.turns.re.push_back(circle.re[turn]);
                        pass.turns.im.push_back(circle.im[turn]);
                    }
                }
            }
            passes_.push_back(std::move(pass));
        }
    }
}

void Fft::run(const Pass& pass, const Numbers& x, Numbers& y) {
    const std::size_t p = pass.p;
    const std::size_t s = pass.s;
    std::size_t turn = 0;
    for (std::size_t k = 0; k < pass.m; ++k) {
        for (std::size_t r = 0; r < p; ++r) {
            double* const re = y.re.data() + (p * k + r) * s;
            double* const im = y.im.data() + (p * k + r) * s;
            std::fill_n(re, s, 0.0);
            std::fill_n(im, s, 0.0);
            for (std::size_t j = 0; j < p; ++j, ++turn) {
                const double c = pass.turns.re[turn];
                const double d = pass.turns.im[turn];
                const double* const a = x.re.data() + (j * pass.m + k) * s;
                const double* const b = x.im.data() + (j * pass.m + k) * s;
                for (std::size_t q = 0; q < s; ++q) {
                    re[q] += c * a[q] - d * b[q];
                    im[q] += c * b[q] + d * a[q];
                }
            }
        }
    }
}

void Fft::power(std::span<const double> x, std::span<double> power) const {
    Numbers from{{x.begin(), x.end()}, std::vector<double>(size())};
    Numbers to{std::vector<double>(size()), std::vector<double>(size())};
    for (const Pass& pass : passes_) {
        run(pass, from, to);
        std::swap(from, to);
    }
    for (std::size_t k = 0; k <= size() / 2; ++k)
        power[k] = from.re[k] * from.re[k] + from.im[k] * from.im[k];
}

}  // namespace saltus::datasets
