// A block: neurons that one thread looks after, of one population or of several that are alike. All schedules
// advance blocks, and only blocks: a block takes the spikes that reach it, goes from event to event up to the
// end of a window, and leaves its spikes. What it does depends on the spikes alone, not on windows, threads
// or ranks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "../events/window_ring.hpp"
#include "arrival.hpp"
#include "piece.hpp"
#include "poisson.hpp"
#include "procedural.hpp"
#include "route.hpp"
#include "saltus/engine/communication.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/network.hpp"
#include "saltus/engine/snapshot.hpp"
#include "synapses.hpp"

namespace saltus {

/// Rows of a dense matrix: every neuron of a piece has its weight in the row of each source.
struct DenseRows {
    Weights weights;
    std::uint32_t row_length = 0;
    NeuronRange range;  // of the piece, in columns
    std::uint32_t first = 0;
    std::int64_t delay_fs = 0;

    /// Of the weight from `source` to the first neuron of the piece.
    [[nodiscard]] std::size_t place(NeuronIndex source) const {
        return std::size_t{source} * row_length + range.begin;
    }
};

/// One Poisson train for each neuron of a piece: drawn where it arrives, no spike is ever sent.
struct OwnTrains {
    neurons::PoissonSource source;
    std::uint32_t size = 0;  // of the source population
    NeuronRange range;       // of the piece
    std::uint32_t first = 0;
    std::uint32_t number = 0;  // of the projection among those of such trains
    double weight = 1.0;
    std::int64_t delay_fs = 0;
};

/// What a block receives from one population along one projection, or along several that lead to its pieces:
/// its part of the synapses.
struct Incoming {
    std::variant<SynapseTable, DenseRows, ProceduralRows, std::shared_ptr<const Route>, OwnTrains> synapses;
};

/// What is fixed before a run.
struct BlockPlan {
    std::vector<Piece> pieces;   // one after the other
    std::int64_t window_fs = 1;  // length of windows at most
    std::int64_t longest_delay_fs = 0;
    bool in_frame = false;                         // all its neurons can be kept in one moving frame
    std::vector<Incoming> incoming;                // in the order in which coincident arrivals are added
    std::vector<std::vector<std::uint32_t>> from;  // of each population, by order: its entries in `incoming`

    [[nodiscard]] std::uint32_t size() const { return pieces.back().first + pieces.back().range.size(); }
};

class Block {
  public:
    /// `packs`: single synapses of equal weights come in packed_, as far as they fit there.
    explicit Block(const BlockPlan& plan, bool packs = false);
    virtual ~Block() = default;
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    [[nodiscard]] const BlockPlan& plan() const { return plan_; }

    /// Spikes may bring something other than along axons.
    [[nodiscard]] bool queues() const { return queues_; }
    /// Spikes of any population, in any order, that were sent since `start`, before which nothing happens
    /// here any more: what they bring other than along axons (axons.hpp) is queued. Returns the first arrival
    /// of all that are queued.
    std::int64_t accept(std::span<const Spike> spikes, std::int64_t start) {
        put_in_queues(spikes, start, INT64_MIN);
        return next_arrival();
    }
    /// The same for spikes of before `t`, all of whose arrivals before `t` are done with.
    void accept_from(std::span<const Spike> spikes, std::int64_t t) { put_in_queues(spikes, t, t); }
    /// Before this nothing happens here unless spikes arrive, or arrivals come along axons: femtoseconds.
    [[nodiscard]] virtual std::int64_t next() const = 0;
    /// Everything that happens before `stop`. Every spike that arrives before must have been accepted;
    /// `along_axons` are the arrivals there since the last `stop`, in order.
    virtual void advance(std::int64_t stop, std::span<const Arrival> along_axons) = 0;
    /// Where each advance appends its spikes.
    void send_to(std::vector<Spike>& spikes) { sent_ = &spikes; }

    [[nodiscard]] std::uint64_t synaptic_events() const { return synaptic_events_; }
    /// Writes the potential of each neuron of a piece at t, which is not before the last `stop`, to its place
    /// among those of its population; not for sources.
    virtual void put_potentials(std::int64_t t, const Piece& piece, std::span<double> population) const = 0;

    /// Writes the state at t, the last `stop`, into the columns of the populations of the network, which have
    /// their sizes.
    virtual void save(std::int64_t t, std::vector<PopulationSnapshot>& populations) const = 0;
    /// Goes on from there, in place of the start of a run. Throws SnapshotError where a part is missing.
    virtual void restore(std::int64_t t, const std::vector<PopulationSnapshot>& populations) = 0;

  protected:
    [[gnu::always_inline]] void send(std::int64_t t, std::uint32_t neuron) {
        const Piece& piece = piece_of(neuron);
        Spike& spike = sent_->emplace_back();
        spike.time = Time(Duration(t));
        spike.population = piece.order;
        spike.neuron = piece.range.begin + (neuron - piece.first);
    }
    [[nodiscard]] const Piece& piece_of(std::uint32_t neuron) const {
        return plan_.pieces.size() == 1 ? plan_.pieces.front() : piece_among_several(neuron);
    }
    [[nodiscard, gnu::noinline]] const Piece& piece_among_several(std::uint32_t neuron) const {
        const auto later = std::upper_bound(plan_.pieces.begin() + 1, plan_.pieces.end(), neuron,
                                            [](std::uint32_t i, const Piece& p) { return i < p.first; });
        return *(later - 1);
    }
    /// f(piece, its part of a snapshot) for each piece. Throws SnapshotError where f does not find what it
    /// looks for.
    template <class F>
    void each_saved(const std::vector<PopulationSnapshot>& populations, F&& f) const {
        for (const Piece& piece : plan_.pieces) {
            try {
                f(piece, populations[piece.population]);
            } catch (const std::out_of_range&) {
                throw SnapshotError("snapshot: population " + quoted(piece.name) +
                                    ": a part of its state is missing.");
            }
        }
    }
    /// Nothing arrives before.
    [[nodiscard]] std::int64_t next_arrival() const { return std::min(queue_.next(), packed_queue_.next()); }
    /// Takes the arrivals before `stop` out of the queues into arrivals_ and packed_, which is in order, and
    /// those of `along_axons` that find synapses here into along_axons_.
    void collect(std::int64_t stop, std::span<const Arrival> along_axons);
    /// Puts arrivals_ in order, together with along_axons_.
    void sort_arrivals() {
        if (arrivals_.size() > 1 || !along_axons_.empty()) merge_arrivals();
    }
    /// Asks for the synapses of a later arrival: rows are read in the order of time, which no cache foresees.
    [[gnu::always_inline]] void prefetch(std::size_t k) const {
        if (k >= arrivals_.size()) return;
        const Arrival& arrival = arrivals_[k];
        if (arrival.is_single()) return;
        const SynapseTable::Target* const targets = tables_[arrival.route()].targets;
        if (!targets) return prefetch_dense(arrival);
        __builtin_prefetch(targets + arrival.begin);
        __builtin_prefetch(targets + arrival.begin + arrival.count - 1);
    }

    /// So many, in a window or in a bucket of packed ones, are done with one by one.
    static constexpr std::size_t few_arrivals = 4;
    /// Packed arrivals of one bucket: they end before number `end` of packed_.
    struct Stretch {
        Stretch(std::int64_t t, std::size_t last) : begins(t), end(last) {}

        std::int64_t begins;
        std::size_t end;
    };

    const BlockPlan& plan_;
    std::vector<std::unique_ptr<RowDraw>> draws_;  // of each route whose synapses are drawn
    std::vector<Arrival> arrivals_;
    std::vector<Arrival> along_axons_;
    std::vector<PackedArrival> packed_;
    std::vector<Stretch> stretches_;
    std::uint64_t synaptic_events_ = 0;

  private:
    /// Arrivals before `from` are left out.
    void put_in_queues(std::span<const Spike> spikes, std::int64_t start, std::int64_t from);
    void merge_arrivals();
    void prefetch_dense(const Arrival& arrival) const;
    /// The bounds of its rows, or the rows.
    void prefetch_rows(const Spike& spike, bool whole) const;

    std::vector<Spike>* sent_ = nullptr;
    WindowRing<Arrival> queue_;
    WindowRing<PackedArrival> packed_queue_;
    struct Table {
        const SynapseTable* synapses = nullptr;
        const SynapseTable::Target* targets = nullptr;
        const std::uint32_t* bounds = nullptr;  // of its segments, if they are long
        bool packs = false;
    };
    std::vector<Table> tables_;                            // of each route, if it is one
    bool queues_ = false;                                  // anything at all
    bool looks_up_rows_ = false;                           // of tables, for that
    std::vector<std::vector<std::uint32_t>> queued_from_;  // of each population: routes other than axons
    std::vector<Arrival> scratch_;
    std::vector<PackedArrival> packed_scratch_;
};

/// The block that suits the plan's populations. For each population of the network, `signals` holds the
/// constant signal of its neurons or is empty, `inputs` the spikes that it is given. Nothing after `end`
/// matters.
[[nodiscard]] std::unique_ptr<Block> make_block(const Network& network, const BlockPlan& plan,
                                                std::span<const std::vector<double>> signals,
                                                std::span<const SpikeTrain> inputs, Time end);
/// Neurons of the population can be kept in a moving frame, whatever part of it.
[[nodiscard]] bool suits_frame(const Population& population, std::span<const double> signal);
/// Two populations, each of which suits a frame, can be kept in the same.
[[nodiscard]] bool share_frame(const Population& a, std::span<const double> signal_a, const Population& b,
                               std::span<const double> signal_b);

}  // namespace saltus
