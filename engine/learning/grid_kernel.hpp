// The inner loops of dense and convolutional layers: rows of weights are added to potentials, and a lane that
// reaches zero is told. Everything is in whole numbers, so that the order of the additions and the width of
// the vectors do not matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace saltus::learning {

/// Lanes that are computed together; a layer has a multiple of the smaller one.
inline constexpr std::size_t wide_tile = 64;
inline constexpr std::size_t narrow_tile = 16;

/// Potential of a lane that is not to fire (again). Sums of weights are smaller than its opposite.
inline constexpr std::int32_t never = -(1 << 30);

/// Arrivals of some instants: those of instant g are sources[ends[g - 1]] ... sources[ends[g] - 1].
struct ArrivalGroups {
    std::span<const std::uint32_t> sources;
    std::span<const std::uint32_t> ends;
};

struct Hit {
    std::uint64_t lanes = 0;  // that are >= 0 at the end of the group
    std::uint32_t group = 0;
};

/// V += weights[source * stride ...] for the groups from `first` on. Where lanes are >= 0 at the end of one,
/// a hit is appended; if all of them are >= `sure`, they become `never` and the loop goes on, else it returns
/// that group. Returns ends.size() at the end. `tile` is wide_tile or narrow_tile; V is aligned to 32 bytes,
/// as are the rows.
[[nodiscard]] std::size_t advance(std::size_t tile, const std::int32_t* weights, std::size_t stride,
                                  const ArrivalGroups& arrivals, std::size_t first, std::int32_t sure,
                                  std::int32_t* V, std::vector<Hit>& hits);

/// One arrival at a cell of lanes: the potentials from cell * stride on take the weights from row * stride
/// on.
struct Tap {
    std::uint32_t cell = 0;
    std::uint32_t row = 0;
};

/// All taps, each with its cell times `cell_step` plus `cell`. Appends the cells of
/// which a lane of this tile is >= 0 after an addition. V and weights begin at the tile's first lane; the
/// tile is 2 narrow ones or one.
void scatter(std::size_t tile, const std::int32_t* weights, std::size_t stride, std::span<const Tap> taps,
             std::uint32_t cell_step, std::uint32_t cell, std::int32_t* V, std::vector<std::uint32_t>& hot);

}  // namespace saltus::learning
