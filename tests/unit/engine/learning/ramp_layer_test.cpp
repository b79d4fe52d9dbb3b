// Chains of neurons that fire on ramps: spikes and decisions against the exact clock, gradients against
// central differences of it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/event_prop.hpp"
#include "saltus/engine/learning/exact_rule.hpp"
#include "saltus/engine/network_builder.hpp"
#include "saltus/engine/random.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus::learning {
namespace {

constexpr Duration ms(std::int64_t n) {
    return Duration(n * 1'000'000'000'000);
}
constexpr Duration duration = ms(140);

struct Choice {
    double t_ref = 1.0;
    double delay = 0.0;
    double I_e = 0.0;
    double V_0 = 0.0;
    double scale = 1.0;  // of the weights
};

Parameters ramp(double t_min, double t_max, double V_th, const Choice& choice) {
    return {{"t_min", t_min}, {"t_max", t_max},        {"slope", 50.0},     {"C_m", 20e-3},
            {"V_th", V_th},   {"t_ref", choice.t_ref}, {"I_e", choice.I_e}, {"V_0", choice.V_0}};
}

/// 1 x 7 x 6 images, 4 maps of 6 x 5, windows of 2 x 2, 6 maps of 2 x 2, 3 outputs.
Network network_of(const Choice& choice) {
    SequentialRandom random(4, 1, 0);
    const auto weights = [&](std::size_t n, double deviation) {
        std::vector<double> values(n);
        for (double& w : values) w = choice.scale * deviation * random.normal();
        return Weights(values);
    };
    NetworkBuilder build(1);
    build.input("in", {1, 7, 6});
    build.population("maps", {4, 6, 5}, "if_ramp", ramp(20e-3, 40e-3, 1.0, choice));
    Convolution first;
    first.in_channels = 1;
    first.out_channels = 4;
    first.in_size = {7, 6};
    first.out_size = {6, 5};
    first.kernel = {2, 2};
    first.weights = weights(16, 0.8);
    build.connect("in", "maps", {first});
    Pooling pooling;
    pooling.channels = 4;
    pooling.in_size = {6, 5};
    pooling.out_size = {3, 3};
    pooling.kernel = pooling.stride = {2, 2};
    pooling.padding = {0, 1};
    build.population("windows", {4, 3, 3}, "if_delta", {{"V_th", 1.0}, {"t_ref", 1.0}});
    build.connect("maps", "windows", {pooling});
    build.population("maps2", {6, 2, 2}, "if_ramp", ramp(40e-3, 60e-3, 1.0, choice));
    Convolution second;
    second.in_channels = 4;
    second.out_channels = 6;
    second.in_size = {3, 3};
    second.out_size = {2, 2};
    second.kernel = {2, 2};
    second.stride = {2, 1};
    second.padding = {1, 0};
    second.weights = weights(96, 0.4);
    build.connect("windows", "maps2", {second});
    build.population("out", {3}, "if_ramp", ramp(60e-3, 140e-3, 2.0, choice));
    Flatten flatten;
    flatten.in_shape = {6, 2, 2};
    flatten.out_shape = {24};
    flatten.start_dim = 0;
    std::vector<Stage> chain{flatten, Dense{"", 1, 24, 3, weights(72, 0.5), {}}};
    if (choice.delay > 0.0) chain.push_back(Delay{"", 3, {duration_from_seconds(choice.delay)}});
    build.connect("maps2", "out", chain);
    return build.network();
}

std::shared_ptr<const SampleSet> samples_of(std::size_t n) {
    auto samples = std::make_shared<SampleSet>(Shape{1, 7, 6}, 3);
    SequentialRandom random(9, 2, 0);
    for (std::size_t i = 0; i < n; ++i) {
        SpikeTrain train;
        for (std::uint32_t k = 0; k < 42; ++k) {
            // Some come together, some stay away, some come when it is too late.
            const double t = random.below(3) == 0 ? 4e-3 : 24e-3 * random.uniform();
            if (random.below(4) != 0) train.add(Time(duration_from_seconds(t)), k);
        }
        train.sort();
        samples->add(train, static_cast<std::int64_t>(i % 3));
    }
    return samples;
}

ExactOptions options_of() {
    ExactOptions options;
    options.duration = duration;
    options.loss.tau_0 = 5e-3;
    options.loss.alpha = 0.01;
    return options;
}

std::vector<std::uint64_t> numbers(std::size_t n) {
    std::vector<std::uint64_t> all(n);
    for (std::size_t i = 0; i < n; ++i) all[i] = i;
    return all;
}

/// By the exact clock: the sum of losses, what is decided, and how many spikes there are.
struct Outcome {
    double loss = 0.0;
    std::vector<std::uint32_t> decided;
    std::uint64_t spikes = 0;
};
Outcome outcome_of(const Network& network, const SampleSet& samples, const ClassLoss& loss) {
    const ExactSimulation simulation(network);
    Outcome outcome;
    for (std::uint64_t i = 0; i < samples.size(); ++i) {
        SpikeTrain train;
        for (std::size_t k = 0; k < samples[i].times.size(); ++k)
            train.add(Time(Duration(samples[i].times[k])), samples[i].neurons[k]);
        SimulationOptions run;
        run.duration = duration;
        run.recorded = {"maps", "windows", "maps2", "out"};
        const auto trains = simulation.run({{"in", train}}, run).spikes;
        for (const SpikeTrain& of_population : trains) outcome.spikes += of_population.size();
        const SpikeTrain& fired = trains[network.index_of("out")];
        std::vector<double> first(3, std::numeric_limits<double>::infinity());
        for (std::size_t k = 0; k < fired.size(); ++k)
            first[fired.neurons[k]] = std::min(first[fired.neurons[k]], fired.times[k].seconds());
        std::vector<double> unused(3);
        outcome.loss += loss(first, samples[i].label, duration.seconds(), unused);
        outcome.decided.push_back(loss.decide(first));
    }
    return outcome;
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

TEST_SUITE("learning/ramp_layer") {
    TEST_CASE("losses, decisions and numbers of spikes are those of the exact clock") {
        const auto samples = samples_of(40);
        for (const Choice& choice :
             {Choice{}, Choice{.I_e = 0.1}, Choice{.V_0 = -0.2}, Choice{.scale = 3.0}}) {
            CAPTURE(choice.I_e);
            CAPTURE(choice.V_0);
            CAPTURE(choice.scale);
            ExactRule rule(network_of(choice), samples, options_of());
            REQUIRE(rule.is_layered());
            const Tally tally = rule.measure(rule.initial(), numbers(40), 1);
            const std::uint64_t spikes = rule.counts().spikes;
            const Outcome expected = outcome_of(network_of(choice), *samples, options_of().loss);
            CHECK(tally.loss == doctest::Approx(expected.loss).epsilon(1e-11));
            CHECK(spikes == expected.spikes);
            CHECK(spikes > 1000);
            CHECK(rule.decide(rule.initial(), numbers(40), 2) == expected.decided);
        }
    }
    TEST_CASE("the gradient is that of central differences of the exact clock") {
        const auto samples = samples_of(12);
        for (const double scale :
             {1.0, 2.0}) {  // many reach the threshold before their ramps with the larger
            CAPTURE(scale);
            const Choice choice{.scale = scale};
            ExactRule rule(network_of(choice), samples, options_of());
            const std::vector<double> parameters = rule.initial();
            std::vector<double> gradient(parameters.size(), 0.0);
            (void)rule.gradient(parameters, numbers(12), gradient, 1);
            const double largest =
                std::abs(*std::max_element(gradient.begin(), gradient.end(),
                                           [](double a, double b) { return std::abs(a) < std::abs(b); }));
            REQUIRE(largest > 0.0);
            std::size_t compared = 0;
            for (std::size_t k = 0; k < parameters.size(); k += 3) {
                CAPTURE(k);
                // Where a spike comes or goes within the step, or two swap, there is no derivative to compare
                // with: the differences to both sides tell.
                constexpr double h = 1e-6;
                const auto at = [&](double shift) {
                    std::vector<double> moved = parameters;
                    moved[k] += shift;
                    return outcome_of(rule.network(moved), *samples, options_of().loss).loss;
                };
                const double middle = at(0.0);
                const double right = (at(h) - middle) / h;
                const double left = (middle - at(-h)) / h;
                if (std::abs(right - left) > 1e-4 * largest) continue;
                ++compared;
                CHECK(std::abs(0.5 * (left + right) - gradient[k]) <= 1e-6 * largest);
            }
            CHECK(compared > parameters.size() / 4);
        }
    }
    TEST_CASE("the bits of the gradient do not depend on the number of threads") {
        const auto samples = samples_of(40);
        std::vector<std::vector<double>> gradients;
        for (const unsigned threads : {1u, 2u, 3u, 4u}) {
            ExactRule rule(network_of({}), samples, options_of());
            gradients.emplace_back(rule.initial().size(), 0.0);
            (void)rule.gradient(rule.initial(), numbers(40), gradients.back(), threads);
            CHECK(gradients.back() == gradients.front());
        }
    }
    TEST_CASE("1/V' is bounded by what it may be, and spikes at which it was are counted") {
        const auto samples = samples_of(6);
        ExactOptions options = options_of();
        std::vector<std::vector<double>> gradients;
        for (const double largest_factor : {1.0, 0.01}) {  // 1/slope is 0.02 s/V
            options.largest_factor = largest_factor;
            ExactRule rule(network_of({}), samples, options);
            gradients.emplace_back(rule.initial().size(), 0.0);
            (void)rule.gradient(rule.initial(), numbers(6), gradients.back(), 1);
            CHECK((rule.counts().bounded > 0) == (largest_factor < 0.02));
        }
        // The last layer's weights learn half as much.
        const std::size_t last = gradients[0].size() - 72;
        for (std::size_t k = last; k < gradients[0].size(); ++k)
            CHECK(gradients[1][k] == doctest::Approx(0.5 * gradients[0][k]).epsilon(1e-12));
    }
    TEST_CASE("a silent label wakes up by what arrived before the ramp") {
        NetworkBuilder build(1);
        build.input("in", {3});
        build.population("out", {2}, "if_ramp", ramp(20e-3, 40e-3, 1.0, {}));
        build.connect("in", "out", ConnectionMatrix{3, 2, {-1.0, 0.5, -1.0, 0.5, -1.0, 0.5}, 0.0});
        auto samples = std::make_shared<SampleSet>(Shape{3}, 2);
        SpikeTrain train;
        train.add(Time(ms(5)), 0);
        train.add(Time(ms(20)), 1);  // with the ramp: too late
        samples->add(train, 0);
        ExactOptions options = options_of();
        options.wake = 0.25;
        ExactRule rule(build.network(), samples, options);
        REQUIRE(rule.is_layered());
        std::vector<double> gradient(6, 0.0);
        (void)rule.gradient(rule.initial(), numbers(1), gradient, 1);
        CHECK(gradient[0] == -0.25);
        CHECK(gradient[2] == 0.0);
        CHECK(gradient[4] == 0.0);
    }
    TEST_CASE("a band of rates pulls at V of those that fired too often, and at the weights of the silent") {
        NetworkBuilder build(1);
        build.input("in", {2});
        build.population("hidden", {2}, "if_ramp", ramp(20e-3, 40e-3, 1.0, {}));
        build.population("out", {2}, "if_ramp", ramp(40e-3, 120e-3, 2.0, {}));
        build.connect("in", "hidden", ConnectionMatrix{2, 2, {0.9, -0.5, 0.3, -0.5}, 0.0});
        build.connect("hidden", "out", ConnectionMatrix{2, 2, {0.4, -0.3, 0.2, 0.1}, 0.0});
        auto samples = std::make_shared<SampleSet>(Shape{2}, 2);
        SpikeTrain train;
        train.add(Time(ms(5)), 0);
        samples->add(train, 0);
        std::vector<std::vector<double>> gradients;
        for (const bool pulls : {false, true}) {
            ExactOptions options = options_of();
            if (pulls) options.rates = {0.5, 0.8, 2.0};
            ExactRule rule(build.network(), samples, options);
            REQUIRE(rule.is_layered());
            gradients.emplace_back(8, 0.0);
            (void)rule.gradient(rule.initial(), numbers(1), gradients.back(), 1);
        }
        const auto added = [&](std::size_t k) { return gradients[1][k] - gradients[0][k]; };
        // dV/dw = 50 (20 ms - 5 ms); the other input is silent
        CHECK(added(0) == doctest::Approx(2.0 * (1.0 - 0.8) * 0.75).epsilon(1e-12));
        CHECK(added(1) == doctest::Approx(2.0 * (0.0 - 0.5)).epsilon(1e-12));
        for (std::size_t k = 2; k < 8; ++k) CHECK(added(k) == 0.0);
    }
    TEST_CASE("what is no chain of such layers is refused by name") {
        const auto refused = [](const Choice& choice) {
            return message([&] { ExactRule rule(network_of(choice), samples_of(1), options_of()); });
        };
        const auto contains = [](const std::string& text, const char* part) {
            return text.find(part) != std::string::npos;
        };
        CHECK(contains(refused({.t_ref = 0.0}), "RampIF has exact gradients only in a chain of layers"));
        CHECK(contains(refused({.delay = 1e-3}), "without delays"));
        CHECK(contains(message([] { EventProp of(network_of({})); }), "'maps'"));
    }
}

}  // namespace
}  // namespace saltus::learning
