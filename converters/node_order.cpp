#include "node_order.hpp"

#include <algorithm>
#include <numeric>
#include <set>

namespace saltus::converters {

namespace {

using Neighbours = std::vector<std::vector<std::size_t>>;

/// Places of the nodes in the pre-order of depth-first walks from each start.
std::vector<std::size_t> depth_first(const Neighbours& targets, const std::vector<std::size_t>& starts) {
    constexpr auto unseen = static_cast<std::size_t>(-1);
    std::vector<std::size_t> place(targets.size(), unseen);
    std::size_t next = 0;
    struct Visit {
        std::size_t node;
        std::size_t child;
    };
    std::vector<Visit> path;
    const auto enter = [&](std::size_t node) {
        if (place[node] != unseen) return;
        place[node] = next++;
        path.push_back({node, 0});
    };
    for (const std::size_t start : starts) {
        enter(start);
        while (!path.empty()) {
            const Visit at = path.back();
            if (at.child == targets[at.node].size()) {
                path.pop_back();
            } else {
                ++path.back().child;
                enter(targets[at.node][at.child]);
            }
        }
    }
    return place;
}

/// Places of the nodes where each waits for its sources; in a cycle the first, by name, that has several
/// sources of which one is there goes on without the others.
std::vector<std::size_t> after_sources(const Neighbours& targets, const Neighbours& sources,
                                       const std::vector<std::string>& names) {
    const std::size_t n = names.size();
    std::vector<std::size_t> by_name(n);
    std::iota(by_name.begin(), by_name.end(), std::size_t{0});
    std::sort(by_name.begin(), by_name.end(), [&](auto a, auto b) { return names[a] < names[b]; });
    std::vector<std::size_t> rank(n);
    for (std::size_t k = 0; k < n; ++k) rank[by_name[k]] = k;

    std::vector<std::size_t> missing(n);  // sources that have not been computed
    std::vector<std::size_t> place(n);
    std::set<std::size_t> ready;    // ranks
    std::set<std::size_t> joining;  // ranks of nodes of which some sources, but not all, are there
    std::set<std::size_t> left;
    for (std::size_t i = 0; i < n; ++i) {
        missing[i] = sources[i].size();
        left.insert(rank[i]);
        if (missing[i] == 0) ready.insert(rank[i]);
    }
    for (std::size_t next = 0; next < n; ++next) {
        const std::size_t first = !ready.empty()     ? *ready.begin()
                                  : !joining.empty() ? *joining.begin()
                                                     : *left.begin();
        const std::size_t i = by_name[first];
        ready.erase(first);
        joining.erase(first);
        left.erase(first);
        place[i] = next;
        for (const std::size_t to : targets[i]) {
            --missing[to];
            if (left.count(rank[to]) == 0) continue;
            if (missing[to] == 0) {
                joining.erase(rank[to]);
                ready.insert(rank[to]);
            } else {
                joining.insert(rank[to]);
            }
        }
    }
    return place;
}

}  // namespace

std::vector<bool> late_edges(NodeOrder order, const std::vector<std::string>& names,
                             const std::vector<GraphEdge>& edges, const std::vector<std::size_t>& inputs) {
    Neighbours targets(names.size());
    Neighbours sources(names.size());
    for (const GraphEdge& edge : edges) {
        targets[edge.from].push_back(edge.to);
        sources[edge.to].push_back(edge.from);
    }
    std::vector<std::size_t> place;
    if (order == NodeOrder::depth_first) {
        std::vector<std::size_t> starts = inputs;
        for (std::size_t i = 0; i < names.size(); ++i) starts.push_back(i);
        place = depth_first(targets, starts);
    } else {
        place = after_sources(targets, sources, names);
    }
    std::vector<bool> late;
    for (const GraphEdge& edge : edges) late.push_back(place[edge.to] <= place[edge.from]);
    return late;
}

}  // namespace saltus::converters
