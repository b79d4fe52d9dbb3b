// Training on exact gradients: both ways to run a sample against the exact clock and against each other.
#include "saltus/engine/learning/exact_rule.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/event_prop.hpp"
#include "saltus/engine/learning/training.hpp"
#include "saltus/engine/network_builder.hpp"
#include "saltus/engine/random.hpp"
#include "saltus/engine/simulate.hpp"
#include "unit/io/temporary_folder.hpp"

namespace saltus::learning {
namespace {

constexpr Duration ms(std::int64_t n) {
    return Duration(n * 1'000'000'000'000);
}

struct Choice {
    bool by_potential = false;
    bool once = false;
    bool lists = false;  // synapses one by one, each with a delay
    bool loops = false;
    double tau_syn = 5e-3;
    double E_L = 0.0;
    double V_0 = 0.0;  // of the hidden neurons
};

Network network_of(const Choice& choice, std::uint64_t seed = 3) {
    SequentialRandom random(seed, 1, 0);
    const auto between = [&](double low, double high) { return low + (high - low) * random.uniform(); };
    NetworkBuilder build(1);
    build.input("in", {2, 3});
    const auto neurons = [&](double V_0) {
        return Parameters{{"tau_m", 20e-3}, {"tau_syn", choice.tau_syn}, {"E_L", choice.E_L},
                          {"V_0", V_0},     {"V_reset", -0.1},           {"t_ref", choice.once ? 10.0 : 0.0}};
    };
    build.population("hidden", {11}, "lif_exp", neurons(choice.V_0));
    if (choice.by_potential) {
        build.population("out", {3}, "li_exp",
                         {{"tau_m", 15e-3}, {"tau_syn", choice.tau_syn}, {"E_L", choice.E_L}});
    } else {
        build.population("out", {3}, "lif_exp", neurons(0.0));
    }
    const auto connect = [&](const char* from, const char* to, std::uint32_t n, std::uint32_t m, double low,
                             double high) {
        if (!choice.lists) {
            ConnectionMatrix matrix{n, m, {}, 0.0};
            for (std::uint32_t k = 0; k < n * m; ++k) matrix.weight.push_back(between(low, high));
            build.connect(from, to, matrix);
            return;
        }
        ConnectionList list;
        list.weight.clear();
        list.delay.clear();
        for (std::uint32_t k = 0; k < n * m; ++k) {
            list.pre.push_back(k / m);
            list.post.push_back(k % m);
            list.weight.push_back(between(low, high));
            list.delay.push_back(between(1e-3, 5e-3));
        }
        build.connect(from, to, list);
    };
    connect("in", "hidden", 6, 11, 0.0, 3.5);
    connect("hidden", "out", 11, 3, -0.5, 3.0);
    if (choice.loops) connect("hidden", "hidden", 11, 11, -0.3, 0.3);
    return build.network();
}

/// Images through a convolution, the first spikes of windows (where `windows`), another convolution with a
/// stride, padding and dilation, and a matrix.
Network images_network(const Choice& choice, bool windows = true, std::uint32_t groups = 1) {
    SequentialRandom random(4, 1, 0);
    const auto weights = [&](std::size_t n, double low, double high) {
        std::vector<double> values(n);
        for (double& w : values) w = low + (high - low) * random.uniform();
        return Weights(values);
    };
    const Parameters neurons{{"tau_m", 20e-3},    {"tau_syn", choice.tau_syn},
                             {"E_L", choice.E_L}, {"V_0", choice.V_0},
                             {"V_reset", -0.1},   {"t_ref", choice.once ? 10.0 : 0.0}};
    NetworkBuilder build(1);
    build.input("in", {1, 7, 6});
    build.population("maps", {4, 6, 5}, "lif_exp", neurons);
    Convolution first;
    first.in_channels = 1;
    first.out_channels = 4;
    first.in_size = {7, 6};
    first.out_size = {6, 5};
    first.kernel = {2, 2};
    first.weights = weights(16, 0.5, 4.0);
    build.connect("in", "maps", {first});
    std::string before = "maps";
    Convolution::Pair size{6, 5};
    if (windows) {
        Pooling pooling;
        pooling.channels = 4;
        pooling.in_size = size;
        size = pooling.out_size = {3, 3};
        pooling.kernel = pooling.stride = {2, 2};
        pooling.padding = {0, 1};
        build.population("windows", {4, 3, 3}, "if_delta", {{"V_th", 1.0}, {"t_ref", 1.0}});
        build.connect(before, "windows", {pooling});
        before = "windows";
    }
    build.population("maps2", {6, 2, 2}, "lif_exp", neurons);
    Convolution second;
    second.in_channels = 4;
    second.out_channels = 6;
    second.groups = groups;
    second.in_size = size;
    second.out_size = {2, 2};
    second.kernel = {2, 2};
    second.stride = {2, 1};
    second.padding = {1, 0};
    second.dilation = {1, windows ? 1u : 2u};
    second.weights = weights(6 * 4 / groups * 4, -0.5, 3.0);
    build.connect(before, "maps2", {second});
    if (choice.by_potential) {
        build.population("out", {3}, "li_exp", {{"tau_m", 15e-3}, {"tau_syn", choice.tau_syn}});
    } else {
        build.population("out", {3}, "lif_exp", neurons);
    }
    Flatten flatten;
    flatten.in_shape = {6, 2, 2};
    flatten.out_shape = {24};
    flatten.start_dim = 0;
    build.connect("maps2", "out", {flatten, Dense{"", 1, 24, 3, weights(72, -0.3, 1.5), {}}});
    return build.network();
}

std::shared_ptr<const SampleSet> samples_of(std::size_t n, const Shape& shape = {2, 3}) {
    auto samples = std::make_shared<SampleSet>(shape, 3);
    SequentialRandom random(9, 2, 0);
    for (std::size_t i = 0; i < n; ++i) {
        SpikeTrain train;
        for (std::uint32_t k = 0; k < element_count(shape); ++k) {
            // Some come together.
            const double t = random.below(3) == 0 ? 4e-3 : 20e-3 * random.uniform();
            train.add(Time(duration_from_seconds(t)), k);
        }
        train.sort();
        samples->add(train, static_cast<std::int64_t>(i % 3));
    }
    return samples;
}

ExactOptions options_of(const Choice& choice) {
    ExactOptions options;
    options.duration = ms(40);
    options.loss.tau_0 = 2e-3;
    options.loss.alpha = 0.01;
    options.learn_delays = choice.lists;
    if (choice.by_potential) options.loss.kind = ClassLoss::Kind::mean_potential;
    return options;
}

std::vector<std::uint64_t> numbers(std::size_t n) {
    std::vector<std::uint64_t> all(n);
    for (std::size_t i = 0; i < n; ++i) all[i] = i;
    return all;
}

/// The same by EventProp, which lets the exact clock run each sample.
struct Expected {
    double loss = 0.0;
    std::vector<double> gradient;
};
Expected expected_of(const Network& network, const SampleSet& samples, const ExactOptions& options) {
    const EventProp event_prop(network);
    Expected expected;
    for (std::uint64_t i = 0; i < samples.size(); ++i) {
        const SampleSet::View sample = samples[i];
        SpikeTrain train;
        for (std::size_t k = 0; k < sample.times.size(); ++k)
            train.add(Time(Duration(sample.times[k])), sample.neurons[k]);
        const auto loss = class_loss("out", options.loss, sample.label);
        const Gradient found =
            event_prop.gradient({{"in", train}}, *loss, {.duration = options.duration, .of_neurons = false});
        expected.loss += found.loss;
        std::vector<double> all;
        for (const auto& stages : found.projections) {
            for (const auto& stage : stages) {
                all.insert(all.end(), stage.weights.begin(), stage.weights.end());
                if (options.learn_delays) all.insert(all.end(), stage.delays.begin(), stage.delays.end());
            }
        }
        expected.gradient.resize(all.size(), 0.0);
        for (std::size_t k = 0; k < all.size(); ++k) expected.gradient[k] += all[k];
    }
    return expected;
}

void check_against_clock(const Network& network, const std::shared_ptr<const SampleSet>& samples,
                         const ExactOptions& options, bool layered) {
    ExactRule rule(network, samples, options);
    CHECK(rule.is_layered() == layered);
    const std::vector<double> parameters = rule.initial();
    std::vector<double> gradient(parameters.size(), 0.0);
    const Tally tally = rule.gradient(parameters, numbers(30), gradient, 1);
    CHECK(tally.samples == 30);
    CHECK(rule.counts().spikes > 100);

    const Expected expected = expected_of(network, *samples, options);
    CHECK(tally.loss == doctest::Approx(expected.loss).epsilon(1e-10));
    REQUIRE(expected.gradient.size() == gradient.size());
    std::size_t begin = 0;
    for (const ParameterGroup& group : rule.groups()) {
        CAPTURE(group.name);
        double largest = 0.0;
        for (std::size_t k = begin; k < begin + group.size; ++k)
            largest = std::max(largest, std::abs(expected.gradient[k]));
        CHECK(largest > 0.0);
        // The clock rounds spikes to 1 fs, which the slopes at the threshold amplify.
        for (std::size_t k = begin; k < begin + group.size; ++k)
            CHECK(std::abs(gradient[k] - expected.gradient[k]) <= 1e-9 * largest);
        begin += group.size;
    }
}

void check_against_clock(const Choice& choice, bool layered) {
    check_against_clock(network_of(choice), samples_of(30), options_of(choice), layered);
}

/// Where each weight from the input leads.
struct Way {
    std::uint32_t source;
    std::uint32_t target;
    double delay;  // [s]
};
std::vector<Way> ways_of(const Network& network) {
    std::vector<Way> ways;
    for (const Stage& stage : network.projections()[0].stages) {
        if (const auto* sparse = std::get_if<Sparse>(&stage)) {
            for (std::uint32_t i = 0; i < sparse->inputs; ++i) {
                for (std::uint64_t s = sparse->table->rows[i]; s < sparse->table->rows[i + 1]; ++s) {
                    const Sparse::Segment& segment = sparse->table->segments[s];
                    for (std::uint64_t k = segment.begin; k < segment.end; ++k)
                        ways.push_back({i, sparse->table->targets[k], segment.delay.seconds()});
                }
            }
        } else if (const auto* dense = std::get_if<Dense>(&stage)) {
            for (std::uint32_t k = 0; k < dense->inputs * dense->outputs; ++k)
                ways.push_back({k / dense->outputs, k % dense->outputs, 0.0});
        }
    }
    return ways;
}

/// Of each sample, the times at which each hidden neuron fires, by the exact clock [s].
std::vector<std::vector<std::vector<double>>> hidden_spikes(const Network& network, const SampleSet& samples,
                                                            const ExactOptions& options) {
    const ExactSimulation simulation(network);
    std::vector<std::vector<std::vector<double>>> all;
    for (std::uint64_t i = 0; i < samples.size(); ++i) {
        SpikeTrain train;
        for (std::size_t k = 0; k < samples[i].times.size(); ++k)
            train.add(Time(Duration(samples[i].times[k])), samples[i].neurons[k]);
        SimulationOptions run;
        run.duration = options.duration;
        run.recorded = {"hidden"};
        const SpikeTrain fired = simulation.run({{"in", train}}, run).spikes[1];
        all.emplace_back(11);
        for (std::size_t k = 0; k < fired.size(); ++k)
            all.back()[fired.neurons[k]].push_back(fired.times[k].seconds());
    }
    return all;
}
std::vector<double> mean_counts(const std::vector<std::vector<std::vector<double>>>& spikes) {
    std::vector<double> mean(11, 0.0);
    for (const auto& sample : spikes) {
        for (std::size_t j = 0; j < 11; ++j) mean[j] += static_cast<double>(sample[j].size());
    }
    for (double& m : mean) m /= static_cast<double>(spikes.size());
    return mean;
}

template <class F>
std::string message(F&& f) {
    try {
        f();
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

TEST_SUITE("learning/exact_rule") {
    TEST_CASE("layers: the gradients are those of runs of the exact clock") {
        check_against_clock({}, true);
    }
    TEST_CASE("layers with equal time constants and a drive below the threshold") {
        check_against_clock({.tau_syn = 20e-3, .E_L = 0.3}, true);
    }
    TEST_CASE("layers that rest above their threshold") {
        check_against_clock({.E_L = 1.2}, true);
    }
    TEST_CASE("neurons that begin above their threshold fire at once, and are not run as layers") {
        check_against_clock({.by_potential = true, .E_L = 0.2, .V_0 = 1.2}, false);
    }
    TEST_CASE("layers of neurons that fire at most once") {
        check_against_clock({.once = true}, true);
    }
    TEST_CASE("a neuron that fires once stays silent for more than a hundred time constants") {
        NetworkBuilder build(1);
        build.input("in", {1});
        build.population("hidden", {2}, "lif_exp", {{"tau_m", 20e-3}, {"tau_syn", 5e-3}, {"t_ref", 10.0}});
        build.population("out", {2}, "li_exp", {{"tau_m", 20e-3}, {"tau_syn", 5e-3}});
        build.connect("in", "hidden", ConnectionMatrix{1, 2, {10.0, 0.1}, 0.0});  // the second never fires
        build.connect("hidden", "out", ConnectionMatrix{2, 2, {1.0, 0.5, 1.0, 0.5}, 0.0});
        auto samples = std::make_shared<SampleSet>(Shape{1}, 2);
        SpikeTrain train;
        for (const std::int64_t t : {5, 20, 2900, 2910}) train.add(Time(ms(t)), 0);
        samples->add(train, 0);
        ExactOptions options;
        options.duration = ms(3000);
        options.loss.kind = ClassLoss::Kind::mean_potential;
        ExactRule rule(build.network(), samples, options);
        REQUIRE(rule.is_layered());
        (void)rule.measure(rule.initial(), numbers(1), 1);
        CHECK(rule.counts().spikes == 1);
    }
    TEST_CASE("a readout by its mean potential") {
        check_against_clock({.by_potential = true, .E_L = 0.1}, true);
    }
    TEST_CASE("convolutions and windows: the gradients are those of runs of the exact clock") {
        const auto samples = samples_of(30, {1, 7, 6});
        for (const bool once : {false, true}) {
            for (const bool by_potential : {false, true}) {
                for (const bool windows : {false, true}) {
                    CAPTURE(once);
                    CAPTURE(by_potential);
                    CAPTURE(windows);
                    const Choice choice{.by_potential = by_potential, .once = once};
                    check_against_clock(images_network(choice, windows), samples, options_of(choice), true);
                }
            }
        }
    }
    TEST_CASE("convolutions in groups and drives above the threshold") {
        const auto samples = samples_of(30, {1, 7, 6});
        const Choice groups{.once = true};
        check_against_clock(images_network(groups, true, 2), samples, options_of(groups), false);
        const Choice drive{.E_L = 1.2};
        check_against_clock(images_network(drive), samples, options_of(drive), true);
    }
    TEST_CASE("a band of rates acts on convolutions run as layers as it does neuron by neuron") {
        const auto samples = samples_of(20, {1, 7, 6});
        const Choice choice{.once = true};
        ExactOptions options = options_of(choice);
        options.rates = {0.6, 0.8, 1e-2};
        options.wake = 0.1;
        std::vector<std::vector<double>> gradients;
        for (const bool lists : {false, true}) {
            options.learn_delays = lists;  // has no layers; there are no delays here
            ExactRule rule(images_network(choice), samples, options);
            REQUIRE(rule.is_layered() != lists);
            const std::vector<double> parameters = rule.initial();
            gradients.emplace_back(parameters.size(), 0.0);
            (void)rule.gradient(parameters, numbers(20), gradients.back(), 1);
        }
        REQUIRE(gradients[0].size() == gradients[1].size());
        for (std::size_t k = 0; k < gradients[0].size(); ++k)
            CHECK(gradients[0][k] == doctest::Approx(gradients[1][k]).epsilon(1e-7));
    }
    TEST_CASE("synapses with delays: the gradients are those of runs of the exact clock") {
        check_against_clock({.lists = true}, false);
    }
    TEST_CASE("delays and a readout by its mean potential") {
        check_against_clock({.by_potential = true, .lists = true}, false);
    }
    TEST_CASE("spikes that lead back: the gradients are those of runs of the exact clock") {
        check_against_clock({.lists = true, .loops = true}, false);
    }
    TEST_CASE("a readout by its largest potential, weighted integrals") {
        for (const bool largest : {true, false}) {
            CAPTURE(largest);
            const Choice choice{.by_potential = true};
            ExactOptions options = options_of(choice);
            if (largest) {
                options.loss.kind = ClassLoss::Kind::largest_potential;
            } else {
                options.loss.decay = 12e-3;
            }
            const auto samples = samples_of(30);
            ExactRule rule(network_of(choice), samples, options);
            REQUIRE(rule.is_layered());
            const std::vector<double> parameters = rule.initial();
            std::vector<double> gradient(parameters.size(), 0.0);
            const Tally tally = rule.gradient(parameters, numbers(30), gradient, 1);
            const Expected expected = expected_of(network_of(choice), *samples, options);
            CHECK(tally.loss == doctest::Approx(expected.loss).epsilon(1e-10));
            const double size =
                std::abs(*std::max_element(expected.gradient.begin(), expected.gradient.end(),
                                           [](double a, double b) { return std::abs(a) < std::abs(b); }));
            for (std::size_t k = 0; k < gradient.size(); ++k)
                CHECK(std::abs(gradient[k] - expected.gradient[k]) <= 1e-9 * size);
        }
    }
    TEST_CASE("what a training was asked for is named where it differs") {
        std::shared_ptr<const TrainingSnapshot> snapshot;
        const auto trained = [&](double wake, Duration duration) {
            const Choice choice{};
            ExactOptions options = options_of(choice);
            options.wake = wake;
            options.duration = duration;
            GradientLearner learner(std::make_shared<ExactRule>(network_of(choice), samples_of(20), options),
                                    {});
            TrainingOptions training;
            training.epochs = 1;
            training.resume_from = snapshot;
            training.snapshot_due = [] { return true; };
            training.on_snapshot = [&](const TrainingSnapshot& s) {
                snapshot = std::make_shared<TrainingSnapshot>(s);
            };
            (void)train(learner, training);
        };
        const Duration duration = options_of(Choice{}).duration;
        trained(0.1, duration);
        CHECK_NOTHROW(trained(0.1, duration));
        const std::string said = message([&] { trained(0.2, duration + Duration(1)); });
        CHECK(test::contains(said, "wake: expected '0.1', found '0.2'."));
        CHECK(test::contains(said, "duration: expected"));
        CHECK_FALSE(test::contains(said, "loss"));
    }
    TEST_CASE("training: the same bits on 1, 2 and 4 threads") {
        for (const bool lists : {false, true}) {
            for (const bool images : {false, true}) {
                CAPTURE(lists);
                CAPTURE(images);
                if (lists && images) continue;
                std::vector<std::vector<double>> results;
                for (const unsigned threads : {1u, 2u, 4u}) {
                    const Choice choice{.lists = lists};
                    ExactOptions options = options_of(choice);
                    options.input_dropout = 0.1;
                    options.input_shift = 1;
                    options.input_mirror = true;
                    options.wake = 0.1;
                    options.rates = {0.5, 0.9, 1e-2};
                    auto rule =
                        images ? std::make_shared<ExactRule>(images_network(choice),
                                                             samples_of(50, {1, 7, 6}), options)
                               : std::make_shared<ExactRule>(network_of(choice), samples_of(50), options);
                    GradientLearner learner(rule, {});
                    TrainingOptions training;
                    training.epochs = 3;
                    training.batch = 16;
                    training.threads = threads;
                    (void)train(learner, training);
                    results.emplace_back(learner.parameters().begin(), learner.parameters().end());
                }
                CHECK(results[0] == results[1]);
                CHECK(results[0] == results[2]);
            }
        }
    }
    TEST_CASE("mirrored samples: left and right are exchanged, in half of them") {
        const Shape shape{1, 7, 6};
        const auto samples = samples_of(40, shape);
        auto mirrored = std::make_shared<SampleSet>(shape, 3);
        for (std::uint64_t i = 0; i < samples->size(); ++i) {
            const SampleSet::View sample = (*samples)[i];
            SpikeTrain train;
            for (std::size_t k = 0; k < sample.times.size(); ++k) {
                const NeuronIndex row = sample.neurons[k] / 6;
                train.add(Time(Duration(sample.times[k])), 6 * row + 5 - (sample.neurons[k] - 6 * row));
            }
            train.sort();
            mirrored->add(train, sample.label);
        }
        const Network network = images_network({});
        const auto gradient_of = [&](const std::shared_ptr<const SampleSet>& set, bool mirrors) {
            ExactOptions options = options_of({});
            options.input_mirror = mirrors;
            ExactRule rule(network, set, options);
            std::vector<double> gradient(rule.initial().size(), 0.0);
            (void)rule.gradient(rule.initial(), numbers(40), gradient, 1);
            return gradient;
        };
        const auto plain = gradient_of(samples, false);
        const auto other = gradient_of(mirrored, false);
        // The draws are the same, so what one set leaves as it is, is exchanged in the other.
        const auto some = gradient_of(samples, true);
        const auto rest = gradient_of(mirrored, true);
        double largest = 0.0;
        for (const double g : plain) largest = std::max(largest, std::abs(g));
        for (std::size_t k = 0; k < plain.size(); ++k)
            CHECK(std::abs(some[k] + rest[k] - plain[k] - other[k]) <= 1e-9 * largest);
        CHECK(some != plain);
        CHECK(some != other);
    }
    TEST_CASE("the network handed out computes what the rule has measured") {
        for (const bool lists : {false, true}) {
            CAPTURE(lists);
            const Choice choice{.lists = lists};
            const auto samples = samples_of(30);
            const ExactOptions options = options_of(choice);
            ExactRule rule(network_of(choice), samples, options);
            std::vector<double> parameters = rule.initial();
            for (std::size_t k = 0; k < parameters.size(); ++k) parameters[k] *= 1.0 + 0.01 * double(k % 7);
            const Tally tally = rule.measure(parameters, numbers(30), 1);
            const Network trained = rule.network(parameters);
            CHECK(expected_of(trained, *samples, options).loss == doctest::Approx(tally.loss).epsilon(1e-9));
        }
    }
    TEST_CASE("wake raises the weights onto a silent label, and nothing else") {
        NetworkBuilder build(1);
        build.input("in", {2});
        build.population("out", {2}, "lif_exp", {{"tau_m", 20e-3}, {"tau_syn", 5e-3}});
        build.connect("in", "out", ConnectionMatrix{2, 2, {0.1, 9.0, 0.1, 9.0}, 0.0});
        auto samples = std::make_shared<SampleSet>(Shape{2}, 2);
        SpikeTrain train;
        train.add(Time(ms(1)), 0);
        samples->add(train, 0);
        ExactOptions options;
        options.duration = ms(40);
        options.wake = 0.5;
        ExactRule rule(build.network(), samples, options);
        const std::vector<double> parameters = rule.initial();
        std::vector<double> gradient(4, 0.0);
        (void)rule.gradient(parameters, numbers(1), gradient, 1);
        CHECK(gradient[0] == -0.5);  // from the input that fired
        CHECK(gradient[2] == 0.0);
        CHECK(gradient[3] == 0.0);
    }
    TEST_CASE("the slope of the band of rates is that of a parabola on either side of it") {
        const RateBand band{0.5, 3.0, 2.0};
        CHECK(band.slope(0.0) == -1.0);
        CHECK(band.slope(0.5) == 0.0);
        CHECK(band.slope(2.0) == 0.0);
        CHECK(band.slope(3.0) == 0.0);
        CHECK(band.slope(4.5) == 3.0);
        CHECK(RateBand{}.is_open());
        CHECK(RateBand{}.slope(0.0) == 0.0);
        CHECK(RateBand{}.slope(1e9) == 0.0);
    }
    TEST_CASE(
        "a band of rates adds its slope times what a weight does to V at a spike, or to a silent neuron") {
        // Neurons that fire once: V before the spike is the sum of w D(t - a), D as in
        // first_spike_forms_test.
        const double tau_m = 20e-3;
        const double tau = 5e-3;
        const auto D = [&](double x) {
            return (std::exp(-x / tau_m) - std::exp(-x / tau)) * tau / (tau_m - tau);
        };
        for (const bool lists : {false, true}) {
            CAPTURE(lists);
            const Choice choice{.once = true, .lists = lists};
            const Network network = network_of(choice);
            const auto samples = samples_of(30);
            ExactOptions options = options_of(choice);
            const auto gradient_of = [&](const RateBand& rates) {
                options.rates = rates;
                ExactRule rule(network, samples, options);
                CHECK(rule.is_layered() == !lists);
                std::vector<double> gradient(rule.initial().size(), 0.0);
                (void)rule.gradient(rule.initial(), numbers(30), gradient, 1);
                return gradient;
            };
            const std::vector<double> without = gradient_of({});
            const auto spikes = hidden_spikes(network, *samples, options);
            const std::vector<double> mean = mean_counts(spikes);
            const std::vector<Way> ways = ways_of(network);
            REQUIRE(ways.size() == 66);
            for (const RateBand& rates : {RateBand{0.0, 0.5, 0.7}, RateBand{0.97, 1.0, 0.7}}) {
                CAPTURE(rates.lower);
                const std::vector<double> with = gradient_of(rates);
                std::size_t pulled = 0;
                for (std::size_t w = 0; w < ways.size(); ++w) {
                    const auto [source, target, delay] = ways[w];
                    const double slope = rates.slope(mean[target]);
                    double expected = 0.0;
                    for (std::uint64_t i = 0; i < 30; ++i) {
                        const SampleSet::View sample = (*samples)[i];
                        for (std::size_t k = 0; k < sample.times.size(); ++k) {
                            if (sample.neurons[k] != source) continue;
                            const double a = Duration(sample.times[k]).seconds() + delay;
                            const std::vector<double>& fired = spikes[i][target];
                            if (!fired.empty() && fired[0] > a) expected += slope * D(fired[0] - a);
                            if (fired.empty() && slope < 0.0) expected += slope;
                        }
                    }
                    pulled += expected != 0.0 ? 1 : 0;
                    CHECK(with[w] - without[w] == doctest::Approx(expected).epsilon(1e-8).scale(1.0));
                }
                CHECK(pulled >= 6);
            }
        }
    }
    TEST_CASE("a band of rates wakes silent neurons and calms those that fire too often") {
        for (const bool lists : {false, true}) {
            CAPTURE(lists);
            const Choice choice{.lists = lists};
            ExactOptions options = options_of(choice);
            options.learn_delays = false;
            const auto samples = samples_of(60);
            const auto trained = [&](const RateBand& rates) {
                options.rates = rates;
                const auto rule = std::make_shared<ExactRule>(network_of(choice), samples, options);
                std::vector<double> start = rule->initial();
                const std::vector<Way> ways = ways_of(network_of(choice));
                for (std::size_t w = 0; w < ways.size(); ++w)
                    start[w] *= ways[w].target < 3 ? 0.1 : ways[w].target < 6 ? 3.0 : 1.0;
                const Network begin = rule->network(start);
                const auto again = std::make_shared<ExactRule>(begin, samples, options);
                GradientLearnerOptions learning;
                learning.learning_rate = 0.05;
                GradientLearner learner(again, learning);
                TrainingOptions training;
                training.epochs = 80;
                training.batch = 20;
                (void)train(learner, training);
                const Network end = again->network(learner.parameters());
                return std::pair(mean_counts(hidden_spikes(begin, *samples, options)),
                                 mean_counts(hidden_spikes(end, *samples, options)));
            };
            const auto [before, after] = trained({0.5, 2.0, 10.0});
            CHECK(*std::min_element(before.begin(), before.end()) == 0.0);
            CHECK(*std::max_element(before.begin(), before.end()) > 4.0);
            CHECK(*std::min_element(after.begin(), after.end()) > 0.4);
            CHECK(*std::max_element(after.begin(), after.end()) < 2.3);
            const auto [same, free] = trained({});
            CHECK(same == before);
            CHECK(*std::min_element(free.begin(), free.end()) == 0.0);
        }
    }
    TEST_CASE("what does not fit is refused by name") {
        const auto samples = samples_of(3);
        ExactOptions options = options_of({});
        options.readout = "hidden";
        CHECK(message([&] { ExactRule(network_of({}), samples, options); }) ==
              "readout 'hidden': expected a population of 3 neurons, one for each class, found 11.");
        options = options_of({});
        options.duration = {};
        CHECK(message([&] { ExactRule(network_of({}), samples, options); }) ==
              "duration: expected > 0, found 0s.");
        options = options_of({});
        CHECK(message([&] {
                  ExactRule(network_of({.by_potential = true}), samples, options);
              }).find("a loss of spike times needs neurons that fire") != std::string::npos);
        options.rates = {2.0, 1.0, 1.0};
        CHECK(message([&] { ExactRule(network_of({}), samples, options); }) ==
              "upper end of the band of rates: expected no less than its lower end, 2, found 1.");
        options.rates = {-1.0, 1.0, 1.0};
        CHECK(message([&] { ExactRule(network_of({}), samples, options); }) ==
              "lower end of the band of rates: expected >= 0 spikes a sample, found -1.");
        options.rates = {0.0, 1.0, std::nan("")};
        CHECK(message([&] { ExactRule(network_of({}), samples, options); }) ==
              "strength of the band of rates: expected >= 0, found nan.");
        options.rates = {0.0, 1.0, 1.0};
        options = options_of({});
        options.input_mirror = true;
        NetworkBuilder flat(1);
        flat.input("in", {6});
        flat.population("hidden", {2}, "lif_exp", {});
        flat.population("out", {3}, "lif_exp", {});
        flat.connect("in", "hidden", Connection{});
        flat.connect("hidden", "out", Connection{});
        CHECK(message([&] { ExactRule(flat.network(), samples_of(3, {6}), options); }) ==
              "input mirror: expected images, samples of two dimensions, found (6,).");
        options = options_of({});
        options.rates = {0.0, 1.0, 1.0};
        NetworkBuilder direct(1);
        direct.input("in", {2, 3});
        direct.population("out", {3}, "lif_exp", {});
        direct.connect("in", "out", Connection{});
        CHECK(message([&] { ExactRule(direct.network(), samples, options); }) ==
              "band of rates: expected populations that fire between input and readout, found none.");
        options = options_of({});
        NetworkBuilder build(1);
        build.input("in", {6});
        build.population("out", {3}, "qif_delta", {});
        build.connect("in", "out", Connection{});
        CHECK(message([&] {
                  ExactRule(build.network(), samples, options);
              }).find("QIF has no exact gradient") != std::string::npos);
    }
}

}  // namespace
}  // namespace saltus::learning
