// Layers in words, one after the other, separated by ';' or line ends:
//
//   conv 64 kernel=4x3 dilation=4x3; pool max kernel=1x2; dense 128 recurrent; readout mean
//
// KIND is dense N, conv N, pool max|sum|average or readout mean|max|last|count. Axes are time, then space.
// kernel=, stride=, dilation=, padding= take one number an axis, as in 4x3; groups=N, name=NAME, from=A+B
// (layers before it, or input), join=add (else concatenate). Flags: recurrent, no_lateral.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "saltus/engine/learning/surrogate_network.hpp"

namespace saltus::learning {

/// `classes` is the size of the readout, which is added (mean) where there is none. Throws UsageError.
[[nodiscard]] std::vector<SurrogateLayer> surrogate_layers(std::string_view text, std::uint32_t classes);
/// What surrogate_layers reads back.
[[nodiscard]] std::string text_of(const std::vector<SurrogateLayer>& layers);

}  // namespace saltus::learning
