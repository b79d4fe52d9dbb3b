// The formulas of surrogate_function.hpp, for one excess or for many at once.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "../../exponential.hpp"
#include "saltus/engine/learning/surrogate_function.hpp"

namespace saltus::learning {

/// e^x for x <= 0, to a few units in the last place; 0 for x below about -80 (float) or -700.
[[gnu::always_inline]] inline double falling_exponential(double x) {
    return x < -700.0 ? 0.0 : kernels::exponential(std::max(x, -700.0));
}
[[gnu::always_inline]] inline float falling_exponential(float x) {
    constexpr float shift = 0x1.8p23f;  // adding it rounds to a whole number
    const float y = std::max(x, -80.0f);
    const float shifted = y * 0x1.715476p+0f + shift;
    const float k = shifted - shift;
    const float r = (y - k * 0x1.62e400p-1f) - k * 0x1.7f7d1cp-20f;
    const float series =
        1.0f +
        r * (1.0f + r * (0.5f + r * (1.0f / 6 + r * (1.0f / 24 + r * (1.0f / 120 + r * (1.0f / 720))))));
    const float scale = std::bit_cast<float>((std::bit_cast<std::uint32_t>(shifted) << 23) + 0x3F800000u);
    return x < -80.0f ? 0.0f : scale * series;
}

/// Calls use(d) with d(x), the derivative as a function of T.
template <class T, class Use>
[[gnu::always_inline]] inline void with_derivative(const SurrogateFunction& f, Use&& use) {
    using Kind = SurrogateFunction::Kind;
    const auto a = static_cast<T>(f.slope);
    const auto h = static_cast<T>(f.peak);
    const T one = 1;
    switch (f.kind) {
        case Kind::sigmoid:
            return use([=](T x) {
                const T e = falling_exponential(-std::abs(a * x));
                return h * (4 * e / ((one + e) * (one + e)));
            });
        case Kind::atan:
            return use([=](T x) { return h / (one + (a * x) * (a * x)); });
        case Kind::fast_sigmoid:
            return use([=](T x) {
                const T d = one + std::abs(a * x);
                return h / (d * d);
            });
        case Kind::circle:
            return use([=](T x) {
                const T d = one + (a * x) * (a * x);
                return h / (d * std::sqrt(d));
            });
        case Kind::triangle:
            return use([=](T x) { return h * std::max(T(0), one - std::abs(a * x)); });
        case Kind::box:
            return use([=](T x) { return std::abs(a * x) <= one ? h : T(0); });
        case Kind::window:
            return use([=](T x) { return a * x >= -one ? h : T(0); });
        case Kind::exponential: {
            const auto centre = static_cast<T>(f.centre);
            return use([=](T x) { return h * falling_exponential(-a * std::abs(x - centre)); });
        }
        case Kind::gaussian:
            return use([=](T x) { return h * falling_exponential(-(a * x) * (a * x)); });
        case Kind::multi_gaussian: {
            const T side = T(0.15) / 6;
            const T scale = h * a * T(0.39894228040143267794);
            return use([=](T x) {
                const T y = a * x;
                const T left = (y + one) / 6;
                const T right = (y - one) / 6;
                return scale * (T(1.15) * falling_exponential(-y * y / 2) -
                                side * falling_exponential(-left * left / 2) -
                                side * falling_exponential(-right * right / 2));
            });
        }
        case Kind::periodic: {
            const auto above = static_cast<T>(f.slope_above);
            return use([=](T x) {
                const T part = x - std::floor(x);
                return h * falling_exponential(x < 0 ? a * x : -above * std::min(part, one - part));
            });
        }
        case Kind::sign:
            return use([=](T x) { return x < 0 ? h : -h; });
    }
}

}  // namespace saltus::learning
