#include "saltus/engine/learning/gradient_learner.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "saltus/engine/errors.hpp"

namespace saltus::learning {

namespace {

void check(const char* name, bool good, const char* expected, double found) {
    if (!good) {
        throw UsageError(std::string(name) + ": expected " + expected + ", found " + shown(found) + ".");
    }
}

}  // namespace

GradientLearner::GradientLearner(std::shared_ptr<Rule> rule, const GradientLearnerOptions& options)
    : rule_(std::move(rule)),
      options_(options),
      parameters_(rule_->initial()),
      gradient_(parameters_.size(), 0.0),
      optimizer_(options.optimizer, parameters_.size()) {
    check("learning rate", options.learning_rate > 0.0 && std::isfinite(options.learning_rate), "> 0",
          options.learning_rate);
    check("largest norm of the gradient", options.largest_norm > 0.0, "> 0", options.largest_norm);
    check("largest element of the gradient", options.largest_element > 0.0, "> 0", options.largest_element);
    check("averaging", options.averaging >= 0.0 && options.averaging < 1.0, "0 <= x < 1", options.averaging);
    if (options.averaging > 0.0) averaged_ = parameters_;
}

Tally GradientLearner::learn(std::span<const std::uint64_t> batch, double rate_factor, unsigned threads) {
    rule_->begin_step(optimizer_.steps());
    Tally tally;
    try {
        tally = rule_->gradient(parameters_, batch, gradient_, threads);
    } catch (...) {
        std::fill(gradient_.begin(), gradient_.end(), 0.0);
        throw;
    }
    double factor = 1.0 / static_cast<double>(std::max<std::size_t>(batch.size(), 1));
    if (std::isfinite(options_.largest_element)) {
        const double largest = options_.largest_element / factor;
        for (double& g : gradient_) g = std::clamp(g, -largest, largest);
    }
    if (std::isfinite(options_.largest_norm)) {
        double squares = 0.0;
        for (const double g : gradient_) squares += g * g;
        const double norm = std::sqrt(squares) * factor;
        if (norm > options_.largest_norm) factor *= options_.largest_norm / norm;
    }
    step(factor, rate_factor, threads);
    return tally;
}

void GradientLearner::step(double gradient_factor, double rate_factor, unsigned threads) {
    optimizer_.advance();
    const auto t = static_cast<double>(optimizer_.steps());
    const double taken = std::max(1.0 - options_.averaging, 1.0 / t);
    std::size_t begin = 0;
    for (const ParameterGroup& group : rule_->groups()) {
        const double rate = options_.learning_rate * rate_factor * group.rate;
        const bool bounded = std::isfinite(group.lower) || std::isfinite(group.upper);
        for_each_block((group.size + group.block - 1) / group.block, threads, [&](std::size_t b) {
            const std::size_t first = begin + b * group.block;
            const std::size_t n = std::min(group.block, begin + group.size - first);
            const std::span<double> part(parameters_.data() + first, n);
            for (std::size_t k = first; k < first + n; ++k) gradient_[k] *= gradient_factor;
            optimizer_.update(first, part, {gradient_.data() + first, n}, rate, group.decays);
            std::fill_n(gradient_.begin() + static_cast<std::ptrdiff_t>(first), n, 0.0);
            if (bounded) {
                for (double& w : part) w = std::clamp(w, group.lower, group.upper);
            }
            if (averaged_.empty()) return;
            for (std::size_t k = first; k < first + n; ++k) {
                averaged_[k] += taken * (parameters_[k] - averaged_[k]);
            }
        });
        begin += group.size;
    }
}

Tally GradientLearner::measure(std::span<const std::uint64_t> samples, unsigned threads) {
    return rule_->measure(parameters(), samples, threads);
}

Asked GradientLearner::asked() const {
    Asked asked = rule_->asked();
    const OptimizerOptions& optimizer = options_.optimizer;
    asked["optimizer"] = optimizer_name(optimizer.kind);
    asked["momentum"] = shown(optimizer.momentum);
    asked["weight decay"] = shown(optimizer.weight_decay);
    asked["learning rate"] = shown(options_.learning_rate);
    asked["averaging"] = shown(options_.averaging);
    asked["largest norm of the gradient"] = shown(options_.largest_norm);
    asked["largest element of the gradient"] = shown(options_.largest_element);
    return asked;
}

LearnerState GradientLearner::state() const {
    return {{"parameters", parameters_},
            {"averaged", averaged_},
            {"optimizer/steps", {static_cast<double>(optimizer_.steps())}},
            {"optimizer/first_moment", optimizer_.first_moment()},
            {"optimizer/second_moment", optimizer_.second_moment()}};
}

void GradientLearner::restore(const LearnerState& state) {
    const std::vector<double>& parameters = entry(state, "parameters", parameters_.size());
    const std::vector<double>& averaged = entry(state, "averaged", averaged_.size());
    const auto steps = static_cast<std::uint64_t>(entry(state, "optimizer/steps", 1)[0]);
    optimizer_.restore(steps, entry(state, "optimizer/first_moment", optimizer_.first_moment().size()),
                       entry(state, "optimizer/second_moment", optimizer_.second_moment().size()));
    parameters_ = parameters;
    averaged_ = averaged;
}

}  // namespace saltus::learning
