// A block whose neurons share a moving frame: the loop that most of the time of a large network is spent in.
#pragma once

#include <algorithm>
#include <array>

#include "../events/queue.hpp"
#include "block.hpp"
#include "frames.hpp"

namespace saltus {

template <class Frame>
class FrameBlock final : public Block {
  public:
    FrameBlock(const BlockPlan& plan, Frame frame) : Block(plan, true), frame_(std::move(frame)) {
        for (const Incoming& incoming : plan.incoming) {
            if (const auto* own = std::get_if<OwnTrains>(&incoming.synapses)) add_trains(*own);
            shared_weights_.push_back(shared_weight(incoming));
        }
        if (Frame::has_currents || frame_.drives()) {
            frame_.watch_until(0);
            until_ = 0;
        }
        // Neurons that start above the threshold fire at once.
        const auto m = frame_.at(0);
        for (std::uint32_t i = 0; i < frame_.size(); ++i) {
            if (frame_.above(i, m)) own_.push({0, i, Own::look, 0.0F});
        }
    }

    [[nodiscard]] std::int64_t next() const override {
        std::int64_t t = std::min(next_arrival(), own_.next());
        if (frame_.may_cross_later()) t = std::min(t, until_);
        for (const Trains& trains : trains_) t = std::min(t, trains.time());
        return t;
    }

    void advance(std::int64_t stop, std::span<const Arrival> along_axons) override {
        collect(stop, along_axons);
        const bool all_sorted = trains_.empty() || add_trains_to_arrivals(stop);
        sort_arrivals();
        packed_next_ = packed_end_ = stretch_ = 0;
        batch_begin_ = batch_end_ = 0;
        go_to_row(0);
        load_packed();
        const bool many = arrivals_.size() + packed_.size() > few_arrivals;
        for (;;) {
            if (!pass_over_silence(stop)) return;
            if (all_sorted && many) run_arrivals(stop);
            std::int64_t t = std::min({row_time_, packed_time_, own_.next(), until_, stop});
            if (!all_sorted) t = run_trains(t);
            if (t >= stop) return;
            compute(t);
        }
    }

    void put_potentials(std::int64_t t, const Piece& piece, std::span<double> population) const override {
        Frame frame = frame_;
        while (frame.clock().end() <= t) frame.advance_frame();
        const auto m = frame.at(t);
        for (std::uint32_t k = 0; k < piece.range.size(); ++k)
            population[piece.range.begin + k] = frame.potential(piece.first + k, m);
    }

    void save(std::int64_t t, std::vector<PopulationSnapshot>& populations) const override {
        Frame frame = frame_;
        while (frame.clock().end() <= t) frame.advance_frame();
        for (const Piece& piece : plan_.pieces) {
            PopulationSnapshot& snapshot = populations[piece.population];
            snapshot.frame_origin = frame.clock().origin();
            Frame::each_coefficient(frame, piece, [&](const char* name, NeuronIndex neuron, double value) {
                std::vector<double>& column = snapshot.reals[name];
                column.resize(snapshot.size);
                column[neuron] = value;
            });
        }
        RadixHeap<Own> own = own_;
        own.pop_before(INT64_MAX, [&](const Own& o) {
            const Piece& piece = piece_of(o.neuron);
            populations[piece.population].events.push_back(
                {Time(Duration(o.time)), piece.range.begin + (o.neuron - piece.first),
                 o.what == Own::release ? NeuronEvent::What::release : NeuronEvent::What::look, o.rest_fs});
        });
        for (const Trains& trains : trains_) {
            PopulationSnapshot& snapshot = populations[piece_of(trains.first).population];
            if (snapshot.trains.size() <= trains.source) snapshot.trains.resize(trains.source + 1);
            auto& groups = snapshot.trains[trains.source];
            if (groups.size() <= trains.number) groups.resize(trains.number + 1);
            groups[trains.number] = trains.group.where();
        }
    }
    void restore(std::int64_t t, const std::vector<PopulationSnapshot>& populations) override {
        frame_.start_frame_at(t / frame_.clock().length() * frame_.clock().length());
        own_ = {};
        each_saved(populations, [&](const Piece& piece, const PopulationSnapshot& snapshot) {
            if (snapshot.frame_origin != frame_.clock().origin()) {
                throw SnapshotError("snapshot: population " + quoted(piece.name) +
                                    ": expected its frame to begin at " +
                                    std::to_string(frame_.clock().origin()) + " fs, found " +
                                    std::to_string(snapshot.frame_origin) + " fs.");
            }
            Frame::each_coefficient(frame_, piece, [&](const char* name, NeuronIndex neuron, double& value) {
                value = snapshot.reals.at(name).at(neuron);
            });
            for (const NeuronEvent& event : snapshot.events) {
                if (event.neuron < piece.range.begin || event.neuron >= piece.range.end) continue;
                own_.push({event.time.femtoseconds(), piece.first + (event.neuron - piece.range.begin),
                           event.what == NeuronEvent::What::release ? Own::release : Own::look,
                           static_cast<float>(event.rest_fs)});
            }
            for (Trains& trains : trains_) {
                if (&piece_of(trains.first) == &piece)
                    trains.group.go_to(snapshot.trains.at(trains.source).at(trains.number));
            }
        });
        standing_ = 0;
        for (std::uint32_t i = 0; i < frame_.size(); ++i) standing_ += frame_.stands(i);
        if (watches()) {
            // Neurons are looked at anew at t, or, where crossings depend on when they are looked for, at the
            // next instant at which a whole run does so.
            until_ = Frame::has_currents ? end_of_watch(t - 1) : t;
            frame_.watch_until(until_);
            frame_.watch_all();
        }
        now_ = t;
    }

  private:
    using Moment = typename Frame::Moment;

    /// What a neuron does by itself.
    struct Own {
        enum What : std::uint8_t { release, look };  // the refractory period ends; it may cross the threshold
        std::int64_t time;
        std::uint32_t neuron;
        What what;
        float rest_fs;  // of the real time beyond the tick

        Own(std::int64_t t, std::uint32_t i, What w, float rest)
            : time(t), neuron(i), what(w), rest_fs(rest) {}
        [[nodiscard]] std::int64_t key() const { return time; }
    };
    /// A neuron that may be at the threshold now.
    struct Candidate {
        Candidate(std::uint32_t i, float rest) : neuron(i), rest_fs(rest) {}

        std::uint32_t neuron;
        float rest_fs;
    };
    struct Trains {
        PoissonGroup group;
        std::uint32_t source;  // number of the projection among those of such trains
        std::uint32_t number;  // of the group
        std::uint32_t first;   // neuron of the block
        double weight;
        std::int64_t delay;

        typename Frame::template Factors<PoissonGroup::chunk> factors{};
        std::int64_t origin = -1;      // of the frame that they are for
        std::uint64_t factors_of = 0;  // chunk

        [[nodiscard]] std::int64_t time() const { return after(group.time(), delay); }
    };

    void add_trains(const OwnTrains& own) {
        constexpr std::uint32_t length = PoissonGroup::neurons_per_group;
        for (std::uint32_t first = own.range.begin; first < own.range.end; first += length) {
            trains_.push_back({.group = PoissonGroup(own.source, own.size, first / length),
                               .source = own.number,
                               .number = first / length,
                               .first = own.first + (first - own.range.begin),
                               .weight = own.weight,
                               .delay = own.delay_fs});
        }
    }

    /// Instant t: neurons move by themselves, what arrives is added, the threshold is tested once, spikes
    /// leave.
    void compute(std::int64_t t) {
        move_frame_to(t);
        if (t == until_) watch_on(t);
        candidates_.clear();
        const bool arrives = row_time_ == t || packed_time_ == t;
        if (!arrives && frame_.rests_when_released()) return release(t);
        const Moment m = frame_.at(t);
        own_.pop_before(t + 1, [&](const Own& own) {
            if (own.what == Own::release) {
                if (own.rest_fs == 0.0F)
                    frame_.release(own.neuron, m);
                else
                    frame_.release(own.neuron, frame_.at(t, own.rest_fs));
                --standing_;
            }
            candidates_.emplace_back(own.neuron, own.what == Own::look ? own.rest_fs : 0.0F);
        });
        if (arrives) deliver_all_of(t, m);
        test_all(t, m);
    }
    /// Instant t where nothing arrives and nobody who is released needs a look.
    void release(std::int64_t t) {
        own_.pop_before(t + 1, [&](const Own& own) {
            if (own.what == Own::look) {
                candidates_.emplace_back(own.neuron, own.rest_fs);
            } else {
                frame_.release_at(own.neuron, t, own.rest_fs);
                --standing_;
            }
        });
        if (!candidates_.empty()) test_all(t, frame_.at(t));
    }

    void test_all(std::int64_t t, const Moment& m) {
        for (std::size_t c = 0; c < candidates_.size(); ++c) test(candidates_[c], t, m);
    }
    void test(const Candidate& candidate, std::int64_t t, const Moment& m) {
        const std::uint32_t i = candidate.neuron;
        if (frame_.stands(i)) return;
        if (frame_.above(i, m)) {
            fire(i, t, candidate.rest_fs);
        } else if (watches()) {
            const Instant crossing = frame_.crossing(i, m, t, until_);
            if (crossing.tick.femtoseconds() <= t)
                fire(i, t, candidate.rest_fs);
            else
                watch(i, crossing, t);
        }
    }

    void fire(std::uint32_t i, std::int64_t t, float rest_fs) {
        send(t, i);
        const std::int64_t t_ref = frame_.refractory(i);
        if (t_ref > 0) {
            frame_.stand(i);
            ++standing_;
            if (t_ref < INT64_MAX - t) own_.push({t + t_ref, i, Own::release, rest_fs});
        } else {
            const Moment m = frame_.at(t, rest_fs);
            frame_.release(i, m);
            if (watches()) watch(i, frame_.crossing(i, m, t, until_), t + 1);
        }
    }

    /// Crossings between arrivals are possible at all.
    [[nodiscard]] bool watches() const { return frame_.drives() || Frame::has_currents; }
    void watch(std::uint32_t i, const Instant& crossing, std::int64_t earliest) {
        const std::int64_t t = std::max(crossing.tick.femtoseconds(), earliest);
        if (t < until_) own_.push({t, i, Own::look, static_cast<float>(crossing.rest_fs)});
    }
    /// Pieces of time in which crossings are looked for: where the one of t ends.
    [[nodiscard]] std::int64_t end_of_watch(std::int64_t t) const {
        const std::int64_t length = frame_.watch_length();
        if (t < 0) return 0;
        return t > INT64_MAX - length ? INT64_MAX : t / length * length + length;
    }
    /// Looks for the neurons that cross within the next piece of time.
    void watch_on(std::int64_t t) {
        const bool look = frame_.may_cross_later();
        until_ = end_of_watch(t);
        frame_.watch_until(until_);
        if (!look) return;
        const Moment m = frame_.at(t);
        frame_.scan(m, [&](std::uint32_t i) {
            if (!frame_.stands(i)) watch(i, frame_.crossing(i, m, t, until_), t);
        });
    }
    /// Goes on to the piece of time in which something happens next, unless a neuron may cross before; false
    /// if nothing happens in this window any more.
    bool pass_over_silence(std::int64_t stop) {
        if (until_ == INT64_MAX || frame_.may_cross_later()) return true;
        std::int64_t t = std::min({row_time_, packed_time_, own_.next(), stop});
        for (const Trains& trains : trains_) t = std::min(t, trains.time());
        if (t >= stop) return false;
        if (t < until_) return true;
        move_frame_to(t);
        until_ = end_of_watch(t);
        frame_.watch_until(until_);
        return true;
    }
    void move_frame_to(std::int64_t t) {
        if (t < frame_.clock().end()) return;
        while (t >= frame_.clock().end()) frame_.advance_frame();
        if (until_ != INT64_MAX) frame_.watch_until(until_);
    }

    /// Arrivals up to the next thing that neurons do by themselves: the same as compute, without its detours.
    void run_arrivals(std::int64_t stop) {
        for (;;) {
            const std::int64_t limit = std::min({own_.next(), until_, stop});
            if (run_packed(std::min(limit, row_time_)) || run_rows(std::min(limit, packed_time_))) continue;
            const std::int64_t t = row_time_;
            if (std::min(t, packed_time_) >= limit) return;
            if (t != packed_time_) continue;
            move_frame_to(t);
            refresh_batch();
            const Moment m = frame_.moment(batch_, row_ - batch_begin_);
            candidates_.clear();
            deliver_all_of(t, m);
            test_all(t, m);
        }
    }
    /// Rows before `limit`. Returns early, and true, where neurons had to be tested.
    bool run_rows(std::int64_t limit) {
        const auto hot = [&](std::uint32_t i) { candidates_.emplace_back(i, 0.0F); };
        candidates_.clear();
        while (row_time_ < limit) {
            move_frame_to(row_time_);
            refresh_batch();
            const std::int64_t stop = std::min(limit, frame_.clock().end());
            while (row_ < batch_end_ && arrivals_[row_].when < stop) {
                const Arrival& arrival = arrivals_[row_];
                const Moment m = frame_.moment(batch_, row_ - batch_begin_);
                if (!vanishes_everywhere()) prefetch(row_ + prefetched);
                go_to_row(row_ + 1);
                deliver(arrival, m, hot);
                if (candidates_.empty() || row_time_ == arrival.when) continue;
                test_all(arrival.when, m);
                return true;
            }
        }
        return false;
    }
    /// Packed arrivals before `limit`. Returns early, and true, where neurons had to be tested.
    bool run_packed(std::int64_t limit) {
        while (packed_time_ < limit) {
            move_frame_to(packed_time_);
            refresh_packed();
            const std::int64_t stop = std::min(limit, frame_.clock().end());
            const PackedArrival* const arrivals = packed_.data() + packed_begin_;
            const std::size_t first = packed_next_ - packed_begin_;
            const std::size_t end = packed_end_ - packed_begin_;
            std::size_t k = first;
            bool hot = false;
            for (; k < end && packed_times_[k] < stop && !hot; ++k) {
                hot = frame_.add(arrivals[k].target(), shared_weights_[arrivals[k].route()], packed_factors_,
                                 k);
            }
            synaptic_events_ += k - first;
            packed_next_ = packed_begin_ + k;
            if (hot) {
                const std::int64_t t = packed_times_[k - 1];
                const Moment m = frame_.moment(packed_factors_, k - 1);
                candidates_.assign(1, Candidate(arrivals[k - 1].target(), 0.0F));
                load_packed();
                deliver_all_of(t, m);
                test_all(t, m);
                return true;
            }
            load_packed();
        }
        return false;
    }
    /// What arrives at instant t, in the order of routes; neurons that may reach the threshold become
    /// candidates.
    void deliver_all_of(std::int64_t t, const Moment& m) {
        const auto hot = [&](std::uint32_t i) { candidates_.emplace_back(i, 0.0F); };
        for (;;) {
            const bool row = row_time_ == t;
            const bool packed = packed_time_ == t;
            if (row && !(packed && packed_[packed_next_].route() < arrivals_[row_].route())) {
                if (!vanishes_everywhere()) prefetch(row_ + prefetched);
                const Arrival& arrival = arrivals_[row_];
                go_to_row(row_ + 1);
                deliver(arrival, m, hot);
            } else if (packed) {
                const PackedArrival arrival = packed_[packed_next_++];
                const std::uint32_t target = arrival.target();
                frame_.deliver(&target, 1, shared_weights_[arrival.route()], m, hot);
                ++synaptic_events_;
                load_packed();
            } else {
                return;
            }
        }
    }

    /// All neurons are refractory, and what arrives leaves no trace.
    [[nodiscard]] bool vanishes_everywhere() const {
        return !Frame::has_currents && standing_ == frame_.size();
    }

    void go_to_row(std::size_t k) {
        row_ = k;
        row_time_ = k < arrivals_.size() ? arrivals_[k].when : INT64_MAX;
    }
    /// The time of the next packed arrival, and of others after it, if those at hand are used up.
    void load_packed() {
        if (packed_next_ == packed_.size()) {
            packed_time_ = INT64_MAX;
            return;
        }
        if (packed_next_ == packed_end_) {
            while (stretches_[stretch_].end <= packed_next_) ++stretch_;
            packed_begin_ = packed_next_;
            packed_end_ = std::min(packed_begin_ + batch_size, stretches_[stretch_].end);
            for (std::size_t k = packed_begin_; k < packed_end_; ++k) {
                packed_times_[k - packed_begin_] = packed_[k].time(stretches_[stretch_].begins);
            }
            packed_origin_ = -1;
        }
        packed_time_ = packed_times_[packed_next_ - packed_begin_];
    }
    /// Factors of many arrivals at once.
    void refresh_packed() {
        if (packed_origin_ == frame_.clock().origin()) return;
        packed_origin_ = frame_.clock().origin();
        packed_factors_.of(frame_, packed_times_, packed_end_ - packed_begin_, 0);
    }
    void refresh_batch() {
        if (row_ < batch_end_ && batch_origin_ == frame_.clock().origin()) return;
        batch_begin_ = row_;
        batch_end_ = std::min(row_ + batch_size, arrivals_.size());
        batch_origin_ = frame_.clock().origin();
        for (std::size_t i = batch_begin_; i < batch_end_; ++i)
            batch_times_[i - batch_begin_] = arrivals_[i].when;
        batch_.of(frame_, batch_times_, batch_end_ - batch_begin_, 0);
    }

    /// Of synapses that have one weight; 0 where there is none.
    [[nodiscard]] static double shared_weight(const Incoming& incoming) {
        const auto* table = std::get_if<SynapseTable>(&incoming.synapses);
        return table && table->has_one_weight() ? table->visit_weights([](auto weights) {
            if constexpr (std::is_pointer_v<decltype(weights)>)
                return 0.0;
            else
                return weights;
        })
                                                : 0.0;
    }
    [[nodiscard]] double weight_of(const Arrival& arrival) const {
        if (arrival.route() == from_trains) return trains_[arrival.begin].weight;
        if (const double shared = shared_weights_[arrival.route()]; shared != 0.0) return shared;
        return std::get<SynapseTable>(plan_.incoming[arrival.route()].synapses)
            .visit_weights([&](auto weights) {
                if constexpr (std::is_pointer_v<decltype(weights)>)
                    return static_cast<double>(weights[arrival.begin]);
                else
                    return weights;
            });
    }

    template <class Hot>
    [[gnu::always_inline]] void deliver(const Arrival& arrival, const Moment& m, Hot&& hot) {
        if (arrival.is_single()) {
            const std::uint32_t i = arrival.target();
            frame_.deliver(&i, 1, weight_of(arrival), m, hot);
            ++synaptic_events_;
            return;
        }
        const auto& synapses = plan_.incoming[arrival.route()].synapses;
        if (const auto* table = std::get_if<SynapseTable>(&synapses)) {
            const std::size_t n = arrival.count;
            table->visit_weights([&](auto weights) __attribute__((always_inline)) {
                if constexpr (std::is_pointer_v<decltype(weights)>) weights += arrival.begin;
                frame_.deliver(table->targets() + arrival.begin, n, weights, m, hot);
            });
            synaptic_events_ += n;
        } else if (RowDraw* const row = draws_[arrival.route()].get()) {
            const RowDraw::Segment drawn = row->segment(arrival.begin);
            drawn.visit_weights([&](auto weights) {
                frame_.deliver(drawn.targets.data(), drawn.targets.size(), weights, m, hot);
            });
            synaptic_events_ += drawn.targets.size();
        } else {
            const auto& rows = std::get<DenseRows>(synapses);
            synaptic_events_ += rows.range.size();
            if (vanishes_everywhere()) return;
            const auto before = static_cast<std::ptrdiff_t>(candidates_.size());
            rows.weights.visit([&](auto weights) {
                frame_.deliver_row(rows.first, rows.range.size(), weights.data() + rows.place(arrival.begin),
                                   m, hot);
            });
            if (candidates_.end() - candidates_.begin() > before + 1) {
                std::sort(candidates_.begin() + before, candidates_.end(),
                          [](const Candidate& a, const Candidate& b) { return a.neuron < b.neuron; });
            }
        }
    }

    /// Trains with few events between the arrivals are better treated as arrivals: true if they all are.
    [[gnu::noinline]] bool add_trains_to_arrivals(std::int64_t stop) {
        double rate = 0.0;
        for (const Trains& trains : trains_) rate += trains.group.rate();
        const double window = static_cast<double>(stop - now_) / femtoseconds_per_second;
        const std::size_t arrivals = along_axons_.size() + arrivals_.size() + packed_.size();
        const double passes = static_cast<double>(arrivals + 1) * static_cast<double>(trains_.size());
        now_ = stop;
        if (passes_of_an_arrival * rate * window > passes) return false;
        for (std::uint32_t g = 0; g < trains_.size(); ++g) {
            Trains& trains = trains_[g];
            for (; trains.time() < stop; trains.group.advance()) {
                const auto target = static_cast<std::uint16_t>(trains.first + trains.group.neuron());
                arrivals_.push_back({trains.time(), g, from_trains | Arrival::single, target});
            }
        }
        return true;
    }

    /// Everything that the trains bring before t: between two instants at which something else happens, each
    /// group goes on by itself. Returns t, or an earlier time at which something happens because of it.
    [[gnu::noinline]] std::int64_t run_trains(std::int64_t t) {
        t = std::min(t, frame_.clock().end());
        for (Trains& trains : trains_) {
            while (trains.time() < t) {
                refresh_factors(trains);
                const auto& times = trains.group.times();
                const auto& neurons = trains.group.neurons();
                const std::int64_t stop = t - trains.delay;
                std::size_t k = trains.group.position();
                bool hot = false;
                const std::size_t first = k;
                while (k < PoissonGroup::chunk && times[k] < stop && !hot) {
                    hot = frame_.add(trains.first + neurons[k], trains.weight, trains.factors, k);
                    ++k;
                }
                synaptic_events_ += k - first;
                if (hot) {
                    const std::int64_t now = times[k - 1] + trains.delay;
                    const std::uint16_t neuron = neurons[k - 1];
                    trains.group.go_to(k);
                    t = std::min(t, reach(trains, neuron, now));
                } else {
                    trains.group.go_to(k);
                }
            }
        }
        return t;
    }
    /// A neuron may have reached the threshold by an event of its train. Returns when it acts next by itself.
    std::int64_t reach(Trains& trains, std::uint16_t neuron, std::int64_t now) {
        const std::uint32_t i = trains.first + neuron;
        const Moment m = frame_.at(now);
        for (; trains.time() == now && trains.group.neuron() == neuron; trains.group.advance()) {
            const auto target = static_cast<std::uint16_t>(i);
            frame_.deliver(&target, 1, trains.weight, m, [](std::uint32_t) {});
            ++synaptic_events_;
        }
        test({i, 0.0F}, now, m);
        return own_.next();
    }
    void refresh_factors(Trains& trains) {
        if (trains.origin == frame_.clock().origin() && trains.factors_of == trains.group.chunks()) return;
        trains.origin = frame_.clock().origin();
        trains.factors_of = trains.group.chunks();
        trains.factors.of(frame_, trains.group.times(), PoissonGroup::chunk, trains.delay);
    }

    static constexpr std::uint16_t from_trains = Arrival::most_routes;
    static constexpr std::size_t batch_size = 256;
    static constexpr std::size_t prefetched = 32;        // arrivals ahead
    static constexpr double passes_of_an_arrival = 8.0;  // over trains, in the time that one arrival takes

    Frame frame_;
    RadixHeap<Own> own_;
    std::int64_t until_ = INT64_MAX;  // crossings are known up to here
    std::int64_t now_ = 0;
    std::uint32_t standing_ = 0;  // neurons
    std::vector<Trains> trains_;
    std::vector<Candidate> candidates_;
    std::vector<double> shared_weights_;  // of each route

    std::size_t row_ = 0;  // the next of arrivals_
    std::int64_t row_time_ = INT64_MAX;
    std::size_t packed_next_ = 0;  // the next of packed_
    std::int64_t packed_time_ = INT64_MAX;
    std::size_t packed_begin_ = 0;  // those whose times are at hand
    std::size_t packed_end_ = 0;
    std::size_t stretch_ = 0;
    std::int64_t packed_origin_ = -1;  // of the frame that the factors are for
    std::array<std::int64_t, batch_size> packed_times_;
    typename Frame::template Factors<batch_size> packed_factors_;

    std::size_t batch_begin_ = 0;
    std::size_t batch_end_ = 0;
    std::int64_t batch_origin_ = 0;
    std::array<std::int64_t, batch_size> batch_times_;
    typename Frame::template Factors<batch_size> batch_;
};

}  // namespace saltus
