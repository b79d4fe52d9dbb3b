#include "saltus/converters/sonata.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/network_builder.hpp"
#include "sonata_models.hpp"

namespace saltus::converters {

namespace {

constexpr double nest_weight = 1.0;  // of a synapse of which nothing is said
constexpr double nest_delay = 1.0;   // [ms]

double in_si(std::string_view parameter, double value) {
    const auto* const unit = std::find_if(nest_units.begin(), nest_units.end(),
                                          [&](const NestUnit& u) { return u.parameter == parameter; });
    return unit == nest_units.end() ? value : value / unit->divisor;
}

const std::string& attribute(const io::SonataType& type, const std::string& name) {
    static const std::string none;
    const auto found = type.attributes.find(name);
    return found == type.attributes.end() ? none : found->second;
}

/// What all nodes of a population have in common.
std::string common(const io::SonataNodes& nodes, const std::string& name) {
    const std::string& first = attribute(nodes.types[nodes.type.front()], name);
    for (const std::uint32_t type : nodes.type) {
        const std::string& other = attribute(nodes.types[type], name);
        if (other == first) continue;
        throw NetworkError(nodes.population, name,
                           "expected the same for all nodes of a population, found " + quoted(first) +
                               " and " + quoted(other) + ". Make a population of each.");
    }
    return first;
}

/// Of our own models values are in SI units already.
Parameters parameters_of(const io::SonataNodes& nodes, bool in_units_of_nest) {
    const auto si = [&](const std::string& name, double value) {
        return in_units_of_nest ? in_si(name, value) : value;
    };
    std::set<std::string> names;
    for (const io::SonataType& type : nodes.types) {
        for (const auto& [name, value] : type.parameters) names.insert(name);
    }
    for (const auto& [name, values] : nodes.parameters) names.insert(name);

    Parameters parameters;
    for (const std::string& name : names) {
        const auto own = nodes.parameters.find(name);
        std::vector<double> values(nodes.type.size());
        std::size_t missing = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const auto& of_type = nodes.types[nodes.type[i]].parameters;
            const auto found = of_type.find(name);
            if (own != nodes.parameters.end() && !std::isnan(own->second[i])) {
                values[i] = si(name, own->second[i]);
            } else if (found != of_type.end()) {
                values[i] = si(name, found->second);
            } else {
                ++missing;
            }
        }
        if (missing == values.size()) continue;  // only types without nodes have it
        if (missing > 0) {
            throw NetworkError(nodes.population, name,
                               "expected a value for every node or for none, " + std::to_string(missing) +
                                   " of " + std::to_string(values.size()) + " have none.");
        }
        if (std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end())
            values.resize(1);
        parameters.emplace_back(name, std::move(values));
    }
    return parameters;
}

std::string model_of(const io::SonataNodes& nodes) {
    const std::string type = common(nodes, "model_type");
    if (type != "point_neuron" && type != "point_process" && type != "point_soma") {
        throw NetworkError(nodes.population, "model_type",
                           "expected virtual or point_neuron, found " + quoted(type) + ".");
    }
    const std::string model = common(nodes, "model_template");
    if (!model.starts_with(nest_models) && !model.starts_with(own_models)) {
        throw NetworkError(
            nodes.population, "model_template",
            "expected a model of NEST, nest:NAME, or of Saltus, saltus:NAME, found " + quoted(model) + ".");
    }
    return model;
}

neurons::Reset reset_of(const io::SonataNodes& nodes, std::size_t node) {
    const std::string& name = attribute(nodes.types[nodes.type[node]], "reset");
    for (const auto& [known, reset] : reset_names) {
        if (name.empty() || name == known) return reset;
    }
    throw NetworkError(nodes.population, "reset",
                       "expected to_value, subtract or subtract_repeated, found " + quoted(name) + ".");
}

/// Neurons of one of our models: every member from the parameter of its name, or its default.
template <class P>
neurons::Model own_model(const io::SonataNodes& nodes, const Parameters& parameters) {
    std::vector<std::string> known;
    P defaults;
    for_each_number(defaults, [&](const char* name, double) { known.emplace_back(name); });
    if constexpr (HasReset<P>) known.emplace_back("t_ref");
    bool differs = false;
    for (const Parameter& p : parameters) {
        if (std::find(known.begin(), known.end(), p.name) == known.end()) {
            throw NetworkError(
                nodes.population, p.name,
                std::string(P::name) + " has no such parameter." + did_you_mean(p.name, known));
        }
        differs = differs || p.values.size() > 1;
    }
    for (std::size_t i = 0; i < nodes.type.size(); ++i)
        differs = differs || reset_of(nodes, i) != reset_of(nodes, 0);

    const auto value = [&](std::string_view name, std::size_t i, double otherwise) {
        const auto p = std::find_if(parameters.begin(), parameters.end(),
                                    [&](const Parameter& q) { return q.name == name; });
        return p == parameters.end() ? otherwise : p->values[p->values.size() == 1 ? 0 : i];
    };
    neurons::PerNeuron<P> neurons;
    for (std::size_t i = 0; i < (differs ? nodes.type.size() : 1); ++i) {
        P p;
        for_each_number(p, [&](const char* name, double& member) { member = value(name, i, member); });
        if constexpr (HasReset<P>) p.t_ref = duration_from_seconds(value("t_ref", i, 0.0), "t_ref");
        if constexpr (HasResetRule<P>) p.reset = reset_of(nodes, i);
        neurons.push_back(p);
    }
    return neurons;
}

/// The alternative of Model whose neurons have that name.
template <std::size_t k = 0>
neurons::Model own_model_named(const std::string& name, const io::SonataNodes& nodes,
                               const Parameters& parameters) {
    if constexpr (k == std::variant_size_v<neurons::Model>) {
        throw NetworkError(nodes.population, "model_template",
                           "no model of Saltus is called " + quoted(name) + ".");
    } else {
        using M = std::variant_alternative_t<k, neurons::Model>;
        if constexpr (neurons::HasNeurons<M>) {
            if (name == M::value_type::name) return own_model<typename M::value_type>(nodes, parameters);
        }
        return own_model_named<k + 1>(name, nodes, parameters);
    }
}

class Reader {
  public:
    explicit Reader(const io::SonataCircuit& circuit) {
        for (const io::SonataNodes& nodes : circuit.nodes) add(nodes);
        for (const io::SonataEdges& edges : circuit.edges) add(edges);
        outputs_ = circuit.outputs;
    }

    [[nodiscard]] Network network() const {
        const Network built = builder_.network();
        std::vector<Population> populations(built.populations().begin(), built.populations().end());
        for (const auto& [name, model] : own_models_) populations[built.index_of(name)].model = model;
        std::vector<Projection> projections(built.projections().begin(), built.projections().end());
        for (const auto& [k, signal] : constant_signals_) {
            const auto n = static_cast<std::uint32_t>(signal.size());
            projections[k].stages.emplace_back(
                Dense{"", n, 1, 1, Weights(std::vector<double>(n, 1.0)), Weights(signal)});
        }
        std::vector<OutputPort> outputs;
        for (const auto& [port, population] : outputs_) {
            const auto index = built.find(population);
            if (!index) {
                throw NetworkError(population, "",
                                   "output " + quoted(port) + " is of a population that no file has.");
            }
            outputs.push_back({port, *index});
        }
        return Network(std::move(populations), std::move(projections), std::move(outputs));
    }
    [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

  private:
    void add(const io::SonataNodes& nodes) {
        if (nodes.type.empty()) {
            throw FileError::unexpected(nodes.file, "nodes " + quoted(nodes.population), "at least one node",
                                        "none");
        }
        const Shape shape =
            nodes.shape.empty() ? Shape{static_cast<std::uint32_t>(nodes.type.size())} : nodes.shape;
        Sizes& sizes = sizes_[nodes.population];
        sizes.nodes = nodes.type.size();
        if (common(nodes, "model_type") == "virtual") {
            builder_.input(nodes.population, shape);
            return;
        }
        const std::string model = model_of(nodes);
        if (model.starts_with(own_models)) {
            builder_.population(nodes.population, shape, "if_delta", {});  // in the place of ours
            own_models_.emplace(nodes.population, own_model_named(model.substr(own_models.size()), nodes,
                                                                  parameters_of(nodes, false)));
            return;
        }
        sizes.weight_divisor = model.find("delta") == std::string::npos ? 1e12 : 1e3;
        builder_.population(nodes.population, shape, model.substr(nest_models.size()),
                            parameters_of(nodes, true));
    }

    void add(const io::SonataEdges& edges) {
        const Sizes& source = end(edges, "source_node_id", edges.source);
        const Sizes& target = end(edges, "target_node_id", edges.target);
        check(edges, "source_node_id", edges.sources, source.nodes);
        check(edges, "target_node_id", edges.targets, target.nodes);
        ConnectionList list{edges.sources, edges.targets, edges.weight, edges.delay};
        in_units(edges, "weight, 1", nest_weight, target.weight_divisor, list.weight);
        in_units(edges, "delay, 1 ms", nest_delay, 1e3, list.delay);
        if (list.pre.empty()) list.weight = list.delay = {0.0};
        builder_.connect(edges.source, edges.target, list);
        if (!edges.constant_signal.empty()) {
            if (edges.constant_signal.size() != target.nodes) {
                throw FileError::unexpected(edges.file,
                                            "edges " + quoted(edges.population) + ", constant_signal",
                                            "one for each target, " + std::to_string(target.nodes),
                                            std::to_string(edges.constant_signal.size()));
            }
            constant_signals_.emplace_back(edges_, edges.constant_signal);
        }
        ++edges_;
    }

    struct Sizes {
        std::size_t nodes = 0;
        double weight_divisor = 1.0;
    };

    [[nodiscard]] const Sizes& end(const io::SonataEdges& edges, const char* field,
                                   const std::string& population) const {
        const auto found = sizes_.find(population);
        if (found != sizes_.end()) return found->second;
        std::vector<std::string> names;
        for (const auto& [name, sizes] : sizes_) names.push_back(name);
        throw FileError(edges.file, "edges " + quoted(edges.population) + ", " + field,
                        "no file has nodes " + quoted(population) + "." + did_you_mean(population, names));
    }

    static void check(const io::SonataEdges& edges, const char* field, const std::vector<NeuronIndex>& ids,
                      std::size_t nodes) {
        const auto wrong = std::find_if(ids.begin(), ids.end(), [&](NeuronIndex id) { return id >= nodes; });
        if (wrong == ids.end()) return;
        throw FileError::unexpected(edges.file, "edges " + quoted(edges.population) + ", " + field,
                                    "nodes below " + std::to_string(nodes),
                                    std::to_string(*wrong) + " at " + std::to_string(wrong - ids.begin()));
    }

    void in_units(const io::SonataEdges& edges, const char* what, double otherwise, double divisor,
                  std::vector<double>& values) {
        std::size_t missing = 0;
        for (double& value : values) {
            if (std::isnan(value)) {
                value = otherwise;
                ++missing;
            }
            value /= divisor;
        }
        if (missing > 0) {
            notes_.push_back("edges " + quoted(edges.population) + ": " + std::to_string(missing) + " of " +
                             std::to_string(values.size()) + " have NEST's default " + what +
                             ", as the files say nothing.");
        }
    }

    NetworkBuilder builder_;
    std::map<std::string, Sizes> sizes_;
    std::map<std::string, neurons::Model> own_models_;  // by population
    std::size_t edges_ = 0;
    std::vector<std::pair<std::size_t, std::vector<double>>> constant_signals_;  // of these projections
    std::map<std::string, std::string> outputs_;
    std::vector<std::string> notes_;
};

}  // namespace

Import network_from_sonata(const io::SonataCircuit& circuit, std::optional<Duration> recurrent_delay) {
    const Reader reader(circuit);
    Import result{reader.network(), reader.notes()};
    if (recurrent_delay) {
        std::vector<std::string> delayed;
        result.network = result.network.with_recurrent_delay(*recurrent_delay, &delayed);
        for (const std::string& name : delayed) {
            result.notes.push_back(name + " closes a cycle without delay: delayed by " +
                                   to_string(*recurrent_delay) + " as asked.");
        }
    }
    return result;
}

}  // namespace saltus::converters
