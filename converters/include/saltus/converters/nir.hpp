// NIR documents to networks and back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "saltus/converters/convention.hpp"
#include "saltus/converters/import.hpp"
#include "saltus/engine/network.hpp"
#include "saltus/io/nir.hpp"

namespace saltus::converters {

/// For which clock a document is read: its numbers mean different things to them.
enum class Clock { exact, stepped };

/// How to read a document. What is not said comes from the document's own metadata (graph metadata "saltus"
/// with "convention", "dt"), then, for the exact clock, from the convention "nir", for the stepped clock from
/// what guess_convention says.
struct NirReading {
    Clock clock = Clock::exact;
    std::optional<std::string> convention;
    std::optional<TimeUnit> time_unit;
    std::optional<SpikeArea> spike_area;
    std::optional<ResetRule> reset;
    std::optional<Duration> dt;               // length of a step, where the unit or the spike area needs one
    std::optional<Duration> recurrent_delay;  // inserted into cycles without delay
    Duration t_ref;                           // refractory period of every spiking neuron: NIR has none
};

using NirImport = Import;

/// Populations are the Input and neuron nodes, under their names ("sub.lif" inside a sub-graph); projections
/// are the chains of nodes without memory between them. An Output fed by one population is that population's
/// port; one fed by weights becomes an integrator of its name. `document` must have been checked (read_nir
/// and read_nir_json do). Read for the stepped clock, parameters are those of the file, edges that a tool
/// computes late have a delay of one step, and Import::rules says how to step. Throws NetworkError,
/// UsageError; LimitError for what the tool, or the clock, does not have.
[[nodiscard]] NirImport network_from_nir(const io::NirDocument& document, const NirReading& reading = {});

/// A network that no document describes, for the stepped clock. Under a convention of grid neurons ("nir",
/// the default, "brian2", "nest") it is taken as it is; under that of a tool it is what the tool would read
/// from the network's NIR file. Throws as nir_from_network and network_from_nir do.
[[nodiscard]] Import network_for_steps(const Network& network, const NirReading& reading = {});

/// Which tool a document comes from, by what it holds.
struct Guess {
    std::string convention;
    Duration dt;
    std::string reason;             // what in the file says so
    std::vector<std::string> also;  // other conventions under which the file makes sense
    bool told = false;              // the file's own metadata name the convention: nothing is guessed
};
[[nodiscard]] Guess guess_convention(const io::NirDocument& document);

/// How a convention takes a document on the stepped clock.
struct ToolReading {
    std::string convention;
    Duration dt;
    std::string refusal;  // empty: it runs
};
/// For every convention of a tool that steps, with its usual step or the one that the file suggests.
[[nodiscard]] std::vector<ToolReading> tool_readings(const io::NirDocument& document);

/// What in a document means different things to different tools and clocks, or is lost in some; one sentence
/// each.
[[nodiscard]] std::vector<std::string> traps_of(const io::NirDocument& document);

/// The network as a document that network_from_nir reads back under the convention "nir", or "s2net" where
/// spikes do not reset, which its metadata say. Refractory periods, other initial potentials than 0 and other
/// resets than to a value have no place in NIR: what is lost is told in
/// `notes`, or refused with a NetworkError where `notes` is null. Explicit synapses become Linear nodes, one
/// with a Delay for each distinct delay.
[[nodiscard]] io::NirDocument nir_from_network(const Network& network,
                                               std::vector<std::string>* notes = nullptr);

/// The document with the weights and biases of `network`, which was read from it and has learnt, in its
/// Linear, Affine and convolution nodes; the rest of it, and element types, as they are. Where it does not
/// say by which convention and in which steps, it then says so. Throws NetworkError for weights that no node
/// has.
[[nodiscard]] io::NirDocument with_weights(io::NirDocument document, const Network& network,
                                           const SteppedRules& rules);

}  // namespace saltus::converters
