#include "saltus/engine/learning/optimizer.hpp"

#include <array>
#include <cmath>
#include <string>

#include "saltus/engine/errors.hpp"
#include "simulation/kernels.hpp"

namespace saltus::learning {

namespace {

constexpr std::array<std::string_view, 4> names{"sgd", "adam", "adamw", "radam"};

void check(const char* name, double x, double low, double high) {
    if (!(x >= low && x < high)) {
        throw UsageError(std::string("optimizer, ") + name + ": expected " + shown(low) + " <= x" +
                         (std::isinf(high) ? "" : " < " + shown(high)) + ", found " + shown(x) + ".");
    }
}

}  // namespace

OptimizerOptions::Kind optimizer_kind(std::string_view name) {
    for (std::size_t k = 0; k < names.size(); ++k) {
        if (names[k] == name) return static_cast<OptimizerOptions::Kind>(k);
    }
    throw UsageError("optimizer: expected sgd, adam, adamw or radam, found " + quoted(name) + "." +
                     did_you_mean(name, names));
}

std::string_view optimizer_name(OptimizerOptions::Kind kind) {
    return names[static_cast<std::size_t>(kind)];
}

Optimizer::Optimizer(const OptimizerOptions& options, std::size_t parameters) : options_(options) {
    check("momentum", options.momentum, 0.0, 1.0);
    check("beta_1", options.beta_1, 0.0, 1.0);
    check("beta_2", options.beta_2, 0.0, 1.0);
    check("epsilon", options.epsilon, 0.0, INFINITY);
    check("weight_decay", options.weight_decay, 0.0, INFINITY);
    if (options.decoupled && options.kind != OptimizerOptions::Kind::radam) {
        throw UsageError("decoupled weight decay: expected with radam only (of adam: adamw).");
    }
    const bool moments = options.kind != OptimizerOptions::Kind::sgd;
    if (moments || options.momentum > 0.0) first_.assign(parameters, 0.0);
    if (moments) second_.assign(parameters, 0.0);
}

void Optimizer::advance() {
    ++steps_;
    prepare();
}

void Optimizer::prepare() {
    const auto t = static_cast<double>(steps_);
    const double beta_t = std::pow(options_.beta_2, t);
    mean_factor_ = 1.0 / (1.0 - std::pow(options_.beta_1, t));
    root_factor_ = 1.0 / std::sqrt(1.0 - beta_t);
    adaptive_ = true;
    if (options_.kind != OptimizerOptions::Kind::radam) return;
    const double rho = 2.0 / (1.0 - options_.beta_2) - 1.0;
    const double rho_t = rho - 2.0 * t * beta_t / (1.0 - beta_t);
    adaptive_ = rho_t > 5.0;
    if (adaptive_) {
        mean_factor_ *= std::sqrt((rho_t - 4.0) * (rho_t - 2.0) * rho / ((rho - 4.0) * (rho - 2.0) * rho_t));
    }
}

namespace {

/// What a step of the adaptive kinds needs beside the arrays.
struct Adaptive {
    double b1;
    double b2;
    double added;  // decay that is part of the gradient
    double kept;   // factor of the parameters before the step
    double rate;
    double root_factor;
    double epsilon;
};

SALTUS_VECTOR_VERSIONS
void adaptive_step(double* __restrict w, const double* __restrict g, double* __restrict m,
                   double* __restrict v, std::size_t n, const Adaptive a) {
#pragma omp simd
    for (std::size_t k = 0; k < n; ++k) {
        const double slope = g[k] + a.added * w[k];
        m[k] = a.b1 * m[k] + (1.0 - a.b1) * slope;
        v[k] = a.b2 * v[k] + (1.0 - a.b2) * slope * slope;
        w[k] = a.kept * w[k] - a.rate * m[k] / (std::sqrt(v[k]) * a.root_factor + a.epsilon);
    }
}

SALTUS_VECTOR_VERSIONS
void momentum_step(double* __restrict w, const double* __restrict g, double* __restrict b, std::size_t n,
                   double decay, double mu, double rate, bool nesterov) {
#pragma omp simd
    for (std::size_t k = 0; k < n; ++k) {
        const double slope = g[k] + decay * w[k];
        b[k] = mu * b[k] + slope;
        w[k] -= rate * (nesterov ? slope + mu * b[k] : b[k]);
    }
}

}  // namespace

void Optimizer::update(std::size_t first, std::span<double> parameters, std::span<const double> gradient,
                       double learning_rate, bool decays) {
    using Kind = OptimizerOptions::Kind;
    const double decay = decays ? options_.weight_decay : 0.0;
    const std::size_t n = parameters.size();
    double* w = parameters.data();
    const double* g = gradient.data();
    if (options_.kind == Kind::sgd) {
        if (first_.empty()) {
            for (std::size_t k = 0; k < n; ++k) w[k] -= learning_rate * (g[k] + decay * w[k]);
        } else {
            momentum_step(w, g, first_.data() + first, n, decay, options_.momentum, learning_rate,
                          options_.nesterov);
        }
        return;
    }
    const bool decoupled = options_.kind == Kind::adamw || options_.decoupled;
    Adaptive step{options_.beta_1,
                  options_.beta_2,
                  decoupled ? 0.0 : decay,
                  decoupled ? 1.0 - learning_rate * decay : 1.0,
                  learning_rate * mean_factor_,
                  root_factor_,
                  options_.epsilon};
    if (options_.kind == Kind::radam) step.epsilon *= root_factor_;
    if (!adaptive_) {  // the denominator is 1
        step.root_factor = 0.0;
        step.epsilon = 1.0;
    }
    adaptive_step(w, g, first_.data() + first, second_.data() + first, n, step);
}

void Optimizer::restore(std::uint64_t steps, std::vector<double> first_moment,
                        std::vector<double> second_moment) {
    if (first_moment.size() != first_.size() || second_moment.size() != second_.size()) {
        throw UsageError("optimizer: expected moments of " + std::to_string(first_.size()) + " and " +
                         std::to_string(second_.size()) + " parameters, found " +
                         std::to_string(first_moment.size()) + " and " +
                         std::to_string(second_moment.size()) + ".");
    }
    steps_ = steps;
    first_ = std::move(first_moment);
    second_ = std::move(second_moment);
}

}  // namespace saltus::learning
