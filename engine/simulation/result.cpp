#include "saltus/engine/digest.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus {

std::uint64_t fingerprint(const SimulationResult& result) {
    Digest digest;
    for (std::size_t q = 0; q < result.spikes.size(); ++q) {
        const SpikeTrain& train = result.spikes[q];
        for (std::size_t k = 0; k < train.size(); ++k) {
            digest.word(q);
            digest.number(train.times[k]);
            digest.number(train.neurons[k]);
        }
    }
    return digest.value();
}

}  // namespace saltus
