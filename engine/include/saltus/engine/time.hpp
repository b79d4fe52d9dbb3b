// Time of the exact clock: a whole number of femtoseconds.
//
// Sums of times and delays are then exact and associative, so arrivals that coincide on paper coincide in the
// machine, on every machine and for any number of threads. The range of an int64 is 9223.37 s; sums that
// leave it are refused.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace saltus {

namespace detail {
/// a + b; throws LimitError where the sum leaves the range of an int64.
[[nodiscard]] std::int64_t checked_sum(std::int64_t a, std::int64_t b);
[[nodiscard]] std::int64_t checked_difference(std::int64_t a, std::int64_t b);
}  // namespace detail

inline constexpr double femtoseconds_per_second = 1e15;

/// A span of time; may be negative.
class Duration {
  public:
    constexpr Duration() = default;
    constexpr explicit Duration(std::int64_t femtoseconds) : femtoseconds_(femtoseconds) {}

    [[nodiscard]] constexpr std::int64_t femtoseconds() const { return femtoseconds_; }
    [[nodiscard]] constexpr double seconds() const {
        return static_cast<double>(femtoseconds_) / femtoseconds_per_second;
    }
    /// Largest span, 9223.37 s.
    [[nodiscard]] static constexpr Duration max() { return Duration(INT64_MAX); }

    friend constexpr auto operator<=>(Duration, Duration) = default;
    friend Duration operator+(Duration a, Duration b) {
        return Duration(detail::checked_sum(a.femtoseconds_, b.femtoseconds_));
    }
    friend Duration operator-(Duration a, Duration b) {
        return Duration(detail::checked_difference(a.femtoseconds_, b.femtoseconds_));
    }

  private:
    std::int64_t femtoseconds_ = 0;
};

/// An instant, counted from the start of the run.
class Time {
  public:
    constexpr Time() = default;
    constexpr explicit Time(Duration since_start) : since_start_(since_start) {}

    [[nodiscard]] constexpr Duration since_start() const { return since_start_; }
    [[nodiscard]] constexpr std::int64_t femtoseconds() const { return since_start_.femtoseconds(); }
    [[nodiscard]] constexpr double seconds() const { return since_start_.seconds(); }
    /// Later than every instant of a run: "never".
    [[nodiscard]] static constexpr Time never() { return Time(Duration::max()); }

    friend constexpr auto operator<=>(Time, Time) = default;
    friend Time operator+(Time t, Duration d) { return Time(t.since_start_ + d); }
    friend Time operator-(Time t, Duration d) { return Time(t.since_start_ - d); }
    friend Duration operator-(Time a, Time b) { return a.since_start_ - b.since_start_; }

  private:
    Duration since_start_;
};

/// The span nearest to `seconds`. Throws UsageError for NaN, LimitError beyond the range; `what` names the
/// quantity in the message, for example "duration".
[[nodiscard]] Duration duration_from_seconds(double seconds, std::string_view what = "duration");

/// Reads a decimal number with a unit (`250us`, `1.5ms`, `2s`; units fs, ps, ns, us, ms, s, min, h), exactly:
/// no floating point is involved. Throws UsageError for anything else (a bare number has no unit) and for a
/// value that is not a whole number of femtoseconds, LimitError beyond the range.
[[nodiscard]] Duration parse_duration(std::string_view text);

/// Shortest form that parse_duration reads back: the largest unit that leaves at most three digits before the
/// point.
[[nodiscard]] std::string to_string(Duration duration);

}  // namespace saltus
