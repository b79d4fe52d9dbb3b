// Writing `.nir` files as nir 1.0.8 does, with two additions that change nothing for it: every group tracks
// the order in which its entries were made, and the nodes of a graph are made in the order in which they run.
// Importers that walk the nodes in the order of the listing (snnTorch, spikingjelly on nested graphs) depend
// on it.
#include <algorithm>
#include <functional>
#include <queue>
#include <unordered_map>

#include "files.hpp"
#include "hdf5.hpp"
#include "nir_hdf5.hpp"
#include "saltus/io/nir.hpp"

namespace saltus::io {

namespace {

constexpr const char* written_version = "1.0.8";

/// Which node of a graph an edge's end names: the node itself, or the sub-graph before a ".port".
class NodeNames {
  public:
    explicit NodeNames(const NirGraph& graph) {
        for (std::size_t i = 0; i < graph.nodes.size(); ++i) index_.emplace(graph.nodes[i].first, i);
    }

    [[nodiscard]] std::optional<std::size_t> find(std::string name) const {
        for (;;) {
            if (const auto found = index_.find(name); found != index_.end()) return found->second;
            const std::size_t dot = name.rfind('.');
            if (dot == std::string::npos) return std::nullopt;
            name.resize(dot);
        }
    }

  private:
    std::unordered_map<std::string_view, std::size_t> index_;
};

using Smallest = std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>>;

/// The order in which the nodes run: Inputs first, then each node after all its sources, Outputs last; ties
/// in the order of the document. On a cycle the first node that has a source in place goes first.
std::vector<std::size_t> execution_order(const NirGraph& graph) {
    const std::size_t n = graph.nodes.size();
    const NodeNames names(graph);
    std::vector<std::vector<std::size_t>> targets(n);
    std::vector<std::size_t> waiting(n, 0);  // sources that are not in place yet
    for (const auto& [source, target] : graph.edges) {
        const auto from = names.find(source);
        const auto to = names.find(target);
        if (!from || !to) continue;
        targets[*from].push_back(*to);
        ++waiting[*to];
    }

    const auto is = [&](std::size_t i, const char* type) { return graph.nodes[i].second.type == type; };
    std::vector<std::size_t> order;
    std::vector<bool> placed(n, false);
    Smallest ready;
    Smallest reached;
    const auto place = [&](std::size_t i) {
        if (placed[i]) return;
        placed[i] = true;
        order.push_back(i);
        for (const std::size_t target : targets[i]) {
            (--waiting[target] == 0 ? ready : reached).push(target);
        }
    };
    for (std::size_t i = 0; i < n; ++i) {
        if (is(i, "Input")) place(i);
    }
    for (std::size_t i = 0; i < n; ++i) {
        if (waiting[i] == 0) ready.push(i);
    }
    for (std::size_t next = 0; next < n;) {
        Smallest& queue = !ready.empty() ? ready : reached;
        if (queue.empty()) {
            place(next++);
        } else {
            const std::size_t i = queue.top();
            queue.pop();
            place(i);
        }
    }
    std::stable_partition(order.begin(), order.end(), [&](std::size_t i) { return !is(i, "Output"); });
    return order;
}

void check_name(const hdf5::Group& group, const std::string& name) {
    if (name.empty() || name == "." || name.find('/') != std::string::npos ||
        name.find('\0') != std::string::npos) {
        throw group.error_at(name, "HDF5 allows no such name. Rename it.");
    }
}

void write_entries(const hdf5::Group& group, const NirGroup& entries) {
    for (const auto& [name, value] : entries.entries) {
        check_name(group, name);
        if (const auto* array = std::get_if<NirArray>(&value)) {
            write_nir_array(group, name, *array);
        } else if (const auto* text = std::get_if<std::string>(&value)) {
            group.write(name, *text);
        } else {
            write_entries(group.create_group(name), std::get<NirGroup>(value));
        }
    }
}

void write_node(const hdf5::Group& group, const NirNode& node) {
    group.write("type", node.type);
    if (node.graph) {
        const hdf5::Group nodes = group.create_group("nodes");
        for (const std::size_t i : execution_order(*node.graph)) {
            const auto& [name, child] = node.graph->nodes[i];
            check_name(nodes, name);
            write_node(nodes.create_group(name), child);
        }
        std::vector<std::string> ends;
        ends.reserve(2 * node.graph->edges.size());
        for (const auto& [source, target] : node.graph->edges) {
            ends.push_back(source);
            ends.push_back(target);
        }
        group.write("edges", ends, {node.graph->edges.size(), 2});
    }
    write_entries(group, node.fields);
    if (!node.metadata.entries.empty()) write_entries(group.create_group("metadata"), node.metadata);
}

}  // namespace

void write_nir(const NirDocument& document, const std::filesystem::path& path) {
    AtomicFile atomic(path);
    hdf5::File file = hdf5::File::create(atomic.temporary(), path);
    {
        const hdf5::Group root = file.root();
        root.write("version", std::string(written_version));
        write_node(root.create_group("node"), document.root);
    }
    file.close();
    atomic.commit();
}

}  // namespace saltus::io
