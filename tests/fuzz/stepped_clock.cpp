#include <array>
#include <bit>
#include <cmath>
#include <stdexcept>
#include <string>

#include "choices.hpp"
#include "clocks.hpp"
#include "saltus/engine/stepped.hpp"
#include "stepped_reference.hpp"

namespace saltus::fuzz {

namespace {

using namespace stepped;

NeuronRule rule_choice(Choices& choices) {
    NeuronRule rule;
    rule.current = choices.any(Current::low_pass);
    rule.membrane = choices.any(Membrane::closed_form);
    rule.leak = choices.any(Leak::exponential);
    rule.retention = choices.one_of(std::array{1.0, 0.9, 0.5});
    rule.R = choices.any(Resistance::one_over_dt);
    rule.w_in = choices.any(InputGain::tau_syn_over_dt);
    rule.input_gain = choices.one_of(std::array{1.0, 0.3, -2.0});
    rule.rest = choices.any(Rest::added);
    rule.reset = choices.any(Reset::subtract);
    rule.reset_time = choices.any(ResetTime::before_and_after);
    rule.floor = choices.any(Floor::zero);
    rule.start = choices.any(Start::V_0);
    rule.shared = choices.any(Shared::everything);
    rule.spike_height = choices.one_of(std::array{1.0, 0.7, 2.0});
    const std::uint8_t flags = choices.byte();
    rule.input_times_leak = (flags & 1) != 0;
    rule.current_rests_at_E_L = (flags & 2) != 0;
    rule.in_thresholds = (flags & 4) != 0;
    rule.fires_at_threshold = (flags & 8) != 0;
    rule.counts = (flags & 16) != 0;
    rule.height_per_second = (flags & 32) != 0;
    rule.arrival = (flags & 64) != 0 ? Arrival::after_test : Arrival::before_test;
    rule.record_before_reset = (flags & 128) != 0;
    return rule;
}

/// A number that the choice before it does not determine alone, on a grid of 1/16.
class Numbers {
  public:
    explicit Numbers(std::uint32_t seed) : state_(seed * 2654435761u + 1u) {}
    std::uint32_t below(std::uint32_t n) {
        state_ = state_ * 1664525u + 1013904223u;
        return (state_ >> 16) % n;
    }
    double on_grid(double low, double high) {
        return low + below(static_cast<std::uint32_t>((high - low) * 16.0) + 1) / 16.0;
    }

  private:
    std::uint32_t state_;
};

template <class P>
neurons::Model model_choice(Choices& choices, std::uint32_t size, double dt) {
    const bool each = choices.yes();
    const std::uint8_t R = choices.byte();
    const std::uint8_t gain = choices.byte();
    Numbers numbers(choices.byte());
    neurons::PerNeuron<P> all(each ? size : 1);
    for (std::size_t i = 0; i < all.size(); ++i) {
        P& p = all[i];
        if constexpr (requires { p.tau_m; }) p.tau_m = dt * numbers.on_grid(1.5, 20.0);
        if constexpr (requires { p.tau_syn; }) {
            p.tau_syn = dt * numbers.on_grid(1.5, 20.0);
            p.w_in = gain % 3 == 0 ? 1.0 : gain % 3 == 1 ? p.tau_syn / dt : numbers.on_grid(0.5, 2.0);
        }
        if constexpr (requires { p.V_0; }) p.V_0 = numbers.on_grid(-1.0, 2.0);
        if constexpr (requires { p.R; }) {
            p.R = R % 4 == 0 ? 1.0 : R % 4 == 1 ? 1.0 / dt : numbers.on_grid(0.5, 2.0);
            if constexpr (requires { p.tau_m; })
                if (R % 4 == 3) p.R = p.tau_m / dt;
        }
        if constexpr (neurons::Spiking<P>) p.V_th = numbers.on_grid(0.25, 2.0);
        if constexpr (requires { p.V_reset = 0.0; }) {
            p.V_reset = numbers.on_grid(-0.5, 0.25);
            if ((R & 16) != 0) p.t_ref = Duration(numbers.below(4) * std::int64_t{400'000'000'000});
            if ((R & 32) != 0) p.reset = static_cast<neurons::Reset>(numbers.below(3));
        }
        if constexpr (requires { p.E_L; }) {
            if ((gain & 16) != 0) p.E_L = numbers.on_grid(-0.5, 0.5);
            if constexpr (requires { p.V_reset; })
                if ((gain & 32) != 0) p.E_L = p.V_reset;
        }
    }
    return all;
}

neurons::Model model_choice(Choices& choices, std::uint32_t size, double dt) {
    switch (choices.below(7)) {
        case 0:
            return model_choice<neurons::Lif>(choices, size, dt);
        case 1:
            return model_choice<neurons::If>(choices, size, dt);
        case 2:
            return model_choice<neurons::CubaLif>(choices, size, dt);
        case 3:
            return model_choice<neurons::Li>(choices, size, dt);
        case 4:
            return model_choice<neurons::CubaLi>(choices, size, dt);
        case 5:
            return model_choice<neurons::Integrator>(choices, size, dt);
        default:
            return model_choice<neurons::Threshold>(choices, size, dt);
    }
}

/// Half a step more is rounded up.
std::uint32_t steps_of(Duration delay, Duration dt) {
    return static_cast<std::uint32_t>((2 * delay.femtoseconds() + dt.femtoseconds()) /
                                      (2 * dt.femtoseconds()));
}

struct Stages {
    std::vector<Stage> stages;
    PlainProjection plain;
};

Stages stages_choice(Choices& choices, std::uint32_t source, std::uint32_t target,
                     const std::vector<Population>& populations, Duration dt) {
    const std::uint32_t inputs = populations[source].size();
    const std::uint32_t outputs = populations[target].size();
    Stages chain{{}, {source, target, {}, {}, 0}};
    const std::uint8_t kind = choices.byte();
    const std::uint8_t delays = choices.byte();
    Numbers numbers(choices.byte());
    // Quarters of a step, so that some are rounded up, some down, and some are whole.
    const auto delay = [&] { return Duration(numbers.below(14) * (dt.femtoseconds() / 4)); };
    const Duration all = delays % 3 == 0 ? Duration() : delay();
    if (kind % 3 == 0) {
        std::vector<NeuronIndex> pre, post;
        std::vector<double> weight;
        std::vector<Duration> each;
        for (NeuronIndex i = 0; i < inputs; ++i) {
            for (NeuronIndex j = 0; j < outputs; ++j) {
                if (numbers.below(3) == 0) continue;
                pre.push_back(i);
                post.push_back(j);
                weight.push_back(numbers.on_grid(-1.0, 1.5));
                each.push_back(delays % 3 == 2 ? delay() : all);
                chain.plain.synapses.push_back({i, j, weight.back(), steps_of(each.back(), dt)});
            }
        }
        chain.stages.emplace_back(Sparse::of("sparse", inputs, outputs, pre, post, weight, each));
        return chain;
    }
    if (kind % 3 == 1 && inputs == outputs) {  // one to one, each with its own delay
        std::vector<Duration> each;
        for (NeuronIndex i = 0; i < inputs; ++i) {
            each.push_back(delays % 3 == 2 ? delay() : all);
            chain.plain.synapses.push_back({i, i, 1.0, steps_of(each.back(), dt)});
        }
        chain.stages.emplace_back(Delay{"delay", inputs, each});
        return chain;
    }
    std::vector<double> weights, bias;
    for (NeuronIndex i = 0; i < inputs; ++i) {
        for (NeuronIndex j = 0; j < outputs; ++j) {
            weights.push_back(numbers.on_grid(-1.0, 1.5));
            chain.plain.synapses.push_back({i, j, weights.back(), steps_of(all, dt)});
        }
    }
    if (kind % 2 == 1)
        for (NeuronIndex j = 0; j < outputs; ++j) bias.push_back(numbers.on_grid(-0.25, 0.5));
    chain.stages.emplace_back(Dense{"dense", 1, inputs, outputs, Weights(weights), Weights(bias)});
    if (all != Duration()) chain.stages.emplace_back(Delay{"delay", outputs, {all}});
    chain.plain.bias = bias;
    chain.plain.bias_step = steps_of(all, dt);
    return chain;
}

void expect_same(const std::vector<double>& found, const std::vector<double>& expected, std::size_t neurons,
                 const std::string& what) {
    if (found.size() < expected.size()) throw std::logic_error(what + ": some are missing");
    for (std::size_t k = 0; k < expected.size(); ++k) {
        if (found[k] == expected[k]) continue;  // 0 is as good as -0
        throw std::logic_error(what + " of neuron " + std::to_string(k % neurons) + " in step " +
                               std::to_string(k / neurons) + ": expected " + std::to_string(expected[k]) +
                               ", found " + std::to_string(found[k]));
    }
}

}  // namespace

void compare_with_plain_steps(const std::filesystem::path& path) {
    Choices choices(path);
    SteppedRules rules;
    rules.name = "chosen";
    rules.dt = Duration(
        choices.one_of(std::array<std::int64_t, 3>{1'000'000'000'000, 500'000'000'000, 300'000'000'000}));
    rules.precision = choices.any(Precision::float64);
    rules.without_leak = rule_choice(choices);
    rules.with_leak = rule_choice(choices);
    rules.with_current = rule_choice(choices);
    rules.needs_delay = choices.below(16) == 1;

    PlainNetwork plain;
    const auto size = [&] { return choices.one_of(std::array{1u, 2u, 3u, 8u, 9u, 66u}); };
    plain.populations.push_back({"in", {size()}, neurons::Input{}});
    for (std::uint32_t q = 1 + choices.below(3); q > 0; --q) {
        const std::uint32_t n = size();
        plain.populations.push_back(
            {"p" + std::to_string(q), {n}, model_choice(choices, n, rules.dt.seconds())});
    }
    const auto count = static_cast<std::uint32_t>(plain.populations.size());
    std::vector<Projection> projections;
    const auto connect = [&](std::uint32_t source, std::uint32_t target) {
        Stages chain = stages_choice(choices, source, target, plain.populations, rules.dt);
        projections.push_back({source, target, std::move(chain.stages)});
        plain.projections.push_back(std::move(chain.plain));
    };
    for (std::uint32_t q = 1; q < count; ++q) connect(q - 1, q);
    for (std::uint32_t k = choices.below(3); k > 0; --k) {
        const std::uint32_t source = choices.below(count);
        connect(source, 1 + choices.below(count - 1));
    }

    constexpr std::uint32_t steps = 24;
    std::vector<std::vector<double>> signals(count);
    Numbers numbers(choices.byte());
    const std::uint32_t every = 1 + choices.below(4);
    const bool graded = choices.yes();
    const std::uint32_t inputs = plain.populations[0].size();
    for (std::uint32_t k = 0; k < steps * inputs; ++k)
        signals[0].push_back(numbers.below(every) != 0 ? 0.0 : graded ? numbers.on_grid(-2.0, 2.0) : 1.0);

    const SteppedSimulation simulation(Network(plain.populations, projections), rules);
    SteppedOptions options;
    options.steps = steps;
    options.record_potentials = true;
    const SteppedSample sample{{{"in", Raster::of(signals[0], inputs, "in")}}};
    const SteppedSample silent;
    options.threads = 1 + choices.below(2);
    // One thread takes up the state of the sample before.
    const std::vector<SteppedRecord> records = simulation.run({silent, sample, sample}, options);
    const std::vector<PlainRecord> expected = plain_steps(plain, rules, signals, steps);
    for (const SteppedRecord& record : {records[1], records[2]}) {
        for (std::uint32_t q = 1; q < count; ++q) {
            const std::string name = " of population " + std::to_string(q);
            const std::uint32_t n = plain.populations[q].size();
            if (neurons::is_spiking(plain.populations[q].model))
                expect_same(record.spikes[q].dense(), expected[q].sent, n, "spikes" + name);
            expect_same(record.potentials[q], expected[q].potentials, n, "potentials" + name);
            expect_same(record.currents[q], expected[q].currents, n, "currents" + name);
        }
    }
}

}  // namespace saltus::fuzz
