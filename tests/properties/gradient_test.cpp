// Exact gradients of random networks against central differences of the exact simulation: every model, every
// kind of parameter, recurrent, with delays and refractory periods, losses of spike times and of potentials.
//
// A difference is taken with two steps. Where these disagree, a spike or an order of events has come or gone
// between them, or is about to: there is nothing to compare. Such are counted, and must be few.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/event_prop.hpp"
#include "saltus/engine/random.hpp"

namespace saltus::learning {
namespace {

constexpr double milli = 1e-3;
constexpr Duration duration{40'000'000'000'000};

enum class Kind { lif_exp, lif_exp_equal, if_exp, lif_delta, if_delta, li_exp, li_delta };

/// A network as numbers, so that each can be moved by itself.
struct Neuron {
    std::map<std::string, double> values;  // by the names of Gradient::populations
};
struct Synapse {
    std::uint32_t source;
    NeuronIndex pre;
    std::uint32_t target;
    NeuronIndex post;
    double weight;
    double delay;
};
struct Spec {
    std::vector<Kind> kinds;  // of the populations after the input
    std::vector<std::vector<Neuron>> neurons;
    std::vector<Synapse> synapses;
    std::vector<std::pair<double, NeuronIndex>> input;
    bool refractory = false;
};

Duration ticks(double seconds) {
    return duration_from_seconds(seconds);
}

neurons::Model model_of(Kind kind, const std::vector<Neuron>& all, bool refractory) {
    const auto per_neuron = [&]<class P>(P) {
        neurons::PerNeuron<P> model;
        for (const Neuron& neuron : all) {
            P p;
            const auto set = [&](const char* name, double& member) { member = neuron.values.at(name); };
            if constexpr (requires { p.tau_m; }) set("tau_m", p.tau_m);
            if constexpr (requires { p.tau_syn; }) set("tau_syn", p.tau_syn);
            set("R", p.R);
            if constexpr (requires { p.E_L; }) set("E_L", p.E_L);
            if constexpr (requires { p.I_e; }) set("I_e", p.I_e);
            if constexpr (requires { p.V_th; }) {
                set("V_th", p.V_th);
                set("V_reset", p.V_reset);
                if (refractory) p.t_ref = ticks(1.3 * milli);
            }
            set("V_0", p.V_0);
            model.push_back(p);
        }
        return neurons::Model(std::move(model));
    };
    switch (kind) {
        case Kind::lif_exp:
        case Kind::lif_exp_equal:
            return per_neuron(neurons::CubaLif());
        case Kind::if_exp:
            return per_neuron(neurons::IfExp());
        case Kind::lif_delta:
            return per_neuron(neurons::Lif());
        case Kind::if_delta:
            return per_neuron(neurons::If());
        case Kind::li_exp:
            return per_neuron(neurons::CubaLi());
        case Kind::li_delta:
            return per_neuron(neurons::Li());
    }
    return {};
}

struct Built {
    Network network;
    std::vector<InputSpikes> inputs;
};
Built build(const Spec& spec) {
    std::vector<Population> populations{{"input", {3}, neurons::Input{}}};
    for (std::size_t q = 0; q < spec.kinds.size(); ++q) {
        populations.push_back({"p" + std::to_string(q + 1),
                               {static_cast<std::uint32_t>(spec.neurons[q].size())},
                               model_of(spec.kinds[q], spec.neurons[q], spec.refractory)});
    }
    std::vector<Projection> projections;
    for (const Synapse& s : spec.synapses) {
        projections.push_back({s.source,
                               s.target,
                               {Sparse::of("", populations[s.source].size(), populations[s.target].size(),
                                           {s.pre}, {s.post}, {s.weight}, {ticks(s.delay)})}});
    }
    SpikeTrain train;
    for (const auto& [time, neuron] : spec.input) train.add(Time(ticks(time)), neuron);
    return {Network(std::move(populations), std::move(projections)), {{"input", train}}};
}

class Draw {
  public:
    explicit Draw(std::uint64_t seed) : random_(seed, 1, 0) {}
    double between(double low, double high) { return low + (high - low) * random_.uniform(); }
    std::uint64_t below(std::uint64_t n) { return random_.below(n); }

  private:
    SequentialRandom random_;
};

Neuron any_neuron(Kind kind, Draw& draw) {
    Neuron n;
    const bool leaks = kind != Kind::if_exp && kind != Kind::if_delta;
    const bool current = kind != Kind::lif_delta && kind != Kind::if_delta && kind != Kind::li_delta;
    const bool fires = kind != Kind::li_exp && kind != Kind::li_delta;
    auto& v = n.values;
    if (leaks) v["tau_m"] = draw.between(8.0, 20.0) * milli;
    if (current) v["tau_syn"] = kind == Kind::lif_exp_equal ? v["tau_m"] : draw.between(3.0, 9.0) * milli;
    v["R"] = leaks ? draw.between(0.8, 1.2) : draw.between(80.0, 140.0);
    if (leaks) v["E_L"] = draw.between(-0.1, 0.1);
    v["V_0"] = draw.between(-0.2, 0.3);
    if (!fires) return n;
    // Without a current only a drive makes neurons whose times depend on all that is theirs.
    v["I_e"] = current ? draw.between(-0.05, 0.2) : (leaks ? draw.between(1.1, 1.5) : draw.between(0.8, 1.2));
    v["V_th"] = draw.between(0.8, 1.2);
    v["V_reset"] = draw.between(-0.2, 0.2);
    return n;
}

Spec any_network(std::uint64_t seed) {
    Draw draw(seed);
    constexpr Kind hidden[] = {Kind::lif_exp, Kind::lif_exp_equal, Kind::if_exp, Kind::lif_delta,
                               Kind::if_delta};
    Spec spec;
    spec.refractory = draw.below(3) == 0;
    spec.kinds = {hidden[seed % 5], hidden[draw.below(5)],
                  draw.below(2) == 0 ? Kind::li_exp : Kind::li_delta};
    const std::uint32_t sizes[] = {3, 4, 3, 2};
    for (std::size_t q = 0; q < 3; ++q) {
        auto& population = spec.neurons.emplace_back();
        for (std::uint32_t i = 0; i < sizes[q + 1]; ++i)
            population.push_back(any_neuron(spec.kinds[q], draw));
    }
    const auto connect = [&](std::uint32_t source, std::uint32_t target, double low, double high) {
        const bool current = spec.kinds[target - 1] != Kind::lif_delta &&
                             spec.kinds[target - 1] != Kind::if_delta &&
                             spec.kinds[target - 1] != Kind::li_delta;
        const double gain = current ? 1.0 : 0.15;
        for (std::uint32_t i = 0; i < sizes[source]; ++i) {
            for (std::uint32_t j = 0; j < sizes[target]; ++j) {
                if (draw.below(4) == 0) continue;
                spec.synapses.push_back(
                    {source, i, target, j, gain * draw.between(low, high), draw.between(0.5, 6.0) * milli});
            }
        }
    };
    connect(0, 1, 0.5, 2.5);
    connect(0, 2, 0.3, 2.0);
    connect(1, 1, -0.8, 0.6);
    connect(1, 2, -0.5, 1.2);
    connect(2, 1, -0.8, 0.8);
    connect(1, 3, -1.0, 1.0);
    connect(2, 3, -1.0, 1.0);
    for (std::uint32_t k = 0; k < 9; ++k)
        spec.input.push_back({draw.between(0.5, 25.0) * milli, static_cast<NeuronIndex>(draw.below(3))});
    std::sort(spec.input.begin(), spec.input.end());
    return spec;
}

/// Squared errors of all spikes (times in ms), and potentials of the readout: mean, largest, samples.
std::shared_ptr<const Loss> any_loss(const Gradient& base, std::uint64_t seed) {
    Draw draw(seed + 1'000'000);
    std::vector<SpikeTarget> targets;
    for (std::uint32_t q = 1; q < 3; ++q) {
        for (NeuronIndex i = 0; i < base.spikes[q].size(); ++i) {
            for (std::uint32_t k = 0; k < base.spikes[q][i].size(); ++k) {
                targets.push_back(
                    {"p" + std::to_string(q), i, k, base.spikes[q][i][k] + draw.between(-3.0, 3.0) * milli});
            }
        }
    }
    ClassLoss mean;
    mean.kind = ClassLoss::Kind::mean_potential;
    mean.gain = 10.0;
    if (draw.below(2) == 0) mean.decay = 15.0 * milli;
    ClassLoss largest;
    largest.kind = ClassLoss::Kind::largest_potential;
    largest.gain = 3.0;
    return sum_of_losses({{1e6, spike_time_loss(targets)},
                          {1.0, class_loss("p3", mean, 1)},
                          {1.0, class_loss("p3", largest, 0)},
                          {4.0, potential_loss({{"p3", 0, draw.between(5.0, 38.0) * milli, 0.3},
                                                {"p1", 2, draw.between(5.0, 38.0) * milli, 0.2}})}});
}

std::optional<double> loss_of(const Spec& spec, const Loss& loss, const Gradient& base) {
    const Built built = build(spec);
    try {
        const Gradient run = gradient(built.network, built.inputs, loss, {.duration = duration});
        for (std::size_t q = 0; q < run.spikes.size(); ++q) {
            for (std::size_t i = 0; i < run.spikes[q].size(); ++i) {
                if (run.spikes[q][i].size() != base.spikes[q][i].size()) return std::nullopt;
            }
        }
        return run.loss;
    } catch (const UsageError&) {
        return std::nullopt;  // a spike that the loss asks for has gone
    }
}

struct Entry {
    double* value;
    double gradient;
    double step;
};

/// Every number of the network with its derivative, by kind.
std::map<std::string, std::vector<Entry>> entries(Spec& spec, const Gradient& found) {
    std::map<std::string, std::vector<Entry>> all;
    for (std::size_t q = 0; q < spec.neurons.size(); ++q) {
        for (std::size_t i = 0; i < spec.neurons[q].size(); ++i) {
            for (auto& [name, value] : spec.neurons[q][i].values) {
                const double scale = name == "R"               ? std::abs(value)
                                     : name.starts_with("tau") ? 10.0 * milli
                                                               : 1.0;
                all[name].push_back({&value, found.populations[q + 1].at(name)[i], 1e-6 * scale});
            }
        }
    }
    for (std::size_t s = 0; s < spec.synapses.size(); ++s) {
        const auto& of_stage = found.projections[s][0];
        all["weight"].push_back({&spec.synapses[s].weight, of_stage.weights[0], 1e-6});
        all["delay"].push_back({&spec.synapses[s].delay, of_stage.delays[0], 1e-6 * 10.0 * milli});
    }
    std::map<NeuronIndex, std::size_t> counts;
    for (auto& [time, neuron] : spec.input)
        all["input time"].push_back({&time, found.times[0][neuron][counts[neuron]++], 1e-6 * 10.0 * milli});
    return all;
}

TEST_SUITE("properties/gradient") {
    TEST_CASE("gradients are central differences of the exact simulation") {
        std::size_t compared = 0;
        std::size_t asked = 0;
        std::size_t spikes = 0;
        for (std::uint64_t seed = 0; seed < 40; ++seed) {
            CAPTURE(seed);
            Spec spec = any_network(seed);
            const Built built = build(spec);
            const Gradient base =
                gradient(built.network, built.inputs, *spike_time_loss({}), {.duration = duration});
            const auto loss = any_loss(base, seed);
            const Gradient found = gradient(built.network, built.inputs, *loss, {.duration = duration});
            CHECK(found.bounded == 0);
            for (const auto& population : found.spikes) {
                for (const auto& times : population) spikes += times.size();
            }
            for (auto& of_kind : entries(spec, found)) {
                const auto& kind = of_kind.first;
                auto& group = of_kind.second;
                CAPTURE(kind);
                double largest = 0.0;
                for (const Entry& entry : group) largest = std::max(largest, std::abs(entry.gradient));
                for (std::size_t k = 0; k < group.size(); ++k) {
                    const Entry& entry = group[k];
                    const double at = *entry.value;
                    const auto difference = [&](double h) -> std::optional<double> {
                        *entry.value = at + h;
                        const auto up = loss_of(spec, *loss, found);
                        *entry.value = at - h;
                        const auto down = loss_of(spec, *loss, found);
                        *entry.value = at;
                        if (!up || !down) return std::nullopt;
                        return (*up - *down) / (2.0 * h);
                    };
                    ++asked;
                    const auto coarse = difference(2.0 * entry.step);
                    const auto fine = difference(entry.step);
                    const double bound =
                        1e-4 * std::max(largest, std::abs(entry.gradient)) + 1e-7 / entry.step * 1e-6;
                    if (!coarse || !fine || std::abs(*coarse - *fine) > bound) continue;
                    ++compared;
                    CAPTURE(k);
                    CHECK(std::abs(*fine - entry.gradient) <= 2.0 * bound);
                }
            }
        }
        MESSAGE(compared, " of ", asked, " derivatives compared, ", spikes, " spikes");
        CHECK(compared > asked * 9 / 10);
        CHECK(spikes > 40 * 20);
    }
}

}  // namespace
}  // namespace saltus::learning
