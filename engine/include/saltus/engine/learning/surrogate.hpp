// Surrogate gradients: back-propagation through time over layers of surrogate_network.hpp, the derivative of
// a spike replaced by a bump of its excess z over the threshold (surrogate_function.hpp).
//
//   loss = -log softmax(out)[label] + rho sum_l (l / L) 1/2 mean(s_l^2)       l = 1 ... L, layers that spike
//
// Backwards, g_j[t] the derivative of the loss by s_j[t], p_j[T + 1] = 0:
//
//   g_i[t] += -beta sum_j p_j[t+1] G_ij + (1 - beta) sum_j p_j[t+1] v_ij      (not lateral: p_i b_i n_i)
//   zeta = g d(z),   p[t] = zeta / (n + e) + beta p[t+1],   dx = (1 - beta) p
//   S_ij = sum_t s_i[t-1] p_j[t]:  dG = -beta S,  dv = (1 - beta) S
//   dbeta = sum_t p (u[t-1] - x) - sum_ij S_ij (G_ij + v_ij)
//   dn = -sum_t zeta u / (n + e)^2,  db = -sum_t zeta,  dw = that of the drive + 2 w dn + w (dG + dG^T)
//
// A sample goes forward layer by layer and back, by one thread, which keeps two numbers and a bit for a
// neuron and a step. Spikes are visited, not zeros: a spike adds a row of weights to the drive, and a row of
// errors to the gradient of those weights. Only the errors that a layer hands down are dense products.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "saltus/engine/learning/frames.hpp"
#include "saltus/engine/learning/gradient_learner.hpp"
#include "saltus/engine/learning/surrogate_function.hpp"
#include "saltus/engine/learning/surrogate_network.hpp"

namespace saltus::learning {

struct SurrogateOptions {
    enum class Precision { float32, float64 };

    SurrogateFunction function{};
    double activity = 0.1;       // rho
    std::uint32_t truncate = 0;  // errors go back to the last multiple of so many steps; 0: to the beginning
    bool detach_reset = false;   // the reset is a constant for the gradient
    bool recompute = false;      // potentials are computed again on the way back, and not kept
    Precision precision = Precision::float32;
};

/// What one sample did and its gradient, for whom wants to see all of it.
struct SurrogateTrace {
    struct Layer {
        std::vector<std::uint8_t> spikes;  // [step][channel][space]
        std::vector<double> excess;        // z, likewise
        double activity = 0.0;             // 1/2 mean(s^2)
    };
    std::vector<double> output;
    double cross_entropy = 0.0;
    double loss = 0.0;
    std::vector<Layer> layers;           // empty for those that do not spike
    std::vector<double> gradient;        // by the parameters
    std::vector<double> input_gradient;  // like the sample
};

/// The sample is [step][shape of the input].
[[nodiscard]] SurrogateTrace surrogate_trace(const SurrogateNetwork& network,
                                             std::span<const double> parameters,
                                             const SurrogateOptions& options, std::span<const double> sample,
                                             std::uint32_t label);

/// The set with each number of a step divided by its own divisor.
[[nodiscard]] std::shared_ptr<const FrameSet> scaled_frames(std::shared_ptr<const FrameSet> set,
                                                            std::vector<float> divisors);

/// What a network does with some samples.
struct SurrogateMeasure {
    Tally tally;
    std::vector<double> rates;                          // spikes per neuron and step, layer by layer
    std::vector<std::vector<std::uint64_t>> confusion;  // [label][answer]
};

/// A rule over samples on a grid of steps.
class FrameRule : public Rule {
  public:
    [[nodiscard]] Tally measure(std::span<const double> parameters, std::span<const std::uint64_t> samples,
                                unsigned threads) override;
    /// As measure(), and more of it.
    [[nodiscard]] virtual SurrogateMeasure measure_all(std::span<const double> parameters,
                                                       std::span<const std::uint64_t> samples,
                                                       unsigned threads) = 0;
    /// Names of the layers of SurrogateMeasure::rates, empty of those that do not spike.
    [[nodiscard]] virtual std::vector<std::string> layers() const = 0;
};

class SurrogateRule final : public FrameRule {
  public:
    /// Throws UsageError where samples and network differ in size, and for options out of their range.
    SurrogateRule(SurrogateNetwork network, std::shared_ptr<const FrameSet> samples,
                  const SurrogateOptions& options, std::vector<double> initial);
    ~SurrogateRule() override;

    [[nodiscard]] const SurrogateNetwork& network() const;
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

    class Machine;  // in one precision

  private:
    std::unique_ptr<Machine> machine_;
};

}  // namespace saltus::learning
