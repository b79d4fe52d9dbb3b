// Layers of a network in discrete time that are described as JSON: a list; an entry is one layer in words, or
// an object:
//
//   [{"conv": 64, "kernel": [4, 3], "dilation": [1, 1]}, {"pool": "max", "kernel": [1, 2]},
//    {"dense": 128, "recurrent": true, "lateral": false}, "readout mean"]
#pragma once

#include <optional>
#include <string>

namespace saltus::plugins {

/// The layers of a list in JSON, in words (surrogate_text.hpp). Throws UsageError that names the entry and
/// the field.
[[nodiscard]] std::string layers_of_json(const std::string& list);

/// Those of a file, an object with such a list as "layers"; nothing where the file does not end in .json, or
/// is JSON of NIR. Throws FileError that names the entry and the field.
[[nodiscard]] std::optional<std::string> read_layers(const std::string& path);

}  // namespace saltus::plugins
