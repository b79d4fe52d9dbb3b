// The exact clock against a plain event loop: random networks.
//
// Moving frames round otherwise than the closed forms do: some roundings of V (1e-16) over its slope at the
// threshold (0.01 to 1 per ms) are a part of a femtosecond to some, and are handed on along the spikes. Where
// two computed times coincide on paper, or nearly, rounding decides which comes first, and all that follows
// may hang on it. Such networks are compared up to there: up to the instant at which the event loop differs
// from itself once its crossings are moved by a femtosecond.
#include <algorithm>
#include <cstdlib>

#include "property.hpp"
#include "reference.hpp"

namespace saltus::properties {
namespace {

using Trains = std::vector<SpikeTrain>;  // of each population
constexpr std::int64_t bound_fs = 64;

struct Difference {
    std::int64_t time = INT64_MAX;  // of the first spike that only one of both has
    std::uint32_t population = 0;
    NeuronIndex neuron = 0;
};
Difference first_difference(const Network& network, const Trains& a, const Trains& b) {
    const auto by_neuron = [](const SpikeTrain& train, std::uint32_t size) {
        std::vector<std::vector<std::int64_t>> times(size);
        for (std::size_t k = 0; k < train.size(); ++k)
            times[train.neurons[k]].push_back(train.times[k].femtoseconds());
        return times;
    };
    Difference first;
    for (std::uint32_t q = 0; q < a.size(); ++q) {
        const Population& population = network.populations()[q];
        if (population.is_source()) continue;
        const auto left = by_neuron(a[q], population.size());
        const auto right = by_neuron(b[q], population.size());
        for (NeuronIndex j = 0; j < population.size(); ++j) {
            const auto time = [&](const std::vector<std::int64_t>& times, std::size_t k) {
                return k < times.size() ? times[k] : INT64_MAX;
            };
            for (std::size_t k = 0; k < std::max(left[j].size(), right[j].size()); ++k) {
                const std::int64_t early = std::min(time(left[j], k), time(right[j], k));
                const std::int64_t late = std::max(time(left[j], k), time(right[j], k));
                if (late - early <= bound_fs) continue;
                if (early < first.time) first = {early, q, j};
                break;
            }
        }
    }
    return first;
}

TEST_SUITE("properties/reference") {
    TEST_CASE("every spike is that of a plain event loop, none extra, to a few femtoseconds") {
        std::uint64_t spikes = 0;
        std::uint64_t compared = 0;
        check_property("reference", 100, [&](const NetworkChoice& choice) {
            const Case built = build(choice);
            const Network network = built.network();
            SimulationOptions options{.duration = duration};
            for (const Population& population : network.populations())
                options.recorded.push_back(population.name);
            const Trains found = simulate(network, built.inputs, options, {2}).spikes;
            Trains sources = found;
            for (const InputSpikes& input : built.inputs)
                sources[network.index_of(input.population)] = input.spikes;
            const Trains expected = reference_run(network, sources, duration);
            std::int64_t certain = INT64_MAX;
            for (const std::uint64_t jitter : {1u, 2u, 3u}) {
                const Trains moved = reference_run(network, sources, duration, jitter);
                certain = std::min(certain, first_difference(network, expected, moved).time);
            }
            for (const SpikeTrain& train : expected) {
                spikes += train.size();
                compared += static_cast<std::uint64_t>(
                    std::count_if(train.times.begin(), train.times.end(),
                                  [&](Time t) { return t.femtoseconds() < certain; }));
            }
            const Difference difference = first_difference(network, found, expected);
            RC_LOG() << "neuron " << difference.neuron << " of "
                     << network.populations()[difference.population].name << " spikes at " << difference.time
                     << " fs; certain up to " << certain << " fs\n";
            RC_ASSERT(difference.time >= certain - bound_fs);
        });
        CHECK(2 * compared > spikes);
    }
}

}  // namespace
}  // namespace saltus::properties
