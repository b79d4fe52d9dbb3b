// What a run gives, as Python sees it.
#pragma once

#include "bindings.hpp"
#include "saltus/engine/network.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus::python {

/// Everything of a result under the names of saltus.Result; not threads, build_s and sim_s.
[[nodiscard]] nb::dict dict_of(const Network& network, SimulationResult result, bool record_spikes);

}  // namespace saltus::python
