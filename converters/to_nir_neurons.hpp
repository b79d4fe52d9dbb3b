// Populations as NIR nodes, and what NIR has no place for.
#pragma once

#include <string>
#include <vector>

#include "saltus/engine/network.hpp"
#include "saltus/io/nir.hpp"

namespace saltus::converters {

/// The convention under which a document says what the network is: "nir"; "s2net" where that loses nothing
/// and "nir" would, because spikes do not reset or readouts start at rest.
[[nodiscard]] std::string convention_of(const Network& network);

/// Where losses are told; with nowhere to tell them they are refused.
class Losses {
  public:
    Losses(std::vector<std::string>* notes, std::string convention)
        : notes_(notes), convention_(std::move(convention)) {}

    [[nodiscard]] const std::string& convention() const { return convention_; }

    /// Throws NetworkError if there are no notes.
    void tell(const std::string& population, const std::string& field, const std::string& text) const;

  private:
    std::vector<std::string>* notes_;
    std::string convention_;
};

struct NeuronNode {
    io::NirNode node;
    /// By what a bias that reaches the neuron has to be multiplied, because the node weighs a constant signal
    /// otherwise than the population does: one for all neurons or one per neuron, infinite where no factor
    /// helps; empty for 1.
    std::vector<double> bias_factor;
};

/// Shape of a node; a population without dimensions is one neuron.
[[nodiscard]] std::vector<std::uint64_t> nir_shape(const Shape& shape);

/// float32 where every value is exactly one, else float64.
[[nodiscard]] io::NirArray real_array(const Weights& values, std::vector<std::uint64_t> shape);
[[nodiscard]] io::NirArray integer_array(const std::vector<std::uint64_t>& values);

/// `kept_t_ref`: a refractory period that the document keeps beside the node. Throws NetworkError,
/// LimitError.
[[nodiscard]] NeuronNode node_from_population(const Population& population, Duration kept_t_ref,
                                              const Losses& losses);

}  // namespace saltus::converters
