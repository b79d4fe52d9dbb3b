// The taps over space of one instant of a layer's kernel, as a convolution that NIR can say.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "saltus/engine/learning/surrogate_network.hpp"
#include "saltus/engine/projection.hpp"

namespace saltus::converters {

/// weight(out channel, in channel of the group, tap over space). NIR pads both sides alike: where the layer
/// is cut, taps of weight 0 cut it.
template <class F>
[[nodiscard]] Convolution surrogate_convolution(const learning::SurrogateNetwork::Layer& layer,
                                                bool one_dimensional, std::uint32_t in_channels,
                                                std::uint32_t out_channels, std::uint32_t groups,
                                                F&& weight) {
    Convolution c;
    c.one_dimensional = one_dimensional;
    c.in_channels = in_channels;
    c.out_channels = out_channels;
    c.groups = groups;
    std::array<std::uint32_t, 2> spread{1, 1};  // of taps
    for (std::size_t a = 0; a < 2; ++a) {
        c.in_size[a] = layer.in.space[a];
        c.out_size[a] = layer.out.space[a];
        c.kernel[a] = layer.kernel[a + 1];
        c.stride[a] = layer.stride[a + 1];
        c.dilation[a] = layer.dilation[a + 1];
        c.padding[a] = layer.padding[a + 1];
        const std::uint64_t padded = std::uint64_t{c.in_size[a]} + 2 * std::uint64_t{c.padding[a]};
        const std::uint64_t spans = std::uint64_t{c.kernel[a] - 1} * c.dilation[a] + 1;
        const std::uint64_t reached = std::uint64_t{c.out_size[a]} * c.stride[a];
        if (padded - spans >= reached) {
            spread[a] = c.dilation[a];
            c.dilation[a] = 1;
            c.kernel[a] = static_cast<std::uint32_t>(padded - reached + 1);
        }
    }
    const std::size_t of_group = in_channels / groups;
    std::vector<double> w(out_channels * of_group * c.kernel[0] * c.kernel[1], 0.0);
    for (std::uint32_t o = 0; o < out_channels; ++o) {
        for (std::uint32_t i = 0; i < of_group; ++i) {
            double* const first = w.data() + (o * of_group + i) * c.kernel[0] * c.kernel[1];
            for (std::uint32_t y = 0; y < layer.kernel[1]; ++y) {
                for (std::uint32_t x = 0; x < layer.kernel[2]; ++x)
                    first[std::size_t{y} * spread[0] * c.kernel[1] + x * spread[1]] =
                        weight(o, i, y * layer.kernel[2] + x);
            }
        }
    }
    c.weights = Weights(w);
    return c;
}

}  // namespace saltus::converters
