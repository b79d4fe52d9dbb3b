// Members of the documents of nir.hpp.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "saltus/io/nir.hpp"

namespace saltus::io {

namespace {

template <class T>
T element(const NirArray& array, std::uint64_t i) {
    T value;
    std::memcpy(&value, array.data.data() + static_cast<std::size_t>(i) * sizeof(T), sizeof(T));
    return value;
}

/// Calls `use` with element `i` in its own type.
template <class Use>
auto with_element(const NirArray& array, std::uint64_t i, Use use) {
    switch (array.type) {
        case NirType::float32:
            return use(element<float>(array, i));
        case NirType::float64:
            return use(element<double>(array, i));
        case NirType::int32:
            return use(element<std::int32_t>(array, i));
        case NirType::int64:
            return use(element<std::int64_t>(array, i));
        case NirType::uint8:
        case NirType::boolean:
            return use(element<std::uint8_t>(array, i));
    }
    throw std::logic_error("unknown NirType");
}

std::int64_t truncated(double value) {
    constexpr double beyond = 9223372036854775808.0;  // 2^63
    if (std::isnan(value)) return 0;
    if (value >= beyond) return std::numeric_limits<std::int64_t>::max();
    if (value < -beyond) return std::numeric_limits<std::int64_t>::min();
    return static_cast<std::int64_t>(value);
}

template <class T>
NirArray array_of(NirType type, const std::vector<T>& values, std::vector<std::uint64_t> shape) {
    NirArray array{type, std::move(shape), std::vector<std::byte>(values.size() * sizeof(T))};
    if (!values.empty()) std::memcpy(array.data.data(), values.data(), array.data.size());
    return array;
}

template <class Entries>
auto find_entry(Entries& entries, std::string_view name) {
    const auto found =
        std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.first == name; });
    return found == entries.end() ? nullptr : &found->second;
}

}  // namespace

std::string_view to_string(NirType type) {
    switch (type) {
        case NirType::float32:
            return "float32";
        case NirType::float64:
            return "float64";
        case NirType::int32:
            return "int32";
        case NirType::int64:
            return "int64";
        case NirType::uint8:
            return "uint8";
        case NirType::boolean:
            return "bool";
    }
    throw std::logic_error("unknown NirType");
}

std::size_t size_of(NirType type) {
    switch (type) {
        case NirType::float32:
        case NirType::int32:
            return 4;
        case NirType::float64:
        case NirType::int64:
            return 8;
        case NirType::uint8:
        case NirType::boolean:
            return 1;
    }
    throw std::logic_error("unknown NirType");
}

std::uint64_t NirArray::size() const {
    std::uint64_t product = 1;
    for (const std::uint64_t n : shape) product *= n;
    return product;
}

double NirArray::real(std::uint64_t i) const {
    return with_element(*this, i, [](auto value) { return static_cast<double>(value); });
}

std::int64_t NirArray::integer(std::uint64_t i) const {
    return with_element(*this, i, [](auto value) {
        if constexpr (std::is_floating_point_v<decltype(value)>) {
            return truncated(static_cast<double>(value));
        } else {
            return static_cast<std::int64_t>(value);
        }
    });
}

std::vector<double> NirArray::reals() const {
    std::vector<double> values(static_cast<std::size_t>(size()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = real(i);
    return values;
}

NirArray NirArray::of(const std::vector<double>& values, std::vector<std::uint64_t> shape) {
    return array_of(NirType::float64, values, std::move(shape));
}

NirArray NirArray::of(const std::vector<float>& values, std::vector<std::uint64_t> shape) {
    return array_of(NirType::float32, values, std::move(shape));
}

NirArray NirArray::of(const std::vector<std::int64_t>& values, std::vector<std::uint64_t> shape) {
    return array_of(NirType::int64, values, std::move(shape));
}

NirArray NirArray::of(std::int64_t value) {
    return of(std::vector<std::int64_t>{value}, {});
}

const NirValue* NirGroup::find(std::string_view name) const {
    return find_entry(entries, name);
}

bool operator==(const NirGroup& a, const NirGroup& b) {
    return a.entries == b.entries;
}

const NirArray* NirNode::array(std::string_view field) const {
    return std::get_if<NirArray>(fields.find(field));  // get_if of nullptr is nullptr
}

const std::string* NirNode::string(std::string_view field) const {
    return std::get_if<std::string>(fields.find(field));
}

void NirNode::set(std::string_view field, NirValue value) {
    if (NirValue* present = find_entry(fields.entries, field)) {
        *present = std::move(value);
    } else {
        fields.entries.emplace_back(field, std::move(value));
    }
}

bool operator==(const NirNode& a, const NirNode& b) {
    const bool same_graph = a.graph && b.graph ? *a.graph == *b.graph : a.graph == b.graph;
    return a.type == b.type && a.fields == b.fields && a.metadata == b.metadata && same_graph;
}

const NirNode* NirGraph::find(std::string_view name) const {
    return find_entry(nodes, name);
}

}  // namespace saltus::io
