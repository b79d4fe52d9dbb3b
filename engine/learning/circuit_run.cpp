#include "circuit_run.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "saltus/engine/errors.hpp"

namespace saltus::learning {

namespace {

double seconds(const Instant& t) {
    return seconds_between({}, t);
}

}  // namespace

CircuitRun::CircuitRun(const Circuit& circuit)
    : circuit_(circuit), tapes_(circuit.neurons()), ticks_(circuit.neurons()), seeds_(circuit.neurons()) {}

void CircuitRun::record(std::span<const SpikeTrain> trains, bool known, std::int64_t end) {
    end_ = end;
    const auto populations = circuit_.network().populations();
    for (std::uint32_t i = 0; i < circuit_.neurons(); ++i) {
        tapes_[i].clear();
        ticks_[i].clear();
        seeds_[i] = {};
    }
    for (std::uint32_t q = 0; q < populations.size(); ++q) {
        if (!known && !populations[q].is_source()) continue;
        for (std::size_t k = 0; k < trains[q].size(); ++k) {
            ticks_[circuit_.first(q) + trains[q].neurons[k]].push_back(trains[q].times[k].femtoseconds());
        }
    }
    for (const std::uint32_t q : circuit_.order()) {
        if (populations[q].is_source()) continue;
        for (std::uint32_t i = circuit_.first(q); i < circuit_.first(q + 1); ++i) {
            gather(i);
            walk_neuron(q, i, known ? &ticks_[i] : nullptr);
            if (known) continue;
            for (const NeuronSpike& spike : tapes_[i].spikes)
                ticks_[i].push_back(spike.at.tick.femtoseconds());
        }
    }
    first_spike_.assign(1, 0);
    for (const auto& ticks : ticks_)
        first_spike_.push_back(first_spike_.back() + static_cast<std::uint32_t>(ticks.size()));
}

void CircuitRun::gather(std::uint32_t neuron) {
    auto& arrivals = tapes_[neuron].arrivals;
    for (const std::uint32_t s : circuit_.incoming(neuron)) {
        const Synapse& synapse = circuit_.synapses()[s];
        const auto& ticks = ticks_[synapse.source];
        for (std::size_t k = 0; k < ticks.size(); ++k) {
            const std::int64_t t = after(ticks[k], synapse.delay_fs);
            if (t <= end_) arrivals.push_back({t, synapse.weight, s, static_cast<std::uint32_t>(k)});
        }
    }
    std::sort(arrivals.begin(), arrivals.end(), [](const NeuronArrival& a, const NeuronArrival& b) {
        return std::tie(a.time, a.synapse, a.spike) < std::tie(b.time, b.synapse, b.spike);
    });
}

void CircuitRun::walk_neuron(std::uint32_t population, std::uint32_t neuron,
                             const std::vector<std::int64_t>* known) {
    std::visit(
        [&]<class M>(const M& model) {
            if constexpr (neurons::HasNeurons<M>) {
                using P = typename M::value_type;
                if constexpr (is_linear<P>) {
                    const P& p = model[model.size() == 1 ? 0 : neuron - circuit_.first(population)];
                    walk(p, neurons::constants(p, circuit_.signal(neuron)), circuit_.linear(neuron), end_,
                         known, tapes_[neuron]);
                }
            }
        },
        circuit_.network().populations()[population].model);
}

std::size_t CircuitRun::spike_count(std::uint32_t neuron) const {
    return ticks_[neuron].size();
}

std::uint64_t CircuitRun::arrivals() const {
    std::uint64_t sum = 0;
    for (const NeuronTape& tape : tapes_) sum += tape.arrivals.size();
    return sum;
}

double CircuitRun::spike_time(std::uint32_t neuron, std::size_t k) const {
    const NeuronTape& tape = tapes_[neuron];
    if (k < tape.spikes.size()) return seconds(tape.spikes[k].at);
    return Time(Duration(ticks_[neuron][k])).seconds();  // of a source
}

/// f(interval, start, length, V, I, stands): what lies between two events, and before the first and after the
/// last.
template <class F>
void CircuitRun::each_interval(std::uint32_t neuron, F&& f) const {
    const LinearNeuron& n = circuit_.linear(neuron);
    const NeuronTape& tape = tapes_[neuron];
    const Instant stop{Time(Duration(end_)), 0.0};
    const auto next = [&](std::size_t k) { return k < tape.events.size() ? tape.events[k].at : stop; };
    f(std::int64_t{-1}, 0.0, std::max(0.0, seconds_between({}, next(0))), n.V_0, n.I_0, false);
    for (std::size_t k = 0; k < tape.events.size(); ++k) {
        const NeuronEvent& event = tape.events[k];
        f(static_cast<std::int64_t>(k), seconds(event.at),
          std::max(0.0, seconds_between(event.at, next(k + 1))), event.V, event.I, event.stands);
    }
}

/// V, x seconds after the start of an interval.
double CircuitRun::V_at(std::uint32_t neuron, std::int64_t interval, double x) const {
    using neurons::detail::response;
    const LinearNeuron& n = circuit_.linear(neuron);
    double V = n.V_0;
    double I = n.I_0;
    if (interval >= 0) {
        const NeuronEvent& event = tapes_[neuron].events[static_cast<std::size_t>(interval)];
        if (event.stands) return event.V;
        V = event.V;
        I = event.I;
    }
    V = V * std::exp(-n.b * x) + n.d * response(n.b, 0.0, x);
    return n.has_current ? V + n.g * I * response(n.a, n.b, x) : V;
}

/// The largest V and where it is.
struct CircuitRun::Peak {
    double V = -std::numeric_limits<double>::infinity();
    PotentialSeed seed{};          // where dL/dV acts
    bool is_spike = false;         // it is the threshold
    std::int64_t moves_with = -1;  // an arrival: its time moves the peak
    double slope = 0.0;            // by that much
};

CircuitRun::Peak CircuitRun::peak_of(std::uint32_t neuron) const {
    const LinearNeuron& n = circuit_.linear(neuron);
    const NeuronTape& tape = tapes_[neuron];
    Peak peak;
    const auto offer = [&](double V, std::int64_t interval, double x) {
        if (!(V > peak.V)) return false;
        peak = {V, {interval, x, 0.0}};
        return true;
    };
    each_interval(neuron, [&](std::int64_t k, double, double length, double V, double I, bool stands) {
        const double rise = n.slope(V, I);
        // Where V does not jump, the interval before has offered it.
        const bool jumped = k >= 0 && !n.has_current &&
                            tape.events[static_cast<std::size_t>(k)].kind == NeuronEvent::Kind::arrival;
        if ((k < 0 || jumped) && offer(V, k, 0.0) && jumped) {
            peak.moves_with = k;
            peak.slope = rise;
        }
        if (stands) return;
        // V' is one exponential e^{-a x} and one e^{-b x}: V'(x) e^{bx} = rise - a g I k(a, b, x) e^{bx}.
        double turn = -1.0;
        if (n.has_current && rise > 0.0 && I > 0.0) {
            const double rho = rise / (n.a * n.g * I);
            const double z = (n.b - n.a) * rho;
            if (z > -1.0) turn = std::abs(z) < 1e-8 ? rho * (1.0 - 0.5 * z) : std::log1p(z) / (n.b - n.a);
        }
        if (turn > 0.0 && turn < length) {
            offer(V_at(neuron, k, turn), k, turn);
            return;  // one turn at most, and it falls from there
        }
        const double V_end = V_at(neuron, k, length);
        if (!offer(V_end, k, length)) return;
        const auto next = static_cast<std::size_t>(k + 1);
        if (next >= tape.events.size()) return;
        const NeuronEvent& event = tape.events[next];
        if (event.kind == NeuronEvent::Kind::spike) {
            peak.is_spike = tape.spikes[event.number].cause == NeuronSpike::Cause::crossing;
        } else if (event.kind == NeuronEvent::Kind::arrival) {
            const double jump = n.J * tape.arrivals[event.number].weight;
            const double I_before = n.has_current ? event.I - jump : 0.0;
            peak.moves_with = static_cast<std::int64_t>(next);
            peak.slope = n.slope(V_end, I_before);
        }
    });
    return peak;
}

/// The interval that holds a time, after all that happens at it.
struct CircuitRun::Place {
    std::int64_t interval = -1;
    double x = 0.0;
};

CircuitRun::Place CircuitRun::place_of(std::uint32_t neuron, double time) const {
    const auto& events = tapes_[neuron].events;
    const auto after_it =
        std::upper_bound(events.begin(), events.end(), time,
                         [](double t, const NeuronEvent& event) { return t < seconds(event.at); });
    const auto k = static_cast<std::int64_t>(after_it - events.begin()) - 1;
    return {k, k < 0 ? time : time - seconds(events[static_cast<std::size_t>(k)].at)};
}

std::vector<double> CircuitRun::potentials(const PotentialWish& wish) const {
    const std::uint32_t q = circuit_.network().index_of(wish.population);
    if (circuit_.network().populations()[q].is_source()) {
        throw UsageError("loss: " + quoted(wish.population) + " is a source of spikes and has no potential.");
    }
    const std::uint32_t first = circuit_.first(q);
    std::vector<double> values;
    if (wish.kind == PotentialWish::Kind::samples) {
        for (std::size_t k = 0; k < wish.neurons.size(); ++k) {
            if (wish.neurons[k] >= circuit_.network().populations()[q].size()) {
                throw UsageError("loss: " + quoted(wish.population) + " has no neuron of number " +
                                 std::to_string(wish.neurons[k]) + ".");
            }
            const double t = wish.times[k];
            if (!(t >= 0.0 && t <= Duration(end_).seconds())) {
                throw UsageError("loss: expected a time within the run, 0 to " + to_string(Duration(end_)) +
                                 ", found " + shown(t) + " s.");
            }
            const Place place = place_of(first + wish.neurons[k], t);
            values.push_back(V_at(first + wish.neurons[k], place.interval, place.x));
        }
        return values;
    }
    for (std::uint32_t i = first; i < circuit_.first(q + 1); ++i) {
        if (wish.kind == PotentialWish::Kind::maximum) {
            values.push_back(peak_of(i).V);
            continue;
        }
        const double mu = wish.decay > 0.0 ? 1.0 / wish.decay : 0.0;
        const LinearNeuron& n = circuit_.linear(i);
        double sum = 0.0;
        each_interval(i, [&](std::int64_t, double start, double length, double V, double I, bool stands) {
            const double weight = std::exp(-mu * start);
            sum += weight * (stands ? V * neurons::detail::response(mu, 0.0, length)
                                    : PotentialIntegral(n, mu, length).of(n, V, I));
        });
        values.push_back(sum);
    }
    return values;
}

void CircuitRun::seed(const PotentialWish& wish, std::span<const double> derivative) {
    const std::uint32_t q = circuit_.network().index_of(wish.population);
    const std::uint32_t first = circuit_.first(q);
    const auto add = [&](std::uint32_t neuron, const PotentialSeed& seed) {
        auto& seeds = seeds_[neuron].potentials;
        const auto by_time = [](const PotentialSeed& a, const PotentialSeed& b) {
            return std::tie(a.interval, a.x) < std::tie(b.interval, b.x);
        };
        seeds.insert(std::upper_bound(seeds.begin(), seeds.end(), seed, by_time), seed);
    };
    if (wish.kind == PotentialWish::Kind::samples) {
        for (std::size_t k = 0; k < wish.neurons.size(); ++k) {
            const Place place = place_of(first + wish.neurons[k], wish.times[k]);
            add(first + wish.neurons[k], {place.interval, place.x, derivative[k]});
        }
        return;
    }
    for (std::uint32_t i = first; i < circuit_.first(q + 1); ++i) {
        const double c = derivative[i - first];
        if (c == 0.0) continue;
        if (wish.kind == PotentialWish::Kind::integral) {
            const double mu = wish.decay > 0.0 ? 1.0 / wish.decay : 0.0;
            PotentialLoss& loss = seeds_[i].potential;
            if (loss.c != 0.0 && loss.mu != mu) {
                throw LimitError("loss: integrals of one potential with two decays are not built.");
            }
            loss = {loss.c + c, mu};
            continue;
        }
        Peak peak = peak_of(i);
        if (peak.is_spike) {
            seeds_[i].V_th += c;
            continue;
        }
        peak.seed.dL_dV = c;
        add(i, peak.seed);
        if (peak.moves_with >= 0)
            seeds_[i].events.push_back({static_cast<std::size_t>(peak.moves_with), c * peak.slope});
    }
}

void CircuitRun::seed(std::uint32_t neuron, std::size_t k, double dL_dt) {
    auto& spikes = seeds_[neuron].spikes;
    spikes.resize(spike_count(neuron), 0.0);
    spikes[k] += dL_dt;
}

/// Neurons, as often as each has events, in the reversed order of these: an arrival comes before its spike.
std::vector<std::uint32_t> CircuitRun::order_of_events() const {
    const auto populations = circuit_.network().populations();
    std::vector<std::uint32_t> order;
    if (!circuit_.loops()) {
        for (auto q = circuit_.order().rbegin(); q != circuit_.order().rend(); ++q) {
            if (populations[*q].is_source()) continue;
            for (std::uint32_t i = circuit_.first(*q); i < circuit_.first(*q + 1); ++i)
                order.insert(order.end(), tapes_[i].events.size(), i);
        }
        return order;
    }
    const std::vector<std::uint32_t> levels = circuit_.network().levels();
    struct Key {
        std::int64_t time;
        std::uint32_t level;
        std::uint32_t neuron;
    };
    std::vector<Key> keys;
    for (std::uint32_t q = 0; q < populations.size(); ++q) {
        for (std::uint32_t i = circuit_.first(q); i < circuit_.first(q + 1); ++i) {
            for (const NeuronEvent& event : tapes_[i].events)
                keys.push_back({event.at.tick.femtoseconds(), levels[q], i});
        }
    }
    std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
        return std::tie(b.time, b.level, b.neuron) < std::tie(a.time, a.level, a.neuron);
    });
    order.reserve(keys.size());
    for (const Key& key : keys) order.push_back(key.neuron);
    return order;
}

void CircuitRun::go_back(const Sums& sums, double largest_factor) {
    errors_.assign(first_spike_.back(), 0.0);
    events_ = bounded_ = 0;
    const auto populations = circuit_.network().populations();
    std::vector<NeuronReturn> returns;
    returns.reserve(circuit_.neurons());
    for (std::uint32_t i = 0; i < circuit_.neurons(); ++i) {
        returns.emplace_back(circuit_.linear(i), tapes_[i], seeds_[i], end_, largest_factor,
                             sums.by_neuron.empty() ? nullptr : &sums.by_neuron[i]);
    }
    for (const std::uint32_t i : order_of_events()) {
        returns[i].step([&](std::size_t k) { return errors_[first_spike_[i] + k]; },
                        [&](const NeuronArrival& arrival, double by_weight, double by_time) {
                            const Synapse& synapse = circuit_.synapses()[arrival.synapse];
                            sums.by_weight[arrival.synapse] += by_weight;
                            if (!sums.by_delay.empty()) sums.by_delay[arrival.synapse] += by_time;
                            errors_[first_spike_[synapse.source] + arrival.spike] += by_time;
                            ++events_;
                        });
    }
    for (std::uint32_t q = 0; q < populations.size(); ++q) {
        for (std::uint32_t i = circuit_.first(q); i < circuit_.first(q + 1); ++i) {
            if (!populations[q].is_source()) returns[i].finish();
            bounded_ += returns[i].bounded();
            const auto& spikes = seeds_[i].spikes;
            for (std::size_t k = 0; k < spikes.size(); ++k) errors_[first_spike_[i] + k] += spikes[k];
        }
    }
}

}  // namespace saltus::learning
