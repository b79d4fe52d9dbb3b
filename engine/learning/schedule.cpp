#include "saltus/engine/learning/schedule.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>

#include "saltus/engine/errors.hpp"

namespace saltus::learning {

namespace {

constexpr std::array<std::string_view, 5> names{"constant", "step", "exponential", "cosine", "linear"};

void check_one(const char* name, bool good, const char* expected, double found) {
    if (!good) {
        throw UsageError(std::string("schedule, ") + name + ": expected " + expected + ", found " +
                         shown(found) + ".");
    }
}

}  // namespace

std::string_view schedule_name(Schedule::Kind kind) {
    return names[static_cast<std::size_t>(kind)];
}

Schedule::Kind schedule_kind(std::string_view name) {
    for (std::size_t k = 0; k < names.size(); ++k) {
        if (names[k] == name) return static_cast<Schedule::Kind>(k);
    }
    throw UsageError("schedule: expected constant, step, exponential, cosine or linear, found " +
                     quoted(name) + "." + did_you_mean(name, names));
}

void Schedule::check() const {
    check_one("gamma", gamma > 0.0 && std::isfinite(gamma), "> 0", gamma);
    check_one("period", period > 0.0 && std::isfinite(period), "> 0", period);
    check_one("last", last >= 0.0 && std::isfinite(last), ">= 0", last);
    check_one("warmup", warmup >= 0.0 && std::isfinite(warmup), ">= 0", warmup);
}

double Schedule::factor(double epochs_done, double epochs) const {
    const double x = epochs > 0.0 ? std::min(epochs_done / epochs, 1.0) : 0.0;
    double factor = 1.0;
    switch (kind) {
        case Kind::constant:
            break;
        case Kind::step:
            factor = std::pow(gamma, std::floor(epochs_done / period));
            break;
        case Kind::exponential:
            factor = std::pow(gamma, epochs_done);
            break;
        case Kind::cosine:
            factor = last + (1.0 - last) * 0.5 * (1.0 + std::cos(std::numbers::pi * x));
            break;
        case Kind::linear:
            factor = 1.0 + (last - 1.0) * x;
            break;
    }
    return epochs_done < warmup ? factor * epochs_done / warmup : factor;
}

}  // namespace saltus::learning
