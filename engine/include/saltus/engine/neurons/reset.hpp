// What a threshold crossing does to the membrane potential.
#pragma once

namespace saltus::neurons {

enum class Reset {
    to_value,           // V <- V_reset (NIR; with V_reset = 0 the "reset to zero" of torch tools)
    subtract,           // V <- V - V_th; what still exceeds V_th fires one tick later
    subtract_repeated,  // k = floor(V / V_th) spikes at this instant, V <- V - k V_th (sinabs, rockpool)
    none,  // V stays: a reset comes by synapses, and only what arrives next can make it fire again
};

}  // namespace saltus::neurons
