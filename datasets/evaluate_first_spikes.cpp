#include <omp.h>

#include <chrono>

#include "saltus/datasets/evaluate.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/s4nn.hpp"

namespace saltus::datasets {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Synapses that a spike of each layer's source reaches, on average.
std::vector<double> fan_outs(const learning::FirstSpikeNetwork& network) {
    std::vector<double> result;
    std::uint64_t sources = element_count(network.input);
    for (const learning::FirstSpikeLayer& layer : network.layers) {
        double synapses = 0.0;
        if (const auto* dense = std::get_if<learning::DenseSynapses>(&layer.synapses)) {
            synapses = static_cast<double>(dense->weights.size());
        } else if (const auto* convolution = std::get_if<learning::ConvolutionSynapses>(&layer.synapses)) {
            synapses = static_cast<double>(synapse_count(Stage(convolution->shape)));
        } else {
            synapses = static_cast<double>(
                synapse_count(Stage(std::get<learning::FirstOfWindow>(layer.synapses).shape)));
        }
        result.push_back(synapses / static_cast<double>(sources));
        sources = layer.size();
    }
    return result;
}

}  // namespace

learning::SampleSet load_samples(const Dataset& dataset) {
    learning::SampleSet samples(dataset.shape, static_cast<std::uint32_t>(dataset.classes.size()));
    for (std::uint64_t i = 0; i < dataset.size; ++i) {
        const Sample sample = dataset.sample(i);
        samples.add(sample.spikes, sample.label);
    }
    return samples;
}

Evaluation evaluate_first_spikes(const learning::FirstSpikeNetwork& network, const Dataset& dataset,
                                 const EvaluationOptions& options) {
    if (element_count(dataset.shape) != element_count(network.input)) {
        throw UsageError("input " + quoted(network.input_name) + " takes " + to_string(network.input) +
                         ", samples of " + dataset.name + " are " + to_string(dataset.shape) + ".");
    }
    const std::size_t classes = dataset.classes.size();
    if (network.classes() < classes) {
        throw UsageError("output " + quoted(network.layers.back().name) + " has " +
                         std::to_string(network.classes()) + " neurons for " + std::to_string(classes) +
                         " classes.");
    }
    Evaluation e;
    e.classes = dataset.classes;
    e.confusion.assign(classes * classes, 0);
    e.decisions.resize(dataset.size);
    e.threads = options.threads > 0 ? options.threads : static_cast<unsigned>(omp_get_max_threads());
    const learning::SampleSet samples = load_samples(dataset);
    const auto on_progress = [&](std::uint64_t done) {
        return !options.on_progress || options.on_progress(done, dataset.size);
    };

    const auto start = Clock::now();
    const auto outcomes = learning::classify(network, samples, e.threads, false, on_progress);
    e.wall_s = seconds_since(start);
    e.simulation_s = e.wall_s * e.threads;
    FirstSpikeFigures figures;
    const auto again = Clock::now();
    const auto full = learning::classify(network, samples, e.threads, true);
    figures.full_s = seconds_since(again);

    const std::vector<double> fan_out = fan_outs(network);
    const auto events = [&](const learning::FirstSpikeOutcome& outcome) {
        double sum = outcome.input_spikes * fan_out.front();
        for (std::size_t l = 1; l < fan_out.size(); ++l) sum += outcome.layer_spikes[l - 1] * fan_out[l];
        return static_cast<std::uint64_t>(sum + 0.5);
    };
    for (std::uint64_t i = 0; i < dataset.size; ++i) {
        const learning::FirstSpikeOutcome& outcome = outcomes[i];
        Decision& decision = e.decisions[i];
        decision.sample = std::to_string(i);
        decision.label = samples[i].label;
        if (!outcome.done) {
            e.interrupted = true;
            continue;
        }
        decision.done = true;
        decision.decided = outcome.decided;
        decision.tie = outcome.tied;
        ++e.samples;
        e.ties += outcome.tied;
        e.correct += outcome.decided == samples[i].label;
        figures.correct_by_index += outcome.lowest == samples[i].label;
        figures.silent += outcome.silent;
        figures.decision_s += outcome.time.seconds();
        if (!samples[i].times.empty()) {
            figures.input_share += outcome.input_spikes / static_cast<double>(samples[i].times.size());
        }
        e.input_spikes += outcome.input_spikes;
        e.neuron_spikes += outcome.neuron_spikes();
        e.synaptic_events += events(outcome);
        figures.full_neuron_spikes += full[i].neuron_spikes();
        figures.full_synaptic_events += events(full[i]);
        if (outcome.decided < classes) ++e.confusion[samples[i].label * classes + outcome.decided];
    }
    const double n = e.samples == 0 ? 1.0 : static_cast<double>(e.samples);
    figures.decision_s /= n;
    figures.input_share /= n;
    e.first_spikes = figures;
    return e;
}

}  // namespace saltus::datasets
