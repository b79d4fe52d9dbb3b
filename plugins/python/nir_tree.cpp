#include "nir_tree.hpp"

#include <cstring>
#include <stdexcept>

#include "arrays.hpp"

namespace saltus::python {

namespace {

using AnyArray = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;

constexpr io::NirType types[] = {io::NirType::float32, io::NirType::float64, io::NirType::int32,
                                 io::NirType::int64,   io::NirType::uint8,   io::NirType::boolean};

nb::dlpack::dtype dtype_of(io::NirType type) {
    switch (type) {
        case io::NirType::float32:
            return nb::dtype<float>();
        case io::NirType::float64:
            return nb::dtype<double>();
        case io::NirType::int32:
            return nb::dtype<std::int32_t>();
        case io::NirType::int64:
            return nb::dtype<std::int64_t>();
        case io::NirType::uint8:
            return nb::dtype<std::uint8_t>();
        case io::NirType::boolean:
            return nb::dtype<bool>();
    }
    throw std::logic_error("unknown NirType");
}

/// An array of its own, or a NumPy scalar where the document has a number.
nb::object object_from(const io::NirArray& array) {
    const std::vector<std::size_t> shape(array.shape.begin(), array.shape.end());
    const nb::ndarray<nb::numpy, nb::ro> view(array.data.data(), shape.size(), shape.data(), nb::handle(),
                                              nullptr, dtype_of(array.type));
    nb::object copy = usual(nb::cast(view, nb::rv_policy::copy));
    return shape.empty() ? copy[nb::make_tuple()] : copy;
}

nb::dict dict_from(const io::NirGroup& group);

nb::object object_from(const io::NirValue& value) {
    if (const auto* array = std::get_if<io::NirArray>(&value)) return object_from(*array);
    if (const auto* string = std::get_if<std::string>(&value)) return text(*string);
    return dict_from(std::get<io::NirGroup>(value));
}

nb::dict dict_from(const io::NirGroup& group) {
    nb::dict dict;
    for (const auto& [name, value] : group.entries) dict[text(name)] = object_from(value);
    return dict;
}

nb::object shape_from(const std::vector<std::uint64_t>& shape) {
    if (shape.empty()) return nb::none();
    nb::list sizes;
    for (const std::uint64_t size : shape) sizes.append(size);
    return sizes;
}

io::NirArray array_from(const std::string& name, nb::handle value) {
    AnyArray array;
    if (nb::try_cast(value, array)) {
        for (const io::NirType type : types) {
            if (array.dtype() != dtype_of(type)) continue;
            io::NirArray result{type, {}, std::vector<std::byte>(array.nbytes())};
            for (std::size_t axis = 0; axis < array.ndim(); ++axis) result.shape.push_back(array.shape(axis));
            if (!result.data.empty()) std::memcpy(result.data.data(), array.data(), result.data.size());
            return result;
        }
    }
    throw nb::type_error((name + ": no array of a type that NIR documents keep.").c_str());
}

io::NirGroup group_from(const nb::dict& dict) {
    io::NirGroup group;
    for (const auto& [key, value] : dict) {
        const auto name = nb::cast<std::string>(key);
        if (nb::isinstance<nb::str>(value)) {
            group.entries.emplace_back(name, nb::cast<std::string>(value));
        } else if (nb::isinstance<nb::dict>(value)) {
            group.entries.emplace_back(name, group_from(nb::cast<nb::dict>(value)));
        } else {
            group.entries.emplace_back(name, array_from(name, value));
        }
    }
    return group;
}

}  // namespace

nb::dict tree_from(const io::NirNode& node) {
    nb::dict tree = dict_from(node.fields);
    tree["type"] = text(node.type);
    tree["metadata"] = dict_from(node.metadata);
    if (!node.graph) return tree;
    nb::dict nodes;
    nb::dict shapes;
    const std::vector<io::NirShapes> shape = io::nir_shapes(*node.graph);
    for (std::size_t i = 0; i < shape.size(); ++i) {
        const auto& [name, child] = node.graph->nodes[i];
        nodes[text(name)] = tree_from(child);
        shapes[text(name)] = nb::make_tuple(shape_from(shape[i].input), shape_from(shape[i].output));
    }
    nb::list edges;
    for (const auto& [source, target] : node.graph->edges)
        edges.append(nb::make_tuple(text(source), text(target)));
    tree["nodes"] = nodes;
    tree["edges"] = edges;
    tree["shapes"] = shapes;
    return tree;
}

io::NirNode node_from(const nb::dict& tree) {
    nb::dict fields;
    for (const auto& [key, value] : tree) fields[key] = value;
    io::NirNode node;
    node.type = nb::cast<std::string>(fields.attr("pop")("type"));
    node.metadata = group_from(nb::cast<nb::dict>(fields.attr("pop")("metadata")));
    if (fields.contains("nodes")) {
        node.graph = std::make_shared<io::NirGraph>();
        for (const auto& [name, child] : nb::cast<nb::dict>(fields.attr("pop")("nodes"))) {
            node.graph->nodes.emplace_back(nb::cast<std::string>(name), node_from(nb::cast<nb::dict>(child)));
        }
        for (const nb::handle edge : nb::cast<nb::list>(fields.attr("pop")("edges"))) {
            node.graph->edges.emplace_back(nb::cast<std::string>(edge[0]), nb::cast<std::string>(edge[1]));
        }
    }
    node.fields = group_from(fields);
    return node;
}

}  // namespace saltus::python
