// The exact clock: windows of time, in which blocks of neurons are computed independently.
//
// A window is no longer than the smallest delay of the projections that lead back (Network::lookahead), so
// whatever is sent within it along those arrives after it. Within a window levels are computed one after the
// other, and the blocks of a level at once, by any number of threads:
//   accept   the spikes of lower levels of this window go into the block's queue and along its axons
//   sort     what comes along axons that blocks share is put in order, a slice of the window by each thread
//   advance  the block goes from event to event: pop, integrate, fire (frame_block.hpp, neuron_block.hpp)
//   fan out  the spikes of the rank's blocks are put together, sorted, recorded, and exchanged with other
//   ranks
// and at its end every block accepts what it has not yet. A window begins where something happens next, so
// empty time costs nothing. Between blocks nothing is shared but the spikes, and what these bring along axons
// (axons.hpp); a block depends on which spikes reach it alone. Hence the same bits for any number of threads
// and ranks.
#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <tuple>

#include "axons.hpp"
#include "instant.hpp"
#include "plan.hpp"
#include "recorded.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/simulate.hpp"
#include "snapshot_check.hpp"
#include "snapshot_merge.hpp"
#include "team.hpp"

namespace saltus {

namespace {

/// Spikes of one input, checked and sorted.
SpikeTrain checked_input(const Network& network, const InputSpikes& input, Duration duration) {
    const auto populations = network.populations();
    const auto q = network.find(input.population);
    if (!q || !populations[*q].is_input()) {
        std::vector<std::string> known;
        for (const Population& population : populations) {
            if (population.is_input()) known.push_back(population.name);
        }
        std::string list;
        for (const std::string& name : known) list += (list.empty() ? "" : ", ") + quoted(name);
        throw InputError(input.population, "the network has no input of this name; its inputs: " +
                                               (list.empty() ? "none" : list) + "." +
                                               did_you_mean(input.population, known));
    }
    const std::uint32_t size = populations[*q].size();
    SpikeTrain train = input.spikes;
    if (train.neurons.size() != train.times.size()) {
        throw InputError(input.population, "expected as many neurons as times, found " +
                                               std::to_string(train.neurons.size()) + " and " +
                                               std::to_string(train.times.size()) + ".");
    }
    for (std::size_t k = 0; k < train.size(); ++k) {
        const Time t = train.times[k];
        const auto refused = [&](const std::string& expected, const std::string& found) {
            return InputError(input.population, "spike " + std::to_string(k) + ": expected " + expected +
                                                    ", found " + found + ".");
        };
        if (train.neurons[k] >= size) {
            throw refused("a neuron below " + std::to_string(size), std::to_string(train.neurons[k]));
        }
        if (t < Time()) throw refused("a time >= 0", to_string(t.since_start()));
        if (t > Time(duration)) {
            throw refused("a time up to the end of the run, " + to_string(duration),
                          to_string(t.since_start()));
        }
    }
    train.sort();
    return train;
}

[[nodiscard]] RankError another_failed() {
    return RankError("another rank has failed; its message says why.");
}
/// Where f fails on one rank it fails on all, so that none waits for another.
template <class F>
void on_every_rank(Communication& communication, F&& f) {
    std::exception_ptr failure;
    try {
        f();
    } catch (...) {
        failure = std::current_exception();
    }
    const bool all_well = communication.smallest(failure ? 0 : 1) == 1;
    if (failure) std::rethrow_exception(failure);
    if (!all_well) throw another_failed();
}

/// State of one run.
class ExactRun {
  public:
    ExactRun(const Plan& plan, const std::vector<InputSpikes>& inputs, const SimulationOptions& options)
        : p_(plan),
          options_(options),
          end_(options.duration.femtoseconds()),
          sent_(plan.levels),
          own_(plan.levels),
          team_(plan.parallelism.threads) {
        if (options.duration < Duration()) {
            throw LimitError("duration: expected >= 0, found " + to_string(options.duration) + ".");
        }
        if (options.duration == Duration::max()) throw LimitError("duration: beyond the range of time.");
        if (options.snapshot_due || options.resume_from) inputs_digest_ = digest(inputs, options);
        const auto populations = p_.network.populations();
        inputs_.resize(populations.size());
        for (const InputSpikes& input : inputs) {
            SpikeTrain train = checked_input(p_.network, input, options.duration);
            SpikeTrain& all = inputs_[p_.network.index_of(input.population)];
            for (std::size_t k = 0; k < train.size(); ++k) all.add(train.times[k], train.neurons[k]);
            all.sort();
        }
        for (const std::string& name : options.recorded) (void)p_.network.index_of(name);
        if (!options.until_first_spike_of.empty()) {
            ends_early_ = p_.network.index_of(options.until_first_spike_of);
            if (!neurons::is_spiking(populations[*ends_early_].model)) {
                throw UsageError("the run cannot end at the first spike of " +
                                 quoted(options.until_first_spike_of) +
                                 ": expected a population that spikes, found one that does not.");
            }
            if (options.snapshot_due || options.resume_from) {
                throw UsageError(
                    "a run that ends at a first spike takes no snapshots. Leave one of the two out.");
            }
        }
        for (std::uint32_t q = 0; q < populations.size(); ++q) {
            const Population& population = populations[q];
            const bool by_name = !options.recorded.empty() && is_recorded(q) && !population.is_input();
            spike_recorded_.push_back(options.record_spikes && neurons::is_spiking(population.model) &&
                                      (by_name || (is_recorded(q) && !population.is_source())));
            if (!options.potential_times.empty() && !population.is_source() && is_recorded(q)) {
                result_.potentials.push_back({q, {}, {}});
            }
        }
        const bool potentials =
            !result_.potentials.empty() ||
            std::any_of(populations.begin(), populations.end(),
                        [](const Population& population) { return !neurons::is_spiking(population.model); });
        if (p_.parallelism.communication->size() > 1 && potentials) {
            throw LimitError("potentials: a run on several ranks records spikes only. Use one rank.");
        }
        result_.spikes.resize(populations.size());
        result_.spike_counts.assign(populations.size(), 0);

        crews_.resize(p_.levels);
        tracts_.resize(p_.levels);
        for (auto& crew : crews_) crew.resize(p_.parallelism.threads);
        for (const Plan::Place& place : p_.places) {
            const std::uint32_t q = place.plan.pieces.front().population;
            if (!place.sends && !spike_recorded_[q] && ends_early_ != q) continue;
            blocks_.push_back(make_block(p_.network, place.plan, p_.signal, inputs_, Time(options.duration)));
            Tract& tract = tract_of(place);
            if (std::find(tract.threads.begin(), tract.threads.end(), place.thread) == tract.threads.end())
                tract.threads.push_back(place.thread);
            crews_[place.level][place.thread].push_back({blocks_.back().get(), &tract});
        }
        mine_.resize(p_.parallelism.threads);
        next_.resize(p_.parallelism.threads);
        if (options.snapshot_due && !result_.potentials.empty()) {
            throw LimitError(
                "potentials: a snapshot does not hold those that have been recorded. Record spikes only.");
        }

        if (options.resume_from) resume(*options.resume_from);
        constexpr std::int64_t report_fs = 50'000'000'000'000;
        windows_per_report_ = static_cast<std::uint64_t>(std::max(std::int64_t{1}, report_fs / p_.window_fs));
    }

    SimulationResult run() {
        team_.run([this] { lead(); });
        finish();
        return std::move(result_);
    }

  private:
    void lead() {
        std::int64_t done = 0;  // everything before has been computed
        together([this](std::uint32_t thread) { look_ahead(thread); });
        for (;;) {
            const std::int64_t start = next_start();
            if (start == failed) rethrow();
            if (start == stopped) result_.interrupted = true;
            if (start == stopped || start > end_) break;
            record_potentials_before(start);
            done = stop_of(start);
            compute_window(start, done);

            ++result_.windows;
            if (ends_early_ && end_at_first_spike()) break;
            if ((options_.on_progress || of_several()) && --until_report_ == 0) {
                until_report_ = windows_per_report_;
                report(std::min(done, end_));
            }
            if (options_.snapshot_due) keep_in_flight(done);
            if (snapshot_due(done)) take_snapshot(done);
        }
        result_.end = Time(Duration(result_.interrupted ? std::min(done, end_) : end_));
        if (!result_.interrupted) record_potentials_before(end_ + 1);
    }

    [[nodiscard]] bool of_several() const { return p_.parallelism.communication->size() > 1; }

    /// True if the population whose first spike ends the run has spiked: what came later is forgotten.
    [[nodiscard]] bool end_at_first_spike() {
        std::int64_t first = INT64_MAX;
        const auto& own = of_several() ? own_ : sent_;
        for (const auto& sent : own) {
            for (const Spike& spike : sent) {
                if (p_.by_name[spike.population] == *ends_early_)
                    first = std::min(first, spike.time.femtoseconds());
            }
        }
        first = p_.parallelism.communication->smallest(first);
        if (first == INT64_MAX) return false;
        end_ = first;
        for (const auto& sent : own) {
            for (const Spike& spike : sent) {
                result_.spike_counts[p_.by_name[spike.population]] -= spike.time.femtoseconds() > first;
            }
        }
        for (SpikeTrain& train : result_.spikes) {
            const auto kept = static_cast<std::size_t>(
                std::upper_bound(train.times.begin(), train.times.end(), Time(Duration(first))) -
                train.times.begin());
            train.times.resize(kept);
            train.neurons.resize(kept);
        }
        return true;
    }

    /// Axons that some blocks of one level share, and the threads that these belong to.
    struct Tract {
        Axons axons;
        std::vector<std::uint32_t> threads;
        std::int64_t next = 0;  // nothing arrives before
    };
    struct Member {
        Block* block;
        const Tract* tract;
        std::int64_t next = 0;  // nothing happens in the block before, unless something comes along axons
    };
    /// The blocks of one thread on one level.
    using Crew = std::vector<Member>;

    [[nodiscard]] std::int64_t stop_of(std::int64_t start) const {
        std::int64_t stop = p_.window_fs > end_ - start ? end_ + 1 : start + p_.window_fs;
        if (ends_early_) stop = std::min(stop, after(start, std::max<std::int64_t>(end_ / 256, 1)));
        if (next_potential_ < options_.potential_times.size()) {
            stop = std::min(stop, options_.potential_times[next_potential_].femtoseconds() + 1);
        }
        return stop;
    }

    /// The one whose axons are those of the place.
    Tract& tract_of(const Plan::Place& place) {
        auto& tracts = tracts_[place.level];
        const auto found = std::find_if(tracts.begin(), tracts.end(),
                                        [&](const auto& tract) { return tract->axons.serve(place.plan); });
        if (found != tracts.end()) return **found;
        return *tracts.emplace_back(std::make_unique<Tract>(Tract{Axons(place.plan), {}}));
    }

    void compute_window(std::int64_t start, std::int64_t stop) {
        for (std::uint32_t level = 0; level < p_.levels; ++level) {
            bool from_below = false;
            for (std::uint32_t lower = 0; lower < level; ++lower) from_below |= !sent_[lower].empty();
            sort_arrivals(level, start, stop, from_below);
            together([&](std::uint32_t thread) {
                mine_[thread].clear();
                for (const Member& member : crews_[level][thread]) {
                    member.block->open(start);
                    if (std::min(member.next, member.tract->next) >= stop && !from_below) continue;
                    for (std::uint32_t lower = 0; lower < level; ++lower) member.block->accept(sent_[lower]);
                    const Axons& axons = member.tract->axons;
                    for (std::uint32_t k = 0; k < axons.slices(); ++k) {
                        member.block->advance(axons.stop_of(k), axons.arrivals(k));
                        const std::vector<Spike>& spikes = member.block->spikes();
                        mine_[thread].insert(mine_[thread].end(), spikes.begin(), spikes.end());
                    }
                }
            });
            gather(level);
        }
        together([&](std::uint32_t thread) {
            for (std::uint32_t level = 0; level < p_.levels; ++level) {
                for (const auto& tract : tracts_[level]) {
                    if (tract->threads.front() != thread) continue;
                    tract->axons.close();
                    for (std::uint32_t other = level; other < p_.levels; ++other)
                        tract->axons.accept(sent_[other]);
                }
                for (Member& member : crews_[level][thread]) {
                    for (std::uint32_t other = level; other < p_.levels; ++other) {
                        member.block->accept(sent_[other]);
                    }
                }
            }
            look_ahead(thread);
        });
    }

    /// What comes along axons to the blocks of a level within a window.
    void sort_arrivals(std::uint32_t level, std::int64_t start, std::int64_t stop, bool from_below) {
        bool any = false;
        guarded([&] {
            for (const auto& tract : tracts_[level]) {
                for (std::uint32_t lower = 0; lower < level; ++lower) tract->axons.accept(sent_[lower]);
                tract->axons.open(start, stop, static_cast<std::uint32_t>(tract->threads.size()));
                any |= !tract->axons.empty() && (tract->next < stop || from_below);
            }
        });
        if (!any) return;
        together([&](std::uint32_t thread) {
            for (const auto& tract : tracts_[level]) {
                for (std::uint32_t k = 0; k < tract->axons.slices(); ++k) {
                    if (tract->threads[k] == thread) tract->axons.put_in_order(k);
                }
            }
        });
    }

    /// When something happens next in each block of a thread, and arrives along the axons that are its care.
    void look_ahead(std::uint32_t thread) {
        next_[thread] = INT64_MAX;
        for (const auto& tracts : tracts_) {
            for (const auto& tract : tracts) {
                if (tract->threads.front() != thread) continue;
                tract->next = tract->axons.next();
                next_[thread] = std::min(next_[thread], tract->next);
            }
        }
        for (auto& crew : crews_) {
            for (Member& member : crew[thread]) {
                member.next = member.block->next();
                next_[thread] = std::min(next_[thread], member.next);
            }
        }
    }

    /// A failure is kept until the ranks talk about it (next_start): the others count on this one to exchange
    /// its spikes.
    template <class F>
    void guarded(F&& f) {
        if (failure_) return;
        try {
            f();
        } catch (...) {
            failure_ = std::current_exception();
        }
    }
    /// All threads do the task.
    template <class F>
    void together(F&& task) {
        guarded([&] { team_.each(task); });
    }

    /// Puts the spikes of all threads together, in the order (time, population, neuron), records them, and
    /// exchanges them with the other ranks.
    void gather(std::uint32_t level) {
        Communication& communication = *p_.parallelism.communication;
        std::vector<Spike>& sent = sent_[level];
        std::vector<Spike>& own = of_several() ? own_[level] : sent;
        own.clear();
        for (const auto& mine : mine_) own.insert(own.end(), mine.begin(), mine.end());
        if (!std::is_sorted(own.begin(), own.end())) std::sort(own.begin(), own.end());
        for (const Spike& spike : own) {
            const std::uint32_t q = p_.by_name[spike.population];
            ++result_.spike_counts[q];
            if (spike_recorded_[q]) result_.spikes[q].add(spike.time, spike.neuron);
        }
        if (options_.snapshot_due) in_flight_.insert(in_flight_.end(), own.begin(), own.end());
        if (!of_several()) return;

        sent.clear();
        // By neuron, so that rows are looked up from the first to the last.
        std::sort(own.begin(), own.end(), [](const Spike& a, const Spike& b) {
            return std::tie(a.population, a.neuron) < std::tie(b.population, b.neuron);
        });
        if (p_.addresses.everywhere()) return communication.exchange(own, sent);
        const Peers& peers = p_.addresses.peers();
        outbox_.resize(peers.receivers.size());
        for (auto& letters : outbox_) letters.clear();
        for (const Spike& spike : own) {
            for (const std::uint32_t k : p_.addresses.of(spike)) outbox_[k].push_back(spike);
        }
        communication.exchange(peers, outbox_, sent);
        sent.insert(sent.end(), own.begin(), own.end());
    }

    [[nodiscard]] std::int64_t next_start() const {
        std::int64_t t = *std::min_element(next_.begin(), next_.end());
        if (stop_asked_) t = stopped;
        if (failure_) t = failed;
        return p_.parallelism.communication->smallest(t);
    }
    /// What next_start says on every rank when one has failed, or was told to stop.
    static constexpr std::int64_t failed = INT64_MIN;
    static constexpr std::int64_t stopped = INT64_MIN + 1;

    [[noreturn]] void rethrow() {
        if (failure_) std::rethrow_exception(failure_);
        throw another_failed();
    }

    void record_potentials_before(std::int64_t t) {
        const std::vector<Time>& times = options_.potential_times;
        for (; next_potential_ < times.size() && times[next_potential_].femtoseconds() < t &&
               times[next_potential_].femtoseconds() <= end_;
             ++next_potential_) {
            for (PotentialRecord& record : result_.potentials) {
                record.times.push_back(times[next_potential_]);
                append_potentials(record.population, times[next_potential_].femtoseconds(), record.values);
            }
        }
    }

    void append_potentials(std::uint32_t q, std::int64_t t, std::vector<double>& values) const {
        const std::size_t before = values.size();
        values.resize(before + p_.network.populations()[q].size());
        for (const auto& block : blocks_) {
            for (const Piece& piece : block->plan().pieces) {
                if (piece.population == q) block->put_potentials(t, piece, std::span(values).subspan(before));
            }
        }
    }

    void finish() {
        const auto populations = p_.network.populations();
        Communication& communication = *p_.parallelism.communication;
        if (of_several()) {
            result_.spikes = of_all_ranks(communication, p_.order, result_.spikes);
            for (std::uint64_t& count : result_.spike_counts) count = communication.sum(count);
        }
        result_.final_potentials.resize(populations.size());
        for (std::uint32_t q = 0; q < populations.size(); ++q) {
            if (!neurons::is_spiking(populations[q].model)) {
                append_potentials(q, result_.end.femtoseconds(), result_.final_potentials[q]);
            }
            if (!populations[q].is_source()) result_.neuron_spikes += result_.spike_counts[q];
        }
        result_.synaptic_events = communication.sum(synaptic_events());
    }

    [[nodiscard]] std::uint64_t synaptic_events() const {
        std::uint64_t events = events_before_;
        for (const auto& block : blocks_) events += block->synaptic_events();
        return events;
    }

    /// Own spikes that may still arrive somewhere.
    void keep_in_flight(std::int64_t done) {
        std::erase_if(in_flight_, [&](const Spike& spike) {
            return after(spike.time.femtoseconds(), p_.longest_delay_fs) < done;
        });
    }
    [[nodiscard]] bool snapshot_due(std::int64_t done) {
        if (!options_.snapshot_due) return false;
        bool due = false;
        if (p_.parallelism.communication->rank() == 0) {
            guarded([&] { due = options_.snapshot_due(Time(Duration(done))); });
        }
        return p_.parallelism.communication->smallest(due ? 0 : 1) == 0;
    }

    void take_snapshot(std::int64_t done) {
        const auto populations = p_.network.populations();
        Snapshot snapshot;
        snapshot.populations.resize(populations.size());
        for (std::uint32_t q = 0; q < populations.size(); ++q)
            snapshot.populations[q].size = populations[q].size();

        std::vector<PopulationSnapshot> mine = snapshot.populations;
        std::vector<std::vector<NeuronRange>> ranges(populations.size());
        for (const auto& block : blocks_) {
            block->save(done, mine);
            for (const Piece& piece : block->plan().pieces) ranges[piece.population].push_back(piece.range);
        }
        std::vector<PartOfSnapshot> parts;
        for (std::uint32_t q = 0; q < populations.size(); ++q) {
            if (!ranges[q].empty()) parts.push_back({q, std::move(ranges[q]), std::move(mine[q])});
        }
        Communication& communication = *p_.parallelism.communication;
        snapshot.synaptic_events = communication.sum(synaptic_events());
        snapshot.spike_counts = result_.spike_counts;
        if (communication.size() == 1) {
            for (const PartOfSnapshot& part : parts) merge(part, snapshot.populations);
            snapshot.in_flight = in_flight_;
            snapshot.spikes = result_.spikes;
        } else {
            snapshot.in_flight = of_all_ranks(communication, in_flight_);
            snapshot.spikes = of_all_ranks(communication, p_.order, result_.spikes);
            for (std::uint64_t& count : snapshot.spike_counts) count = communication.sum(count);
            for (const auto& bytes : communication.gather(to_bytes(parts))) {
                for (const PartOfSnapshot& part : parts_from_bytes(bytes)) merge(part, snapshot.populations);
            }
        }
        if (communication.rank() != 0) return;
        for (PopulationSnapshot& population : snapshot.populations) {
            std::sort(population.events.begin(), population.events.end(),
                      [](const NeuronEvent& a, const NeuronEvent& b) {
                          return std::tie(a.time, a.neuron, a.what, a.rest_fs) <
                                 std::tie(b.time, b.neuron, b.what, b.rest_fs);
                      });
        }
        snapshot.network = digest(p_.network);
        snapshot.inputs = inputs_digest_;
        snapshot.time = Time(Duration(done));
        std::sort(snapshot.in_flight.begin(), snapshot.in_flight.end());
        snapshot.windows = result_.windows;
        guarded([&] { options_.on_snapshot(snapshot); });
    }

    void resume(const Snapshot& snapshot) {
        check_resumable(snapshot, p_.network, inputs_digest_);
        const std::int64_t t = snapshot.time.femtoseconds();
        for (const auto& block : blocks_) {
            block->restore(t, snapshot.populations);
            block->open(t);
            block->accept_from(snapshot.in_flight, t);
        }
        for (const auto& tracts : tracts_) {
            for (const auto& tract : tracts) tract->axons.accept_from(snapshot.in_flight, t);
        }
        result_.windows = snapshot.windows;
        if (p_.parallelism.communication->rank() > 0) return;  // what was before belongs to one rank
        in_flight_ = snapshot.in_flight;
        result_.spikes = snapshot.spikes;
        result_.spike_counts = snapshot.spike_counts;
        events_before_ = snapshot.synaptic_events;
    }

    /// How far the run is; every rank learns about all, whether it wants to know or not.
    void report(std::int64_t t) {
        std::uint64_t spikes = 0;
        for (std::size_t q = 0; q < result_.spike_counts.size(); ++q) {
            if (!p_.network.populations()[q].is_source()) spikes += result_.spike_counts[q];
        }
        spikes = p_.parallelism.communication->sum(spikes);
        const std::uint64_t events = p_.parallelism.communication->sum(synaptic_events());
        if (!options_.on_progress) return;
        const double fraction = end_ == 0 ? 1.0 : static_cast<double>(t) / static_cast<double>(end_);
        guarded([&] { stop_asked_ = !options_.on_progress({fraction, Time(Duration(t)), spikes, events}); });
    }

    [[nodiscard]] bool is_recorded(std::uint32_t q) const {
        const std::vector<std::string>& names = options_.recorded;
        return names.empty() ||
               std::find(names.begin(), names.end(), p_.network.populations()[q].name) != names.end();
    }

    const Plan& p_;
    const SimulationOptions& options_;
    std::int64_t end_;
    std::optional<std::uint32_t> ends_early_;  // with the first spike of this population
    std::vector<SpikeTrain> inputs_;           // of each population
    std::vector<bool> spike_recorded_;
    std::vector<std::unique_ptr<Block>> blocks_;
    std::vector<std::vector<std::unique_ptr<Tract>>> tracts_;  // of each level
    std::vector<std::vector<Crew>> crews_;                     // of each level and thread
    std::vector<std::vector<Spike>> mine_;    // spikes of each thread, on the level that is computed
    std::vector<std::vector<Spike>> sent_;    // spikes of each level, the last that were computed:
                                              // those of this rank, and of others that have targets here
    std::vector<std::vector<Spike>> own_;     // of several ranks: those of this one
    std::vector<std::vector<Spike>> outbox_;  // for each receiver
    std::vector<std::int64_t> next_;          // of each thread: nothing happens there before

    std::uint64_t inputs_digest_ = 0;  // where there are snapshots
    std::uint64_t events_before_ = 0;  // synaptic events of before the run was resumed
    std::vector<Spike> in_flight_;     // of this rank, kept only for snapshots
    Team team_;
    bool stop_asked_ = false;
    std::exception_ptr failure_;
    std::uint64_t windows_per_report_;
    std::uint64_t until_report_ = 1;
    std::size_t next_potential_ = 0;
    SimulationResult result_;
};

}  // namespace

ExactSimulation::ExactSimulation(const Network& network, const Parallelism& parallelism) {
    std::unique_ptr<Plan> plan;
    on_every_rank(*parallelism.communication, [&] { plan = std::make_unique<Plan>(network, parallelism); });
    plan->address_spikes();
    plan_ = std::move(plan);
}
ExactSimulation::~ExactSimulation() = default;
ExactSimulation::ExactSimulation(ExactSimulation&&) noexcept = default;
ExactSimulation& ExactSimulation::operator=(ExactSimulation&&) noexcept = default;

SimulationResult ExactSimulation::run(const std::vector<InputSpikes>& inputs,
                                      const SimulationOptions& options) const {
    std::unique_ptr<ExactRun> run;
    on_every_rank(*plan_->parallelism.communication,
                  [&] { run = std::make_unique<ExactRun>(*plan_, inputs, options); });
    return run->run();
}

std::uint64_t ExactSimulation::synapse_bytes() const {
    return plan_->synapse_bytes();
}

SimulationResult simulate(const Network& network, const std::vector<InputSpikes>& inputs,
                          const SimulationOptions& options, const Parallelism& parallelism) {
    return ExactSimulation(network, parallelism).run(inputs, options);
}

}  // namespace saltus
