#include "poisson.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

#include "../exponential.hpp"
#include "kernels.hpp"
#include "saltus/engine/random.hpp"

namespace saltus {

namespace {

constexpr std::uint32_t purpose = 0x506F6973;  // of the streams under the source's seed

/// gaps[k] = -log(uniform in (0, 1]) * mean
SALTUS_VECTOR_VERSIONS
void exponential_gaps(const std::uint64_t* __restrict bits, double* __restrict gaps, std::size_t n,
                      double mean) {
    for (std::size_t k = 0; k < n; ++k) {
        // 52 bits and the middle of their interval, made without a conversion of 64-bit integers
        const double one_to_two = std::bit_cast<double>((bits[k] >> 12) | 0x3FF0000000000000u);
        gaps[k] = -mean * kernels::logarithm((2.0 + 0x1p-53) - one_to_two);
    }
}

}  // namespace

PoissonGroup::PoissonGroup(const neurons::PoissonSource& source, std::uint32_t size, std::uint32_t number)
    : seed_(source.seed),
      number_(number),
      size_(std::min(neurons_per_group, size - number * neurons_per_group)),
      stop_(source.stop.femtoseconds()),
      last_(source.start.femtoseconds()) {
    const auto rate_of = [&](std::uint32_t i) {
        return source.rate[source.rate.size() == 1 ? 0 : number * neurons_per_group + i];
    };
    rate_ = 0.0;
    for (std::uint32_t i = 0; i < size_; ++i) rate_ += rate_of(i);
    bool equal = true;
    for (std::uint32_t i = 1; i < size_; ++i) equal = equal && rate_of(i) == rate_of(0);
    if (!equal && rate_ > 0.0) {
        // Walker's alias method (Vose 1991): every cell of equal size holds two neurons at most.
        std::vector<double> scaled(size_);
        std::vector<std::uint32_t> small, large;
        for (std::uint32_t i = 0; i < size_; ++i) {
            scaled[i] = rate_of(i) / rate_ * size_;
            (scaled[i] < 1.0 ? small : large).push_back(i);
        }
        share_.assign(size_, 1.0);
        alias_.resize(size_);
        std::iota(alias_.begin(), alias_.end(), std::uint16_t{0});
        while (!small.empty() && !large.empty()) {
            const std::uint32_t s = small.back();
            const std::uint32_t l = large.back();
            small.pop_back();
            share_[s] = scaled[s];
            alias_[s] = static_cast<std::uint16_t>(l);
            scaled[l] -= 1.0 - scaled[s];
            if (scaled[l] < 1.0) {
                large.pop_back();
                small.push_back(l);
            }
        }
    }
    draw();
}

std::uint16_t PoissonGroup::neuron_of(std::uint64_t bits) const {
    const std::uint64_t cell = ((bits >> 32) * size_) >> 32;
    if (share_.empty()) return static_cast<std::uint16_t>(cell);
    const double within = static_cast<double>(bits & 0xFFFFFFFFu) * 0x1p-32;
    return within < share_[cell] ? static_cast<std::uint16_t>(cell) : alias_[cell];
}

void PoissonGroup::draw() {
    next_ = 0;
    base_ = last_;
    const std::uint64_t number = chunks_++;
    if (rate_ <= 0.0 || last_ == INT64_MAX) {
        times_.fill(INT64_MAX);
        neurons_.fill(0);
        return;
    }
    SequentialRandom random(seed_, (std::uint64_t{number_} << 40) + number, purpose);
    std::array<std::uint64_t, chunk> bits;
    std::array<double, chunk> gaps;
    for (std::uint64_t& b : bits) b = random.bits();
    exponential_gaps(bits.data(), gaps.data(), chunk, femtoseconds_per_second / rate_);
    if (size_ == neurons_per_group && share_.empty()) {
        // Low bits of a word are not used by its gap.
        for (std::size_t k = 0; k < chunk; ++k)
            neurons_[k] = static_cast<std::uint16_t>(bits[k] & (neurons_per_group - 1));
    } else {
        for (std::uint16_t& neuron : neurons_) neuron = neuron_of(random.bits());
    }
    const double end = std::accumulate(gaps.begin(), gaps.end(), static_cast<double>(last_) + chunk);
    if (end < std::min(static_cast<double>(stop_), 9.2e18)) {
        for (std::size_t k = 0; k < chunk; ++k) times_[k] = last_ += static_cast<std::int64_t>(gaps[k] + 0.5);
        return;
    }
    for (std::size_t k = 0; k < chunk; ++k) {
        const double t = static_cast<double>(last_) + gaps[k];
        last_ = t >= static_cast<double>(stop_) || t >= 9.2e18 || last_ == INT64_MAX
                    ? INT64_MAX
                    : last_ + static_cast<std::int64_t>(gaps[k] + 0.5);
        times_[k] = last_;
    }
}

}  // namespace saltus
