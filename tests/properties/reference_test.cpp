// The exact clock against a plain event loop: random networks.
#include <algorithm>
#include <cstdlib>

#include "property.hpp"
#include "reference.hpp"

namespace saltus::properties {
namespace {

/// Spikes of each neuron, in order.
std::vector<std::vector<std::int64_t>> by_neuron(const SpikeTrain& train, std::uint32_t size) {
    std::vector<std::vector<std::int64_t>> times(size);
    for (std::size_t k = 0; k < train.size(); ++k)
        times[train.neurons[k]].push_back(train.times[k].femtoseconds());
    return times;
}

TEST_SUITE("properties/reference") {
    TEST_CASE("every spike is that of a plain event loop, none extra, to a few femtoseconds") {
        // Moving frames round otherwise than the closed forms do: some roundings of V (1e-16) over its slope
        // at the threshold (0.01 to 1 per ms) are a part of a femtosecond to some; errors are handed on along
        // the spikes.
        static constexpr std::int64_t bound_fs = 64;
        check_property("reference", 200, [](const NetworkChoice& choice) {
            const Case built = build(choice);
            const Network network = built.network();
            SimulationOptions options{.duration = duration};
            for (const Population& population : network.populations())
                options.recorded.push_back(population.name);
            const auto result = simulate(network, built.inputs, options, {2});
            std::vector<SpikeTrain> sources = result.spikes;
            for (const InputSpikes& input : built.inputs)
                sources[network.index_of(input.population)] = input.spikes;
            const std::vector<SpikeTrain> expected = reference_run(network, sources, duration);
            for (std::uint32_t q = 0; q < expected.size(); ++q) {
                const Population& population = network.populations()[q];
                if (population.is_source()) continue;
                const auto found = by_neuron(result.spikes[q], population.size());
                const auto wanted = by_neuron(expected[q], population.size());
                for (NeuronIndex j = 0; j < found.size(); ++j) {
                    RC_LOG() << population.name << ' ' << j << '\n';
                    for (std::size_t k = 0; k < std::min(found[j].size(), wanted[j].size()); ++k)
                        RC_ASSERT(std::abs(found[j][k] - wanted[j][k]) <= bound_fs);
                    RC_ASSERT(found[j].size() == wanted[j].size());
                }
            }
        });
    }
}

}  // namespace
}  // namespace saltus::properties
