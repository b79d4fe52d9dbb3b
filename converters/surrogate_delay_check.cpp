#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "saltus/converters/convention.hpp"
#include "saltus/converters/surrogate_delays.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/surrogate.hpp"
#include "saltus/engine/stepped.hpp"
#include "surrogate_numbers.hpp"

namespace saltus::converters {

namespace {

using learning::SurrogateNetwork;
using learning::SurrogateTrace;

/// The sample with so many silent steps before and after it.
Raster raster_of(const SurrogateModel& model, const std::vector<InputSpikes>& inputs) {
    const auto neurons = static_cast<std::uint32_t>(element_count(model.description.input));
    const std::uint32_t steps = model.description.steps;
    SpikeTrain train;
    for (const InputSpikes& input : inputs) {
        if (input.population != "input")
            throw InputError(input.population, "expected spikes for \"input\", the only input.");
        for (std::size_t k = 0; k < input.spikes.size(); ++k)
            train.add(input.spikes.times[k], input.spikes.neurons[k]);
    }
    for (const Time time : train.times) {
        if (time.femtoseconds() / model.dt.femtoseconds() >= steps)
            throw InputError("input", "expected spikes within the " + std::to_string(steps) + " steps of " +
                                          to_string(model.dt) + " of a sample, found one at " +
                                          to_string(time.since_start()) + ".");
    }
    Raster raster = Raster::of(train, neurons, model.dt, steps, "input");
    if (model.binary) raster.amplitudes.clear();
    return raster;
}

/// [step][neuron], as the trainer takes it.
std::vector<double> sample_of_trainer(const SurrogateModel& model, const Raster& raster,
                                      std::uint32_t silence) {
    std::vector<double> values = raster.dense();
    for (std::size_t k = 0; k < values.size() && !model.divisors.empty(); ++k)
        values[k] = double{static_cast<float>(values[k]) / model.divisors[k % model.divisors.size()]};
    std::vector<double> sample(std::size_t{silence} * raster.neurons, 0.0);
    sample.insert(sample.end(), values.begin(), values.end());
    sample.resize(sample.size() + std::size_t{silence} * raster.neurons, 0.0);
    return sample;
}

SurrogateTrace trace(const SurrogateNetwork& network, const SurrogateModel& model,
                     const std::vector<double>& sample) {
    learning::SurrogateOptions options;
    options.precision = learning::SurrogateOptions::Precision::float64;
    return surrogate_trace(network, model.parameters, options, sample, 0);
}

std::uint64_t differences(SpikeTrain a, SpikeTrain b) {
    const auto pairs = [](SpikeTrain& train) {
        train.sort();
        std::vector<std::pair<Time, NeuronIndex>> list;
        for (std::size_t k = 0; k < train.size(); ++k) list.emplace_back(train.times[k], train.neurons[k]);
        return list;
    };
    const auto first = pairs(a);
    const auto second = pairs(b);
    std::vector<std::pair<Time, NeuronIndex>> apart;
    std::set_symmetric_difference(first.begin(), first.end(), second.begin(), second.end(),
                                  std::back_inserter(apart));
    return apart.size();
}

/// Neurons that a test right after the spikes of a step, before the leak, would find above the threshold:
/// {lifted, repeated}.
std::array<std::uint64_t, 2> early(const SurrogateNetwork::Layer& layer, const SurrogateNumbers& numbers,
                                   const SurrogateTrace::Layer& did) {
    const std::uint32_t channels = layer.out.channels;
    const std::uint32_t places = layer.out.positions();
    std::array<std::uint64_t, 2> found{};
    std::vector<double> reset(channels);
    for (std::size_t t = 0; t < layer.out.steps; ++t) {
        for (std::uint32_t p = 0; p < places; ++p) {
            const auto at = [&](std::uint32_t j) { return (t * channels + j) * places + p; };
            std::fill(reset.begin(), reset.end(), 0.0);
            bool any = false;
            for (std::uint32_t i = 0; i < channels; ++i) {
                if (did.spikes[at(i)] == 0) continue;
                any = true;
                for (std::uint32_t j = 0; j < channels; ++j) reset[j] += numbers.reset(i, j);
            }
            for (std::uint32_t j = 0; any && j < channels; ++j) {
                if (reset[j] == 0.0) continue;
                if (did.excess[at(j)] - reset[j] * numbers.per_norm(j) > 0.0) ++found[did.spikes[at(j)]];
            }
        }
    }
    return found;
}

}  // namespace

DelayCheck check_delays(const SurrogateModel& model, const DelayedNetwork& delayed,
                        const std::vector<InputSpikes>& inputs) {
    const Raster raster = raster_of(model, inputs);
    std::int64_t latest = 0;
    std::uint32_t padding = 0;
    const SurrogateNetwork plain(model.description);
    for (const SurrogateNetwork::Layer& layer : plain.layers()) padding += layer.padding[0];
    for (const DelayedNetwork::Layer& layer : delayed.layers)
        latest = std::max(latest, layer.shift.femtoseconds() / model.dt.femtoseconds());
    // With so much silence before and after it, no layer's edge cuts off what the sample does.
    const std::uint32_t silence = static_cast<std::uint32_t>(latest) + padding;
    learning::SurrogateDescription longer = model.description;
    longer.steps += 2 * silence;
    const SurrogateNetwork network(longer);
    const SurrogateTrace trained = trace(network, model, sample_of_trainer(model, raster, silence));
    const SurrogateTrace cut = trace(plain, model, sample_of_trainer(model, raster, 0));

    const std::int64_t dt = model.dt.femtoseconds();
    const auto time_of = [&](std::uint64_t step) {
        return Time(Duration(static_cast<std::int64_t>(step) * dt));
    };
    SpikeTrain spikes = raster.train(model.dt);
    for (Time& time : spikes.times) time = time + Duration(silence * dt);
    const std::vector<InputSpikes> shifted{{"input", std::move(spikes)}};
    SimulationOptions options;
    options.duration = Duration((longer.steps - 1) * dt);
    const SimulationResult exact = simulate(delayed.network, shifted, options);

    SteppedRules rules = convention("s2net").stepped->rules;
    rules.dt = model.dt;
    const SteppedSample sample = sample_of(delayed.network, shifted, model.dt, longer.steps);
    SteppedOptions stepped_options;
    stepped_options.steps = longer.steps;
    std::vector<SteppedRecord> records =
        SteppedSimulation(delayed.network, rules).run({sample}, stepped_options);
    const SimulationResult stepped =
        result_of(std::move(records[0]), delayed.network, sample, model.dt, longer.steps);

    DelayCheck check;
    for (std::size_t l = 0; l < network.layers().size(); ++l) {
        const SurrogateNetwork::Layer& layer = network.layers()[l];
        if (!layer.spikes()) continue;
        const std::uint32_t q = delayed.network.index_of(layer.described.name);
        const auto told = std::find_if(delayed.layers.begin(), delayed.layers.end(),
                                       [&](const auto& other) { return other.name == layer.described.name; });
        const auto shift = static_cast<std::uint64_t>(told->shift.femtoseconds() / dt);
        const std::size_t n = layer.out.neurons();
        // Both as the network has them: step t of the layer at (t + shift) dt.
        const auto train = [&](const SurrogateTrace& of, std::uint64_t late) {
            SpikeTrain list;
            const std::vector<std::uint8_t>& bits = of.layers[l].spikes;
            for (std::size_t k = 0; k < bits.size(); ++k) {
                const std::uint64_t step = k / n + late;
                if (bits[k] != 0 && step < longer.steps)
                    list.add(time_of(step), static_cast<NeuronIndex>(k % n));
            }
            return list;
        };
        const SpikeTrain expected = train(trained, shift);
        const auto found = early(layer, SurrogateNumbers(layer, model.parameters), trained.layers[l]);
        check.layers.push_back({layer.described.name, expected.size(), differences(expected, exact.spikes[q]),
                                differences(expected, stepped.spikes[q]), found[0], found[1],
                                differences(expected, train(cut, shift + silence))});
    }
    return check;
}

}  // namespace saltus::converters
