#include "saltus/engine/network.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "saltus/engine/errors.hpp"

namespace saltus {

namespace {

constexpr std::uint64_t most_neurons = 0xfffffffeu;

/// Checks one parameter of a population, over all its neurons.
template <class P>
class ParameterChecks {
  public:
    ParameterChecks(const std::string& node, const neurons::PerNeuron<P>& parameters)
        : node_(node), parameters_(parameters) {}

    template <class Member>
    void finite(const char* field, Member member) const {
        each(
            field, member, [](double x) { return std::isfinite(x); }, "a finite number");
    }
    template <class Member>
    void not_negative(const char* field, Member member) const {
        each(
            field, member, [](double x) { return std::isfinite(x) && x >= 0.0; }, ">= 0");
    }
    template <class Member>
    void positive(const char* field, Member member) const {
        each(
            field, member, [](double x) { return std::isfinite(x) && x > 0.0; }, "> 0");
    }
    void refractory() const {
        for (std::size_t i = 0; i < checked(); ++i) {
            if (parameters_[i].t_ref < Duration()) {
                throw refused("t_ref", i, ">= 0", to_string(parameters_[i].t_ref));
            }
        }
    }

  private:
    /// V_0 is checked where it is computed (simulation/make_block.cpp).
    [[nodiscard]] std::size_t checked() const {
        return parameters_.same_but_start() ? std::min<std::size_t>(1, parameters_.size())
                                            : parameters_.size();
    }
    template <class Member, class Test>
    void each(const char* field, Member member, Test test, const char* expected) const {
        for (std::size_t i = 0; i < checked(); ++i) {
            const double x = parameters_[i].*member;
            if (!test(x)) throw refused(field, i, expected, std::to_string(x));
        }
    }
    NetworkError refused(const std::string& field, std::size_t i, const char* expected,
                         const std::string& found) const {
        return {node_, field,
                "neuron " + std::to_string(i) + ": expected " + expected + ", found " + found + "."};
    }

    const std::string& node_;
    const neurons::PerNeuron<P>& parameters_;
};

/// The membrane's reset and refractory period are parameters, not constants of the model.
template <class P>
concept has_refractory_period = requires(P& p) {
    p.t_ref = Duration();
};

void check_length(const Population& population, const char* field, std::size_t found) {
    if (found == 1 || found == population.size()) return;
    throw NetworkError(population.name, field,
                       "expected parameters for 1 or " + std::to_string(population.size()) +
                           " neurons, found " + std::to_string(found) + ".");
}

void check_from_0(const Population& population, const char* field, Time time) {
    if (time >= Time()) return;
    throw NetworkError(population.name, field, "expected >= 0, found " + to_string(time.since_start()) + ".");
}

template <class P>
void check_parameters(const Population& population, const neurons::PerNeuron<P>& parameters) {
    check_length(population, "", parameters.size());
    const ParameterChecks<P> check(population.name, parameters);
    if constexpr (requires(P p) { p.tau_m; }) check.positive("tau_m", &P::tau_m);
    if constexpr (requires(P p) { p.tau_syn; }) check.positive("tau_syn", &P::tau_syn);
    if constexpr (requires(P p) { p.tau_syn_ex; }) check.positive("tau_syn_ex", &P::tau_syn_ex);
    if constexpr (requires(P p) { p.tau_syn_in; }) check.positive("tau_syn_in", &P::tau_syn_in);
    if constexpr (requires(P p) { p.th_tau; }) check.positive("th_tau", &P::th_tau);
    if constexpr (requires(P p) { p.th_jump; }) check.not_negative("th_jump", &P::th_jump);
    if constexpr (requires(P p) { p.t_min; }) {
        check.not_negative("t_min", &P::t_min);
        check.not_negative("t_max", &P::t_max);
        check.positive("slope", &P::slope);
    }
    if constexpr (requires(P p) { p.R; }) check.finite("R", &P::R);
    if constexpr (requires(P p) { p.E_L; }) check.finite("E_L", &P::E_L);
    if constexpr (requires(P p) { p.I_e; }) check.finite("I_e", &P::I_e);
    if constexpr (requires(P p) { p.w_in; }) check.finite("w_in", &P::w_in);
    if constexpr (requires(P p) { p.J; }) check.finite("J", &P::J);
    if constexpr (requires(P p) { p.V_0; }) check.finite("V_0", &P::V_0);
    if constexpr (requires(P p) { p.V_th; }) check.finite("V_th", &P::V_th);
    if constexpr (has_refractory_period<P>) {
        check.finite("V_reset", &P::V_reset);
        check.refractory();
    }
}

void check_source(const Population&, const neurons::Input&) {}

void check_source(const Population& population, const neurons::PoissonSource& source) {
    check_length(population, "rate", source.rate.size());
    for (std::size_t i = 0; i < source.rate.size(); ++i) {
        if (!(std::isfinite(source.rate[i]) && source.rate[i] >= 0.0)) {
            throw NetworkError(
                population.name, "rate",
                "neuron " + std::to_string(i) + ": expected >= 0 Hz, found " + shown(source.rate[i]) + ".");
        }
    }
    check_from_0(population, "start", source.start);
}

void check_source(const Population& population, const neurons::RegularSource& source) {
    check_length(population, "interval", source.interval.size());
    check_length(population, "first", source.first.size());
    for (std::size_t i = 0; i < source.interval.size(); ++i) {
        if (source.interval[i] <= Duration()) {
            throw NetworkError(population.name, "interval",
                               "neuron " + std::to_string(i) + ": expected > 0, found " +
                                   to_string(source.interval[i]) + ".");
        }
    }
    for (const Time first : source.first) check_from_0(population, "first", first);
}

void check_source(const Population& population, const neurons::SpikeSource& source) {
    const SpikeTrain& spikes = source.spikes;
    if (spikes.times.size() != spikes.neurons.size()) {
        throw NetworkError(population.name, "neurons",
                           "expected " + std::to_string(spikes.times.size()) +
                               " entries as in 'times', found " + std::to_string(spikes.neurons.size()) +
                               ".");
    }
    for (std::size_t k = 0; k < spikes.size(); ++k) {
        check_from_0(population, "times", spikes.times[k]);
        if (spikes.neurons[k] >= population.size()) {
            throw NetworkError(population.name, "neurons",
                               "spike " + std::to_string(k) + ": expected a neuron below " +
                                   std::to_string(population.size()) + ", found " +
                                   std::to_string(spikes.neurons[k]) + ".");
        }
    }
}

}  // namespace

void check_population(const Population& population) {
    if (population.name.empty()) throw NetworkError("", "", "a population needs a name.");
    std::uint64_t size = 1;
    for (const std::uint32_t dimension : population.shape) {
        if (dimension == 0) {
            throw NetworkError(population.name, "shape",
                               "expected at least one neuron, found " + to_string(population.shape) + ".");
        }
        size *= dimension;
        if (size > most_neurons) {
            throw NetworkError(population.name, "shape",
                               to_string(population.shape) + " holds more than " +
                                   std::to_string(most_neurons) + " neurons.");
        }
    }
    std::visit(
        [&](const auto& model) {
            if constexpr (neurons::HasNeurons<std::decay_t<decltype(model)>>) {
                check_parameters(population, model);
            } else {
                check_source(population, model);
            }
        },
        population.model);
}

namespace {

void check_finite(const std::string& node, const char* field, const Weights& weights) {
    weights.visit([&](auto values) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (!std::isfinite(values[i])) {
                throw NetworkError(node, field,
                                   "entry " + std::to_string(i) + ": expected a finite number, found " +
                                       std::to_string(values[i]) + ".");
            }
        }
    });
}

void check_count(const std::string& node, const char* field, std::uint64_t expected, std::uint64_t found) {
    if (expected != found) {
        throw NetworkError(
            node, field,
            "expected " + std::to_string(expected) + " values, found " + std::to_string(found) + ".");
    }
}

void check_stage(const std::string& node, const Dense& s) {
    const std::uint64_t rows = std::uint64_t{s.blocks} * s.outputs;
    check_count(node, "weight", rows * s.inputs, s.weights.size());
    if (!s.bias.empty()) check_count(node, "bias", rows, s.bias.size());
    check_finite(node, "weight", s.weights);
    check_finite(node, "bias", s.bias);
}

void check_stage(const std::string& node, const Sparse& s) {
    if (!s.table) throw NetworkError(node, "", "has no synapse table.");
    check_count(node, "weight", s.table->targets.size(), s.weights.size());
    check_finite(node, "weight", s.weights);
}

void check_stage(const std::string& node, const Rule& s) {
    check_rule(node, s);
}

void check_stage(const std::string& node, const Convolution& s) {
    if (s.groups == 0 || s.in_channels % s.groups != 0 || s.out_channels % s.groups != 0) {
        throw NetworkError(node, "groups",
                           std::to_string(s.groups) + " does not divide the " +
                               std::to_string(s.in_channels) + " input and " +
                               std::to_string(s.out_channels) + " output channels.");
    }
    for (std::size_t axis = 0; axis < 2; ++axis) {
        if (s.stride[axis] == 0 || s.dilation[axis] == 0 || s.kernel[axis] == 0) {
            throw NetworkError(node, "stride, dilation, kernel", "expected >= 1, found 0.");
        }
    }
    check_count(node, "weight",
                std::uint64_t{s.out_channels} * (s.in_channels / s.groups) * s.kernel[0] * s.kernel[1],
                s.weights.size());
    if (!s.bias.empty()) check_count(node, "bias", s.out_channels, s.bias.size());
    check_finite(node, "weight", s.weights);
    check_finite(node, "bias", s.bias);
}

void check_stage(const std::string& node, const Pooling& s) {
    for (std::size_t axis = 0; axis < 2; ++axis) {
        if (s.stride[axis] == 0 || s.kernel[axis] == 0) {
            throw NetworkError(node, "stride, kernel_size", "expected >= 1, found 0.");
        }
    }
}

void check_stage(const std::string& node, const Scale& s) {
    check_finite(node, "scale", s.factors);
}

void check_stage(const std::string& node, const Flatten& s) {
    if (element_count(s.in_shape) != element_count(s.out_shape)) {
        throw NetworkError(node, "shape",
                           "expected as many elements as " + to_string(s.in_shape) + ", found " +
                               to_string(s.out_shape) + ".");
    }
}

void check_stage(const std::string& node, const Delay& s) {
    if (s.delays.size() != 1) check_count(node, "delay", s.size, s.delays.size());
    for (const Duration delay : s.delays) {
        if (delay < Duration()) {
            throw NetworkError(node, "delay", "expected >= 0, found " + to_string(delay) + ".");
        }
    }
}

}  // namespace

void check_projection(std::span<const Population> populations, const Projection& projection) {
    if (projection.source >= populations.size() || projection.target >= populations.size()) {
        throw NetworkError("projection from " + std::to_string(projection.source) + " to " +
                               std::to_string(projection.target),
                           "", "names a population that does not exist.");
    }
    const std::string edge =
        populations[projection.source].name + " -> " + populations[projection.target].name;
    if (populations[projection.target].is_source()) {
        throw NetworkError(edge, "", "the target is a source of spikes, which receives none.");
    }
    std::uint64_t size = populations[projection.source].size();
    for (const Stage& stage : projection.stages) {
        const std::string node = stage_name(stage).empty() ? edge : stage_name(stage);
        std::visit([&](const auto& s) { check_stage(node, s); }, stage);
        if (stage_size(stage).input != size) {
            throw NetworkError(edge, "",
                               stage_kind(stage) + " " + quoted(stage_name(stage)) + " takes " +
                                   std::to_string(stage_size(stage).input) + " elements, found " +
                                   std::to_string(size) + ".");
        }
        size = stage_size(stage).output;
    }
    if (size != populations[projection.target].size()) {
        throw NetworkError(edge, "",
                           "the target has " + std::to_string(populations[projection.target].size()) +
                               " neurons, found a projection to " + std::to_string(size) + ".");
    }
}

Network::Network(std::vector<Population> populations, std::vector<Projection> projections,
                 std::vector<OutputPort> outputs)
    : populations_(std::move(populations)),
      projections_(std::move(projections)),
      outputs_(std::move(outputs)) {
    std::unordered_set<std::string_view> names;
    for (const Population& population : populations_) {
        check_population(population);
        if (!names.insert(population.name).second) {
            throw NetworkError(population.name, "", "two populations have this name.");
        }
    }
    for (const Projection& projection : projections_) {
        check_projection(populations_, projection);
    }
    for (const OutputPort& output : outputs_) {
        if (output.population >= populations_.size()) {
            throw NetworkError(output.name, "", "names a population that does not exist.");
        }
    }
}

std::optional<std::uint32_t> Network::find(std::string_view name) const {
    const auto found = std::find_if(populations_.begin(), populations_.end(),
                                    [&](const Population& population) { return population.name == name; });
    if (found == populations_.end()) return std::nullopt;
    return static_cast<std::uint32_t>(found - populations_.begin());
}

std::uint32_t Network::index_of(std::string_view name) const {
    if (const auto index = find(name)) return *index;
    std::vector<std::string> known;
    for (const Population& population : populations_) known.push_back(population.name);
    throw UsageError("no population is called " + quoted(name) + "." + did_you_mean(name, known));
}

std::string Network::projection_name(const Projection& projection) const {
    return populations_[projection.source].name + " -> " + populations_[projection.target].name;
}

}  // namespace saltus
