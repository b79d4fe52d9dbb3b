// The state of many neurons that share their time constants, in a moving frame: what one arrival adds depends
// on its time and not on the neuron, and a synaptic event is one or two additions and a compare.
//
// With x the time since the frame's origin, a leaky potential is kept as  c = (V - E) e^{x/tau}: between
// arrivals c stands, an arrival of weight w adds J w e^{x/tau}, and V >= V_th is c >= (V_th - E) e^{x/tau},
// the same line for all. Constant drive (E > V_th) makes the line fall: whoever lies above the line of a
// later instant crosses before it. The origin moves on at fixed times, so that results depend on nothing
// else.
//
// Sums of one instant carry one common factor, so a state within a few roundings of the threshold counts as
// there: what adds up to the threshold on paper fires.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "../exponential.hpp"
#include "instant.hpp"
#include "kernels.hpp"
#include "piece.hpp"
#include "saltus/engine/neurons/models.hpp"

namespace saltus {

/// Values that all neurons share, or one per neuron.
class Shared {
  public:
    template <class F>
    Shared(std::uint32_t n, F&& value) {
        values_.reserve(n);
        for (std::uint32_t i = 0; i < n; ++i) values_.push_back(value(i));
        if (std::all_of(values_.begin(), values_.end(), [&](double v) { return v == values_.front(); })) {
            values_.resize(1);
            values_.shrink_to_fit();
            mask_ = 0;
        }
    }
    [[nodiscard]] bool one() const { return mask_ == 0; }
    [[nodiscard]] double operator[](std::uint32_t i) const { return values_[i & mask_]; }
    [[nodiscard]] double min() const { return *std::min_element(values_.begin(), values_.end()); }
    [[nodiscard]] double max() const { return *std::max_element(values_.begin(), values_.end()); }

  private:
    std::vector<double> values_;
    std::uint32_t mask_ = UINT32_MAX;  // 0 where there is one value
};

/// Origin and length of the frame, a power of two of femtoseconds: a part of the shortest time constant.
class FrameClock {
  public:
    /// No time constant: a quarter of a second.
    explicit FrameClock(double shortest_tau) {
        const double most_fs = std::min(shortest_tau, 0.1) * femtoseconds_per_second;
        while (2.0 * static_cast<double>(length_) <= most_fs) length_ *= 2;
    }
    [[nodiscard]] std::int64_t origin() const { return origin_; }
    [[nodiscard]] std::int64_t length() const { return length_; }
    [[nodiscard]] std::int64_t end() const { return origin_ + length_; }
    [[nodiscard]] double length_seconds() const {
        return static_cast<double>(length_) / femtoseconds_per_second;
    }
    /// Femtoseconds from the origin to t, which may lie `rest_fs` off its tick.
    [[nodiscard]] double since_origin(std::int64_t t, double rest_fs = 0.0) const {
        return static_cast<double>(t - origin_) + rest_fs;
    }
    /// `seconds` after the origin.
    [[nodiscard]] Instant after_origin(double seconds) const {
        return later({Time(Duration(origin_)), 0.0}, seconds, Time(Duration(INT64_MAX - 1)));
    }
    void advance() { origin_ += length_; }
    void start_at(std::int64_t origin) { origin_ = origin; }

  private:
    std::int64_t origin_ = 0;
    std::int64_t length_ = 1;
};

/// e^{-length/tau}, as a sum of two doubles: a factor that is applied at every change of frame must not be
/// off in one direction.
class Decay {
  public:
    Decay() = default;
    Decay(double length, double tau) {
        const long double exact = std::exp(-static_cast<long double>(length) / static_cast<long double>(tau));
        high_ = static_cast<double>(exact);
        low_ = static_cast<double>(exact - static_cast<long double>(high_));
    }
    [[nodiscard]] double operator()(double c) const {
        if (std::isinf(c)) return c;  // a neuron that stands; the sum below would be no number
        const double decayed = c * high_ + c * low_;
        return std::abs(decayed) < smallest ? 0.0 : decayed;
    }

  private:
    static constexpr double smallest = 1e-200;  // below, products would be denormal, and slow

    double high_ = 1.0;
    double low_ = 0.0;
};

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();
/// Roundings of a state that counts as at the threshold, relative to the distance of threshold and rest.
constexpr double few_roundings = 8 * 0x1p-53;

/// Targets of a dense row.
struct Neighbours {
    std::uint32_t first;
    [[nodiscard]] std::uint32_t operator[](std::size_t k) const {
        return first + static_cast<std::uint32_t>(k);
    }
};

/// What the frames have in common: thresholds, resets, refractory periods.
template <class P>
class FrameParameters {
  public:
    FrameParameters(const std::vector<P>& p, const std::vector<double>& E, std::uint32_t n)
        : rest(different(p, E, n), [&](std::uint32_t i) { return E[E.size() == 1 ? 0 : i]; }),
          distance(different(p, E, n), [&](std::uint32_t i) { return at(p, i).V_th - rest[i]; }),
          line(different(p, E, n),
               [&](std::uint32_t i) { return distance[i] - few_roundings * std::abs(distance[i]); }),
          reset(different(p, E, n), [&](std::uint32_t i) { return at(p, i).V_reset; }) {
        for (const P& one : p) t_ref.push_back(one.t_ref.femtoseconds());
    }
    [[nodiscard]] std::int64_t refractory(std::uint32_t i) const { return t_ref[t_ref.size() == 1 ? 0 : i]; }

    Shared rest;      // E
    Shared distance;  // V_th - E
    Shared line;      // V_th - E, less a few roundings
    Shared reset;     // V_reset
    std::vector<std::int64_t> t_ref;

  private:
    /// Of n neurons so many need be looked at.
    static std::uint32_t different(const std::vector<P>& p, const std::vector<double>& E, std::uint32_t n) {
        return p.size() == 1 && E.size() == 1 ? 1 : n;
    }
    static const P& at(const std::vector<P>& p, std::uint32_t i) { return p[p.size() == 1 ? 0 : i]; }
};

/// Delta synapses, leaky (Lif) or not (If); without leak V = c + slope x.
template <class P>
class DeltaFrame {
  public:
    static constexpr bool leaks = std::is_same_v<P, neurons::Lif>;
    static constexpr bool has_currents = false;  // crossings between arrivals come from drive alone
    using Constants = typename P::Constants;

    /// True if these neurons can be kept in one frame.
    static bool suits(const std::vector<P>& p, const std::vector<Constants>& c) {
        const auto same = [&](const P& q) { return q.reset == neurons::Reset::to_value; };
        const auto shared = [&](const Constants& k) {
            if constexpr (leaks)
                return k.tau_m == c[0].tau_m && k.J == c[0].J;
            else
                return k.slope == c[0].slope && k.J == c[0].J;
        };
        return std::all_of(p.begin(), p.end(), same) && std::all_of(c.begin(), c.end(), shared);
    }

    DeltaFrame(const std::vector<P>& p, const std::vector<Constants>& c, std::uint32_t n)
        : parameters_(p, rests(c), n), clock_(time_constant(c[0])), J_(c[0].J) {
        if constexpr (leaks) {
            tau_ = c[0].tau_m;
            per_tau_ = kernels::PerTau(tau_);
            decay_ = Decay(clock_.length_seconds(), tau_);
        } else {
            slope_ = c[0].slope;
        }
        c_.reserve(n);
        for (std::uint32_t i = 0; i < n; ++i) {
            c_.push_back(neurons::initial(p[p.size() == 1 ? 0 : i], c[c.size() == 1 ? 0 : i]).V -
                         parameters_.rest[i]);
        }
        drives_ = leaks ? parameters_.distance.min() < 0.0 : slope_ > 0.0;
        resets_to_rest_ = leaks;
        resets_below_ = leaks || slope_ == 0.0;
        for (std::uint32_t i = 0; i < n; ++i) {
            const double reset = parameters_.reset[i] - parameters_.rest[i];
            const double roundings = few_roundings * std::abs(parameters_.distance[i]);
            resets_to_rest_ = resets_to_rest_ && reset == 0.0;
            resets_below_ = resets_below_ && reset < parameters_.line[i] - roundings;
        }
    }

    /// What depends on the instant alone.
    struct Moment {
        double e;       // e^{x/tau}
        double offset;  // of the line: -slope x
        double until_e;
        double until_offset;
    };

    [[nodiscard]] const FrameClock& clock() const { return clock_; }
    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(c_.size()); }
    /// Some neuron may cross without an arrival.
    [[nodiscard]] bool drives() const { return drives_; }
    /// Some neuron may cross without an arrival after the end of watching.
    [[nodiscard]] bool may_cross_later() const { return drives_; }
    void watch_all() {}
    /// For how long one look at all neurons should last: few of many should have to be watched. Crossings do
    /// not depend on it.
    [[nodiscard]] std::int64_t watch_length() const {
        return size() <= 64 ? clock_.length() : clock_.length() / 128;
    }
    [[nodiscard]] std::int64_t refractory(std::uint32_t i) const { return parameters_.refractory(i); }
    [[nodiscard]] bool stands(std::uint32_t i) const { return c_[i] == minus_infinity; }

    [[nodiscard]] Moment at(std::int64_t t, double rest_fs = 0.0) const {
        const double x = clock_.since_origin(t, rest_fs);
        if constexpr (leaks) return {kernels::exponential(per_tau_(x)), 0.0, until_e_, 0.0};
        return {1.0, -slope_ * (x / femtoseconds_per_second), 1.0, until_offset_};
    }
    /// Crossings are looked for up to `until`.
    void watch_until(std::int64_t until) {
        if (!drives_) return;
        const Moment m = at(until);
        until_e_ = m.e;
        until_offset_ = m.offset;
    }

    /// Adds J times the weights, one for all or one each; calls hot(i) for all that may reach the threshold
    /// up to the end of watching.
    template <class Targets, class Weight, class Hot>
    [[gnu::always_inline]] void deliver(Targets targets, std::size_t n, Weight weights, const Moment& m,
                                        Hot&& hot) {
        const double gain = J_ * m.e;
        double* const c = c_.data();
        if constexpr (std::is_arithmetic_v<Weight>) {
            const double jump = gain * weights;
            if (jump <= 0.0) {
                for (std::size_t k = 0; k < n; ++k) c[targets[k]] += jump;
            } else if (parameters_.distance.one()) {
                const double bound = bound_of(0, m);
                for (std::size_t k = 0; k < n; ++k) {
                    const std::uint32_t i = targets[k];
                    const double now = c[i] += jump;
                    if (now >= bound) [[unlikely]]
                        hot(i);
                }
            } else {
                for (std::size_t k = 0; k < n; ++k) {
                    const std::uint32_t i = targets[k];
                    if ((c[i] += jump) >= bound_of(i, m)) [[unlikely]]
                        hot(i);
                }
            }
        } else {
            const bool one = parameters_.distance.one();
            const double bound = bound_of(0, m);
            for (std::size_t k = 0; k < n; ++k) {
                const std::uint32_t i = targets[k];
                const double now = c[i] += gain * static_cast<double>(weights[k]);
                if (now >= (one ? bound : bound_of(i, m))) [[unlikely]]
                    hot(i);
            }
        }
    }

    /// The same with a weight for every neuron of n from number `first` on; hot ones come in any order.
    template <class W, class Hot>
    void deliver_row(std::uint32_t first, std::uint32_t n, const W* weights, const Moment& m, Hot&& hot) {
        if (!parameters_.distance.one()) return deliver(Neighbours{first}, n, weights, m, hot);
        const double bound = bound_of(0, m);
        std::uint32_t lanes = kernels::add_row_and_compare(c_.data() + first, weights, n, J_ * m.e, bound);
        for (; lanes != 0; lanes &= lanes - 1) {
            for (auto k = static_cast<std::uint32_t>(std::countr_zero(lanes)); k < n;
                 k += kernels::row_lanes) {
                if (c_[first + k] >= bound) hot(first + k);
            }
        }
    }

    /// What depends on time alone, for many times at once.
    template <std::size_t n>
    struct Factors {
        std::array<double, n> e;
        std::array<double, n> offset;

        void of(const DeltaFrame& frame, const std::array<std::int64_t, n>& times, std::size_t count,
                std::int64_t delay) {
            if constexpr (leaks) {
                kernels::exponentials(times.data(), e.data(), count, frame.clock_.origin() - delay,
                                      frame.per_tau_);
            } else {
                if (frame.slope_ == 0.0) return offset.fill(0.0);
                for (std::size_t k = 0; k < count; ++k) offset[k] = frame.at(after(times[k], delay)).offset;
            }
        }
    };
    template <std::size_t n>
    [[nodiscard]] Moment moment(const Factors<n>& f, std::size_t k) const {
        if constexpr (leaks) return {f.e[k], 0.0, until_e_, 0.0};
        return {1.0, f.offset[k], 1.0, until_offset_};
    }
    /// One arrival at the time of factor k; true if the neuron may reach the threshold.
    template <std::size_t n>
    [[nodiscard, gnu::always_inline]] bool add(std::uint32_t i, double weight, const Factors<n>& f,
                                               std::size_t k) {
        const Moment m = moment(f, k);
        const double now = c_[i] += J_ * m.e * weight;
        return J_ * weight > 0.0 && now >= bound_of(i, m);
    }

    [[nodiscard]] bool above(std::uint32_t i, const Moment& m) const {
        return c_[i] >= line(i, m.e, m.offset);
    }
    /// Next crossing without arrivals, at the earliest at `from`; never beyond `until`.
    [[nodiscard]] Instant crossing(std::uint32_t i, const Moment&, std::int64_t, std::int64_t) const {
        const double d = parameters_.distance[i];
        if constexpr (leaks) {
            if (d >= 0.0) return {Time::never(), 0.0};
            return clock_.after_origin(
                std::max(0.0, tau_ * kernels::logarithm(std::clamp(c_[i] / d, 1e-300, 1e300))));
        } else {
            if (slope_ <= 0.0) return {Time::never(), 0.0};
            return clock_.after_origin(std::max(0.0, (d - c_[i]) / slope_));
        }
    }
    /// Calls hot(i) for all that may cross before the end of watching.
    template <class Hot>
    void scan(const Moment& m, Hot&& hot) const {
        constexpr std::uint32_t lanes = 8;
        constexpr std::uint32_t many = 4 * lanes;
        const std::uint32_t n = size();
        if (!parameters_.distance.one()) {
            for (std::uint32_t i = 0; i < n; ++i) {
                if (c_[i] >= bound_of(i, m)) [[unlikely]]
                    hot(i);
            }
            return;
        }
        const double bound = bound_of(0, m);
        const double* const c = c_.data();
        std::uint32_t i = 0;
        for (; i + many <= n; i += many) {  // most of many are all below
            double high[lanes];
            std::copy_n(c + i, lanes, high);
            for (std::uint32_t k = lanes; k < many; k += lanes) {
                for (std::uint32_t l = 0; l < lanes; ++l)
                    high[l] = c[i + k + l] > high[l] ? c[i + k + l] : high[l];
            }
            bool any = false;
            for (const double h : high) any |= h >= bound;
            if (!any) [[likely]]
                continue;
            for (std::uint32_t k = i; k < i + many; ++k) {
                if (c[k] >= bound) hot(k);
            }
        }
        for (; i < n; ++i) {
            if (c[i] >= bound) hot(i);
        }
    }

    /// From a spike on, until release: arrivals vanish.
    void stand(std::uint32_t i) { c_[i] = minus_infinity; }
    /// The potential is at V_reset at the moment m.
    void release(std::uint32_t i, const Moment& m) {
        c_[i] = (parameters_.reset[i] - parameters_.rest[i]) * m.e + m.offset;
    }
    /// The same without asking for the moment where that does not matter.
    void release_at(std::uint32_t i, std::int64_t t, double rest_fs) {
        if (resets_to_rest_)
            c_[i] = 0.0;
        else
            release(i, at(t, rest_fs));
    }
    /// Nobody is above the threshold when released, or crosses it before something arrives.
    [[nodiscard]] bool rests_when_released() const { return resets_below_ && !drives_; }
    void advance_frame() {
        if constexpr (leaks) {
            for (double& c : c_) c = decay_(c);
        } else if (slope_ != 0.0) {
            const double moved = slope_ * clock_.length_seconds();
            for (double& c : c_) c += moved;
        }
        clock_.advance();
    }

    [[nodiscard]] double potential(std::uint32_t i, const Moment& m) const {
        if (stands(i)) return parameters_.reset[i];
        return parameters_.rest[i] + (c_[i] - m.offset) / m.e;
    }

    /// Calls f(name, neuron of the population, coefficient) for all that the state of a piece is made of.
    template <class Self, class F>
    static void each_coefficient(Self& self, const Piece& piece, F&& f) {
        for (std::uint32_t k = 0; k < piece.range.size(); ++k)
            f("c", piece.range.begin + k, self.c_[piece.first + k]);
    }
    void start_frame_at(std::int64_t origin) { clock_.start_at(origin); }

  private:
    static std::vector<double> rests(const std::vector<Constants>& c) {
        std::vector<double> E;
        for (const Constants& k : c) {
            if constexpr (leaks)
                E.push_back(k.E);
            else
                E.push_back(0.0);
        }
        return E;
    }
    static double time_constant(const Constants& c) {
        if constexpr (leaks)
            return c.tau_m;
        else
            return 0.1;
    }
    [[nodiscard]] double line(std::uint32_t i, double e, double offset) const {
        if constexpr (leaks)
            return parameters_.line[i] * e;
        else
            return parameters_.distance[i] + offset;
    }
    /// Below it a neuron cannot cross up to the end of watching.
    [[nodiscard]] double bound_of(std::uint32_t i, const Moment& m) const {
        const double now = line(i, m.e, m.offset);
        return drives_ ? std::min(now, line(i, m.until_e, m.until_offset)) : now;
    }

    FrameParameters<P> parameters_;
    FrameClock clock_;
    double J_;
    double tau_ = 0.0;
    kernels::PerTau per_tau_;
    double slope_ = 0.0;
    Decay decay_;
    bool drives_ = false;
    bool resets_to_rest_ = false;  // all
    bool resets_below_ = false;    // the threshold, all
    double until_e_ = 1.0;
    double until_offset_ = 0.0;
    std::vector<double> c_;
};

/// One exponential synapse, faster than the membrane (CubaLif with tau_syn < tau_m). With a = 1/tau_syn, b =
/// 1/tau_m
///   V - E = A e^{-a x} + B e^{-b x},   A = slope I/(b - a) at the origin;   I >= 0 makes A <= 0.
/// Without arrivals, up to u, V - E stays below (V - E) e^{-bs} if A >= 0, and if A <= 0 below what it would
/// be had the charge that arrives up to u been there at once. In the frame of b a neuron can only cross
/// before u where
///   B + max(A e^{(b-a)x}, A e^{(b-a)u})
/// lies above the line of the threshold, and ever only where B does: as long as there is one of these, all
/// neurons are looked at again at u.
class ExpFrame {
  public:
    using P = neurons::CubaLif;
    using Constants = P::Constants;
    static constexpr bool has_currents = true;

    static bool suits(const std::vector<P>& p, const std::vector<Constants>& c) {
        const auto to_value = [](const P& q) { return q.reset == neurons::Reset::to_value; };
        const auto shared = [&](const Constants& k) {
            return k.a == c[0].a && k.b == c[0].b && k.slope == c[0].slope && k.J == c[0].J;
        };
        // Nearer time constants lose digits in A and B; 64 times shorter ones make frames short.
        return std::all_of(p.begin(), p.end(), to_value) && std::all_of(c.begin(), c.end(), shared) &&
               c[0].slope > 0.0 && c[0].a > 1.01 * c[0].b && c[0].a < 64.0 * c[0].b;
    }

    ExpFrame(const std::vector<P>& p, const std::vector<Constants>& c, std::uint32_t n)
        : parameters_(p, rests(c), n),
          clock_(2.0 / c[0].a),
          constants_(c[0]),
          tau_m_(p[0].tau_m),
          tau_syn_(p[0].tau_syn),
          per_tau_m_(tau_m_),
          per_tau_syn_(tau_syn_),
          per_current_(c[0].slope / (c[0].b - c[0].a)),
          gain_(c[0].J * per_current_),
          decay_a_(clock_.length_seconds(), tau_syn_),
          decay_b_(clock_.length_seconds(), tau_m_) {
        for (std::uint32_t i = 0; i < n; ++i) {
            const auto state = neurons::initial(p[p.size() == 1 ? 0 : i], c[c.size() == 1 ? 0 : i]);
            const double A = per_current_ * state.I;
            coefficients_.push_back({A, state.V - parameters_.rest[i] - A});
        }
        drives_ = parameters_.distance.min() < 0.0;
    }

    struct Moment {
        double ea;
        double eb;
        double ratio;  // eb / ea
        double until_eb;
        double until_ratio;
    };

    [[nodiscard]] const FrameClock& clock() const { return clock_; }
    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(coefficients_.size()); }
    [[nodiscard]] bool drives() const { return drives_; }
    [[nodiscard]] bool may_cross_later() const { return later_; }
    void watch_all() { later_ = true; }
    [[nodiscard]] std::int64_t watch_length() const { return clock_.length() / 8; }
    [[nodiscard]] std::int64_t refractory(std::uint32_t i) const { return parameters_.refractory(i); }
    [[nodiscard]] bool stands(std::uint32_t i) const { return coefficients_[i].B == minus_infinity; }

    [[nodiscard]] Moment at(std::int64_t t, double rest_fs = 0.0) const {
        const double x = clock_.since_origin(t, rest_fs);
        const double ea = kernels::exponential(per_tau_syn_(x));
        const double eb = kernels::exponential(per_tau_m_(x));
        return {ea, eb, eb / ea, until_eb_, until_ratio_};
    }
    void watch_until(std::int64_t until) {
        const Moment m = at(until);
        until_eb_ = m.eb;
        until_ratio_ = m.ratio;
    }

    template <class Targets, class Weight, class Hot>
    [[gnu::always_inline]] void deliver(Targets targets, std::size_t n, Weight weights, const Moment& m,
                                        Hot&& hot) {
        const double gain_a = gain_ * m.ea;
        const double gain_b = -gain_ * m.eb;
        Coefficients* const all = coefficients_.data();
        const bool one = parameters_.distance.one();
        const double bound_of_all = bound_of(0, m);
        bool later = false;
        const auto add = [&](std::uint32_t i, double da, double db) {
            Coefficients& c = all[i];
            const double A = c.A += da;
            const double B = c.B += db;
            const double top = B + std::max(A * m.ratio, A * m.until_ratio);
            const double bound = one ? bound_of_all : bound_of(i, m);
            later |= B >= bound;
            if (db > 0.0 && top >= bound) [[unlikely]]
                hot(i);
        };
        if constexpr (std::is_arithmetic_v<Weight>) {
            const double da = gain_a * weights;
            const double db = gain_b * weights;
            if (db <= 0.0) {
                for (std::size_t k = 0; k < n; ++k) {
                    all[targets[k]].A += da;
                    all[targets[k]].B += db;
                }
            } else {
                for (std::size_t k = 0; k < n; ++k) add(targets[k], da, db);
            }
        } else {
            for (std::size_t k = 0; k < n; ++k) {
                const auto w = static_cast<double>(weights[k]);
                add(targets[k], gain_a * w, gain_b * w);
            }
        }
        later_ |= later;
    }

    template <class W, class Hot>
    void deliver_row(std::uint32_t first, std::uint32_t n, const W* weights, const Moment& m, Hot&& hot) {
        deliver(Neighbours{first}, n, weights, m, hot);
    }

    template <std::size_t n>
    struct Factors {
        std::array<double, n> ea;
        std::array<double, n> eb;
        std::array<double, n> ratio;

        void of(const ExpFrame& frame, const std::array<std::int64_t, n>& times, std::size_t count,
                std::int64_t delay) {
            const std::int64_t origin = frame.clock_.origin() - delay;
            kernels::exponentials(times.data(), ea.data(), count, origin, frame.per_tau_syn_);
            kernels::exponentials(times.data(), eb.data(), count, origin, frame.per_tau_m_);
            for (std::size_t k = 0; k < count; ++k) ratio[k] = eb[k] / ea[k];
        }
    };
    template <std::size_t n>
    [[nodiscard, gnu::always_inline]] Moment moment(const Factors<n>& f, std::size_t k) const {
        return {f.ea[k], f.eb[k], f.ratio[k], until_eb_, until_ratio_};
    }
    template <std::size_t n>
    [[nodiscard, gnu::always_inline]] bool add(std::uint32_t i, double weight, const Factors<n>& f,
                                               std::size_t k) {
        Coefficients& c = coefficients_[i];
        c.A += gain_ * f.ea[k] * weight;
        c.B += -gain_ * f.eb[k] * weight;
        const Moment m = moment(f, k);
        const double bound = bound_of(i, m);
        later_ |= c.B >= bound;
        return gain_ * weight < 0.0 && c.B + std::max(c.A * m.ratio, c.A * m.until_ratio) >= bound;
    }

    [[nodiscard]] bool above(std::uint32_t i, const Moment& m) const {
        const Coefficients& c = coefficients_[i];
        return c.B + c.A * m.ratio >= line(i, m.eb);
    }
    [[nodiscard]] Instant crossing(std::uint32_t i, const Moment& m, std::int64_t from, std::int64_t until) {
        const Instant never{Time::never(), 0.0};
        if (stands(i)) return never;
        later_ |= coefficients_[i].B >= bound_of(i, m);
        const double E = parameters_.rest[i];
        const double V_th = E + parameters_.distance[i];
        const double A = coefficients_[i].A / m.ea;
        const neurons::CubaLif::State state{E + (A + coefficients_[i].B / m.eb), A / per_current_};
        const double horizon = static_cast<double>(until - from) / femtoseconds_per_second;
        const double slope = constants_.slope * state.I - constants_.b * (state.V - E);
        // Rising with I >= 0 is concave: the tangent is a bound.
        if (state.I >= 0.0 && slope > 0.0 && state.V + slope * horizon < V_th) return never;
        neurons::CubaLif::Constants constants = constants_;
        constants.E = E;
        const double s = neurons::next_crossing(constants, state, V_th, horizon);
        return std::isinf(s) ? never : later({Time(Duration(from)), 0.0}, s, Time(Duration(INT64_MAX - 1)));
    }
    template <class Hot>
    void scan(const Moment& m, Hot&& hot) {
        const bool one = parameters_.distance.one();
        const double bound_of_all = bound_of(0, m);
        const std::uint32_t n = size();
        bool later = drives_;
        for (std::uint32_t i = 0; i < n; ++i) {
            const Coefficients c = coefficients_[i];
            const double bound = one ? bound_of_all : bound_of(i, m);
            later |= c.B >= bound;
            if (c.B + std::max(c.A * m.ratio, c.A * m.until_ratio) >= bound) [[unlikely]]
                hot(i);
        }
        later_ = later;
    }

    void stand(std::uint32_t i) { coefficients_[i].B = minus_infinity; }
    void release(std::uint32_t i, const Moment& m) {
        Coefficients& c = coefficients_[i];
        c.B = (parameters_.reset[i] - parameters_.rest[i]) * m.eb - c.A * m.ratio;
    }
    void release_at(std::uint32_t i, std::int64_t t, double rest_fs) { release(i, at(t, rest_fs)); }
    [[nodiscard]] bool rests_when_released() const { return false; }  // its current may lift it
    void advance_frame() {
        for (Coefficients& c : coefficients_) {
            c.A = decay_a_(c.A);
            c.B = decay_b_(c.B);
        }
        clock_.advance();
    }

    [[nodiscard]] double potential(std::uint32_t i, const Moment& m) const {
        if (stands(i)) return parameters_.reset[i];
        return parameters_.rest[i] + (coefficients_[i].A / m.ea + coefficients_[i].B / m.eb);
    }

    template <class Self, class F>
    static void each_coefficient(Self& self, const Piece& piece, F&& f) {
        for (std::uint32_t k = 0; k < piece.range.size(); ++k) {
            f("A", piece.range.begin + k, self.coefficients_[piece.first + k].A);
            f("B", piece.range.begin + k, self.coefficients_[piece.first + k].B);
        }
    }
    void start_frame_at(std::int64_t origin) { clock_.start_at(origin); }

  private:
    struct Coefficients {
        double A;
        double B;
    };
    static std::vector<double> rests(const std::vector<Constants>& c) {
        std::vector<double> E;
        for (const Constants& k : c) E.push_back(k.E);
        return E;
    }
    [[nodiscard]] double line(std::uint32_t i, double eb) const { return parameters_.line[i] * eb; }
    [[nodiscard]] double bound_of(std::uint32_t i, const Moment& m) const {
        const double now = line(i, m.eb);
        return drives_ ? std::min(now, line(i, m.until_eb)) : now;
    }

    FrameParameters<P> parameters_;
    FrameClock clock_;
    Constants constants_;  // E apart
    double tau_m_;
    double tau_syn_;
    kernels::PerTau per_tau_m_;
    kernels::PerTau per_tau_syn_;
    double per_current_;  // A per I
    double gain_;         // A per weight
    Decay decay_a_;
    Decay decay_b_;
    bool drives_ = false;
    double until_eb_ = 1.0;
    double until_ratio_ = 0.0;
    bool later_ = true;  // some B may lie above the line
    std::vector<Coefficients> coefficients_;
};

}  // namespace saltus
