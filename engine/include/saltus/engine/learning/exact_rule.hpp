// Exact gradients of many samples, for any optimizer: event_prop.hpp for training.
//
// A network is run either layer by layer, where it is a chain of equal CubaLif neurons, all connected to all
// and without delays (engine/learning/shared_layer.hpp), or neuron by neuron (circuit_run.hpp). Where spikes
// lead back the exact clock runs it first. The bits of the result do not depend on the number of threads.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "saltus/engine/learning/gradient_learner.hpp"
#include "saltus/engine/learning/losses.hpp"
#include "saltus/engine/learning/samples.hpp"
#include "saltus/engine/network.hpp"

namespace saltus::learning {

/// How often a hidden neuron should fire in a sample, n its mean over a mini-batch (Nowotny et al. 2025):
///
///   strength/2 (n - upper)^2 above the band,   strength/2 (lower - n)^2 below it
///
/// A count has no derivative. In its place a spike is taken to answer to V just before it: the slope of the
/// term, strength (n - upper) or -strength (lower - n), is added to dL/dV there. Where a neuron below its
/// band is silent in a sample, which has no such place, the slope is added to dL/dw of what arrives at it.
/// Such gradients are no longer exact; the loss that is reported is that without the term.
struct RateBand {
    double lower = 0.0;
    double upper = std::numeric_limits<double>::infinity();
    double strength = 1e-3;

    [[nodiscard]] bool is_open() const { return lower == 0.0 && std::isinf(upper); }
    /// The slope of the term at a mean count.
    [[nodiscard]] double slope(double mean) const {
        return strength * (mean > upper ? mean - upper : mean < lower ? mean - lower : 0.0);
    }
};

struct ExactOptions {
    ClassLoss loss{};
    std::string readout = {};  // population; empty: the one that sends to no other
    Duration duration{};       // of the run of a sample
    bool learn_delays = false;
    double delay_rate = 1.0;  // learning rate of delays [s] beside that of weights
    Duration largest_delay = Duration(1'000'000'000'000'000);
    /// At each spike |1/V'| is taken to be no more than this [s/V]: one that barely happened would outweigh
    /// all others. Infinity: exact.
    double largest_factor = std::numeric_limits<double>::infinity();
    /// Where the label's neuron is silent, its weights from the neurons that fired grow as if dL/dw were
    /// -wake; a spike that is not there has no gradient. Only with losses of first spikes.
    double wake = 0.0;
    RateBand rates{};               // of all populations that fire but the readout
    double input_dropout = 0.0;     // in training each input spike is left out with this probability
    std::uint32_t input_shift = 0;  // in training the samples, images, are moved by up to so many pixels
    bool input_mirror = false;      // and every other one, by chance, has left and right exchanged
};

/// The groups of parameters are "a -> b/weights", and biases, and delays [s] where they are learnt; of a
/// chain of several stages each stage's, by its number.
class ExactRule : public Rule {
  public:
    /// Throws NetworkError as EventProp does; UsageError where samples, options and network do not fit.
    ExactRule(const Network& network, std::shared_ptr<const SampleSet> samples, const ExactOptions& options);
    ~ExactRule() override;

    [[nodiscard]] const std::vector<ParameterGroup>& groups() const override;
    [[nodiscard]] std::vector<double> initial() const override;
    [[nodiscard]] std::uint64_t samples() const override;
    [[nodiscard]] Asked asked() const override;
    Tally gradient(std::span<const double> parameters, std::span<const std::uint64_t> batch,
                   std::span<double> gradient, unsigned threads) override;
    [[nodiscard]] Tally measure(std::span<const double> parameters, std::span<const std::uint64_t> samples,
                                unsigned threads) override;

    /// What the readout decides for each sample, as many as there are classes where it stays silent.
    [[nodiscard]] std::vector<std::uint32_t> decide(std::span<const double> parameters,
                                                    std::span<const std::uint64_t> samples, unsigned threads);

    /// The network with these parameters.
    [[nodiscard]] Network network(std::span<const double> parameters);
    /// It is run layer by layer, all neurons of a layer at once.
    [[nodiscard]] bool is_layered() const;
    /// Since the rule was made: spikes of all neurons, synapses that spikes have reached, and spikes at which
    /// 1/V' was bounded.
    struct Counts {
        std::uint64_t spikes = 0;
        std::uint64_t events = 0;
        std::uint64_t bounded = 0;
    };
    [[nodiscard]] Counts counts() const;

  private:
    class Parts;
    std::unique_ptr<Parts> parts_;
};

/// The same network in the form that is run by layers where it can be: all to all drawn by a rule as a
/// matrix, and convolutions without biases that are 0, as every Conv2d of NIR has them.
[[nodiscard]] Network in_layers(const Network& network);

}  // namespace saltus::learning
