// The loop of the stepped clock, for one sample: in each step, population by population in the order of their
// levels: bring what was sent `delay` steps ago, take the step, keep what is sent for as long as the longest
// delay.
#include "saltus/engine/stepped.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <numeric>
#include <optional>

#include "saltus/engine/errors.hpp"
#include "stepped_neurons.hpp"

namespace saltus {

namespace {

constexpr std::uint64_t most_delay_steps = 1'000'000;
constexpr std::uint64_t most_recorded = std::uint64_t{1} << 32;  // values of one run
constexpr unsigned most_threads = 1024;

/// Delays as whole numbers of steps, and rules drawn. `notes` gets what was rounded.
class OnGrid {
  public:
    OnGrid(const Network& network, Duration dt, std::vector<std::string>& notes)
        : network_(network), dt_(dt.femtoseconds()), notes_(notes) {}

    [[nodiscard]] Network network() {
        std::vector<Projection> projections;
        for (const Projection& projection : network_.projections()) {
            projections.push_back(drawn(projection));
            name_ = network_.projection_name(projection);
            worst_ = 0;
            for (Stage& stage : projections.back().stages) {
                if (auto* delay = std::get_if<Delay>(&stage))
                    for (Duration& d : delay->delays) d = rounded(d);
                if (auto* sparse = std::get_if<Sparse>(&stage)) {
                    auto table = std::make_shared<Sparse::Table>(*sparse->table);
                    for (Sparse::Segment& segment : table->segments) segment.delay = rounded(segment.delay);
                    sparse->table = std::move(table);
                }
            }
            if (worst_ > 0) {
                notes_.push_back(name_ + ": delays are rounded to whole steps of " +
                                 to_string(Duration(dt_)) + ", by up to " + to_string(Duration(worst_)) +
                                 ".");
            }
        }
        const auto populations = network_.populations();
        const auto outputs = network_.outputs();
        return {{populations.begin(), populations.end()},
                std::move(projections),
                {outputs.begin(), outputs.end()}};
    }

  private:
    [[nodiscard]] Duration rounded(Duration delay) {
        const std::int64_t d = delay.femtoseconds();
        const std::int64_t steps = d / dt_ + (d % dt_ > dt_ - 1 - d % dt_ ? 1 : 0);
        if (static_cast<std::uint64_t>(steps) > most_delay_steps) {
            throw LimitError(name_ + ": a delay of " + to_string(delay) + " is more than " +
                             std::to_string(most_delay_steps) + " steps of " + to_string(Duration(dt_)) +
                             ".");
        }
        worst_ = std::max(worst_, std::abs(steps * dt_ - d));
        return Duration(steps * dt_);
    }

    const Network& network_;
    std::int64_t dt_;
    std::vector<std::string>& notes_;
    std::string name_;
    std::int64_t worst_ = 0;
};

}  // namespace

template <class T>
class SteppedPlan {
  public:
    SteppedPlan(const Network& described, const SteppedRules& rules)
        : rules_(rules), network_(OnGrid(described, rules.dt, notes_).network()) {
        const auto populations = network_.populations();
        const std::vector<std::uint32_t> levels = network_.levels();
        order_.resize(populations.size());
        std::iota(order_.begin(), order_.end(), std::uint32_t{0});
        std::stable_sort(order_.begin(), order_.end(),
                         [&](std::uint32_t a, std::uint32_t b) { return levels[a] < levels[b]; });
        for (std::uint32_t q = 0; q < populations.size(); ++q) layouts_.push_back(layout_of(network_, q));
        add_chains();
        for (std::uint32_t q = 0; q < populations.size(); ++q) add_group(q);
    }

    [[nodiscard]] std::vector<SteppedRecord> run(const std::vector<SteppedSample>& samples,
                                                 const SteppedOptions& options) const;

    [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

  private:
    struct Incoming {
        SteppedChain<T> chain;
        std::size_t ring = none;  // of the chains whose delays differ
    };
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    class Run;

    void add_chains() {
        const auto populations = network_.populations();
        incoming_.resize(populations.size());
        history_.assign(populations.size(), 1);
        has_listeners_.assign(populations.size(), false);
        for (const Projection& projection : network_.projections()) {
            const std::string name = network_.projection_name(projection);
            const Population& source = populations[projection.source];
            if (rules_.needs_delay && !source.is_source() && projection.min_delay() < rules_.dt) {
                throw NetworkError(name, "delay",
                                   quoted(rules_.name) + " expects delays of at least a step, " +
                                       to_string(rules_.dt) + ", found " + to_string(projection.min_delay()) +
                                       ".");
            }
            SteppedChain<T> chain(projection, source.size(), layouts_[projection.source],
                                  layouts_[projection.target], populations[projection.target].size(),
                                  rules_.dt, name);
            has_listeners_[projection.source] = true;
            std::size_t ring = none;
            if (const auto* synapses = chain.delayed_synapses()) {
                ring = rings_.size();
                rings_.push_back({projection.target, synapses->longest + 1});
            } else {
                history_[projection.source] = std::max(history_[projection.source], chain.delay() + 1);
            }
            incoming_[projection.target].push_back({std::move(chain), ring});
        }
    }

    void add_group(std::uint32_t q) {
        const Population& population = network_.populations()[q];
        groups_.emplace_back();
        onsets_.emplace_back();
        counts_.push_back(false);
        if (population.is_source()) {
            if (!population.is_input() && !std::holds_alternative<neurons::SpikeSource>(population.model)) {
                throw LimitError("population " + quoted(population.name) +
                                 ": the stepped clock takes spikes " +
                                 "from inputs and given trains, not from a " +
                                 std::string(neurons::model_name(population.model)) +
                                 ". Record its spikes with the exact clock and feed those.");
            }
            return;
        }
        std::map<std::uint32_t, std::vector<T>> onsets;
        for (const Incoming& incoming : incoming_[q]) {
            for (const auto& [step, x] : incoming.chain.constants()) {
                std::vector<T>& sum = onsets[step];
                sum.resize(x.size());
                for (std::size_t i = 0; i < x.size(); ++i) sum[i] += x[i];
            }
        }
        const std::vector<T> constant = onsets.count(0) != 0 ? onsets.at(0) : std::vector<T>();
        groups_.back() = stepped::make_group<T>(population, rules_, layouts_[q], constant);
        counts_.back() = groups_.back()->sends_counts();
        if (groups_.back()->takes_constant()) {
            if (onsets.size() > onsets.count(0)) {
                throw NetworkError(population.name, "bias",
                                   quoted(rules_.name) +
                                       " expects no delay behind a bias: a constant signal "
                                       "that starts late is not supported. Put the delay before it.");
            }
            onsets.clear();
        }
        onsets_.back() = std::move(onsets);
    }

    struct Ring {
        std::uint32_t target;
        std::uint32_t length;
    };

    SteppedRules rules_;
    std::vector<std::string> notes_;
    Network network_;
    std::vector<std::uint32_t> order_;
    std::vector<Layout> layouts_;
    std::vector<std::vector<Incoming>> incoming_;  // of each population
    std::vector<std::uint32_t> history_;           // steps for which what it sends is kept
    std::vector<bool> has_listeners_;
    std::vector<bool> counts_;  // amplitudes are numbers of spikes
    std::vector<Ring> rings_;
    std::vector<std::unique_ptr<const stepped::NeuronGroup<T>>> groups_;  // null for sources
    std::vector<std::map<std::uint32_t, std::vector<T>>> onsets_;         // constant signal from a step on
};

/// The state of one run after another, of one thread.
template <class T>
class SteppedPlan<T>::Run {
  public:
    Run(const SteppedPlan& plan, const SteppedOptions& options, const std::vector<bool>& recorded)
        : plan_(plan), options_(options), recorded_(recorded) {
        const auto populations = plan.network_.populations();
        for (std::uint32_t q = 0; q < populations.size(); ++q) {
            states_.push_back(plan.groups_[q] ? plan.groups_[q]->start() : nullptr);
            sent_.emplace_back(plan.history_[q]);
            constant_.emplace_back();
            most_ = std::max(most_, std::size_t{populations[q].size()});
        }
        x_.resize(most_);
        for (const Ring& ring : plan.rings_)
            rings_.emplace_back(std::size_t{ring.length} * populations[ring.target].size());
    }

    SteppedRecord of(const SteppedSample& sample) {
        restart(sample);
        for (std::uint32_t t = 0; t < options_.steps; ++t)
            for (const std::uint32_t q : plan_.order_) step(q, t);
        record_.done = true;
        return std::move(record_);
    }

  private:
    void restart(const SteppedSample& sample) {
        const auto populations = plan_.network_.populations();
        signals_.assign(populations.size(), nullptr);
        own_.clear();
        for (const SteppedSample::Input& input : sample.inputs)
            signals_[*plan_.network_.find(input.population)] = &input.signal;
        own_.reserve(populations.size());
        for (std::uint32_t q = 0; q < populations.size(); ++q) {
            if (const auto* source = std::get_if<neurons::SpikeSource>(&populations[q].model)) {
                own_.push_back(Raster::of(source->spikes, populations[q].size(), plan_.rules_.dt,
                                          options_.steps, populations[q].name));
                signals_[q] = &own_.back();
            }
        }
        record_ = {};
        record_.spikes.resize(populations.size());
        record_.potentials.resize(populations.size());
        record_.currents.resize(populations.size());
        record_.counts.resize(populations.size());
        record_.spike_counts.resize(populations.size());
        record_.sends_counts = plan_.counts_;
        for (std::uint32_t q = 0; q < populations.size(); ++q) {
            if (states_[q]) states_[q]->restart();
            for (auto& step : sent_[q]) step.clear();
            constant_[q].clear();
            record_.spikes[q].neurons = populations[q].size();
            if (recorded_[q]) record_.counts[q].assign(populations[q].size(), 0.0);
        }
        for (std::vector<T>& ring : rings_) std::fill(ring.begin(), ring.end(), T{0});
    }

    void step(std::uint32_t q, std::uint32_t t) {
        std::vector<StepEntry<T>>& sent = sent_[q][t % plan_.history_[q]];
        sent.clear();
        if (!states_[q]) {
            take_signal(q, t, sent);
        } else {
            const std::size_t n = plan_.network_.populations()[q].size();
            const std::span<T> x(x_.data(), n);
            collect(q, t, x);
            states_[q]->step(x, sent);
            record(q, sent);
        }
        if (plan_.has_listeners_[q]) send_delayed(q, t, sent);
    }

    void take_signal(std::uint32_t q, std::uint32_t t, std::vector<StepEntry<T>>& sent) const {
        const Raster* const signal = signals_[q];
        if (!signal || t >= signal->steps()) return;
        for (std::uint64_t e = signal->begin[t]; e < signal->begin[t + 1]; ++e)
            sent.push_back({signal->indices[e], static_cast<T>(signal->amplitude(e))});
    }

    /// x: the constant signal, and what arrives in step t.
    void collect(std::uint32_t q, std::uint32_t t, std::span<T> x) {
        const auto& onsets = plan_.onsets_[q];
        if (const auto onset = onsets.find(t); onset != onsets.end()) {
            constant_[q].resize(x.size());
            for (std::size_t i = 0; i < x.size(); ++i) constant_[q][i] += onset->second[i];
        }
        if (constant_[q].empty()) {
            std::fill(x.begin(), x.end(), T{0});
        } else {
            std::copy(constant_[q].begin(), constant_[q].end(), x.begin());
        }
        for (const Incoming& incoming : plan_.incoming_[q]) {
            if (incoming.ring != none) {
                T* const due = slot(incoming.ring, t);
                for (std::size_t i = 0; i < x.size(); ++i) x[i] += std::exchange(due[i], T{0});
                continue;
            }
            const std::uint32_t source = incoming.chain.source();
            const std::uint32_t delay = incoming.chain.delay();
            if (t < delay) continue;
            record_.synaptic_events += incoming.chain.deliver(
                sent_[source][(t - delay) % plan_.history_[source]], x.data(), scratch_);
        }
    }

    /// To the chains whose delays differ.
    void send_delayed(std::uint32_t q, std::uint32_t t, const std::vector<StepEntry<T>>& sent) {
        if (plan_.rings_.empty()) return;
        for (const std::vector<Incoming>& all : plan_.incoming_) {
            for (const Incoming& incoming : all) {
                if (incoming.ring == none || incoming.chain.source() != q) continue;
                const stepped::Synapses<T>& s = *incoming.chain.delayed_synapses();
                for (const StepEntry<T>& e : sent) {
                    for (std::uint64_t k = s.rows[e.index]; k < s.rows[std::size_t{e.index} + 1]; ++k)
                        slot(incoming.ring, t + s.delays[k])[s.targets[k]] += e.amplitude * s.weights[k];
                    record_.synaptic_events += s.rows[std::size_t{e.index} + 1] - s.rows[e.index];
                }
            }
        }
    }

    [[nodiscard]] T* slot(std::size_t ring, std::uint32_t t) {
        const Ring& r = plan_.rings_[ring];
        return rings_[ring].data() +
               std::size_t{t % r.length} * plan_.network_.populations()[r.target].size();
    }

    void record(std::uint32_t q, const std::vector<StepEntry<T>>& sent) {
        const Population& population = plan_.network_.populations()[q];
        const bool spiking = neurons::is_spiking(population.model);
        if (spiking) count(q, sent);
        if (!recorded_[q]) return;
        const Layout& layout = plan_.layouts_[q];
        std::vector<double>& counts = record_.counts[q];
        if (!spiking) std::fill(counts.begin(), counts.end(), 0.0);
        for (const StepEntry<T>& e : sent)
            counts[layout.outside(e.index)] += static_cast<double>(e.amplitude);
        if (spiking && options_.record_spikes) record_spikes(record_.spikes[q], layout, sent);
        if (!options_.record_potentials) return;
        const bool current = plan_.groups_[q]->has_current();
        for (NeuronIndex j = 0; j < population.size(); ++j) {
            record_.potentials[q].push_back(states_[q]->potential(layout.inside(j)));
            if (current) record_.currents[q].push_back(states_[q]->current(layout.inside(j)));
        }
    }

    void count(std::uint32_t q, const std::vector<StepEntry<T>>& sent) {
        std::uint64_t spikes = sent.size();
        if (plan_.counts_[q]) {
            spikes = 0;
            constexpr T most = 9007199254740992;  // 2^53; an amplitude may be any number
            for (const StepEntry<T>& e : sent)
                spikes += static_cast<std::uint64_t>(std::min(e.amplitude, most));
        }
        record_.spike_counts[q] += spikes;
        record_.neuron_spikes += spikes;
    }

    void record_spikes(Raster& raster, const Layout& layout, const std::vector<StepEntry<T>>& sent) {
        sorted_.assign(sent.begin(), sent.end());
        for (StepEntry<T>& e : sorted_) e.index = layout.outside(e.index);
        if (layout.block() > 1)
            std::sort(sorted_.begin(), sorted_.end(),
                      [](const auto& a, const auto& b) { return a.index < b.index; });
        for (const StepEntry<T>& e : sorted_) {
            if (e.amplitude != T{1} && raster.amplitudes.empty())
                raster.amplitudes.assign(raster.indices.size(), 1.0);
            raster.indices.push_back(e.index);
            if (e.amplitude != T{1} || !raster.amplitudes.empty())
                raster.amplitudes.push_back(static_cast<double>(e.amplitude));
        }
        raster.end_step();
    }

    const SteppedPlan& plan_;
    const SteppedOptions& options_;
    const std::vector<bool>& recorded_;
    std::vector<std::unique_ptr<stepped::NeuronState<T>>> states_;
    std::vector<std::vector<std::vector<StepEntry<T>>>> sent_;  // [population][step modulo history]
    std::vector<std::vector<T>> constant_;
    std::vector<std::vector<T>> rings_;
    std::size_t most_ = 0;
    std::vector<T> x_;
    stepped::Scratch<T> scratch_;
    std::vector<const Raster*> signals_;  // of the sources
    std::vector<Raster> own_;
    std::vector<StepEntry<T>> sorted_;
    SteppedRecord record_;
};

template <class T>
std::vector<SteppedRecord> SteppedPlan<T>::run(const std::vector<SteppedSample>& samples,
                                               const SteppedOptions& options) const {
    const auto populations = network_.populations();
    if (options.threads == 0 || options.threads > most_threads) {
        throw UsageError("threads: expected 1 to " + std::to_string(most_threads) + ", found " +
                         std::to_string(options.threads) + ".");
    }
    std::vector<bool> recorded(populations.size(), options.recorded.empty());
    for (const std::string& name : options.recorded) recorded[network_.index_of(name)] = true;
    std::uint64_t values = 0;
    for (std::size_t q = 0; q < populations.size(); ++q)
        if (recorded[q] && groups_[q]) values += populations[q].size();
    if (options.record_potentials && values > 0 &&
        options.steps > most_recorded / values / std::max<std::size_t>(samples.size(), 1)) {
        throw LimitError("potentials: " + std::to_string(options.steps) + " steps of " +
                         std::to_string(values) + " neurons in " + std::to_string(samples.size()) +
                         " samples are more than 2^32 values. Record fewer populations.");
    }
    for (const SteppedSample& sample : samples) {
        for (const SteppedSample::Input& input : sample.inputs) {
            const auto q = network_.find(input.population);
            if (!q || !populations[*q].is_input())
                throw InputError(input.population, "the network has no input of this name.");
            if (input.signal.neurons != populations[*q].size()) {
                throw InputError(input.population,
                                 "expected a signal for " + std::to_string(populations[*q].size()) +
                                     " neurons, found one for " + std::to_string(input.signal.neurons) + ".");
            }
            for (const NeuronIndex i : input.signal.indices) {
                if (i >= input.signal.neurons)
                    throw InputError(input.population, "neuron " + std::to_string(i) + " does not exist.");
            }
        }
    }

    std::vector<SteppedRecord> records(samples.size());
    std::exception_ptr failure;
    std::size_t done = 0;
    bool stop = false;
    const auto threads = static_cast<int>(std::min<std::size_t>(options.threads, samples.size()));
#pragma omp parallel num_threads(std::max(threads, 1))
    {
        std::optional<Run> run;
#pragma omp for schedule(dynamic)
        for (std::size_t k = 0; k < samples.size(); ++k) {
            bool skip = false;
#pragma omp critical(saltus_stepped)
            skip = stop;
            if (skip) continue;
            try {
                if (!run) run.emplace(*this, options, recorded);
                records[k] = run->of(samples[k]);
#pragma omp critical(saltus_stepped)
                {
                    ++done;
                    if (options.on_progress && !stop) stop = !options.on_progress(done, samples.size());
                }
            } catch (...) {
#pragma omp critical(saltus_stepped)
                {
                    if (!failure) failure = std::current_exception();
                    stop = true;
                }
            }
        }
    }
    if (failure) std::rethrow_exception(failure);
    return records;
}

SteppedSimulation::SteppedSimulation(const Network& network, const SteppedRules& rules) {
    if (rules.dt <= Duration()) throw UsageError("dt: expected > 0, found " + to_string(rules.dt) + ".");
    if (rules.precision == stepped::Precision::float32) {
        single_ = std::make_unique<const SteppedPlan<float>>(network, rules);
    } else {
        double_ = std::make_unique<const SteppedPlan<double>>(network, rules);
    }
}
SteppedSimulation::~SteppedSimulation() = default;
SteppedSimulation::SteppedSimulation(SteppedSimulation&&) noexcept = default;
SteppedSimulation& SteppedSimulation::operator=(SteppedSimulation&&) noexcept = default;

std::vector<SteppedRecord> SteppedSimulation::run(const std::vector<SteppedSample>& samples,
                                                  const SteppedOptions& options) const {
    return single_ ? single_->run(samples, options) : double_->run(samples, options);
}

const std::vector<std::string>& SteppedSimulation::notes() const {
    return single_ ? single_->notes() : double_->notes();
}

}  // namespace saltus
