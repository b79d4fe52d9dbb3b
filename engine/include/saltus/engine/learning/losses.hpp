// Losses of a run in continuous time: of spike times and of potentials.
//
// A loss says which potentials it wants to know, is then shown what happened, and answers with its value and
// its derivatives. Times are seconds, potentials V.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "saltus/engine/network.hpp"

namespace saltus::learning {

/// Of every neuron of a population: the integral of e^{-t/decay} V dt over the run, or the largest V; or V of
/// given neurons at given times.
struct PotentialWish {
    enum class Kind { integral, maximum, samples };

    std::string population;
    Kind kind = Kind::integral;
    double decay = 0.0;  // [s]; 0: no decay
    std::vector<NeuronIndex> neurons = {};
    std::vector<double> times = {};  // [s]
};

/// What a loss is shown; its derivatives have the same form.
struct Observed {
    std::vector<std::vector<std::vector<double>>> spikes;  // [population][neuron][spike]
    std::vector<std::vector<double>> potentials;           // [wish][neuron, or sample]
    double duration = 0.0;                                 // of the run
};

class Loss {
  public:
    virtual ~Loss() = default;

    [[nodiscard]] virtual std::vector<PotentialWish> wishes() const { return {}; }
    /// Returns the loss and adds its derivatives to `derivative`, which is zero before. Throws UsageError for
    /// what the network does not have.
    [[nodiscard]] virtual double evaluate(const Network& network, const Observed& observed,
                                          Observed& derivative) const = 0;
};

/// The loss of a class: one number for each neuron of a readout, and the label y.
///   first_spike_cross_entropy   x_k = -t_k/tau_0:  -log softmax(x)[y] + alpha (exp(t_y/tau_1) - 1)
///   first_spike_squared_error   1/2 sum (t_k - T_k)^2, T_k = target for k = y, else other_target
///   first_spike_gap             1/2 sum over k != y of (t_k - t_y - gap)^2
///   mean_potential              x_k = gain/duration integral e^{-t/decay} V_k dt:  -log softmax(x)[y]
///   largest_potential           x_k = gain max V_k:  -log softmax(x)[y]
/// A neuron that does not fire counts as firing at `silent`, and has no gradient. (Wunderlich & Pehle 2021;
/// Goltz et al. 2021, 2025; Nowotny et al. 2025.)
struct ClassLoss {
    enum class Kind {
        first_spike_cross_entropy,
        first_spike_squared_error,
        first_spike_gap,
        mean_potential,
        largest_potential
    };

    Kind kind = Kind::first_spike_cross_entropy;
    double tau_0 = 0.5e-3;
    double alpha = 0.0;
    double tau_1 = 6.4e-3;
    double target = 0.0;
    double other_target = 0.0;
    double gap = 0.0;
    double silent = 0.0;  // 0: the end of the run
    double gain = 1.0;
    double decay = 0.0;

    [[nodiscard]] bool is_of_potentials() const {
        return kind == Kind::mean_potential || kind == Kind::largest_potential;
    }
    /// Throws UsageError for parameters out of their range.
    void check() const;
    /// `values`: first spike times, infinite where there is none; integrals; or maxima. Returns the loss and
    /// sets `derivatives`.
    [[nodiscard]] double operator()(std::span<const double> values, std::uint32_t label, double duration,
                                    std::span<double> derivatives) const;
    /// The neuron that fires first, or has the largest value, the lowest of equals; as many as there are if
    /// none fires.
    [[nodiscard]] std::uint32_t decide(std::span<const double> values) const;
};

[[nodiscard]] std::string_view class_loss_name(ClassLoss::Kind kind);
/// "first_spike_cross_entropy", ...; throws UsageError.
[[nodiscard]] ClassLoss::Kind class_loss_kind(std::string_view name);

[[nodiscard]] std::shared_ptr<const Loss> class_loss(std::string population, const ClassLoss& loss,
                                                     std::uint32_t label);

/// 1/2 sum (t - time)^2 over the spikes listed; `index` counts those of the neuron. One that is not there
/// adds nothing, unless it is to be an error: `missing` throws UsageError.
struct SpikeTarget {
    std::string population;
    NeuronIndex neuron = 0;
    std::uint32_t index = 0;
    double time = 0.0;
};
[[nodiscard]] std::shared_ptr<const Loss> spike_time_loss(std::vector<SpikeTarget> targets,
                                                          bool missing_is_error = true);

/// 1/2 sum (V(t) - V)^2 over the samples listed.
struct PotentialTarget {
    std::string population;
    NeuronIndex neuron = 0;
    double time = 0.0;
    double V = 0.0;
};
[[nodiscard]] std::shared_ptr<const Loss> potential_loss(std::vector<PotentialTarget> targets);

/// The sum of losses, each times its factor.
[[nodiscard]] std::shared_ptr<const Loss> sum_of_losses(
    std::vector<std::pair<double, std::shared_ptr<const Loss>>> terms);

}  // namespace saltus::learning
