// Networks as SONATA circuits.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <optional>
#include <set>

#include "saltus/converters/sonata.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/explicit_synapses.hpp"
#include "sonata_models.hpp"

namespace saltus::converters {

namespace {

using Columns = std::map<std::string, std::vector<double>>;  // a value for each neuron, or one for all

/// The same number with 15 digits, as people write it.
double rounded(double x) {
    return std::strtod(shown(x).c_str(), nullptr);
}

/// An x near `guess` for which f(x) == y, if there is one; a short one if possible.
std::optional<double> preimage(const std::function<double(double)>& f, double guess, double y) {
    constexpr int most_steps = 8;  // each operation of f rounds to the nearest of two
    if (const double x = rounded(guess); f(x) == y) return x;
    double low = guess;
    double high = guess;
    for (int step = 0; step < most_steps; ++step) {
        if (f(low) == y) return low;
        if (f(high) == y) return high;
        low = std::nextafter(low, -std::numeric_limits<double>::infinity());
        high = std::nextafter(high, std::numeric_limits<double>::infinity());
    }
    return std::nullopt;
}

/// The value that divided by `divisor` gives `si`.
std::optional<double> multiple(double si, double divisor) {
    return preimage([&](double x) { return x / divisor; }, si * divisor, si);
}

double divisor_of(std::string_view parameter) {
    const auto* const unit = std::find_if(nest_units.begin(), nest_units.end(),
                                          [&](const NestUnit& u) { return u.parameter == parameter; });
    return unit->divisor;
}

/// How a population stands in a circuit.
struct Written {
    std::string model;
    Columns values;
    double weight_factor = 1.0;        // of SI units
    std::vector<std::string> reset{};  // of each neuron, or of all; empty: none
};

std::string reset_name(neurons::Reset reset) {
    const auto* const found = std::find_if(reset_names.begin(), reset_names.end(),
                                           [&](const auto& named) { return named.second == reset; });
    return std::string(found->first);
}

/// Seconds that are read back as `d`.
double seconds_of(const std::string& population, Duration d) {
    const double seconds = d.seconds();
    if (duration_from_seconds(seconds, "t_ref") == d) return seconds;
    throw NetworkError(population, "t_ref", to_string(d) + " has no exact value in seconds. Round it.");
}

template <class P>
Written as_own(const std::string& population, const neurons::PerNeuron<P>& model) {
    Written written{std::string(own_models) + std::string(P::name), {}, 1.0, {}};
    for (const P& p : model) {
        for_each_number(p, [&](const char* name, double x) { written.values[name].push_back(x); });
        if constexpr (HasReset<P>) written.values["t_ref"].push_back(seconds_of(population, p.t_ref));
        if constexpr (HasResetRule<P>) written.reset.push_back(reset_name(p.reset));
    }
    return written;
}

template <class P>
constexpr std::string_view nest_name = {};
template <>
constexpr std::string_view nest_name<neurons::Lif> = "iaf_psc_delta";
template <>
constexpr std::string_view nest_name<neurons::LifExp2> = "iaf_psc_exp";
template <>
constexpr std::string_view nest_name<neurons::LifAlpha> = "iaf_psc_alpha";

/// Nothing where NEST does not have the model, or a value has no exact counterpart in its units.
template <class P>
std::optional<Written> as_nest(const neurons::PerNeuron<P>& model) {
    if constexpr (nest_name<P>.empty()) {
        return std::nullopt;
    } else {
        const double weight_factor = std::is_same_v<P, neurons::Lif> ? 1e3 : 1e12;
        Written written{std::string(nest_models) + std::string(nest_name<P>), {}, weight_factor, {}};
        for (const P& p : model) {
            bool exact = p.J == 1.0 && p.reset == neurons::Reset::to_value;
            const auto put = [&](const char* name, double si) {
                const auto x = multiple(si, divisor_of(name));
                exact = exact && x.has_value();
                written.values[name].push_back(x.value_or(0.0));
            };
            for_each_number(p, [&](std::string_view name, double x) {
                if (name != "R" && name != "J") put(name == "V_0" ? "V_m" : name.data(), x);
            });
            put("t_ref", p.t_ref.seconds());
            exact = exact && duration_from_seconds(p.t_ref.seconds(), "t_ref") == p.t_ref;
            const auto C_m =
                preimage([&](double x) { return p.tau_m / (x / 1e12); }, p.tau_m / p.R * 1e12, p.R);
            exact = exact && C_m.has_value() && *C_m > 0.0;
            written.values["C_m"].push_back(C_m.value_or(0.0));
            if (!exact) return std::nullopt;
        }
        return written;
    }
}

class Writer {
  public:
    explicit Writer(const Network& network) : network_(network) {
        for (const Projection& projection : network.projections())
            brought_.push_back(explicit_synapses(network, projection));
        for (std::uint32_t q = 0; q < network.populations().size(); ++q) add_nodes(q);
        for (std::size_t k = 0; k < brought_.size(); ++k) add_edges(k);
        for (const OutputPort& port : network.outputs())
            circuit_.outputs[port.name] = network.populations()[port.population].name;
    }

    io::SonataCircuit take() { return std::move(circuit_); }

  private:
    void add_nodes(std::uint32_t q) {
        const Population& population = network_.populations()[q];
        io::SonataNodes nodes{"", population.name, {}, {}, {}, {}};
        nodes.shape = population.shape;
        if (population.is_input()) {
            weight_factor_.push_back(1.0);
            nodes.types.push_back({next_type_++, {{"model_type", "virtual"}}, {}});
            nodes.type.assign(population.size(), 0);
        } else {
            const Written written = std::visit(
                [&]<class M>(const M& model) -> Written {
                    if constexpr (neurons::HasNeurons<M>) {
                        if (auto nest = as_nest(model); nest && weights_fit(q, nest->weight_factor))
                            return *std::move(nest);
                        return as_own(population.name, model);
                    } else {
                        throw NetworkError(
                            population.name, "",
                            "is a source of spikes (" + std::string(M::name) +
                                "), which a SONATA circuit does not hold. Make it an input, and "
                                "write its spikes to a file.");
                    }
                },
                population.model);
            weight_factor_.push_back(written.weight_factor);
            put(written, population.size(), nodes);
        }
        circuit_.nodes.push_back(std::move(nodes));
    }

    /// What all neurons share stands with their type, the rest with them; one type for each way of reset.
    void put(const Written& written, std::uint32_t size, io::SonataNodes& nodes) {
        io::SonataType type{0, {{"model_type", "point_neuron"}, {"model_template", written.model}}, {}};
        for (const auto& [name, values] : written.values) {
            const bool same = std::all_of(values.begin(), values.end(),
                                          [first = values.front()](double x) { return same_bits(x, first); });
            if (same) {
                type.parameters[name] = values.front();
            } else {
                nodes.parameters[name] = values;
            }
        }
        std::map<std::string, std::uint32_t> places;  // of the types
        for (std::uint32_t i = 0; i < size; ++i) {
            const std::string reset =
                written.reset.empty() ? "" : written.reset[written.reset.size() == 1 ? 0 : i];
            const auto [place, is_new] =
                places.try_emplace(reset, static_cast<std::uint32_t>(nodes.types.size()));
            if (is_new) {
                type.id = next_type_++;
                if (!reset.empty()) type.attributes["reset"] = reset;
                nodes.types.push_back(type);
            }
            nodes.type.push_back(place->second);
        }
    }

    static bool same_bits(double a, double b) { return a == b && std::signbit(a) == std::signbit(b); }

    /// Every weight that the population receives is exact in these units.
    [[nodiscard]] bool weights_fit(std::uint32_t q, double factor) const {
        for (std::size_t k = 0; k < brought_.size(); ++k) {
            if (network_.projections()[k].target != q) continue;
            const Weights& weights = brought_[k].synapses.weights;
            for (std::size_t i = 0; i < weights.size(); ++i) {
                if (!multiple(weights[i], factor)) return false;
            }
        }
        return true;
    }

    void add_edges(std::size_t k) {
        const Projection& projection = network_.projections()[k];
        const std::string& source = network_.populations()[projection.source].name;
        const std::string& target = network_.populations()[projection.target].name;
        io::SonataEdges edges{"", edges_name(source + "_to_" + target), source, target, {}, {}, {}, {}, {}};
        const Sparse& synapses = brought_[k].synapses;
        const double factor = weight_factor_[projection.target];
        const std::vector<std::uint64_t>& rows = synapses.table->rows;
        for (NeuronIndex i = 0; i + 1 < rows.size(); ++i) {
            for (std::uint64_t s = rows[i]; s < rows[i + 1]; ++s) {
                const Sparse::Segment& segment = synapses.table->segments[s];
                const double delay = milliseconds_of(projection, segment.delay);
                for (std::uint64_t j = segment.begin; j < segment.end; ++j) {
                    edges.sources.push_back(i);
                    edges.targets.push_back(synapses.table->targets[j]);
                    edges.weight.push_back(factor == 1.0 ? synapses.weights[j]
                                                         : *multiple(synapses.weights[j], factor));
                    edges.delay.push_back(delay);
                }
            }
        }
        edges.constant_signal = brought_[k].constant_signal;
        circuit_.edges.push_back(std::move(edges));
    }

    [[nodiscard]] double milliseconds_of(const Projection& projection, Duration delay) const {
        if (duration_from_seconds(delay.seconds(), "delay") == delay) {
            if (const auto ms = multiple(delay.seconds(), 1e3)) return *ms;
        }
        const double ms = static_cast<double>(delay.femtoseconds()) / 1e12;
        if (duration_from_seconds(ms / 1e3, "delay") == delay) return ms;
        throw NetworkError(network_.projection_name(projection), "delay",
                           to_string(delay) + " has no exact value in milliseconds. Round it.");
    }

    std::string edges_name(const std::string& wanted) {
        std::string name = wanted;
        for (int k = 2; !edge_names_.insert(name).second; ++k) name = wanted + "_" + std::to_string(k);
        return name;
    }

    const Network& network_;
    std::vector<ExplicitSynapses> brought_;  // by projection
    std::vector<double> weight_factor_;      // by population
    std::int64_t next_type_ = 0;
    std::set<std::string> edge_names_;
    io::SonataCircuit circuit_;
};

}  // namespace

io::SonataCircuit sonata_from_network(const Network& network) {
    return Writer(network).take();
}

}  // namespace saltus::converters
