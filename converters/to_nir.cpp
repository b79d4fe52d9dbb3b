// A Network as a NIR document: populations and the stages of projections become nodes, chains of them edges.
// See to_nir_neurons.cpp for what the numbers mean and to_nir_chains.hpp for nodes that projections share.
//
// Names stay as they are, dots in them too ("inner.lif" of a flattened sub-graph, "lif1.lif" of snnTorch's
// exporter): they are legal in NIR, the tools that cannot bear them replace them on their own, and spike
// files and scripts find the populations under them. Names that are made up here have no dots.
#include <algorithm>
#include <optional>
#include <set>

#include "own_metadata.hpp"
#include "saltus/converters/nir.hpp"
#include "saltus/engine/errors.hpp"
#include "to_nir_chains.hpp"
#include "to_nir_neurons.hpp"
#include "to_nir_stages.hpp"

namespace saltus::converters {

namespace {

constexpr std::size_t longest_made_up_name = 256;

std::string without_dots(std::string name) {
    std::replace(name.begin(), name.end(), '.', '_');
    return name;
}

class Exporter {
  public:
    Exporter(const Network& network, std::vector<std::string>* notes)
        : network_(network), notes_(notes), losses_(notes, convention_of(network)) {}

    io::NirDocument write() {
        find_plain_outputs();
        kept_t_ref_ = common_t_ref();
        add_populations();
        add_projections();
        add_outputs();
        io::NirDocument document;
        document.version = "1.0.8";
        document.root.type = "NIRGraph";
        document.root.graph = std::make_shared<io::NirGraph>(std::move(graph_));
        io::NirGroup own{{{"convention", losses_.convention()}}};
        if (kept_t_ref_ != Duration()) own.entries.emplace_back("t_ref", seconds_of(kept_t_ref_));
        document.root.metadata.entries = {{"saltus", std::move(own)}};
        return document;
    }

  private:
    [[nodiscard]] const Population& population(std::uint32_t q) const { return network_.populations()[q]; }

    /// The refractory period of all neurons that fire; 0 where they differ.
    [[nodiscard]] Duration common_t_ref() const {
        std::optional<Duration> common;
        bool differs = false;
        const auto take = [&](Duration t_ref) {
            differs = differs || (common && *common != t_ref);
            common = t_ref;
        };
        for (const Population& p : network_.populations()) {
            std::visit(
                [&]<class M>(const M& model) {
                    if constexpr (neurons::HasNeurons<M>) {
                        if constexpr (neurons::Spiking<typename M::value_type>) {
                            for (const auto& neuron : model) take(neuron.t_ref);
                        }
                    }
                },
                p.model);
        }
        return differs ? Duration() : common.value_or(Duration());
    }

    /// Integrators that stand for an Output fed by weights, as network_from_nir makes them.
    void find_plain_outputs() {
        plain_output_.assign(network_.populations().size(), false);
        for (const OutputPort& port : network_.outputs()) {
            plain_output_[port.population] = is_plain_output(port);
        }
    }

    [[nodiscard]] bool is_plain_output(const OutputPort& port) const {
        const auto* model =
            std::get_if<neurons::PerNeuron<neurons::Integrator>>(&population(port.population).model);
        if (!model || port.name != population(port.population).name) return false;
        const auto is_plain = [](const neurons::Integrator& p) {
            return p.R == 1.0 && p.J == 1.0 && p.V_0 == 0.0;
        };
        const auto is_this = [&](const OutputPort& other) { return other.population == port.population; };
        if (!std::all_of(model->begin(), model->end(), is_plain)) return false;
        if (std::count_if(network_.outputs().begin(), network_.outputs().end(), is_this) != 1) return false;
        bool weighted = false;
        std::size_t incoming = 0;
        for (const Projection& projection : network_.projections()) {
            if (projection.source == port.population) return false;
            if (projection.target != port.population) continue;
            ++incoming;
            weighted =
                weighted || std::any_of(projection.stages.begin(), projection.stages.end(),
                                        [](const Stage& s) { return !std::holds_alternative<Flatten>(s); });
        }
        return weighted || incoming > 1;
    }

    void add_populations() {
        for (std::uint32_t q = 0; q < network_.populations().size(); ++q) {
            const std::string& name = population(q).name;
            check_name(name, "name");
            used_.insert(name);
            if (plain_output_[q]) {
                bias_factor_.emplace_back();
                continue;
            }
            NeuronNode made = node_from_population(population(q), kept_t_ref_, losses_);
            graph_.nodes.emplace_back(name, std::move(made.node));
            bias_factor_.push_back(std::move(made.bias_factor));
        }
        for (const OutputPort& port : network_.outputs()) {
            check_name(port.name, "output");
            output_names_.push_back(plain_output_[port.population] ? port.name : unique(port.name));
            if (output_names_.back() != port.name && notes_) {
                notes_->push_back("output " + quoted(port.name) +
                                  ": another node has this name, so it is called " +
                                  quoted(output_names_.back()) + ".");
            }
        }
    }

    static void check_name(const std::string& name, const char* field) {
        if (is_node_name(name)) return;
        throw NetworkError(
            name, field,
            "expected a name that a node of NIR can bear (no '/', not '.', at most 1024 bytes). Rename it.");
    }

    void add_projections() {
        std::vector<Chain> chains = chains_of(network_, bias_factor_);
        const std::vector<const Link*> links = number_nodes(chains);
        std::vector<std::string> names(links.size());
        for (const Chain& chain : chains) {
            std::string from = population(chain.source).name;
            for (const Link& link : chain.links) {
                std::string& name = names[link.node];
                if (name.empty()) {
                    name = name_of(*links[link.node], chain);
                    graph_.nodes.emplace_back(name, node_from_stage(links[link.node]->stage, link.in));
                }
                connect(from, name);
                from = name;
            }
            connect(from, population(chain.target).name);
        }
    }

    void add_outputs() {
        for (std::size_t i = 0; i < network_.outputs().size(); ++i) {
            const std::uint32_t q = network_.outputs()[i].population;
            io::NirNode node;
            node.type = "Output";
            node.set("shape", integer_array(nir_shape(population(q).shape)));
            graph_.nodes.emplace_back(output_names_[i], std::move(node));
            if (!plain_output_[q]) connect(population(q).name, output_names_[i]);
        }
    }

    void connect(const std::string& from, const std::string& to) {
        if (edges_.emplace(from, to).second) graph_.edges.emplace_back(from, to);
    }

    std::string name_of(const Link& link, const Chain& chain) {
        if (!link.name.empty() && used_.insert(link.name).second) return link.name;
        const std::string projection = population(chain.source).name + "_" + population(chain.target).name;
        const bool short_enough = projection.size() < longest_made_up_name;
        return unique((short_enough ? without_dots(projection) : "projection") + link.suffix);
    }

    std::string unique(const std::string& name) {
        std::string free = name;
        for (std::size_t n = 2; !used_.insert(free).second; ++n) free = name + "_" + std::to_string(n);
        return free;
    }

    const Network& network_;
    std::vector<std::string>* notes_;
    Losses losses_;
    Duration kept_t_ref_;
    io::NirGraph graph_;
    std::vector<bool> plain_output_;  // of each population
    std::vector<std::vector<double>> bias_factor_;
    std::vector<std::string> output_names_;
    std::set<std::string> used_;
    std::set<std::pair<std::string, std::string>> edges_;
};

}  // namespace

io::NirDocument nir_from_network(const Network& network, std::vector<std::string>* notes) {
    return Exporter(network, notes).write();
}

}  // namespace saltus::converters
