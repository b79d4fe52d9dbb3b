// Questions about the network as a graph, answered by Boost.Graph.
#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/strong_components.hpp>
#include <boost/graph/topological_sort.hpp>
#include <iterator>
#include <numeric>
#include <set>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/network.hpp"

namespace saltus {

namespace {

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;

/// Populations as vertices; edges are the projections that may deliver in the instant in which a spike is
/// sent.
Graph undelayed_graph(const Network& network) {
    Graph graph(network.populations().size());
    for (const Projection& projection : network.projections()) {
        if (projection.min_delay() == Duration())
            boost::add_edge(projection.source, projection.target, graph);
    }
    return graph;
}

/// Strongly connected component of each vertex.
std::vector<std::size_t> components_of(const Graph& graph) {
    std::vector<std::size_t> component(boost::num_vertices(graph));
    if (!component.empty()) {
        boost::strong_components(graph, boost::make_iterator_property_map(
                                            component.begin(), boost::get(boost::vertex_index, graph)));
    }
    return component;
}

/// A shortest cycle through `start` that stays in its component, as vertices, `start` first and last; empty
/// if none.
std::vector<std::size_t> cycle_through(const Graph& graph, const std::vector<std::size_t>& component,
                                       std::size_t start) {
    constexpr auto unseen = static_cast<std::size_t>(-1);
    std::vector<std::size_t> parent(boost::num_vertices(graph), unseen);
    std::vector<std::size_t> frontier{start};
    while (!frontier.empty()) {
        std::vector<std::size_t> next;
        for (const std::size_t u : frontier) {
            for (const auto& edge : boost::make_iterator_range(boost::out_edges(u, graph))) {
                const std::size_t v = boost::target(edge, graph);
                if (v == start) {
                    std::vector<std::size_t> cycle{start};
                    for (std::size_t w = u; w != start; w = parent[w]) cycle.push_back(w);
                    cycle.push_back(start);
                    std::reverse(cycle.begin(), cycle.end());
                    return cycle;
                }
                if (component[v] == component[start] && parent[v] == unseen) {
                    parent[v] = u;
                    next.push_back(v);
                }
            }
        }
        frontier = std::move(next);
    }
    return {};
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : " -> ") + name;
    return text;
}

/// The population fires or moves without any arrival.
bool drives_itself(const Population& population) {
    return std::visit(
        [](const auto& model) {
            if constexpr (!neurons::HasNeurons<std::decay_t<decltype(model)>>) {
                return true;
            } else {
                return std::any_of(model.begin(), model.end(), [](const auto& p) {
                    const bool current = [&] {
                        if constexpr (requires { p.I_e; })
                            return p.I_e != 0.0;
                        else
                            return false;
                    }();
                    const bool rest = [&] {
                        if constexpr (requires { p.E_L, p.V_th; })
                            return p.E_L >= p.V_th;
                        else
                            return false;
                    }();
                    return current || rest;
                });
            }
        },
        population.model);
}

/// The longest path to each vertex of a graph without cycles, in edges.
std::vector<std::uint32_t> levels_of(const Graph& graph) {
    std::vector<std::size_t> order;
    boost::topological_sort(graph, std::back_inserter(order));  // sinks first
    std::vector<std::uint32_t> level(boost::num_vertices(graph), 0);
    for (auto u = order.rbegin(); u != order.rend(); ++u) {
        for (const auto& edge : boost::make_iterator_range(boost::out_edges(*u, graph))) {
            const std::size_t v = boost::target(edge, graph);
            level[v] = std::max(level[v], level[*u] + 1);
        }
    }
    return level;
}

void refuse_cycles_without_delay(const Network& network) {
    if (const auto cycles = network.cycles_without_delay(); !cycles.empty()) {
        throw NetworkError(
            joined(cycles.front()), "",
            "this cycle has no delay. Give one of these projections a delay > 0, or let the run insert "
            "one (--recurrent-delay 1ms, recurrent_delay=1e-3).");
    }
}

}  // namespace

std::vector<std::vector<std::string>> Network::cycles_without_delay() const {
    const Graph graph = undelayed_graph(*this);
    const std::vector<std::size_t> component = components_of(graph);
    std::vector<std::vector<std::string>> cycles;
    std::set<std::size_t> seen;
    for (std::size_t v = 0; v < component.size(); ++v) {
        if (seen.count(component[v]) != 0) continue;
        const std::vector<std::size_t> cycle = cycle_through(graph, component, v);
        if (cycle.empty()) continue;
        seen.insert(component[v]);
        std::vector<std::string> names;
        for (const std::size_t u : cycle) names.push_back(populations_[u].name);
        cycles.push_back(std::move(names));
    }
    return cycles;
}

std::vector<std::uint32_t> Network::levels() const {
    refuse_cycles_without_delay(*this);
    return levels_of(undelayed_graph(*this));
}

Network::Lookahead Network::lookahead() const {
    refuse_cycles_without_delay(*this);
    Graph all(populations_.size());
    for (const Projection& projection : projections_)
        boost::add_edge(projection.source, projection.target, all);
    const std::vector<std::size_t> component = components_of(all);
    Graph forward(populations_.size());  // what must be computed first: no cycle, since a cycle has a delay
    for (const Projection& projection : projections_) {
        const bool leaves = component[projection.source] != component[projection.target];
        if (leaves || projection.min_delay() == Duration()) {
            boost::add_edge(projection.source, projection.target, forward);
        }
    }
    Lookahead result{levels_of(forward), Duration::max()};
    for (const Projection& projection : projections_) {
        if (result.level[projection.source] >= result.level[projection.target]) {
            result.window = std::min(result.window, projection.min_delay());
        }
    }
    return result;
}

std::vector<std::string> Network::unreachable() const {
    std::vector<bool> reached(populations_.size(), false);
    std::vector<std::uint32_t> frontier;
    const auto reach = [&](std::uint32_t v) {
        if (!reached[v]) {
            reached[v] = true;
            frontier.push_back(v);
        }
    };
    for (std::uint32_t v = 0; v < populations_.size(); ++v) {
        if (drives_itself(populations_[v])) reach(v);
    }
    for (const Projection& projection : projections_) {
        if (projection.has_bias()) reach(projection.target);
    }
    while (!frontier.empty()) {
        const std::uint32_t u = frontier.back();
        frontier.pop_back();
        for (const Projection& projection : projections_) {
            if (projection.source == u) reach(projection.target);
        }
    }
    std::vector<std::string> names;
    for (std::size_t v = 0; v < reached.size(); ++v) {
        if (!reached[v]) names.push_back(populations_[v].name);
    }
    return names;
}

Network Network::with_recurrent_delay(Duration delay, std::vector<std::string>* delayed) const {
    if (delay <= Duration())
        throw UsageError("recurrent delay: expected > 0, found " + to_string(delay) + ".");

    // Out-edges without delay of each population, in the order of the names of their targets.
    std::vector<std::vector<std::size_t>> out(populations_.size());
    for (std::size_t e = 0; e < projections_.size(); ++e) {
        if (projections_[e].min_delay() == Duration()) out[projections_[e].source].push_back(e);
    }
    const auto target_name = [&](std::size_t e) -> const std::string& {
        return populations_[projections_[e].target].name;
    };
    for (auto& edges : out) {
        std::stable_sort(edges.begin(), edges.end(),
                         [&](std::size_t a, std::size_t b) { return target_name(a) < target_name(b); });
    }
    std::vector<std::uint32_t> roots(populations_.size());
    std::iota(roots.begin(), roots.end(), 0u);
    std::stable_sort(roots.begin(), roots.end(), [&](std::uint32_t a, std::uint32_t b) {
        const bool input_a = populations_[a].is_input();
        const bool input_b = populations_[b].is_input();
        return input_a != input_b ? input_a : populations_[a].name < populations_[b].name;
    });

    enum class Mark { unseen, on_path, done };
    std::vector<Mark> mark(populations_.size(), Mark::unseen);
    std::vector<std::size_t> back_edges;
    for (const std::uint32_t root : roots) {
        if (mark[root] != Mark::unseen) continue;
        std::vector<std::pair<std::uint32_t, std::size_t>> path{{root, 0}};  // vertex, next of its out-edges
        mark[root] = Mark::on_path;
        while (!path.empty()) {
            auto& [u, next] = path.back();
            if (next == out[u].size()) {
                mark[u] = Mark::done;
                path.pop_back();
                continue;
            }
            const std::size_t e = out[u][next++];
            const std::uint32_t v = projections_[e].target;
            if (mark[v] == Mark::on_path) back_edges.push_back(e);
            if (mark[v] == Mark::unseen) {
                mark[v] = Mark::on_path;
                path.emplace_back(v, 0);
            }
        }
    }

    std::vector<Projection> projections = projections_;
    for (const std::size_t e : back_edges) {
        Projection& projection = projections[e];
        // In front: a bias along the way is a constant signal, which no delay changes.
        projection.stages.insert(projection.stages.begin(),
                                 Delay{"", populations_[projection.source].size(), {delay}});
        if (delayed) delayed->push_back(projection_name(projection));
    }
    return Network(populations_, std::move(projections), outputs_);
}

}  // namespace saltus
