// Spike times, errors and steps of the published rule on small random networks. See README.md.
#include <cmath>

#include "golden.hpp"

using namespace saltus;
using namespace saltus::learning;
using namespace saltus::test;

namespace {

struct Case {
    std::string name;
    std::vector<std::uint32_t> sizes;
    std::int64_t t_max;
};

const std::vector<Case> cases{{"net_20-8-3_tmax256", {20, 8, 3}, 256},
                              {"net_20-8-3_tmax32", {20, 8, 3}, 32},
                              {"net_20-8-6-3_tmax256", {20, 8, 6, 3}, 256},
                              {"net_20-8-6-3_tmax32", {20, 8, 6, 3}, 32}};

struct Golden {
    explicit Golden(const Case& which)
        : file(SALTUS_TEST_DATA "/conformance/s4nn/gradients_small.h5"),
          samples(samples_of(file.integers(which.name + "/input_time"), which.sizes.front(),
                             file.integers(which.name + "/label"), which.sizes.back())) {
        std::vector<std::vector<double>> weights;
        for (std::size_t l = 0; l + 1 < which.sizes.size(); ++l) {
            weights.push_back(file.reals(which.name + "/weight_" + std::to_string(l)));
        }
        network = dense_network(which.sizes, weights, file.attribute(which.name, "threshold"), which.t_max);
        options.margin =
            Duration(static_cast<std::int64_t>(file.attribute(which.name, "gamma").front()) * slot);
        sequential.learning_rates = file.attribute(which.name, "learning_rate");
        sequential.weight_decays = file.attribute(which.name, "weight_decay");
    }

    GoldenFile file;
    SampleSet samples;
    FirstSpikeNetwork network;
    S4nnOptions options;
    S4nnSequentialOptions sequential;
};

std::string order_name(S4nnOptions::Order order) {
    return order == S4nnOptions::Order::code ? "code" : "paper";
}

}  // namespace

TEST_SUITE("conformance/s4nn") {
    TEST_CASE("times, targets, errors and steps of 40 samples through four networks, in both orders") {
        for (const Case& which : cases) {
            Golden golden(which);
            for (const auto order : {S4nnOptions::Order::code, S4nnOptions::Order::paper}) {
                golden.options.order = order;
                const std::string group = which.name + "/" + order_name(order);
                CAPTURE(group);
                std::vector<S4nnStep> steps;
                for (std::uint64_t i = 0; i < golden.samples.size(); ++i) {
                    steps.push_back(
                        s4nn_step(golden.network, golden.samples[i], golden.options, golden.sequential));
                }
                REQUIRE(steps.size() == 40);
                const auto targets = golden.file.integers(group + "/target_time");
                const std::size_t classes = which.sizes.back();
                for (std::size_t i = 0; i < 40; ++i) {
                    check_times(steps[i].targets, targets.data() + i * classes, classes);
                }
                for (std::size_t l = 0; l + 1 < which.sizes.size(); ++l) {
                    const std::string number = "_" + std::to_string(l);
                    const std::size_t n = which.sizes[l + 1];
                    const std::size_t m = n * which.sizes[l];
                    const auto times = golden.file.integers(group + "/time" + number);
                    const auto raw = golden.file.reals(group + "/delta_raw" + number);
                    const auto delta = golden.file.reals(group + "/delta" + number);
                    const auto dW = golden.file.reals(group + "/dW" + number);
                    for (std::size_t i = 0; i < 40; ++i) {
                        const S4nnStep::Layer& found = steps[i].layers[l];
                        check_times(found.times, times.data() + i * n, n);
                        check_close(found.raw_delta, raw.data() + i * n, n);
                        check_close(found.delta, delta.data() + i * n, n);
                        const std::vector<double> expected(
                            dW.begin() + static_cast<std::ptrdiff_t>(i * m),
                            dW.begin() + static_cast<std::ptrdiff_t>(i * m + m));
                        check_close(found.weights, transposed(expected, n).data(), m);
                    }
                }
            }
        }
    }

    TEST_CASE("weights after one and five passes of the rule that learns from one sample at a time") {
        for (const Case& which : cases) {
            Golden golden(which);
            for (const auto order : {S4nnOptions::Order::code, S4nnOptions::Order::paper}) {
                golden.options.order = order;
                const std::string group = which.name + "/" + order_name(order);
                CAPTURE(group);
                S4nnSequential learner(golden.network, std::make_shared<SampleSet>(golden.samples),
                                       golden.options, golden.sequential);
                std::vector<std::uint64_t> all(golden.samples.size());
                for (std::uint64_t i = 0; i < all.size(); ++i) all[i] = i;
                for (int pass = 1; pass <= 5; ++pass) {
                    learner.learn(all, 1.0, 1);
                    if (pass != 1 && pass != 5) continue;
                    const FirstSpikeNetwork network = learner.network();
                    for (std::size_t l = 0; l < network.layers.size(); ++l) {
                        const auto expected = golden.file.reals(group + "/weight_" + std::to_string(l) +
                                                                "_after_" + std::to_string(pass) + "_passes");
                        const auto& found = std::get<DenseSynapses>(network.layers[l].synapses);
                        check_close(found.weights, transposed(expected, found.outputs).data(),
                                    found.weights.size());
                    }
                }
            }
        }
    }

    TEST_CASE("a delay for each synapse, all of one slot, gives the same times, errors and steps") {
        for (const Case& which : cases) {
            Golden golden(which);
            FirstSpikeNetwork delayed = golden.network;
            for (FirstSpikeLayer& layer : delayed.layers) {
                auto& dense = std::get<DenseSynapses>(layer.synapses);
                dense.delays.assign(dense.weights.size(), Duration(slot));
            }
            for (std::uint64_t i = 0; i < golden.samples.size(); ++i) {
                const S4nnStep a = s4nn_step(golden.network, golden.samples[i], golden.options);
                const S4nnStep b = s4nn_step(delayed, golden.samples[i], golden.options);
                for (std::size_t l = 0; l < a.layers.size(); ++l) {
                    CHECK(a.layers[l].times == b.layers[l].times);
                    check_close(b.layers[l].delta, a.layers[l].delta.data(), a.layers[l].delta.size());
                    check_close(b.layers[l].weights, a.layers[l].weights.data(), a.layers[l].weights.size());
                    // dd_ji = - dW_ji w_ji
                    const auto& weights = std::get<DenseSynapses>(golden.network.layers[l].synapses).weights;
                    std::vector<double> expected = a.layers[l].weights;
                    for (std::size_t k = 0; k < expected.size(); ++k) expected[k] *= -weights[k];
                    check_close(b.layers[l].delays, expected.data(), expected.size());
                }
            }
        }
    }
}
