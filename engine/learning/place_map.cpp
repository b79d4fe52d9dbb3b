#include "place_map.hpp"

#include "windows.hpp"

namespace saltus::learning {

// A matrix: each source is a channel of one pixel.
PlaceMap::PlaceMap(const Dense& matrix)
    : places_(1),
      channels_(matrix.outputs),
      inputs_(matrix.inputs),
      taps_(1),
      input_stride_(matrix.outputs),
      channel_stride_(1),
      reach_{{0, 0}},
      begin_{0, 1} {}

PlaceMap::PlaceMap(const Convolution& convolution)
    : places_(static_cast<std::uint32_t>(area(convolution.out_size))),
      channels_(convolution.out_channels),
      inputs_(static_cast<std::uint32_t>(convolution.in_channels * area(convolution.kernel))),
      taps_(static_cast<std::uint32_t>(area(convolution.kernel))),
      input_stride_(1),
      channel_stride_(inputs_),
      begin_{0} {
    for (std::uint64_t pixel = 0; pixel < area(convolution.in_size); ++pixel) {
        windows_of(convolution, convolution.dilation, pixel,
                   [&](std::uint32_t y, std::uint32_t x, std::uint32_t i, std::uint32_t j) {
                       reach_.push_back({y * convolution.out_size[1] + x, i * convolution.kernel[1] + j});
                   });
        begin_.push_back(static_cast<std::uint32_t>(reach_.size()));
    }
}

}  // namespace saltus::learning
