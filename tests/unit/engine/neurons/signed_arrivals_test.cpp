// Excitation and inhibition that arrive at one instant, at models that keep them apart.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "saltus/engine/neurons/lif_alpha.hpp"
#include "saltus/engine/neurons/lif_exp2.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus {
namespace {

using neurons::LifAlpha;
using neurons::LifExp2;
using neurons::SignedSum;

constexpr Duration ms(std::int64_t n) {
    return Duration(n * 1'000'000'000'000);
}

/// Weights from 2 inputs to 3 neurons.
constexpr double weight[2][3] = {{3.0, 1.0, -2.0}, {-3.0, 0.5, -0.25}};

std::vector<double> by_source(double factor) {
    std::vector<double> values;
    for (const auto& row : weight) {
        for (const double w : row) values.push_back(factor * w);
    }
    return values;
}
std::vector<double> by_target() {
    std::vector<double> values;
    for (std::size_t j = 0; j < 3; ++j) {
        for (const auto& row : weight) values.push_back(row[j]);
    }
    return values;
}

/// The potentials at 4 ms of neurons that both inputs reach at 1 ms through `stages`.
template <class P>
std::vector<double> potentials(const P& p, std::vector<Stage> stages) {
    const Network network({{"in", {2}, neurons::Input{}}, {"a", {3}, neurons::PerNeuron<P>{p}}},
                          {{0, 1, std::move(stages)}});
    SpikeTrain train;
    train.add(Time(ms(1)), 0);
    train.add(Time(ms(1)), 1);
    const SimulationResult result =
        simulate(network, {{"in", train}}, {.duration = ms(5), .potential_times = {Time(ms(4))}});
    return result.potentials.front().values;
}

template <class P>
void check_paths(const P& p, std::vector<double> (*run)(const P&, std::vector<Stage>)) {
    std::vector<NeuronIndex> pre, post;
    std::vector<double> weights;
    for (NeuronIndex i = 0; i < 2; ++i) {
        for (NeuronIndex j = 0; j < 3; ++j) {
            pre.push_back(i);
            post.push_back(j);
            weights.push_back(weight[i][j]);
        }
    }
    const Dense dense{"fc", 1, 2, 3, Weights(by_source(1.0)), {}};
    const Dense negated{"fc", 1, 2, 3, Weights(by_source(-1.0)), {}};
    const Scale minus_one{"scale", Weights(std::vector<double>{-1.0, -1.0, -1.0})};
    const Convolution convolution{
        .name = "conv", .in_channels = 2, .out_channels = 3, .weights = Weights(by_target()), .bias = {}};
    const Sparse sparse =
        Sparse::of("s", 2, 3, pre, post, weights, std::vector<Duration>(weights.size(), Duration()));

    const auto c = constants(p, 0.0);
    std::vector<double> expected;
    for (std::size_t j = 0; j < 3; ++j) {
        SignedSum sum;
        for (std::size_t i = 0; i < 2; ++i) (weight[i][j] < 0.0 ? sum.in : sum.ex) += weight[i][j];
        auto state = initial(p, c);
        arrive(c, state, sum);
        expected.push_back(flow(c, state, 3e-3).V);
    }
    CHECK(std::abs(expected[0]) > 0.01);  // +3 and -3 do not cancel
    const auto check = [&](const std::string& path, std::vector<Stage> stages) {
        CAPTURE(path);
        const std::vector<double> found = run(p, std::move(stages));
        REQUIRE(found.size() == 3);
        for (std::size_t j = 0; j < 3; ++j) CHECK(found[j] == doctest::Approx(expected[j]).epsilon(1e-15));
    };
    check("matrix", {dense});
    check("explicit synapses", {sparse});
    check("convolution", {convolution});
    check("matrix and a factor that turns every sign", {negated, minus_one});
}

TEST_SUITE("simulation/signed_arrivals") {
    TEST_CASE("weights are told apart by their sign, whatever projection they come through") {
        check_paths(LifExp2{.tau_syn_ex = 2e-3, .tau_syn_in = 8e-3, .V_th = 100.0}, potentials<LifExp2>);
        check_paths(LifAlpha{.tau_syn_ex = 2e-3, .tau_syn_in = 8e-3, .V_th = 100.0}, potentials<LifAlpha>);
    }
    TEST_CASE("inhibition alone reaches a neuron too") {
        const Dense one{"fc", 1, 2, 3, Weights(std::vector<double>{-1.0, 0.0, 0.0, 0.0, 0.0, -2.0}), {}};
        const std::vector<double> found = potentials(LifExp2{.V_th = 100.0}, {one});
        CHECK(found[0] < -0.1);
        CHECK(found[1] == 0.0);
        CHECK(found[2] == doctest::Approx(2.0 * found[0]).epsilon(1e-15));
    }
    TEST_CASE("a bias is a constant current, whatever its sign") {
        const LifExp2 p{.tau_m = 10e-3, .V_th = 100.0};
        const Dense biased{"fc",
                           1,
                           2,
                           3,
                           Weights(std::vector<double>(6, 0.0)),
                           Weights(std::vector<double>{1.0, -1.0, 0.0})};
        const std::vector<double> found = potentials(p, {biased});
        const double V = 1.0 - std::exp(-0.4);
        CHECK(found[0] == doctest::Approx(V).epsilon(1e-14));
        CHECK(found[1] == doctest::Approx(-V).epsilon(1e-14));
        CHECK(found[2] == 0.0);
    }
}

}  // namespace
}  // namespace saltus
