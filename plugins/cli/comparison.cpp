#include "comparison.hpp"

#include <algorithm>

#include "inputs.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/spike_distance.hpp"
#include "saltus/engine/stepped.hpp"

namespace saltus::cli {

namespace {

constexpr std::uint64_t most_potentials = 50'000'000;  // values of one run: 400 MB
constexpr Duration usual_sampling{1'000'000'000'000};

bool fits(const Network& network, Duration duration, Duration dt) {
    std::uint64_t neurons = 1;
    for (const Population& population : network.populations()) neurons += population.size();
    return static_cast<std::uint64_t>(duration.femtoseconds() / dt.femtoseconds()) <
           most_potentials / neurons;
}

SimulationResult exact_result(const VariantRun& run, const std::vector<InputSpikes>& inputs,
                              const ComparisonOptions& options, bool potentials) {
    SimulationOptions exact;
    exact.duration = options.duration;
    for (Duration t; potentials && t <= options.duration; t = t + run.dt)
        exact.potential_times.emplace_back(t);
    return simulate(run.import.network, inputs, exact, {options.threads, local_communication()});
}

SimulationResult stepped_result(const VariantRun& run, const std::vector<InputSpikes>& inputs,
                                const ComparisonOptions& options, bool potentials) {
    SteppedOptions stepped;
    stepped.steps = steps_covering(options.duration, run.dt);
    stepped.record_potentials = potentials;
    const SteppedSample sample = sample_of(run.import.network, inputs, run.dt, stepped.steps);
    const SteppedSimulation simulation(run.import.network, *run.import.rules);
    return result_of(std::move(simulation.run({sample}, stepped).at(0)), run.import.network, sample, run.dt,
                     stepped.steps);
}

VariantRun run_of(const std::string& path, const ReadingOptions& reading, const Variant& variant,
                  const ComparisonOptions& options) {
    VariantRun run{variant, {}, read_network(path, reading, variant.reading), {}, {}};
    const FileInputs inputs = read_inputs(options.inputs, run.import.network, run.import.notes);
    run.dt = run.import.rules ? run.import.rules->dt : variant.reading.dt.value_or(usual_sampling);
    const bool potentials = fits(run.import.network, options.duration, run.dt);
    if (!potentials) run.import.notes.push_back("potentials are not compared: too many neurons and steps.");
    run.convention = run.import.rules ? run.import.rules->name : variant.reading.convention.value_or("nir");
    try {
        run.result = run.import.rules ? stepped_result(run, inputs.spikes, options, potentials)
                                      : exact_result(run, inputs.spikes, options, potentials);
    } catch (const InputError& error) {
        throw inputs.error(error);
    }
    return run;
}

PopulationComparison compared(const VariantRun& reference, const VariantRun& run,
                              const Population& population, const ComparisonOptions& options) {
    PopulationComparison c;
    c.population = population.name;
    c.neurons = population.size();
    const auto spikes_of = [&](const VariantRun& r) -> const SpikeTrain& {
        return r.result.spikes[r.import.network.index_of(population.name)];
    };
    const bool one_grid = reference.variant.steps() && run.variant.steps() && reference.dt == run.dt;
    const Duration tolerance =
        options.tolerance.value_or(one_grid ? Duration() : std::max(reference.dt, run.dt));
    const TrainDifference d =
        difference(spikes_of(reference), spikes_of(run), population.size(), tolerance, options.tau);
    c.spikes = d.partners + d.only_in_b;
    c.partners = d.partners;
    c.only_in_reference = d.only_in_a;
    c.only_here = d.only_in_b;
    c.van_rossum = d.van_rossum;
    c.victor_purpura = d.victor_purpura;
    if (d.first) {
        c.first = FirstDifference{d.first->time, d.first->neuron, d.first->in_a,
                                  reference.potential(c.population, d.first->neuron, d.first->time),
                                  run.potential(c.population, d.first->neuron, d.first->time)};
    }
    if (options.duration > Duration())
        c.rate = static_cast<double>(c.spikes) / c.neurons / options.duration.seconds();
    return c;
}

}  // namespace

Variant variant_from(const std::string& text, const converters::NirReading& common) {
    Variant variant{text, common};
    const std::size_t colon = text.find(':');
    const std::string clock = text.substr(0, colon);
    if (clock == "stepped") {
        variant.reading.clock = converters::Clock::stepped;
    } else if (clock == "exact") {
        variant.reading.clock = converters::Clock::exact;
    } else {
        throw UsageError(
            "--with: expected exact or stepped, then a convention if wanted, as in stepped:norse, found " +
            quoted(text) + ".");
    }
    if (colon != std::string::npos) {
        variant.reading.convention = text.substr(colon + 1);
        static_cast<void>(
            converters::convention(*variant.reading.convention));  // an unknown one is an error here
    }
    if (variant.steps()) variant.reading.spike_area.reset();
    return variant;
}

std::optional<double> VariantRun::potential(const std::string& population, NeuronIndex neuron, Time t) const {
    const auto q = import.network.find(population);
    for (const PotentialRecord& record : result.potentials) {
        if (!q || record.population != *q) continue;
        const auto step = static_cast<std::size_t>(t.femtoseconds() / dt.femtoseconds());
        const std::size_t size = import.network.populations()[*q].size();
        if (step >= record.times.size() || neuron >= size) return std::nullopt;
        return record.values[step * size + neuron];
    }
    return std::nullopt;
}

Comparison compare(const std::string& network, const ReadingOptions& reading,
                   const std::vector<Variant>& variants, const ComparisonOptions& options) {
    Comparison comparison;
    for (const Variant& variant : variants) {
        try {
            comparison.runs.push_back(run_of(network, reading, variant, options));
        } catch (const NetworkError& error) {
            throw LimitError(variant.text + ": " + error.what());
        } catch (const LimitError& error) {
            throw LimitError(variant.text + ": " + error.what());
        }
    }
    const VariantRun& reference = comparison.runs.front();
    for (const Population& population : reference.import.network.populations()) {
        if (population.is_source() || !neurons::is_spiking(population.model)) continue;
        for (std::size_t k = 1; k < comparison.runs.size(); ++k) {
            if (!comparison.runs[k].import.network.find(population.name)) continue;
            comparison.populations.push_back(compared(reference, comparison.runs[k], population, options));
            comparison.populations.back().run = k;
        }
    }
    return comparison;
}

}  // namespace saltus::cli
