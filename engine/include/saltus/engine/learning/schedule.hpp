// The learning rate over a training: a factor of the rate that the user gave, as a function of how far the
// training is. x is that fraction of `epochs`, e the number of epochs done, both with their fractions.
//
//   constant     1
//   step         gamma ^ floor(e / period)
//   exponential  gamma ^ e
//   cosine       last + (1 - last) (1 + cos(pi x)) / 2          (Loshchilov, Hutter 2017, without restarts)
//   linear       1 + (last - 1) x
//
// During the first `warmup` epochs it is multiplied by e / warmup; the first mini-batch counts as done.
#pragma once

#include <string_view>

namespace saltus::learning {

struct Schedule {
    enum class Kind { constant, step, exponential, cosine, linear };

    Kind kind = Kind::constant;
    double gamma = 0.5;    // step, exponential
    double period = 10.0;  // step: epochs
    double last = 0.0;     // cosine, linear: the factor at the end
    double warmup = 0.0;   // epochs

    /// Throws UsageError for parameters out of their range.
    void check() const;
    [[nodiscard]] double factor(double epochs_done, double epochs) const;
};

/// "constant", "step", "exponential", "cosine", "linear". Throws UsageError.
[[nodiscard]] Schedule::Kind schedule_kind(std::string_view name);
[[nodiscard]] std::string_view schedule_name(Schedule::Kind kind);

}  // namespace saltus::learning
