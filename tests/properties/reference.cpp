#include "reference.hpp"

#include <cmath>
#include <limits>
#include <memory>
#include <queue>
#include <tuple>
#include <variant>

#include "saltus/engine/synapse_draw.hpp"

namespace saltus::properties {

namespace {

/// What one spike of a source brings.
struct Reached {
    NeuronIndex neuron;
    double weight;
    std::int64_t delay;
};
using Rows = std::vector<std::vector<Reached>>;  // of each source

Rows rows_of(const Stage& stage, const Rows& before) {
    Rows next(before.size());
    const auto each = [&](auto&& row_of) {
        for (std::size_t source = 0; source < before.size(); ++source) {
            for (const Reached& at : before[source]) {
                row_of(at.neuron, [&](NeuronIndex neuron, double weight, std::int64_t delay) {
                    next[source].push_back({neuron, at.weight * weight, at.delay + delay});
                });
            }
        }
    };
    if (const auto* d = std::get_if<Delay>(&stage)) {
        each([&](NeuronIndex i, auto&& take) {
            take(i, 1.0, d->delays[d->delays.size() == 1 ? 0 : i].femtoseconds());
        });
    } else if (const auto* dense = std::get_if<Dense>(&stage)) {
        each([&](NeuronIndex i, auto&& take) {
            for (NeuronIndex j = 0; j < dense->outputs; ++j)
                take(j, dense->weights[std::size_t{i} * dense->outputs + j], 0);
        });
    } else if (const auto* sparse = std::get_if<Sparse>(&stage)) {
        each([&](NeuronIndex i, auto&& take) {
            for (std::uint64_t s = sparse->table->rows[i]; s < sparse->table->rows[i + 1]; ++s) {
                const Sparse::Segment& segment = sparse->table->segments[s];
                for (std::uint64_t k = segment.begin; k < segment.end; ++k)
                    take(sparse->table->targets[k], sparse->weights[k], segment.delay.femtoseconds());
            }
        });
    } else {
        const Rule& rule = std::get<Rule>(stage);
        Rows rows(rule.inputs);
        for_each_synapse(rule, 0, rule.outputs, [&](const Synapse& s) {
            // What a rule draws is rounded to float.
            const bool drawn = rule.weight.kind != Distribution::Kind::constant;
            const double weight = drawn ? static_cast<double>(static_cast<float>(s.weight)) : s.weight;
            rows[s.source].push_back({s.target, weight, s.delay.femtoseconds()});
        });
        each([&](NeuronIndex i, auto&& take) {
            for (const Reached& to : rows[i]) take(to.neuron, to.weight, to.delay);
        });
    }
    return next;
}

struct Moment {
    std::int64_t tick = 0;
    double rest = 0.0;  // of the real time beyond the tick [fs]
};
double seconds(const Moment& from, const Moment& to) {
    return (static_cast<double>(to.tick - from.tick) + (to.rest - from.rest)) * 1e-15;
}
constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

class Neuron {
  public:
    virtual ~Neuron() = default;
    /// Tick of the next crossing without further arrivals.
    [[nodiscard]] virtual std::int64_t crossing() const = 0;
    /// Everything that instant t brings; returns the number of spikes.
    virtual std::uint32_t settle(std::int64_t t, double excitation, double inhibition) = 0;
};

template <class P>
class NeuronOf final : public Neuron {
  public:
    NeuronOf(const P& p, std::int64_t end)
        : p_(p), c_(neurons::constants(p, 0.0)), state_(neurons::initial(p, c_)), end_(end) {
        predict(0);
    }
    [[nodiscard]] std::int64_t crossing() const override { return crossing_.tick; }

    std::uint32_t settle(std::int64_t t, double excitation, double inhibition) override {
        const bool crosses = crossing_.tick == t;
        const bool refractory = t < free_.tick;
        const Moment now = crosses && !refractory ? crossing_ : Moment{t, 0.0};
        state_ = at(now);
        since_ = now;
        if (refractory) {
            arrive(excitation, inhibition, [&](const auto& w) { neurons::refractory_arrive(c_, state_, w); });
            predict(t + 1);
            return 0;
        }
        if (crosses) state_.V = std::max(state_.V, neurons::threshold(p_, state_));
        arrive(excitation, inhibition, [&](const auto& w) { neurons::arrive(c_, state_, w); });
        std::uint32_t spikes = 0;
        if (state_.V >= neurons::threshold(p_, state_)) {
            spikes = reset();
            neurons::adapt(p_, state_);
            free_ = {t + p_.t_ref.femtoseconds(), now.rest};
        }
        predict(t + 1);
        return spikes;
    }

  private:
    [[nodiscard]] typename P::State at(const Moment& t) const {
        if (t.tick < free_.tick) return neurons::refractory_flow(c_, state_, seconds(since_, t));
        if (since_.tick >= free_.tick) return neurons::flow(c_, state_, seconds(since_, t));
        return neurons::flow(c_, neurons::refractory_flow(c_, state_, seconds(since_, free_)),
                             seconds(free_, t));
    }
    template <class F>
    static void arrive(double excitation, double inhibition, F&& f) {
        if constexpr (neurons::separates_signs<P>)
            f(neurons::SignedSum{excitation, inhibition});
        else
            f(excitation + inhibition);
    }
    std::uint32_t reset() {
        if (p_.reset == neurons::Reset::to_value) {
            state_.V = p_.V_reset;
            return 1;
        }
        const double k = p_.reset == neurons::Reset::subtract ? 1.0 : std::floor(state_.V / p_.V_th);
        state_.V -= k * p_.V_th;
        return static_cast<std::uint32_t>(k);
    }
    void predict(std::int64_t earliest) {
        const Moment from = since_.tick < free_.tick ? free_ : since_;
        crossing_ = {never, 0.0};
        const double horizon = seconds(from, {end_, 0.5});
        if (horizon < 0.0) return;
        const double s = neurons::next_crossing(c_, at(from), p_.V_th, horizon);
        if (std::isinf(s)) return;
        const double fs = s * 1e15 + from.rest;
        const std::int64_t tick = from.tick + std::llround(fs);
        crossing_ = tick < earliest ? Moment{earliest, 0.0} : Moment{tick, fs - std::round(fs)};
    }

    P p_;
    typename P::Constants c_;
    typename P::State state_;
    std::int64_t end_;
    Moment since_;
    Moment free_;
    Moment crossing_{never, 0.0};
};

std::vector<std::unique_ptr<Neuron>> neurons_of(const Population& population, std::int64_t end) {
    std::vector<std::unique_ptr<Neuron>> all;
    std::visit(
        [&]<class M>(const M& model) {
            if constexpr (neurons::HasNeurons<M>) {
                if constexpr (neurons::Spiking<typename M::value_type>) {
                    for (std::uint32_t j = 0; j < population.size(); ++j) {
                        const auto& p = model[model.size() == 1 ? 0 : j];
                        all.push_back(std::make_unique<NeuronOf<typename M::value_type>>(p, end));
                    }
                }
            }
        },
        population.model);
    return all;
}

struct Event {
    std::int64_t time;
    std::uint32_t level;
    std::uint32_t population;
    NeuronIndex neuron;
    double weight;  // of an arrival; 0: the neuron crosses its threshold
    bool sends;     // it is a source's spike

    [[nodiscard]] auto place() const { return std::tie(time, level, population, neuron); }
    friend bool operator>(const Event& a, const Event& b) { return a.place() > b.place(); }
};

}  // namespace

std::vector<SpikeTrain> reference_run(const Network& network, const std::vector<SpikeTrain>& sources,
                                      Duration duration) {
    const std::int64_t end = duration.femtoseconds();
    const auto populations = network.populations();
    const std::vector<std::uint32_t> levels = network.levels();
    std::vector<std::pair<std::uint32_t, Rows>> projections;  // with their targets
    for (const Projection& projection : network.projections()) {
        Rows rows(populations[projection.source].size());
        for (NeuronIndex i = 0; i < rows.size(); ++i) rows[i] = {{i, 1.0, 0}};
        for (const Stage& stage : projection.stages) rows = rows_of(stage, rows);
        projections.emplace_back(projection.target, std::move(rows));
    }

    std::priority_queue<Event, std::vector<Event>, std::greater<>> queue;
    std::vector<std::vector<std::unique_ptr<Neuron>>> neurons;
    std::vector<SpikeTrain> spikes(populations.size());
    const auto await_crossing = [&](std::uint32_t q, NeuronIndex j) {
        const std::int64_t t = neurons[q][j]->crossing();
        if (t <= end) queue.push({t, levels[q], q, j, 0.0, false});
    };
    for (std::uint32_t q = 0; q < populations.size(); ++q) {
        neurons.push_back(neurons_of(populations[q], end));
        for (NeuronIndex j = 0; j < neurons[q].size(); ++j) await_crossing(q, j);
        if (!populations[q].is_source()) continue;
        for (std::size_t k = 0; k < sources[q].size(); ++k) {
            const SpikeTrain& train = sources[q];
            queue.push({train.times[k].femtoseconds(), levels[q], q, train.neurons[k], 0.0, true});
        }
    }
    while (!queue.empty() && queue.top().time <= end) {
        const Event first = queue.top();
        double excitation = 0.0;
        double inhibition = 0.0;
        bool arrives = false;
        std::uint32_t fired = 0;
        for (; !queue.empty() && queue.top().place() == first.place(); queue.pop()) {
            const Event& event = queue.top();
            (event.weight < 0.0 ? inhibition : excitation) += event.weight;
            arrives = arrives || event.weight != 0.0;
            if (event.sends) ++fired;
        }
        const auto [t, level, q, j] = first.place();
        if (!populations[q].is_source()) {
            Neuron& neuron = *neurons[q][j];
            if (!arrives && neuron.crossing() != t) continue;  // what has arrived since moved the crossing
            fired = neuron.settle(t, excitation, inhibition);
            await_crossing(q, j);
        }
        for (; fired > 0; --fired) {
            spikes[q].add(Time(Duration(t)), j);
            for (std::size_t k = 0; k < projections.size(); ++k) {
                if (network.projections()[k].source != q) continue;
                const auto& [target, rows] = projections[k];
                for (const Reached& to : rows[j])
                    queue.push({t + to.delay, levels[target], target, to.neuron, to.weight, false});
            }
        }
    }
    for (SpikeTrain& train : spikes) train.sort();
    return spikes;
}

}  // namespace saltus::properties
