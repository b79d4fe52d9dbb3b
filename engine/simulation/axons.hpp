// Spikes on their way along axons: where the synapses of one source and delay are many, what a spike brings
// are segments of a table, one for each delay, and these are the same for every block that has such tables
// for the same sources and delays. So they are found and put in order once for all of these blocks, whatever
// threads these belong to.
//
// A delay shifts the train of a population and does not change its order. The train is kept as long as its
// spikes travel, and each (route, delay) has a cursor in it: what arrives in a window is the part of the
// train between two places of each cursor, to be sorted by time. A window is cut into slices, which threads
// put in order independently; a block then goes from slice to slice.
//   accept     spikes that were sent join the trains
//   open       a window, to be cut into slices
//   put_in_order(k)   for each slice, on any thread
//   close      the cursors move on to the end of the window
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "arrival.hpp"
#include "block.hpp"
#include "saltus/engine/communication.hpp"

namespace saltus {

class Axons {
  public:
    explicit Axons(const BlockPlan& plan);

    /// Its arrivals are those of a block of this plan too.
    [[nodiscard]] bool serve(const BlockPlan& plan) const { return Axons(plan).strands_ == strands_; }
    [[nodiscard]] bool empty() const { return strands_.empty(); }

    /// Spikes, of each population all that were sent in a window, windows in order.
    void accept(std::span<const Spike> spikes);
    /// The same for spikes of before `t`, all of whose arrivals before `t` are done with.
    void accept_from(std::span<const Spike> spikes, std::int64_t t);
    /// The first arrival that is not done with, INT64_MAX if there is none.
    [[nodiscard]] std::int64_t next() const;

    void open(std::int64_t start, std::int64_t stop, std::uint32_t slices);
    [[nodiscard]] std::uint32_t slices() const { return static_cast<std::uint32_t>(slices_.size()); }
    void put_in_order(std::uint32_t slice);
    /// Where a slice ends.
    [[nodiscard]] std::int64_t stop_of(std::uint32_t slice) const { return slices_[slice].stop; }
    [[nodiscard]] std::span<const Arrival> arrivals(std::uint32_t slice) const {
        return slices_[slice].arrivals;
    }
    void close();

  private:
    struct Sent {
        std::int64_t time;
        NeuronIndex neuron;
    };
    /// One delay of one route: brings segment neuron * delays + number of the table.
    struct Strand {
        std::uint32_t population;  // by order
        std::uint16_t route;
        std::uint32_t delays;
        std::uint32_t number;
        std::int64_t delay;

        friend bool operator==(const Strand&, const Strand&) = default;
    };
    struct alignas(64) Slice {  // a cache line that one thread writes
        std::int64_t start = 0;
        std::int64_t stop = 0;
        std::vector<Arrival> arrivals;
        std::vector<Arrival> scratch;
    };
    struct Train {
        std::vector<Sent> sent;  // in order of time
        bool travels = false;    // along any strand
        std::size_t done = 0;    // so many have arrived everywhere
    };
    /// The first spike from number `from` on that arrives at t or later.
    [[nodiscard]] std::size_t first_at(const Strand& strand, std::size_t from, std::int64_t t) const;

    std::vector<Strand> strands_;
    std::vector<std::size_t> next_;     // spike of each strand that has not arrived
    std::vector<std::size_t> reached_;  // at the end of the window
    std::vector<Train> trains_;         // of each population
    std::vector<Slice> slices_;
};

}  // namespace saltus
