// Differential equations integrated in long double by the classical fourth-order Runge-Kutta method, against
// which closed forms and crossings are held. It shares nothing with them.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>

namespace saltus::neurons::test {

template <std::size_t N>
using Vector = std::array<long double, N>;

template <std::size_t N>
Vector<N> along(Vector<N> y, const Vector<N>& slope, long double s) {
    for (std::size_t i = 0; i < N; ++i) y[i] += s * slope[i];
    return y;
}

/// y after one step of length s of dy/dt = rhs(y).
template <std::size_t N, class F>
Vector<N> stepped(F&& rhs, const Vector<N>& y, long double s) {
    const Vector<N> k1 = rhs(y);
    const Vector<N> k2 = rhs(along(y, k1, s / 2));
    const Vector<N> k3 = rhs(along(y, k2, s / 2));
    const Vector<N> k4 = rhs(along(y, k3, s));
    Vector<N> result = y;
    for (std::size_t i = 0; i < N; ++i) result[i] += s / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
    return result;
}

template <std::size_t N, class F>
Vector<N> integrated(F&& rhs, Vector<N> y, double s, int steps) {
    for (int i = 0; i < steps; ++i) y = stepped(rhs, y, static_cast<long double>(s) / steps);
    return y;
}

struct Crossing {
    double time = std::numeric_limits<double>::infinity();
    double slope = 0.0;             // of the excess there
    long double nearest = -1e300L;  // largest excess at a step before; close to 0: a step may have missed it
};

/// The first time within `horizon` at which excess(y) >= 0.
template <std::size_t N, class F, class Excess>
Crossing first_crossing(F&& rhs, Excess&& excess, Vector<N> y, double horizon, int steps) {
    const long double step = static_cast<long double>(horizon) / steps;
    Crossing found;
    for (int i = 0; i < steps; ++i) {
        const Vector<N> next = stepped(rhs, y, step);
        if (excess(next) >= 0) {
            long double low = 0;
            long double high = step;
            for (int k = 0; k < 60; ++k) {
                const long double middle = (low + high) / 2;
                (excess(stepped(rhs, y, middle)) >= 0 ? high : low) = middle;
            }
            const long double d = step * 1e-3L;
            found.time = static_cast<double>(i * step + high);
            found.slope = static_cast<double>(
                (excess(stepped(rhs, y, high + d)) - excess(stepped(rhs, y, high - d))) / (2 * d));
            return found;
        }
        found.nearest = std::max(found.nearest, static_cast<long double>(excess(next)));
        y = next;
    }
    return found;
}

/// Where `f` is largest between low and high, in which it has one peak.
template <class F>
double peak_between(F&& f, double low, double high) {
    for (int i = 0; i < 200; ++i) {
        const double left = low + (high - low) / 3;
        const double right = high - (high - low) / 3;
        (f(left) < f(right) ? low : high) = f(left) < f(right) ? left : right;
    }
    return 0.5 * (low + high);
}

/// Random states that are the same everywhere.
class Random {
  public:
    double uniform(double low, double high) {
        return low + (high - low) * (static_cast<double>(generator_() >> 11) * 0x1p-53);
    }
    template <std::size_t N>
    double one_of(const std::array<double, N>& values) {
        return values[generator_() % N];
    }

  private:
    std::mt19937_64 generator_{20260101};
};

}  // namespace saltus::neurons::test
