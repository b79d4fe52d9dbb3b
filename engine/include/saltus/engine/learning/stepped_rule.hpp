// Surrogate gradients of a network of neurons on the stepped clock: the forward pass is that clock's, by the
// rule of any tool whose steps are linear between two thresholds; weights and biases learn.
//
//   loss = -log softmax(out)[label] + rho sum (l / L) 1/2 mean(z^2)      over populations that spike
//
// l is how many projections lead to a population from the input, L the largest of these; `out` is what
// decides in an evaluation: spikes of each output neuron, or, of one that does not spike, its last potential.
// Backwards, g the derivative of the loss by what a neuron sends, d(V - V_th) in place of the derivative of
// its spike z, V' and V the potential before and after the reset:
//
//   subtract   dV' = dV + d (g - V_th dV)        to a value   dV' = (1 - z) dV + d (g + (V_reset - V') dV)
//
// and of a neuron that counts its spikes, d(V / V_th - 1) / V_th. A reset in the next step reaches back to z
// from there. What follows is linear: V' to V of the step before and to u, u to the current and to x, x to
// the weights and to what was sent to it. All of it is in double.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "saltus/engine/learning/surrogate.hpp"
#include "saltus/engine/stepped.hpp"

namespace saltus::learning {

class SteppedRule final : public FrameRule {
  public:
    /// The only input is as large as a step of the samples, the only output has a neuron for each class. Of
    /// `options`, float64 is taken for the clock, too; float32 leaves what the rules say. Throws UsageError
    /// where samples and network differ, NetworkError for what the clock refuses, LimitError, with the name
    /// of the population or projection, for what does not learn: several Dense or Convolution between two
    /// populations, explicit synapses, delays that differ, steps that are not linear, truncation,
    /// recomputation.
    SteppedRule(Network network, SteppedRules rules, std::shared_ptr<const FrameSet> samples,
                const SurrogateOptions& options);
    ~SteppedRule() override;

    /// The network with other parameters.
    [[nodiscard]] Network network(std::span<const double> parameters) const;

    [[nodiscard]] const std::vector<ParameterGroup>& groups() const override;
    [[nodiscard]] std::vector<double> initial() const override;
    [[nodiscard]] std::uint64_t samples() const override;
    [[nodiscard]] Asked asked() const override;
    void begin_step(std::uint64_t step) override;
    Tally gradient(std::span<const double> parameters, std::span<const std::uint64_t> batch,
                   std::span<double> gradient, unsigned threads) override;
    [[nodiscard]] SurrogateMeasure measure_all(std::span<const double> parameters,
                                               std::span<const std::uint64_t> samples,
                                               unsigned threads) override;
    [[nodiscard]] std::vector<std::string> layers() const override;

  private:
    class Machine;
    std::unique_ptr<Machine> machine_;
};

}  // namespace saltus::learning
