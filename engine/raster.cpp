#include "saltus/engine/raster.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "saltus/engine/errors.hpp"

namespace saltus {

namespace {

/// Without a branch, for vector instructions: most values of a raster are zero.
template <class T>
bool all_zero(std::span<const T> values) {
    unsigned found = 0;
    for (const T x : values) found |= static_cast<unsigned>(x != T{0});
    return found == 0;
}

template <class T>
Raster from_dense(std::span<const T> values, std::uint32_t neurons, std::string_view population) {
    if (neurons == 0 || values.size() % neurons != 0) {
        throw UsageError("raster of " + quoted(population) + ": expected a multiple of " +
                         std::to_string(neurons) + " values, found " + std::to_string(values.size()) + ".");
    }
    Raster raster;
    raster.neurons = neurons;
    constexpr std::uint32_t block = 32;
    for (std::size_t k = 0; k < values.size(); k += neurons) {
        for (std::uint32_t j = 0; j < neurons; ++j) {
            if (j % block == 0 && j + block <= neurons && all_zero(values.subspan(k + j, block))) {
                j += block - 1;
                continue;
            }
            const auto x = static_cast<double>(values[k + j]);
            if (x == 0.0) continue;
            if (!std::isfinite(x)) {
                throw InputError(std::string(population), "step " + std::to_string(k / neurons) +
                                                              ", neuron " + std::to_string(j) +
                                                              ": expected a finite number.");
            }
            raster.indices.push_back(j);
            raster.amplitudes.push_back(x);
        }
        raster.end_step();
    }
    if (std::all_of(raster.amplitudes.begin(), raster.amplitudes.end(), [](double x) { return x == 1.0; })) {
        raster.amplitudes.clear();
    }
    return raster;
}

}  // namespace

Raster Raster::of(std::span<const double> values, std::uint32_t neurons, std::string_view population) {
    return from_dense(values, neurons, population);
}

Raster Raster::of(std::span<const float> values, std::uint32_t neurons, std::string_view population) {
    return from_dense(values, neurons, population);
}

Raster Raster::of(const SpikeTrain& spikes, std::uint32_t neurons, Duration dt, std::uint32_t steps,
                  std::string_view population) {
    if (dt <= Duration()) throw UsageError("dt: expected > 0, found " + to_string(dt) + ".");
    struct Entry {
        std::uint32_t step;
        NeuronIndex neuron;
        auto operator<=>(const Entry&) const = default;
    };
    std::vector<Entry> entries;
    entries.reserve(spikes.size());
    for (std::size_t k = 0; k < spikes.size(); ++k) {
        const auto refused = [&](const std::string& expected, const std::string& found) {
            return InputError(std::string(population), "spike " + std::to_string(k) + ": expected " +
                                                           expected + ", found " + found + ".");
        };
        const Duration at = spikes.times[k].since_start();
        if (at < Duration()) throw refused("a time >= 0", to_string(at));
        if (spikes.neurons[k] >= neurons) {
            throw refused("a neuron below " + std::to_string(neurons), std::to_string(spikes.neurons[k]));
        }
        const std::int64_t step = at.femtoseconds() / dt.femtoseconds();
        if (step < steps) entries.push_back({static_cast<std::uint32_t>(step), spikes.neurons[k]});
    }
    std::sort(entries.begin(), entries.end());

    Raster raster;
    raster.neurons = neurons;
    bool counts = false;
    std::size_t next = 0;
    for (std::uint32_t step = 0; step < steps; ++step) {
        for (; next < entries.size() && entries[next].step == step; ++next) {
            if (raster.indices.size() > raster.begin.back() &&
                raster.indices.back() == entries[next].neuron) {
                raster.amplitudes.back() += 1.0;
                counts = true;
            } else {
                raster.indices.push_back(entries[next].neuron);
                raster.amplitudes.push_back(1.0);
            }
        }
        raster.end_step();
    }
    if (!counts) raster.amplitudes.clear();
    return raster;
}

std::vector<double> Raster::dense() const {
    std::vector<double> values(std::size_t{steps()} * neurons, 0.0);
    for (std::uint32_t k = 0; k < steps(); ++k) {
        for (std::uint64_t e = begin[k]; e < begin[k + 1]; ++e) {
            values[std::size_t{k} * neurons + indices[e]] = amplitude(e);
        }
    }
    return values;
}

SpikeTrain Raster::train(Duration dt, bool heights) const {
    SpikeTrain train;
    train.reserve(indices.size());
    for (std::uint32_t k = 0; k < steps(); ++k) {
        const Time at(Duration(k * dt.femtoseconds()));
        for (std::uint64_t e = begin[k]; e < begin[k + 1]; ++e) {
            const double x = amplitude(e);
            const bool counts = !heights && x >= 1.0 && x == std::trunc(x) && x < 1e6;
            for (std::uint32_t n = counts ? static_cast<std::uint32_t>(x) : 1; n > 0; --n)
                train.add(at, indices[e]);
        }
    }
    return train;
}

}  // namespace saltus
