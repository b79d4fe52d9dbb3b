// A network that learnt in steps of time (surrogate_model.hpp) as neurons and synapses with delays: a
// convolution over time is a set of conduction delays.
//
// Tap k of a kernel of K taps with dilation d and padding p looks k d - p steps ahead. The layer is shifted
// by D = max(0, (K - 1) d - p) steps, shifts add up along the layers, and tap k becomes a synapse with the
// delay (D + p - k d) dt, which is (K - 1 - k) d dt unless the padding is larger. A layer of leak beta,
// thresholds b and norms n_j, G_ij of surrogate_network.hpp becomes neurons
//
//   Lif   tau_m = -dt / ln beta, V_th the smallest V that the layer's own test, V / (n + e) - b > 0, lets
//   pass,
//         no reset at the spike; beta = 0: Threshold
//   an arrival of weight w                    (1 - beta) w
//   a spike's reset, one step later           -beta G_ij, or -beta b_j n_j without lateral connections
//   recurrent connections, with the reset     (1 - beta) v_ij
//
// so that what moves a neuron arrives at steps, and both clocks test it there once, after the leak and all
// arrivals of the step, as the layer does. Spikes are the same but for sums that round otherwise, or cancel
// to the last bit, which the exact clock takes for no arrival. DelayCheck counts three cases that are worth a
// look: G_ij < 0 (a spike lifts a neuron, at the next step), a neuron that is still above the threshold after
// its reset (it fires again at the next step), and the edges, since a layer is computed from its own first
// step to its last one, with zeros beyond, while neurons are there all the time.
//
// Readouts do not spike: V of an LI is the output. mean: weights / ((n + e) steps), a leak that loses
// nothing; last, max: (1 - beta) w / (n + e), whose V at the layer's last step, or largest V, is the output;
// all begin and rest at -b. count: spikes of its neurons.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "saltus/converters/surrogate_model.hpp"
#include "saltus/engine/network.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus::converters {

struct DelayedNetwork {
    struct Layer {
        std::string name;
        Duration shift{};           // of its step 0
        std::uint64_t pairs = 0;    // of channels that a lateral reset connects
        std::uint64_t lifting = 0;  // of these, with G_ij < 0
    };
    Network network;            // the input "input", then a population for each layer but pooling
    Duration dt;                // of a step
    std::vector<Layer> layers;  // of these populations
    std::vector<std::string> notes;
};

/// Throws NetworkError that names the layer and the field for what neurons with delays cannot do: pooling by
/// the maximum, a stride over time, a leak of 1 (no input reaches such a layer), space that grows out of one
/// place; LimitError for delays beyond the range of time.
[[nodiscard]] DelayedNetwork delayed_network(const SurrogateModel& model);

/// The same as a document, in the convention "s2net" and with its step, so that it is read back as it is.
[[nodiscard]] io::NirDocument nir_with_delays(const DelayedNetwork& delayed);

/// What trainer and clocks make of the same spikes, layer by layer.
struct DelayCheck {
    struct Layer {
        std::string name;
        std::uint64_t spikes = 0;        // of the trainer, with silence around the sample
        std::uint64_t exact_differ = 0;  // spikes of one of the two only
        std::uint64_t stepped_differ = 0;
        // Neurons that would fire if they were tested at the spikes of a step and not one step later, though
        // they have not fired (G_ij < 0 lifts them), or again (they were far above the threshold).
        std::uint64_t lifted = 0;
        std::uint64_t repeated = 0;
        std::uint64_t edge = 0;  // spikes with or without that silence only
    };
    std::vector<Layer> layers;  // that spike
};

/// Runs a sample of model.description.steps steps, each spike at its step, in float64. Throws InputError for
/// spikes that are not within it, for inputs other than the network's.
[[nodiscard]] DelayCheck check_delays(const SurrogateModel& model, const DelayedNetwork& delayed,
                                      const std::vector<InputSpikes>& inputs);

}  // namespace saltus::converters
