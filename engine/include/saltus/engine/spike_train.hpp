// Spikes of one population: when, and which neuron.
#pragma once

#include <cstdint>
#include <vector>

#include "saltus/engine/time.hpp"

namespace saltus {

/// Index of a neuron in its population; row-major where the population has a shape of several dimensions.
using NeuronIndex = std::uint32_t;

/// Two columns of equal length. What the library returns is sorted by (time, neuron).
struct SpikeTrain {
    std::vector<Time> times;
    std::vector<NeuronIndex> neurons;

    [[nodiscard]] std::size_t size() const { return times.size(); }
    [[nodiscard]] bool empty() const { return times.empty(); }
    void reserve(std::size_t n) {
        times.reserve(n);
        neurons.reserve(n);
    }
    void add(Time time, NeuronIndex neuron) {
        times.push_back(time);
        neurons.push_back(neuron);
    }
    /// Brings the spikes into the order (time, neuron); equal entries are kept.
    void sort();

    friend bool operator==(const SpikeTrain&, const SpikeTrain&) = default;
};

}  // namespace saltus
