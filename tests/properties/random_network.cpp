#include "random_network.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>
#include <string>

#include "saltus/engine/random.hpp"

namespace saltus::properties {

namespace {

constexpr std::array kinds{"input", "lif",       "if",       "poisson",   "regular",
                           "given", "threshold", "exp",      "exp_equal", "exp_slow",
                           "exp2",  "alpha",     "adaptive", "qif",       "ramp"};
constexpr std::array wirings{"one_to_one", "all_to_all", "indegree", "outdegree",   "total",
                             "bernoulli",  "sparse",     "dense",    "delay_chain", "sparse_chain"};
constexpr std::array delay_kinds{"one", "grid", "anywhere", "none"};
constexpr std::array amplitude_kinds{"one", "grid", "anywhere"};
constexpr std::array resets{"to_value", "subtract", "repeated"};

constexpr std::int64_t quarter_ms = 250'000'000'000;
constexpr std::uint32_t degree = 8;  // synapses of a neuron where the rule does not say otherwise

/// Draws that follow from a seed, one after the other.
class Draws {
  public:
    explicit Draws(std::uint64_t seed) : random_(seed, 0, 1) {}
    /// In {low, ..., high}.
    std::int64_t whole(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(high - low + 1)));
    }
    NeuronIndex neuron(std::uint32_t size) { return static_cast<NeuronIndex>(random_.below(size)); }
    double real(double low, double high) { return low + (high - low) * random_.uniform(); }

  private:
    SequentialRandom random_;
};

SpikeTrain spikes_on_grid(std::uint32_t size, Draws& draws) {
    SpikeTrain train;
    const std::int64_t n = draws.whole(1, 4 * size);
    for (std::int64_t k = 0; k < n; ++k) {
        train.add(Time(Duration(draws.whole(0, 79) * quarter_ms)), draws.neuron(size));
    }
    train.sort();
    return train;
}

/// A driven neuron of each of these rests above its threshold of 1.
template <class P>
void drive(P& p, bool driven, Draws& draws) {
    p.I_e = driven ? draws.real(1.2, 1.6) : draws.real(-0.1, 0.3);
}
void drive(neurons::If& p, bool driven, Draws& draws) {
    p.I_e = driven ? draws.real(100.0, 300.0) : 0.0;
}
void drive(neurons::Qif& p, bool driven, Draws& draws) {
    p.I_e = driven ? draws.real(0.5, 2.0) : -0.25;
    p.V_th = 1.0;
    p.V_reset = -1.0;
    p.V_0 = -0.5;
}

void drive(neurons::RampIf& p, bool driven, Draws& draws) {
    p.t_min = 0.25e-3 * static_cast<double>(draws.whole(0, 32));
    p.t_max = p.t_min + 0.25e-3 * static_cast<double>(draws.whole(0, 64));
    p.slope = 250.0;
    p.R = 250.0;
    p.I_e = driven ? draws.real(0.5, 1.0) : 0.0;
}

template <class P, class Adjust>
neurons::Model neurons_of(const PopulationChoice& choice, Draws& draws, Adjust&& adjust) {
    neurons::PerNeuron<P> all(choice.per_neuron ? choice.size : 1);
    for (P& p : all) {
        p.V_th = 1.0;
        p.t_ref = Duration(choice.t_ref * quarter_ms);
        drive(p, choice.driven, draws);
        if (choice.driven) p.V_0 = draws.real(-0.5, 0.9);
        if constexpr (requires { p.reset = choice.reset; }) p.reset = choice.reset;
        adjust(p);
    }
    return all;
}

neurons::Model model_of(const PopulationChoice& choice) {
    using namespace neurons;
    Draws draws(choice.seed);
    const auto taus = [&](double tau_m, double tau_syn) {
        return [=](auto& p) {
            p.tau_m = tau_m;
            p.tau_syn = tau_syn;
            p.J = tau_m / tau_syn;  // a weight of 1 moves V by about 1
        };
    };
    switch (choice.kind) {
        case Kind::input:
            return Input{};
        case Kind::poisson: {
            PoissonSource source;
            for (std::uint32_t j = 0; j < (choice.per_neuron ? choice.size : 1); ++j)
                source.rate.push_back(draws.real(50.0, 400.0));
            source.seed = choice.seed;
            return source;
        }
        case Kind::regular: {
            RegularSource source;
            for (std::uint32_t j = 0; j < (choice.per_neuron ? choice.size : 1); ++j) {
                source.interval.emplace_back(draws.whole(8, 24) * quarter_ms);
                source.first.emplace_back(Duration(draws.whole(0, 8) * quarter_ms));
            }
            return source;
        }
        case Kind::given:
            return SpikeSource{spikes_on_grid(choice.size, draws)};
        case Kind::threshold: {
            PerNeuron<neurons::Threshold> all(choice.per_neuron ? choice.size : 1);
            for (neurons::Threshold& p : all) p.V_th = 0.25 * static_cast<double>(draws.whole(1, 4));
            return all;
        }
        case Kind::lif:
            return neurons_of<Lif>(choice, draws, [](Lif& p) { p.tau_m = 8e-3; });
        case Kind::integrate_and_fire:
            return neurons_of<If>(choice, draws, [](If&) {});
        case Kind::exp_fast:
            return neurons_of<CubaLif>(choice, draws, taus(10e-3, 2e-3));
        case Kind::exp_equal:
            return neurons_of<CubaLif>(choice, draws, taus(5e-3, 5e-3));
        case Kind::exp_slow:
            return neurons_of<CubaLif>(choice, draws, taus(4e-3, 7e-3));
        case Kind::exp2:
            return neurons_of<LifExp2>(choice, draws, [](LifExp2& p) {
                p.tau_syn_ex = 2e-3;
                p.J = 2.0;
            });
        case Kind::alpha:
            return neurons_of<LifAlpha>(choice, draws, [](LifAlpha& p) {
                p.tau_syn_in = 3e-3;
                p.J = 2.0;
            });
        case Kind::adaptive:
            return neurons_of<LifAdaptive>(choice, draws, [](LifAdaptive& p) { p.th_jump = 0.125; });
        case Kind::qif:
            return neurons_of<Qif>(choice, draws, [](Qif&) {});
        case Kind::ramp:
            return neurons_of<RampIf>(choice, draws, [](RampIf&) {});
    }
    return Input{};
}

/// Weights of a projection whose neurons each send to `targets` others.
Distribution amplitudes_of(Amplitudes kind, double targets, bool forward) {
    // Along a cycle the weights of one spike sum to about 0, elsewhere to 1 or 2.
    const double most = forward ? std::min(1.0, 4.0 / targets) : std::min(0.5, 0.5 / std::sqrt(targets));
    const double large = std::exp2(std::floor(std::log2(most)));
    switch (kind) {
        case Amplitudes::one:
            return Distribution::constant(forward ? large / 2.0 : -large / 2.0);
        case Amplitudes::grid:
            return Distribution::uniform(forward ? -large / 2.0 : -large, large, large / 4.0);
        case Amplitudes::anywhere:
            return Distribution::uniform(forward ? -large / 2.0 : -large, large);
    }
    return {};
}
Distribution delays_of(Delays kind) {
    switch (kind) {
        case Delays::one:
            return Distribution::constant(0.5e-3);
        case Delays::grid:
            return Distribution::uniform(0.25e-3, 1.5e-3, 0.25e-3);
        case Delays::anywhere:
            return Distribution::uniform(0.3e-3, 2e-3);
        case Delays::none:
            return Distribution::constant(0.0);
    }
    return {};
}
double weight_of(const Distribution& d, Draws& draws) {
    if (d.kind == Distribution::Kind::constant) return d.value;
    if (d.kind == Distribution::Kind::uniform) return draws.real(d.low, d.high);
    return d.low + d.step * static_cast<double>(draws.whole(0, std::lround((d.high - d.low) / d.step)));
}
Duration delay_of(Delays kind, Draws& draws) {
    switch (kind) {
        case Delays::one:
            return Duration(2 * quarter_ms);
        case Delays::grid:
            return Duration(draws.whole(1, 6) * quarter_ms);
        case Delays::anywhere:
            return Duration(draws.whole(quarter_ms + 1, 8 * quarter_ms));
        case Delays::none:
            return Duration();
    }
    return {};
}

Stage sparse_of(std::uint32_t inputs, std::uint32_t outputs, const Distribution& weights, Delays delays,
                Draws& draws) {
    std::vector<NeuronIndex> pre, post;
    std::vector<double> weight;
    std::vector<Duration> delay;
    for (std::uint32_t k = 0; k < degree * inputs / 2; ++k) {
        pre.push_back(draws.neuron(inputs));
        post.push_back(draws.neuron(outputs));
        weight.push_back(weight_of(weights, draws));
        delay.push_back(delay_of(delays, draws));
    }
    return Sparse::of("sparse", inputs, outputs, pre, post, weight, delay);
}

std::vector<Stage> stages_of(const ProjectionChoice& choice, std::uint32_t inputs, std::uint32_t outputs,
                             bool forward) {
    Draws draws(choice.seed);
    const auto weights = [&](double targets) { return amplitudes_of(choice.amplitudes, targets, forward); };
    Wiring wiring = choice.wiring;
    if (inputs != outputs && (wiring == Wiring::one_to_one || wiring == Wiring::delay_chain))
        wiring = Wiring::indegree;
    if (wiring == Wiring::dense) {
        std::vector<double> values(std::size_t{inputs} * outputs);
        for (double& value : values) value = weight_of(weights(outputs), draws);
        std::vector<Stage> stages{Dense{"dense", 1, inputs, outputs, Weights(values), {}}};
        if (choice.delays != Delays::none)
            stages.push_back(Delay{"delay", outputs, {delay_of(choice.delays, draws)}});
        return stages;
    }
    if (wiring == Wiring::sparse) return {sparse_of(inputs, outputs, weights(degree), choice.delays, draws)};
    if (wiring == Wiring::sparse_chain) {
        std::vector<Duration> each;
        for (std::uint32_t j = 0; j < outputs; ++j) each.push_back(delay_of(choice.delays, draws));
        return {Delay{"before", inputs, {delay_of(choice.delays, draws)}},
                sparse_of(inputs, outputs, weights(degree), Delays::none, draws),
                Delay{"after", outputs, choice.delays == Delays::one ? std::vector{each[0]} : each}};
    }
    if (wiring == Wiring::delay_chain) {
        std::vector<Duration> each;
        for (std::uint32_t j = 0; j < outputs; ++j) each.push_back(delay_of(choice.delays, draws));
        return {Delay{"delay", outputs, each}};
    }
    Rule rule;
    rule.name = "rule";
    rule.inputs = inputs;
    rule.outputs = outputs;
    rule.seed = choice.seed;
    rule.delay = delays_of(choice.delays);
    double targets = degree;
    switch (wiring) {
        case Wiring::one_to_one:
            rule.kind = Rule::Kind::one_to_one;
            targets = 1;
            break;
        case Wiring::all_to_all:
            rule.kind = Rule::Kind::all_to_all;
            targets = outputs;
            break;
        case Wiring::outdegree:
            rule.kind = Rule::Kind::fixed_outdegree;
            rule.number = degree;
            break;
        case Wiring::total:
            rule.kind = Rule::Kind::fixed_total_number;
            rule.number = degree * std::uint64_t{inputs};
            break;
        case Wiring::bernoulli:
            rule.kind = Rule::Kind::bernoulli;
            rule.probability = std::min(1.0, double{degree} / outputs);
            break;
        default:
            rule.kind = Rule::Kind::fixed_indegree;
            rule.number = degree;
            targets = std::max(1.0, double{degree} * outputs / inputs);
    }
    rule.weight = weights(targets);
    return {rule};
}

/// Names in an order that is not that of the populations.
std::string name_of(std::uint32_t population, std::uint64_t seed) {
    static constexpr std::string_view letters = "dbeca";
    return std::string(1, letters[(population + seed) % letters.size()]);
}

}  // namespace

void showValue(const NetworkChoice& choice, std::ostream& out) {
    const auto at = [](const auto& names, auto value) { return names[static_cast<std::size_t>(value)]; };
    out << "network seed " << choice.seed;
    for (std::uint32_t q = 0; q < choice.populations.size(); ++q) {
        const PopulationChoice& p = choice.populations[q];
        out << "\n  " << name_of(q, choice.seed) << ": " << p.size << ' ' << at(kinds, p.kind)
            << (p.driven ? " driven" : "") << (p.per_neuron ? " each its own" : "") << " t_ref " << p.t_ref
            << "/4 ms reset " << at(resets, p.reset) << " seed " << p.seed;
    }
    for (const ProjectionChoice& p : choice.projections) {
        out << "\n  " << p.source << " -> " << p.target << ": " << at(wirings, p.wiring) << ", weights "
            << at(amplitude_kinds, p.amplitudes) << ", delays " << at(delay_kinds, p.delays) << ", seed "
            << p.seed;
    }
    out << '\n';
}

Case build(const NetworkChoice& choice) {
    Case result;
    std::vector<std::uint32_t> receivers;
    for (std::uint32_t q = 0; q < choice.populations.size(); ++q) {
        const PopulationChoice& population = choice.populations[q];
        const std::string name = name_of(q, choice.seed);
        result.populations.push_back({name, {population.size}, model_of(population)});
        if (!result.populations.back().is_source()) receivers.push_back(q);
        if (population.kind == Kind::input) {
            Draws draws(population.seed);
            result.inputs.push_back({name, spikes_on_grid(population.size, draws)});
        }
    }
    for (const ProjectionChoice& projection : choice.projections) {
        if (receivers.empty()) break;
        const auto source = static_cast<std::uint32_t>(projection.source % choice.populations.size());
        const std::uint32_t target = receivers[projection.target % receivers.size()];
        const bool forward = source < target;
        ProjectionChoice possible = projection;
        if (!forward && possible.delays == Delays::none) possible.delays = Delays::one;
        result.projections.push_back(
            {source, target,
             stages_of(possible, choice.populations[source].size, choice.populations[target].size, forward)});
    }
    return result;
}

}  // namespace saltus::properties
