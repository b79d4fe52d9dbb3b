#include "saltus/engine/learning/surrogate_function.hpp"

#include <array>
#include <numbers>
#include <vector>

#include "derivative.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::learning {

namespace {

using F = SurrogateFunction;
using Kind = F::Kind;
using std::numbers::inv_sqrtpi;
using std::numbers::pi;

constexpr std::array<std::pair<std::string_view, Kind>, 13> kinds{{
    {"sigmoid", Kind::sigmoid},
    {"atan", Kind::atan},
    {"fast_sigmoid", Kind::fast_sigmoid},
    {"circle", Kind::circle},
    {"triangle", Kind::triangle},
    {"box", Kind::box},
    {"window", Kind::window},
    {"exponential", Kind::exponential},
    {"gaussian", Kind::gaussian},
    {"multi_gaussian", Kind::multi_gaussian},
    {"periodic", Kind::periodic},
    {"sign", Kind::sign},
    {"erf", Kind::gaussian},
}};

constexpr double normal_peak = inv_sqrtpi / std::numbers::sqrt2;

constexpr std::array<std::pair<std::string_view, F>, 33> presets{{
    {"s2net", F{Kind::sigmoid, 10.0, 0.25}},
    {"norse", F{Kind::fast_sigmoid, 1.0, 1.0}},
    {"norse.super", F{Kind::fast_sigmoid, 1.0, 1.0}},
    {"norse.triangle", F{Kind::triangle, 1.0, 0.3}},
    {"norse.tanh", F{Kind::sigmoid, 2.0, 1.0}},
    {"norse.heavi_erfc", F{Kind::gaussian, 1.0, 2.0 * inv_sqrtpi}},
    {"norse.circ", F{Kind::circle, 1.0, 1.0}},
    {"snntorch", F{Kind::atan, pi, 1.0}},
    {"snntorch.atan", F{Kind::atan, pi, 1.0}},
    {"snntorch.fast_sigmoid", F{Kind::fast_sigmoid, 25.0, 1.0}},
    {"snntorch.sigmoid", F{Kind::sigmoid, 25.0, 6.25}},
    {"snntorch.spike_rate_escape", F{Kind::exponential, 1.0, 25.0, 1.0}},
    {"snntorch.straight_through", F{Kind::exponential, 0.0, 1.0}},
    {"snntorch.triangular", F{Kind::sign, 1.0, 1.0}},
    {"spikingjelly", F{Kind::sigmoid, 4.0, 1.0}},
    {"spikingjelly.sigmoid", F{Kind::sigmoid, 4.0, 1.0}},
    {"spikingjelly.atan", F{Kind::atan, pi, 1.0}},
    {"spikingjelly.super_spike", F{Kind::fast_sigmoid, 1.0, 1.0}},
    {"spikingjelly.soft_sign", F{Kind::fast_sigmoid, 2.0, 1.0}},
    {"spikingjelly.piecewise_quadratic", F{Kind::triangle, 1.0, 1.0}},
    {"spikingjelly.piecewise_exp", F{Kind::exponential, 1.0, 0.5}},
    {"spikingjelly.erf", F{Kind::gaussian, 2.0, 2.0 * inv_sqrtpi}},
    {"sinabs", F{Kind::exponential, 2.0, 2.0}},
    {"sinabs.single_exponential", F{Kind::exponential, 2.0, 2.0}},
    {"sinabs.periodic_exponential", F{Kind::periodic, 2.0, 1.0, 0.0, 4.0}},
    {"sinabs.heaviside", F{Kind::window, 1.0, 1.0}},
    {"sinabs.gaussian", F{Kind::gaussian, std::numbers::sqrt2, 2.0 * normal_peak}},
    {"sinabs.multi_gaussian", F{Kind::multi_gaussian, 2.0, 1.0}},
    {"rockpool", F{Kind::window, 2.0, 1.0}},
    {"rockpool.step_pwl", F{Kind::window, 2.0, 1.0}},
    {"rockpool.periodic_exponential", F{Kind::periodic, 2.0, 1.0, 0.0, 2.0}},
    {"slayer", F{Kind::exponential, 0.01, 5e-4}},
    {"super_spike", F{Kind::fast_sigmoid, 10.0, 1.0}},
}};

}  // namespace

void SurrogateFunction::check() const {
    for (const double x : {slope, peak, centre, slope_above}) {
        if (!std::isfinite(x))
            throw UsageError("surrogate: expected finite numbers, found " + shown(x) + ".");
    }
    if (slope < 0.0 || slope_above < 0.0) {
        throw UsageError("surrogate, slope: expected >= 0, found " + shown(std::min(slope, slope_above)) +
                         ".");
    }
}

double SurrogateFunction::derivative(double excess) const {
    double result = 0.0;
    with_derivative<double>(*this, [&](auto d) { result = d(excess); });
    return result;
}

SurrogateFunction surrogate_function(std::string_view name) {
    for (const auto& [known, f] : presets) {
        if (known == name) return f;
    }
    for (const auto& [known, kind] : kinds) {
        if (known == name) return {kind, 1.0, 1.0};
    }
    std::vector<std::string_view> names;
    for (const auto& entry : presets) names.push_back(entry.first);
    for (const auto& entry : kinds) names.push_back(entry.first);
    throw UsageError("surrogate: expected a preset such as 's2net' or a kind such as 'triangle', found " +
                     quoted(name) + "." + did_you_mean(name, names));
}

std::string_view kind_name(SurrogateFunction::Kind kind) {
    for (const auto& [name, known] : kinds) {
        if (known == kind) return name;
    }
    return "";
}

std::span<const std::pair<std::string_view, SurrogateFunction>> surrogate_presets() {
    return presets;
}

}  // namespace saltus::learning
