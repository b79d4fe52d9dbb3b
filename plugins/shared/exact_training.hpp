// A training on exact gradients, from what is asked to the network that is handed out: the same for the
// command and the package.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "saltus/converters/exact_reading.hpp"
#include "saltus/engine/learning/exact_rule.hpp"
#include "saltus/engine/learning/gradient_learner.hpp"
#include "saltus/engine/network.hpp"

namespace saltus::plugins {

/// Options of the rule as the command and the package begin with them.
[[nodiscard]] learning::ExactOptions default_exact_options();

struct ExactRequest {
    std::optional<Network> network = {};  // to go on with

    // Of a new one:
    std::vector<std::string> hidden{"120"};  // of each layer what learning::LayerPlan::parse takes
    std::vector<double> initial =
        {};  // means of the first weights, one a layer that has any; empty: by the samples
    std::vector<double> initial_sd = {};       // their standard deviations
    std::optional<std::uint32_t> inputs = {};  // only so many have synapses, the first ones
    std::string neuron = "lif";                // docs/exact-gradients.md, rules of first spikes
    double tau_m = 20e-3;                      // [s]
    double tau_syn = 5e-3;                     // [s]
    double window = 20e-3;                     // [s] in which the neurons of a layer fire, of ramp_once
    Duration initial_delay{};                  // where delays are learnt they begin uniform from 0 to this
    std::uint64_t seed = 0;

    std::string split = "train";
    std::string loss = "first_spike_cross_entropy";
    learning::ExactOptions rule = default_exact_options();  // in which that has not been entered
    converters::ExactReading reading{};                     // encoding and slots; the rest follows
    learning::GradientLearnerOptions gradient{};
};

class ExactTraining {
  public:
    /// Throws UsageError for what means nothing, FileError for what cannot be read, NetworkError as
    /// ExactRule.
    ExactTraining(const std::filesystem::path& dataset, ExactRequest request);

    [[nodiscard]] learning::Learner& learner() { return *learner_; }
    [[nodiscard]] const std::string& dataset() const { return dataset_; }  // its name
    /// As it is handed out now, with how it is read; `notes` as nir_from_network.
    [[nodiscard]] io::NirDocument trained(std::vector<std::string>* notes) const;

  private:
    std::string dataset_;
    converters::ExactReading reading_;
    std::shared_ptr<learning::ExactRule> rule_;
    std::unique_ptr<learning::GradientLearner> learner_;
};

}  // namespace saltus::plugins
