// From gradients to steps. g is the gradient, w a parameter, eta the learning rate, t counts steps from 1.
//
//   sgd     g += lambda w;  b <- mu b + g;  w -= eta b             (Nesterov: w -= eta (g + mu b))
//   adam    g += lambda w;  m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2
//           w -= eta m^ / (sqrt(v^) + eps),  m^ = m / (1 - b1^t),  v^ = v / (1 - b2^t)
//   adamw   w *= 1 - eta lambda first, then as adam with lambda = 0
//   radam   as adam, but the denominator is used only once the variance of the adaptive rate is finite:
//           rho_t = rho - 2 t b2^t / (1 - b2^t), rho = 2 / (1 - b2) - 1;  rho_t > 5:
//           w -= eta r m^ sqrt(1 - b2^t) / (sqrt(v) + eps),
//           r^2 = (rho_t - 4)(rho_t - 2) rho / ((rho - 4)(rho - 2) rho_t);  else w -= eta m^
//
// Sutskever, Martens, Dahl, Hinton 2013; Kingma, Ba 2015; Loshchilov, Hutter 2019; Liu et al. 2020.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace saltus::learning {

struct OptimizerOptions {
    enum class Kind { sgd, adam, adamw, radam };

    Kind kind = Kind::adam;
    double momentum = 0.0;  // sgd: mu
    bool nesterov = false;  // sgd
    double beta_1 = 0.9;
    double beta_2 = 0.999;
    double epsilon = 1e-8;
    double weight_decay = 0.0;  // lambda
    bool decoupled = false;     // radam: w *= 1 - eta lambda first, as adamw
};

/// "sgd", "adam", "adamw", "radam". Throws UsageError.
[[nodiscard]] OptimizerOptions::Kind optimizer_kind(std::string_view name);
[[nodiscard]] std::string_view optimizer_name(OptimizerOptions::Kind kind);

class Optimizer {
  public:
    /// Throws UsageError for options out of their range.
    Optimizer(const OptimizerOptions& options, std::size_t parameters);

    /// Begins the next step.
    void advance();
    /// Does the step for parameters first, first + 1, ...; different ranges by any threads, each once.
    /// `decays`: whether weight decay applies to them.
    void update(std::size_t first, std::span<double> parameters, std::span<const double> gradient,
                double learning_rate, bool decays = true);

    [[nodiscard]] std::uint64_t steps() const { return steps_; }
    [[nodiscard]] const std::vector<double>& first_moment() const { return first_; }
    [[nodiscard]] const std::vector<double>& second_moment() const { return second_; }
    /// Goes on from what another optimizer of these options and size had. Throws UsageError for other sizes.
    void restore(std::uint64_t steps, std::vector<double> first_moment, std::vector<double> second_moment);

  private:
    void prepare();

    OptimizerOptions options_;
    std::uint64_t steps_ = 0;
    std::vector<double> first_;   // b of sgd with momentum, else m
    std::vector<double> second_;  // v
    double mean_factor_ = 1.0;    // m^ = factor m, rectified
    double root_factor_ = 1.0;    // sqrt(v^) = factor sqrt(v)
    bool adaptive_ = true;        // the denominator is used
};

}  // namespace saltus::learning
