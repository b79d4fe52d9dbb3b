// Circuits and simulations as SONATA files.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "files.hpp"
#include "hdf5.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/sonata_network.hpp"

namespace saltus::io {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::uint32_t sonata_magic = 0x0a7a;

/// What stands before the usual name: "a_" of "a_circuit_config.json".
std::string prefix_of(const fs::path& config, std::string_view usual) {
    const std::string name = config.filename().string();
    if (name.size() < usual.size() || name.substr(name.size() - usual.size()) != usual)
        throw UsageError(name + ": expected a name that ends in " + std::string(usual) + ".");
    return name.substr(0, name.size() - usual.size());
}

/// A word of a table: in quotes where it holds a blank.
std::string word_of(const std::string& word) {
    if (word.find_first_of("\"\n\r") != std::string::npos || word.empty()) {
        throw UsageError(
            saltus::quoted(word) +
            ": a table of types has no place for quotes, line breaks and empty words. Rename it.");
    }
    return word.find_first_of(" \t") == std::string::npos ? word : "\"" + word + "\"";
}

std::string table_of(const std::vector<SonataType>& types, const std::string& id_column) {
    std::set<std::string> columns;
    for (const SonataType& type : types) {
        for (const auto& [name, value] : type.attributes) columns.insert(name);
    }
    columns.erase(id_column);
    std::string text = id_column;
    for (const std::string& column : columns) text += " " + word_of(column);
    for (const SonataType& type : types) {
        text += "\n" + std::to_string(type.id);
        for (const std::string& column : columns) {
            const auto found = type.attributes.find(column);
            text += " " + (found == type.attributes.end() ? "NULL" : word_of(found->second));
        }
    }
    return text + "\n";
}

template <class T>
void write_column(const hdf5::Group& group, const std::string& name, const std::vector<T>& values) {
    group.write(name, values, {values.size()}, hdf5::Storage::plain);
}

/// Groups of columns: all elements are rows of group 0.
void write_places(const hdf5::Group& group, const std::string& kind, std::size_t size) {
    std::vector<std::uint64_t> rows(size);
    std::iota(rows.begin(), rows.end(), std::uint64_t{0});
    write_column(group, kind + "_group_id", std::vector<std::uint32_t>(size, 0));
    write_column(group, kind + "_group_index", rows);
}

/// A value that all elements have, or none.
void write_values(const hdf5::Group& group, const std::string& name, const std::vector<double>& values) {
    const auto missing = std::count_if(values.begin(), values.end(), [](double x) { return std::isnan(x); });
    if (missing == static_cast<std::ptrdiff_t>(values.size())) return;
    if (missing != 0) {
        throw group.error_at(name, "expected a value for every element or for none, " +
                                       std::to_string(missing) + " have none.");
    }
    write_column(group, name, values);
}

void write_nodes(const hdf5::Group& all, const SonataNodes& nodes) {
    const hdf5::Group group = all.create_group(nodes.population);
    std::vector<std::uint64_t> types;
    for (const std::uint32_t place : nodes.type)
        types.push_back(static_cast<std::uint64_t>(nodes.types.at(place).id));
    std::vector<std::uint64_t> ids(types.size());
    std::iota(ids.begin(), ids.end(), std::uint64_t{0});
    write_column(group, "node_id", ids);
    write_column(group, "node_type_id", types);
    write_places(group, "node", types.size());
    if (nodes.shape.size() > 1) write_column(group, "shape", nodes.shape);
    const hdf5::Group own = group.create_group("0");
    if (nodes.parameters.empty()) return;
    const hdf5::Group parameters = own.create_group("dynamics_params");
    for (const auto& [name, values] : nodes.parameters) write_values(parameters, name, values);
}

void write_ends(const hdf5::Group& group, const std::string& name, const std::vector<NeuronIndex>& neurons,
                const std::string& population) {
    const std::vector<std::uint64_t> ids(neurons.begin(), neurons.end());
    group
        .write_numbers(name, hdf5::native_type<std::uint64_t>(), {ids.size()}, ids.data(),
                       hdf5::Storage::plain)
        .write_attribute("node_population", population);
}

void write_edges(const hdf5::Group& all, const SonataEdges& edges) {
    const hdf5::Group group = all.create_group(edges.population);
    write_ends(group, "source_node_id", edges.sources, edges.source);
    write_ends(group, "target_node_id", edges.targets, edges.target);
    write_column(group, "edge_type_id", std::vector<std::uint64_t>(edges.sources.size(), 0));
    write_places(group, "edge", edges.sources.size());
    if (!edges.constant_signal.empty()) write_column(group, "constant_signal", edges.constant_signal);
    const hdf5::Group own = group.create_group("0");
    write_values(own, "syn_weight", edges.weight);
    write_values(own, "delay", edges.delay);
}

template <class Elements, class Write>
void write_elements(const fs::path& path, const char* kind, const std::vector<Elements>& populations,
                    Write&& write) {
    AtomicFile atomic(path);
    hdf5::File file = hdf5::File::create(atomic.temporary(), atomic.target());
    {
        const hdf5::Group root = file.root();
        root.write_attribute("magic", sonata_magic);
        root.write_attribute("version", std::vector<std::uint32_t>{0, 1});
        const hdf5::Group all = root.create_group(kind);
        for (const Elements& one : populations) write(all, one);
    }
    file.close();
    atomic.commit();
}

/// The types of all populations, each once; those with parameters name the file in which they stand.
std::vector<SonataType> write_types(const fs::path& components, const std::vector<SonataNodes>& populations) {
    std::vector<SonataType> types;
    std::set<std::int64_t> seen;
    for (const SonataNodes& nodes : populations) {
        for (const SonataType& type : nodes.types) {
            if (!seen.insert(type.id).second) continue;
            types.push_back(type);
            if (type.parameters.empty()) continue;
            const std::string name = "type_" + std::to_string(type.id) + ".json";
            types.back().attributes["dynamics_params"] = name;
            write_file(components / name, Json(type.parameters).dump(4) + "\n");
        }
    }
    return types;
}

/// `path` as the configuration in `folder` names it.
std::string relative_to(const fs::path& folder, const fs::path& path) {
    const fs::path relative = fs::absolute(path).lexically_normal().lexically_relative(
        fs::absolute(folder.empty() ? "." : folder).lexically_normal());
    const bool inside = !relative.empty() && *relative.begin() != "..";
    return inside ? "$BASE_DIR/" + relative.string() : fs::absolute(path).string();
}

}  // namespace

void write_sonata_circuit(const fs::path& config, const SonataCircuit& circuit) {
    const std::string prefix = prefix_of(config, "circuit_config.json");
    const fs::path folder = config.parent_path();
    const std::string components = prefix + "components";
    const bool has_parameters =
        std::any_of(circuit.nodes.begin(), circuit.nodes.end(), [](const SonataNodes& nodes) {
            return std::any_of(nodes.types.begin(), nodes.types.end(),
                               [](const SonataType& type) { return !type.parameters.empty(); });
        });
    if (has_parameters) {
        std::error_code error;
        fs::create_directory(folder / components, error);
        if (error)
            throw FileError((folder / components).string(), "", "cannot be made: " + error.message() + ".");
    }
    const auto file = [&](const char* name) { return folder / (prefix + name); };
    write_file(file("node_types.csv"),
               table_of(write_types(folder / components, circuit.nodes), "node_type_id"));
    write_file(file("edge_types.csv"),
               table_of({SonataType{0, {{"model_template", "static_synapse"}}, {}}}, "edge_type_id"));
    write_elements(file("nodes.h5"), "nodes", circuit.nodes, write_nodes);
    write_elements(file("edges.h5"), "edges", circuit.edges, write_edges);

    const auto named = [&](const char* name) { return "$BASE_DIR/" + prefix + name; };
    Json json;
    json["manifest"] = {{"$BASE_DIR", "${configdir}"}};
    if (has_parameters) json["components"] = {{"point_neuron_models_dir", "$BASE_DIR/" + components}};
    json["networks"] = {
        {"nodes", {{{"nodes_file", named("nodes.h5")}, {"node_types_file", named("node_types.csv")}}}},
        {"edges", {{{"edges_file", named("edges.h5")}, {"edge_types_file", named("edge_types.csv")}}}}};
    if (!circuit.outputs.empty()) json["saltus"] = {{"outputs", circuit.outputs}};
    write_file(config, json.dump(4) + "\n");
}

void write_sonata_simulation(const fs::path& config, const SonataSimulation& simulation) {
    static_cast<void>(prefix_of(config, "simulation_config.json"));
    const fs::path folder = config.parent_path();
    Json json;
    json["manifest"] = {{"$BASE_DIR", "${configdir}"}};
    json["network"] = relative_to(folder, simulation.circuit);
    json["target_simulator"] = "NEST";
    json["run"] = {{"tstop", simulation.tstop}};
    json["inputs"] = Json::object();
    for (const SonataSimulation::Input& input : simulation.inputs) {
        json["inputs"][input.name] = {{"input_type", "spikes"},
                                      {"module", "sonata"},
                                      {"input_file", relative_to(folder, input.spikes)},
                                      {"node_set", input.name}};
    }
    json["output"] = {{"output_dir", "$BASE_DIR/output"}, {"spikes_file", "spikes.h5"}};
    write_file(config, json.dump(4) + "\n");
}

}  // namespace saltus::io
