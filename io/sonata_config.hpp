// The text files of a SONATA circuit: its configuration, tables of types, and files of parameters.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "saltus/io/sonata_network.hpp"

namespace saltus::io {

struct SonataFiles {
    std::filesystem::path elements;  // HDF5
    std::filesystem::path types;     // CSV; empty: none
};

struct SonataConfig {
    std::vector<SonataFiles> nodes;
    std::vector<SonataFiles> edges;
    std::filesystem::path node_parameters;  // folder; empty: none
    std::filesystem::path edge_parameters;
    std::map<std::string, std::string> outputs;
};

[[nodiscard]] SonataConfig read_sonata_config(const std::filesystem::path& path);

/// The rows of a table whose column `id_column` names the type; dynamics_params are read from `folder`.
[[nodiscard]] std::vector<SonataType> read_sonata_types(const std::filesystem::path& table,
                                                        const std::string& id_column,
                                                        const std::filesystem::path& folder);

}  // namespace saltus::io
