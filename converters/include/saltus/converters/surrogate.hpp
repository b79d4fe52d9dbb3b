// Networks that learnt by a surrogate gradient, as networks of delayed synapses and as NIR.
//
// A tap k of K along time, dilation d, padding p, of a centred convolution takes its input k d - p steps
// later. With the output of the layer (K - 1) d - p steps late, the tap is a synapse with the delay (K - 1 -
// k) d. Lateness adds up over layers; where branches join, those that are less late are delayed by the rest.
// A layer becomes, all its synapses with jumps of V:
//
//   LIF   tau_m = -dt / ln beta,   V_th = b (n + e),   V <- V - V_th at a spike
//   in    (1 - beta) w, a convolution in space and a delay for each tap
//   self  beta (V_th_i [i = j] - G_ij) + (1 - beta) v_ij (reset: b_j n_j where it is not lateral), a step
//         late
//
// and a readout integrates: mean in an I (w / (n + e) / T), max and last in an LI. The beginning and the end
// of a sample are different in two ways: the padding of the trainer's layers hides what they would do before
// step 0 and after the last one, and a network of delayed synapses has no such edges. With a padding of
// (K - 1) d in time, or silence there, both do the same.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "saltus/engine/learning/surrogate_network.hpp"
#include "saltus/engine/network.hpp"
#include "saltus/engine/time.hpp"
#include "saltus/io/nir.hpp"

namespace saltus::converters {

/// A trained network, and how samples become frames: metadata of the top graph, saltus: {surrogate: {...}}.
struct SurrogateReading {
    learning::SurrogateDescription description;
    std::vector<double> parameters;
    std::vector<float> divisors;  // of the numbers of a step
    std::vector<std::string> classes;
    Duration dt{10'000'000'000'000};
    bool binary = false;
    bool derivatives = true;
    std::string task;
};

void set_surrogate_reading(io::NirDocument& document, const SurrogateReading& reading);

/// Nothing where the document says nothing. Throws UsageError where it says nonsense.
[[nodiscard]] std::optional<SurrogateReading> surrogate_reading_of(const io::NirDocument& document);

struct DelayedNetwork {
    Network network;
    std::vector<std::uint32_t> late;  // steps by which each layer's population is later than the layer
};

/// Throws LimitError, which names the layer, for what delays cannot say: strides in time, maxima over places,
/// grouped channels of layers that join, leaks of 0 or 1.
[[nodiscard]] DelayedNetwork delayed_network(const learning::SurrogateNetwork& network,
                                             std::span<const double> parameters, Duration dt);

/// The delayed network with the reading in its metadata. NIR has no reset by subtraction: `notes` tell under
/// which rules it is to be run.
[[nodiscard]] io::NirDocument nir_from_surrogate(const SurrogateReading& reading,
                                                 std::vector<std::string>* notes);

}  // namespace saltus::converters
