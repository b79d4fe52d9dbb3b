// NIR documents as nested dictionaries of NumPy arrays, the form of nir's to_dict():
//
//   node  = {"type": str, FIELD: value, ..., "metadata": {...}}
//   graph = {"type": "NIRGraph", "nodes": {NAME: node}, "edges": [(str, str)], "metadata": {...}}
//   value = array or NumPy scalar of one of the six element types of io::NirType | str | dict (in metadata)
//
// Graphs made here also have "shapes": {NAME: (input, output)}, where a shape is a list and None if unknown.
#pragma once

#include "bindings.hpp"
#include "saltus/io/nir.hpp"

namespace saltus::python {

[[nodiscard]] nb::dict tree_from(const io::NirNode& node);

/// Arrays must be in C order. Throws TypeError for values of other kinds.
[[nodiscard]] io::NirNode node_from(const nb::dict& tree);

}  // namespace saltus::python
