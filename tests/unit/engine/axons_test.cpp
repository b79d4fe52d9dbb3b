// What spikes bring along axons, window by window and slice by slice, against each spike's row of the table.
#include "simulation/axons.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <tuple>
#include <variant>
#include <vector>

#include "saltus/engine/communication.hpp"
#include "saltus/engine/network_builder.hpp"
#include "simulation/plan.hpp"

namespace saltus {
namespace {

constexpr std::uint32_t size = 40;

/// `k` synapses of each neuron from all neurons of the population, with delays of 1 to 2 ms.
Network recurrent(std::uint32_t k, double step_ms = 0.25) {
    NetworkBuilder build(3);
    build.population("n", {size}, "lif_delta", {{"tau_m", 20e-3}, {"V_th", 20e-3}});
    build.connect(
        "n", "n",
        {.rule = "fixed_indegree", .k = k, .delay = Distribution::uniform(1e-3, 2e-3, step_ms * 1e-3)});
    return build.network();
}

/// time [fs], synapses [begin, end) of the table
using Entry = std::tuple<std::int64_t, std::uint32_t, std::uint32_t>;

const SynapseTable& table_of(const BlockPlan& plan) {
    return std::get<SynapseTable>(plan.incoming.front().synapses);
}

void check(const Axons& axons, std::uint32_t slice, const BlockPlan& plan, std::int64_t from,
           std::vector<Entry>& into) {
    const auto arrivals = axons.arrivals(slice);
    CHECK(std::is_sorted(arrivals.begin(), arrivals.end()));
    const std::uint32_t* const bounds = table_of(plan).segment_bounds();
    for (const Arrival& arrival : arrivals) {
        CHECK(arrival.when >= from);
        CHECK(arrival.when < axons.stop_of(slice));
        const Entry entry{arrival.when, bounds[arrival.begin], bounds[arrival.begin + 1]};
        if (std::get<1>(entry) != std::get<2>(entry)) into.push_back(entry);
    }
}

/// Spikes of each window of 1 ms, in any order within it, some at one instant.
std::vector<std::vector<Spike>> random_spikes(std::mt19937_64& draw, std::int64_t window,
                                              std::size_t windows) {
    std::vector<std::vector<Spike>> spikes(windows);
    for (std::size_t w = 0; w < windows; ++w) {
        for (std::uint64_t n = draw() % 9; n > 0; --n) {
            const auto t =
                static_cast<std::int64_t>(w) * window + static_cast<std::int64_t>(draw() % 8) * window / 8;
            spikes[w].push_back({Time(Duration(t)), 0, static_cast<NeuronIndex>(draw() % size)});
        }
    }
    return spikes;
}

void add_row(const Spike& spike, const BlockPlan& plan, std::int64_t from, std::int64_t until,
             std::vector<Entry>& into) {
    table_of(plan).walk(spike.neuron, [&](std::int64_t delay, std::uint32_t begin, std::uint32_t end) {
        const std::int64_t t = spike.time.femtoseconds() + delay;
        if (t >= from && t < until) into.emplace_back(t, begin, end);
    });
}

TEST_SUITE("engine/axons") {
    TEST_CASE(
        "each spike brings each segment of its row once, in order, in any slices and from any time on") {
        const Plan plan(recurrent(30), {1, local_communication()});
        const BlockPlan& block = plan.places.front().plan;
        REQUIRE(table_of(block).segment_bounds() != nullptr);
        const std::int64_t window = plan.window_fs;
        std::mt19937_64 draw(1);
        for (std::uint32_t slices = 1; slices <= 5; ++slices) {
            constexpr std::size_t windows = 60;
            const auto spikes = random_spikes(draw, window, windows);
            const std::size_t resumed = 10 * (slices - 1);  // the window in which it begins
            const auto start = static_cast<std::int64_t>(resumed) * window + 1;
            Axons axons(block);
            std::vector<Spike> before;
            for (std::size_t w = 0; w < resumed; ++w)
                before.insert(before.end(), spikes[w].begin(), spikes[w].end());
            axons.accept_from(before, start);
            std::vector<Entry> found;
            std::vector<Entry> expected;
            for (std::size_t w = resumed; w < windows; ++w) {
                const std::int64_t begin = std::max(start, static_cast<std::int64_t>(w) * window);
                const std::int64_t end = static_cast<std::int64_t>(w + 1) * window;
                const std::int64_t next = axons.next();
                const std::size_t count = found.size();
                axons.open(begin, end, slices);
                REQUIRE(axons.slices() == slices);
                for (std::uint32_t k = slices; k-- > 0;) axons.put_in_order(k);
                for (std::uint32_t k = 0; k < slices; ++k)
                    check(axons, k, block, k == 0 ? begin : axons.stop_of(k - 1), found);
                if (found.size() > count) CHECK(next <= std::get<0>(found[count]));
                axons.close();
                axons.accept(spikes[w]);
            }
            const std::int64_t end = static_cast<std::int64_t>(windows) * window;
            for (const auto& sent : spikes) {
                for (const Spike& spike : sent) add_row(spike, block, start, end, expected);
            }
            CHECK(std::is_sorted(found.begin(), found.end()));
            std::sort(expected.begin(), expected.end());
            CHECK(expected.size() > 100);
            CHECK(found == expected);
        }
    }

    TEST_CASE("blocks of all threads share axons of the same sources and delays, and of no others") {
        const Plan one(recurrent(30), {1, local_communication()});
        const Plan two(recurrent(30, 0.5), {1, local_communication()});
        NetworkBuilder build(1);
        build.population("n", {200}, "lif_delta", {{"tau_m", 20e-3}, {"V_th", 20e-3}});
        build.connect("n", "n", {.rule = "all_to_all", .delay = Distribution::constant(1e-3)});
        const Plan cut(build.network(), {2, local_communication()});
        REQUIRE(cut.places.size() == 2);
        CHECK(Axons(cut.places[0].plan).serve(cut.places[1].plan));
        CHECK_FALSE(Axons(one.places[0].plan).serve(two.places[0].plan));
        CHECK_FALSE(Axons(one.places[0].plan).empty());
    }

    TEST_CASE("rows with few synapses of one delay do not come along axons") {
        const Plan thin(recurrent(2), {1, local_communication()});
        const BlockPlan& block = thin.places.front().plan;
        CHECK(table_of(block).segment_bounds() == nullptr);
        Axons axons(block);
        CHECK(axons.empty());
        axons.accept(std::vector<Spike>{{Time(Duration(0)), 0, 0}});
        CHECK(axons.next() == INT64_MAX);
        axons.open(0, thin.window_fs, 3);
        CHECK(axons.slices() == 1);
        CHECK(axons.arrivals(0).empty());
    }
}

}  // namespace
}  // namespace saltus
