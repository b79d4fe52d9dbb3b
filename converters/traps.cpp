// Where tools and clocks part over one file, found before anything runs.
#include <algorithm>
#include <array>
#include <functional>

#include "node_order.hpp"
#include "saltus/converters/nir.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/stepped.hpp"

namespace saltus::converters {

namespace {

/// Calls f(path, node) for the nodes of all graphs but the graphs themselves.
void for_each_node(const io::NirGraph& graph, const std::string& prefix,
                   const std::function<void(const std::string&, const io::NirNode&)>& f) {
    for (const auto& [name, node] : graph.nodes) {
        if (node.graph) {
            for_each_node(*node.graph, prefix + name + ".", f);
        } else {
            f(prefix + name, node);
        }
    }
}

template <class F>
bool any_value(const io::NirNode& node, std::string_view field, F&& f) {
    const io::NirArray* array = node.array(field);
    if (!array) return false;
    for (std::uint64_t i = 0; i < array->size(); ++i)
        if (f(array->real(i))) return true;
    return false;
}

/// Nodes to which one sentence applies.
class Finding {
  public:
    explicit Finding(std::string text) : text_(std::move(text)) {}
    void add(const std::string& node) { nodes_.push_back(node); }
    void append_to(std::vector<std::string>& traps) const {
        if (nodes_.empty()) return;
        constexpr std::size_t named = 3;
        std::string list;
        for (std::size_t k = 0; k < std::min(named, nodes_.size()); ++k)
            list += (k > 0 ? ", " : "") + quoted(nodes_[k]);
        if (nodes_.size() > named) list += " and " + std::to_string(nodes_.size() - named) + " more";
        traps.push_back(list + ": " + text_);
    }

  private:
    std::string text_;
    std::vector<std::string> nodes_;
};

/// Edges of one graph that the tools compute late: cycles for all, joins for those that walk depth first.
void add_orders(const io::NirGraph& graph, const std::string& prefix, std::vector<std::string>& traps) {
    std::vector<std::string> names;
    std::vector<std::size_t> inputs;
    std::vector<bool> holds_back;
    for (const auto& [name, node] : graph.nodes) {
        if (node.type == "Input") inputs.push_back(names.size());
        holds_back.push_back(node.type == "Delay");
        names.push_back(name);
        if (node.graph) add_orders(*node.graph, prefix + name + ".", traps);
    }
    const auto index_of = [&](const std::string& end) {
        std::string name = end;
        for (;;) {  // "sub.port" is an edge of the sub-graph
            const auto found = std::find(names.begin(), names.end(), name);
            if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
            name.resize(std::min(name.size(), name.rfind('.')));
        }
    };
    std::vector<GraphEdge> edges;
    for (const auto& [from, to] : graph.edges) {
        // What comes out of a Delay was sent in an earlier step.
        if (const GraphEdge edge{index_of(from), index_of(to)}; !holds_back[edge.from]) edges.push_back(edge);
    }
    const std::vector<bool> cyclic = late_edges(NodeOrder::after_sources, names, edges, inputs);
    const std::vector<bool> walked = late_edges(NodeOrder::depth_first, names, edges, inputs);
    for (std::size_t k = 0; k < edges.size(); ++k) {
        const std::string edge = prefix + names[edges[k].from] + " -> " + prefix + names[edges[k].to];
        if (cyclic[k]) {
            traps.push_back(
                edge +
                " closes a cycle: tools that step take the value of the last step, the exact clock wants "
                "a delay (--recurrent-delay); rockpool ignores the loop unless it is a sub-graph, and the "
                "importer of snntorch 1.0.0 fails at it or feeds the input into it.");
        } else if (walked[k]) {
            traps.push_back(
                edge +
                " joins another way: norse and sinabs take it one step late, snntorch and spikingjelly "
                "at once.");
        }
    }
}

}  // namespace

std::vector<ToolReading> tool_readings(const io::NirDocument& document) {
    const Guess guess = guess_convention(document);
    std::vector<ToolReading> readings;
    for (const std::string& name : convention_names()) {
        const Convention c = convention(name);
        const bool of_tool = c.stepped && !c.stepped->nodes.empty() && name.find("-n") == std::string::npos;
        if (!of_tool) continue;
        NirReading reading;
        reading.clock = Clock::stepped;
        reading.convention = name;
        reading.dt = name == guess.convention ? guess.dt : c.dt;
        ToolReading& tool = readings.emplace_back(ToolReading{name, *reading.dt, {}});
        try {
            const Import import = network_from_nir(document, reading);
            const SteppedSimulation check(import.network, *import.rules);
        } catch (const Error& error) {
            tool.refusal = error.what();
        }
    }
    return readings;
}

std::vector<std::string> traps_of(const io::NirDocument& document) {
    Finding delays(
        "a Delay; no importer of a tool that steps maps it, so that it is lost or the file refused there.");
    Finding resets(
        "v_reset is not 0; norse, snntorch, lava-dl and nengo reset to 0 whatever the file says, sinabs and "
        "rockpool "
        "subtract the threshold.");
    Finding leaks(
        "v_leak is not 0; norse starts there and takes it as rest, rockpool adds it in each step, sinabs "
        "drops it, "
        "others refuse it.");
    Finding resistances(
        "r is not 1; norse drops it for LIF and IF, snntorch divides the threshold by r dt/tau, sinabs drops "
        "it, "
        "spikingjelly wants 1 or tau/dt (IF: 1/dt), rockpool computes its step from it.");
    Finding biases(
        "a bias; the exact clock takes it as a constant current (which moves a neuron between events), tools "
        "that step "
        "add it once in each step.");
    Finding flattened("start_dim 1 counts a batch axis; norse takes it so, NIR and the others do not.");
    Finding pools("AvgPool2d; norse, sinabs and rockpool have none.");
    Finding integrators("an IF that feeds other nodes; snntorch 1.0.0 fails there.");
    Finding readouts("LI, CubaLI or I; of the tools only sinabs maps LI.");
    Finding coarse("a time constant shorter than two steps of 1 ms; a step of a tool must be smaller.");
    Finding units(
        "a time constant above 0.5: seconds in NIR's words, but more likely milliseconds (jaxsnn, hxtorch) "
        "or "
        "steps (sinabs): --time-unit.");
    for_each_node(*document.root.graph, "", [&](const std::string& path, const io::NirNode& node) {
        const auto not_zero = [](double x) { return x != 0.0; };
        if (node.type == "Delay") delays.add(path);
        if (any_value(node, "v_reset", not_zero)) resets.add(path);
        if (any_value(node, "v_leak", not_zero)) leaks.add(path);
        if (any_value(node, "r", [](double r) { return r != 1.0; })) resistances.add(path);
        if (any_value(node, "bias", not_zero)) biases.add(path);
        if (node.type == "Flatten" && any_value(node, "start_dim", [](double d) { return d == 1.0; }))
            flattened.add(path);
        if (node.type == "AvgPool2d") pools.add(path);
        if (node.type == "LI" || node.type == "CubaLI" || node.type == "I") readouts.add(path);
        for (const char* tau : {"tau", "tau_mem", "tau_syn"}) {
            if (any_value(node, tau, [](double t) { return t > 0.5; })) units.add(path + "." + tau);
            if (any_value(node, tau, [](double t) { return t < 2e-3; })) coarse.add(path + "." + tau);
        }
    });
    const io::NirGraph& top = *document.root.graph;
    for (const auto& [from, to] : top.edges) {
        const io::NirNode* source = top.find(from);
        const io::NirNode* target = top.find(to);
        if (source && target && source->type == "IF" && target->type != "Output") integrators.add(from);
    }
    std::vector<std::string> traps;
    for (const Finding* finding :
         std::array<const Finding*, 11>{&delays, &resets, &leaks, &resistances, &biases, &flattened, &pools,
                                        &integrators, &readouts, &coarse, &units}) {
        finding->append_to(traps);
    }
    add_orders(top, "", traps);
    return traps;
}

}  // namespace saltus::converters
