// Poisson trains in continuous time, drawn for groups of neighbouring neurons.
//
// The superposition of independent Poisson processes is one of the summed rate, each of whose events belongs
// to one of them with probability in proportion to its rate. So the events of a group are drawn in the order
// of time, with exponential gaps, and the neuron of each beside it. A group is a function of (seed, its
// number) alone, and is drawn in chunks, each from a generator of its own, so that a run can start at any
// chunk.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "saltus/engine/neurons/sources.hpp"
#include "saltus/engine/snapshot.hpp"

namespace saltus {

class PoissonGroup {
  public:
    static constexpr std::uint32_t neurons_per_group = 1024;
    static constexpr std::size_t chunk = 256;

    /// Neurons [number * neurons_per_group, ...) of a population of `size`.
    PoissonGroup(const neurons::PoissonSource& source, std::uint32_t size, std::uint32_t number);

    /// Events per second of the whole group.
    [[nodiscard]] double rate() const { return rate_; }
    /// Time of the next event in femtoseconds, INT64_MAX if there is none.
    [[nodiscard]] std::int64_t time() const { return times_[next_]; }
    /// Its neuron, counted from the group's first.
    [[nodiscard]] std::uint16_t neuron() const { return neurons_[next_]; }
    void advance() {
        if (++next_ == chunk) draw();
    }

    [[nodiscard]] TrainPosition where() const {
        return {static_cast<std::int64_t>(chunks_) - 1, base_, static_cast<std::int64_t>(next_)};
    }
    void go_to(const TrainPosition& where) {
        chunks_ = static_cast<std::uint64_t>(where.chunk);
        last_ = where.base;
        draw();
        next_ = static_cast<std::size_t>(where.position);
    }

    /// Number of the chunk that holds the next event.
    [[nodiscard]] std::uint64_t chunks() const { return chunks_; }
    /// Its place in the chunk, and the whole chunk.
    [[nodiscard]] std::size_t position() const { return next_; }
    [[nodiscard]] const std::array<std::int64_t, chunk>& times() const { return times_; }
    [[nodiscard]] const std::array<std::uint16_t, chunk>& neurons() const { return neurons_; }
    /// Goes on with event `position` of the chunk; chunk: with the next chunk.
    void go_to(std::size_t position) {
        next_ = position;
        if (next_ == chunk) draw();
    }

  private:
    /// The next chunk.
    void draw();
    [[nodiscard]] std::uint16_t neuron_of(std::uint64_t bits) const;

    std::uint64_t seed_;
    std::uint32_t number_;
    std::uint32_t size_;
    double rate_;
    std::vector<double> share_;         // alias table: probability of the own index; empty: equal rates
    std::vector<std::uint16_t> alias_;  // and the other index
    std::int64_t stop_;
    std::uint64_t chunks_ = 0;  // drawn so far
    std::int64_t base_ = 0;     // time of the last event before the chunk
    std::int64_t last_;         // time of the last event drawn
    std::size_t next_ = 0;
    std::array<std::int64_t, chunk> times_;
    std::array<std::uint16_t, chunk> neurons_;
};

}  // namespace saltus
