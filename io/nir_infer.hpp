// Shapes of all signals of a graph. Known are: weights, parameters with the shape of their layer,
// input_shape; next the declared shapes of Input, Output and Flatten, which exporters often get wrong. Shapes
// travel along the edges in both directions until nothing changes; then source and target of every edge must
// agree.
//
// Output size of a convolution or a pool along one axis, n in, kernel k, stride s, dilation d, padding p on
// both sides:
//   floor((n + 2p - d (k - 1) - 1) / s) + 1,     "valid": p = 0,     "same": n
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nir_flat.hpp"
#include "nir_place.hpp"

namespace saltus::io {

struct NirLeafShapes {
    std::optional<NirShape> input;  // not known only where no edge gives the shape of a pool or a Flatten
    std::optional<NirShape> output;
    std::int64_t start_dim = 0;  // of a Flatten, not counting a batch axis
    std::int64_t end_dim = -1;
};

/// For each node of `graph`, all of which have passed check_fields. Throws FileError where shapes contradict
/// each other.
[[nodiscard]] std::vector<NirLeafShapes> infer_shapes(const NirFlat& graph, const std::string& origin,
                                                      NirNotes& notes);

}  // namespace saltus::io
