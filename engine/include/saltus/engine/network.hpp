// A network: populations of neurons (vertices) and projections between them (edges). Checked whole when it is
// built, immutable afterwards.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "saltus/engine/neurons/models.hpp"
#include "saltus/engine/projection.hpp"

namespace saltus {

struct Population {
    std::string name;  // unique in its network
    Shape shape;       // the number of neurons is the product; neuron indices are row-major
    neurons::Model model;

    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(element_count(shape)); }
    /// Its spikes come with the input of a run.
    [[nodiscard]] bool is_input() const { return std::holds_alternative<neurons::Input>(model); }
    /// Nothing can be connected to it: an input or a generator of spikes.
    [[nodiscard]] bool is_source() const { return neurons::is_source(model); }
};

/// A named result of the network: the spikes, or the potential, of a population.
struct OutputPort {
    std::string name;
    std::uint32_t population = 0;
};

/// Throws NetworkError for a population that no network can have: see Network.
void check_population(const Population& population);
/// The same for a projection between these populations.
void check_projection(std::span<const Population> populations, const Projection& projection);

class Network {
  public:
    /// Throws NetworkError that names the population or projection and the field: empty or repeated names,
    /// populations of no or more than 2^32 - 2 neurons, parameters that are not finite or out of their range
    /// (tau > 0, t_ref >= 0), parameters neither one nor one per neuron, stages whose sizes do not fit,
    /// weights that are not finite, negative delays, a projection into an input. A cycle without delay is
    /// allowed here: see levels().
    Network(std::vector<Population> populations, std::vector<Projection> projections,
            std::vector<OutputPort> outputs = {});

    [[nodiscard]] std::span<const Population> populations() const { return populations_; }
    [[nodiscard]] std::span<const Projection> projections() const { return projections_; }
    [[nodiscard]] std::span<const OutputPort> outputs() const { return outputs_; }

    /// Index of the population with that name. Throws UsageError with the nearest known name.
    [[nodiscard]] std::uint32_t index_of(std::string_view population) const;
    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view population) const;
    /// "a -> b"
    [[nodiscard]] std::string projection_name(const Projection& projection) const;

    /// Cycles of projections without delay, each as the names along it with the first repeated at the end.
    [[nodiscard]] std::vector<std::vector<std::string>> cycles_without_delay() const;

    /// For each population the longest chain of projections without delay that leads to it: the order of
    /// computing within one instant. Throws NetworkError for a cycle without delay: "a -> b -> a has no
    /// delay".
    [[nodiscard]] std::vector<std::uint32_t> levels() const;

    /// In which order, and how far, populations can be computed one after the other: all spikes that a
    /// population receives within `window` come from lower levels, or were sent before it. Throws as levels()
    /// does.
    struct Lookahead {
        std::vector<std::uint32_t> level;   // of each population
        Duration window = Duration::max();  // the smallest delay that does not lead to a higher level
    };
    [[nodiscard]] Lookahead lookahead() const;

    /// Names of populations that no input and no population with a drive of its own can reach.
    [[nodiscard]] std::vector<std::string> unreachable() const;

    /// This network with `delay` added to the projections that close cycles without delay: those that a
    /// depth-first walk from the inputs, along projections in order of their populations' names, finds
    /// leading back. `delayed` receives their names. Throws UsageError unless delay > 0.
    [[nodiscard]] Network with_recurrent_delay(Duration delay,
                                               std::vector<std::string>* delayed = nullptr) const;

  private:
    std::vector<Population> populations_;
    std::vector<Projection> projections_;
    std::vector<OutputPort> outputs_;
};

}  // namespace saltus
