// Signals on a grid of steps: which neurons are not silent in each step, and with what amplitude. A spike has
// amplitude 1; tools that count several spikes a step, or feed real numbers, have others.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "saltus/engine/spike_train.hpp"
#include "saltus/engine/time.hpp"

namespace saltus {

struct Raster {
    std::uint32_t neurons = 0;
    std::vector<std::uint64_t> begin{0};  // entries of step k are [begin[k], begin[k + 1])
    std::vector<NeuronIndex> indices;     // ascending within a step
    std::vector<double> amplitudes;       // none zero; empty: each is 1

    [[nodiscard]] std::uint32_t steps() const { return static_cast<std::uint32_t>(begin.size() - 1); }
    [[nodiscard]] double amplitude(std::uint64_t entry) const {
        return amplitudes.empty() ? 1.0 : amplitudes[entry];
    }
    /// Appends a step whose entries are those appended to `indices` and `amplitudes` since the last one.
    void end_step() { begin.push_back(indices.size()); }

    /// `values` is [step][neuron]. Throws UsageError where its size is no multiple of `neurons`, InputError
    /// for values that are not finite.
    [[nodiscard]] static Raster of(std::span<const double> values, std::uint32_t neurons,
                                   std::string_view population);
    [[nodiscard]] static Raster of(std::span<const float> values, std::uint32_t neurons,
                                   std::string_view population);
    /// A spike at t falls into step floor(t / dt); those that fall together add up, those after the last step
    /// are left out. Throws InputError for a neuron that does not exist and a time before 0.
    [[nodiscard]] static Raster of(const SpikeTrain& spikes, std::uint32_t neurons, Duration dt,
                                   std::uint32_t steps, std::string_view population);

    /// [step][neuron]
    [[nodiscard]] std::vector<double> dense() const;
    /// Step k is at time k dt; an amplitude of n counts as n spikes, one that is not whole as one; or, where
    /// amplitudes are the heights of spikes, each as one.
    [[nodiscard]] SpikeTrain train(Duration dt, bool heights = false) const;

    friend bool operator==(const Raster&, const Raster&) = default;
};

}  // namespace saltus
