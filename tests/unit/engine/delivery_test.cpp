// What a spike brings through every kind of stage, against the definition of the stage written as plain
// loops.
#include <doctest/doctest.h>

#include <cmath>

#include "saltus/engine/random.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus {
namespace {

using neurons::Integrator;
using neurons::Li;
using neurons::PerNeuron;

constexpr Duration microsecond{1'000'000'000};

/// Small whole numbers, so that sums do not depend on their order; `scale` makes them doubles that are no
/// floats.
Weights random_weights(std::size_t n, std::uint64_t stream, double scale = 1.0) {
    const CounterRandom random(11, stream);
    std::vector<double> values(n);
    for (std::size_t i = 0; i < n; ++i) values[i] = (static_cast<double>(random.below(i, 15)) - 7.0) * scale;
    return Weights(values);
}

/// Sums that arrive at the target when input `index` spikes once, as the potentials of integrators.
template <class P>
std::vector<double> received(const std::vector<Stage>& stages, const Shape& in, const Shape& out,
                             NeuronIndex index, const P& model) {
    const Network network({{"in", in, neurons::Input{}}, {"out", out, PerNeuron<P>{model}}},
                          {{0, 1, stages}});
    SpikeTrain spike;
    spike.add(Time(microsecond), index);
    return simulate(network, {{"in", spike}}, {.duration = microsecond}).final_potentials[1];
}

/// out[o, y, x] = sum over c, i, j of W[o, c, i, j] in[c, y s + i d - p, x s + j d - p], for one input of 1.
std::vector<double> convolved(const Convolution& c, NeuronIndex index) {
    const auto in = [&](std::int64_t channel, std::int64_t y, std::int64_t x) {
        if (y < 0 || x < 0 || y >= c.in_size[0] || x >= c.in_size[1]) return 0.0;
        return (channel * c.in_size[0] + y) * c.in_size[1] + x == index ? 1.0 : 0.0;
    };
    std::vector<double> out;
    const std::uint32_t in_per_group = c.in_channels / c.groups;
    const std::uint32_t out_per_group = c.out_channels / c.groups;
    for (std::uint32_t o = 0; o < c.out_channels; ++o) {
        for (std::int64_t y = 0; y < c.out_size[0]; ++y) {
            for (std::int64_t x = 0; x < c.out_size[1]; ++x) {
                double sum = 0.0;
                for (std::uint32_t k = 0; k < in_per_group; ++k) {
                    for (std::uint32_t i = 0; i < c.kernel[0]; ++i) {
                        for (std::uint32_t j = 0; j < c.kernel[1]; ++j) {
                            const std::size_t w =
                                ((std::size_t{o} * in_per_group + k) * c.kernel[0] + i) * c.kernel[1] + j;
                            sum += c.weights[w] *
                                   in(o / out_per_group * in_per_group + k,
                                      y * c.stride[0] + std::int64_t{i} * c.dilation[0] - c.padding[0],
                                      x * c.stride[1] + std::int64_t{j} * c.dilation[1] - c.padding[1]);
                        }
                    }
                }
                out.push_back(sum);
            }
        }
    }
    return out;
}

std::uint32_t output_size(std::uint32_t n, std::uint32_t p, std::uint32_t d, std::uint32_t k,
                          std::uint32_t s) {
    return (n + 2 * p - d * (k - 1) - 1) / s + 1;
}

Convolution random_convolution(std::uint64_t seed) {
    const CounterRandom random(seed, 3);
    std::uint64_t draw = 0;
    const auto between = [&](std::uint32_t low, std::uint32_t high) {
        return low + static_cast<std::uint32_t>(random.below(draw++, high - low + 1));
    };
    Convolution c;
    c.groups = between(1, 2);
    c.in_channels = c.groups * between(1, 2);
    c.out_channels = c.groups * between(1, 3);
    c.one_dimensional = between(0, 3) == 0;
    for (std::size_t axis = c.one_dimensional ? 1 : 0; axis < 2; ++axis) {
        c.kernel[axis] = between(1, 4);
        c.dilation[axis] = between(1, 2);
        c.stride[axis] = between(1, 3);
        c.padding[axis] = between(0, 2);
        c.in_size[axis] = between(c.dilation[axis] * (c.kernel[axis] - 1) + 1, 9);
        c.out_size[axis] =
            output_size(c.in_size[axis], c.padding[axis], c.dilation[axis], c.kernel[axis], c.stride[axis]);
    }
    const std::size_t n =
        std::size_t{c.out_channels} * (c.in_channels / c.groups) * c.kernel[0] * c.kernel[1];
    c.weights = random_weights(n, seed, seed % 2 == 0 ? 1.0 : 1.0 + 1e-12);
    return c;
}

TEST_SUITE("simulation/delivery") {
    TEST_CASE("any convolution delivers what its definition says, from every input") {
        for (std::uint64_t seed = 0; seed < 60; ++seed) {
            CAPTURE(seed);
            const Convolution c = random_convolution(seed);
            const Shape in{c.in_channels, c.in_size[0], c.in_size[1]};
            const Shape out{c.out_channels, c.out_size[0], c.out_size[1]};
            for (NeuronIndex index = 0; index < element_count(in); ++index) {
                const std::vector<double> expected = convolved(c, index);
                CHECK(received({c}, in, out, index, Integrator{}) == expected);
                CHECK(received({c}, in, out, index, Li{}) == expected);
            }
        }
    }
    TEST_CASE("a convolution counts one synaptic event for each synapse of the input") {
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
            const Convolution c = random_convolution(seed);
            const Shape in{c.in_channels, c.in_size[0], c.in_size[1]};
            const Shape out{c.out_channels, c.out_size[0], c.out_size[1]};
            const Network network({{"in", in, neurons::Input{}}, {"out", out, PerNeuron<Integrator>(1)}},
                                  {{0, 1, {c}}});
            SpikeTrain everyone;
            for (NeuronIndex i = 0; i < element_count(in); ++i) everyone.add(Time(), i);
            CHECK(simulate(network, {{"in", everyone}}, {}).synaptic_events == synapse_count(c));
        }
    }
    TEST_CASE("pooling sums or averages each window, padding counted, windows that overlap included") {
        Pooling p;
        p.channels = 2;
        p.in_size = {5, 4};
        p.kernel = {3, 2};
        p.stride = {2, 1};
        p.padding = {1, 0};
        p.out_size = {3, 3};
        for (const auto kind : {Pooling::Kind::sum, Pooling::Kind::average}) {
            p.kind = kind;
            Convolution c;  // the same, as a convolution with one group per channel
            c.in_channels = c.out_channels = c.groups = 2;
            c.in_size = p.in_size;
            c.out_size = p.out_size;
            c.kernel = p.kernel;
            c.stride = p.stride;
            c.padding = p.padding;
            c.weights = Weights(std::vector<double>(12, kind == Pooling::Kind::sum ? 1.0 : 1.0 / 6.0));
            for (NeuronIndex index = 0; index < 40; ++index) {
                CHECK(received({p}, {2, 5, 4}, {2, 3, 3}, index, Integrator{}) == convolved(c, index));
            }
        }
    }
    TEST_CASE("a chain is the product of its stages") {
        Pooling pool;
        pool.channels = 2;
        pool.in_size = {4, 4};
        pool.kernel = pool.stride = {2, 2};
        pool.out_size = {2, 2};
        const Flatten flatten{"f", {2, 2, 2}, {8}};
        const Dense fc{"fc", 1, 8, 3, random_weights(24, 5), {}};
        const Scale scale{"s", random_weights(3, 6)};
        for (NeuronIndex index = 0; index < 32; ++index) {
            const std::size_t pooled = index / 16 * 4 + index % 16 / 8 * 2 + index % 4 / 2;
            std::vector<double> expected(3);
            for (std::size_t o = 0; o < 3; ++o) expected[o] = fc.weights[pooled * 3 + o] * scale.factors[o];
            CHECK(received({pool, flatten, fc, scale}, {2, 4, 4}, {3}, index, Integrator{}) == expected);
        }
    }
    TEST_CASE("a matrix of several blocks keeps its blocks apart") {
        const Dense fc{"fc", 2, 3, 2, random_weights(12, 8), {}};
        for (NeuronIndex index = 0; index < 6; ++index) {
            std::vector<double> expected(4, 0.0);
            for (std::size_t o = 0; o < 2; ++o) expected[index / 3 * 2 + o] = fc.weights[index * 2 + o];
            CHECK(received({fc}, {2, 3}, {2, 2}, index, Integrator{}) == expected);
        }
    }
    TEST_CASE("delays that differ between channels come after, before and inside a chain") {
        const auto d = [](std::int64_t n) { return Duration(n * microsecond.femtoseconds()); };
        const Dense fc{"fc", 1, 2, 2, Weights(std::vector<float>{1, 1, 1, 1}), {}};
        const Network network(
            {{"in", {2}, neurons::Input{}}, {"out", {2}, PerNeuron<neurons::If>{{.V_th = 0.5}}}},
            {{0, 1, {Delay{"a", 2, {d(1), d(2)}}, fc, Delay{"b", 2, {d(10), d(20)}}}}});
        SpikeTrain spike;
        spike.add(Time(), 1);
        const SpikeTrain out = simulate(network, {{"in", spike}}, {.duration = d(100)}).spikes[1];
        CHECK(out.times == std::vector<Time>{Time(d(12)), Time(d(22))});
        CHECK(out.neurons == std::vector<NeuronIndex>{0, 1});
    }
}

}  // namespace
}  // namespace saltus
