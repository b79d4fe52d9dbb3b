// What can be said about one node without its neighbours: its fields are there, of the right kind, and fit
// each other.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "nir_place.hpp"
#include "nir_schema.hpp"
#include "saltus/io/nir.hpp"

namespace saltus::io {

/// Checks a node that is not a graph. Notes fields that its type does not know. Throws FileError.
void check_fields(const NirNode& node, const NirPlace& place, NirNotes& notes);

/// Ranks and sizes of all arrays of a group, also of the groups in it. Throws FileError.
void check_arrays(const NirGroup& group, const NirPlace& place);

/// Number of elements, at most max_elements + 1.
[[nodiscard]] std::uint64_t element_count(const NirShape& shape);

/// A parameter that stands for all neurons of a layer: [] or [1].
[[nodiscard]] bool is_single(const NirArray& array);

/// Whole numbers of a checked node; one number stands for `count` of them.
[[nodiscard]] std::vector<std::int64_t> integers(const NirNode& node, std::string_view field,
                                                 std::size_t count = 1);

/// Input.shape, Output.shape, Flatten.input_type: as stored in a checked node.
[[nodiscard]] NirShape stored_shape(const NirNode& node, std::string_view field);

/// The field that says which shape a layer has: the first that is not single, else the first.
[[nodiscard]] std::string_view shaping_field(const NirNode& node, const NirNodeType& type);

}  // namespace saltus::io
