#include "recorded.hpp"

#include <algorithm>

namespace saltus {

std::vector<Spike> of_all_ranks(Communication& communication, std::span<const Spike> mine) {
    // In pieces, which MPI can exchange whatever the number of ranks.
    const std::size_t most =
        std::max<std::size_t>(1, (std::size_t{1} << 30) / sizeof(Spike) / communication.size());
    std::vector<Spike> all;
    for (;;) {
        const std::size_t n = std::min(most, mine.size());
        communication.exchange(mine.first(n), all);
        mine = mine.subspan(n);
        if (communication.sum(mine.size()) == 0) return all;
    }
}

std::vector<SpikeTrain> of_all_ranks(Communication& communication, const std::vector<std::uint32_t>& order,
                                     const std::vector<SpikeTrain>& mine) {
    std::vector<SpikeTrain> trains(mine.size());
    for (std::size_t q = 0; q < mine.size(); ++q) {
        std::vector<Spike> spikes;
        spikes.reserve(mine[q].size());
        for (std::size_t k = 0; k < mine[q].size(); ++k)
            spikes.push_back({mine[q].times[k], order[q], mine[q].neurons[k]});
        for (const Spike& spike : of_all_ranks(communication, spikes))
            trains[q].add(spike.time, spike.neuron);
        trains[q].sort();
    }
    return trains;
}

}  // namespace saltus
