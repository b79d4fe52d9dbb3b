// The parts of a snapshot that several ranks hold, put together.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "saltus/engine/snapshot.hpp"
#include "synapses.hpp"

namespace saltus {

/// One population as one rank knows it: columns of full length in which the neurons of `ranges` are filled
/// in.
struct PartOfSnapshot {
    std::uint32_t population = 0;
    std::vector<NeuronRange> ranges;
    PopulationSnapshot snapshot;
};

[[nodiscard]] std::vector<std::byte> to_bytes(const std::vector<PartOfSnapshot>& parts);
[[nodiscard]] std::vector<PartOfSnapshot> parts_from_bytes(std::span<const std::byte> bytes);
void merge(const PartOfSnapshot& part, std::vector<PopulationSnapshot>& populations);

}  // namespace saltus
