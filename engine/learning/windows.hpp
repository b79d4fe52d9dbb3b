// Which windows of a convolution or a pooling hold an element of the plane.
#pragma once

#include <cstdint>

#include "saltus/engine/projection.hpp"

namespace saltus::learning {

[[nodiscard]] inline std::uint64_t area(const Convolution::Pair& size) {
    return std::uint64_t{size[0]} * size[1];
}

/// f(output, kernel element) for the outputs of one axis whose window holds `in`.
template <class Window, class F>
void windows_of(const Window& w, std::size_t axis, std::uint32_t dilation, std::uint32_t in, F&& f) {
    for (std::uint32_t k = 0; k < w.kernel[axis]; ++k) {
        const std::int64_t start = std::int64_t{in} + w.padding[axis] - std::int64_t{k} * dilation;
        if (start < 0 || start % w.stride[axis] != 0) continue;
        const std::int64_t out = start / w.stride[axis];
        if (out < w.out_size[axis]) f(static_cast<std::uint32_t>(out), k);
    }
}

/// f(y, x, kernel row, kernel column) for the outputs that an element of the plane reaches.
template <class Window, class F>
void windows_of(const Window& w, const Convolution::Pair& dilation, std::uint64_t element, F&& f) {
    const auto y = static_cast<std::uint32_t>(element / w.in_size[1]);
    const auto x = static_cast<std::uint32_t>(element % w.in_size[1]);
    windows_of(w, 0, dilation[0], y, [&](std::uint32_t out_y, std::uint32_t i) {
        windows_of(w, 1, dilation[1], x,
                   [&](std::uint32_t out_x, std::uint32_t j) { f(out_y, out_x, i, j); });
    });
}

}  // namespace saltus::learning
