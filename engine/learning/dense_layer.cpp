#include "dense_layer.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "saltus/engine/learning/learner.hpp"
#include "simulation/kernels.hpp"

namespace saltus::learning {

namespace {

constexpr double range = 1 << 30;  // sums of weights and thresholds are smaller
constexpr double headroom = 1.25;  // for weights that grow

SALTUS_VECTOR_VERSIONS
void round_all(const double* __restrict from, double* __restrict to, std::size_t n, double unit,
               double step) {
#pragma omp simd
    for (std::size_t k = 0; k < n; ++k) to[k] = ((from[k] * unit + 0x1.8p52) - 0x1.8p52) * step;
}

SALTUS_VECTOR_VERSIONS
void add_magnitudes(const double* __restrict row, double* __restrict sums, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) sums[j] += std::abs(row[j]);
}

SALTUS_VECTOR_VERSIONS
void add_row(double* __restrict row, const double* __restrict values, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) row[j] += values[j];
}

/// row -= steps, and what it is on the grid: |x| < 2^31, added to 1.5 2^52, comes to lie in the low bits.
SALTUS_VECTOR_VERSIONS
void descend_row(double* __restrict row, const double* __restrict steps, std::int32_t* __restrict rounded,
                 std::size_t n, double unit) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) {
        row[j] -= steps[j];
        rounded[j] = static_cast<std::int32_t>(std::bit_cast<std::uint64_t>(row[j] * unit + 0x1.8p52));
    }
}

}  // namespace

SALTUS_VECTOR_VERSIONS
bool round_row(const double* __restrict row, std::int32_t* __restrict rounded, std::size_t n, double unit) {
    std::uint64_t apart = 0;  // bits of all differences: a bool would keep the loop scalar
#pragma omp simd reduction(| : apart)
    for (std::size_t j = 0; j < n; ++j) {
        const double x = row[j] * unit;
        const double y = x + 0x1.8p52;
        rounded[j] = static_cast<std::int32_t>(std::bit_cast<std::uint64_t>(y));
        apart |= std::bit_cast<std::uint64_t>((y - 0x1.8p52) - x);
    }
    return apart == 0;
}

int most_bits(double largest) {
    return static_cast<int>(std::floor(std::log2(range / (headroom * largest))));
}

void round_to_grid(std::span<const double> from, std::span<double> to, int bits, std::size_t block,
                   unsigned threads) {
    for_each_block((to.size() + block - 1) / block, threads, [&](std::size_t b) {
        const std::size_t first = b * block;
        round_all(from.data() + first, to.data() + first, std::min(block, to.size() - first),
                  std::ldexp(1.0, bits), std::ldexp(1.0, -bits));
    });
}

struct DenseLayer::State : LayerState {
    Grid V;
    std::vector<std::uint32_t> open;
    std::vector<Hit> hits;
    std::vector<std::uint32_t> places;  // of the spikes of each instant
};

int grid_bits(double V_th) {
    return 20 - std::ilogb(V_th);
}

DenseLayer::DenseLayer(const DenseSynapses& synapses, double V_th, std::int64_t t_max)
    : inputs_(synapses.inputs),
      outputs_(synapses.outputs),
      stride_((std::size_t{outputs_} + narrow_tile - 1) / narrow_tile * narrow_tile),
      delay_(synapses.delays.front().femtoseconds()),
      t_max_(t_max),
      V_th_(V_th),
      grid_(inputs_ * stride_, 0) {}

void DenseLayer::set(std::span<const double> weights, std::span<const double>, unsigned threads) {
    exact_ = weights;
    scale_ = 1.0;
    bits_ = grid_bits(V_th_);
    // The largest sum of a column decides how fine the grid may be.
    const double largest = std::max(2.0 * V_th_, round(threads));
    const int possible = most_bits(largest);
    room_ = std::ldexp(range, -possible) - largest;
    if (bits_ > possible || (bits_ < possible && !on_grid_)) {
        bits_ = possible;
        round(threads);
    }
    choose_threshold();
}

double DenseLayer::round(unsigned threads) {
    const double unit = std::ldexp(1.0, bits_);
    const std::size_t blocks = (inputs_ + block_rows - 1) / block_rows;
    std::vector<double> sums(blocks * outputs_, 0.0);
    std::vector<char> exact(blocks, 1);
    for_each_block(blocks, threads, [&](std::size_t b) {
        const std::size_t end = std::min<std::size_t>(inputs_, (b + 1) * block_rows);
        for (std::size_t i = b * block_rows; i < end; ++i) {
            const double* row = exact_.data() + i * outputs_;
            add_magnitudes(row, sums.data() + b * outputs_, outputs_);
            if (!round_row(row, grid_.data() + i * stride_, outputs_, unit)) exact[b] = 0;
        }
    });
    on_grid_ = std::all_of(exact.begin(), exact.end(), [](char x) { return x != 0; });
    for (std::size_t b = 1; b < blocks; ++b) add_row(sums.data(), sums.data() + b * outputs_, outputs_);
    return *std::max_element(sums.begin(), sums.begin() + outputs_);
}

void DenseLayer::choose_threshold() {
    const double threshold = std::ceil(V_th_ / scale_ * std::ldexp(1.0, bits_));
    slack_ = on_grid_ ? 0 : static_cast<std::int32_t>(1 + inputs_ / 2);
    start_ = slack_ - static_cast<std::int32_t>(threshold);
}

std::unique_ptr<LayerState> DenseLayer::state() const {
    auto state = std::make_unique<State>();
    state->V.resize(stride_);
    return state;
}

void DenseLayer::reset(LayerState& state) const {
    auto& V = static_cast<State&>(state).V;
    std::fill(V.begin(), V.begin() + outputs_, start_);
    std::fill(V.begin() + outputs_, V.end(), never);
}

bool DenseLayer::reached(const Spikes& sources, std::size_t end, NeuronIndex neuron) const {
    double V = 0.0;
    for (std::size_t s = 0; s < end; ++s) V += exact_[sources.neurons[s] * std::size_t{outputs_} + neuron];
    return V * scale_ >= V_th_;
}

void DenseLayer::advance(LayerState& state, const Spikes& sources, std::size_t from, std::int64_t,
                         Spikes& spikes) const {
    auto& [V, open, hits, places] = static_cast<State&>(state);
    std::size_t n = sources.size() - from;
    while (n > 0 && sources.times[from + n - 1] + delay_ >= t_max_) --n;
    if (n == 0) return;
    open.resize(n);
    const std::int64_t* times = sources.times.data() + from;
    for (std::size_t a = 0; a + 1 < n; ++a) open[a] = times[a] == times[a + 1] ? ~std::uint32_t{0} : 0;
    open[n - 1] = 0;
    const Arrivals arrivals{n, sources.neurons.data() + from, open.data()};
    hits.clear();
    for (std::size_t base = 0; base < stride_;) {
        const std::size_t tile = widest_tile(stride_ - base);
        for (std::size_t first = 0; first < n; ++first) {
            const std::size_t known = hits.size();
            first = learning::advance(tile, grid_.data() + base, stride_, arrivals, first, 2 * slack_,
                                      V.data() + base, hits);
            for (std::size_t h = known; h < hits.size(); ++h) {
                hits[h].first += static_cast<std::uint32_t>(base);
                if (hits[h].arrival == first) keep_reached(hits[h], sources, from + first + 1, V);
            }
        }
        base += tile;
    }
    if (hits.empty()) return;
    // By time, then neuron: tiles and lanes come in the order of neurons.
    places.assign(n + 1, static_cast<std::uint32_t>(spikes.size()));
    for (const Hit& hit : hits)
        places[hit.arrival + 1] += static_cast<std::uint32_t>(std::popcount(hit.lanes));
    const std::uint32_t before = places[0];
    for (std::size_t a = 1; a <= n; ++a) places[a] += places[a - 1] - before;
    spikes.times.resize(places[n]);
    spikes.neurons.resize(places[n]);
    for (const Hit& hit : hits) {
        for (std::uint64_t lanes = hit.lanes; lanes != 0; lanes &= lanes - 1) {
            const std::uint32_t place = places[hit.arrival]++;
            spikes.times[place] = times[hit.arrival] + delay_;
            spikes.neurons[place] = hit.first + static_cast<NeuronIndex>(std::countr_zero(lanes));
        }
    }
}

/// Some lanes of the hit are so near the threshold that they have to be added up in double.
void DenseLayer::keep_reached(Hit& hit, const Spikes& sources, std::size_t end, Grid& V) const {
    for (std::uint64_t lanes = hit.lanes; lanes != 0; lanes &= lanes - 1) {
        const NeuronIndex j = hit.first + static_cast<NeuronIndex>(std::countr_zero(lanes));
        if (V[j] >= 2 * slack_ || reached(sources, end, j)) {
            V[j] = never;
        } else {
            hit.lanes &= ~(lanes & -lanes);
        }
    }
}

void DenseLayer::set_scale(double scale) {
    scale_ = scale;
    choose_threshold();
}

void DenseLayer::descend(const Spikes& sources, const Deltas& deltas, double rate,
                         std::span<double> weights) {
    const double unit = std::ldexp(1.0, bits_);
    const double step = rate / scale_;
    double longest = 0.0;
    steps_.assign(outputs_, 0.0);
    for (const Delta& delta : deltas) {
        longest = std::max(longest, std::abs(delta.value));
        steps_[delta.neuron] = step * delta.value;
    }
    std::size_t live = deltas.size();
    for (std::size_t s = 0; s < sources.size(); ++s) {
        const std::int64_t arrival = sources.times[s] + delay_;
        while (live > 0 && deltas[live - 1].time < arrival) steps_[deltas[--live].neuron] = 0.0;
        if (live == 0) break;
        descend_row(weights.data() + sources.neurons[s] * std::size_t{outputs_}, steps_.data(),
                    grid_.data() + sources.neurons[s] * stride_, outputs_, unit);
        room_ -= step * longest;
    }
    on_grid_ = false;
    if (room_ > 0.0) return;
    const double scale_before = scale_;
    set(weights, {}, 1);
    set_scale(scale_before);
}

double DenseLayer::potential(const Spikes& sources, NeuronIndex neuron, std::int64_t time) const {
    double V = 0.0;
    for (std::size_t s = 0; s < sources.size() && sources.times[s] + delay_ <= time; ++s) {
        V += exact_[sources.neurons[s] * std::size_t{outputs_} + neuron];
    }
    return V * scale_;
}

void DenseLayer::back(const Spikes& sources, const Deltas& deltas, std::span<double> below) const {
    std::size_t live = deltas.size();  // those that fire at the arrival or later
    for (std::size_t s = 0; s < sources.size(); ++s) {
        const std::int64_t arrival = sources.times[s] + delay_;
        while (live > 0 && deltas[live - 1].time < arrival) --live;
        if (live == 0) return;
        const double* row = exact_.data() + sources.neurons[s] * std::size_t{outputs_};
        double sum = 0.0;
        for (std::size_t k = 0; k < live; ++k) sum += deltas[k].value * row[deltas[k].neuron];
        below[sources.neurons[s]] += sum * scale_;
    }
}

void DenseLayer::add_gradient(const Spikes& sources, const Deltas& deltas, unsigned part, unsigned parts,
                              std::span<double> weights, std::span<double>) const {
    std::vector<double> values(outputs_, 0.0);
    for (const Delta& delta : deltas) values[delta.neuron] = delta.value;
    std::size_t live = deltas.size();
    for (std::size_t s = 0; s < sources.size(); ++s) {
        const std::int64_t arrival = sources.times[s] + delay_;
        while (live > 0 && deltas[live - 1].time < arrival) values[deltas[--live].neuron] = 0.0;
        if (live == 0) return;
        const NeuronIndex i = sources.neurons[s];
        if (i / block_rows % parts == part) {
            add_row(weights.data() + i * std::size_t{outputs_}, values.data(), outputs_);
        }
    }
}

bool DenseLayer::split(const Spikes& sources, const Deltas& deltas, std::span<Spikes> own) const {
    for (Spikes& of_part : own) of_part.clear();
    if (deltas.empty()) return true;
    const std::int64_t last = deltas.front().time;
    for (std::size_t s = 0; s < sources.size() && sources.times[s] + delay_ <= last; ++s) {
        Spikes& of_part = own[sources.neurons[s] / block_rows % own.size()];
        of_part.times.push_back(sources.times[s]);
        of_part.neurons.push_back(sources.neurons[s]);
    }
    return true;
}

}  // namespace saltus::learning
