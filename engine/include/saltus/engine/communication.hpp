// How the ranks of a distributed run talk, as a value: one process, MPI, or one rank that pretends to be one
// of many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "saltus/engine/spike_train.hpp"

namespace saltus {

class Network;

/// A spike between ranks. Populations are counted in the order of their names.
struct Spike {
    Time time;
    std::uint32_t population = 0;
    NeuronIndex neuron = 0;

    friend bool operator==(const Spike&, const Spike&) = default;
    friend bool operator<(const Spike& a, const Spike& b) {
        if (a.time != b.time) return a.time < b.time;
        return a.population != b.population ? a.population < b.population : a.neuron < b.neuron;
    }
};

/// The ranks that one rank exchanges spikes with.
struct Peers {
    std::vector<std::uint32_t> receivers;
    std::vector<std::uint32_t> senders;
};

class Communication {
  public:
    virtual ~Communication() = default;

    [[nodiscard]] virtual std::uint32_t rank() const = 0;
    [[nodiscard]] virtual std::uint32_t size() const = 0;
    /// Appends the spikes of every rank to `all`, in any order. Every rank calls it as often as the others.
    virtual void exchange(std::span<const Spike> mine, std::vector<Spike>& all) = 0;
    /// Sends spikes[k] to rank peers.receivers[k], and appends what the senders have for this rank to
    /// `received`, in any order. Every rank calls it as often as the others; a receiver has its sender among
    /// peers.senders.
    virtual void exchange(const Peers& peers, std::span<const std::vector<Spike>> spikes,
                          std::vector<Spike>& received) = 0;
    /// Gives bytes[r] to each rank r; returns what each has given. Every rank calls it as often as the
    /// others.
    [[nodiscard]] virtual std::vector<std::vector<std::byte>> swap(
        std::vector<std::vector<std::byte>> bytes) = 0;
    /// The smallest value of all ranks. Every rank calls it as often as the others.
    [[nodiscard]] virtual std::int64_t smallest(std::int64_t mine) = 0;
    /// The sum over all ranks. Every rank calls it as often as the others.
    [[nodiscard]] virtual std::uint64_t sum(std::uint64_t mine) = 0;
    /// The bytes of every rank, on rank 0; nothing on the others. Every rank calls it as often as the others.
    [[nodiscard]] virtual std::vector<std::vector<std::byte>> gather(std::span<const std::byte> mine) = 0;
};

/// One process that does everything.
[[nodiscard]] std::shared_ptr<Communication> local_communication();

/// The ranks that mpirun started; initialises MPI if nobody has. A rank that leaves by an exception takes the
/// others with it. Throws LimitError where this build is without MPI.
[[nodiscard]] std::shared_ptr<Communication> mpi_communication();

/// Rank 0 of `ranks` pretended ones: it holds and computes its own part of the network, and believes that
/// every other rank is like itself: has the same spikes, each a little later and from neurons of its own, and
/// wants of this one's what this one wants of its. What a rank of a large machine would hold, compute and
/// receive can so be measured on one.
class DryRunCommunication final : public Communication {
  public:
    /// Throws UsageError for no ranks.
    DryRunCommunication(std::uint32_t ranks, const Network& network);

    [[nodiscard]] std::uint32_t rank() const override { return 0; }
    [[nodiscard]] std::uint32_t size() const override { return ranks_; }
    void exchange(std::span<const Spike> mine, std::vector<Spike>& all) override;
    void exchange(const Peers& peers, std::span<const std::vector<Spike>> spikes,
                  std::vector<Spike>& received) override;
    [[nodiscard]] std::vector<std::vector<std::byte>> swap(
        std::vector<std::vector<std::byte>> bytes) override;
    [[nodiscard]] std::int64_t smallest(std::int64_t mine) override { return mine; }
    [[nodiscard]] std::uint64_t sum(std::uint64_t mine) override { return mine; }
    [[nodiscard]] std::vector<std::vector<std::byte>> gather(std::span<const std::byte> mine) override;

    /// What has been exchanged so far.
    struct Traffic {
        std::uint64_t exchanges = 0;
        std::uint64_t sent = 0;      // spikes of this rank, once for each rank that they are sent to
        std::uint64_t received = 0;  // spikes of other ranks
        std::uint64_t messages = 0;  // sent to single ranks
    };
    [[nodiscard]] const Traffic& traffic() const { return traffic_; }

  private:
    /// Appends the spikes of `rank` that are like `mine`.
    void append_like(std::uint32_t rank, std::span<const Spike> mine, std::vector<Spike>& all) const;

    std::uint32_t ranks_;
    std::vector<std::uint32_t> sizes_;  // of the populations, in the order of their names
    std::uint64_t spread_fs_ = 0;       // spikes of other ranks are later by less than this
    Traffic traffic_;
};

}  // namespace saltus
