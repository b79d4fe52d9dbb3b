// A learner made of a rule, which gives gradients, and an optimizer, which makes steps of them.
#pragma once

#include <limits>
#include <memory>

#include "saltus/engine/learning/learner.hpp"
#include "saltus/engine/learning/optimizer.hpp"

namespace saltus::learning {

/// Parameters of one kind, such as the weights of a projection or its delays.
struct ParameterGroup {
    std::string name;
    std::size_t size = 0;
    double rate = 1.0;  // factor of the learning rate: delays and weights have different units
    bool decays = true;
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();  // a step ends at the bounds
    std::size_t block = 8192;  // parameters that one thread looks after, see for_each_block()
};

/// The gradient of a mini-batch given parameters.
class Rule {
  public:
    virtual ~Rule() = default;

    /// Groups of parameters, which lie end to end in one vector; the same at every call.
    [[nodiscard]] virtual const std::vector<ParameterGroup>& groups() const = 0;
    [[nodiscard]] virtual std::vector<double> initial() const = 0;
    [[nodiscard]] virtual std::uint64_t samples() const = 0;
    /// As Learner::asked().
    [[nodiscard]] virtual Asked asked() const { return {}; }

    /// The steps so far, before each call of gradient(): what is random in a rule is a function of it.
    virtual void begin_step(std::uint64_t) {}
    /// Adds the gradient of the loss, summed over the batch, to `gradient`, which is zero before.
    virtual Tally gradient(std::span<const double> parameters, std::span<const std::uint64_t> batch,
                           std::span<double> gradient, unsigned threads) = 0;
    [[nodiscard]] virtual Tally measure(std::span<const double> parameters,
                                        std::span<const std::uint64_t> samples, unsigned threads) = 0;
};

struct GradientLearnerOptions {
    OptimizerOptions optimizer{};
    double learning_rate = 1e-3;
    double largest_norm = std::numeric_limits<double>::infinity();     // of a mini-batch's mean gradient
    double largest_element = std::numeric_limits<double>::infinity();  // of it: others are cut, before that
    /// Hand out an exponential average of the parameters: each step adds (1 - averaging) of the new ones.
    /// 0: the parameters themselves. Early on the average is that of all steps so far (Polyak, Juditsky
    /// 1992).
    double averaging = 0.0;
};

class GradientLearner : public Learner {
  public:
    /// Throws UsageError for options out of their range.
    GradientLearner(std::shared_ptr<Rule> rule, const GradientLearnerOptions& options);

    [[nodiscard]] std::uint64_t samples() const override { return rule_->samples(); }
    Tally learn(std::span<const std::uint64_t> batch, double rate_factor, unsigned threads) override;
    [[nodiscard]] Tally measure(std::span<const std::uint64_t> samples, unsigned threads) override;
    [[nodiscard]] Asked asked() const override;
    [[nodiscard]] LearnerState state() const override;
    void restore(const LearnerState& state) override;

    /// What is handed out: averaged where that was asked for.
    [[nodiscard]] std::span<const double> parameters() const {
        return averaged_.empty() ? parameters_ : averaged_;
    }

  private:
    void step(double gradient_factor, double rate_factor, unsigned threads);

    std::shared_ptr<Rule> rule_;
    GradientLearnerOptions options_;
    std::vector<double> parameters_;
    std::vector<double> averaged_;  // empty: not averaged
    std::vector<double> gradient_;  // zero between steps
    Optimizer optimizer_;
};

}  // namespace saltus::learning
