// A NIR graph knows one kind of node; a Network knows populations, which have memory, and projections, which
// have none. Reading flattens sub-graphs, takes the neurons as populations, and follows the other nodes from
// each population to the next: every path is one projection. Because these nodes are linear, a node with
// several sources distributes over them.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <unordered_map>

#include "nir_stages.hpp"
#include "node_order.hpp"
#include "own_metadata.hpp"
#include "saltus/converters/surrogate_model.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::converters {

namespace {

constexpr std::size_t most_projections = 100'000;
constexpr std::size_t most_stages = 1'000'000;  // of all projections together

/// A document without sub-graphs: their inner Input and Output nodes are left out, their neighbours joined.
class FlatGraph {
  public:
    explicit FlatGraph(const io::NirGraph& graph) {
        add(graph, "");
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            if (!index_.emplace(nodes[i].path, i).second) {
                throw NetworkError(
                    nodes[i].path, "",
                    "a node has this name, and a node of a sub-graph would get it. Rename one of them.");
            }
        }
        out_edges.resize(nodes.size());
        for (const auto& [from, to] : edges_) {
            out_edges[index_.at(from)].push_back(edges.size());
            edges.push_back({index_.at(from), index_.at(to)});
        }
    }

    using Edge = GraphEdge;

    std::vector<FlatNode> nodes;
    std::vector<Edge> edges;
    std::vector<std::vector<std::size_t>> out_edges;  // of each node

    [[nodiscard]] bool is_port(std::size_t i) const { return nodes[i].node->type == "Input" || is_output(i); }
    [[nodiscard]] bool is_output(std::size_t i) const { return nodes[i].node->type == "Output"; }
    /// Both ends of the edge lie in sub-graphs.
    [[nodiscard]] bool is_inner(std::size_t edge) const {
        return inner_.count(nodes[edges[edge].from].path) != 0 &&
               inner_.count(nodes[edges[edge].to].path) != 0;
    }
    /// Inside a sub-graph: passes on what it gets.
    [[nodiscard]] bool is_inner_port(std::size_t i) const {
        return is_port(i) && inner_.count(nodes[i].path) != 0;
    }

  private:
    void add(const io::NirGraph& graph, const std::string& prefix) {
        for (const auto& [name, node] : graph.nodes) nodes_of_[&graph].emplace(name, &node);
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
            edges_.emplace_back(end_point(graph, prefix, from, "Output"),
                                end_point(graph, prefix, to, "Input"));
        }
    }

    /// Flat name of an end of an edge: the node itself, the named port or node of a sub-graph, or its only
    /// port.
    std::string end_point(const io::NirGraph& graph, const std::string& prefix, const std::string& name,
                          const std::string& port_type) const {
        if (const io::NirNode* node = find(graph, name)) {
            if (!node->graph) return prefix + name;
            for (const auto& [inner_name, inner] : node->graph->nodes) {
                if (inner.type == port_type) {
                    return end_point(*node->graph, prefix + name + ".", inner_name, port_type);
                }
            }
        }
        for (std::size_t dot = name.rfind('.'); dot != std::string::npos && dot > 0;
             dot = name.rfind('.', dot - 1)) {
            const io::NirNode* sub = find(graph, name.substr(0, dot));
            if (sub && sub->graph) {
                return end_point(*sub->graph, prefix + name.substr(0, dot) + ".", name.substr(dot + 1),
                                 port_type);
            }
        }
        throw NetworkError(prefix + name, "", "an edge names a node that does not exist.");
    }

    [[nodiscard]] const io::NirNode* find(const io::NirGraph& graph, const std::string& name) const {
        const auto& known = nodes_of_.at(&graph);
        const auto found = known.find(name);
        return found == known.end() ? nullptr : found->second;
    }

    std::map<const io::NirGraph*, std::unordered_map<std::string_view, const io::NirNode*>> nodes_of_;
    std::vector<std::pair<std::string, std::string>> edges_;
    std::map<std::string, std::size_t> index_;
    std::set<std::string> inner_;
};

/// A way from one population to another, or to an Output, through nodes without memory.
struct Path {
    std::size_t source = 0;
    std::size_t target = 0;
    std::vector<std::size_t> through;
    std::vector<std::size_t> edges;  // one more: into each node of `through`, and into the target
    std::vector<std::size_t> order;  // compares as the names of source, target and the nodes between
};

class Importer {
  public:
    Importer(const io::NirDocument& document, const NirReading& reading)
        : document_(document), reading_(reading), graph_(*document.root.graph), notes_(document.notes) {
        meaning_ = decide();
    }

    NirImport import() {
        if (stepping_) {
            check_nodes();
            find_late_edges();
            drop_unreachable_loops();
        }
        find_leading_on();
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            if (is_population(i)) follow(i);
        }
        sort_paths();
        for (const std::size_t i : populations_along_the_graph()) add_population(i);
        add_outputs();
        std::stable_sort(paths_.begin(), paths_.end(), [&](const Path& a, const Path& b) {
            return population_of_.at(a.source) < population_of_.at(b.source);
        });
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
            notes_.push_back("population " + quoted(name) +
                             " can be reached by no input and has no drive: it stays silent.");
        }
        std::optional<SteppedRules> rules;
        if (stepping_) rules = stepping_->rules;
        return {std::move(network), std::move(notes_), std::move(rules), first_spike_of(document_),
                exact_reading_of(document_)};
    }

  private:
    [[nodiscard]] bool is_population(std::size_t i) const {
        const std::string& type = graph_.nodes[i].node->type;
        return is_neuron(type) || (type == "Input" && !graph_.is_inner_port(i));
    }
    [[nodiscard]] bool is_final_output(std::size_t i) const {
        return graph_.is_output(i) && !graph_.is_inner_port(i);
    }

    /// What nir_from_network keeps beside the nodes.
    [[nodiscard]] Duration own_t_ref() const {
        const io::NirGroup* own = own_metadata(document_);
        if (!own || !own->find("t_ref")) return {};
        return OwnFields(*own, "t_ref").duration("t_ref");
    }

    Meaning decide() {
        Meaning m;
        const bool steps = reading_.clock == Clock::stepped;
        const std::optional<std::string> own = own_convention(document_);
        const std::optional<Duration> own_dt = own_step(document_);
        const bool told = reading_.convention || own;
        std::string name = reading_.convention.value_or(own.value_or("nir"));
        std::optional<Duration> usual_dt;
        if (!told && steps) {
            const Guess guess = guess_convention(document_);
            name = guess.convention;
            usual_dt = guess.dt;
            notes_.push_back("convention " + quoted(name) + " guessed: " + guess.reason +
                             " (--convention for another).");
        } else if (!reading_.convention && own) {
            notes_.push_back("convention " + quoted(name) + ", as the file's own metadata say.");
        }
        m.convention = convention(name);
        if (reading_.time_unit) m.convention.time_unit = *reading_.time_unit;
        const Duration dt = reading_.dt.value_or(own_dt.value_or(usual_dt.value_or(m.convention.dt)));
        if (steps) {
            read_for_steps(m, dt);
        } else {
            if (!m.convention.not_exact.empty())
                throw LimitError("convention " + quoted(m.convention.name) + ": " + m.convention.not_exact);
            if (reading_.spike_area) m.convention.spike_area = *reading_.spike_area;
            if (reading_.reset) {
                m.convention.reset = *reading_.reset;
                m.convention.if_reset.reset();
            }
        }
        if (dt <= Duration()) throw UsageError("dt: expected > 0, found " + to_string(dt) + ".");
        m.dt = dt.seconds();
        m.t_ref = reading_.t_ref;
        if (m.t_ref == Duration() && own && name == *own) m.t_ref = own_t_ref();
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
        if (!steps) note_guesses(m, told, dt, reading_.dt || own_dt);
        return m;
    }

    /// The rule of the tool; the numbers stay as they are in the file unless the rule is the closed form.
    void read_for_steps(Meaning& m, Duration dt) {
        if (!m.convention.stepped) {
            throw LimitError("convention " + quoted(m.convention.name) +
                             ": the tool has no steps. It is for the exact clock.");
        }
        if (reading_.spike_area)
            throw UsageError("spike area: it is for the exact clock; the rule of " +
                             quoted(m.convention.name) + " says what a spike weighs in a step.");
        stepping_ = m.convention.stepped;
        SteppedRules& rules = stepping_->rules;
        rules.dt = dt;
        for (stepped::NeuronRule* rule : {&rules.without_leak, &rules.with_leak, &rules.with_current}) {
            if (reading_.reset) set_reset(*rule, *reading_.reset);
        }
        if (rules.with_leak.membrane == stepped::Membrane::closed_form) {
            if (reading_.reset) m.convention.reset = *reading_.reset;
            return;
        }
        if (reading_.reset == ResetRule::none) {
            throw LimitError("reset none: " + quoted(m.convention.name) +
                             " resets in every rule of its own. Take --convention s2net or nir.");
        }
        Convention as_written;
        as_written.name = m.convention.name;
        as_written.time_unit = m.convention.time_unit;
        m.convention = std::move(as_written);
    }

    static void set_reset(stepped::NeuronRule& rule, ResetRule reset) {
        rule.counts = reset == ResetRule::subtract_repeated;
        rule.reset_time = stepped::ResetTime::same_step;
        rule.reset = reset == ResetRule::v_reset ? stepped::Reset::to_V_reset
                     : reset == ResetRule::zero  ? stepped::Reset::to_zero
                                                 : stepped::Reset::subtract;
    }

    void check_nodes() const {
        const std::vector<std::string>& known = stepping_->nodes;
        if (known.empty()) return;
        for (const FlatNode& node : graph_.nodes) {
            const std::string& type = node.node->type;
            if (type == "Input" || type == "Output") continue;
            if (std::find(known.begin(), known.end(), type) != known.end()) continue;
            std::string list;
            for (const std::string& name : known) list += (list.empty() ? "" : ", ") + name;
            throw LimitError("node " + quoted(node.path) + ": " + quoted(stepping_->rules.name) + " has no " +
                             type + ". It maps " + list + ".");
        }
    }

    [[nodiscard]] std::vector<std::string> paths_of_nodes() const {
        std::vector<std::string> paths;
        for (const FlatNode& node : graph_.nodes) paths.push_back(node.path);
        return paths;
    }
    [[nodiscard]] std::vector<std::size_t> inputs() const {
        std::vector<std::size_t> list;
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i)
            if (graph_.nodes[i].node->type == "Input" && !graph_.is_inner_port(i)) list.push_back(i);
        return list;
    }

    /// What comes out of a Delay of a step or more was sent in an earlier step, and waits for nobody.
    void find_late_edges() {
        std::vector<std::size_t> within;  // a step
        std::vector<FlatGraph::Edge> edges;
        for (std::size_t k = 0; k < graph_.edges.size(); ++k) {
            if (holds_back(*graph_.nodes[graph_.edges[k].from].node)) continue;
            within.push_back(k);
            edges.push_back(graph_.edges[k]);
        }
        const std::vector<bool> late = late_edges(stepping_->order, paths_of_nodes(), edges, inputs());
        late_.assign(graph_.edges.size(), false);
        for (std::size_t k = 0; k < within.size(); ++k) late_[within[k]] = late[k];
    }
    [[nodiscard]] bool holds_back(const io::NirNode& node) const {
        const io::NirArray* delay = node.type == "Delay" ? node.array("delay") : nullptr;
        for (std::uint64_t i = 0; delay && i < delay->size(); ++i)
            if (std::round(delay->real(i) * meaning_.unit / meaning_.dt) < 1.0) return false;
        return delay != nullptr;
    }

    [[nodiscard]] bool is_late(std::size_t edge) const { return !late_.empty() && late_[edge]; }
    [[nodiscard]] std::string edge_name(std::size_t edge) const {
        return graph_.nodes[graph_.edges[edge].from].path + " -> " + graph_.nodes[graph_.edges[edge].to].path;
    }

    /// Tells which edges are late, and takes out those over which nothing ever comes.
    void drop_unreachable_loops() {
        for (std::size_t k = 0; k < graph_.edges.size(); ++k) {
            if (!late_[k]) continue;
            const bool kept = stepping_->recurrence != Recurrence::nested_only || graph_.is_inner(k);
            notes_.push_back(
                quoted(stepping_->rules.name) +
                (kept ? " takes the value of the last step over " : " never takes anything over ") +
                edge_name(k) + ".");
            if (!kept) {
                auto& out = graph_.out_edges[graph_.edges[k].from];
                out.erase(std::find(out.begin(), out.end(), k));
            }
        }
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
                "convention: none given, so the equations of NIR are taken as written: a spike is an impulse "
                "of area 1 "
                "and moves a LIF by w r / tau. Tools that step mean a pulse one step wide: --convention "
                "norse, snntorch, "
                "sinabs, spikingjelly, rockpool, lava-dl or jaxsnn.");
        }
        if (!told && !reading_.time_unit && smallest_tau > 0.5) {
            notes_.push_back(
                "time constants are taken as seconds, and the smallest is " + std::to_string(smallest_tau) +
                " s: if they are milliseconds or steps, say --time-unit ms or --time-unit steps.");
        }
        const bool needs_step =
            m.convention.time_unit == TimeUnit::steps || m.convention.spike_area == SpikeArea::step;
        if (needs_step && !dt_told) {
            notes_.push_back("step: none given, so one step is " + to_string(dt) + ", the default of " +
                             std::string(m.convention.name) + " (--dt).");
        }
    }

    /// Inputs first, then what they reach, breadth first, then the rest: the order in which a reader follows
    /// the graph.
    [[nodiscard]] std::vector<std::size_t> populations_along_the_graph() const {
        std::vector<std::size_t> order;
        std::set<std::size_t> seen;
        const auto visit = [&](std::size_t i) {
            if (is_population(i) && seen.insert(i).second) order.push_back(i);
        };
        const auto visit_reached = [&](std::size_t from) {
            for (std::size_t k = from; k < order.size(); ++k) {
                for (const Path& path : paths_) {
                    if (path.source == order[k]) visit(path.target);
                }
            }
        };
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            if (graph_.nodes[i].node->type == "Input") visit(i);
        }
        visit_reached(0);
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            const std::size_t before = order.size();
            visit(i);
            visit_reached(before);
        }
        return order;
    }

    void add_population(std::size_t i) {
        const FlatNode& node = graph_.nodes[i];
        const Shape shape = engine_shape(node, node.shapes.output);
        population_of_[i] = static_cast<std::uint32_t>(populations_.size());
        neurons::Model model = neurons::Input{};
        if (is_neuron(node.node->type)) model = model_from_nir(*node.node, element_count(shape), meaning_);
        populations_.push_back({node.path, shape, std::move(model)});
    }

    [[nodiscard]] bool is_end(std::size_t i) const { return is_population(i) || is_final_output(i); }

    /// Nodes from which a way leads on to a population or an Output: others need not be walked.
    void find_leading_on() {
        std::vector<std::vector<std::size_t>> sources(graph_.nodes.size());
        for (const FlatGraph::Edge& edge : graph_.edges) sources[edge.to].push_back(edge.from);
        std::vector<std::size_t> frontier;
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            if (is_end(i)) frontier.push_back(i);
        }
        leads_on_.assign(graph_.nodes.size(), false);
        while (!frontier.empty()) {
            const std::size_t at = frontier.back();
            frontier.pop_back();
            if (leads_on_[at]) continue;
            leads_on_[at] = true;
            for (const std::size_t from : sources[at]) {
                if (!is_end(from)) frontier.push_back(from);
            }
        }
    }

    /// Finds every path from population `source` to the next populations and Outputs, depth first.
    void follow(std::size_t source) {
        Path path{source, source, {}, {}, {}};
        std::vector<bool> on_path(graph_.nodes.size(), false);
        std::vector<std::size_t> next_edge{0};  // of the source and of each node of the path
        while (!next_edge.empty()) {
            const std::size_t at = path.through.empty() ? source : path.through.back();
            if (next_edge.back() == graph_.out_edges[at].size()) {
                next_edge.pop_back();
                if (path.through.empty()) break;
                on_path[at] = false;
                path.through.pop_back();
                path.edges.pop_back();
                continue;
            }
            const std::size_t edge = graph_.out_edges[at][next_edge.back()++];
            const std::size_t to = graph_.edges[edge].to;
            if (!leads_on_[to]) continue;
            if (is_end(to)) {
                add_path(path, edge);
                continue;
            }
            if (on_path[to]) {
                throw NetworkError(graph_.nodes[to].path, "",
                                   "lies on a cycle of nodes without memory, which has no defined value.");
            }
            on_path[to] = true;
            reached_.insert(to);
            path.through.push_back(to);
            path.edges.push_back(edge);
            next_edge.push_back(0);
        }
    }

    void add_path(Path path, std::size_t last_edge) {
        stages_ += path.through.size();
        if (paths_.size() == most_projections || stages_ > most_stages) {
            throw LimitError("more than " + std::to_string(most_projections) +
                             " paths between neurons, or more than " + std::to_string(most_stages) +
                             " nodes on them; the graph branches and joins too often.");
        }
        path.target = graph_.edges[last_edge].to;
        path.edges.push_back(last_edge);
        paths_.push_back(std::move(path));
    }

    /// Floating sums depend on their order, and a bias goes to the first of the paths that share it: neither
    /// may depend on the order of nodes and edges in a file.
    void sort_paths() {
        std::map<std::string_view, std::size_t> rank;
        for (const FlatNode& node : graph_.nodes) rank.emplace(node.path, 0);
        std::size_t next_rank = 0;
        for (auto& [name, number] : rank) number = next_rank++;
        for (Path& path : paths_) {
            path.order = {rank.at(graph_.nodes[path.source].path), rank.at(graph_.nodes[path.target].path)};
            for (const std::size_t i : path.through) {
                if (!graph_.is_inner_port(i)) path.order.push_back(rank.at(graph_.nodes[i].path));
            }
        }
        std::stable_sort(paths_.begin(), paths_.end(),
                         [](const Path& a, const Path& b) { return a.order < b.order; });
    }

    [[nodiscard]] bool has_effect(std::size_t i) const {
        return !graph_.is_port(i) && graph_.nodes[i].node->type != "Flatten";
    }

    void add_outputs() {
        std::map<std::size_t, std::vector<const Path*>> paths_to;
        for (const Path& path : paths_) paths_to[path.target].push_back(&path);
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            if (!is_final_output(i)) continue;
            const FlatNode& node = graph_.nodes[i];
            if (!graph_.out_edges[i].empty()) {
                throw NetworkError(
                    node.path, "",
                    "an Output of the whole graph feeds another node: expected no edge from it.");
            }
            const std::vector<const Path*>& incoming = paths_to[i];
            if (incoming.empty()) {
                notes_.push_back("output " + quoted(node.path) + " receives nothing.");
                continue;
            }
            const bool direct =
                incoming.size() == 1 && std::none_of(incoming[0]->through.begin(), incoming[0]->through.end(),
                                                     [&](std::size_t k) { return has_effect(k); });
            if (direct) {
                outputs_.push_back({node.path, population_of_.at(incoming[0]->source)});
                continue;
            }
            const Shape shape = engine_shape(node, node.shapes.input);
            population_of_[i] = static_cast<std::uint32_t>(populations_.size());
            outputs_.push_back({node.path, population_of_[i]});
            populations_.push_back({node.path, shape, neurons::PerNeuron<neurons::Integrator>(1)});
            notes_.push_back(
                "output " + quoted(node.path) +
                " is fed by weights: its potential is the sum of all weights that have arrived.");
        }
    }

    void add_projection(const Path& path) {
        if (population_of_.count(path.target) == 0) return;  // an Output that is a population's port
        Projection projection{population_of_.at(path.source), population_of_.at(path.target), {}};
        const bool at_once = stepping_ && stepping_->recurrence == Recurrence::last_spikes;
        if (at_once) {
            for (const std::size_t edge : path.edges)
                if (is_late(edge)) add_step(projection, path.source);
        }
        for (std::size_t k = 0; k < path.through.size(); ++k) {
            const std::size_t i = path.through[k];
            if (!at_once && is_late(path.edges[k]))
                add_step(projection, k == 0 ? path.source : path.through[k - 1]);
            if (graph_.is_inner_port(i)) continue;
            projection.stages.push_back(stage_of(i));
            if (!is_first_with_bias(path, k)) drop_bias(projection.stages.back());
        }
        if (!at_once && is_late(path.edges.back()))
            add_step(projection, path.through.empty() ? path.source : path.through.back());
        projections_.push_back(std::move(projection));
    }

    /// What node `from` sends takes a step more.
    void add_step(Projection& projection, std::size_t from) {
        const std::uint64_t size =
            element_count(engine_shape(graph_.nodes[from], graph_.nodes[from].shapes.output));
        if (stepping_->recurrence == Recurrence::nested_only) {
            for (Stage& stage : projection.stages) drop_bias(stage);
        }
        projection.stages.push_back(
            Delay{"one step", static_cast<std::uint32_t>(size), {stepping_->rules.dt}});
    }

    /// A bias counts once for each way from its node to a target, however many sources the node has.
    bool is_first_with_bias(const Path& path, std::size_t k) {
        if (!graph_.nodes[path.through[k]].node->array("bias")) return true;
        return biased_.emplace(path.edges.begin() + static_cast<std::ptrdiff_t>(k) + 1, path.edges.end())
            .second;
    }

    /// Paths that share a node share its weights.
    const Stage& stage_of(std::size_t i) {
        const auto known = stage_of_.find(i);
        if (known != stage_of_.end()) return known->second;
        return stage_of_.emplace(i, stage_from_nir(graph_.nodes[i], meaning_)).first->second;
    }

    static void drop_bias(Stage& stage) {
        if (auto* dense = std::get_if<Dense>(&stage)) dense->bias = Weights();
        if (auto* convolution = std::get_if<Convolution>(&stage)) convolution->bias = Weights();
    }

    void warn_of_unused_nodes() {
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            if (is_population(i) || graph_.is_port(i) || reached_.count(i) != 0) continue;
            notes_.push_back(
                "node " + quoted(graph_.nodes[i].path) +
                (leads_on_[i] ? " is reached from no population" : " leads to no neuron and no Output") +
                ": left out.");
        }
    }

    const io::NirDocument& document_;
    const NirReading& reading_;
    FlatGraph graph_;
    std::vector<std::string> notes_;
    std::optional<Stepping> stepping_;  // for the stepped clock
    Meaning meaning_;
    std::vector<bool> late_;  // edges that the tool computes late
    std::map<std::size_t, std::uint32_t> population_of_;
    std::vector<bool> leads_on_;
    std::vector<Path> paths_;
    std::size_t stages_ = 0;
    std::map<std::size_t, Stage> stage_of_;
    std::set<std::size_t> reached_;
    std::set<std::vector<std::size_t>> biased_;  // the edges that lead on from a node whose bias is counted
    std::vector<Population> populations_;
    std::vector<Projection> projections_;
    std::vector<OutputPort> outputs_;
};

}  // namespace

NirImport network_from_nir(const io::NirDocument& document, const NirReading& reading) {
    check_no_surrogate(document);
    return Importer(document, reading).import();
}

Import network_for_steps(const Network& network, const NirReading& reading) {
    const Convention c = convention(reading.convention.value_or("nir"));
    NirReading stepped_reading = reading;
    stepped_reading.clock = Clock::stepped;
    stepped_reading.convention = c.name;
    if (!c.stepped || c.stepped->rules.with_leak.membrane != stepped::Membrane::closed_form) {
        std::vector<std::string> notes;
        io::NirDocument document = nir_from_network(network, &notes);
        io::check_nir(document, "network");
        Import import = network_from_nir(document, stepped_reading);
        import.notes.insert(import.notes.end(), notes.begin(), notes.end());
        return import;
    }
    if (reading.time_unit || reading.spike_area || reading.reset || reading.t_ref != Duration())
        throw UsageError(
            "time unit, spike area, reset, t_ref: the numbers of this network, which no NIR file holds, have "
            "one "
            "meaning. Leave them out.");
    Import import{network, {}, c.stepped->rules};
    import.rules->dt = reading.dt.value_or(c.dt);
    if (reading.recurrent_delay) {
        std::vector<std::string> delayed;
        import.network = network.with_recurrent_delay(*reading.recurrent_delay, &delayed);
        for (const std::string& name : delayed) {
            import.notes.push_back(name + " closes a cycle without delay: delayed by " +
                                   to_string(*reading.recurrent_delay) + " as asked.");
        }
    }
    return import;
}

}  // namespace saltus::converters
