// NIR files and documents as the tests of io need them.
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "saltus/io/nir.hpp"

namespace saltus::test {

inline std::filesystem::path nir_file(const std::string& name) {
    return std::filesystem::path(SALTUS_TEST_DATA) / "conformance" / "nir" / name;
}

/// Nodes in order of their names, at every depth: files list them in other orders, which mean nothing.
inline io::NirNode sorted(io::NirNode node) {
    if (!node.graph) return node;
    auto graph = std::make_shared<io::NirGraph>(*node.graph);
    for (auto& [name, child] : graph->nodes) child = sorted(child);
    std::sort(graph->nodes.begin(), graph->nodes.end(), [](auto& a, auto& b) { return a.first < b.first; });
    node.graph = graph;
    return node;
}

inline std::vector<std::string> names_of(const io::NirGraph& graph) {
    std::vector<std::string> names;
    for (const auto& [name, node] : graph.nodes) names.push_back(name);
    return names;
}

/// input -> lif -> output, three neurons.
inline io::NirDocument lif_chain() {
    using io::NirArray;
    const auto port = [](const char* type) {
        io::NirNode node;
        node.type = type;
        node.set("shape", NirArray::of(std::vector<std::int64_t>{3}, {1}));
        return node;
    };
    io::NirNode lif;
    lif.type = "LIF";
    lif.set("tau", NirArray::of(std::vector<double>{0.01, 0.02, 0.03}, {3}));
    lif.set("r", NirArray::of(std::vector<double>{1, 1, 1}, {3}));
    lif.set("v_leak", NirArray::of(std::vector<double>{0, 0, 0}, {3}));
    lif.set("v_threshold", NirArray::of(std::vector<double>{1, 1, 1}, {3}));
    lif.set("v_reset", NirArray::of(std::vector<double>{0, 0, 0}, {3}));
    io::NirDocument document;
    document.version = "1.0.8";
    document.root.type = "NIRGraph";
    document.root.graph = std::make_shared<io::NirGraph>();
    document.root.graph->nodes = {
        {"input", port("Input")}, {"lif", std::move(lif)}, {"output", port("Output")}};
    document.root.graph->edges = {{"input", "lif"}, {"lif", "output"}};
    return document;
}

}  // namespace saltus::test
