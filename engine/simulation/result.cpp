#include <bit>

#include "saltus/engine/simulate.hpp"

namespace saltus {

namespace {

/// One step of splitmix64 (Steele, Lea, Flood 2014) over the digest so far.
std::uint64_t mixed(std::uint64_t digest, std::uint64_t word) {
    std::uint64_t z = digest + word + 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

}  // namespace

std::uint64_t fingerprint(const SimulationResult& result) {
    std::uint64_t digest = 0;
    for (std::size_t q = 0; q < result.spikes.size(); ++q) {
        const SpikeTrain& train = result.spikes[q];
        for (std::size_t k = 0; k < train.size(); ++k) {
            digest = mixed(digest, q);
            digest = mixed(digest, std::bit_cast<std::uint64_t>(train.times[k].femtoseconds()));
            digest = mixed(digest, train.neurons[k]);
        }
    }
    return digest;
}

}  // namespace saltus
