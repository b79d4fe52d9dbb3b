// What the ranks have recorded, each of its own neurons, put together.
#pragma once

#include <span>
#include <vector>

#include "saltus/engine/communication.hpp"

namespace saltus {

/// The spikes of all ranks, on every rank, in any order. Every rank calls it.
[[nodiscard]] std::vector<Spike> of_all_ranks(Communication& communication, std::span<const Spike> mine);

/// The same for the trains of all populations, sorted; `order` is the place of each in the order of names.
[[nodiscard]] std::vector<SpikeTrain> of_all_ranks(Communication& communication,
                                                   const std::vector<std::uint32_t>& order,
                                                   const std::vector<SpikeTrain>& mine);

}  // namespace saltus
