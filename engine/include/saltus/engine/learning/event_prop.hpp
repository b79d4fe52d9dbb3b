// Exact gradients of a run of the exact clock: EventProp (Wunderlich & Pehle 2021), for leaky and non-leaky
// neurons with exponential or delta synapses, any connections, delays, refractory periods.
//
// The clock runs the network; what its spikes do not tell (unrounded times, slopes at the threshold, states)
// is read off the closed forms of the models; then one pass goes backwards over the recorded events. Every
// derivative is that of the run as it happened: same spikes, same order. It does not exist where a spike is
// about to appear or to vanish (V touches the threshold, V' = 0), and says nothing of spikes that are not
// there. See docs/exact-gradients.md.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "saltus/engine/learning/losses.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus::learning {

struct GradientOptions {
    Duration duration{};
    /// Of time constants, resistances, rests, drives, thresholds, resets and what the neurons start from;
    /// they cost more than weights, delays and times.
    bool of_neurons = true;
    /// At each spike |1/V'| is taken to be no more than this [s/V]. Infinity: exact; a spike whose V' is not
    /// positive, within rounding, then passes nothing on.
    double largest_factor = std::numeric_limits<double>::infinity();
};

struct Gradient {
    double loss = 0.0;

    /// In the order in which a stage holds its parameters (projection.hpp); a rule's as Sparse::of(rule)
    /// does.
    struct OfStage {
        std::vector<double> weights;
        std::vector<double> bias;
        std::vector<double> delays;  // [1/s]; of a Sparse stage one for each synapse
    };
    std::vector<std::vector<OfStage>> projections;  // [projection][stage]

    /// By the names of the parameters (tau_m, tau_syn, R, E_L, I_e, V_th, V_reset, V_0), one value for each
    /// neuron: that of a parameter which all share is the sum. Empty for sources, or if not asked for.
    std::vector<std::map<std::string, std::vector<double>>> populations;

    /// Unrounded times of all spikes, in seconds, as [population][neuron][spike].
    std::vector<std::vector<std::vector<double>>> spikes;
    /// dL/dt of the spikes of sources, that is, of inputs too; of other populations: dL/dt of each spike were
    /// it moved alone, with all that follows.
    std::vector<std::vector<std::vector<double>>> times;
    /// What the loss has asked for, see Observed.
    std::vector<std::vector<double>> potentials;

    std::uint64_t events = 0;   // deliveries of a spike over a synapse that have been gone back through
    std::uint64_t bounded = 0;  // spikes at which V' was not positive, or 1/V' was bounded
};

/// A network made ready for gradients; runs are independent and may be made by several threads at once.
class EventProp {
  public:
    /// Throws NetworkError for models and resets without exact gradients and for what the exact clock cannot
    /// run; LimitError for more than 2^27 synapses.
    explicit EventProp(const Network& network);
    ~EventProp();
    EventProp(EventProp&&) noexcept;
    EventProp& operator=(EventProp&&) noexcept;

    /// Throws as ExactSimulation::run and the loss do.
    [[nodiscard]] Gradient gradient(const std::vector<InputSpikes>& inputs, const Loss& loss,
                                    const GradientOptions& options) const;

  private:
    class Prepared;
    std::unique_ptr<const Prepared> prepared_;
};

/// EventProp(network).gradient(inputs, loss, options).
[[nodiscard]] Gradient gradient(const Network& network, const std::vector<InputSpikes>& inputs,
                                const Loss& loss, const GradientOptions& options);

}  // namespace saltus::learning
