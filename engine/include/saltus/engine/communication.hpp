// How the ranks of a distributed run talk, as a value: one process, MPI, or one rank that pretends to be one
// of many.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "saltus/engine/spike_train.hpp"

namespace saltus {

/// A spike between ranks. Populations are counted in the order of their names.
struct Spike {
    Time time;
    std::uint32_t population = 0;
    NeuronIndex neuron = 0;

    friend auto operator<=>(const Spike&, const Spike&) = default;
};

class Communication {
  public:
    virtual ~Communication() = default;

    [[nodiscard]] virtual std::uint32_t rank() const = 0;
    [[nodiscard]] virtual std::uint32_t size() const = 0;
    /// Appends the spikes of every rank to `all`, in any order. Every rank calls it as often as the others.
    virtual void exchange(std::span<const Spike> mine, std::vector<Spike>& all) = 0;
    /// The smallest value of all ranks.
    [[nodiscard]] virtual std::int64_t smallest(std::int64_t mine) = 0;
};

/// One process that does everything.
[[nodiscard]] std::shared_ptr<Communication> local_communication();

}  // namespace saltus
