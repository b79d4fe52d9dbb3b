// SONATA circuits (Dai et al., PLoS Comput. Biol. 16, e1007696, 2020), as they are on disk: a configuration
// in JSON names HDF5 files of nodes and edges, and tables of their types.
//
//     /nodes/POP/{node_type_id, node_group_id, node_group_index, node_id}
//     /nodes/POP/GROUP/dynamics_params/NAME
//     /edges/POP/{source_node_id, target_node_id}  attribute node_population
//     /edges/POP/{edge_type_id, edge_group_id, edge_group_index}
//     /edges/POP/GROUP/{syn_weight, delay, nsyns, dynamics_params/{weight, delay}}
//
// A value of a node or edge goes before that of its type, a column of the table of types before the file that
// its dynamics_params names. Units are those of the simulator that the file was made for. Indices of edges
// and attributes that mean nothing to a simulator are passed over.
//
// Ours, which other readers pass over: /nodes/POP/shape, the shape of the population;
// /edges/POP/constant_signal, what the biases of the connection send to each target; entry "saltus":
// {"outputs": {PORT: POPULATION}} of the configuration.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "saltus/engine/spike_train.hpp"

namespace saltus::io {

struct SonataType {
    std::int64_t id = 0;
    std::map<std::string, std::string> attributes;  // columns of the table but NULL
    std::map<std::string, double> parameters;       // numbers of the file that dynamics_params names
};

struct SonataNodes {
    std::string file;
    std::string population;
    std::vector<SonataType> types;
    std::vector<std::uint32_t> type;  // of each node by its id: place in `types`
    /// Values that nodes have of their own, by parameter; NaN where a node says nothing.
    std::map<std::string, std::vector<double>> parameters;
    std::vector<std::uint32_t> shape = {};  // of the population; empty: its nodes are one row
};

struct SonataEdges {
    std::string file;
    std::string population;
    std::string source;  // populations of nodes
    std::string target;
    std::vector<NeuronIndex> sources;
    std::vector<NeuronIndex> targets;
    std::vector<double> weight;                // times nsyns; NaN where nothing is said
    std::vector<double> delay;                 // NaN where nothing is said
    std::vector<double> constant_signal = {};  // of each target; empty: none
};

struct SonataCircuit {
    std::vector<SonataNodes> nodes;
    std::vector<SonataEdges> edges;
    std::map<std::string, std::string> outputs = {};  // population of each output port
};

/// What a simulation configuration says beside its circuit.
struct SonataSimulation {
    struct Input {
        std::string name;
        std::filesystem::path spikes;  // a spike file
    };
    std::filesystem::path circuit;  // configuration
    double tstop = 0.0;             // [ms]
    std::vector<Input> inputs;
};

/// The beginning of the file looks like a circuit or simulation configuration and not like a network in JSON.
/// False where it cannot be read.
[[nodiscard]] bool is_sonata_config(const std::filesystem::path& path);

/// Reads the circuit that a configuration describes, or the one that a simulation configuration names. Throws
/// FileError, also for node ids beyond their population, types that no table has, values that are NaN, and
/// numbers of nodes or edges that the files cannot hold.
[[nodiscard]] SonataCircuit read_sonata_circuit(const std::filesystem::path& config);

/// Writes NAMEcircuit_config.json, and beside it NAMEnodes.h5, NAMEedges.h5, NAMEnode_types.csv,
/// NAMEedge_types.csv and for each type with parameters NAMEcomponents/POPULATION_ID.json. Values of edges
/// are written with the edges, for weight and delay of all of them. Throws UsageError for another name,
/// FileError.
void write_sonata_circuit(const std::filesystem::path& config, const SonataCircuit& circuit);

/// Nothing for a configuration that has no "network" and so is no simulation. Throws FileError.
[[nodiscard]] std::optional<SonataSimulation> read_sonata_simulation(const std::filesystem::path& config);

/// Paths are written relative to the folder of the configuration where they lie below it.
void write_sonata_simulation(const std::filesystem::path& config, const SonataSimulation& simulation);

}  // namespace saltus::io
