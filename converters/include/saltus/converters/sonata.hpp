// SONATA circuits to networks.
#pragma once

#include <optional>

#include "saltus/converters/import.hpp"
#include "saltus/engine/time.hpp"
#include "saltus/io/sonata_network.hpp"

namespace saltus::converters {

/// Populations of virtual nodes become inputs, those of point neurons ("nest:MODEL") neurons with NEST's
/// defaults for what the files do not say, in NEST's units: ms, mV, pA, pF; weights in mV for models with
/// delta synapses, else in pA. `recurrent_delay` is inserted into cycles without delay. Throws FileError for
/// edges from or to nodes that no file has, NetworkError for models and parameters that are not known.
[[nodiscard]] Import network_from_sonata(const io::SonataCircuit& circuit,
                                         std::optional<Duration> recurrent_delay = std::nullopt);

}  // namespace saltus::converters
