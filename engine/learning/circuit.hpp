// A network as its neurons and synapses, one by one, and the parameters that they are made of.
//
// A path through a projection's stages from one neuron to another is a synapse: its weight is a constant
// times the product of the parameters it leads through (entries of matrices, of kernels, factors), its delay
// the sum of those. A gradient by synapses becomes one by parameters by the chain rule, whatever the stages
// share.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "linear_neuron.hpp"
#include "saltus/engine/network.hpp"

namespace saltus::learning {

struct Synapse {
    std::uint32_t source = 0;  // neurons of all populations are counted in a row
    std::uint32_t target = 0;
    std::uint32_t factors = 0;  // its parameters: those of its weight from here on in the list of terms,
    std::uint32_t addends = 0;  // those of its delay from here on
    std::uint32_t end = 0;      // to here
    double constant = 1.0;
    double weight = 0.0;
    std::int64_t delay_fs = 0;
};

/// The parameters of one stage of a projection, in the order in which the stage holds them.
struct StageParameters {
    std::uint32_t projection = 0;
    std::uint32_t stage = 0;
    std::size_t weights = 0;  // place of the first in the vector of all
    std::size_t weight_count = 0;
    std::size_t bias = 0;
    std::size_t bias_count = 0;
    std::size_t delays = 0;  // [s]
    std::size_t delay_count = 0;
};

class Circuit {
  public:
    /// Throws NetworkError for models and resets without exact gradients, LimitError for more synapses than
    /// can be listed.
    explicit Circuit(const Network& network);

    [[nodiscard]] const Network& network() const { return network_; }
    [[nodiscard]] std::uint32_t neurons() const { return first_.back(); }
    /// The first neuron of a population.
    [[nodiscard]] std::uint32_t first(std::uint32_t population) const { return first_[population]; }
    [[nodiscard]] std::uint32_t population_of(std::uint32_t neuron) const;

    /// Populations in an order in which each comes after all that send to it; as they are where loops().
    [[nodiscard]] const std::vector<std::uint32_t>& order() const { return order_; }
    /// Spikes of some population lead back to it, so that no order exists.
    [[nodiscard]] bool loops() const { return loops_; }

    /// Of the neurons of a population that is no source and no RampIf.
    [[nodiscard]] const LinearNeuron& linear(std::uint32_t neuron) const { return linear_[neuron]; }
    [[nodiscard]] double signal(std::uint32_t neuron) const { return signal_[neuron]; }
    [[nodiscard]] const std::vector<Synapse>& synapses() const { return synapses_; }
    /// Synapses of a neuron, as indices.
    [[nodiscard]] std::span<const std::uint32_t> incoming(std::uint32_t neuron) const {
        return std::span(incoming_).subspan(begin_[neuron], begin_[neuron + 1] - begin_[neuron]);
    }

    [[nodiscard]] const std::vector<double>& parameters() const { return parameters_; }
    [[nodiscard]] const std::vector<StageParameters>& stages() const { return stages_; }
    /// Parameters from `first` on become these: weights, delays and biases.
    void set_parameters(std::size_t first, std::span<const double> parameters);
    /// Synapses and signals become those of the parameters; delays are rounded to the tick and not negative.
    void update();

    /// Throws NetworkError where neurons are not linear(), and so can only be run in layers.
    void check_every_neuron() const;

    /// The network with the parameters that were set; what a rule has drawn stands there one by one.
    [[nodiscard]] Network with_parameters() const;

    /// Adds to dL/d parameters what dL/dw and dL/dd of each synapse, and dL/dx of each neuron, come to.
    void add_gradient(std::span<const double> by_weight, std::span<const double> by_delay,
                      std::span<const double> by_signal, std::span<double> gradient) const;

  private:
    struct Path;
    void add_parameters(std::uint32_t projection, const std::vector<Stage>& stages);
    void add_paths(std::uint32_t projection, const std::vector<Stage>& stages);
    void follow(const std::vector<Stage>& stages, std::size_t stage, std::uint64_t index, Path& path);

    /// What a bias brings to a neuron: the product of its terms.
    struct Bias {
        std::uint32_t target = 0;
        std::uint32_t begin = 0;
        std::uint32_t end = 0;
        double constant = 1.0;
    };

    Network network_;
    std::vector<std::vector<Stage>> drawn_;  // the stages of each projection, rules as what they draw
    std::vector<std::uint32_t> first_;       // of each population, and the number of all
    std::vector<std::uint32_t> order_;
    bool loops_ = false;
    std::vector<LinearNeuron> linear_;
    std::vector<double> signal_;
    std::vector<Synapse> synapses_;
    std::vector<std::uint32_t> terms_;
    std::vector<Bias> biases_;
    std::vector<std::uint32_t> begin_;
    std::vector<std::uint32_t> incoming_;
    std::vector<double> parameters_;
    std::vector<StageParameters> stages_;
};

}  // namespace saltus::learning
