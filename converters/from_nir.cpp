// A NIR graph knows one kind of node; a Network knows populations, which have memory, and projections, which have none.
// Reading flattens sub-graphs, takes the neurons as populations, and follows the other nodes from each population to the
// next: every path is one projection. Because these nodes are linear, a node with several sources distributes over them.
#include <algorithm>
#include <map>
#include <set>

#include "nir_stages.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::converters {

namespace {

constexpr std::size_t most_projections = 100'000;

/// A document without sub-graphs: their inner Input and Output nodes are left out, their neighbours joined.
class FlatGraph {
  public:
    explicit FlatGraph(const io::NirGraph& graph) {
        add(graph, "");
        for (std::size_t i = 0; i < nodes.size(); ++i) index_[nodes[i].path] = i;
        next.resize(nodes.size());
        for (const auto& [from, to] : edges_) next[index_.at(from)].push_back(index_.at(to));
    }

    std::vector<FlatNode> nodes;
    std::vector<std::vector<std::size_t>> next;  // successors of each node

    [[nodiscard]] bool is_port(std::size_t i) const { return nodes[i].node->type == "Input" || is_output(i); }
    [[nodiscard]] bool is_output(std::size_t i) const { return nodes[i].node->type == "Output"; }
    /// Inside a sub-graph: passes on what it gets.
    [[nodiscard]] bool is_inner_port(std::size_t i) const { return is_port(i) && inner_.count(nodes[i].path) != 0; }

  private:
    void add(const io::NirGraph& graph, const std::string& prefix) {
        const std::vector<io::NirShapes> shapes = io::nir_shapes(graph);
        for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
            const auto& [name, node] = graph.nodes[i];
            if (node.graph) {
                add(*node.graph, prefix + name + ".");
            } else {
                nodes.push_back({prefix + name, &node, shapes[i]});
                if (!prefix.empty()) inner_.insert(prefix + name);
            }
        }
        for (const auto& [from, to] : graph.edges) {
            edges_.emplace_back(end_point(graph, prefix, from, "Output"), end_point(graph, prefix, to, "Input"));
        }
    }

    /// Flat name of an end of an edge: the node itself, the named port or node of a sub-graph, or its only port.
    static std::string end_point(const io::NirGraph& graph, const std::string& prefix, const std::string& name,
                                 const std::string& port_type) {
        if (const io::NirNode* node = graph.find(name)) {
            if (!node->graph) return prefix + name;
            for (const auto& [inner_name, inner] : node->graph->nodes) {
                if (inner.type == port_type) {
                    return end_point(*node->graph, prefix + name + ".", inner_name, port_type);
                }
            }
        }
        for (std::size_t dot = name.rfind('.'); dot != std::string::npos && dot > 0; dot = name.rfind('.', dot - 1)) {
            const io::NirNode* sub = graph.find(name.substr(0, dot));
            if (sub && sub->graph) {
                return end_point(*sub->graph, prefix + name.substr(0, dot) + ".", name.substr(dot + 1), port_type);
            }
        }
        throw NetworkError(prefix + name, "", "an edge names a node that does not exist.");
    }

    std::vector<std::pair<std::string, std::string>> edges_;
    std::map<std::string, std::size_t> index_;
    std::set<std::string> inner_;
};

/// A way from one population to another, or to an Output, through nodes without memory.
struct Path {
    std::size_t source = 0;
    std::size_t target = 0;
    std::vector<std::size_t> through;
};

class Importer {
  public:
    Importer(const io::NirDocument& document, const NirReading& reading)
        : document_(document), reading_(reading), graph_(*document.root.graph), notes_(document.notes) {
        meaning_ = decide();
    }

    NirImport import() {
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            if (is_population(i)) add_population(i);
        }
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            if (is_population(i)) follow(i);
        }
        add_outputs();
        for (const Path& path : paths_) add_projection(path);
        warn_of_unused_nodes();
        Network network(std::move(populations_), std::move(projections_), std::move(outputs_));
        if (reading_.recurrent_delay) {
            std::vector<std::string> delayed;
            network = network.with_recurrent_delay(*reading_.recurrent_delay, &delayed);
            for (const std::string& name : delayed) {
                notes_.push_back(name + " closes a cycle without delay: delayed by " +
                                 to_string(*reading_.recurrent_delay) + " as asked.");
            }
        }
        for (const std::string& name : network.unreachable()) {
            notes_.push_back("population " + quoted(name) + " can be reached by no input and has no drive: it stays silent.");
        }
        return {std::move(network), std::move(notes_)};
    }

  private:
    [[nodiscard]] bool is_population(std::size_t i) const {
        const std::string& type = graph_.nodes[i].node->type;
        return is_neuron(type) || (type == "Input" && !graph_.is_inner_port(i));
    }
    [[nodiscard]] bool is_final_output(std::size_t i) const {
        return graph_.is_output(i) && !graph_.is_inner_port(i);
    }

    /// What the document says of itself: metadata "saltus" of the top graph.
    [[nodiscard]] const io::NirGroup* own_metadata() const {
        const io::NirValue* value = document_.root.metadata.find("saltus");
        return value ? std::get_if<io::NirGroup>(value) : nullptr;
    }

    Meaning decide() {
        Meaning m;
        std::string name = "nir";
        const io::NirGroup* own = own_metadata();
        const auto* own_convention = own && own->find("convention") ? std::get_if<std::string>(own->find("convention")) : nullptr;
        const auto* own_dt = own && own->find("dt") ? std::get_if<io::NirArray>(own->find("dt")) : nullptr;
        if (reading_.convention) {
            name = *reading_.convention;
        } else if (own_convention) {
            name = *own_convention;
            notes_.push_back("convention " + quoted(name) + ", as the file's own metadata say.");
        }
        m.convention = convention(name);
        if (reading_.time_unit) m.convention.time_unit = *reading_.time_unit;
        if (reading_.spike_area) m.convention.spike_area = *reading_.spike_area;
        if (reading_.reset) {
            m.convention.reset = *reading_.reset;
            m.convention.if_reset.reset();
        }
        Duration dt = m.convention.dt;
        if (reading_.dt) {
            dt = *reading_.dt;
        } else if (own_dt && own_dt->size() == 1) {
            dt = duration_from_seconds(own_dt->real(0), "metadata saltus, dt");
        }
        if (dt <= Duration()) throw UsageError("dt: expected > 0, found " + to_string(dt) + ".");
        m.dt = dt.seconds();
        m.t_ref = reading_.t_ref;
        switch (m.convention.time_unit) {
            case TimeUnit::seconds:
                m.unit = 1.0;
                break;
            case TimeUnit::milliseconds:
                m.unit = 1e-3;
                break;
            case TimeUnit::steps:
                m.unit = m.dt;
                break;
        }
        const bool told = reading_.convention || own_convention;
        note_guesses(m, told, dt, reading_.dt || own_dt);
        return m;
    }

    void note_guesses(const Meaning& m, bool told, Duration dt, bool dt_told) {
        double smallest_tau = 0.0;
        bool leaky = false;
        for (const FlatNode& node : graph_.nodes) {
            if (!is_neuron(node.node->type)) continue;
            for (const char* field : {"tau", "tau_mem", "tau_syn"}) {
                const io::NirArray* tau = node.node->array(field);
                if (!tau) continue;
                for (std::uint64_t i = 0; i < tau->size(); ++i) {
                    smallest_tau = leaky ? std::min(smallest_tau, tau->real(i)) : tau->real(i);
                    leaky = true;
                }
            }
        }
        if (!leaky) return;
        if (!told && !reading_.spike_area) {
            notes_.push_back(
                "convention: none given, so the equations of NIR are taken as written: a spike is an impulse of area 1 "
                "and moves a LIF by w r / tau. Tools that step mean a pulse one step wide: --convention norse, snntorch, "
                "sinabs, spikingjelly, rockpool, lava-dl or jaxsnn.");
        }
        if (!told && !reading_.time_unit && smallest_tau > 0.5) {
            notes_.push_back("time constants are taken as seconds, and the smallest is " + std::to_string(smallest_tau) +
                             " s: if they are milliseconds or steps, say --time-unit ms or --time-unit steps.");
        }
        const bool needs_step = m.convention.time_unit == TimeUnit::steps || m.convention.spike_area == SpikeArea::step;
        if (needs_step && !dt_told) {
            notes_.push_back("step: none given, so one step is " + to_string(dt) + ", the default of " +
                             std::string(m.convention.name) + " (--dt).");
        }
    }

    void add_population(std::size_t i) {
        const FlatNode& node = graph_.nodes[i];
        const Shape shape = engine_shape(node, node.shapes.output);
        population_of_[i] = static_cast<std::uint32_t>(populations_.size());
        neurons::Model model = neurons::Input{};
        if (is_neuron(node.node->type)) model = model_from_nir(*node.node, element_count(shape), meaning_);
        populations_.push_back({node.path, shape, std::move(model)});
    }

    /// Finds every path from population `source` to the next populations and Outputs.
    void follow(std::size_t source) {
        std::vector<std::size_t> through;
        std::vector<bool> on_path(graph_.nodes.size(), false);
        follow_from(source, source, through, on_path);
    }

    void follow_from(std::size_t source, std::size_t at, std::vector<std::size_t>& through, std::vector<bool>& on_path) {
        for (const std::size_t to : graph_.next[at]) {
            if (is_population(to) || is_final_output(to)) {
                if (paths_.size() == most_projections) {
                    throw LimitError("more than " + std::to_string(most_projections) +
                                     " paths between neurons; the graph branches and joins too often.");
                }
                paths_.push_back({source, to, through});
                continue;
            }
            if (on_path[to]) {
                throw NetworkError(graph_.nodes[to].path, "",
                                   "lies on a cycle of nodes without memory, which has no defined value.");
            }
            on_path[to] = true;
            reached_.insert(to);
            through.push_back(to);
            follow_from(source, to, through, on_path);
            through.pop_back();
            on_path[to] = false;
        }
    }

    [[nodiscard]] bool has_effect(std::size_t i) const {
        return !graph_.is_port(i) && graph_.nodes[i].node->type != "Flatten";
    }

    void add_outputs() {
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            if (!is_final_output(i)) continue;
            const FlatNode& node = graph_.nodes[i];
            std::vector<const Path*> incoming;
            for (const Path& path : paths_) {
                if (path.target == i) incoming.push_back(&path);
            }
            if (incoming.empty()) {
                notes_.push_back("output " + quoted(node.path) + " receives nothing.");
                continue;
            }
            const bool direct = incoming.size() == 1 &&
                                std::none_of(incoming[0]->through.begin(), incoming[0]->through.end(),
                                             [&](std::size_t k) { return has_effect(k); });
            if (direct) {
                outputs_.push_back({node.path, population_of_.at(incoming[0]->source)});
                continue;
            }
            const Shape shape = engine_shape(node, node.shapes.input);
            population_of_[i] = static_cast<std::uint32_t>(populations_.size());
            outputs_.push_back({node.path, population_of_[i]});
            populations_.push_back({node.path, shape, neurons::PerNeuron<neurons::Integrator>(1)});
            notes_.push_back("output " + quoted(node.path) +
                             " is fed by weights: its potential is the sum of all weights that have arrived.");
        }
    }

    void add_projection(const Path& path) {
        if (population_of_.count(path.target) == 0) return;  // an Output that is a population's port
        Projection projection{population_of_.at(path.source), population_of_.at(path.target), {}};
        for (std::size_t k = 0; k < path.through.size(); ++k) {
            const std::size_t i = path.through[k];
            if (graph_.is_inner_port(i)) continue;
            projection.stages.push_back(stage_from_nir(graph_.nodes[i], meaning_));
            if (!is_first_with_bias(path, k)) drop_bias(projection.stages.back());
        }
        projections_.push_back(std::move(projection));
    }

    /// A bias counts once for each way from its node to a target, however many sources the node has.
    bool is_first_with_bias(const Path& path, std::size_t k) {
        if (!graph_.nodes[path.through[k]].node->array("bias")) return true;
        std::vector<std::size_t> rest(path.through.begin() + static_cast<std::ptrdiff_t>(k), path.through.end());
        rest.push_back(path.target);
        return biased_.insert(std::move(rest)).second;
    }

    static void drop_bias(Stage& stage) {
        if (auto* dense = std::get_if<Dense>(&stage)) dense->bias = Weights();
        if (auto* convolution = std::get_if<Convolution>(&stage)) convolution->bias = Weights();
    }

    void warn_of_unused_nodes() {
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            if (is_population(i) || graph_.is_port(i) || reached_.count(i) != 0) continue;
            notes_.push_back("node " + quoted(graph_.nodes[i].path) + " is reached from no population: left out.");
        }
    }

    const io::NirDocument& document_;
    const NirReading& reading_;
    FlatGraph graph_;
    std::vector<std::string> notes_;
    Meaning meaning_;
    std::map<std::size_t, std::uint32_t> population_of_;
    std::vector<Path> paths_;
    std::set<std::size_t> reached_;
    std::set<std::vector<std::size_t>> biased_;
    std::vector<Population> populations_;
    std::vector<Projection> projections_;
    std::vector<OutputPort> outputs_;
};

}  // namespace

NirImport network_from_nir(const io::NirDocument& document, const NirReading& reading) {
    return Importer(document, reading).import();
}

}  // namespace saltus::converters
