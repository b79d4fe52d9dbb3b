// Data sets as frames, and what networks in discrete time do with them.
#pragma once

#include "bindings.hpp"
#include "saltus/datasets/evaluate_surrogate.hpp"
#include "saltus/datasets/frames.hpp"

namespace saltus::python {

/// Of a dictionary that saltus/datasets.py has filled.
[[nodiscard]] datasets::FrameOptions frame_options(const nb::dict& given);

/// {name of a layer: spikes per neuron and step}, of the layers that spike.
[[nodiscard]] nb::dict rates_of(const datasets::SurrogateEvaluation& evaluation);

}  // namespace saltus::python
