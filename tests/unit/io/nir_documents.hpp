// NIR documents built in code, for tests.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "saltus/engine/errors.hpp"
#include "saltus/io/nir.hpp"
#include "unit/io/temporary_folder.hpp"

namespace saltus::test {

using io::NirArray;
using io::NirDocument;
using io::NirGraph;
using io::NirNode;

using Shape = std::vector<std::uint64_t>;
using Edges = std::vector<std::pair<std::string, std::string>>;
using Fields = std::initializer_list<std::pair<std::string, io::NirValue>>;
using Nodes = std::vector<std::pair<std::string, NirNode>>;

inline NirArray reals(const std::vector<double>& values) {
    return NirArray::of(values, {values.size()});
}
inline NirArray number(double value) {
    return NirArray::of(std::vector<double>{value}, {});
}
inline NirArray filled(double value, const Shape& shape) {
    std::uint64_t count = 1;
    for (const std::uint64_t n : shape) count *= n;
    return NirArray::of(std::vector<double>(count, value), shape);
}
inline NirArray integers(const std::vector<std::int64_t>& values) {
    return NirArray::of(values, {values.size()});
}
inline NirArray integer(std::int64_t value) {
    return NirArray::of(value);
}

inline NirNode node(const std::string& type, Fields fields) {
    NirNode made{type, {}, {}, nullptr};
    for (const auto& [name, value] : fields) made.fields.entries.emplace_back(name, value);
    return made;
}

inline NirNode input(const std::vector<std::int64_t>& shape) {
    return node("Input", {{"shape", integers(shape)}});
}
inline NirNode output(const std::vector<std::int64_t>& shape) {
    return node("Output", {{"shape", integers(shape)}});
}
inline NirNode linear(std::uint64_t out, std::uint64_t in) {
    return node("Linear", {{"weight", filled(0.5, {out, in})}});
}
inline NirNode lif(const NirArray& each) {
    NirArray tau = each;
    return node("LIF", {{"tau", tau}, {"r", each}, {"v_leak", each}, {"v_threshold", each}});
}
/// A convolution with stride 1, no padding.
inline NirNode conv2d(const Shape& weight, const std::vector<std::int64_t>& input_shape) {
    return node("Conv2d", {{"input_shape", integers(input_shape)},
                           {"weight", filled(0.5, weight)},
                           {"stride", integers({1, 1})},
                           {"padding", integers({0, 0})},
                           {"dilation", integers({1, 1})},
                           {"groups", integer(1)},
                           {"bias", filled(0.0, {weight.front()})}});
}
inline NirNode pool(const std::string& type, const std::vector<std::int64_t>& kernel,
                    const std::vector<std::int64_t>& stride, const std::vector<std::int64_t>& padding) {
    return node(
        type,
        {{"kernel_size", integers(kernel)}, {"stride", integers(stride)}, {"padding", integers(padding)}});
}
inline NirNode flat(std::int64_t start, std::int64_t end) {
    return node("Flatten", {{"start_dim", integer(start)}, {"end_dim", integer(end)}});
}

inline NirNode graph(const Nodes& nodes, const Edges& edges) {
    return {"NIRGraph", {}, {}, std::make_shared<NirGraph>(NirGraph{nodes, edges})};
}
inline NirDocument document(const Nodes& nodes, const Edges& edges) {
    return {"1.0.8", graph(nodes, edges), {}};
}

/// Nodes one after the other.
inline NirDocument chain(const Nodes& nodes) {
    Edges edges;
    for (std::size_t i = 1; i < nodes.size(); ++i) edges.emplace_back(nodes[i - 1].first, nodes[i].first);
    return document(nodes, edges);
}

inline std::string refusal(NirDocument document, const io::NirReadOptions& options = {}) {
    return message_of<FileError>([&] { io::check_nir(document, "net.nir", options); });
}

}  // namespace saltus::test
