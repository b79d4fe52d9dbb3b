// How far apart two spike trains are: which spikes have no partner, and two distances of the literature.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "saltus/engine/spike_train.hpp"

namespace saltus {

/// Spike times of each neuron, ascending; neurons beyond `neurons` are left out.
[[nodiscard]] std::vector<std::vector<Time>> by_neuron(const SpikeTrain& train, std::uint32_t neurons);

/// Spikes of two trains that have a partner in the other: walked in order of time, two spikes are partners if
/// they are at most `tolerance` apart.
struct Matching {
    std::uint64_t partners = 0;
    std::uint64_t only_in_a = 0;
    std::uint64_t only_in_b = 0;
    std::optional<Time> first_alone;  // of the spikes without a partner
    bool first_is_in_a = false;
};
[[nodiscard]] Matching match(std::span<const Time> a, std::span<const Time> b, Duration tolerance);

/// Square of van Rossum's distance (Neural Comput. 13, 2001): (1/tau) times the integral of the squared
/// difference of the trains filtered by exp(-t/tau); one spike more or less is 1/2. O(n).
[[nodiscard]] double van_rossum(std::span<const Time> a, std::span<const Time> b, Duration tau);

/// Victor and Purpura's distance (J. Neurophysiol. 76, 1996): the cheapest way from a to b, where a spike
/// more or less costs 1 and moving one by t costs t / shift. O(n m).
[[nodiscard]] double victor_purpura(std::span<const Time> a, std::span<const Time> b, Duration shift);

/// The same for two trains of one population, neuron by neuron.
struct TrainDifference {
    struct First {
        Time time;
        NeuronIndex neuron = 0;
        bool in_a = false;
    };
    std::uint64_t partners = 0;
    std::uint64_t only_in_a = 0;
    std::uint64_t only_in_b = 0;
    std::optional<First> first;            // of the spikes without a partner
    double van_rossum = 0.0;               // squared; mean over the neurons
    std::optional<double> victor_purpura;  // mean over the neurons; none where more than 2e9 pairs of spikes
};
/// `tau` is the time constant of the one distance and the shift of the other.
[[nodiscard]] TrainDifference difference(const SpikeTrain& a, const SpikeTrain& b, std::uint32_t neurons,
                                         Duration tolerance, Duration tau);

}  // namespace saltus
