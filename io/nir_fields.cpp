// Rules of nir_fields.hpp.
#include "nir_fields.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "nir_check.hpp"

namespace saltus::io {

namespace {

/// Whole numbers in a document are sizes and positions: with this bound no sum or product of two of them
/// overflows.
constexpr double integer_limit = 2147483647.0;

std::string found_text(const NirValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) {
        constexpr std::size_t shown = 40;
        return "the string " + saltus::quoted(text->substr(0, shown)) + (text->size() > shown ? "..." : "");
    }
    if (std::holds_alternative<NirGroup>(value)) return "a group";
    const auto& array = std::get<NirArray>(value);
    return std::string(to_string(array.type)) + " of shape " + to_text(array.shape);
}

std::string count_text(std::uint64_t count) {
    return std::to_string(count) + (count == 1 ? " value" : " values");
}

std::string names_of(const NirNodeType& type) {
    std::string text;
    for (const NirField& field : type.fields) text += (text.empty() ? "" : ", ") + std::string(field.name);
    return text;
}

void check_array(const NirArray& array, std::string_view field, const NirPlace& place) {
    if (array.shape.size() > max_rank) {
        throw place.unexpected(field, "at most " + std::to_string(max_rank) + " dimensions",
                               std::to_string(array.shape.size()));
    }
    const std::uint64_t count = element_count(array.shape);
    if (count > max_elements) {
        throw place.unexpected(field, "at most 2^31 elements", "shape " + to_text(array.shape));
    }
    const std::uint64_t bytes = count * size_of(array.type);
    const bool later = array.data.empty() && count > small_array;
    if (!later && array.data.size() != bytes) {
        throw place.unexpected(field, std::to_string(bytes) + " bytes for shape " + to_text(array.shape),
                               std::to_string(array.data.size()));
    }
}

void check_missing(const NirNode& node, const NirNodeType& type, const NirField& field,
                   const NirPlace& place) {
    if (!field.required) return;
    std::string text = "required field of " + node.type + " is missing";
    const auto& entries = node.fields.entries;
    const auto stray = std::find_if(entries.begin(), entries.end(),
                                    [&](const auto& entry) { return type.find(entry.first) == nullptr; });
    if (stray != entries.end()) text += ", and " + saltus::quoted(stray->first) + " is none of its fields";
    throw place.error(field.name, text + ". " + node.type + " has the fields " + names_of(type) + ".");
}

std::string range_text(NirRange range) {
    return range == NirRange::positive       ? "whole numbers > 0"
           : range == NirRange::not_negative ? "whole numbers >= 0"
                                             : "whole numbers";
}

void check_count(const NirArray& array, const NirNodeType& type, const NirField& field,
                 const NirPlace& place) {
    const std::uint64_t count = array.size();
    const auto fits = [&](bool right, const std::string& expected) {
        if (!right || array.shape.size() > 1) throw place.unexpected(field.name, expected, found_text(array));
    };
    switch (field.count) {
        case NirCount::one:
            return fits(count == 1, "one whole number");
        case NirCount::axes:
            return fits(count == type.axes, count_text(type.axes));
        case NirCount::one_or_axes:
            return fits(count == 1 || count == type.axes,
                        type.axes == 1 ? "one whole number" : "1 or " + count_text(type.axes));
        case NirCount::shape:
            return fits(count >= 1 && count <= max_rank, "a list of 1 to 8 sizes");
    }
}

void check_integers(const NirArray& array, const NirNodeType& type, const NirField& field,
                    const NirPlace& place) {
    if (array.type == NirType::boolean)
        throw place.unexpected(field.name, range_text(field.range), "booleans");
    check_count(array, type, field, place);
    for (std::uint64_t i = 0; i < array.size(); ++i) {
        const double value = array.real(i);
        const bool in_range = (field.range != NirRange::positive || value > 0.0) &&
                              (field.range != NirRange::not_negative || value >= 0.0);
        if (!(std::abs(value) <= integer_limit) || value != std::trunc(value) || !in_range) {
            throw place.unexpected(field.name, range_text(field.range) + " below 2^31", number_text(value));
        }
    }
}

void check_kind(const NirValue& value, const NirNodeType& type, const NirField& field,
                const NirPlace& place) {
    if (field.kind == NirKind::padding) {
        if (const auto* text = std::get_if<std::string>(&value)) {
            if (*text == "same" || *text == "valid") return;
            throw place.unexpected(field.name, "whole numbers >= 0, 'same' or 'valid'", found_text(value));
        }
    }
    const auto* array = std::get_if<NirArray>(&value);
    if (array == nullptr) {
        throw place.unexpected(field.name, field.kind == NirKind::real ? "numbers" : range_text(field.range),
                               found_text(value));
    }
    if (field.kind != NirKind::real) return check_integers(*array, type, field, place);
    if (array->type == NirType::boolean) throw place.unexpected(field.name, "numbers", "booleans");
    if (array->size() == 0) throw place.unexpected(field.name, "at least one number", found_text(value));
}

void check_matrix(const NirNode& node, const NirPlace& place) {
    const NirShape& weight = node.array("weight")->shape;
    if (weight.size() < 2) {
        throw place.unexpected("weight", "a matrix of shape [outputs, inputs]", "shape " + to_text(weight));
    }
}

void check_layer(const NirNode& node, const NirNodeType& type, const NirPlace& place) {
    const std::string_view shaping = shaping_field(node, type);
    const NirShape& shape = node.array(shaping)->shape;
    for (const NirField& field : type.fields) {
        const NirArray* array = node.array(field.name);
        if (array == nullptr || is_single(*array) || array->shape == shape) continue;
        throw place.unexpected(field.name, "shape " + to_text(shape) + " as " + saltus::quoted(shaping),
                               to_text(array->shape));
    }
}

void check_conv(const NirNode& node, const NirNodeType& type, const NirPlace& place) {
    const NirShape& weight = node.array("weight")->shape;
    if (weight.size() != type.axes + 2) {
        throw place.unexpected(
            "weight",
            std::to_string(type.axes + 2) + " dimensions (channels out, channels in / groups, kernel)",
            "shape " + to_text(weight));
    }
    const std::int64_t groups = integers(node, "groups").front();
    if (weight[0] % static_cast<std::uint64_t>(groups) != 0) {
        throw place.unexpected("groups", "a divisor of the " + std::to_string(weight[0]) + " output channels",
                               std::to_string(groups));
    }
    const std::string* padding = node.string("padding");
    if (padding != nullptr && *padding == "same") {
        for (const std::int64_t stride : integers(node, "stride", type.axes)) {
            if (stride != 1)
                throw place.unexpected("stride", "1 with padding 'same'", std::to_string(stride));
        }
    }
}

}  // namespace

std::uint64_t element_count(const NirShape& shape) {
    std::uint64_t count = 1;
    for (const std::uint64_t n : shape) {
        if (n == 0) return 0;
        if (count <= max_elements) count = n > max_elements / count ? max_elements + 1 : count * n;
    }
    return count;
}

bool is_single(const NirArray& array) {
    return array.shape.empty() || (array.shape.size() == 1 && array.shape.front() == 1);
}

std::vector<std::int64_t> integers(const NirNode& node, std::string_view field, std::size_t count) {
    const NirArray& array = *node.array(field);
    std::vector<std::int64_t> values;
    for (std::uint64_t i = 0; i < array.size(); ++i) values.push_back(array.integer(i));
    if (values.size() == 1) values.resize(count, values.front());
    return values;
}

NirShape stored_shape(const NirNode& node, std::string_view field) {
    const std::vector<std::int64_t> values = integers(node, field);
    return NirShape(values.begin(), values.end());
}

std::string_view shaping_field(const NirNode& node, const NirNodeType& type) {
    for (const NirField& field : type.fields) {
        const NirArray* array = node.array(field.name);
        if (array != nullptr && !is_single(*array)) return field.name;
    }
    return type.fields.front().name;
}

void check_arrays(const NirGroup& group, const NirPlace& place) {
    for (const auto& [name, value] : group.entries) {
        if (const auto* array = std::get_if<NirArray>(&value)) check_array(*array, name, place);
        if (const auto* inner = std::get_if<NirGroup>(&value)) check_arrays(*inner, place);
    }
}

void check_fields(const NirNode& node, const NirPlace& place, NirNotes& notes) {
    const NirNodeType* type = find_nir_node_type(node.type);
    if (type == nullptr) {
        std::vector<std::string_view> known;
        std::string list;
        for (const NirNodeType& t : nir_node_types()) {
            known.push_back(t.name);
            list += (list.empty() ? "" : ", ") + std::string(t.name);
        }
        throw place.error("", "unknown type " + saltus::quoted(node.type) + "." +
                                  (node.type.size() > 64 ? "" : did_you_mean(node.type, known)) +
                                  " The types are " + list + ".");
    }
    if (type->form == NirForm::graph) throw place.error("", "a NIRGraph without nodes and edges");
    check_arrays(node.fields, place);
    check_arrays(node.metadata, place);
    for (const NirField& field : type->fields) {
        const NirValue* value = node.fields.find(field.name);
        if (value == nullptr) {
            check_missing(node, *type, field, place);
        } else {
            check_kind(*value, *type, field, place);
        }
    }
    for (const auto& [name, value] : node.fields.entries) {
        if (type->find(name) == nullptr) {
            notes.add(place.where(name) + ": " + node.type +
                      " has no such field, it is kept but means nothing.");
        }
    }
    switch (type->form) {
        case NirForm::matrix:
            return check_matrix(node, place);
        case NirForm::layer:
            return check_layer(node, *type, place);
        case NirForm::conv:
            return check_conv(node, *type, place);
        default:
            return;
    }
}

}  // namespace saltus::io
