// SONATA circuits to networks and back.
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
/// "saltus:MODEL" is one of our own models, in SI units.
[[nodiscard]] Import network_from_sonata(const io::SonataCircuit& circuit,
                                         std::optional<Duration> recurrent_delay = std::nullopt);

/// The network as a circuit that network_from_sonata reads back with the same neurons, synapses, delays and
/// constant signals, bit for bit: chains of stages become the synapses that they stand for. A population is
/// one of NEST's where NEST has its model and every value has an exact counterpart in NEST's units, else one
/// of ours. Throws NetworkError for sources of spikes, which a circuit does not hold, for delays beyond what
/// milliseconds can tell, and as explicit_synapses does.
[[nodiscard]] io::SonataCircuit sonata_from_network(const Network& network);

}  // namespace saltus::converters
