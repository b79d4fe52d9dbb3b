// The inner loop of dense layers: rows of weights are added to potentials, and a lane that reaches zero is
// told. Everything is in whole numbers, so that the order of the additions and the width of the vectors do
// not matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace saltus::learning {

/// Lanes that are computed together; a layer has a multiple of the smaller one.
inline constexpr std::size_t wide_tile = 64;
inline constexpr std::size_t narrow_tile = 16;

/// Arrivals of some instants: those of instant g are sources[ends[g - 1]] ... sources[ends[g] - 1].
struct ArrivalGroups {
    std::span<const std::uint32_t> sources;
    std::span<const std::uint32_t> ends;
};

struct Hit {
    std::size_t group = 0;    // at the end of which some lanes are >= 0; ends.size(): none were
    std::uint64_t lanes = 0;  // which ones
};

/// V += weights[source * stride ...] for the groups from `first` on, until some lane is >= 0 at the end of
/// one. `tile` is wide_tile or narrow_tile; V is aligned to 32 bytes, as are the rows.
[[nodiscard]] Hit advance(std::size_t tile, const std::int32_t* weights, std::size_t stride,
                          const ArrivalGroups& arrivals, std::size_t first, std::int32_t* V);

}  // namespace saltus::learning
