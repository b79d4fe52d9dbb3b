// Reading `.nir` files (layout: nir.hpp names the package; HDF5 groups and datasets only, no attributes).
//
// The file is walked first: the document gets its nodes, edges, strings, small arrays, and of larger arrays
// only type and shape. check_structure then compares these with each other, so that an array whose shape does
// not fit its neighbours is refused before memory is asked for. What fits is read, and its values are
// checked.
//
// Each object may be reached once: a second hard link to it would be a cycle, or data declared several times.
#include <unordered_map>

#include "hdf5.hpp"
#include "nir_check.hpp"
#include "nir_hdf5.hpp"
#include "nir_place.hpp"
#include "nir_schema.hpp"

namespace saltus::io {

namespace {

constexpr std::uint64_t max_nodes = 1'000'000;
constexpr std::uint64_t max_edges = 10'000'000;
constexpr std::uint64_t max_text = std::uint64_t{1} << 30;       // bytes of all names in the edges of a graph
constexpr std::uint64_t max_unchecked = std::uint64_t{1} << 26;  // bytes of arrays that no rule gives a shape

/// Names node and field of an object: "/node/nodes/a/nodes/b/tau" is "node 'a/b', field 'tau'".
std::string place(std::string_view object) {
    constexpr std::string_view top = "/node";
    constexpr std::string_view nodes = "/nodes/";
    const std::string_view rest = object.substr(std::min(object.size(), top.size()));
    if (object.substr(0, top.size()) != top || (!rest.empty() && rest.front() != '/'))
        return saltus::quoted(object);
    std::string node;
    std::string_view left = rest;
    while (left.substr(0, nodes.size()) == nodes) {
        left.remove_prefix(nodes.size());
        const std::string_view name = left.substr(0, left.find('/'));
        node += (node.empty() ? "" : "/") + std::string(name);
        left.remove_prefix(name.size());
    }
    if (!left.empty()) left.remove_prefix(1);
    return NirPlace{std::string(), node}.where(left);
}

class Reader {
  public:
    explicit Reader(const std::filesystem::path& path)
        : file_(hdf5::File::open(path, place)), notes_(document_.notes) {}

    /// The document without the data of large arrays.
    NirDocument walk() {
        const hdf5::Group root = file_.root();
        refuse_other_forms(root);
        if (root.contains("version")) {
            document_.version = root.dataset("version").read_string();
        } else {
            notes_.add("version unknown: the file does not say which version of nir wrote it.");
        }
        const hdf5::Group top = root.group("node");
        reached_.emplace(top.address(), top.name());
        document_.root = node(top, 0);
        return std::move(document_);
    }

    /// Reads what walk() left out.
    void fill(NirDocument& document) const {
        // A top node that is no graph in the file has become the only node of one since.
        fill(top_is_graph_ ? document.root : document.root.graph->nodes.front().second, "/node");
    }

  private:
    static void refuse_other_forms(const hdf5::Group& root) {
        if (root.attribute_class("__type__") != H5T_NO_CLASS) {
            throw root.error("holds recordings of a network (NIRData), not a network.");
        }
        if (root.contains("node")) return;
        if (root.contains("nodes")) {
            throw root.error(
                "has '/nodes' but no '/node': this is the form of nir before 0.1, which is not read. "
                "Write the network again with nir 1.0 or later.");
        }
        throw root.error("is no NIR file: expected a group '/node', found none.");
    }

    /// The entries of a group, each reached for the first time.
    std::vector<hdf5::Child> entries(const hdf5::Group& group) {
        std::vector<hdf5::Child> children = group.children();
        for (const hdf5::Child& child : children) {
            const auto [first, is_new] = reached_.emplace(child.address, path_below(group, child.name));
            if (is_new) continue;
            const std::string text =
                "is the same object as " + saltus::quoted(first->second) + ", by a hard link: ";
            const bool is_cycle =
                (group.name() + "/").compare(0, first->second.size() + 1, first->second + "/") == 0;
            throw group.error_at(child.name, text + (is_cycle ? "a cycle; a group cannot contain itself."
                                                              : "expected an object of its own."));
        }
        return children;
    }

    static std::string path_below(const hdf5::Group& group, const std::string& name) {
        return group.name() + "/" + name;
    }

    NirNode node(const hdf5::Group& group, std::size_t depth) {
        if (depth > max_graph_depth) {
            throw group.error("graphs are nested deeper than " + std::to_string(max_graph_depth) +
                              " levels.");
        }
        if (++nodes_ > max_nodes) throw group.error("more than " + std::to_string(max_nodes) + " nodes.");
        const std::vector<hdf5::Child> children = entries(group);
        if (!group.contains("type"))
            throw group.error("has no 'type': expected a node, found another group.");
        NirNode node;
        node.type = group.dataset("type").read_string();
        const bool is_graph = node.type == "NIRGraph";
        if (depth == 0) top_is_graph_ = is_graph;
        if (is_graph) node.graph = graph(group, depth);
        for (const hdf5::Child& child : children) {
            const bool is_group = child.kind == hdf5::Kind::group;
            if (child.name == "type" || (is_graph && (child.name == "nodes" || child.name == "edges")))
                continue;
            if (child.name == "metadata" && is_group) {
                node.metadata = metadata(group.group(child.name), 1);
            } else if (is_graph || child.kind != hdf5::Kind::dataset) {
                refuse_required(node, group, child);
                ignore(group, child.name, "is no field of " + node.type);
            } else {
                field(node, group, child.name);
            }
        }
        return node;
    }

    static void refuse_required(const NirNode& node, const hdf5::Group& group, const hdf5::Child& child) {
        const NirNodeType* type = find_nir_node_type(node.type);
        if (type != nullptr && type->find(child.name) != nullptr) {
            throw group.error_at(child.name, "expected a dataset, found a group.");
        }
    }

    std::shared_ptr<NirGraph> graph(const hdf5::Group& group, std::size_t depth) {
        auto graph = std::make_shared<NirGraph>();
        const hdf5::Group nodes = group.group("nodes");
        for (const hdf5::Child& child : entries(nodes)) {
            graph->nodes.emplace_back(child.name, node(nodes.group(child.name), depth + 1));
        }
        graph->edges = edges(group.dataset("edges"));
        return graph;
    }

    std::vector<std::pair<std::string, std::string>> edges(const hdf5::Dataset& dataset) {
        if (dataset.size() == 0) return {};
        const std::vector<std::uint64_t>& shape = dataset.shape();
        if (dataset.value_class() != hdf5::ValueClass::string || shape.size() != 2 || shape[1] != 2) {
            throw dataset.error("expected pairs of node names (strings, shape [N, 2]), found " +
                                dataset.description() + ".");
        }
        edges_ += shape[0];
        if (edges_ > max_edges) throw dataset.error("more than " + std::to_string(max_edges) + " edges.");
        std::vector<std::string> names = dataset.read_strings(max_text);
        std::vector<std::pair<std::string, std::string>> pairs;
        pairs.reserve(names.size() / 2);
        for (std::size_t i = 0; i < names.size(); i += 2) {
            pairs.emplace_back(std::move(names[i]), std::move(names[i + 1]));
        }
        return pairs;
    }

    void field(NirNode& node, const hdf5::Group& group, const std::string& name) {
        hdf5::Dataset dataset = group.dataset(name);
        const NirNodeType* type = find_nir_node_type(node.type);
        const bool is_known = type != nullptr && type->find(name) != nullptr;
        if (!can_be_kept(dataset)) {
            if (is_known) throw dataset.error("is of type " + dataset.description() + ", expected numbers.");
            ignore(group, name, "holds " + dataset.description());
            return;
        }
        if (!is_known) spend(dataset);
        node.fields.entries.emplace_back(name, value(std::move(dataset)));
    }

    NirGroup metadata(const hdf5::Group& group, std::size_t depth) {
        if (depth > max_graph_depth) {
            throw group.error("metadata are nested deeper than " + std::to_string(max_graph_depth) +
                              " levels.");
        }
        NirGroup result;
        for (const hdf5::Child& child : entries(group)) {
            if (child.kind == hdf5::Kind::group) {
                result.entries.emplace_back(child.name, metadata(group.group(child.name), depth + 1));
                continue;
            }
            hdf5::Dataset dataset = group.dataset(child.name);
            if (can_be_kept(dataset)) {
                spend(dataset);
                result.entries.emplace_back(child.name, value(std::move(dataset)));
            } else {
                ignore(group, child.name, "holds " + dataset.description());
            }
        }
        return result;
    }

    /// Arrays of numbers, and single strings.
    static bool can_be_kept(const hdf5::Dataset& dataset) {
        switch (dataset.value_class()) {
            case hdf5::ValueClass::string:
                return dataset.shape().empty();
            case hdf5::ValueClass::rows:
            case hdf5::ValueClass::other:
                return false;
            default:
                return true;
        }
    }

    NirValue value(hdf5::Dataset dataset) {
        if (dataset.value_class() == hdf5::ValueClass::string) return dataset.read_string();
        NirArray array{nir_type_of(dataset), dataset.shape(), {}};
        dataset.check_size(1, max_elements);
        if (array.size() <= small_array) {
            read_nir_array(dataset, array);
        } else {
            std::string path = dataset.name();
            large_.emplace(std::move(path), std::move(dataset));
        }
        return array;
    }

    /// Counts an array whose shape nothing else bounds.
    void spend(const hdf5::Dataset& dataset) {
        dataset.check_size(8, unchecked_);
        unchecked_ -= 8 * dataset.size();
    }

    void ignore(const hdf5::Group& group, const std::string& name, const std::string& why) {
        notes_.add(place(path_below(group, name)) + " " + why + "; it is ignored.");
    }

    void fill(NirNode& node, const std::string& path) const {
        fill(node.fields, path);
        fill(node.metadata, path + "/metadata");
        if (!node.graph) return;
        for (auto& [name, child] : node.graph->nodes) fill(child, path + "/nodes/" + name);
    }

    void fill(NirGroup& group, const std::string& path) const {
        for (auto& [name, value] : group.entries) {
            if (NirArray* array = std::get_if<NirArray>(&value); array != nullptr && array->data.empty()) {
                if (const auto found = large_.find(path + "/" + name); found != large_.end()) {
                    read_nir_array(found->second, *array);
                }
            } else if (NirGroup* inner = std::get_if<NirGroup>(&value)) {
                fill(*inner, path + "/" + name);
            }
        }
    }

    hdf5::File file_;
    NirDocument document_;
    NirNotes notes_;
    std::unordered_map<std::uint64_t, std::string> reached_;  // address -> path
    std::unordered_map<std::string, hdf5::Dataset> large_;    // path -> array to read later
    std::uint64_t nodes_ = 0;
    std::uint64_t edges_ = 0;
    std::uint64_t unchecked_ = max_unchecked;
    bool top_is_graph_ = true;
};

}  // namespace

NirDocument read_nir(const std::filesystem::path& path, const NirReadOptions& options) {
    Reader reader(path);
    NirDocument document = reader.walk();
    check_structure(document, path, options);
    reader.fill(document);
    check_values(document, path);
    complete(document);
    return document;
}

}  // namespace saltus::io
