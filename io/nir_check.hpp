// The rules of NIR documents, for every reader (HDF5, JSON, a document built in code). A reader calls, in
// this order,
//
//   check_structure   before it reads large arrays: whatever can be said from types, shapes and small arrays,
//   so that a
//                     hostile file is refused before memory is asked for
//   check_values      with all data there
//   complete          defaults, broadcast parameters, repaired shapes
//
// check_nir (public) is the three together. All add to document.notes what they tolerated, each sentence
// once.
#pragma once

#include <filesystem>

#include "saltus/io/nir.hpp"

namespace saltus::io {

/// Arrays of up to this many elements must have their data when check_structure is called.
inline constexpr std::uint64_t small_array = 64;
inline constexpr std::uint64_t max_elements = std::uint64_t{1} << 31;  // of one array, or of one layer
inline constexpr std::uint64_t max_grown = std::uint64_t{1}
                                           << 27;  // values that single numbers stand for, in all
inline constexpr std::size_t max_rank = 8;
inline constexpr std::size_t max_graph_depth = 24;
inline constexpr std::size_t max_name = 1024;  // bytes in the name of a node

/// `data` of an array with more than small_array elements may still be empty; type and shape must be set. A
/// top node that is not a NIRGraph becomes a graph of one node, named "node". Edges to the only port of a
/// sub-graph
/// ("sub.input") become plain ("sub"). Throws FileError.
void check_structure(NirDocument& document, const std::filesystem::path& origin,
                     const NirReadOptions& options);

/// Ranges of all values. The document has passed check_structure. Throws FileError.
void check_values(NirDocument& document, const std::filesystem::path& origin);

/// Makes every field explicit, in the form that nir 1.0.8 writes. The document has passed both checks.
/// Completing a complete document changes nothing.
void complete(NirDocument& document);

}  // namespace saltus::io
