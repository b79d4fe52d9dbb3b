// Which ranks a spike goes to.
#include <doctest/doctest.h>

#include <numeric>
#include <string>
#include <thread>

#include "ranks.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/network_builder.hpp"

namespace saltus::properties {
namespace {

constexpr std::uint32_t ranks = 4;
constexpr NeuronIndex neurons = 400;  // a hundred on each rank

/// Neurons that fire by themselves, about every 14 ms, each a little faster than the one before.
NetworkBuilder firing_neurons() {
    NetworkBuilder build(1);
    std::vector<double> current(neurons);
    for (NeuronIndex j = 0; j < neurons; ++j) current[j] = 30e-3 + 1e-5 * j;
    build.population("a", {neurons}, "lif_delta",
                     {{"tau_m", 20e-3}, {"V_th", 15e-3}, {"V_reset", 0.0}, {"I_e", current}});
    return build;
}
std::uint64_t spikes_of(const SimulationResult& result, NeuronIndex neuron) {
    const auto& all = result.spikes[0].neurons;
    return static_cast<std::uint64_t>(std::count(all.begin(), all.end(), neuron));
}

TEST_SUITE("properties/exchange") {
    const SimulationOptions options{.duration = duration_from_seconds(0.1)};

    TEST_CASE("a spike goes to the ranks that have targets of its neuron, and to no others") {
        NetworkBuilder build = firing_neurons();
        // A ring: only the last neuron of each rank has its target elsewhere.
        ConnectionList ring;
        for (NeuronIndex j = 0; j < neurons; ++j) {
            ring.pre.push_back(j);
            ring.post.push_back((j + 1) % neurons);
        }
        ring.weight = {0.2e-3};
        ring.delay = {1e-3};
        build.connect("a", "a", ring);
        const Network network = build.network();
        const auto table = std::make_shared<Table>(ranks);
        const auto results = run_on_ranks(table, network, {}, options, 1);
        const SimulationResult alone = simulate(network, {}, options);
        CHECK(alone.neuron_spikes > 5 * neurons);
        for (const SimulationResult& result : results) {
            CHECK(fingerprint(result) == fingerprint(alone));
            CHECK(result.spike_counts == alone.spike_counts);
            CHECK(result.synaptic_events == alone.synaptic_events);
        }
        std::uint64_t across = 0;
        for (const NeuronIndex last : {99u, 199u, 299u, 399u}) across += spikes_of(alone, last);
        CHECK(table->to_some == across);
        CHECK(table->to_all ==
              alone.neuron_spikes);  // once, when all is done: every rank tells what it recorded

        const auto unrecorded = std::make_shared<Table>(ranks);
        SimulationOptions counting = options;
        counting.record_spikes = false;
        CHECK(run_on_ranks(unrecorded, network, {}, counting, 1)[3].neuron_spikes == alone.neuron_spikes);
        CHECK(unrecorded->to_some == across);
        CHECK(unrecorded->to_all == 0);
    }

    TEST_CASE("where neurons have targets on most ranks, spikes go to all at once") {
        NetworkBuilder build = firing_neurons();
        build.connect("a", "a",
                      Connection{.rule = "fixed_indegree",
                                 .k = 40,
                                 .weight = Distribution::constant(0.01e-3),
                                 .delay = Distribution::constant(1e-3)});
        const Network network = build.network();
        const auto table = std::make_shared<Table>(ranks);
        SimulationOptions counting = options;
        counting.record_spikes = false;
        const auto results = run_on_ranks(table, network, {}, counting, 2);
        CHECK(table->to_some == 0);
        CHECK(table->to_all == results[0].neuron_spikes);
        CHECK(results[0].synaptic_events == simulate(network, {}, counting).synaptic_events);
    }

    TEST_CASE("progress is that of all ranks") {
        const Network network = firing_neurons().network();
        const auto last_progress = [&](std::uint32_t of) {
            Progress last;
            SimulationOptions asking = options;
            std::mutex mutex;
            asking.on_progress = [&](const Progress& progress) {
                const std::lock_guard lock(mutex);
                last = progress;
                return true;
            };
            (void)run_on_ranks(network, {}, asking, of, 1);
            return last;
        };
        const Progress one = last_progress(1);
        const Progress four = last_progress(4);
        CHECK(one.spikes > 0);
        CHECK(four.spikes == one.spikes);
    }

    TEST_CASE("ranks that were given different networks end, and say so") {
        const auto table = std::make_shared<Table>(2);
        std::vector<std::string> messages(2);
        std::vector<std::thread> running;
        for (std::uint32_t rank = 0; rank < 2; ++rank) {
            running.emplace_back([&, rank] {
                NetworkBuilder build;
                build.population("a", {rank == 0 ? 200u : 300u}, "lif_delta", {{"V_th", 1.0}});
                build.connect("a", "a", Connection{.delay = Distribution::constant(1e-3)});
                try {
                    (void)simulate(build.network(), {}, options,
                                   {1, std::make_shared<ThreadRank>(rank, table)});
                } catch (const UsageError& error) {
                    messages[rank] = error.what();
                }
            });
        }
        for (std::thread& thread : running) thread.join();
        for (const std::string& message : messages)
            CHECK(message == "the ranks were given different networks. Build the same on all.");
    }
}

}  // namespace
}  // namespace saltus::properties
