// A run does not depend on who computes it, nor on the order in which its network was listed: random
// networks.
#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "property.hpp"
#include "ranks.hpp"
#include "saltus/engine/random.hpp"

namespace saltus::properties {
namespace {

/// What must be the same, however a network is computed.
struct Outcome {
    std::uint64_t fingerprint = 0;
    std::vector<std::uint64_t> spike_counts;
    std::uint64_t synaptic_events = 0;

    friend bool operator==(const Outcome&, const Outcome&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
        out << std::hex << outcome.fingerprint << std::dec << ", spikes";
        for (const std::uint64_t count : outcome.spike_counts) out << ' ' << count;
        return out << ", events " << outcome.synaptic_events;
    }
};
Outcome outcome_of(const SimulationResult& result) {
    return {fingerprint(result), result.spike_counts, result.synaptic_events};
}

struct Who {
    std::uint32_t ranks;
    std::uint32_t threads;
};
/// Spikes of every population, sources included.
SimulationOptions everything(const Network& network) {
    SimulationOptions options{.duration = duration};
    for (const Population& population : network.populations()) options.recorded.push_back(population.name);
    return options;
}
Outcome outcome_by(const Who& who, const Network& network, const Case& built,
                   const SimulationOptions& options) {
    if (who.ranks == 1) return outcome_of(simulate(network, built.inputs, options, {who.threads}));
    const auto results = run_on_ranks(network, built.inputs, options, who.ranks, who.threads);
    for (const SimulationResult& result : results) RC_ASSERT(outcome_of(result) == outcome_of(results[0]));
    return outcome_of(results[0]);
}

/// The same populations and projections, listed in another order.
Case shuffled(const Case& built, std::uint64_t seed) {
    const auto order_of = [&](std::size_t n, std::uint64_t stream) {
        std::vector<std::uint32_t> order(n);
        std::iota(order.begin(), order.end(), 0u);
        const CounterRandom random(seed, stream);
        for (std::size_t k = n; k > 1; --k) std::swap(order[k - 1], order[random.below(k, k)]);
        return order;
    };
    Case result;
    result.inputs = built.inputs;
    std::vector<std::uint32_t> place(built.populations.size());
    for (const std::uint32_t q : order_of(built.populations.size(), 0)) {
        place[q] = static_cast<std::uint32_t>(result.populations.size());
        result.populations.push_back(built.populations[q]);
    }
    for (const std::uint32_t k : order_of(built.projections.size(), 1)) {
        Projection projection = built.projections[k];
        projection.source = place[projection.source];
        projection.target = place[projection.target];
        result.projections.push_back(std::move(projection));
    }
    return result;
}
std::map<std::string, SpikeTrain> trains_of(const SimulationResult& result, const Network& network) {
    std::map<std::string, SpikeTrain> trains;
    for (std::size_t q = 0; q < result.spikes.size(); ++q)
        trains[network.populations()[q].name] = result.spikes[q];
    return trains;
}

/// The same choice with neurons of one model that share time constants: as many as can share blocks.
NetworkChoice alike(NetworkChoice choice) {
    constexpr std::array models{Kind::lif, Kind::integrate_and_fire, Kind::exp_fast};
    for (PopulationChoice& population : choice.populations) {
        const Kind kind = population.kind;
        const bool is_source =
            kind == Kind::input || kind == Kind::poisson || kind == Kind::regular || kind == Kind::given;
        if (is_source) continue;
        population.kind = models[choice.seed % models.size()];
        population.reset = neurons::Reset::to_value;
        // Drive is the slope of an If, which all would have to share.
        if (population.kind == Kind::integrate_and_fire) population.driven = false;
    }
    return choice;
}
/// A network in which every population of neurons but q only repeats what it has sent in `run`.
Case alone(const Case& built, std::uint32_t q, const SimulationResult& run) {
    Case result;
    result.populations = built.populations;
    for (std::uint32_t p = 0; p < result.populations.size(); ++p) {
        Population& population = result.populations[p];
        if (p != q && !population.is_source()) population.model = neurons::SpikeSource{run.spikes[p]};
    }
    for (const Projection& projection : built.projections) {
        if (projection.target == q) result.projections.push_back(projection);
    }
    result.inputs = built.inputs;
    return result;
}

TEST_SUITE("properties/invariance") {
    TEST_CASE("a run has the same bits on 1, 2, 3, 4 and 8 threads") {
        check_property("threads", 40, [](const NetworkChoice& choice) {
            const Case built = build(choice);
            const Network network = built.network();
            const SimulationOptions options = everything(network);
            const Outcome one = outcome_by({1, 1}, network, built, options);
            for (const std::uint32_t threads : {2u, 3u, 4u, 8u})
                RC_ASSERT(outcome_by({1, threads}, network, built, options) == one);
        });
    }
    TEST_CASE("a run has the same bits on 1, 2, 3 and 4 ranks, of one or two threads") {
        check_property("ranks", 40, [](const NetworkChoice& choice) {
            const Case built = build(choice);
            const Network network = built.network();
            const SimulationOptions options = everything(network);
            const Outcome one = outcome_by({1, 1}, network, built, options);
            for (const Who who : {Who{2, 1}, Who{3, 1}, Who{4, 1}, Who{2, 2}, Who{3, 2}})
                RC_ASSERT(outcome_by(who, network, built, options) == one);
        });
    }
    TEST_CASE("a run that is resumed from a snapshot by others ends with the same bits") {
        check_property("resume", 60, [](const NetworkChoice& choice) {
            const Case built = build(choice);
            const Network network = built.network();
            const SimulationOptions plain = everything(network);
            const CounterRandom random(choice.seed, 2);
            const auto anybody = [&](std::uint64_t draw) {
                return Who{1 + static_cast<std::uint32_t>(random.below(draw, 3)),
                           1 + static_cast<std::uint32_t>(random.below(draw + 1, 3))};
            };
            const Time due(Duration(static_cast<std::int64_t>(random.uniform(4) * 20e12)));
            std::shared_ptr<const Snapshot> snapshot;
            SimulationOptions taking = plain;
            taking.snapshot_due = [&](Time done) { return !snapshot && done >= due; };
            taking.on_snapshot = [&](const Snapshot& taken) {
                snapshot = std::make_shared<const Snapshot>(taken);
            };
            const Outcome whole = outcome_by(anybody(0), network, built, taking);
            RC_ASSERT(outcome_by({1, 1}, network, built, plain) == whole);
            if (!snapshot) return;  // nothing happens after `due`
            SimulationOptions resuming = plain;
            resuming.resume_from = snapshot;
            RC_ASSERT(outcome_by(anybody(2), network, built, resuming) == whole);
        });
    }
    TEST_CASE("populations that share blocks have the same bits on any threads and ranks, and when resumed") {
        check_property("alike", 60, [](const NetworkChoice& choice) {
            const Case built = build(alike(choice));
            const Network network = built.network();
            const SimulationOptions plain = everything(network);
            const Outcome one = outcome_by({1, 1}, network, built, plain);
            for (const Who who : {Who{1, 2}, Who{1, 3}, Who{1, 8}, Who{2, 1}, Who{3, 2}})
                RC_ASSERT(outcome_by(who, network, built, plain) == one);

            std::shared_ptr<const Snapshot> snapshot;
            SimulationOptions taking = plain;
            taking.snapshot_due = [&](Time done) {
                return !snapshot && done >= Time(Duration(8'000'000'000'000));
            };
            taking.on_snapshot = [&](const Snapshot& taken) {
                snapshot = std::make_shared<const Snapshot>(taken);
            };
            RC_ASSERT(outcome_by({1, 2}, network, built, taking) == one);
            if (!snapshot) return;
            SimulationOptions resuming = plain;
            resuming.resume_from = snapshot;
            for (const Who who : {Who{1, 1}, Who{1, 3}, Who{2, 1}})
                RC_ASSERT(outcome_by(who, network, built, resuming) == one);
        });
    }
    TEST_CASE("a population that shares a block with others does what it does with a block of its own") {
        int compared = 0;
        check_property("alone", 60, [&](const NetworkChoice& choice) {
            const Case built = build(alike(choice));
            const Network network = built.network();
            SimulationOptions options = everything(network);
            const auto run = simulate(network, built.inputs, options);
            for (std::uint32_t q = 0; q < built.populations.size(); ++q) {
                if (built.populations[q].is_source()) continue;
                // Spikes that it sends to itself are part of it.
                const Case one = alone(built, q, run);
                const auto result = simulate(one.network(), one.inputs, options);
                RC_ASSERT(result.spikes[q] == run.spikes[q]);
                ++compared;
            }
        });
        CHECK(compared > 60);
    }
    TEST_CASE("synapses that are drawn again at each spike bring the same bits as those that are kept") {
        int drawn = 0;
        check_property("procedural", 90, [&](const NetworkChoice& choice) {
            Case built = build(choice);
            const Network kept = built.network();
            for (Projection& projection : built.projections) {
                if (projection.stages.size() != 1) continue;
                auto* rule = std::get_if<Rule>(&projection.stages[0]);
                if (!rule || !is_drawn_by_source(rule->kind)) continue;
                if (number_of_delays(*rule) > 65'536) continue;
                rule->procedural = true;
                ++drawn;
            }
            const Network network = built.network();
            const SimulationOptions options = everything(network);
            const Outcome expected = outcome_by({1, 1}, kept, built, options);
            for (const Who who : {Who{1, 1}, Who{1, 3}, Who{2, 1}})
                RC_ASSERT(outcome_by(who, network, built, options) == expected);
        });
        CHECK(drawn > 50);
    }
    TEST_CASE("a run does not depend on the order in which populations and projections are listed") {
        check_property("order", 200, [](const NetworkChoice& choice) {
            const Case built = build(choice);
            const Network network = built.network();
            const Network same = shuffled(built, choice.seed).network();
            const auto result = simulate(network, built.inputs, everything(network));
            const auto same_result = simulate(same, built.inputs, everything(same));
            RC_ASSERT(trains_of(same_result, same) == trains_of(result, network));
            RC_ASSERT(same_result.synaptic_events == result.synaptic_events);
        });
    }
}

}  // namespace
}  // namespace saltus::properties
