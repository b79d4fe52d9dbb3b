// Neurons of a population that one thread looks after.
#pragma once

#include <cstdint>
#include <string>

#include "saltus/engine/network.hpp"

namespace saltus {

/// Neurons [begin, end) of one population.
struct NeuronRange {
    NeuronIndex begin = 0;
    NeuronIndex end = 0;

    [[nodiscard]] std::uint32_t size() const { return end - begin; }
};

/// Neurons of one population in a block, which keeps them from number `first` on.
struct Piece {
    std::uint32_t population = 0;  // index in the network
    std::uint32_t order = 0;       // and in the order of names, as spikes carry it
    std::string name;
    NeuronRange range;
    std::uint32_t first = 0;
};

}  // namespace saltus
