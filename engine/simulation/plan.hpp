// A network made ready for the exact clock: cut into blocks, each with its part of the synapses. What depends
// on the network alone and is shared by all runs.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "addresses.hpp"
#include "block.hpp"
#include "saltus/engine/network.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus {

class Plan {
  public:
    Plan(const Network& the_network, const Parallelism& the_parallelism);
    /// Finds out where spikes go. Every rank calls it, when all have their plans.
    void address_spikes();

    Network network;
    Parallelism parallelism;
    std::vector<std::uint32_t> by_name;  // populations in the order of their names
    std::vector<std::uint32_t> order;    // of each population in it
    std::uint32_t levels = 0;
    std::int64_t window_fs = 0;
    std::int64_t longest_delay_fs = 0;

    /// Blocks of this rank.
    struct Place {
        BlockPlan plan;
        std::uint32_t level = 0;
        std::uint32_t thread = 0;
        bool sends = true;  // false: nobody receives its spikes, it runs only to be recorded
    };
    std::vector<Place> places;
    std::vector<Part> all_parts;  // of all ranks, if there are several
    Addresses addresses;
    std::vector<std::vector<double>> signal;  // constant signal of each population, empty if none

    [[nodiscard]] std::uint64_t synapse_bytes() const;
};

}  // namespace saltus
