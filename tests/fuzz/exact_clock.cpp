#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include "choices.hpp"
#include "clocks.hpp"
#include "properties/random_network.hpp"

namespace saltus::fuzz {

namespace {

using namespace properties;

NetworkChoice network_choice(Choices& choices) {
    NetworkChoice network;
    network.populations.resize(1 + choices.below(4));
    for (PopulationChoice& p : network.populations) {
        p.kind = choices.any(Kind::ramp);
        // Populations are cut into blocks of 64 neurons or more.
        p.size = choices.one_of(std::array{1u, 2u, 3u, 5u, 17u, 63u, 64u, 65u, 66u});
        p.driven = choices.yes();
        p.per_neuron = choices.yes();
        p.t_ref = choices.one_of(std::array{0u, 1u, 8u});
        p.reset = choices.any(neurons::Reset::subtract_repeated);
        p.seed = choices.byte();
    }
    network.projections.resize(choices.below(6));
    for (ProjectionChoice& p : network.projections) {
        p.source = choices.byte();
        p.target = choices.byte();
        p.wiring = choices.any(Wiring::sparse_chain);
        p.delays = choices.any(Delays::none);
        p.amplitudes = choices.any(Amplitudes::anywhere);
        p.seed = choices.byte();
    }
    network.seed = choices.byte();
    return network;
}

/// The network beside a silent neuron with a way of 1 fs to itself: no window may be longer than that.
Network strict(Case built) {
    const auto q = static_cast<std::uint32_t>(built.populations.size());
    built.populations.push_back({"silent", {1}, neurons::PerNeuron<neurons::Threshold>(1)});
    built.projections.push_back({q, q, {Delay{"shortest", 1, {Duration(1)}}}});
    return built.network();
}

void expect_same(const SimulationResult& found, const SimulationResult& expected, std::size_t populations,
                 const std::string& what) {
    const auto expect = [&](bool same, const std::string& part) {
        if (!same) throw std::logic_error(what + ": " + part + " differ");
    };
    for (std::size_t q = 0; q < populations; ++q) {
        const std::string name = " of population " + std::to_string(q);
        expect(found.spikes[q] == expected.spikes[q], "spikes" + name);
        expect(found.spike_counts[q] == expected.spike_counts[q], "counts" + name);
    }
    std::size_t k = 0;
    for (const PotentialRecord& record : expected.potentials) {
        while (k < found.potentials.size() && found.potentials[k].population != record.population) ++k;
        expect(k < found.potentials.size() && found.potentials[k].times == record.times &&
                   found.potentials[k].values == record.values,
               "potentials of population " + std::to_string(record.population));
    }
}

/// What is left of a run that ends with the first spike of population q; `inputs` are not among its spikes.
SimulationResult cut_at_first_spike(SimulationResult result, const std::vector<InputSpikes>& inputs,
                                    const Network& network, std::size_t q) {
    std::vector<SpikeTrain> sent = result.spikes;
    for (const InputSpikes& input : inputs) sent[network.index_of(input.population)] = input.spikes;
    if (sent[q].empty()) return result;
    const Time end = sent[q].times.front();
    const auto until_end = [&](const SpikeTrain& train) {
        return std::upper_bound(train.times.begin(), train.times.end(), end) - train.times.begin();
    };
    for (std::size_t p = 0; p < sent.size(); ++p) {
        result.spike_counts[p] = static_cast<std::uint64_t>(until_end(sent[p]));
        SpikeTrain& train = result.spikes[p];
        const auto kept = static_cast<std::size_t>(until_end(train));
        train.times.resize(kept);
        train.neurons.resize(kept);
    }
    return result;
}

}  // namespace

void compare_schedules(const std::filesystem::path& path) {
    Choices choices(path);
    const NetworkChoice choice = network_choice(choices);
    const Case built = build(choice);
    const Network network = built.network();
    SimulationOptions options{.duration = properties::duration};
    for (const Population& population : network.populations()) options.recorded.push_back(population.name);
    SimulationOptions spikes_only = options;
    for (std::uint32_t k = choices.below(4); k > 0; --k)
        options.potential_times.emplace_back(Duration(choices.byte() * std::int64_t{79'000'000'000}));
    std::sort(options.potential_times.begin(), options.potential_times.end());
    const std::uint32_t threads = 2 + choices.below(3);
    const std::uint32_t decides = choices.below(static_cast<std::uint32_t>(network.populations().size()));

    const std::size_t populations = network.populations().size();
    const SimulationResult windowed = simulate(network, built.inputs, options);
    expect_same(simulate(network, built.inputs, options, {threads}), windowed, populations,
                std::to_string(threads) + " threads");
    expect_same(simulate(strict(built), built.inputs, options), windowed, populations, "windows of 1 fs");
    if (!options.potential_times.empty()) {
        SimulationResult without = simulate(network, built.inputs, spikes_only);
        without.potentials = windowed.potentials;
        expect_same(without, windowed, populations, "without a look at potentials");
    }
    spikes_only.until_first_spike_of = network.populations()[decides].name;
    SimulationResult expected = cut_at_first_spike(windowed, built.inputs, network, decides);
    expected.potentials.clear();
    expect_same(simulate(network, built.inputs, spikes_only), expected, populations,
                "until the first spike of population " + std::to_string(decides));
}

}  // namespace saltus::fuzz
