// S4NN: temporal back-propagation for networks in which every neuron spikes at most once.
//
// Kheradpisheh, Masquelier, Int. J. Neural Systems 30(6), 2050027, 2020. t_j are output times (t_max where
// silent), y the output of the label, m = min_j t_j, gamma the margin:
//
//   m = t_max:  T_y = t_max - gamma, T_j = t_max for the others
//   else:       T_j = min(m + gamma, t_max) where t_j - m < gamma, else t_j;   T_y = m
//   loss = 1/2 sum_j e_j^2,  e_j = (T_j - t_j) / t_max
//
//   delta_j = e_j for outputs;  delta_i = sum_j delta_j m_ji w_ji below;  each layer's divided by its norm
//   m_ji = [t_i + d_ji <= t_j]:  what i sent has arrived when j fires
//   dW_ji = delta_j m_ji,   dd_ji = - delta_j m_ji w_ji                (both are subtracted)
//
// Instead of the relative target, the loss may be the cross-entropy of first spikes, whose errors are
//
//   p_j = exp(-(t_j - m) / tau_s) / sum,   loss = -log p_y,   e_j = p_j - [j = y]
//
// (outputs that fire later than m + 16 tau_s count as p_j = 0, the label excepted); and the division by the
// norm may be left out.
//
// The rule takes -t_j for V_j: it is no true gradient, since with step synapses the times are piecewise
// constant in the weights. `paper` order: the errors below are made with the weights of before the step;
// `code` order, as the published program does: with those of after it, layer by layer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

#include "saltus/engine/learning/first_spike.hpp"
#include "saltus/engine/learning/gradient_learner.hpp"
#include "saltus/engine/learning/samples.hpp"

namespace saltus::learning {

struct S4nnOptions {
    enum class Order { paper, code };
    enum class Loss { relative, cross_entropy };

    Loss loss = Loss::relative;
    Duration margin{3'000'000'000'000};    // gamma
    Duration softness{5'000'000'000'000};  // tau_s of the cross-entropy
    bool normalise = true;                 // divide each layer's errors by their norm
    Order order = Order::paper;            // of the published rule, one sample at a time
    /// Of mini-batches: the share of the spikes of each layer (the input first, the output excepted; what is
    /// not said is 0) that is dropped in learning. Weights then count 1 / (1 - share) as much. For dense
    /// layers with one delay.
    std::vector<double> dropout{};
    /// Of mini-batches: images, whose shape is (..., rows, columns), are moved by up to so many pixels in
    /// learning, up or down and left or right.
    std::uint32_t shift = 0;
    std::uint64_t random_seed = 0;           // of both
    bool learn_delays = false;               // of dense layers; they then differ between synapses
    Duration delay_step{1'000'000'000'000};  // learnt delays are rounded to multiples of it; 0: to the tick
    Duration largest_delay{20'000'000'000'000};
    double delay_rate = 1e-3;  // learning rate of delays [s] beside that of weights
};

/// "paper", "code"; "relative", "cross_entropy". Throw UsageError.
[[nodiscard]] S4nnOptions::Order s4nn_order(std::string_view name);
[[nodiscard]] S4nnOptions::Loss s4nn_loss(std::string_view name);

/// S4NN as the gradient of a mini-batch, for any optimizer. The groups of parameters are NAME/weights and,
/// where they are learnt, NAME/delays [s]. Weights are rounded to a grid of about 10^-6 of the threshold
/// wherever they are used.
class S4nnRule : public Rule {
  public:
    /// Throws NetworkError, and UsageError where samples and network do not fit.
    S4nnRule(FirstSpikeNetwork network, std::shared_ptr<const SampleSet> samples, const S4nnOptions& options);
    ~S4nnRule() override;

    [[nodiscard]] const std::vector<ParameterGroup>& groups() const override;
    [[nodiscard]] std::vector<double> initial() const override;
    [[nodiscard]] std::uint64_t samples() const override;
    [[nodiscard]] Asked asked() const override;
    void begin_step(std::uint64_t step) override;
    Tally gradient(std::span<const double> parameters, std::span<const std::uint64_t> batch,
                   std::span<double> gradient, unsigned threads) override;
    [[nodiscard]] Tally measure(std::span<const double> parameters, std::span<const std::uint64_t> samples,
                                unsigned threads) override;

    /// The network with these parameters.
    [[nodiscard]] FirstSpikeNetwork network(std::span<const double> parameters) const;

  private:
    class Parts;
    std::unique_ptr<Parts> parts_;
};

struct S4nnSequentialOptions {
    std::vector<double> learning_rates{0.2};  // one for all layers, or one each
    std::vector<double> weight_decays{1e-6};
    /// Hand out an exponential average of the weights over about so many samples (at first, of all so far);
    /// 0: the weights themselves.
    double averaged_samples = 0.0;
};

/// The published rule: a step after every sample, with the learning rate of the paper and its decay,
/// W <- W - eta dW, then W <- W - eta lambda W. Dense layers with one delay only.
class S4nnSequential : public Learner {
  public:
    S4nnSequential(FirstSpikeNetwork network, std::shared_ptr<const SampleSet> samples,
                   const S4nnOptions& options, const S4nnSequentialOptions& sequential);
    ~S4nnSequential() override;

    [[nodiscard]] std::uint64_t samples() const override;
    Tally learn(std::span<const std::uint64_t> batch, double rate_factor, unsigned threads) override;
    [[nodiscard]] Tally measure(std::span<const std::uint64_t> samples, unsigned threads) override;
    [[nodiscard]] Asked asked() const override;
    [[nodiscard]] LearnerState state() const override;
    void restore(const LearnerState& state) override;

    [[nodiscard]] FirstSpikeNetwork network() const;

  private:
    class Parts;
    std::unique_ptr<Parts> parts_;
};

/// Everything that one sample does to a network, layer by layer.
struct S4nnStep {
    struct Layer {
        std::vector<Time> times;        // t_max: silent
        std::vector<double> raw_delta;  // before the norm
        std::vector<double> delta;
        std::vector<double> weights;  // dW, as the layer's weights
        std::vector<double> delays;   // dd, where the layer has a delay for each synapse
    };
    std::vector<Layer> layers;
    std::vector<Time> targets;
    double loss = 0.0;
};

/// `learning_rates` and `weight_decays` (one for each layer) matter in the code order only.
[[nodiscard]] S4nnStep s4nn_step(const FirstSpikeNetwork& network, const SampleSet::View& sample,
                                 const S4nnOptions& options, const S4nnSequentialOptions& sequential = {});

/// How a network with first spikes does on a sample.
struct FirstSpikeOutcome {
    NeuronIndex decided = 0;  // ties by potential
    NeuronIndex lowest = 0;   // ties by index
    bool tied = false;
    bool silent = false;                      // no output fired
    bool done = false;                        // false where it was stopped before
    Time time;                                // of the decision; t_max where silent
    std::uint32_t input_spikes = 0;           // before the decision
    std::vector<std::uint32_t> layer_spikes;  // of each hidden layer before the decision

    [[nodiscard]] std::uint32_t neuron_spikes() const {
        return std::accumulate(layer_spikes.begin(), layer_spikes.end(), 0u);
    }
};

/// Runs each sample until it is decided; or to its end, where spikes after the decision count, too.
/// `on_progress` is asked now and then with the number of samples done; false stops, and leaves the rest as
/// they were.
[[nodiscard]] std::vector<FirstSpikeOutcome> classify(
    const FirstSpikeNetwork& network, const SampleSet& samples, unsigned threads = 1, bool to_the_end = false,
    const std::function<bool(std::uint64_t)>& on_progress = {});

/// Spike times of every neuron, layer by layer; t_max: silent.
[[nodiscard]] std::vector<std::vector<Time>> spike_times(const FirstSpikeNetwork& network,
                                                         const SampleSet::View& sample);

}  // namespace saltus::learning
