// The inner loops of dense and convolutional layers: rows of weights are added to potentials, and a lane that
// reaches zero is told. Everything is in whole numbers, so that the order of the additions and the width of
// the vectors do not matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace saltus::learning {

/// Lanes that are computed together at least; a layer has a multiple of them.
inline constexpr std::size_t narrow_tile = 16;

/// The most that can be computed together here, of so many lanes.
[[nodiscard]] std::size_t widest_tile(std::size_t lanes);

/// Potential of a lane that is not to fire (again). Sums of weights are smaller than its opposite.
inline constexpr std::int32_t never = -(1 << 30);

/// Arrivals in order of time.
struct Arrivals {
    std::size_t size = 0;
    const std::uint32_t* sources = nullptr;
    const std::uint32_t* open = nullptr;  // all bits where another of the same instant follows, else 0
};

struct Hit {
    std::uint64_t lanes = 0;    // that are >= 0 at the end of the instant
    std::uint32_t arrival = 0;  // the last of the instant
    std::uint32_t first = 0;    // lane of the lowest bit
};

/// V += weights[source * stride ...] for the arrivals from `first` on. Where lanes are >= 0 at the end of an
/// instant, hits are appended; if all of them are >= `sure`, they become `never` and the loop goes on, else
/// it returns that arrival. Returns arrivals.size at the end. `tile` is a widest_tile(); V is aligned to 64
/// bytes, as are the rows.
[[nodiscard]] std::size_t advance(std::size_t tile, const std::int32_t* weights, std::size_t stride,
                                  const Arrivals& arrivals, std::size_t first, std::int32_t sure,
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
