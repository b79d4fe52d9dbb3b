#include "saltus/engine/connectivity.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "saltus/engine/errors.hpp"

namespace saltus {

namespace {

constexpr double shortest_delay = 1e-15;   // the tick
constexpr double longest_delay = 9'223.0;  // [s], as far as time goes
constexpr double rarest = 1e-3;            // share of the draws that bounds must leave
constexpr std::uint64_t most_synapses = std::uint64_t{1} << 48;

/// Checks one distribution of a rule.
class DistributionChecks {
  public:
    DistributionChecks(const std::string& node, const char* field, const Distribution& d)
        : node_(node), field_(field), d_(d) {}

    void weight() const { shape(false); }
    void delay() const {
        shape(true);
        switch (d_.kind) {
            case Distribution::Kind::constant:
                possible_delay("", d_.value);
                return;
            case Distribution::Kind::normal:
                finite("low", d_.low);
                finite("high", d_.high);
                [[fallthrough]];
            case Distribution::Kind::uniform:
            case Distribution::Kind::uniform_grid:
                possible_delay("low: ", d_.low);
                possible_delay("high: ", d_.high);
                if (d_.step > 0.0 && d_.step < shortest_delay)
                    throw refused("step: expected at least one tick, 1e-15 s", d_.step);
        }
    }

  private:
    NetworkError refused(const std::string& expected, double found) const {
        return {node_, field_, expected + ", found " + shown(found) + "."};
    }
    void finite(const std::string& what, double x) const {
        if (!std::isfinite(x)) throw refused(what + ": expected a finite number", x);
    }
    void possible_delay(const std::string& what, double x) const {
        if (x < 0.0) throw refused(what + "expected >= 0 s", x);
        if (x > 0.0 && x < shortest_delay)
            throw refused(what + "expected 0 or at least one tick of time, 1e-15 s", x);
        if (x > longest_delay) throw refused(what + "expected at most " + shown(longest_delay) + " s", x);
    }

    void shape(bool is_delay) const {
        switch (d_.kind) {
            case Distribution::Kind::constant:
                if (!std::isfinite(d_.value)) throw refused("expected a finite number", d_.value);
                return;
            case Distribution::Kind::uniform:
            case Distribution::Kind::uniform_grid:
                finite("low", d_.low);
                finite("high", d_.high);
                if (!(d_.low <= d_.high)) throw refused("high: expected >= low, " + shown(d_.low), d_.high);
                finite("high - low", d_.high - d_.low);
                if (d_.kind == Distribution::Kind::uniform_grid) grid();
                return;
            case Distribution::Kind::normal:
                finite("mean", d_.value);
                if (!(std::isfinite(d_.sd) && d_.sd >= 0.0)) throw refused("sd: expected >= 0", d_.sd);
                if (!(std::isfinite(d_.step) && d_.step >= 0.0))
                    throw refused("step: expected >= 0", d_.step);
                bounds(is_delay);
        }
    }

    void grid() const {
        if (!(std::isfinite(d_.step) && d_.step > 0.0)) throw refused("step: expected > 0", d_.step);
        const double steps = (d_.high - d_.low) / d_.step;
        if (!(steps < 0x1p53)) throw refused("step: expected less than 2^53 values", d_.step);
        if (std::abs(steps - std::round(steps)) > 1e-6)
            throw refused("step: expected a whole number of steps from low to high", d_.step);
    }

    /// A normal draw lands within the bounds often enough that drawing again ends.
    void bounds(bool is_delay) const {
        double low = d_.low;
        double high = d_.high;
        const double step = d_.step > 0.0 ? d_.step : is_delay ? shortest_delay : 0.0;
        if (step > 0.0) {  // every draw that rounds to a multiple within them
            low = (std::ceil(low / step - 1e-6) - 0.5) * step;
            high = (std::floor(high / step + 1e-6) + 0.5) * step;
        }
        const auto below = [&](double x) {
            if (d_.sd == 0.0) return x >= d_.value ? 1.0 : 0.0;
            return 0.5 * std::erfc(-(x - d_.value) / (d_.sd * std::sqrt(2.0)));
        };
        const bool any = step == 0.0 || low < high;  // a multiple of the step lies within them
        const bool inside =
            any && (d_.sd == 0.0 ? low <= d_.value && d_.value <= high : below(high) - below(low) >= rarest);
        if (!inside) {
            throw NetworkError(node_, field_,
                               "low, high: expected bounds within which a draw falls at least once in 1000, "
                               "found [" +
                                   shown(d_.low) + ", " + shown(d_.high) + "] around the mean " +
                                   shown(d_.value) + " with sd " + shown(d_.sd) +
                                   (d_.step > 0.0 ? ", in steps of " + shown(d_.step) : "") + ".");
        }
    }

    const std::string& node_;
    const char* field_;
    const Distribution& d_;
};

void check_number(const std::string& node, const char* field, std::uint64_t number, std::uint64_t candidates,
                  bool multapses, const char* what) {
    const auto refused = [&](const std::string& expected) {
        return NetworkError(node, field, "expected " + expected + ", found " + std::to_string(number) + ".");
    };
    if (number > 0 && candidates == 0)
        throw refused(std::string("0, as there are no ") + what + " without autapses");
    if (!multapses && number > candidates)
        throw refused("at most the " + std::to_string(candidates) + " " + what + ", as multapses are off");
}

}  // namespace

Distribution Distribution::constant(double value) {
    return {Kind::constant, value};
}
Distribution Distribution::uniform(double low, double high, double step) {
    return {step == 0.0 ? Kind::uniform : Kind::uniform_grid, 0.0, 0.0, low, high, step};
}
Distribution Distribution::normal(double mean, double sd, double low, double high, double step) {
    return {Kind::normal, mean, sd, low, high, step};
}

std::string_view rule_name(Rule::Kind kind) {
    switch (kind) {
        case Rule::Kind::all_to_all:
            return "all_to_all";
        case Rule::Kind::one_to_one:
            return "one_to_one";
        case Rule::Kind::fixed_indegree:
            return "fixed_indegree";
        case Rule::Kind::fixed_outdegree:
            return "fixed_outdegree";
        case Rule::Kind::fixed_total_number:
            return "fixed_total_number";
        case Rule::Kind::bernoulli:
            return "bernoulli";
    }
    return "";
}

void check_rule(const std::string& projection, const Rule& rule) {
    const auto refused = [&](const char* field, const std::string& text) {
        return NetworkError(projection, field, text);
    };
    if (rule.inputs == 0 || rule.outputs == 0)
        throw refused("rule", "expected at least one neuron on each side, found none.");
    if (!rule.autapses && rule.inputs != rule.outputs) {
        throw refused("autapses", "they exist within one population only; found " +
                                      std::to_string(rule.inputs) + " sources and " +
                                      std::to_string(rule.outputs) + " targets. Leave them on.");
    }
    const std::uint64_t self = rule.autapses ? 0 : 1;
    const std::uint64_t sources = rule.inputs - self;
    const std::uint64_t targets = rule.outputs - self;
    switch (rule.kind) {
        case Rule::Kind::all_to_all:
            break;
        case Rule::Kind::one_to_one:
            if (rule.inputs != rule.outputs) {
                throw refused("rule", "one_to_one: expected as many targets as the " +
                                          std::to_string(rule.inputs) + " sources, found " +
                                          std::to_string(rule.outputs) + ".");
            }
            if (!rule.autapses) throw refused("autapses", "one_to_one without autapses connects nothing.");
            break;
        case Rule::Kind::fixed_indegree:
            check_number(projection, "k", rule.number, sources, rule.multapses, "sources");
            break;
        case Rule::Kind::fixed_outdegree:
            check_number(projection, "k", rule.number, targets, rule.multapses, "targets");
            break;
        case Rule::Kind::fixed_total_number:
            check_number(projection, "N", rule.number, sources * rule.outputs, rule.multapses, "pairs");
            break;
        case Rule::Kind::bernoulli:
            if (!(rule.probability >= 0.0 && rule.probability <= 1.0))
                throw refused("p", "expected 0 to 1, found " + shown(rule.probability) + ".");
            break;
    }
    if (rule.number > most_synapses || synapse_count(rule) > most_synapses) {
        throw refused("rule", "expected at most " + std::to_string(most_synapses) +
                                  " synapses of one projection, found more.");
    }
    DistributionChecks(projection, "weight", rule.weight).weight();
    DistributionChecks(projection, "delay", rule.delay).delay();
    if (!rule.procedural) return;
    if (!is_drawn_by_source(rule.kind)) {
        throw refused("procedural",
                      std::string(rule_name(rule.kind)) +
                          " draws the sources of each target, and what a spike brings cannot be drawn "
                          "by itself. Use fixed_outdegree or bernoulli, or leave it off.");
    }
    const std::uint64_t most =
        std::min<std::uint64_t>(1u << 16, std::numeric_limits<std::uint32_t>::max() / rule.inputs);
    if (number_of_delays(rule) > most) {
        throw refused("procedural", "expected at most " + std::to_string(most) + " different delays with " +
                                        std::to_string(rule.inputs) + " sources, found " +
                                        std::to_string(number_of_delays(rule)) +
                                        ". Give the delays a coarser step, or leave it off.");
    }
}

void check_distribution(const std::string& node, const std::string& field, const Distribution& distribution) {
    DistributionChecks(node, field.c_str(), distribution).weight();
}

bool is_drawn_by_source(Rule::Kind kind) {
    return kind != Rule::Kind::fixed_indegree && kind != Rule::Kind::fixed_total_number;
}

std::uint64_t synapse_count(const Rule& rule) {
    const std::uint64_t diagonal = rule.autapses ? 0 : rule.outputs;
    const std::uint64_t pairs = std::uint64_t{rule.inputs} * rule.outputs - diagonal;
    const auto times = [&](std::uint64_t neurons) {
        std::uint64_t product = 0;
        if (__builtin_mul_overflow(rule.number, neurons, &product))
            return std::numeric_limits<std::uint64_t>::max();
        return product;
    };
    switch (rule.kind) {
        case Rule::Kind::all_to_all:
            return pairs;
        case Rule::Kind::one_to_one:
            return rule.outputs;
        case Rule::Kind::fixed_indegree:
            return times(rule.outputs);
        case Rule::Kind::fixed_outdegree:
            return times(rule.inputs);
        case Rule::Kind::fixed_total_number:
            return rule.number;
        case Rule::Kind::bernoulli:
            return static_cast<std::uint64_t>(std::round(rule.probability * static_cast<double>(pairs)));
    }
    return 0;
}

}  // namespace saltus
