// NIR documents (Pedersen et al., Nat. Commun. 15, 8122, 2024; package nir 1.0.8): the file as it is,
// checked, without any meaning for a simulator. An HDF5 file (`.nir`) and NIR-style JSON (`.nir.json`) hold
// the same document.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace saltus::io {

/// Element types that a document keeps. Others are converted when read, without loss: float16 to float32,
/// other integer widths to int64, enum bool to boolean, every byte order to the machine's.
enum class NirType { float32, float64, int32, int64, uint8, boolean };

[[nodiscard]] std::string_view to_string(NirType type);
[[nodiscard]] std::size_t size_of(NirType type);

/// A number (shape empty) or an array in C order.
struct NirArray {
    NirType type = NirType::float64;
    std::vector<std::uint64_t> shape;
    std::vector<std::byte> data;  // product(shape) * size_of(type) bytes

    [[nodiscard]] std::uint64_t size() const;  // product(shape), 1 for a number
    /// Element `i` in C order as double or int64 (integers beyond 2^53 round in the first case).
    [[nodiscard]] double real(std::uint64_t i) const;
    [[nodiscard]] std::int64_t integer(std::uint64_t i) const;  // truncates a floating value
    [[nodiscard]] std::vector<double> reals() const;

    [[nodiscard]] static NirArray of(const std::vector<double>& values, std::vector<std::uint64_t> shape);
    [[nodiscard]] static NirArray of(const std::vector<float>& values, std::vector<std::uint64_t> shape);
    [[nodiscard]] static NirArray of(const std::vector<std::int64_t>& values,
                                     std::vector<std::uint64_t> shape);
    [[nodiscard]] static NirArray of(std::int64_t value);

    friend bool operator==(const NirArray&, const NirArray&) = default;
};

struct NirGroup;

/// A field of a node, or an entry of its metadata (only there a group).
using NirValue = std::variant<NirArray, std::string, NirGroup>;

struct NirGroup {
    std::vector<std::pair<std::string, NirValue>> entries;  // in the order of the file

    [[nodiscard]] const NirValue* find(std::string_view name) const;
    friend bool operator==(const NirGroup&, const NirGroup&);
};

struct NirGraph;

/// One node. A NIRGraph node has `graph`, no fields.
struct NirNode {
    std::string type;
    NirGroup fields;    // without "type" and "metadata"
    NirGroup metadata;  // empty where the node has none
    std::shared_ptr<NirGraph> graph;

    [[nodiscard]] const NirArray* array(std::string_view field) const;  // nullptr: absent, or not an array
    [[nodiscard]] const std::string* string(
        std::string_view field) const;                       // nullptr: absent, or not a string
    void set(std::string_view field, NirValue value);        // replaces or appends
    friend bool operator==(const NirNode&, const NirNode&);  // compares sub-graphs by value
};

struct NirGraph {
    std::vector<std::pair<std::string, NirNode>> nodes;
    std::vector<std::pair<std::string, std::string>> edges;

    [[nodiscard]] const NirNode* find(std::string_view name) const;
    friend bool operator==(const NirGraph&, const NirGraph&) = default;
};

struct NirDocument {
    std::optional<std::string> version;
    NirNode root;  // always a NIRGraph: a file whose top node is not a graph is read as a graph of one node
    std::vector<std::string> notes;  // what was tolerated while reading, one sentence each
};

struct NirReadOptions {
    bool sum_duplicate_edges = false;  // default: a duplicate edge is an error, as in nir 1.0.8
};

/// Reads and checks a `.nir` file. Throws FileError.
[[nodiscard]] NirDocument read_nir(const std::filesystem::path& path, const NirReadOptions& options = {});

/// Writes a `.nir` file that nir >= 1.0 and the tools built on it accept. Throws FileError; leaves no
/// half-written file.
void write_nir(const NirDocument& document, const std::filesystem::path& path);

/// Checks a document that came from elsewhere by the rules of read_nir, in place: fills defaults (v_reset,
/// w_in, input_shape), broadcasts parameters to the shape of their layer, resolves "sub.port" edges. `origin`
/// names the document in errors. Throws FileError.
void check_nir(NirDocument& document, const std::filesystem::path& origin,
               const NirReadOptions& options = {});

/// Shapes (without batch and time) of what a node takes and gives, in a checked document.
struct NirShapes {
    std::vector<std::uint64_t> input;
    std::vector<std::uint64_t> output;
};
/// For each node of `graph`, in order; sub-graphs give the shapes of their only Input and Output (empty if
/// several).
[[nodiscard]] std::vector<NirShapes> nir_shapes(const NirGraph& graph);

}  // namespace saltus::io
