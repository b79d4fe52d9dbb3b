// To which ranks the spikes of a rank go: those that hold targets of the neuron.
//
// Each rank knows the sources of its synapses. While a run is prepared it tells the ranks that own them, with
// one bit for each of their neurons; from then on it receives no other spikes. A neuron keeps the list of
// ranks that want it, which is never longer than that of its targets. Where neurons are wanted by most ranks,
// one collective exchange of all spikes costs less than a message to each, and a block passes over what has
// no row there.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "saltus/engine/communication.hpp"
#include "synapses.hpp"

namespace saltus {

/// Neurons that one rank looks after. Populations are counted in the order of their names.
struct Part {
    std::uint32_t rank = 0;
    std::uint32_t population = 0;
    NeuronRange range;
};

/// A mark for each neuron of each population, in the order of their names.
using Marks = std::vector<std::vector<bool>>;

class Addresses {
  public:
    Addresses() = default;
    /// `parts` are those of all ranks, the same list on each; `wanted` are the neurons that have targets on
    /// this rank. Every rank calls it. Throws UsageError where a rank has another network.
    Addresses(Communication& communication, const std::vector<Part>& parts, const Marks& wanted);

    /// Every spike goes to all ranks: there is no list.
    [[nodiscard]] bool everywhere() const { return everywhere_; }
    [[nodiscard]] const Peers& peers() const { return peers_; }
    /// Where a spike of this rank goes: positions in peers().receivers.
    [[nodiscard]] std::span<const std::uint32_t> of(const Spike& spike) const;

  private:
    struct Own {
        NeuronRange range;
        std::size_t first = 0;  // list of its first neuron
    };
    bool everywhere_ = true;
    Peers peers_;
    std::vector<std::vector<Own>> own_;  // of each population
    std::vector<std::size_t> begins_;    // lists, one after the other
    std::vector<std::uint32_t> entries_;
};

}  // namespace saltus
