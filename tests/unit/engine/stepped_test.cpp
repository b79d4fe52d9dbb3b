#include "saltus/engine/stepped.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "saltus/engine/errors.hpp"

namespace saltus {
namespace {

using namespace stepped;
using neurons::PerNeuron;

constexpr Duration ms{1'000'000'000'000};

Duration milliseconds(std::int64_t n) {
    return Duration(n * ms.femtoseconds());
}

SteppedRules rules_of(const NeuronRule& rule, Precision precision = Precision::float64) {
    SteppedRules rules;
    rules.name = "test";
    rules.precision = precision;
    rules.without_leak = rules.with_leak = rules.with_current = rule;
    return rules;
}

SteppedRecord run(const Network& network, const SteppedRules& rules, const std::vector<double>& input,
                  std::uint32_t steps) {
    const std::uint32_t q = network.index_of("in");
    SteppedSample sample{{{"in", Raster::of(input, network.populations()[q].size(), "in")}}};
    SteppedOptions options;
    options.steps = steps;
    options.record_potentials = true;
    return SteppedSimulation(network, rules).run({sample}, options).at(0);
}

Dense dense(std::uint32_t inputs, std::uint32_t outputs, const std::vector<double>& by_input,
            const std::vector<double>& bias = {}) {
    return {"w", 1, inputs, outputs, Weights(by_input), bias.empty() ? Weights() : Weights(bias)};
}

/// in -> n, with these neurons and stages.
template <class P>
Network two(std::uint32_t inputs, const PerNeuron<P>& model, std::uint32_t size, std::vector<Stage> stages,
            bool loop = false) {
    std::vector<Projection> projections{{0, 1, std::move(stages)}};
    if (loop) projections.push_back({1, 1, {}});
    return {{{"in", {inputs}, neurons::Input{}}, {"n", {size}, model}}, std::move(projections)};
}

/// A plain reference for chains: every stage on dense vectors, by the formula of its documentation.
std::vector<double> sent_on(const Stage& stage, const std::vector<double>& x) {
    std::vector<double> y(stage_size(stage).output, 0.0);
    if (const auto* d = std::get_if<Dense>(&stage)) {
        for (std::size_t b = 0; b < d->blocks; ++b) {
            for (std::size_t o = 0; o < d->outputs; ++o) {
                const std::size_t to = b * d->outputs + o;
                if (!d->bias.empty()) y[to] = d->bias[to];
                for (std::size_t i = 0; i < d->inputs; ++i)
                    y[to] += d->weights[(b * d->inputs + i) * d->outputs + o] * x[b * d->inputs + i];
            }
        }
    } else if (const auto* c = std::get_if<Convolution>(&stage)) {
        const std::uint32_t in_group = c->in_channels / c->groups;
        const std::uint32_t out_group = c->out_channels / c->groups;
        std::size_t to = 0;
        for (std::uint32_t o = 0; o < c->out_channels; ++o) {
            for (std::uint32_t oy = 0; oy < c->out_size[0]; ++oy) {
                for (std::uint32_t ox = 0; ox < c->out_size[1]; ++ox, ++to) {
                    if (!c->bias.empty()) y[to] = c->bias[o];
                    for (std::uint32_t k = 0; k < in_group; ++k) {
                        for (std::uint32_t i = 0; i < c->kernel[0]; ++i) {
                            for (std::uint32_t j = 0; j < c->kernel[1]; ++j) {
                                const std::int64_t iy = std::int64_t{oy} * c->stride[0] +
                                                        std::int64_t{i} * c->dilation[0] - c->padding[0];
                                const std::int64_t ix = std::int64_t{ox} * c->stride[1] +
                                                        std::int64_t{j} * c->dilation[1] - c->padding[1];
                                if (iy < 0 || ix < 0 || iy >= c->in_size[0] || ix >= c->in_size[1]) continue;
                                const std::size_t from = ((o / out_group * in_group + k) * c->in_size[0] +
                                                          static_cast<std::size_t>(iy)) *
                                                             c->in_size[1] +
                                                         static_cast<std::size_t>(ix);
                                y[to] +=
                                    c->weights[((o * in_group + k) * c->kernel[0] + i) * c->kernel[1] + j] *
                                    x[from];
                            }
                        }
                    }
                }
            }
        }
    } else if (const auto* p = std::get_if<Pooling>(&stage)) {
        const double weight = p->kind == Pooling::Kind::sum ? 1.0 : 1.0 / (p->kernel[0] * p->kernel[1]);
        std::size_t to = 0;
        for (std::uint32_t c2 = 0; c2 < p->channels; ++c2) {
            for (std::uint32_t oy = 0; oy < p->out_size[0]; ++oy) {
                for (std::uint32_t ox = 0; ox < p->out_size[1]; ++ox, ++to) {
                    for (std::uint32_t i = 0; i < p->kernel[0]; ++i) {
                        for (std::uint32_t j = 0; j < p->kernel[1]; ++j) {
                            const std::int64_t iy = std::int64_t{oy} * p->stride[0] + i - p->padding[0];
                            const std::int64_t ix = std::int64_t{ox} * p->stride[1] + j - p->padding[1];
                            if (iy < 0 || ix < 0 || iy >= p->in_size[0] || ix >= p->in_size[1]) continue;
                            y[to] += weight *
                                     x[(c2 * p->in_size[0] + static_cast<std::size_t>(iy)) * p->in_size[1] +
                                       static_cast<std::size_t>(ix)];
                        }
                    }
                }
            }
        }
    } else if (const auto* s = std::get_if<Scale>(&stage)) {
        for (std::size_t i = 0; i < x.size(); ++i) y[i] = s->factors[i] * x[i];
    } else {
        y = x;
    }
    return y;
}

/// The drive of the last stage in each step; delays hold back what a stage has sent.
std::vector<std::vector<double>> reference(const std::vector<Stage>& stages, const std::vector<double>& input,
                                           std::size_t inputs, std::size_t steps) {
    std::vector<std::vector<double>> signal(steps);
    for (std::size_t t = 0; t < steps; ++t)
        signal[t].assign(input.begin() + static_cast<std::ptrdiff_t>(t * inputs),
                         input.begin() + static_cast<std::ptrdiff_t>((t + 1) * inputs));
    for (const Stage& stage : stages) {
        if (const auto* d = std::get_if<Delay>(&stage)) {
            std::vector<std::vector<double>> late(steps, std::vector<double>(d->size, 0.0));
            for (std::size_t t = 0; t < steps; ++t) {
                for (std::size_t i = 0; i < d->size; ++i) {
                    const Duration delay = d->delays[d->delays.size() == 1 ? 0 : i];
                    const auto k = static_cast<std::size_t>(delay.femtoseconds() / ms.femtoseconds());
                    if (t >= k) late[t][i] = signal[t - k][i];
                }
            }
            signal = std::move(late);
        } else {
            for (auto& x : signal) x = sent_on(stage, x);
        }
    }
    return signal;
}

/// Multiples of 1/8, so that sums do not depend on their order.
class Draw {
  public:
    explicit Draw(unsigned seed) : random_(seed) {}
    std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }
    std::vector<double> values(std::size_t n, int zeros_of_four = 0) {
        std::vector<double> x(n);
        for (double& v : x)
            v = static_cast<int>(below(4)) < zeros_of_four ? 0.0
                                                           : (static_cast<double>(below(17)) - 8.0) / 8.0;
        return x;
    }

  private:
    std::mt19937 random_;
};

std::uint32_t out_of(std::uint32_t in, std::uint32_t k, std::uint32_t s, std::uint32_t p, std::uint32_t d) {
    return (in + 2 * p - d * (k - 1) - 1) / s + 1;
}

/// A random chain that begins with an image of (channels, height, width).
std::vector<Stage> random_chain(Draw& draw, std::uint32_t channels, std::uint32_t height,
                                std::uint32_t width) {
    std::vector<Stage> stages;
    const std::uint32_t length = 1 + draw.below(4);
    for (std::uint32_t k = 0; k < length; ++k) {
        const std::uint32_t elements = channels * height * width;
        switch (draw.below(5)) {
            case 0: {
                Convolution c;
                c.name = "c";
                c.groups = channels % 2 == 0 ? 1 + draw.below(2) : 1;
                c.in_channels = channels;
                c.out_channels = c.groups * (1 + draw.below(3));
                c.in_size = {height, width};
                c.kernel = {1 + draw.below(std::min(height, 3U)), 1 + draw.below(std::min(width, 3U))};
                c.stride = {1 + draw.below(2), 1 + draw.below(2)};
                c.padding = {draw.below(2), draw.below(2)};
                c.out_size = {out_of(height, c.kernel[0], c.stride[0], c.padding[0], 1),
                              out_of(width, c.kernel[1], c.stride[1], c.padding[1], 1)};
                c.weights = Weights(draw.values(std::size_t{c.out_channels} * channels / c.groups *
                                                c.kernel[0] * c.kernel[1]));
                if (draw.below(2) == 0) c.bias = Weights(draw.values(c.out_channels));
                channels = c.out_channels;
                height = c.out_size[0];
                width = c.out_size[1];
                stages.emplace_back(c);
                break;
            }
            case 1: {
                Pooling p;
                p.name = "p";
                p.kind = draw.below(2) == 0 ? Pooling::Kind::sum : Pooling::Kind::average;
                p.channels = channels;
                p.in_size = {height, width};
                p.kernel = {std::min(height, 2U), std::min(width, 2U)};
                p.stride = {1 + draw.below(2), 1 + draw.below(2)};
                p.out_size = {out_of(height, p.kernel[0], p.stride[0], 0, 1),
                              out_of(width, p.kernel[1], p.stride[1], 0, 1)};
                height = p.out_size[0];
                width = p.out_size[1];
                stages.emplace_back(p);
                break;
            }
            case 2:
                stages.emplace_back(Scale{"s", Weights(draw.values(elements))});
                break;
            case 3: {
                Delay d{"d", elements, {}};
                const std::uint32_t count = draw.below(2) == 0 ? 1 : elements;
                for (std::uint32_t i = 0; i < count; ++i) d.delays.push_back(milliseconds(draw.below(4)));
                stages.emplace_back(d);
                break;
            }
            default: {
                const std::uint32_t outputs = 1 + draw.below(6);
                stages.emplace_back(dense(elements, outputs, draw.values(std::size_t{elements} * outputs),
                                          draw.below(2) == 0 ? draw.values(outputs) : std::vector<double>()));
                channels = outputs;
                height = width = 1;
            }
        }
    }
    return stages;
}

TEST_SUITE("engine/stepped") {
    TEST_CASE("random chains of stages bring what their formulas say, in both precisions, with every delay") {
        for (unsigned seed = 0; seed < 300; ++seed) {
            CAPTURE(seed);
            Draw draw(seed);
            const std::uint32_t channels = 1 + draw.below(3);
            const std::uint32_t height = 2 + draw.below(4);
            const std::uint32_t width = 2 + draw.below(4);
            const std::vector<Stage> stages = random_chain(draw, channels, height, width);
            const std::uint32_t inputs = channels * height * width;
            const auto outputs = static_cast<std::uint32_t>(stage_size(stages.back()).output);
            constexpr std::uint32_t steps = 9;
            const std::vector<double> input = draw.values(std::size_t{steps} * inputs, 3);
            const auto drive = reference(stages, input, inputs, steps);

            const Network network = two(inputs, PerNeuron<neurons::Integrator>(1), outputs, stages);
            for (const Precision precision : {Precision::float32, Precision::float64}) {
                NeuronRule rule;
                rule.retention = 0.0;  // V is the drive
                const SteppedRecord record = run(network, rules_of(rule, precision), input, steps);
                const std::uint32_t q = network.index_of("n");
                for (std::uint32_t t = 0; t < steps; ++t) {
                    for (std::uint32_t j = 0; j < outputs; ++j) {
                        const double expected = drive[t][j];
                        const double found = record.potentials[q][std::size_t{t} * outputs + j];
                        REQUIRE(std::abs(found - expected) <= 1e-4 * (1.0 + std::abs(expected)));
                    }
                }
            }
        }
    }

    TEST_CASE("one step of each membrane, by its formula") {
        // tau 4 ms, dt 1 ms: a = 1/4; V_0 = 0.5; x = 2
        neurons::Lif lif;
        lif.tau_m = 4e-3;
        lif.E_L = -1.0;
        lif.V_reset = -1.0;
        lif.V_th = 100.0;
        lif.V_0 = 0.5;
        const auto potential = [&](const NeuronRule& rule) {
            return run(two(1, PerNeuron<neurons::Lif>{lif}, 1, {dense(1, 1, {2.0})}), rules_of(rule), {1.0},
                       1)
                .potentials[1]
                .at(0);
        };
        NeuronRule rule;
        rule.start = Start::V_0;
        CHECK(potential(rule) == 0.75 * 0.5 + 2.0);
        rule.rest = Rest::added;
        CHECK(potential(rule) == 0.75 * 0.5 + 2.0 - 1.0);
        rule.membrane = Membrane::relax;
        rule.rest = Rest::E_L;
        CHECK(potential(rule) == 0.5 + 0.25 * ((2.0 - 1.0) - 0.5));
        rule.membrane = Membrane::relax_by_division;
        rule.rest = Rest::V_reset;
        CHECK(potential(rule) == 0.5 + (2.0 - (0.5 + 1.0)) / 4.0);
        rule.membrane = Membrane::decay_by_division;
        CHECK(potential(rule) == (0.5 - (0.5 + 1.0) / 4.0) + 2.0);
        rule.membrane = Membrane::decay;
        rule.rest = Rest::zero;
        rule.leak = Leak::exponential;
        CHECK(potential(rule) == doctest::Approx(std::exp(-0.25) * 0.5 + 2.0).epsilon(1e-15));
        rule.input_times_leak = true;
        CHECK(potential(rule) ==
              doctest::Approx(std::exp(-0.25) * 0.5 - 2.0 * std::expm1(-0.25)).epsilon(1e-15));
        rule.membrane = Membrane::closed_form;  // E_L, then the jump
        CHECK(potential(rule) == 0.5 + 2.0);
    }

    TEST_CASE("one and two steps of each current, by its formula") {
        // tau_syn 2 ms: a_s = 1/2; no leak of V to speak of: decay with b = 1 - 1/tau_m
        neurons::CubaLif cuba;
        cuba.tau_m = 1e300;
        cuba.tau_syn = 2e-3;
        cuba.R = 3.0;
        cuba.w_in = 5.0;
        cuba.V_th = 100.0;
        const auto record = [&](Current current) {
            NeuronRule rule;
            rule.current = current;
            if (current == Current::relax || current == Current::low_pass) {
                rule.R = Resistance::multiplies;
                rule.w_in = InputGain::multiplies;
            }
            return run(two(1, PerNeuron<neurons::CubaLif>{cuba}, 1, {dense(1, 1, {1.0})}), rules_of(rule),
                       {1.0, 0.0}, 2);
        };
        using Two = std::vector<double>;
        CHECK(record(Current::decay).currents[1] == Two{1.0, 0.5});
        CHECK(record(Current::decay).potentials[1] == Two{1.0, 1.5});
        CHECK(record(Current::relax).currents[1] == Two{2.5, 1.25});
        CHECK(record(Current::relax).potentials[1] == Two{7.5, 11.25});
        CHECK(record(Current::add_then_decay).potentials[1] == Two{0.5, 0.75});
        CHECK(record(Current::use_then_decay).currents[1] == Two{0.5, 0.25});
        CHECK(record(Current::use_then_decay).potentials[1] == Two{1.0, 1.5});
        CHECK(record(Current::low_pass).currents[1] == Two{0.5, 0.25});
        CHECK(record(Current::low_pass).potentials[1] == Two{0.0, 7.5});
    }

    TEST_CASE("threshold, reset, its time, the floor and several spikes a step") {
        // An IF with threshold 2 that gets 2, then 5, then -9, then 0.
        neurons::If p;
        p.V_th = 2.0;
        p.V_reset = -0.5;
        struct Row {
            NeuronRule rule;
            std::vector<double> spikes;
            std::vector<double> potentials;
        };
        std::vector<Row> rows;
        NeuronRule rule;
        rows.push_back({rule, {0, 1, 0, 0}, {2, 0, -9, -9}});  // 2 is not above 2; 7 is
        rule.fires_at_threshold = true;
        rows.push_back({rule, {1, 1, 0, 0}, {0, 0, -9, -9}});
        rule.reset = Reset::to_V_reset;
        rows.push_back({rule, {1, 1, 0, 0}, {-0.5, -0.5, -9.5, -9.5}});
        rule.reset = Reset::subtract;
        rows.push_back({rule, {1, 1, 0, 0}, {0, 3, -6, -6}});
        rule.counts = true;
        rows.push_back({rule, {1, 2, 0, 0}, {0, 1, -8, -8}});
        rule.floor = Floor::minus_threshold;
        rows.push_back({rule, {1, 2, 0, 0}, {0, 1, -2, -2}});
        rule.floor = Floor::zero;
        rows.push_back({rule, {1, 2, 0, 0}, {0, 1, 0, 0}});
        rule.floor = Floor::none;
        rule.counts = false;
        rule.reset_time = ResetTime::next_step;
        rows.push_back({rule, {1, 1, 0, 0}, {2, 5, -6, -6}});
        rule.reset_time = ResetTime::next_step_first;
        rows.push_back({rule, {1, 1, 0, 0}, {2, 5, -6, -6}});
        rule.reset_time = ResetTime::before_and_after;  // 3 is left above 2 and taken off before the test
        rows.push_back({rule, {1, 1, 0, 0}, {0, 3, -6, -6}});
        rule.reset = Reset::to_zero;
        rule.reset_time = ResetTime::next_step;  // what comes in the step after a spike is lost
        rows.push_back({rule, {1, 0, 0, 0}, {2, 0, -9, -9}});
        rule.reset_time = ResetTime::next_step_first;
        rows.push_back({rule, {1, 1, 0, 0}, {2, 5, -9, -9}});
        rule.record_before_reset = true;
        rule.reset_time = ResetTime::same_step;
        rows.push_back({rule, {1, 1, 0, 0}, {2, 5, -9, -9}});
        const Network network = two(1, PerNeuron<neurons::If>{p}, 1, {dense(1, 1, {1.0})});
        for (std::size_t k = 0; k < rows.size(); ++k) {
            for (const Precision precision : {Precision::float32, Precision::float64}) {
                CAPTURE(k);
                const SteppedRecord record =
                    run(network, rules_of(rows[k].rule, precision), {2, 5, -9, 0}, 4);
                CHECK(record.spikes[1].dense() == rows[k].spikes);
                CHECK(record.potentials[1] == rows[k].potentials);
            }
        }
    }

    TEST_CASE("a loop with a delay of three steps rings every three steps") {
        neurons::If p;
        p.V_th = 0.5;
        const Network network({{"in", {1}, neurons::Input{}}, {"n", {1}, PerNeuron<neurons::If>{p}}},
                              {{0, 1, {}}, {1, 1, {Delay{"d", 1, {milliseconds(3)}}}}});
        const SteppedRecord record = run(network, rules_of({}), {1.0}, 8);
        CHECK(record.spikes[1].dense() == std::vector<double>{1, 0, 0, 1, 0, 0, 1, 0});
        CHECK(record.neuron_spikes == 3);
        CHECK(record.synaptic_events == 3);  // the last spike has not arrived
    }

    TEST_CASE("a bias before a delay starts late, one behind it at once") {
        neurons::Integrator p;
        NeuronRule rule;
        rule.retention = 0.0;
        const Delay late{"d", 1, {milliseconds(2)}};
        const auto drive = [&](std::vector<Stage> stages) {
            return run(two(1, PerNeuron<neurons::Integrator>{p}, 1, std::move(stages)), rules_of(rule), {0.0},
                       4)
                .potentials[1];
        };
        CHECK(drive({dense(1, 1, {1.0}, {7.0}), late}) == std::vector<double>{0, 0, 7, 7});
        CHECK(drive({late, dense(1, 1, {1.0}, {7.0})}) == std::vector<double>{7, 7, 7, 7});
    }

    TEST_CASE("explicit synapses with delays of their own, rounded to whole steps and told") {
        const Sparse sparse = Sparse::of("s", 1, 2, {0, 0, 0}, {0, 1, 1}, {1.0, 2.0, 4.0},
                                         {Duration(), Duration(1'400'000'000'000), milliseconds(2)});
        NeuronRule rule;
        rule.retention = 0.0;
        const Network network = two(1, PerNeuron<neurons::Integrator>(1), 2, {sparse});
        CHECK(run(network, rules_of(rule), {1.0}, 3).potentials[1] == std::vector<double>{1, 0, 0, 2, 0, 4});
        const SteppedSimulation simulation(network, rules_of(rule));
        REQUIRE(simulation.notes().size() == 1);
        CHECK(simulation.notes()[0].find(
                  "in -> n: delays are rounded to whole steps of 1ms, by up to 400us") != std::string::npos);
    }

    TEST_CASE("grid neurons: a spike of NEST's kind acts in its step, one of Brian's in the next") {
        neurons::Lif p;
        p.tau_m = 10e-3;
        p.V_th = 1.0;
        p.t_ref = milliseconds(2);
        NeuronRule rule;
        rule.membrane = Membrane::closed_form;
        rule.fires_at_threshold = true;
        const Network network = two(1, PerNeuron<neurons::Lif>{p}, 1, {dense(1, 1, {1.0})});
        const std::vector<double> input{0.9, 0.2, 5.0, 5.0, 0.5, 0.5};
        // 0.9 e^(-0.1) + 0.2 = 1.014 fires in step 1; steps 2 and 3 are refractory
        const SteppedRecord nest = run(network, rules_of(rule), input, 6);
        CHECK(nest.spikes[1].dense() == std::vector<double>{0, 1, 0, 0, 0, 0});
        CHECK(nest.potentials[1][3] == 0.0);
        CHECK(nest.potentials[1][5] == doctest::Approx(0.5 * std::exp(-0.1) + 0.5).epsilon(1e-15));
        rule.arrival = Arrival::after_test;
        const SteppedRecord brian = run(network, rules_of(rule), input, 6);
        // 1.014 e^(-0.1) = 0.918 does not fire in step 2; with the 5 of that step it does in step 3
        CHECK(brian.spikes[1].dense() == std::vector<double>{0, 0, 0, 1, 0, 0});
    }

    TEST_CASE("records do not depend on the number of threads, and a run can be stopped between samples") {
        Draw draw(3);
        neurons::Lif p;
        const Network network = two(20, PerNeuron<neurons::Lif>{p}, 30, {dense(20, 30, draw.values(600))});
        std::vector<SteppedSample> samples;
        for (int k = 0; k < 8; ++k) samples.push_back({{{"in", Raster::of(draw.values(800, 2), 20, "in")}}});
        const SteppedSimulation simulation(network, rules_of({}, Precision::float32));
        SteppedOptions options;
        options.steps = 40;
        const auto alone = simulation.run(samples, options);
        options.threads = 3;
        const auto together = simulation.run(samples, options);
        std::uint64_t spikes = 0;
        for (std::size_t k = 0; k < samples.size(); ++k) {
            CHECK(alone[k].spikes == together[k].spikes);
            spikes += alone[k].neuron_spikes;
        }
        CHECK(spikes > 100);
        options.threads = 1;
        options.on_progress = [](std::size_t done, std::size_t total) { return done < 3 && total == 8; };
        const auto stopped = simulation.run(samples, options);
        CHECK(stopped[2].done);
        CHECK(!stopped[3].done);
    }

    TEST_CASE("the result in the form of the exact clock") {
        neurons::If p;
        p.V_th = 1.0;
        NeuronRule rule;
        rule.fires_at_threshold = rule.counts = true;
        rule.reset = Reset::subtract;
        const Network network = two(1, PerNeuron<neurons::If>{p}, 1, {dense(1, 1, {2.0})});
        const SteppedSample sample = sample_of(network, {{"in", {{Time(ms), Time(ms)}, {0, 0}}}}, ms, 3);
        SteppedOptions options;
        options.steps = 3;
        options.record_potentials = true;
        SteppedRecord record = SteppedSimulation(network, rules_of(rule)).run({sample}, options).at(0);
        const SimulationResult result = result_of(std::move(record), network, sample, ms, 3);
        CHECK(result.spikes[1].times == std::vector<Time>(4, Time(ms)));
        CHECK(result.spike_counts == std::vector<std::uint64_t>{2, 4});
        CHECK(result.neuron_spikes == 4);
        CHECK(result.end == Time(milliseconds(3)));
        CHECK(result.potentials.at(0).times.size() == 3);
        // a spike of nengo has the height 1/dt, and is one spike
        rule.counts = false;
        rule.reset = Reset::to_zero;
        rule.height_per_second = true;
        record = SteppedSimulation(network, rules_of(rule)).run({sample}, options).at(0);
        CHECK(record.spikes[1].dense() == std::vector<double>{0, 1000, 0});
        const SimulationResult tall = result_of(std::move(record), network, sample, ms, 3);
        CHECK(tall.spikes[1].times == std::vector<Time>{Time(ms)});
        CHECK(tall.spike_counts == std::vector<std::uint64_t>{2, 1});
        CHECK(steps_covering(milliseconds(3), ms) == 3);
        CHECK(steps_covering(Duration(1), ms) == 1);
        CHECK(steps_covering(Duration(), ms) == 0);
        CHECK_THROWS_AS(static_cast<void>(steps_covering(Duration(-1), ms)), LimitError);
        CHECK_THROWS_AS(static_cast<void>(steps_covering(Duration::max(), Duration(1))), LimitError);
        CHECK_THROWS_WITH_AS(static_cast<void>(sample_of(network, {{"n", {}}}, ms, 3)),
                             doctest::Contains("no input of this name"), InputError);
        CHECK_THROWS_WITH_AS(
            static_cast<void>(sample_of(network, {{"in", {{Time(milliseconds(4))}, {0}}}}, ms, 3)),
            doctest::Contains("expected a time up to the end of the run, 3ms, found 4ms"), InputError);
    }

    TEST_CASE("as many spikes as fit are sent at the threshold, too, whether or not it is to be exceeded") {
        NeuronRule rule;
        rule.counts = true;
        rule.reset = Reset::subtract;
        const Network network = two(1, PerNeuron<neurons::If>(1), 1, {dense(1, 1, {2.0})});
        for (const bool at_threshold : {false, true}) {
            rule.fires_at_threshold = at_threshold;
            const SteppedRecord record = run(network, rules_of(rule), {0.5, 1.0}, 2);  // V = 1, then 2
            CHECK(record.spikes[1].dense() == std::vector<double>{1.0, 2.0});
            CHECK(record.potentials[1] == std::vector<double>{0.0, 0.0});
        }
    }

    TEST_CASE(
        "with spikes within a step V has its floor, and is shown before its reset where that is asked for") {
        NeuronRule rule;
        rule.membrane = Membrane::substep;
        rule.floor = Floor::minus_threshold;
        const Network network = two(1, PerNeuron<neurons::Lif>(1), 1, {dense(1, 1, {100.0})});
        // V <- V - (u - V) expm1(-dt/tau_m), tau_m = 10 ms
        CHECK(run(network, rules_of(rule), {-1.0}, 1).potentials[1].at(0) == -1.0);
        rule.record_before_reset = true;
        const SteppedRecord record = run(network, rules_of(rule), {1.0}, 1);
        CHECK(record.potentials[1].at(0) == -100.0 * std::expm1(-0.1));
        CHECK(record.spikes[1].dense() == std::vector<double>{1.0});
    }

    TEST_CASE("what a rule or the clock cannot do is refused with population and field") {
        const auto refused = [](const Network& network, const SteppedRules& rules) {
            try {
                const SteppedSimulation simulation(network, rules);
            } catch (const Error& error) {
                return std::string(error.what());
            }
            return std::string("nothing");
        };
        const auto lif = [](auto change) {
            neurons::Lif p;
            change(p);
            return two(1, PerNeuron<neurons::Lif>{p}, 1, {dense(1, 1, {1.0})});
        };
        const auto contains = [](const std::string& text, const char* part) {
            CAPTURE(text);
            CHECK(text.find(part) != std::string::npos);
        };
        NeuronRule rule;
        contains(refused(lif([](auto& p) { p.I_e = 1.0; }), rules_of(rule)), "'n', field 'I_e'");
        contains(refused(lif([](auto& p) { p.t_ref = ms; }), rules_of(rule)), "no refractory period");
        rule.R = Resistance::tau_over_dt;
        contains(refused(lif([](auto& p) { p.R = 9.0; }), rules_of(rule)),
                 "expects tau_m / dt = 10, found 9");
        rule.R = Resistance::one;
        contains(refused(lif([](auto& p) { p.R = 9.0; }), rules_of(rule)), "expects 1 = 1, found 9");
        rule.R = Resistance::ignored;
        rule.rest = Rest::must_be_zero;
        contains(refused(lif([](auto& p) { p.E_L = 0.5; }), rules_of(rule)), "field 'E_L'");
        rule.rest = Rest::zero;
        rule.shared = Shared::threshold;
        neurons::Lif high;
        high.V_th = 2.0;
        contains(
            refused(two(1, PerNeuron<neurons::Lif>{{}, high}, 2, {dense(1, 2, {1.0, 1.0})}), rules_of(rule)),
            "one value for the whole population");
        rule = {};
        rule.counts = true;
        contains(refused(lif([](auto&) {}), rules_of(rule)), "need a reset by subtraction");
        rule.reset = Reset::subtract;
        contains(refused(lif([](auto& p) { p.V_th = -1.0; }), rules_of(rule)), "counted in thresholds");
        rule = {};
        rule.membrane = Membrane::substep;
        contains(refused(two(1, PerNeuron<neurons::If>(1), 1, {}), rules_of(rule)),
                 "has spikes within a step for LIF and CubaLIF only");
        contains(refused(two(1, PerNeuron<neurons::Li>(1), 1, {}), rules_of(rule)),
                 "has spikes within a step for LIF and CubaLIF only");
        rule.reset_time = ResetTime::next_step;
        contains(refused(lif([](auto&) {}), rules_of(rule)), "a reset in the same step only");
        rule = {};
        contains(refused(two(1, PerNeuron<neurons::If>(1), 1, {}, true), rules_of(rule)), "has no delay");
        contains(refused(two(1, PerNeuron<neurons::Qif>(1), 1, {}), rules_of(rule)),
                 "QIF is no model of 'test'");
        SteppedRules no_time = rules_of(rule);
        no_time.dt = Duration();
        contains(refused(lif([](auto&) {}), no_time), "dt: expected > 0");
        const Network poisson({{"drive", {1}, neurons::PoissonSource{{10.0}}}}, {});
        contains(refused(poisson, rules_of(rule)), "not from a PoissonSource");
        SteppedRules nest = rules_of(rule);
        nest.needs_delay = true;
        const Network chain({{"in", {1}, neurons::Input{}},
                             {"a", {1}, PerNeuron<neurons::If>(1)},
                             {"b", {1}, PerNeuron<neurons::If>(1)}},
                            {{0, 1, {}}, {1, 2, {}}});
        contains(refused(chain, nest), "expects delays of at least a step");
    }
}

}  // namespace
}  // namespace saltus
