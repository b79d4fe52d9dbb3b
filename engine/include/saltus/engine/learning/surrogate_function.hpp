// What stands for the derivative of a spike, which is 0 or 1: a bump of the excess x over the threshold. a is
// the slope, h the peak.
//
//   sigmoid          h 4 s(ax) s(-ax), s the logistic function
//   atan             h / (1 + (ax)^2)
//   fast_sigmoid     h / (1 + |ax|)^2
//   circle           h / (1 + (ax)^2)^(3/2)
//   triangle         h max(0, 1 - |ax|)                       of bounded support
//   box              h where |ax| <= 1                        of bounded support
//   window           h where ax >= -1
//   exponential      h exp(-a |x - centre|)
//   gaussian, erf    h exp(-(ax)^2)
//   multi_gaussian   h (1.15 g(x; 0, s) - 0.15 g(x; -s, 6 s) - 0.15 g(x; s, 6 s)), g normal, s = 1 / a
//   periodic         h exp(-a |x|) below the threshold; above it h exp(-a' d), d the distance to the nearest
//                    whole number, a' = slope_above
//   sign             h below the threshold, -h from it on
//
// Presets are what tools multiply with, and their names ("norse", "snntorch.atan", ...). Tools whose neurons
// count spikes have thresholds of 1 here. Sources: Neftci, Mostafa, Zenke 2019; Zenke, Ganguli 2018; Fang et
// al. 2021; tests/conformance/surrogate holds each against its tool.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace saltus::learning {

struct SurrogateFunction {
    enum class Kind {
        sigmoid,
        atan,
        fast_sigmoid,
        circle,
        triangle,
        box,
        window,
        exponential,
        gaussian,
        multi_gaussian,
        periodic,
        sign,
    };

    Kind kind = Kind::sigmoid;
    double slope = 10.0;
    double peak = 0.25;
    double centre = 0.0;       // exponential
    double slope_above = 0.0;  // periodic

    /// Throws UsageError for numbers that are not finite, or a slope below 0.
    void check() const;
    [[nodiscard]] double derivative(double excess) const;
    /// It is 0 away from the threshold, on both sides: what reaches a neuron that is far from it need not be
    /// told.
    [[nodiscard]] bool bounded() const { return kind == Kind::triangle || kind == Kind::box; }
};

/// A preset, or a kind with slope 1 and peak 1. Throws UsageError with the nearest known name.
[[nodiscard]] SurrogateFunction surrogate_function(std::string_view name);
[[nodiscard]] std::string_view kind_name(SurrogateFunction::Kind kind);
[[nodiscard]] std::span<const std::pair<std::string_view, SurrogateFunction>> surrogate_presets();

}  // namespace saltus::learning
