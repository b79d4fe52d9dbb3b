#include <algorithm>
#include <map>
#include <optional>
#include <utility>

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

Values numbers(const Weights& weights) {
    Values values(weights.size());
    for (std::size_t k = 0; k < values.size(); ++k) values[k] = weights[k];
    return values;
}

/// Weights of a node as NIR has them, and its bias; nothing of a stage without.
struct Learnt {
    Values weights;
    Values bias;
};
std::optional<Learnt> learnt_by(const Stage& stage) {
    if (const auto* c = std::get_if<Convolution>(&stage))
        return Learnt{numbers(c->weights), numbers(c->bias)};
    const auto* dense = std::get_if<Dense>(&stage);
    if (!dense) return std::nullopt;
    Values values(dense->weights.size());
    const std::size_t inputs = dense->inputs;
    const std::size_t outputs = dense->outputs;
    for (std::size_t k = 0; k < values.size(); ++k) {
        const std::size_t block = k / (inputs * outputs) * inputs * outputs;
        values[block + k % outputs * inputs + k / outputs % inputs] = dense->weights[k];
    }
    return Learnt{std::move(values), numbers(dense->bias)};
}

void set_weights(io::NirGraph& graph, const std::string& prefix, std::map<std::string, Learnt>& learnt) {
    for (auto& [name, node] : graph.nodes) {
        if (node.graph) {
            node.graph = std::make_shared<io::NirGraph>(*node.graph);
            set_weights(*node.graph, prefix + name + ".", learnt);
            continue;
        }
        const auto found = learnt.find(prefix + name);
        const io::NirArray* weight = node.array("weight");
        if (found == learnt.end() || !weight) continue;
        node.set("weight", as(*weight, found->second.weights, weight->shape));
        const io::NirArray* bias = node.array("bias");
        if (bias && !found->second.bias.empty())
            node.set("bias", as(*bias, found->second.bias, {found->second.bias.size()}));
        learnt.erase(found);
    }
}

}  // namespace

io::NirDocument with_weights(io::NirDocument document, const Network& network, const SteppedRules& rules) {
    std::map<std::string, Learnt> learnt;
    for (const Projection& projection : network.projections()) {
        for (const Stage& stage : projection.stages) {
            if (std::optional<Learnt> one = learnt_by(stage))
                learnt[std::string(stage_name(stage))] = *std::move(one);
        }
    }
    document.root.graph = std::make_shared<io::NirGraph>(*document.root.graph);
    set_weights(*document.root.graph, "", learnt);
    if (!learnt.empty())
        throw NetworkError(learnt.begin()->first, "weight", "the document has no such node with weights.");
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
