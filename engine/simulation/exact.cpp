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
          of_several_(plan.parallelism.communication->size() > 1),
          levels_(plan.levels),
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
            if (all.empty()) {
                all = std::move(train);
                continue;
            }
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

        for (Level& level : levels_) level.crews = std::vector<Crew>(p_.parallelism.threads);
        for (const Plan::Place& place : p_.places) {
            const std::uint32_t q = place.plan.pieces.front().population;
            if (!place.sends && !spike_recorded_[q] && ends_early_ != q) continue;
            blocks_.push_back(make_block(p_.network, place.plan, p_.signal, inputs_, Time(options.duration)));
            Crew& crew = levels_[place.level].crews[place.thread];
            crew.members.push_back({blocks_.back().get(), tract_of(place)});
            blocks_.back()->send_to(crew.spikes);
            has_tracts_ = has_tracts_ || crew.members.back().tract;
        }
        receivers_.resize(p_.parallelism.threads);
        for (std::size_t l = 0; l < levels_.size(); ++l) {
            for (std::uint32_t thread = 0; thread < p_.parallelism.threads; ++thread) {
                for (Member& member : levels_[l].crews[thread].members) {
                    if (member.block->queues()) receivers_[thread].push_back({&member, l});
                }
            }
        }
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
            if (next_potential_ < options_.potential_times.size()) record_potentials_before(start);
            done = stop_of(start);
            compute_window(start, done);

            ++result_.windows;
            if (ends_early_ && end_at_first_spike()) break;
            if ((options_.on_progress || of_several_) && --until_report_ == 0) {
                until_report_ = windows_per_report_;
                report(std::min(done, end_));
            }
            if (!options_.snapshot_due) continue;
            keep_in_flight(done);
            if (snapshot_due(done)) take_snapshot(done);
        }
        result_.end = Time(Duration(result_.interrupted ? std::min(done, end_) : end_));
        if (!result_.interrupted) record_potentials_before(end_ + 1);
    }

    /// True if the population whose first spike ends the run has spiked: what came later is forgotten.
    [[nodiscard]] bool end_at_first_spike() {
        std::int64_t first = INT64_MAX;
        for (const Level& level : levels_) {
            for (const Spike& spike : level.own) {
                if (p_.by_name[spike.population] == *ends_early_)
                    first = std::min(first, spike.time.femtoseconds());
            }
        }
        first = p_.parallelism.communication->smallest(first);
        if (first == INT64_MAX) return false;
        end_ = first;
        for (const Level& level : levels_) {
            for (const Spike& spike : level.own) {
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
        const Tract* tract;     // nullptr: nothing comes along axons
        std::int64_t next = 0;  // nothing else happens in the block before

        [[nodiscard]] bool acts_before(std::int64_t stop) const {
            return next < stop || (tract && tract->next < stop);
        }
    };
    /// The blocks of one thread on one level.
    struct alignas(64) Crew {
        std::vector<Member> members;
        std::vector<Spike> spikes;  // of the last window in which the level was computed
        std::int64_t next = 0;      // the earliest of its members
    };
    struct Level {
        std::vector<Crew> crews;  // of each thread
        std::vector<std::unique_ptr<Tract>> tracts;
        std::vector<Spike> all;           // of several threads
        std::vector<Spike> of_all_ranks;  // as far as they have targets here
        std::span<const Spike> own;       // in the last window by this rank
        std::span<const Spike> sent;      // and with those of the others
        std::int64_t next = 0;            // nothing happens before
    };
    /// A block that spikes bring something to.
    struct Receiver {
        Member* member;
        std::size_t level;
    };
    [[nodiscard]] std::int64_t stop_of(std::int64_t start) const {
        std::int64_t stop = p_.window_fs > end_ - start ? end_ + 1 : start + p_.window_fs;
        if (ends_early_) stop = std::min(stop, after(start, std::max<std::int64_t>(end_ / 256, 1)));
        if (next_potential_ < options_.potential_times.size()) {
            stop = std::min(stop, options_.potential_times[next_potential_].femtoseconds() + 1);
        }
        return stop;
    }

    /// The one whose axons are those of the place; nullptr where it has none.
    const Tract* tract_of(const Plan::Place& place) {
        Axons axons(place.plan);
        if (axons.empty()) return nullptr;
        auto& tracts = levels_[place.level].tracts;
        auto found = std::find_if(tracts.begin(), tracts.end(),
                                  [&](const auto& tract) { return tract->axons.serve(place.plan); });
        if (found == tracts.end())
            found = tracts.insert(found, std::make_unique<Tract>(Tract{std::move(axons), {}}));
        auto& threads = (*found)->threads;
        if (std::find(threads.begin(), threads.end(), place.thread) == threads.end())
            threads.push_back(place.thread);
        return found->get();
    }

    void compute_window(std::int64_t start, std::int64_t stop) {
        bool any = false;  // spikes so far
        for (std::size_t l = 0; l < levels_.size(); ++l) {
            Level& level = levels_[l];
            const std::span<const Level> lower(levels_.data(), l);
            const bool acts = any || level.next < stop;
            if (acts) {
                if (!level.tracts.empty()) sort_arrivals(level, lower, any, start, stop);
                together([&](std::uint32_t thread) {
                    Crew& crew = level.crews[thread];
                    crew.spikes.clear();
                    for (Member& member : crew.members) {
                        if (any && member.block->queues()) accept(member, lower, start);
                        if (member.acts_before(stop)) advance(member, stop);
                    }
                    look_ahead(crew);
                });
            }
            if (acts || of_several_) {
                gather(level, acts);
                any = any || !level.sent.empty();
            } else {
                level.own = {};
                level.sent = {};
            }
        }
        if (!any && !has_tracts_) return;
        together([&](std::uint32_t thread) {
            const std::span<const Level> levels(levels_);
            if (has_tracts_) {
                for (std::size_t l = 0; l < levels_.size(); ++l) {
                    for (const auto& tract : levels_[l].tracts) {
                        if (tract->threads.front() != thread) continue;
                        tract->axons.close();
                        accept(*tract, levels.subspan(l));
                    }
                }
            }
            for (const Receiver& receiver : receivers_[thread]) {
                accept(*receiver.member, levels.subspan(receiver.level), start);
                std::int64_t& next = levels_[receiver.level].crews[thread].next;
                next = std::min(next, receiver.member->next);
            }
        });
    }
    static void advance(Member& member, std::int64_t stop) {
        if (member.tract) {
            const Axons& axons = member.tract->axons;
            for (std::uint32_t k = 0; k < axons.slices(); ++k)
                member.block->advance(axons.stop_of(k), axons.arrivals(k));
        } else {
            member.block->advance(stop, {});
        }
        member.next = member.block->next();
    }

    /// What the last window has sent on some levels.
    static void accept(Member& member, std::span<const Level> levels, std::int64_t start) {
        for (const Level& level : levels) {
            if (level.sent.empty()) continue;
            member.next = std::min(member.next, member.block->accept(level.sent, start));
        }
    }
    static void accept(Tract& tract, std::span<const Level> levels) {
        for (const Level& level : levels) {
            if (!level.sent.empty()) tract.axons.accept(level.sent);
        }
        tract.next = tract.axons.next();
    }

    /// What comes along axons to the blocks of a level within a window.
    void sort_arrivals(Level& level, std::span<const Level> lower, bool from_below, std::int64_t start,
                       std::int64_t stop) {
        bool any = false;
        guarded([&] {
            for (const auto& tract : level.tracts) {
                if (from_below) accept(*tract, lower);
                tract->axons.open(start, stop, static_cast<std::uint32_t>(tract->threads.size()));
                any |= tract->next < stop;
            }
        });
        if (!any) return;
        together([&](std::uint32_t thread) {
            for (const auto& tract : level.tracts) {
                for (std::uint32_t k = 0; k < tract->axons.slices(); ++k) {
                    if (tract->threads[k] == thread) tract->axons.put_in_order(k);
                }
            }
        });
    }

    /// When something happens next, at the start of a run.
    void look_ahead(std::uint32_t thread) {
        for (Level& level : levels_) {
            for (const auto& tract : level.tracts) {
                if (tract->threads.front() == thread) tract->next = tract->axons.next();
            }
            for (Member& member : level.crews[thread].members) member.next = member.block->next();
            look_ahead(level.crews[thread]);
        }
    }
    static void look_ahead(Crew& crew) {
        crew.next = INT64_MAX;
        for (const Member& member : crew.members) crew.next = std::min(crew.next, member.next);
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

    static std::span<Spike> of_all_threads(Level& level) {
        if (level.crews.size() == 1) return level.crews.front().spikes;
        level.all.clear();
        for (const Crew& crew : level.crews)
            level.all.insert(level.all.end(), crew.spikes.begin(), crew.spikes.end());
        return level.all;
    }
    /// Puts the spikes of all threads, if there are any, together, in the order (time, population, neuron),
    /// records them, and exchanges them with the other ranks.
    void gather(Level& level, bool any) {
        Communication& communication = *p_.parallelism.communication;
        std::span<Spike> own;
        if (any) own = of_all_threads(level);
        level.own = own;
        if (own.size() > 1 && !std::is_sorted(own.begin(), own.end())) std::sort(own.begin(), own.end());
        for (const Spike& spike : own) {
            const std::uint32_t q = p_.by_name[spike.population];
            ++result_.spike_counts[q];
            if (spike_recorded_[q]) result_.spikes[q].add(spike.time, spike.neuron);
        }
        if (options_.snapshot_due) in_flight_.insert(in_flight_.end(), own.begin(), own.end());
        level.sent = own;
        if (!of_several_) return;

        // By neuron, so that rows are looked up from the first to the last.
        std::sort(own.begin(), own.end(), [](const Spike& a, const Spike& b) {
            return std::tie(a.population, a.neuron) < std::tie(b.population, b.neuron);
        });
        std::vector<Spike>& sent = level.of_all_ranks;
        sent.clear();
        if (p_.addresses.everywhere()) {
            communication.exchange(own, sent);
            level.sent = sent;
            return;
        }
        const Peers& peers = p_.addresses.peers();
        outbox_.resize(peers.receivers.size());
        for (auto& letters : outbox_) letters.clear();
        for (const Spike& spike : own) {
            for (const std::uint32_t k : p_.addresses.of(spike)) outbox_[k].push_back(spike);
        }
        communication.exchange(peers, outbox_, sent);
        sent.insert(sent.end(), own.begin(), own.end());
        level.sent = sent;
    }

    [[nodiscard]] std::int64_t next_start() {
        std::int64_t t = INT64_MAX;
        for (Level& level : levels_) {
            level.next = INT64_MAX;
            for (const Crew& crew : level.crews) level.next = std::min(level.next, crew.next);
            for (const auto& tract : level.tracts) level.next = std::min(level.next, tract->next);
            t = std::min(t, level.next);
        }
        if (stop_asked_) t = stopped;
        if (failure_) t = failed;
        return of_several_ ? p_.parallelism.communication->smallest(t) : t;
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
        if (of_several_) {
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
            block->accept_from(snapshot.in_flight, t);
        }
        for (const Level& level : levels_) {
            for (const auto& tract : level.tracts) tract->axons.accept_from(snapshot.in_flight, t);
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
    bool of_several_;  // ranks
    std::vector<Level> levels_;
    bool has_tracts_ = false;
    std::vector<std::vector<Receiver>> receivers_;  // of each thread
    std::vector<std::vector<Spike>> outbox_;        // for each receiver

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
