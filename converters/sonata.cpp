#include "saltus/converters/sonata.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/network_builder.hpp"

namespace saltus::converters {

namespace {

constexpr double nest_weight = 1.0;  // of a synapse of which nothing is said
constexpr double nest_delay = 1.0;   // [ms]

/// Parameters of NEST: what divides a value to give SI units.
struct Unit {
    std::string_view parameter;
    double divisor;
};
constexpr std::array<Unit, 13> units{{{"C_m", 1e12},
                                      {"I_e", 1e12},
                                      {"tau_m", 1e3},
                                      {"tau_syn", 1e3},
                                      {"tau_syn_ex", 1e3},
                                      {"tau_syn_in", 1e3},
                                      {"t_ref", 1e3},
                                      {"E_L", 1e3},
                                      {"V_th", 1e3},
                                      {"V_reset", 1e3},
                                      {"V_m", 1e3},
                                      {"th_jump", 1e3},
                                      {"th_tau", 1e3}}};

double in_si(std::string_view parameter, double value) {
    const auto* const unit =
        std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.parameter == parameter; });
    return unit == units.end() ? value : value / unit->divisor;
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

Parameters parameters_of(const io::SonataNodes& nodes) {
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
                values[i] = in_si(name, own->second[i]);
            } else if (found != of_type.end()) {
                values[i] = in_si(name, found->second);
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

/// "iaf_psc_exp" of "nest:iaf_psc_exp"
std::string model_of(const io::SonataNodes& nodes) {
    const std::string type = common(nodes, "model_type");
    if (type != "point_neuron" && type != "point_process" && type != "point_soma") {
        throw NetworkError(nodes.population, "model_type",
                           "expected virtual or point_neuron, found " + quoted(type) + ".");
    }
    const std::string model = common(nodes, "model_template");
    constexpr std::string_view nest = "nest:";
    if (model.compare(0, nest.size(), nest) != 0) {
        throw NetworkError(nodes.population, "model_template",
                           "expected a model of NEST, nest:NAME, found " + quoted(model) + ".");
    }
    return model.substr(nest.size());
}

class Reader {
  public:
    explicit Reader(const io::SonataCircuit& circuit) {
        for (const io::SonataNodes& nodes : circuit.nodes) add(nodes);
        for (const io::SonataEdges& edges : circuit.edges) add(edges);
    }

    [[nodiscard]] Network network() const { return builder_.network(); }
    [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

  private:
    void add(const io::SonataNodes& nodes) {
        const Shape shape{static_cast<std::uint32_t>(nodes.type.size())};
        if (nodes.type.empty()) {
            throw FileError::unexpected(nodes.file, "nodes " + quoted(nodes.population), "at least one node",
                                        "none");
        }
        Sizes& sizes = sizes_[nodes.population];
        sizes.nodes = nodes.type.size();
        if (common(nodes, "model_type") == "virtual") {
            builder_.input(nodes.population, shape);
            return;
        }
        const std::string model = model_of(nodes);
        sizes.weight_divisor = model.find("delta") == std::string::npos ? 1e12 : 1e3;
        builder_.population(nodes.population, shape, model, parameters_of(nodes));
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
