// saltus evaluate of a network that learnt in steps of time.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "saltus/converters/surrogate_model.hpp"
#include "saltus/datasets/evaluate_surrogate.hpp"

namespace saltus::cli {

struct SurrogateEvaluation {
    std::string network;
    std::string dataset;
    std::string split;
    std::string left_out;  // of spoken digits
    std::string report;
    unsigned threads = 0;  // 0: all
    bool json = false;
    bool quiet = false;
};

/// Prints accuracy, spikes per neuron and step and the confusion matrix; writes the report.
void evaluate_surrogate(const converters::SurrogateModel& model, const SurrogateEvaluation& options);

/// {name of a layer: spikes per neuron and step}, of the layers that spike.
[[nodiscard]] nlohmann::ordered_json rates_of(const datasets::SurrogateEvaluation& evaluation);

}  // namespace saltus::cli
