// check_structure, check_values, complete and the public check_nir and nir_shapes.
#include "nir_check.hpp"

#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "nir_fields.hpp"
#include "nir_flat.hpp"
#include "nir_infer.hpp"
#include "nir_place.hpp"
#include "nir_schema.hpp"

namespace saltus::io {

namespace {

void check_graph(const NirNode& node, const NirPlace& place, NirNotes& notes) {
    if (node.type != "NIRGraph") throw place.error("", node.type + " holds a graph, only a NIRGraph can");
    check_arrays(node.fields, place);
    check_arrays(node.metadata, place);
    for (const auto& [name, value] : node.fields.entries) {
        notes.add(place.where(name) + ": NIRGraph has no such field, it is kept but means nothing.");
    }
    bool input = false;
    bool output = false;
    for (const auto& [name, child] : node.graph->nodes) {
        input = input || child.type == "Input";
        output = output || child.type == "Output";
        const NirPlace inner{place.origin, (place.node.empty() ? "" : place.node + "/") + name};
        if (child.graph) {
            check_graph(child, inner, notes);
        } else {
            check_fields(child, inner, notes);
        }
    }
    if (!input) notes.add(place.where() + " has no Input.");
    if (!output) notes.add(place.where() + " has no Output.");
}

void note_unconnected(const NirFlat& flat, NirNotes& notes) {
    std::vector<bool> connected(flat.nodes.size());
    for (const NirEdge& edge : flat.edges) connected[edge.source] = connected[edge.target] = true;
    for (std::size_t i = 0; i < flat.nodes.size(); ++i) {
        if (!connected[i])
            notes.add("node " + saltus::quoted(flat.path(i)) + ": no edge leads to it or from it.");
    }
}

/// Visits the nodes in the order of NirFlat::nodes.
template <class Visit>
void each_leaf(NirGraph& graph, Visit& visit) {
    for (auto& [name, node] : graph.nodes) {
        if (node.graph) {
            each_leaf(*node.graph, visit);
        } else {
            visit(node);
        }
    }
}

/// "[1, 0]": where element `i` of an array lies, "" for a number.
std::string index_text(const NirShape& shape, std::uint64_t i) {
    if (shape.empty()) return "";
    NirShape index(shape.size());
    for (std::size_t axis = shape.size(); axis-- > 0; i /= shape[axis]) index[axis] = i % shape[axis];
    return to_text(index);
}

std::string element_text(const NirArray& array, std::uint64_t i) {
    if (array.type == NirType::float32) return number_text(static_cast<float>(array.real(i)));
    return number_text(array.real(i));
}

FileError wrong_element(const NirPlace& place, std::string_view field, const NirArray& array, std::uint64_t i,
                        const std::string& expected) {
    return FileError::unexpected(place.origin, place.where(field) + index_text(array.shape, i), expected,
                                 element_text(array, i));
}

template <class T>
void check_reals(const NirArray& array, const NirField& field, const NirPlace& place) {
    const std::uint64_t count = array.size();
    for (std::uint64_t i = 0; i < count; ++i) {
        T value;
        std::memcpy(&value, array.data.data() + i * sizeof(T), sizeof(T));
        if (!std::isfinite(value)) throw wrong_element(place, field.name, array, i, "a finite number");
        if (field.range == NirRange::positive && !(value > T{0})) {
            throw wrong_element(place, field.name, array, i, "> 0");
        }
        if (field.range == NirRange::not_negative && !(value >= T{0})) {
            throw wrong_element(place, field.name, array, i, ">= 0");
        }
    }
}

void check_reals(const NirArray& array, const NirField& field, const NirPlace& place) {
    switch (array.type) {
        case NirType::float32:
            return check_reals<float>(array, field, place);
        case NirType::float64:
            return check_reals<double>(array, field, place);
        case NirType::int32:
            return check_reals<std::int32_t>(array, field, place);
        case NirType::int64:
            return check_reals<std::int64_t>(array, field, place);
        case NirType::uint8:
        case NirType::boolean:
            return check_reals<std::uint8_t>(array, field, place);
    }
}

/// Element `i` of a parameter that may be a single number for all.
double of_neuron(const NirArray& array, std::uint64_t i) {
    return array.real(is_single(array) ? 0 : i);
}

void note_threshold(const NirNode& node, const NirPlace& place, NirNotes& notes) {
    const NirArray* threshold = node.array("v_threshold");
    if (threshold == nullptr) return;
    const NirArray* reset = node.array("v_reset");
    const NirArray& longer = reset != nullptr && is_single(*threshold) ? *reset : *threshold;
    const std::uint64_t count = longer.size();
    for (std::uint64_t i = 0; i < count; ++i) {
        const double v_reset = reset == nullptr ? 0.0 : of_neuron(*reset, i);
        const double v_threshold = of_neuron(*threshold, i);
        if (v_threshold > v_reset) continue;
        notes.add(place.where("v_threshold") + index_text(longer.shape, i) + ": " + number_text(v_threshold) +
                  " is not above v_reset, " + number_text(v_reset) + ": a spike does not end the crossing.");
        return;
    }
}

NirArray list(const std::vector<std::int64_t>& values) {
    return NirArray::of(values, {values.size()});
}

NirArray list(const NirShape& shape) {
    return list(std::vector<std::int64_t>(shape.begin(), shape.end()));
}

NirArray repeated(const NirArray& single, const NirShape& shape) {
    NirArray array{single.type, shape, {}};
    const std::size_t size = single.data.size();
    const std::uint64_t count = array.size();
    array.data.resize(count * size);
    for (std::uint64_t i = 0; i < count; ++i)
        std::memcpy(array.data.data() + i * size, single.data.data(), size);
    return array;
}

void broadcast(NirNode& node, std::string_view field, const NirShape& shape) {
    const NirArray* array = node.array(field);
    if (array != nullptr && is_single(*array) && array->shape != shape)
        node.set(field, repeated(*array, shape));
}

/// The float type that the fields of the node have.
NirType float_type(const NirNode& node, const NirNodeType& type) {
    for (const NirField& field : type.fields) {
        const NirArray* array = node.array(field.name);
        if (array != nullptr && (array->type == NirType::float32 || array->type == NirType::float64))
            return array->type;
    }
    return NirType::float64;
}

void complete_layer(NirNode& node, const NirNodeType& type, const NirShape& shape) {
    for (const NirField& field : type.fields) {
        if (node.array(field.name) == nullptr) {
            node.set(field.name,
                     float_type(node, type) == NirType::float32
                         ? NirArray::of(std::vector<float>{static_cast<float>(field.fallback)}, {})
                         : NirArray::of(std::vector<double>{field.fallback}, {}));
        }
        broadcast(node, field.name, shape);
    }
}

/// Whole numbers as nir 1.0.8 writes them: int64, a number in one dimension, a list in two.
void complete_integers(NirNode& node, const NirNodeType& type) {
    for (const NirField& field : type.fields) {
        if (field.kind == NirKind::real || node.array(field.name) == nullptr) continue;
        const bool number =
            field.count == NirCount::one || (field.count != NirCount::shape && type.axes == 1);
        const std::size_t count = field.count == NirCount::one_or_axes ? type.axes : 1;
        const std::vector<std::int64_t> values = integers(node, field.name, count);
        node.set(field.name, number ? NirArray::of(values.front()) : list(values));
    }
}

void complete_node(NirNode& node, const NirLeafShapes& shapes) {
    const NirNodeType& type = *find_nir_node_type(node.type);
    if (type.form == NirForm::layer) return complete_layer(node, type, *shapes.input);
    if (type.form == NirForm::port) node.set("shape", list(*shapes.input));
    if (type.form == NirForm::matrix) broadcast(node, "bias", {shapes.output->back()});
    if (type.form == NirForm::conv) {
        node.set("input_shape", list(NirShape(shapes.input->begin() + 1, shapes.input->end())));
        broadcast(node, "bias", {shapes.output->front()});
    }
    if (type.form == NirForm::flatten && shapes.input) {
        node.set("start_dim", NirArray::of(shapes.start_dim));
        node.set("end_dim", NirArray::of(shapes.end_dim));
        node.set("input_type", list(*shapes.input));
    }
    complete_integers(node, type);
}

/// A document that was checked before: there is nothing new to note, and duplicate edges are meant.
struct Checked {
    std::string nowhere;
    std::vector<std::string> known;
    NirNotes notes{known};

    NirFlat flat(const NirGraph& graph) {
        return flatten(graph, nowhere, {.sum_duplicate_edges = true}, notes);
    }
    std::vector<NirLeafShapes> shapes(const NirGraph& graph) {
        return infer_shapes(flat(graph), nowhere, notes);
    }
};

std::size_t leaf_count(const NirGraph& graph) {
    std::size_t count = 0;
    for (const auto& [name, node] : graph.nodes) count += node.graph ? leaf_count(*node.graph) : 1;
    return count;
}

/// Of a sub-graph whose first leaf is number `leaf`.
NirShapes port_shapes(const NirGraph& graph, const std::vector<NirLeafShapes>& leaves, std::size_t leaf) {
    std::vector<NirShape> inputs;
    std::vector<NirShape> outputs;
    for (const auto& [name, node] : graph.nodes) {
        if (node.type == "Input") inputs.push_back(*leaves[leaf].output);
        if (node.type == "Output") outputs.push_back(*leaves[leaf].input);
        leaf += node.graph ? leaf_count(*node.graph) : 1;
    }
    return {inputs.size() == 1 ? inputs.front() : NirShape{},
            outputs.size() == 1 ? outputs.front() : NirShape{}};
}

}  // namespace

void check_structure(NirDocument& document, const std::filesystem::path& origin,
                     const NirReadOptions& options) {
    NirNotes notes(document.notes);
    if (document.root.type != "NIRGraph") {
        auto graph = std::make_shared<NirGraph>();
        graph->nodes.emplace_back("node", std::exchange(document.root, NirNode{}));
        document.root = NirNode{"NIRGraph", {}, {}, std::move(graph)};
        notes.add("the top node is not a NIRGraph; taken as a graph of one node, 'node'.");
    }
    const std::string path = origin.string();
    if (!document.root.graph) throw NirPlace{path, ""}.error("", "a NIRGraph without nodes and edges");
    if (!document.version) notes.add("version unknown: the file does not say which version of nir wrote it.");
    const NirFlat flat = flatten(*document.root.graph, path, options, notes);
    check_graph(document.root, {path, ""}, notes);
    static_cast<void>(infer_shapes(flat, path, notes));
    note_unconnected(flat, notes);
    use_plain_names(*document.root.graph);
}

void check_values(NirDocument& document, const std::filesystem::path& origin) {
    NirNotes notes(document.notes);
    const std::string path = origin.string();
    const NirFlat flat = Checked().flat(*document.root.graph);
    for (std::size_t i = 0; i < flat.nodes.size(); ++i) {
        const NirNode& node = *flat.nodes[i].node;
        const NirPlace place{path, flat.path(i)};
        for (const NirField& field : find_nir_node_type(node.type)->fields) {
            const NirArray* array = node.array(field.name);
            if (array != nullptr && field.kind == NirKind::real) check_reals(*array, field, place);
        }
        note_threshold(node, place, notes);
    }
}

void complete(NirDocument& document) {
    NirGraph& graph = *document.root.graph;
    const std::vector<NirLeafShapes> shapes = Checked().shapes(graph);
    std::size_t i = 0;
    const auto visit = [&](NirNode& node) { complete_node(node, shapes[i++]); };
    each_leaf(graph, visit);
}

void check_nir(NirDocument& document, const std::filesystem::path& origin, const NirReadOptions& options) {
    check_structure(document, origin, options);
    check_values(document, origin);
    complete(document);
}

std::vector<NirShapes> nir_shapes(const NirGraph& graph) {
    const std::vector<NirLeafShapes> leaves = Checked().shapes(graph);
    std::vector<NirShapes> shapes;
    std::size_t leaf = 0;
    for (const auto& [name, node] : graph.nodes) {
        if (node.graph) {
            shapes.push_back(port_shapes(*node.graph, leaves, leaf));
            leaf += leaf_count(*node.graph);
        } else {
            shapes.push_back(
                {leaves[leaf].input.value_or(NirShape{}), leaves[leaf].output.value_or(NirShape{})});
            ++leaf;
        }
    }
    return shapes;
}

}  // namespace saltus::io
