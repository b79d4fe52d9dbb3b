#include "arrays.hpp"

#include <type_traits>

#include "saltus/engine/errors.hpp"

namespace saltus::python {

nb::object array_of(std::vector<double> values, const std::vector<std::size_t>& shape) {
    nb::object owner = nb::cast(Buffer{std::move(values)});
    double* data = nb::cast<Buffer&>(owner).values.data();
    return nb::cast(nb::ndarray<nb::numpy, double>(data, shape.size(), shape.data(), owner));
}

nb::object usual(nb::object array) {
    const nb::object type = array.attr("dtype");
    return nb::cast<std::string>(type.attr("char")) == "q" ? array.attr("view")("int64") : array;
}

nb::tuple tuple_of(const Shape& shape) {
    nb::list sizes;
    for (const std::uint32_t size : shape) sizes.append(size);
    return nb::tuple(sizes);
}

namespace {

std::string shown(const nb::object& object) {
    return nb::cast<std::string>(nb::str(nb::handle(object)));
}

}  // namespace

template <class T>
Column<T> column_from(nb::handle value, const char* what) {
    const nb::module_ numpy = nb::module_::import_("numpy");
    const nb::object array = numpy.attr("asarray")(value);
    const auto size = nb::cast<std::size_t>(array.attr("size"));
    const auto kind = nb::cast<std::string>(array.attr("dtype").attr("kind"));
    const std::string allowed = std::is_integral_v<T> ? "iu" : "iuf";
    const bool is_empty_list = size == 0 && kind == "f";
    if (allowed.find(kind) == std::string::npos && !is_empty_list) {
        const std::string found = shown(array.attr("dtype"));
        const std::string expected = std::is_integral_v<T> ? "integers" : "numbers";
        throw nb::type_error(
            (std::string(what) + ": expected " + expected + ", found " + found + ".").c_str());
    }
    if (nb::cast<std::size_t>(array.attr("ndim")) != 1) {
        const std::string found = shown(array.attr("shape"));
        throw UsageError(std::string(what) + ": expected one dimension, found shape " + found + ".");
    }
    const char* type = std::is_integral_v<T> ? "int64" : "float64";
    return nb::cast<Column<T>>(numpy.attr("ascontiguousarray")(array, type));
}

template Column<double> column_from(nb::handle value, const char* what);
template Column<std::int64_t> column_from(nb::handle value, const char* what);

}  // namespace saltus::python
