// Which types of an HDF5 file are understood, and strings.
#pragma once

#include <string>
#include <string_view>

#include "hdf5.hpp"

namespace saltus::io::hdf5 {

/// Integers of 1, 2, 4 or 8 whole bytes, IEEE floats of 2, 4 or 8, h5py's bool, strings, rows of variable
/// length; anything else is `other`. Either byte order.
[[nodiscard]] ValueClass class_of(hid_t type);

/// A native type of numbers as a number that another process understands, and back.
[[nodiscard]] std::uint64_t code_of(hid_t native);
[[nodiscard]] hid_t native_type_of(std::uint64_t code);

/// Variable-length UTF-8, as all strings are written.
[[nodiscard]] Handle string_type();
/// The type of `char*` that the library converts strings of `file_type` to.
[[nodiscard]] Handle memory_string_type(hid_t file_type);

/// A fixed-length value without its padding.
[[nodiscard]] std::string unpadded(std::string_view bytes, H5T_str_t padding);
[[nodiscard]] bool is_utf8(std::string_view text);

[[nodiscard]] Handle simple_space(
    const std::vector<std::uint64_t>& shape);  // scalar where the shape is empty

}  // namespace saltus::io::hdf5
