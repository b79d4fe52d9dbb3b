// Reading and writing of the form that nir_json.hpp describes.
#include "saltus/io/nir_json.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base64.hpp"
#include "files.hpp"
#include "json_tree.hpp"
#include "nir_check.hpp"
#include "nir_fields.hpp"
#include "nir_place.hpp"
#include "nir_schema.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::io {

namespace {

constexpr std::uint64_t max_file_size = std::uint64_t{1} << 32;

constexpr std::array packed_types{NirType::float32, NirType::float64, NirType::int32,
                                  NirType::int64,   NirType::uint8,   NirType::boolean};

/// Packed data are little-endian.
void swap_on_big_endian(std::vector<std::byte>& bytes, std::size_t size) {
    if constexpr (std::endian::native == std::endian::big) {
        for (auto element = bytes.begin(); element != bytes.end();
             element += static_cast<std::ptrdiff_t>(size)) {
            std::reverse(element, element + static_cast<std::ptrdiff_t>(size));
        }
    }
}

bool is_real(const NirNodeType* type, std::string_view field) {
    const NirField* known = type == nullptr ? nullptr : type->find(field);
    return known != nullptr && known->kind == NirKind::real;
}

class Reader {
  public:
    explicit Reader(const std::string& origin) : origin_(origin) {}

    NirDocument document(JsonObject file) const {
        NirDocument document;
        if (JsonValue* version = file.find("version"))
            document.version = take<std::string>(*version, "version", "a string");
        JsonValue* top = file.find("node");
        if (top == nullptr) throw missing("node", "a file has 'version' and 'node'");
        document.root = node(take<JsonObject>(*top, "node", "an object"), "node");
        for (const auto& [key, value] : file.entries) {
            if (key != "version" && key != "node")
                document.notes.push_back(saltus::quoted(key) + ": ignored, a file has 'version' and 'node'.");
        }
        return document;
    }

  private:
    [[nodiscard]] FileError missing(const std::string& path, const std::string& text) const {
        return {origin_, path, "is missing: " + text + "."};
    }

    template <class T>
    [[nodiscard]] T take(JsonValue& value, const std::string& path, const std::string& expected) const {
        if (T* found = std::get_if<T>(&value)) return std::move(*found);
        throw FileError::unexpected(origin_, path, expected, kind_text(value));
    }

    [[nodiscard]] NirNode node(JsonObject object, const std::string& path) const {
        JsonValue* type = object.find("type");
        if (type == nullptr) throw missing(path + ".type", "every node has a type");
        NirNode node;
        node.type = take<std::string>(*type, path + ".type", "a string");
        const bool is_graph = node.type == "NIRGraph";
        if (is_graph) node.graph = std::make_shared<NirGraph>(graph(object, path));
        const NirNodeType* known = find_nir_node_type(node.type);
        for (auto& [key, value] : object.entries) {
            if (key == "type" || (is_graph && (key == "nodes" || key == "edges"))) continue;
            const std::string place = path + "." + key;
            if (key == "metadata") {
                node.metadata = group(take<JsonObject>(value, place, "an object"), place);
            } else {
                node.fields.entries.emplace_back(key, field(std::move(value), place, is_real(known, key)));
            }
        }
        return node;
    }

    [[nodiscard]] NirGraph graph(JsonObject& object, const std::string& path) const {
        JsonValue* nodes = object.find("nodes");
        JsonValue* edges = object.find("edges");
        if (nodes == nullptr) throw missing(path + ".nodes", "a NIRGraph has nodes and edges");
        if (edges == nullptr) throw missing(path + ".edges", "a NIRGraph has nodes and edges");
        NirGraph graph;
        for (auto& [name, child] : take<JsonObject>(*nodes, path + ".nodes", "an object").entries) {
            const std::string place = path + ".nodes." + name;
            graph.nodes.emplace_back(name, node(take<JsonObject>(child, place, "an object"), place));
        }
        const std::string expected = "a list of pairs of strings";
        JsonList pairs = take<JsonList>(*edges, path + ".edges", expected);
        if (pairs.shape == NirShape{0}) return graph;
        auto* names = std::get_if<std::vector<std::string>>(&pairs.values);
        if (names == nullptr || pairs.shape.size() != 2 || pairs.shape[1] != 2) {
            throw FileError::unexpected(origin_, path + ".edges", expected,
                                        kind_text(pairs) + " of shape " + to_text(pairs.shape));
        }
        for (std::size_t i = 0; i < names->size(); i += 2) {
            graph.edges.emplace_back(std::move((*names)[i]), std::move((*names)[i + 1]));
        }
        return graph;
    }

    [[nodiscard]] NirGroup group(JsonObject object, const std::string& path) const {
        NirGroup group;
        for (auto& [key, value] : object.entries) {
            group.entries.emplace_back(key, field(std::move(value), path + "." + key, false));
        }
        return group;
    }

    [[nodiscard]] NirValue field(JsonValue value, const std::string& path, bool real) const {
        if (auto* text = std::get_if<std::string>(&value)) return std::move(*text);
        if (auto* list = std::get_if<JsonList>(&value)) return array(std::move(*list), path, real);
        auto& object = std::get<JsonObject>(value);
        if (object.find("dtype") != nullptr && object.find("data") != nullptr) return packed(object, path);
        return group(std::move(object), path);
    }

    [[nodiscard]] NirArray array(JsonList list, const std::string& path, bool real) const {
        if (const auto* reals = std::get_if<std::vector<double>>(&list.values)) {
            return NirArray::of(*reals, std::move(list.shape));
        }
        const auto* integers = std::get_if<std::vector<std::int64_t>>(&list.values);
        if (integers == nullptr) throw FileError::unexpected(origin_, path, "numbers", kind_text(list));
        if (!real) return NirArray::of(*integers, std::move(list.shape));
        return NirArray::of(std::vector<double>(integers->begin(), integers->end()), std::move(list.shape));
    }

    [[nodiscard]] NirArray packed(JsonObject& object, const std::string& path) const {
        for (const auto& [key, value] : object.entries) {
            if (key == "dtype" || key == "shape" || key == "data") continue;
            throw FileError::unexpected(origin_, path, "only 'dtype', 'shape' and 'data'",
                                        saltus::quoted(key));
        }
        NirArray array;
        array.type =
            dtype(take<std::string>(*object.find("dtype"), path + ".dtype", "a string"), path + ".dtype");
        array.shape = shape(object, path + ".shape");
        const std::uint64_t count = element_count(array.shape);
        if (count > max_elements) {
            throw FileError::unexpected(origin_, path + ".shape", "at most 2^31 elements",
                                        to_text(array.shape));
        }
        const std::string text = take<std::string>(*object.find("data"), path + ".data", "a string");
        const std::uint64_t bytes = count * size_of(array.type);
        if (text.size() != base64_length(bytes)) {
            throw FileError::unexpected(origin_, path + ".data",
                                        std::to_string(base64_length(bytes)) + " base64 digits for " +
                                            std::string(to_string(array.type)) + " of shape " +
                                            to_text(array.shape),
                                        std::to_string(text.size()));
        }
        auto data = from_base64(text);
        if (!data || data->size() != bytes) {
            throw FileError(
                origin_, path + ".data",
                "is not base64 (RFC 4648, padded, no line breaks) of " + std::to_string(bytes) + " bytes");
        }
        array.data = std::move(*data);
        swap_on_big_endian(array.data, size_of(array.type));
        if (array.type == NirType::boolean &&
            std::any_of(array.data.begin(), array.data.end(), [](std::byte b) { return b > std::byte{1}; })) {
            throw FileError(origin_, path + ".data", "a byte of a bool is neither 0 nor 1");
        }
        return array;
    }

    [[nodiscard]] NirType dtype(const std::string& name, const std::string& path) const {
        std::string known;
        for (const NirType type : packed_types) {
            if (to_string(type) == name) return type;
            known += (known.empty() ? "" : ", ") + std::string(to_string(type));
        }
        throw FileError::unexpected(origin_, path, "one of " + known, saltus::quoted(name));
    }

    [[nodiscard]] NirShape shape(JsonObject& object, const std::string& path) const {
        JsonValue* value = object.find("shape");
        if (value == nullptr) throw missing(path, "a packed array has 'dtype', 'shape' and 'data'");
        const std::string expected = "a list of at most " + std::to_string(max_rank) + " whole numbers >= 0";
        const JsonList list = take<JsonList>(*value, path, expected);
        const auto* sizes = std::get_if<std::vector<std::int64_t>>(&list.values);
        if (sizes == nullptr || list.shape.size() != 1 || sizes->size() > max_rank ||
            std::any_of(sizes->begin(), sizes->end(), [](std::int64_t n) { return n < 0; })) {
            throw FileError::unexpected(origin_, path, expected,
                                        sizes == nullptr ? kind_text(list) : "other numbers");
        }
        return NirShape(sizes->begin(), sizes->end());
    }

    const std::string& origin_;
};

class Writer {
  public:
    Writer(const std::string& origin, JsonArrays arrays) : origin_(origin), arrays_(arrays) {}

    std::string document(const NirDocument& document) {
        open();
        if (document.version) string("version", *document.version);
        key("node");
        node(document.root);
        close();
        return std::move(text_) + "\n";
    }

  private:
    void line() {
        text_ += '\n';
        text_.append(2 * depth_, ' ');
    }

    void open() {
        if (depth_ == max_json_objects) {
            throw FileError(
                origin_, "",
                "metadata or graphs are nested deeper than " + std::to_string(max_json_objects) + " levels");
        }
        text_ += '{';
        ++depth_;
        first_ = true;
    }

    void close() {
        --depth_;
        if (!first_) line();
        text_ += '}';
        first_ = false;
    }

    void key(const std::string& name) {
        if (!first_) text_ += ',';
        first_ = false;
        line();
        quote(name);
        text_ += ": ";
    }

    void quote(const std::string& value) {
        try {
            text_ += nlohmann::json(value).dump();
        } catch (const nlohmann::json::type_error&) {
            throw FileError(origin_, saltus::quoted(value), "is not valid UTF-8");
        }
    }

    void string(const std::string& name, const std::string& value) {
        key(name);
        quote(value);
    }

    void node(const NirNode& node) {
        open();
        string("type", node.type);
        if (node.graph) graph(*node.graph);
        entries(node.fields, find_nir_node_type(node.type));
        if (!node.metadata.entries.empty()) {
            key("metadata");
            group(node.metadata);
        }
        close();
    }

    void graph(const NirGraph& graph) {
        key("nodes");
        open();
        for (const auto& [name, child] : graph.nodes) {
            key(name);
            node(child);
        }
        close();
        key("edges");
        text_ += '[';
        ++depth_;
        for (std::size_t i = 0; i < graph.edges.size(); ++i) {
            if (i > 0) text_ += ',';
            line();
            text_ += '[';
            quote(graph.edges[i].first);
            text_ += ", ";
            quote(graph.edges[i].second);
            text_ += ']';
        }
        --depth_;
        if (!graph.edges.empty()) line();
        text_ += ']';
    }

    void group(const NirGroup& group) {
        if (group.find("dtype") != nullptr && group.find("data") != nullptr) {
            throw FileError(
                origin_, "metadata",
                "a group with the entries 'dtype' and 'data' would be read as a packed array. Rename one.");
        }
        open();
        entries(group, nullptr);
        close();
    }

    void entries(const NirGroup& group_, const NirNodeType* type) {
        for (const auto& [name, value] : group_.entries) {
            key(name);
            if (const auto* words = std::get_if<std::string>(&value)) {
                quote(*words);
            } else if (const auto* inner = std::get_if<NirGroup>(&value)) {
                group(*inner);
            } else {
                array(name, std::get<NirArray>(value), is_real(type, name));
            }
        }
    }

    void array(const std::string& name, const NirArray& array, bool real) {
        if (array.data.size() != array.size() * size_of(array.type)) {
            throw FileError::unexpected(
                origin_, "field " + saltus::quoted(name),
                std::to_string(array.size()) + " elements of " + std::string(to_string(array.type)),
                std::to_string(array.data.size()) + " bytes");
        }
        if (as_list(array, real)) {
            list(array, 0, 0);
        } else {
            pack(array);
        }
    }

    [[nodiscard]] bool as_list(const NirArray& array, bool real) const {
        const bool floating = array.type == NirType::float32 || array.type == NirType::float64;
        const std::uint64_t count = array.size();
        if (count == 0) return array.type == NirType::int64 && !real && array.shape == NirShape{0};
        if (arrays_ == JsonArrays::packed && !array.shape.empty()) return false;
        if (arrays_ == JsonArrays::automatic && count > small_array) return false;
        const bool same_type = array.type == NirType::float64 || (array.type == NirType::int64 && !real);
        if (arrays_ != JsonArrays::list && !same_type) return false;
        for (std::uint64_t i = 0; floating && i < count; ++i) {
            if (!std::isfinite(array.real(i))) return false;
        }
        return true;
    }

    /// The elements from `first` on along `axis`; lists of numbers stand on one line each.
    void list(const NirArray& array, std::size_t axis, std::uint64_t first) {
        if (axis == array.shape.size()) return number(array, first);
        const bool innermost = axis + 1 == array.shape.size();
        std::uint64_t step = 1;
        for (std::size_t i = axis + 1; i < array.shape.size(); ++i) step *= array.shape[i];
        text_ += '[';
        ++depth_;
        for (std::uint64_t i = 0; i < array.shape[axis]; ++i) {
            if (i > 0) text_ += innermost ? ", " : ",";
            if (!innermost) line();
            list(array, axis + 1, first + i * step);
        }
        --depth_;
        if (!innermost) line();
        text_ += ']';
    }

    /// Shortest digits that read back as the same number; a real number never looks like an integer.
    void number(const NirArray& array, std::uint64_t i) {
        if (array.type != NirType::float32 && array.type != NirType::float64) {
            text_ += std::to_string(array.integer(i));
            return;
        }
        const std::string digits = number_text(array.real(i));
        text_ += digits;
        if (digits.find_first_of(".e") == std::string::npos) text_ += ".0";
    }

    void pack(const NirArray& array) {
        text_ += R"({"dtype": ")" + std::string(to_string(array.type)) + R"(", "shape": )" +
                 to_text(array.shape) + R"(, "data": ")";
        if constexpr (std::endian::native == std::endian::little) {
            append_base64(text_, array.data);
        } else {
            std::vector<std::byte> bytes = array.data;
            swap_on_big_endian(bytes, size_of(array.type));
            append_base64(text_, bytes);
        }
        text_ += "\"}";
    }

    const std::string& origin_;
    JsonArrays arrays_;
    std::string text_;
    std::size_t depth_ = 0;
    bool first_ = true;
};

}  // namespace

NirDocument read_nir_json(const std::filesystem::path& path, const NirReadOptions& options) {
    const std::string origin = path.string();
    JsonObject file = parse_json(path, max_file_size);
    NirDocument document = Reader(origin).document(std::move(file));
    check_nir(document, path, options);
    return document;
}

void write_nir_json(const NirDocument& document, const std::filesystem::path& path, JsonArrays arrays) {
    const std::string origin = path.string();
    write_file(path, Writer(origin, arrays).document(document));
}

}  // namespace saltus::io
