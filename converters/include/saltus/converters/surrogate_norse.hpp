// A network that learnt in steps of time (surrogate_model.hpp) in nodes that norse maps, and with which it
// does the same in each step.
//
// norse's LIF resets to 0, which is not the reset of a trained layer, and it has no Delay. Instead
//
//   neurons   CubaLIF: its current, which no spike resets, is the layer's potential u / (b (n + e)),
//             tau_syn = dt / (1 - beta), w_in = 1 / (1 - beta), weights (1 - beta) w / (b (n + e)); its
//             membrane, tau_mem = dt, follows at once: V = I, v_threshold 1
//   reset, recurrent connections   a loop, which norse takes one step late
//   a kernel over time   a delay line: CubaLIF without memory (tau_syn = tau_mem = dt) for each step of
//             delay and each neuron, a loop from each to the next one, Conv2d (Linear) from the line
//   readout mean   Affine or Conv2d; the mean of the Output over the steps is the trainer's output
//
// Images are (channels, height, width), of height 1 where there is one axis of space; without space, vectors.
#pragma once

#include "saltus/converters/surrogate_model.hpp"

namespace saltus::converters {

/// Throws NetworkError that names the layer and the field for what norse has no node for, or would do at
/// another step: pooling by the maximum, pooling before a kernel over time, a stride over time, layers that
/// do not follow one after the other (norse takes all but the first way late), readouts max and last (norse
/// has no LI), leaks of 1, thresholds of 0, divisors of an input that a delay line passes on. LimitError for
/// delay lines of more than 2^20 channels.
[[nodiscard]] io::NirDocument nir_for_norse(const SurrogateModel& model);

}  // namespace saltus::converters
