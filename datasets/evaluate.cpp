#include "saltus/datasets/evaluate.hpp"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <exception>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/simulate.hpp"
#include "saltus/engine/stepped.hpp"

namespace saltus::datasets {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The population that takes the samples.
const Population& input_of(const Network& network, const Dataset& dataset) {
    const Population* input = nullptr;
    for (const Population& population : network.populations()) {
        if (!population.is_input()) continue;
        if (input) {
            throw UsageError("a data set needs a network with one input; this one has " +
                             quoted(input->name) + " and " + quoted(population.name) + ".");
        }
        input = &population;
    }
    if (!input) throw UsageError("a data set needs a network with one input; this one has none.");
    if (input->size() != element_count(dataset.shape)) {
        throw UsageError("input " + quoted(input->name) + " takes " + to_string(input->shape) +
                         ", samples of " + dataset.name + " are " + to_string(dataset.shape) + ".");
    }
    return *input;
}

/// Index of the population that decides.
std::uint32_t output_of(const Network& network, const std::string& name, std::size_t classes) {
    std::string list;
    const OutputPort* output = nullptr;
    for (const OutputPort& port : network.outputs()) {
        list += (list.empty() ? "" : ", ") + quoted(port.name);
        if (name.empty() ? network.outputs().size() == 1 : port.name == name) output = &port;
    }
    if (!output) {
        throw UsageError(
            (name.empty() ? std::string("say which output decides") : "no output is called " + quoted(name)) +
            "; the network has " + (list.empty() ? "none" : list) + ".");
    }
    const Population& population = network.populations()[output->population];
    if (population.size() < classes) {
        throw UsageError("output " + quoted(output->name) + " has " + std::to_string(population.size()) +
                         " neurons for " + std::to_string(classes) + " classes.");
    }
    return output->population;
}

/// Upper bound of the time that a spike may be under way through delays; a cycle counts once.
Duration longest_way(const Network& network) {
    Duration sum;
    for (const Projection& projection : network.projections()) sum = sum + projection.max_delay();
    return sum;
}

void cut(SpikeTrain& train, Time end) {
    const auto last = std::upper_bound(train.times.begin(), train.times.end(), end);
    train.neurons.resize(static_cast<std::size_t>(last - train.times.begin()));
    train.times.erase(last, train.times.end());
}

void decide(const std::vector<double>& scores, Decision& decision) {
    const auto best = std::max_element(scores.begin(), scores.end());
    decision.decided = best - scores.begin();
    decision.tie = std::count(scores.begin(), scores.end(), *best) > 1;
}

/// What one sample did.
struct Outcome {
    std::vector<double> scores;  // of each neuron of the deciding population
    bool silent = false;
    std::uint64_t neuron_spikes = 0;
    std::uint64_t synaptic_events = 0;
};

/// The network on one of the clocks.
class Runner {
  public:
    Runner(const Network& network, std::string input, std::uint32_t output,
           const std::optional<SteppedRules>& rules)
        : network_(network), input_(std::move(input)), output_(output) {
        if (rules) {
            dt_ = rules->dt;
            stepped_.emplace(network, *rules);
        } else {
            exact_.emplace(network);
        }
    }

    [[nodiscard]] Outcome run(SpikeTrain spikes, Duration duration, bool to_last_spike) const {
        return exact_ ? exactly(std::move(spikes), duration) : in_steps(spikes, duration, to_last_spike);
    }

  private:
    [[nodiscard]] const Population& deciding() const { return network_.populations()[output_]; }

    [[nodiscard]] Outcome exactly(SpikeTrain spikes, Duration duration) const {
        SimulationOptions options;
        options.duration = duration;
        options.recorded = {deciding().name};
        SimulationResult result = exact_->run({{input_, std::move(spikes)}}, options);
        Outcome outcome{{}, false, result.neuron_spikes, result.synaptic_events};
        if (neurons::is_spiking(deciding().model)) {
            outcome.scores.assign(deciding().size(), 0.0);
            for (const NeuronIndex neuron : result.spikes[output_].neurons) outcome.scores[neuron] += 1.0;
            outcome.silent = result.spikes[output_].empty();
        } else {
            outcome.scores = std::move(result.final_potentials[output_]);
        }
        return outcome;
    }

    /// A duration of n steps is n steps; one that ends with the last spike has a step for that.
    [[nodiscard]] Outcome in_steps(const SpikeTrain& spikes, Duration duration, bool to_last_spike) const {
        const std::int64_t more = to_last_spike ? dt_.femtoseconds() : dt_.femtoseconds() - 1;
        SteppedOptions options;
        options.steps = static_cast<std::uint32_t>((duration.femtoseconds() + more) / dt_.femtoseconds());
        options.record_spikes = false;
        options.recorded = {deciding().name};
        const std::uint32_t size = network_.populations()[network_.index_of(input_)].size();
        const SteppedSample sample{{{input_, Raster::of(spikes, size, dt_, options.steps, input_)}}};
        SteppedRecord record = std::move(stepped_->run({sample}, options).at(0));
        Outcome outcome{std::move(record.counts[output_]), false, record.neuron_spikes,
                        record.synaptic_events};
        outcome.silent =
            neurons::is_spiking(deciding().model) && std::all_of(outcome.scores.begin(), outcome.scores.end(),
                                                                 [](double count) { return count == 0.0; });
        return outcome;
    }

    const Network& network_;
    std::string input_;
    std::uint32_t output_;
    Duration dt_;
    std::optional<ExactSimulation> exact_;
    std::optional<SteppedSimulation> stepped_;
};

}  // namespace

Evaluation evaluate(const Network& network, const Dataset& dataset, const EvaluationOptions& options) {
    const std::string input = input_of(network, dataset).name;
    const std::size_t classes = dataset.classes.size();
    const std::uint32_t output = output_of(network, options.output, classes);
    const Duration tail = longest_way(network);
    const Runner runner(network, input, output, options.rules);

    Evaluation e;
    e.classes = dataset.classes;
    e.confusion.assign(classes * classes, 0);
    e.decisions.resize(dataset.size);
    e.threads = options.threads > 0 ? options.threads : static_cast<unsigned>(omp_get_max_threads());
    std::uint64_t done = 0;
    std::vector<std::exception_ptr> errors(dataset.size);
    bool failed = false;
    const auto start = Clock::now();

#pragma omp parallel for schedule(dynamic) num_threads(static_cast <int>(e.threads))
    for (std::uint64_t i = 0; i < dataset.size; ++i) {
        bool stop = false;
#pragma omp critical(saltus_evaluate)
        stop = e.interrupted || failed;
        if (stop) continue;
        try {
            Sample sample = dataset.sample(i);
            const Duration duration = options.duration ? *options.duration
                                      : sample.spikes.empty()
                                          ? Duration()
                                          : sample.spikes.times.back().since_start() + tail;
            cut(sample.spikes, Time(duration));
            const std::uint64_t input_spikes = sample.spikes.size();

            const auto begin = Clock::now();
            const Outcome outcome =
                runner.run(std::move(sample.spikes), duration, !options.duration.has_value());
            const double took = seconds_since(begin);

            Decision& decision = e.decisions[i];
            decision.sample = sample.name;
            decision.label = sample.label;
            if (!outcome.silent) decide(outcome.scores, decision);
            decision.done = true;

#pragma omp critical(saltus_evaluate)
            {
                e.input_spikes += input_spikes;
                e.neuron_spikes += outcome.neuron_spikes;
                e.synaptic_events += outcome.synaptic_events;
                e.simulation_s += took;
                ++done;
                if (options.on_progress && !options.on_progress(done, dataset.size)) e.interrupted = true;
            }
        } catch (...) {
#pragma omp critical(saltus_evaluate)
            {
                errors[i] = std::current_exception();
                failed = true;
            }
        }
    }
    e.wall_s = seconds_since(start);
    for (const std::exception_ptr& error : errors) {
        if (error) std::rethrow_exception(error);
    }

    for (const Decision& decision : e.decisions) {
        if (!decision.done) continue;
        ++e.samples;
        e.ties += decision.tie;
        e.correct += decision.decided == decision.label;
        const auto label = static_cast<std::size_t>(decision.label);
        if (decision.decided == undecided) {
            ++e.undecided;
        } else if (label < classes && static_cast<std::size_t>(decision.decided) < classes) {
            ++e.confusion[label * classes + static_cast<std::size_t>(decision.decided)];
        }
    }
    return e;
}

}  // namespace saltus::datasets
