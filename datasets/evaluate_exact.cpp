#include <omp.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>

#include "saltus/datasets/evaluate.hpp"
#include "saltus/engine/learning/exact_rule.hpp"

namespace saltus::datasets {

Evaluation evaluate_exact(const Network& network, const Dataset& dataset, const learning::ExactOptions& exact,
                          const EvaluationOptions& options) {
    using Clock = std::chrono::steady_clock;
    const auto samples = std::make_shared<const learning::SampleSet>(load_samples(dataset));
    learning::ExactRule rule(learning::in_layers(network), samples, exact);
    const std::vector<double> parameters = rule.initial();

    Evaluation e;
    const std::size_t classes = dataset.classes.size();
    e.classes = dataset.classes;
    e.confusion.assign(classes * classes, 0);
    e.decisions.resize(dataset.size);
    e.threads = options.threads > 0 ? options.threads : static_cast<unsigned>(omp_get_max_threads());
    constexpr std::uint64_t at_once = 1024;
    const auto start = Clock::now();
    for (std::uint64_t begin = 0; begin < dataset.size && !e.interrupted; begin += at_once) {
        std::vector<std::uint64_t> numbers(std::min(at_once, dataset.size - begin));
        std::iota(numbers.begin(), numbers.end(), begin);
        const std::vector<std::uint32_t> decided = rule.decide(parameters, numbers, e.threads);
        for (std::size_t k = 0; k < numbers.size(); ++k) {
            const learning::SampleSet::View sample = (*samples)[numbers[k]];
            Decision& decision = e.decisions[numbers[k]];
            decision.sample = std::to_string(numbers[k]);
            decision.label = sample.label;
            decision.done = true;
            ++e.samples;
            e.input_spikes += sample.times.size();
            if (decided[k] >= classes) {
                ++e.undecided;
                continue;
            }
            decision.decided = decided[k];
            e.correct += decided[k] == sample.label;
            ++e.confusion[sample.label * classes + decided[k]];
        }
        e.interrupted = options.on_progress && !options.on_progress(begin + numbers.size(), dataset.size);
    }
    e.wall_s = std::chrono::duration<double>(Clock::now() - start).count();
    e.simulation_s = e.wall_s * e.threads;
    e.neuron_spikes = rule.counts().spikes;
    e.synaptic_events = rule.counts().events;
    return e;
}

}  // namespace saltus::datasets
