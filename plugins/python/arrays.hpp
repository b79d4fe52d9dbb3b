// NumPy arrays to and from vectors: one function each way. NumPy is imported by the first array, not by the
// module.
#pragma once

#include <nanobind/ndarray.h>

#include <cstdint>
#include <vector>

#include "bindings.hpp"
#include "saltus/engine/network.hpp"

namespace saltus::python {

/// Values that an array refers to; the array keeps it alive.
struct Buffer {
    std::vector<double> values;
};

/// A row-major array of its own for `values`, which are moved and not copied. `shape` has as many elements.
[[nodiscard]] nb::object array_of(std::vector<double> values, const std::vector<std::size_t>& shape);

/// NumPy has two types of 64 bits; this array with the usual one, for which alone isinstance(x, numpy.int64)
/// holds.
[[nodiscard]] nb::object usual(nb::object array);

/// A read-only array of `size` elements at `data`, which live as long as `owner`.
template <class T>
[[nodiscard]] nb::object view_of(const T* data, std::size_t size, nb::handle owner) {
    return usual(nb::cast(nb::ndarray<nb::numpy, const T, nb::ndim<1>>(data, {size}, owner)));
}

[[nodiscard]] nb::tuple tuple_of(const Shape& shape);

template <class T>
using Column = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

/// Anything that NumPy takes for a one-dimensional array of numbers (integers, for int64). Throws TypeError
/// for other things, UsageError for other shapes; `what` names it in the message.
template <class T>
[[nodiscard]] Column<T> column_from(nb::handle value, const char* what);

extern template Column<double> column_from(nb::handle value, const char* what);
extern template Column<std::int64_t> column_from(nb::handle value, const char* what);

}  // namespace saltus::python
