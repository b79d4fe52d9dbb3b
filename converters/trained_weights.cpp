#include <algorithm>
#include <map>

#include "own_metadata.hpp"
#include "saltus/converters/nir.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::converters {

namespace {

using Values = std::vector<double>;

io::NirArray as(const io::NirArray& before, const Values& values, std::vector<std::uint64_t> shape) {
    if (before.type == io::NirType::float64) return io::NirArray::of(values, std::move(shape));
    return io::NirArray::of(std::vector<float>(values.begin(), values.end()), std::move(shape));
}

Values transposed(const Dense& dense) {
    Values values(std::size_t{dense.inputs} * dense.outputs);
    for (std::size_t i = 0; i < dense.inputs; ++i) {
        for (std::size_t j = 0; j < dense.outputs; ++j)
            values[j * dense.inputs + i] = dense.weights[i * dense.outputs + j];
    }
    return values;
}

void set_weights(io::NirGraph& graph, const std::string& prefix, std::map<std::string, const Dense*>& dense) {
    for (auto& [name, node] : graph.nodes) {
        if (node.graph) {
            node.graph = std::make_shared<io::NirGraph>(*node.graph);
            set_weights(*node.graph, prefix + name + ".", dense);
            continue;
        }
        const auto found = dense.find(prefix + name);
        const io::NirArray* weight = node.array("weight");
        if (found == dense.end() || !weight) continue;
        const Dense& d = *found->second;
        node.set("weight", as(*weight, transposed(d), weight->shape));
        if (const io::NirArray* bias = node.array("bias")) {
            Values values(d.bias.size());
            for (std::size_t j = 0; j < values.size(); ++j) values[j] = d.bias[j];
            node.set("bias", as(*bias, values, {values.size()}));
        }
        dense.erase(found);
    }
}

}  // namespace

io::NirDocument with_weights(io::NirDocument document, const Network& network, const SteppedRules& rules) {
    std::map<std::string, const Dense*> dense;
    for (const Projection& projection : network.projections()) {
        for (const Stage& stage : projection.stages) {
            if (const auto* d = std::get_if<Dense>(&stage)) dense[d->name] = d;
        }
    }
    document.root.graph = std::make_shared<io::NirGraph>(*document.root.graph);
    set_weights(*document.root.graph, "", dense);
    if (!dense.empty())
        throw NetworkError(dense.begin()->first, "weight", "the document has no such node with weights.");
    const std::vector<std::string> known = convention_names();
    if (std::find(known.begin(), known.end(), rules.name) == known.end()) return document;
    io::NirGroup own;
    if (const io::NirGroup* before = group_in(document.root.metadata, "saltus")) own = *before;
    if (!own.find("convention")) own.entries.emplace_back("convention", rules.name);
    if (!own.find("dt")) own.entries.emplace_back("dt", seconds_of(rules.dt));
    std::erase_if(document.root.metadata.entries, [](const auto& entry) { return entry.first == "saltus"; });
    document.root.metadata.entries.emplace_back("saltus", std::move(own));
    return document;
}

}  // namespace saltus::converters
