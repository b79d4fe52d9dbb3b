// The first threshold crossing of a leaky membrane that follows several exponentials: the search that models
// with synaptic currents or a moving threshold share.
//
// Let f = V - V_th be the excess, b = 1/tau_m, and D a function with the sign of f' that, but for a positive
// factor, is f' e^{bs}. D has one exponential fewer than f, its derivative is simpler still; so climb from
// there (Rolle's theorem): between two turns of D lies at most one zero of D, between two zeros of D at most
// one of f. Nothing can be missed. For the currents G(s) of a membrane, (V' e^{bs})' = G'(s) e^{bs}: the
// turns of D are those of the currents, in which tau_m does not occur and tau_syn = tau_m is no special case.
//
// Sources: Brette 2007 (zeros of sums of exponentials), Krishnan et al. 2018 (crossings between two events).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

namespace saltus::neurons::detail {

inline constexpr double never = std::numeric_limits<double>::infinity();

/// A function at one point with its derivatives. The search is Newton's where ddf is 0, else Cauchy's, which
/// goes to the zero of the local parabola and so converges also near a peak that barely crosses.
struct Jet {
    double f;
    double df;
    double ddf = 0.0;
};

[[nodiscard]] inline Jet operator-(const Jet& at) noexcept {
    return {-at.f, -at.df, -at.ddf};
}

/// The zero in [low, high] of a function that is negative at low and changes sign once; the search starts at
/// s and is guarded by bisection.
template <class F>
[[nodiscard]] double rising_zero(F&& jet, double low, double high, double s) noexcept {
    constexpr int most = 200;
    for (int i = 0; i < most; ++i) {
        const Jet at = jet(s);
        (at.f < 0.0 ? low : high) = s;
        const double under_root = at.df * at.df - 2.0 * at.f * at.ddf;
        const double step = -2.0 * at.f / (at.df + (under_root > 0.0 ? std::sqrt(under_root) : at.df));
        const double resolution = 1e-18 + 2e-16 * s;  // far below a tick
        // Cauchy's error after a step is about its cube.
        const bool cubic =
            at.ddf != 0.0 && std::abs(step) <= 1e-7 * s && std::abs(step * at.ddf) <= 1e-7 * std::abs(at.df);
        if (cubic || std::abs(step) <= resolution) return std::clamp(s + step, low, high);
        if (high - low <= resolution) break;
        s += step;
        if (!(s > low && s < high)) s = 0.5 * (low + high);
    }
    return s;
}

/// Up to N points in time, in order.
template <std::size_t N>
class Cuts {
  public:
    /// A point outside (0, horizon), or none (NaN), cuts nothing.
    void add(double s, double horizon) noexcept {
        if (s > 0.0 && s < horizon && count_ < N) at_[count_++] = s;
    }
    [[nodiscard]] const double* begin() const noexcept { return at_.data(); }
    [[nodiscard]] const double* end() const noexcept { return at_.data() + count_; }

  private:
    std::array<double, N> at_{};
    std::size_t count_ = 0;
};

/// The zeros in (0, horizon) of a function that turns at `turns` only. A value that has decayed to 0 may
/// stand for either sign: what it adds is one cut too many, which is harmless.
template <class F, std::size_t N>
[[nodiscard]] Cuts<N + 1> zeros(F&& jet, const Cuts<N>& turns, double horizon) noexcept {
    Cuts<N + 1> result;
    double low = 0.0;
    double f_low = jet(low).f;
    const auto piece = [&](double high) {
        const double f_high = jet(high).f;
        if (f_low < 0.0 && f_high >= 0.0) {
            result.add(rising_zero(jet, low, high, low), horizon);
        } else if (f_low > 0.0 && f_high <= 0.0) {
            const auto falling = [&](double s) { return -jet(s); };
            result.add(rising_zero(falling, low, high, low), horizon);
        }
        low = high;
        f_low = f_high;
    };
    for (const double turn : turns) piece(turn);
    piece(horizon);
    return result;
}

/// By 800 of the slowest time constants every exponential is 0 in double precision.
[[nodiscard]] inline double before_all_is_decayed(double horizon, double slowest_rate) noexcept {
    return std::min(horizon, 800.0 / slowest_rate);
}

/// The first s in [0, horizon] at which `excess`, negative at 0, is not negative; never if there is none.
/// `slope` has the sign of its derivative and turns at `turns` only. The horizon is finite.
template <class Excess, class Slope, std::size_t N>
[[nodiscard]] double first_crossing(Excess&& excess, Slope&& slope, const Cuts<N>& turns,
                                    double horizon) noexcept {
    double low = 0.0;
    double slope_low = slope(low).f;
    double found = never;
    const auto crosses_before = [&](double high) {
        if (excess(high).f >= 0.0) {
            found = rising_zero(excess, low, high, low);
            return true;
        }
        const double slope_high = slope(high).f;
        if (slope_low > 0.0 && slope_high <= 0.0) {
            const auto fall = [&](double s) { return -slope(s); };
            const double peak = rising_zero(fall, low, high, low);
            if (excess(peak).f >= 0.0) {
                found = rising_zero(excess, low, peak, peak);
                return true;
            }
        }
        low = high;
        slope_low = slope_high;
        return false;
    };
    for (const double turn : turns) {
        if (crosses_before(turn)) return found;
    }
    crosses_before(horizon);
    return found;
}

}  // namespace saltus::neurons::detail
