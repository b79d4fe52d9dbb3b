// saltus evaluate of a network that learnt by a surrogate gradient.
#pragma once

#include <string>

#include "saltus/converters/surrogate.hpp"

namespace saltus::cli {

struct SurrogateEvaluation {
    std::string dataset;
    std::string split;
    unsigned threads = 0;
    bool json = false;
};

void evaluate_surrogate(const converters::SurrogateReading& reading, const SurrogateEvaluation& options);

}  // namespace saltus::cli
