#include <algorithm>
#include <limits>
#include <optional>

#include "circuit_run.hpp"
#include "exact_backend.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus::learning {

namespace {

constexpr double never = std::numeric_limits<double>::infinity();

class CircuitBackend final : public Backend {
  public:
    CircuitBackend(const Circuit& the_circuit, const BackendOptions& the_options)
        : circuit(the_circuit), options(the_options) {
        const auto populations = circuit.network().populations();
        const auto projections = circuit.network().projections();
        // Only the clock knows the spikes of its own sources, and the order of what leads back.
        needs_clock = circuit.loops();
        for (const Population& population : populations)
            needs_clock = needs_clock || (population.is_source() && !population.is_input());
        has_bias = std::any_of(projections.begin(), projections.end(),
                               [](const Projection& projection) { return projection.has_bias(); });
        refresh();
    }
    void refresh() override {
        if (needs_clock) simulation.emplace(circuit.with_parameters());
    }
    void pull(std::vector<double> the_pulls) override { pulls = std::move(the_pulls); }
    [[nodiscard]] std::unique_ptr<Worker> worker() const override;

    const Circuit& circuit;
    BackendOptions options;
    bool needs_clock = false;
    bool has_bias = false;
    std::optional<ExactSimulation> simulation;
    std::vector<double> pulls;
};

class CircuitWorker final : public Worker {
  public:
    explicit CircuitWorker(const CircuitBackend& backend)
        : backend_(backend),
          options_(backend.options),
          circuit_(backend.circuit),
          run_(circuit_),
          trains_(circuit_.network().populations().size()) {}

    void begin() override {
        by_weight_.assign(circuit_.synapses().size(), 0.0);
        by_delay_.assign(options_.learn_delays ? circuit_.synapses().size() : 0, 0.0);
        by_neuron_.assign(backend_.has_bias ? circuit_.neurons() : 0, {});
    }

    SampleOutcome run(const SampleSpikes& sample, std::uint32_t label, bool learns) override {
        const std::int64_t end = options_.duration.femtoseconds();
        SpikeTrain train;
        for (std::size_t k = 0; k < sample.times.size() && sample.times[k] <= end; ++k)
            train.add(Time(Duration(sample.times[k])), sample.neurons[k]);
        if (backend_.needs_clock) simulate(train);
        trains_[options_.input] = std::move(train);
        run_.record(trains_, backend_.needs_clock, end);

        const std::uint32_t first = circuit_.first(options_.readout);
        const std::uint32_t outputs = circuit_.first(options_.readout + 1) - first;
        const ClassLoss& loss = options_.loss;
        std::vector<double> derivatives(outputs);
        std::vector<double> values;
        PotentialWish wish;
        if (loss.is_of_potentials()) {
            const bool mean = loss.kind == ClassLoss::Kind::mean_potential;
            wish = {circuit_.network().populations()[options_.readout].name,
                    mean ? PotentialWish::Kind::integral : PotentialWish::Kind::maximum,
                    mean ? loss.decay : 0.0};
            values = run_.potentials(wish);
        } else {
            for (std::uint32_t i = first; i < first + outputs; ++i)
                values.push_back(run_.spike_count(i) == 0 ? never : run_.spike_time(i, 0));
        }
        SampleOutcome outcome;
        outcome.loss = loss(values, label, options_.duration.seconds(), derivatives);
        outcome.decided = loss.decide(values);
        outcome.events = run_.arrivals();
        for (std::uint32_t i = 0; i < circuit_.neurons(); ++i) {
            const bool is_input =
                i >= circuit_.first(options_.input) && i < circuit_.first(options_.input + 1);
            outcome.spikes += is_input ? 0 : run_.spike_count(i);
        }
        if (!learns) return outcome;

        if (loss.is_of_potentials()) {
            run_.seed(wish, derivatives);
        } else {
            for (std::uint32_t j = 0; j < outputs; ++j) {
                if (values[j] != never) run_.seed(first + j, 0, derivatives[j]);
            }
            if (options_.wake > 0.0 && values[label] == never) wake(first + label, options_.wake);
        }
        for (std::uint32_t i = 0; i < backend_.pulls.size(); ++i) {
            const double pull = backend_.pulls[i];
            if (pull == 0.0) continue;
            run_.pull(i, pull);
            if (pull < 0.0 && run_.spike_count(i) == 0) wake(i, -pull);
        }
        run_.go_back({by_weight_, by_delay_, by_neuron_}, options_.largest_factor);
        outcome.bounded = run_.bounded();
        return outcome;
    }

    void add_counts(std::span<std::uint64_t> by_neuron) const override {
        for (std::uint32_t i = 0; i < by_neuron.size(); ++i) by_neuron[i] += run_.spike_count(i);
    }
    void add_gradient(std::span<double> by_parameter, unsigned part, unsigned) const override {
        if (part > 0) return;
        std::vector<double> by_signal(circuit_.neurons(), 0.0);
        const std::vector<double> no_delays(by_delay_.empty() ? by_weight_.size() : 0, 0.0);
        if (backend_.has_bias) {
            const auto populations = circuit_.network().populations();
            for (std::uint32_t q = 0; q < populations.size(); ++q) {
                std::visit(
                    [&]<class M>(const M& model) {
                        if constexpr (neurons::HasNeurons<M>) {
                            if constexpr (is_linear<typename M::value_type>) {
                                for (std::uint32_t k = 0; k < populations[q].size(); ++k) {
                                    const std::uint32_t i = circuit_.first(q) + k;
                                    by_signal[i] = of_signal(model[model.size() == 1 ? 0 : k], by_neuron_[i]);
                                }
                            }
                        }
                    },
                    populations[q].model);
            }
        }
        circuit_.add_gradient(by_weight_, by_delay_.empty() ? no_delays : by_delay_, by_signal, by_parameter);
    }

  private:
    void simulate(const SpikeTrain& input) {
        const Network& network = circuit_.network();
        SimulationOptions options;
        options.duration = options_.duration;
        for (const Population& population : network.populations()) {
            if (neurons::is_spiking(population.model)) options.recorded.push_back(population.name);
        }
        trains_ =
            backend_.simulation->run({{network.populations()[options_.input].name, input}}, options).spikes;
    }
    /// The weights of a silent neuron from those that fired grow.
    void wake(std::uint32_t neuron, double rise) {
        for (const std::uint32_t s : circuit_.incoming(neuron))
            by_weight_[s] -= rise * static_cast<double>(run_.spike_count(circuit_.synapses()[s].source));
    }

    const CircuitBackend& backend_;
    const BackendOptions& options_;
    const Circuit& circuit_;
    CircuitRun run_;
    std::vector<SpikeTrain> trains_;
    std::vector<double> by_weight_;
    std::vector<double> by_delay_;
    std::vector<LinearGradient> by_neuron_;
};

std::unique_ptr<Worker> CircuitBackend::worker() const {
    return std::make_unique<CircuitWorker>(*this);
}

}  // namespace

std::unique_ptr<Backend> circuit_backend(const Circuit& circuit, const BackendOptions& options) {
    circuit.check_every_neuron();
    return std::make_unique<CircuitBackend>(circuit, options);
}

}  // namespace saltus::learning
