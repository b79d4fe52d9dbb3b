// Flattens a graph in two passes over its tree: first all names get their number, then the edges are
// resolved.
#include "nir_flat.hpp"

#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "nir_check.hpp"

namespace saltus::io {

namespace {

enum class Role { source, target };

/// The names in one graph, and what they stand for.
struct Scope {
    const NirGraph* graph = nullptr;
    std::size_t number = 0;                                   // in NirFlat::graphs
    std::unordered_map<std::string_view, std::size_t> index;  // name -> position in graph->nodes
    std::vector<std::size_t> leaf;                            // of each node that is not a sub-graph
    std::vector<std::unique_ptr<Scope>> inner;                // of each node that is one
    std::vector<std::size_t> inputs;                          // positions of the Input nodes
    std::vector<std::size_t> outputs;                         // and of the Output nodes
};

struct Port {
    std::size_t graph;      // position of the sub-graph
    std::string_view name;  // in it
};

std::optional<Port> split(const Scope& scope, std::string_view name) {
    for (std::size_t dot = name.rfind('.'); dot != std::string_view::npos && dot > 0;
         dot = name.rfind('.', dot - 1)) {
        const auto found = scope.index.find(name.substr(0, dot));
        if (found != scope.index.end() && scope.inner[found->second]) {
            return Port{found->second, name.substr(dot + 1)};
        }
    }
    return std::nullopt;
}

const std::vector<std::size_t>& ports(const Scope& scope, Role role) {
    return role == Role::target ? scope.inputs : scope.outputs;
}

class Flattener {
  public:
    Flattener(const std::string& origin, const NirReadOptions& options, NirNotes& notes)
        : origin_(origin), options_(options), notes_(notes) {}

    NirFlat flat(const NirGraph& graph) {
        const std::unique_ptr<Scope> top = scope(graph, nullptr, 0, 1);
        connect(*top);
        return std::move(flat_);
    }

    std::unique_ptr<Scope> scope(const NirGraph& graph, const std::string* name, std::size_t parent,
                                 std::size_t depth) {
        auto made = std::make_unique<Scope>();
        made->graph = &graph;
        made->number = flat_.graphs.size();
        flat_.graphs.push_back({name, parent});
        if (depth > max_graph_depth) {
            throw FileError(
                origin_, place(*made),
                "sub-graphs are nested deeper than " + std::to_string(max_graph_depth) + " levels");
        }
        made->leaf.resize(graph.nodes.size());
        made->inner.resize(graph.nodes.size());
        for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
            const auto& [child, node] = graph.nodes[i];
            check_name(child, *made);
            if (!made->index.emplace(child, i).second) {
                throw FileError(origin_, place(*made), "two nodes are called " + saltus::quoted(child));
            }
            if (node.type == "Input") made->inputs.push_back(i);
            if (node.type == "Output") made->outputs.push_back(i);
            if (node.graph) {
                made->inner[i] = scope(*node.graph, &child, made->number, depth + 1);
            } else {
                made->leaf[i] = flat_.nodes.size();
                flat_.nodes.push_back({&node, &child, made->number});
            }
        }
        return made;
    }

  private:
    std::string place(const Scope& scope) const {
        return scope.number == 0 ? "the graph" : "node " + saltus::quoted(flat_.graph_path(scope.number));
    }

    void check_name(const std::string& name, const Scope& scope) const {
        if (!name.empty() && name.size() <= max_name && name != "." && name.find('/') == std::string::npos &&
            name.find('\0') == std::string::npos) {
            return;
        }
        throw FileError::unexpected(origin_, place(scope),
                                    "names of nodes that HDF5 can hold (1 to " + std::to_string(max_name) +
                                        " bytes, not '.', no '/', no zero byte)",
                                    saltus::quoted(name.substr(0, max_name)));
    }

    void connect(const Scope& scope) {
        for (std::size_t i = 0; i < scope.graph->edges.size(); ++i) {
            const auto& [source, target] = scope.graph->edges[i];
            const Where where{*this, scope, i};
            const NirEdge edge{resolve(scope, source, Role::source, where),
                               resolve(scope, target, Role::target, where)};
            if (!seen_.insert((std::uint64_t{edge.source} << 32) | edge.target).second) {
                if (!options_.sum_duplicate_edges) {
                    throw where.error(
                        "duplicate edge. nir 1.0.8 refuses it, earlier versions add the signal twice: remove "
                        "it, or "
                        "ask for duplicate edges to be summed.");
                }
                notes_.add(where.text() + ": duplicate edge, its signal is added once more.");
            }
            flat_.edges.push_back(edge);
        }
        for (const auto& inner : scope.inner) {
            if (inner) connect(*inner);
        }
    }

    /// The text is only made when there is something to say.
    struct Where {
        const Flattener& flattener;
        const Scope& scope;
        std::size_t edge;

        std::string text() const {
            const auto& [source, target] = scope.graph->edges[edge];
            return (scope.number == 0 ? "" : flattener.place(scope) + ", ") + "edge " + std::to_string(edge) +
                   " " + saltus::quoted(source) + " -> " + saltus::quoted(target);
        }
        FileError error(const std::string& what) const { return {flattener.origin_, text(), what}; }
    };

    std::size_t resolve(const Scope& scope, std::string_view name, Role role, const Where& where) const {
        const auto found = scope.index.find(name);
        if (found != scope.index.end()) {
            const std::unique_ptr<Scope>& inner = scope.inner[found->second];
            return inner ? only_port(*inner, name, role, where) : scope.leaf[found->second];
        }
        if (name.find('/') != std::string_view::npos) {
            throw where.error(
                "names no node: " + saltus::quoted(name) +
                " holds '/', which no name in HDF5 can. A port of a sub-graph is written 'sub.port'.");
        }
        if (const auto port = split(scope, name))
            return resolve(*scope.inner[port->graph], port->name, role, where);
        throw where.error("names no node: there is no " + saltus::quoted(name) + " in " + place(scope) + "." +
                          similar(scope, name));
    }

    static std::string similar(const Scope& scope, std::string_view name) {
        constexpr std::size_t longest = 64;
        if (name.size() > longest) return "";
        std::vector<std::string_view> known;
        for (const auto& node : scope.graph->nodes) {
            if (node.first.size() <= longest) known.push_back(node.first);
        }
        return did_you_mean(name, known);
    }

    static std::size_t only_port(const Scope& inner, std::string_view name, Role role, const Where& where) {
        const std::vector<std::size_t>& found = ports(inner, role);
        if (found.size() == 1) return inner.leaf[found.front()];
        const auto port = [&](std::size_t i) -> const std::string& {
            return inner.graph->nodes[found[i]].first;
        };
        std::string text = "sub-graph " + saltus::quoted(name) + " has " +
                           (found.empty() ? "no" : std::to_string(found.size())) +
                           (role == Role::target ? " Input" : " Output") + (found.size() > 1 ? "s" : "");
        for (std::size_t i = 0; i < found.size(); ++i)
            text += (i == 0 ? ": " : ", ") + saltus::quoted(port(i));
        if (!found.empty())
            text += ". Name one of them, as " + saltus::quoted(std::string(name) + "." + port(0)) + ".";
        throw where.error(text);
    }

    const std::string& origin_;
    const NirReadOptions& options_;
    NirNotes& notes_;
    NirFlat flat_;
    std::unordered_set<std::uint64_t> seen_;
};

void rename(NirGraph& graph, const Scope& scope) {
    const auto plain = [&](std::string& name, Role role) {
        if (scope.index.count(name) != 0) return;
        const auto port = split(scope, name);
        const Scope& inner = *scope.inner[port->graph];
        const std::vector<std::size_t>& found = ports(inner, role);
        if (found.size() == 1 && inner.graph->nodes[found.front()].first == port->name) {
            name = graph.nodes[port->graph].first;
        }
    };
    for (auto& [source, target] : graph.edges) {
        plain(source, Role::source);
        plain(target, Role::target);
    }
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        if (scope.inner[i]) rename(*graph.nodes[i].second.graph, *scope.inner[i]);
    }
}

}  // namespace

std::string NirFlat::graph_path(std::size_t graph) const {
    if (graph == 0) return "";
    const std::string outer = graph_path(graphs[graph].parent);
    return (outer.empty() ? "" : outer + "/") + *graphs[graph].name;
}

std::string NirFlat::path(std::size_t leaf) const {
    const std::string outer = graph_path(nodes[leaf].graph);
    return (outer.empty() ? "" : outer + "/") + *nodes[leaf].name;
}

NirFlat flatten(const NirGraph& graph, const std::string& origin, const NirReadOptions& options,
                NirNotes& notes) {
    return Flattener(origin, options, notes).flat(graph);
}

void use_plain_names(NirGraph& graph) {
    std::vector<std::string> none;
    NirNotes notes(none);
    const std::string origin;
    const NirReadOptions options;
    rename(graph, *Flattener(origin, options, notes).scope(graph, nullptr, 0, 1));
}

}  // namespace saltus::io
