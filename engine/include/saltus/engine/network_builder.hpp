// Networks built in code: populations and connections by name, in the words of the Python package.
//
//   NetworkBuilder build(1);
//   build.source("drive", {100}, "poisson", {{"rate", 10.0}});
//   build.population("exc", {80}, "lif_delta", {{"tau_m", 20e-3}, {"V_th", 20e-3}, {"V_reset", 10e-3}});
//   build.connect("drive", "exc", {.rule = "fixed_indegree", .k = 10, .weight =
//   Distribution::constant(5e-3)}); const Network network = build.network();
//
// Parameters have NEST's names and SI units: C_m [F], tau_m, tau_syn (or tau_syn_ex, tau_syn_in), t_ref [s],
// E_L, V_th, V_reset, V_0 or V_m (at the start; E_L if not given) [V], I_e [A]. Without C_m the resistance is
// 1, so that I_e and weights of synaptic currents are in volts (for if_delta: I_e in volts per second).
// Weights of delta synapses are jumps of V in volts, others amplitudes of the current in amperes.
//
// Everything is checked when it is said: a call throws NetworkError that names the population or projection
// and the field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "saltus/engine/connectivity.hpp"
#include "saltus/engine/network.hpp"

namespace saltus {

/// A parameter of a population: one value for all neurons, one for each, or drawn for each. Where neurons
/// differ in nothing but a V_0 that is drawn, nothing is kept of it.
struct Parameter {
    Parameter(std::string the_name, double value) : name(std::move(the_name)), values{value} {}
    Parameter(std::string the_name, std::vector<double> the_values)
        : name(std::move(the_name)), values(std::move(the_values)) {}
    Parameter(std::string the_name, const Distribution& distribution)
        : name(std::move(the_name)), drawn(distribution) {}

    std::string name;
    std::vector<double> values;
    std::optional<Distribution> drawn{};
    std::uint64_t seed = 0;  // of the draws: the builder makes it of its own seed and the names
};
using Parameters = std::vector<Parameter>;

/// Synapses that a rule draws.
struct Connection {
    std::string rule = "all_to_all";      // a name of rule_name(); NEST's pairwise_bernoulli is bernoulli
    std::optional<std::uint64_t> k{};     // fixed_indegree, fixed_outdegree: synapses of each neuron
    std::optional<std::uint64_t> N{};     // fixed_total_number: synapses in all
    std::optional<double> p{};            // bernoulli: probability of each pair
    bool autapses = true;                 // a neuron may be connected to itself
    bool multapses = true;                // a pair may be connected several times
    bool procedural = false;              // synapses are not kept but drawn again at each spike
    std::optional<std::uint64_t> seed{};  // none: from the builder's seed, the names, and how many there were
    Distribution weight{Distribution::Kind::constant, 1.0};
    Distribution delay{};  // [s]
};

/// Synapses one by one: entries of equal length, or one weight or delay for all.
struct ConnectionList {
    std::vector<NeuronIndex> pre;
    std::vector<NeuronIndex> post;
    std::vector<double> weight{1.0};
    std::vector<double> delay{0.0};  // [s]
};

/// All to all, with a weight for each pair.
struct ConnectionMatrix {
    std::size_t rows = 0;        // neurons of the source
    std::size_t columns = 0;     // neurons of the target
    std::vector<double> weight;  // [row][column]
    double delay = 0.0;          // [s], of all
};

class NetworkBuilder {
  public:
    /// Whatever has no seed of its own draws from a seed made of this one and its name, so that the order of
    /// the calls does not matter.
    explicit NetworkBuilder(std::uint64_t seed = 0) : seed_(seed) {}

    /// Spikes come with the input of a run.
    void input(const std::string& name, Shape shape);

    /// Kinds: "poisson" (rate [Hz]; start, stop [s]) and "regular" (interval, first, stop [s]; the first
    /// spike comes after one interval if nothing is said).
    void source(const std::string& name, Shape shape, std::string_view kind, Parameters parameters,
                std::optional<std::uint64_t> seed = std::nullopt);
    /// Given spikes, in any order.
    void source(const std::string& name, Shape shape, SpikeTrain spikes);

    /// Models: see neuron_models(). NEST's names stand for NEST's defaults, too.
    void population(const std::string& name, Shape shape, std::string_view model, Parameters parameters);

    void connect(std::string_view pre, std::string_view post, const Connection& connection);
    void connect(std::string_view pre, std::string_view post, const ConnectionList& connection);
    void connect(std::string_view pre, std::string_view post, const ConnectionMatrix& connection);
    /// Stages that spikes pass one after another, as a convolution (projection.hpp).
    void connect(std::string_view pre, std::string_view post, std::vector<Stage> stages);

    [[nodiscard]] Network network() const;

  private:
    void set_seeds(const std::string& population, Parameters& parameters) const;
    void add(Population population);
    [[nodiscard]] std::uint32_t index_of(std::string_view population) const;
    void add(Projection projection);

    std::uint64_t seed_;
    std::vector<Population> populations_;
    std::vector<Projection> projections_;
    std::map<std::string, std::uint64_t> connections_of_;  // calls of connect, by projection
};

/// Names that NetworkBuilder::population knows.
[[nodiscard]] std::vector<std::string> neuron_models();

}  // namespace saltus
