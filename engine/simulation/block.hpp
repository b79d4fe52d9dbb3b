// A block: neurons of one population that one thread looks after. All schedules advance blocks, and only
// blocks: a block takes the spikes that reach it, goes from event to event up to the end of a window, and
// leaves its spikes. What it does depends on the spikes alone, not on windows, threads or ranks.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "../events/window_ring.hpp"
#include "poisson.hpp"
#include "procedural.hpp"
#include "route.hpp"
#include "saltus/engine/communication.hpp"
#include "saltus/engine/network.hpp"
#include "saltus/engine/snapshot.hpp"
#include "synapses.hpp"

namespace saltus {

/// Rows of a dense matrix: every neuron of the block has its weight in the row of each source.
struct DenseRows {
    Weights weights;
    std::uint32_t row_length = 0;
    std::uint32_t first = 0;  // column of the block's first neuron
    std::int64_t delay_fs = 0;

    /// Of the weight from `source` to the block's first neuron.
    [[nodiscard]] std::size_t place(NeuronIndex source) const {
        return std::size_t{source} * row_length + first;
    }
};

/// One Poisson train for each neuron of the block: drawn where it arrives, no spike is ever sent.
struct OwnTrains {
    neurons::PoissonSource source;
    std::uint32_t size = 0;  // of the source population
    double weight = 1.0;
    std::int64_t delay_fs = 0;
};

/// A projection as a block sees it: its part of the synapses.
struct Incoming {
    std::variant<SynapseTable, DenseRows, ProceduralRows, std::shared_ptr<const Route>, OwnTrains> synapses;
};

/// What is fixed before a run.
struct BlockPlan {
    std::uint32_t population = 0;  // index in the network
    std::uint32_t order = 0;       // and in the order of names, as spikes carry it
    NeuronRange range;
    std::int64_t window_fs = 1;  // length of windows at most
    std::int64_t longest_delay_fs = 0;
    bool in_frame = false;                         // the whole population can be kept in moving frames
    std::vector<Incoming> incoming;                // in the order in which coincident arrivals are added
    std::vector<std::vector<std::uint32_t>> from;  // of each population, by order: its entries in `incoming`
};

/// Something that a block has to deliver: synapses [begin, begin + count) of a table, segment `begin` of rows
/// that are drawn, or what a spike of neuron `begin` brings through another kind of route. For a single
/// synapse its target stands here, so that the row need not be looked up again.
struct Arrival {
    static constexpr std::uint16_t single = 1u << 15;  // of route
    static constexpr std::uint16_t most_routes = single - 1;

    std::int64_t when;
    std::uint32_t begin;
    std::uint16_t route_and_single;
    std::uint16_t count;  // or the target

    void put_at(std::int64_t, std::int64_t) {}
    [[nodiscard]] std::int64_t time(std::int64_t) const { return when; }
    [[nodiscard]] bool is_single() const { return (route_and_single & single) != 0; }
    [[nodiscard]] std::uint16_t route() const { return route_and_single & (single - 1); }
    [[nodiscard]] std::uint16_t target() const { return count; }

    /// By time, and at one instant by route and synapse: rows stand in the order of their sources.
    friend bool operator<(const Arrival& a, const Arrival& b) {
        if (a.when != b.when) return a.when < b.when;
        const std::uint16_t route_a = a.route();
        const std::uint16_t route_b = b.route();
        return route_a != route_b ? route_a < route_b : a.begin < b.begin;
    }
};

/// One synapse of a table whose synapses share their weight, in one word: the time since the bucket's
/// beginning, the route, the target. Words are in the order of time; which of several equal weights is added
/// first does not matter.
struct PackedArrival {
    static constexpr int time_bits = 38;
    static constexpr std::uint16_t most_routes = 1u << (64 - time_bits - 16);

    std::uint64_t word;

    PackedArrival(std::uint16_t route, std::uint16_t target) : word(std::uint64_t{route} << 16 | target) {}
    void put_at(std::int64_t t, std::int64_t begin) {
        word |= static_cast<std::uint64_t>(t - begin) << (64 - time_bits);
    }
    [[nodiscard]] std::int64_t time(std::int64_t begin) const {
        return begin + static_cast<std::int64_t>(word >> (64 - time_bits));
    }
    [[nodiscard]] std::uint16_t route() const {
        return static_cast<std::uint16_t>(word >> 16) & (most_routes - 1);
    }
    [[nodiscard]] std::uint16_t target() const { return static_cast<std::uint16_t>(word); }

    friend bool operator<(PackedArrival a, PackedArrival b) { return a.word < b.word; }
};

class Block {
  public:
    /// `packs`: single synapses of equal weights come in packed_, as far as they fit there.
    explicit Block(const BlockPlan& plan, bool packs = false);
    virtual ~Block() = default;
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    [[nodiscard]] const BlockPlan& plan() const { return plan_; }

    /// A window begins: nothing happens here before `start`.
    void open(std::int64_t start) {
        queue_.open(start);
        packed_queue_.open(start);
    }
    /// Spikes of any population, in any order, that were sent in a window before.
    void accept(std::span<const Spike> spikes);
    /// The same for spikes of before `t`, all of whose arrivals before `t` are done with.
    void accept_from(std::span<const Spike> spikes, std::int64_t t);
    /// Before this nothing happens here unless spikes arrive: femtoseconds.
    [[nodiscard]] virtual std::int64_t next() const = 0;
    /// Everything that happens before `stop`. Every spike that arrives before must have been accepted.
    virtual void advance(std::int64_t stop) = 0;

    /// Spikes of the last advance.
    [[nodiscard]] const std::vector<Spike>& spikes() const { return spikes_; }
    [[nodiscard]] std::uint64_t synaptic_events() const { return synaptic_events_; }
    /// Appends the potential of each neuron at t, nothing for sources; t is not before the last `stop`.
    virtual void append_potentials(std::int64_t t, std::vector<double>& values) const = 0;

    /// Writes the state at t, the last `stop`, into the columns of the whole population, which have its size.
    virtual void save(std::int64_t t, PopulationSnapshot& snapshot) const = 0;
    /// Goes on from there, in place of the start of a run.
    virtual void restore(std::int64_t t, const PopulationSnapshot& snapshot) = 0;

  protected:
    void send(std::int64_t t, NeuronIndex neuron) {
        spikes_.push_back({Time(Duration(t)), plan_.order, plan_.range.begin + neuron});
    }
    /// Nothing arrives before.
    [[nodiscard]] std::int64_t next_arrival() const { return std::min(queue_.next(), packed_queue_.next()); }
    /// Takes the arrivals before `stop` into arrivals_ and packed_; these are in order.
    void collect(std::int64_t stop);
    void sort_arrivals();
    /// Asks for the synapses of a later arrival: rows are read in the order of time, which no cache foresees.
    void prefetch(std::size_t k) const {
        if (k >= arrivals_.size()) return;
        const Arrival& arrival = arrivals_[k];
        if (arrival.is_single()) return;
        if (!targets_[arrival.route()]) return prefetch_dense(arrival);
        __builtin_prefetch(targets_[arrival.route()] + arrival.begin);
        __builtin_prefetch(targets_[arrival.route()] + arrival.begin + arrival.count - 1);
    }

    /// Packed arrivals of one bucket: they end before number `end` of packed_.
    struct Stretch {
        std::int64_t begins;
        std::size_t end;
    };

    const BlockPlan& plan_;
    std::vector<std::unique_ptr<RowDraw>> draws_;  // of each route whose synapses are drawn
    std::vector<Arrival> arrivals_;
    std::vector<PackedArrival> packed_;
    std::vector<Stretch> stretches_;
    std::vector<Spike> spikes_;
    std::uint64_t synaptic_events_ = 0;

  private:
    void prefetch_dense(const Arrival& arrival) const;
    /// The bounds of its rows, or the rows.
    void prefetch_rows(const Spike& spike, bool whole) const;

    WindowRing<Arrival> queue_;
    WindowRing<PackedArrival> packed_queue_;
    std::vector<const SynapseTable::Target*> targets_;  // of each route that is a table
    std::vector<bool> packs_;                           // of each route
    std::vector<Arrival> scratch_;
    std::vector<PackedArrival> packed_scratch_;
};

/// The block that suits the plan's population; `signal` is the constant signal of each of its neurons or
/// empty, nothing after `end` matters.
[[nodiscard]] std::unique_ptr<Block> make_block(const Network& network, const BlockPlan& plan,
                                                std::span<const double> signal, const SpikeTrain* input,
                                                Time end);
/// Neurons of the population can be kept in a moving frame, whatever part of it.
[[nodiscard]] bool suits_frame(const Population& population, std::span<const double> signal);

}  // namespace saltus
