// A network that learnt by surrogate gradients (surrogate_network.hpp of the engine), and how its samples are
// made, in a NIR document: metadata of the top graph,
//
//   saltus: {surrogate: {layers, parameters; steps, input; dt [s], divisors, classes;
//                        task, derivatives, binary, encoding, slot [s], slots}}
//
// `layers` is in the words of surrogate_text.hpp. NIR has no node for kernels over time nor for readouts, so
// the graph itself has an Input and an Output only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "saltus/engine/learning/surrogate_network.hpp"
#include "saltus/engine/time.hpp"
#include "saltus/io/nir.hpp"

namespace saltus::converters {

struct SurrogateModel {
    learning::SurrogateDescription description;
    std::vector<double> parameters;
    std::vector<std::string> classes;
    Duration dt{10'000'000'000'000};   // of a step
    std::vector<float> divisors;       // of each number of a step; empty: samples are taken as they are
    std::string task = {};             // of speech commands
    bool derivatives = true;           // of sound
    bool binary = false;               // spikes: one or none in a step
    std::string encoding = "latency";  // of images as spikes
    Duration slot{1'000'000'000'000};
    std::uint32_t slots = 256;
};

/// Numbers are stored as double.
[[nodiscard]] io::NirDocument nir_from_surrogate(const SurrogateModel& model);

/// Nothing where the document says nothing. Throws UsageError where it says nonsense.
[[nodiscard]] std::optional<SurrogateModel> surrogate_model_of(const io::NirDocument& document);

/// Where a network is needed that neurons and synapses make up. Throws NetworkError, with the way out, for a
/// document that holds a SurrogateModel only.
void check_no_surrogate(const io::NirDocument& document);

}  // namespace saltus::converters
