// One-dimensional arrays of numbers in NumPy's format (numpy.lib.format, versions 1 to 3):
//
//     "\x93NUMPY", version (2 bytes), length of the header (2 bytes, from version 2 on 4)
//     {'descr': '<f8', 'fortran_order': False, 'shape': (3,), }
//     the elements
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace saltus::io {

/// Integers of every width and float16 to float64, either byte order, widened.
using NpyArray = std::variant<std::vector<std::int64_t>, std::vector<double>>;

/// A single number is an array of one. Throws FileError at `where` for other shapes and types (also objects,
/// which are Python code), and where the elements are not as many as declared.
[[nodiscard]] NpyArray from_npy(std::string_view bytes, const std::string& origin, const std::string& where);

/// T: double, std::int64_t, std::uint32_t.
template <class T>
[[nodiscard]] std::string to_npy(const std::vector<T>& values);

}  // namespace saltus::io
