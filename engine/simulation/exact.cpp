// The exact clock, strict schedule: one queue, one thread, every event in its order.
//
// The loop (ExactRun::run) takes the next instant and computes it level by level along projections without
// delay:
//   pop        what was sent earlier and arrives now
//   integrate  sum what arrives at each neuron, move its state here by the closed form, add the sum
//   fire       test the threshold once
//   fan out    send the spikes: into a later level of this instant, or into the queue
// At one instant a neuron is looked at once, after all that reaches it; see design notes in
// docs/exact-clock.md.
#include <algorithm>
#include <numeric>
#include <optional>

#include "../events/agenda.hpp"
#include "population_state.hpp"
#include "route.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus {

namespace {

using AnyState = std::variant<PopulationState<neurons::If>, PopulationState<neurons::Lif>,
                              PopulationState<neurons::CubaLif>, PopulationState<neurons::LifExp2>,
                              PopulationState<neurons::LifAlpha>, PopulationState<neurons::LifAdaptive>,
                              PopulationState<neurons::Qif>, PopulationState<neurons::Integrator>,
                              PopulationState<neurons::Li>, PopulationState<neurons::CubaLi>,
                              PopulationState<neurons::Threshold>>;

template <class P>
void refuse_endless_firing(const std::string& name, const neurons::PerNeuron<P>& parameters) {
    for (const P& p : parameters) {
        const bool subtracts = p.reset != neurons::Reset::to_value;
        if (subtracts && p.V_th <= 0.0) {
            throw NetworkError(
                name, "V_th",
                "expected > 0 for a reset by subtraction, found " + std::to_string(p.V_th) + ".");
        }
        if (!subtracts && p.V_reset >= p.V_th && p.t_ref == Duration()) {
            throw NetworkError(
                name, "V_reset",
                "expected below the threshold " + std::to_string(p.V_th) + ", found " +
                    std::to_string(p.V_reset) +
                    ": the neuron would fire without end at one instant. Give it a refractory period.");
        }
    }
}

}  // namespace

/// What depends on the network alone and is shared by all runs.
class ExactSimulation::Prepared {
  public:
    explicit Prepared(const Network& the_network) : network(the_network), level(network.levels()) {
        const auto populations = network.populations();
        levels = 1 + (level.empty() ? 0 : *std::max_element(level.begin(), level.end()));
        at_level.resize(levels);
        signal.resize(populations.size());
        routes_from.resize(populations.size());
        for (std::uint32_t q = 0; q < populations.size(); ++q) {
            at_level[level[q]].push_back(q);
            layout.push_back(layout_of(network, q));
            check(populations[q]);
        }

        // Arrivals at one instant are summed in the order of their routes, so this order must not depend on
        // the order of building: by the names of target and source.
        std::vector<const Projection*> order;
        for (const Projection& projection : network.projections()) order.push_back(&projection);
        std::stable_sort(order.begin(), order.end(), [&](const Projection* a, const Projection* b) {
            if (a->target != b->target) return populations[a->target].name < populations[b->target].name;
            return populations[a->source].name < populations[b->source].name;
        });
        for (const Projection* projection : order) {
            const std::string name = network.projection_name(*projection);
            const Population& source = populations[projection->source];
            const Population& target = populations[projection->target];
            if (!neurons::is_spiking(source.model)) {
                throw NetworkError(
                    name, "",
                    quoted(source.name) + " (" + std::string(neurons::model_name(source.model)) +
                        ") sends a continuous signal, and the exact clock carries spikes only.");
            }
            routes_from[projection->source].push_back(static_cast<std::uint32_t>(routes.size()));
            routes.emplace_back(*projection, source.size(), name);
            if (projection->has_bias()) {
                signal[projection->target].resize(target.size(), 0.0);
                routes.back().add_constant_signal(signal[projection->target]);
            }
        }
        for (std::uint32_t q = 0; q < populations.size(); ++q) {
            const bool driven =
                std::any_of(signal[q].begin(), signal[q].end(), [](double x) { return x != 0.0; });
            if (!driven) signal[q].clear();
            if (driven &&
                std::holds_alternative<neurons::PerNeuron<neurons::Threshold>>(populations[q].model)) {
                throw NetworkError(
                    populations[q].name, "",
                    "a Threshold that receives a constant signal sends a continuous one, and the exact "
                    "clock carries spikes only.");
            }
        }
    }

    Network network;
    std::vector<std::uint32_t> level;  // of each population
    std::uint32_t levels = 0;
    std::vector<std::vector<std::uint32_t>> at_level;  // populations of each level
    std::vector<Layout> layout;                        // of each population
    std::vector<Route> routes;
    std::vector<std::vector<std::uint32_t>> routes_from;  // of each population
    std::vector<std::vector<double>> signal;              // constant signal of each population; empty: none

  private:
    static void check(const Population& population) {
        std::visit(
            [&](const auto& model) {
                using M = std::decay_t<decltype(model)>;
                if constexpr (neurons::HasNeurons<M>) {
                    if constexpr (neurons::Spiking<typename M::value_type>) {
                        refuse_endless_firing(population.name, model);
                    }
                }
            },
            population.model);
    }
};

namespace {

/// Spikes of one input population, and how far the run has come in them.
struct InputCursor {
    std::uint32_t population = 0;
    SpikeTrain spikes;
    std::size_t next = 0;

    [[nodiscard]] Time time() const { return next < spikes.size() ? spikes.times[next] : Time::never(); }
};

/// State of one run.
template <class Prepared>
class ExactRun {
  public:
    ExactRun(const Prepared& prepared, const std::vector<InputSpikes>& inputs,
             const SimulationOptions& options)
        : p_(prepared), options_(options), end_(Time(options.duration)), agenda_(p_.levels) {
        if (options.duration < Duration()) {
            throw LimitError("duration: expected >= 0, found " + to_string(options.duration) + ".");
        }
        if (options.duration == Duration::max()) throw LimitError("duration: beyond the range of time.");
        const auto populations = p_.network.populations();
        for (const InputSpikes& input : inputs) add_input(input);
        for (std::uint32_t q = 0; q < populations.size(); ++q) {
            arrivals_.emplace_back(populations[q].size(), p_.layout[q],
                                   neurons::keeps_signs_apart(populations[q].model));
            states_.push_back(initial_state(q));
            spike_recorded_.push_back(options.record_spikes && neurons::is_spiking(populations[q].model) &&
                                      is_recorded(q) && !populations[q].is_input());
            if (!options.potential_times.empty() && states_[q] && is_recorded(q)) {
                result_.potentials.push_back({q, {}, {}});
            }
        }
        for (const std::string& name : options.recorded) (void)p_.network.index_of(name);
        result_.spikes.resize(populations.size());
        result_.spike_counts.assign(populations.size(), 0);
        for (std::uint32_t q = 0; q < populations.size(); ++q) {
            visit(q, [&](auto& state) { state.start(waker(q)); });
        }
    }

    SimulationResult run() {
        std::uint64_t instants = 0;
        Time t = next_instant();
        for (; t <= end_; t = next_instant()) {
            if ((++instants & 1023u) == 0 && !go_on(t)) {
                result_.interrupted = true;
                break;
            }
            record_potentials_before(t);
            agenda_.open(t);
            for (std::uint32_t level = 0; level < p_.levels; ++level) compute(t, level);
        }
        result_.end = result_.interrupted ? t : end_;
        if (!result_.interrupted) record_potentials_before(end_ + Duration(1));
        record_final_potentials();
        return std::move(result_);
    }

  private:
    /// One level of one instant: deliver, integrate, fire, fan out.
    void compute(Time t, std::uint32_t level) {
        for (const Delivery& delivery : agenda_.deliveries(level)) {
            const Route& route = p_.routes[delivery.route];
            result_.synaptic_events +=
                route.deliver(delivery.neuron, delivery.segment, arrivals_[route.target()]);
        }
        for (const Wake& wake : agenda_.wakes(level)) {
            const std::uint32_t q = wake.population;
            visit(q, [&](auto& state) {
                if (state.is_due(wake.neuron, t, waker(q))) arrivals_[q].wake(wake.neuron);
            });
        }
        agenda_.close(level);

        for (const std::uint32_t q : p_.at_level[level]) {
            fired_.clear();
            if (states_[q]) {
                if (!arrivals_[q].any()) continue;
                visit(q, [&](auto& state) { state.integrate_and_fire(t, arrivals_[q], fired_, waker(q)); });
            } else {
                take_input(q, t);
            }
            if (fired_.empty()) continue;
            record(q, t);
            fan_out(q, t);
        }
    }

    void fan_out(std::uint32_t q, Time t) {
        for (const std::uint32_t r : p_.routes_from[q]) {
            const Route& route = p_.routes[r];
            const std::uint32_t level = p_.level[route.target()];
            for (const NeuronIndex neuron : fired_) {
                const std::uint32_t segments = route.segments(neuron);
                for (std::uint32_t segment = 0; segment < segments; ++segment) {
                    const Duration delay = route.delay(neuron, segment);
                    if (delay == Duration()) {
                        agenda_.add_now(level, {r, neuron, segment});
                    } else if (delay <= end_ - t) {
                        agenda_.add(t + delay, level, Delivery{r, neuron, segment});
                    }
                }
            }
        }
    }

    [[nodiscard]] Time next_instant() const {
        Time t = agenda_.next();
        for (const InputCursor& input : inputs_) t = std::min(t, input.time());
        return t;
    }

    void take_input(std::uint32_t q, Time t) {
        for (InputCursor& input : inputs_) {
            if (input.population != q) continue;
            for (; input.time() == t; ++input.next) fired_.push_back(input.spikes.neurons[input.next]);
        }
    }

    void record(std::uint32_t q, Time t) {
        result_.spike_counts[q] += fired_.size();
        if (!p_.network.populations()[q].is_input()) result_.neuron_spikes += fired_.size();
        if (!spike_recorded_[q]) return;
        for (const NeuronIndex neuron : fired_) result_.spikes[q].add(t, neuron);
    }

    void record_potentials_before(Time t) {
        const std::vector<Time>& times = options_.potential_times;
        for (; next_potential_ < times.size() && times[next_potential_] < t && times[next_potential_] <= end_;
             ++next_potential_) {
            for (PotentialRecord& record : result_.potentials) {
                record.times.push_back(times[next_potential_]);
                append_potentials(record.population, times[next_potential_], record.values);
            }
        }
    }

    void record_final_potentials() {
        const auto populations = p_.network.populations();
        result_.final_potentials.resize(populations.size());
        for (std::uint32_t q = 0; q < populations.size(); ++q) {
            if (!neurons::is_spiking(populations[q].model)) {
                append_potentials(q, result_.end, result_.final_potentials[q]);
            }
        }
    }

    void append_potentials(std::uint32_t q, Time t, std::vector<double>& values) {
        visit(q, [&](const auto& state) {
            for (NeuronIndex j = 0; j < p_.network.populations()[q].size(); ++j)
                values.push_back(state.potential(j, t));
        });
    }

    [[nodiscard]] bool go_on(Time t) const {
        if (!options_.on_progress) return true;
        const double fraction = options_.duration == Duration() ? 1.0 : t.seconds() / end_.seconds();
        return options_.on_progress({fraction, t, result_.neuron_spikes, result_.synaptic_events});
    }

    void add_input(const InputSpikes& input) {
        const auto populations = p_.network.populations();
        const auto q = p_.network.find(input.population);
        if (!q || !populations[*q].is_input()) {
            std::vector<std::string> known;
            for (const Population& population : populations) {
                if (population.is_input()) known.push_back(population.name);
            }
            std::string list;
            for (const std::string& name : known) list += (list.empty() ? "" : ", ") + quoted(name);
            throw InputError(input.population, "the network has no input of this name; its inputs: " +
                                                   (list.empty() ? "none" : list) + "." +
                                                   did_you_mean(input.population, known));
        }
        const std::uint32_t size = populations[*q].size();
        InputCursor cursor{*q, input.spikes, 0};
        if (cursor.spikes.neurons.size() != cursor.spikes.times.size()) {
            throw InputError(input.population, "expected as many neurons as times, found " +
                                                   std::to_string(cursor.spikes.neurons.size()) + " and " +
                                                   std::to_string(cursor.spikes.times.size()) + ".");
        }
        for (std::size_t k = 0; k < cursor.spikes.size(); ++k) {
            const Time t = cursor.spikes.times[k];
            const auto refused = [&](const std::string& expected, const std::string& found) {
                return InputError(input.population, "spike " + std::to_string(k) + ": expected " + expected +
                                                        ", found " + found + ".");
            };
            if (cursor.spikes.neurons[k] >= size) {
                throw refused("a neuron below " + std::to_string(size),
                              std::to_string(cursor.spikes.neurons[k]));
            }
            if (t < Time()) throw refused("a time >= 0", to_string(t.since_start()));
            if (t > end_) {
                throw refused("a time up to the end of the run, " + to_string(options_.duration),
                              to_string(t.since_start()));
            }
        }
        cursor.spikes.sort();
        inputs_.push_back(std::move(cursor));
    }

    [[nodiscard]] std::optional<AnyState> initial_state(std::uint32_t q) const {
        const Population& population = p_.network.populations()[q];
        return std::visit(
            [&](const auto& model) -> std::optional<AnyState> {
                using M = std::decay_t<decltype(model)>;
                if constexpr (!neurons::HasNeurons<M>) {
                    return std::nullopt;
                } else {
                    return AnyState(std::in_place_type<PopulationState<typename M::value_type>>, model,
                                    population.size(), p_.signal[q], p_.layout[q], end_);
                }
            },
            population.model);
    }

    [[nodiscard]] bool is_recorded(std::uint32_t q) const {
        const std::vector<std::string>& names = options_.recorded;
        return names.empty() ||
               std::find(names.begin(), names.end(), p_.network.populations()[q].name) != names.end();
    }

    /// Puts a neuron of population q into the queue.
    [[nodiscard]] auto waker(std::uint32_t q) {
        return [this, q](Time time, NeuronIndex neuron) { agenda_.add(time, p_.level[q], Wake{q, neuron}); };
    }

    template <class F>
    void visit(std::uint32_t q, F&& f) {
        if (states_[q]) std::visit(f, *states_[q]);
    }

    const Prepared& p_;
    const SimulationOptions& options_;
    Time end_;
    Agenda agenda_;
    std::vector<InputCursor> inputs_;
    std::vector<std::optional<AnyState>> states_;  // of each population; none for inputs
    std::vector<Arrivals> arrivals_;
    std::vector<bool> spike_recorded_;
    std::vector<NeuronIndex> fired_;  // of the population that is being computed
    std::size_t next_potential_ = 0;
    SimulationResult result_;
};

}  // namespace

ExactSimulation::ExactSimulation(const Network& network)
    : prepared_(std::make_unique<const Prepared>(network)) {}
ExactSimulation::~ExactSimulation() = default;
ExactSimulation::ExactSimulation(ExactSimulation&&) noexcept = default;
ExactSimulation& ExactSimulation::operator=(ExactSimulation&&) noexcept = default;

SimulationResult ExactSimulation::run(const std::vector<InputSpikes>& inputs,
                                      const SimulationOptions& options) const {
    return ExactRun<Prepared>(*prepared_, inputs, options).run();
}

SimulationResult simulate(const Network& network, const std::vector<InputSpikes>& inputs,
                          const SimulationOptions& options) {
    return ExactSimulation(network).run(inputs, options);
}

}  // namespace saltus
