// What arrives at one instant at a neuron whose excitatory and inhibitory synapses differ.
#pragma once

namespace saltus::neurons {

struct SignedSum {
    double ex = 0.0;  // of the weights >= 0
    double in = 0.0;  // of the weights < 0
};

/// P::separates_signs: arrivals at P come as SignedSum, else as the sum of all.
template <class P>
inline constexpr bool separates_signs = requires {
    requires P::separates_signs;
};

}  // namespace saltus::neurons
