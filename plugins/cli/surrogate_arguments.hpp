// Networks in discrete time, as files and the command line describe them.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "saltus/converters/surrogate_model.hpp"
#include "saltus/datasets/frames.hpp"

namespace saltus::cli {

/// How samples are made for it.
[[nodiscard]] datasets::FrameOptions frames_of(const converters::SurrogateModel& model);

/// {name of a layer: spikes per neuron and step}, of the layers that spike.
[[nodiscard]] nlohmann::ordered_json rates_of(const learning::SurrogateNetwork& network,
                                              const std::vector<double>& rates);

/// The network of a NIR file that `train surrogate` wrote; nothing of another file. Throws FileError.
[[nodiscard]] std::optional<converters::SurrogateModel> read_surrogate(const std::string& path);

/// Layers in words (surrogate_text.hpp) of a JSON description; nothing where the file is not JSON, or JSON of
/// NIR. It is an object with "layers", a list; an entry is one layer in words, or an object:
///
///   {"layers": [{"conv": 64, "kernel": [4, 3], "dilation": [1, 1]}, {"pool": "max", "kernel": [1, 2]},
///               {"dense": 128, "recurrent": true, "lateral": false}, "readout mean"]}
///
/// Throws FileError that names the entry and the field.
[[nodiscard]] std::optional<std::string> read_layers(const std::string& path);

}  // namespace saltus::cli
