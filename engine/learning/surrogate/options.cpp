#include "options.hpp"

#include <cmath>

#include "saltus/engine/digest.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::learning::surrogate {

void check(const SurrogateOptions& options) {
    options.function.check();
    if (!std::isfinite(options.activity) || options.activity < 0.0) {
        throw UsageError("activity: expected >= 0, found " + shown(options.activity) + ".");
    }
}

Asked asked(const SurrogateOptions& options, const FrameSet& samples) {
    const SurrogateFunction& f = options.function;
    const FrameLayout& layout = samples.layout();
    Digest labels;
    labels.numbers(samples.labels());
    return {{"frames", std::to_string(layout.steps) + " steps of " + to_string(layout.dt) + ", shape " +
                           to_string(layout.shape)},
            {"labels", std::to_string(labels.value())},
            {"surrogate", std::string(kind_name(f.kind)) + ", slope " + shown(f.slope) + ", peak " +
                              shown(f.peak) + ", centre " + shown(f.centre) + ", slope above " +
                              shown(f.slope_above)},
            {"activity", shown(options.activity)},
            {"truncate", std::to_string(options.truncate)},
            {"detach_reset", options.detach_reset ? "true" : "false"},
            {"precision", options.precision == SurrogateOptions::Precision::float32 ? "float32" : "float64"}};
}

}  // namespace saltus::learning::surrogate
