// NIR-style JSON (`.nir.json`): the tree of a `.nir` file written as JSON.
//
//   File   = { "version": string, "node": Node }
//   Node   = { "type": string, FIELD: Value, ..., "metadata"?: object }
//   Graph  = { "type": "NIRGraph", "nodes": { NAME: Node, ... }, "edges": [ [string, string], ... ],
//   "metadata"?: object } Value  = number | string | nested arrays of numbers (row-major) | Packed Packed = {
//   "dtype": "float32"|"float64"|"int32"|"int64"|"uint8"|"bool", "shape": [int, ...], "data": base64 }
//
// A list is float64, or int64 when every number in it is an integer literal. Every value survives .nir ->
// .nir.json -> .nir bit for bit, and so does its type: an array is written as a list only where reading the
// list gives its type back.
#pragma once

#include <filesystem>

#include "saltus/io/nir.hpp"

namespace saltus::io {

enum class JsonArrays {
    automatic,  // lists up to 64 elements where that keeps the type, else packed
    list,       // lists always: readable, and the type becomes float64 or int64
    packed,     // packed always, numbers excepted
};

[[nodiscard]] NirDocument read_nir_json(const std::filesystem::path& path,
                                        const NirReadOptions& options = {});
void write_nir_json(const NirDocument& document, const std::filesystem::path& path,
                    JsonArrays arrays = JsonArrays::automatic);

}  // namespace saltus::io
