#include "saltus/engine/learning/event_prop.hpp"

#include <algorithm>

#include "circuit.hpp"
#include "circuit_run.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::learning {

class EventProp::Prepared {
  public:
    explicit Prepared(const Network& network) : circuit(network), simulation(network) {
        circuit.check_every_neuron();
    }

    Circuit circuit;
    ExactSimulation simulation;
};

EventProp::EventProp(const Network& network) : prepared_(std::make_unique<const Prepared>(network)) {}
EventProp::~EventProp() = default;
EventProp::EventProp(EventProp&&) noexcept = default;
EventProp& EventProp::operator=(EventProp&&) noexcept = default;

namespace {

/// Of all populations that spike; a run does not record its inputs.
std::vector<SpikeTrain> spikes_of(const Network& network, const ExactSimulation& simulation,
                                  const std::vector<InputSpikes>& inputs, Duration duration) {
    SimulationOptions options;
    options.duration = duration;
    for (const Population& population : network.populations()) {
        if (neurons::is_spiking(population.model)) options.recorded.push_back(population.name);
    }
    std::vector<SpikeTrain> trains = simulation.run(inputs, options).spikes;
    for (const InputSpikes& input : inputs) {
        SpikeTrain& train = trains[network.index_of(input.population)];
        for (std::size_t k = 0; k < input.spikes.size(); ++k)
            train.add(input.spikes.times[k], input.spikes.neurons[k]);
    }
    for (SpikeTrain& train : trains) train.sort();
    return trains;
}

Observed observe(const Network& network, const Circuit& circuit, const CircuitRun& run,
                 const std::vector<PotentialWish>& wishes, Duration duration) {
    Observed observed;
    observed.duration = duration.seconds();
    for (std::uint32_t q = 0; q < network.populations().size(); ++q) {
        auto& population = observed.spikes.emplace_back();
        for (std::uint32_t i = circuit.first(q); i < circuit.first(q + 1); ++i) {
            auto& times = population.emplace_back();
            for (std::size_t k = 0; k < run.spike_count(i); ++k) times.push_back(run.spike_time(i, k));
        }
    }
    for (const PotentialWish& wish : wishes) observed.potentials.push_back(run.potentials(wish));
    return observed;
}

Observed zeros_like(const Observed& observed) {
    Observed zeros = observed;
    for (auto& population : zeros.spikes) {
        for (auto& times : population) std::fill(times.begin(), times.end(), 0.0);
    }
    for (auto& values : zeros.potentials) std::fill(values.begin(), values.end(), 0.0);
    return zeros;
}

/// By the parameters' own names, from that by the coefficients of the linear system.
std::map<std::string, std::vector<double>> of_population(const Circuit& circuit, std::uint32_t q,
                                                         const std::vector<LinearGradient>& by_neuron,
                                                         std::vector<double>& by_signal) {
    std::map<std::string, std::vector<double>> columns;
    const Population& population = circuit.network().populations()[q];
    std::visit(
        [&]<class M>(const M& model) {
            if constexpr (neurons::HasNeurons<M>) {
                if constexpr (is_linear<typename M::value_type>) {
                    for (std::uint32_t k = 0; k < population.size(); ++k) {
                        const std::uint32_t i = circuit.first(q) + k;
                        const auto& p = model[model.size() == 1 ? 0 : k];
                        each_parameter(
                            p, circuit.signal(i), circuit.linear(i), by_neuron[i],
                            [&](const char* name, double value) { columns[name].push_back(value); });
                        by_signal[i] = of_signal(p, by_neuron[i]);
                    }
                }
            }
        },
        population.model);
    return columns;
}

}  // namespace

Gradient EventProp::gradient(const std::vector<InputSpikes>& inputs, const Loss& loss,
                             const GradientOptions& options) const {
    const Circuit& circuit = prepared_->circuit;
    const Network& network = circuit.network();
    if (!(options.largest_factor > 0.0)) {
        throw UsageError("largest factor: expected > 0, found " + shown(options.largest_factor) + ".");
    }
    const std::vector<SpikeTrain> trains =
        spikes_of(network, prepared_->simulation, inputs, options.duration);
    CircuitRun run(circuit);
    run.record(trains, true, options.duration.femtoseconds());

    const std::vector<PotentialWish> wishes = loss.wishes();
    Observed observed = observe(network, circuit, run, wishes, options.duration);
    Observed derivative = zeros_like(observed);
    Gradient result;
    result.loss = loss.evaluate(network, observed, derivative);

    for (std::size_t w = 0; w < wishes.size(); ++w) run.seed(wishes[w], derivative.potentials[w]);
    for (std::uint32_t q = 0; q < derivative.spikes.size(); ++q) {
        for (std::uint32_t k = 0; k < derivative.spikes[q].size(); ++k) {
            const auto& slopes = derivative.spikes[q][k];
            for (std::size_t s = 0; s < slopes.size(); ++s) {
                if (slopes[s] != 0.0) run.seed(circuit.first(q) + k, s, slopes[s]);
            }
        }
    }
    const bool has_bias = std::any_of(network.projections().begin(), network.projections().end(),
                                      [](const Projection& projection) { return projection.has_bias(); });
    std::vector<double> by_weight(circuit.synapses().size(), 0.0);
    std::vector<double> by_delay(circuit.synapses().size(), 0.0);
    std::vector<LinearGradient> by_neuron(options.of_neurons || has_bias ? circuit.neurons() : 0);
    run.go_back({by_weight, by_delay, by_neuron}, options.largest_factor);

    std::vector<double> by_signal(circuit.neurons(), 0.0);
    result.populations.resize(network.populations().size());
    if (!by_neuron.empty()) {
        for (std::uint32_t q = 0; q < network.populations().size(); ++q)
            result.populations[q] = of_population(circuit, q, by_neuron, by_signal);
    }
    std::vector<double> by_parameter(circuit.parameters().size(), 0.0);
    circuit.add_gradient(by_weight, by_delay, by_signal, by_parameter);
    result.projections.resize(network.projections().size());
    for (const StageParameters& stage : circuit.stages()) {
        const auto part = [&](std::size_t begin, std::size_t count) {
            const auto first = by_parameter.begin() + static_cast<std::ptrdiff_t>(begin);
            return std::vector<double>(first, first + static_cast<std::ptrdiff_t>(count));
        };
        result.projections[stage.projection].push_back({part(stage.weights, stage.weight_count),
                                                        part(stage.bias, stage.bias_count),
                                                        part(stage.delays, stage.delay_count)});
    }
    result.times = std::move(derivative.spikes);
    for (std::uint32_t q = 0; q < result.times.size(); ++q) {
        for (std::uint32_t k = 0; k < result.times[q].size(); ++k) {
            for (std::size_t s = 0; s < result.times[q][k].size(); ++s)
                result.times[q][k][s] = run.error(circuit.first(q) + k, s);
        }
    }
    result.spikes = std::move(observed.spikes);
    result.potentials = std::move(observed.potentials);
    result.events = run.events();
    result.bounded = run.bounded();
    return result;
}

Gradient gradient(const Network& network, const std::vector<InputSpikes>& inputs, const Loss& loss,
                  const GradientOptions& options) {
    return EventProp(network).gradient(inputs, loss, options);
}

}  // namespace saltus::learning
