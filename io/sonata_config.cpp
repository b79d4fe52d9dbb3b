#include "sonata_config.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "files.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::io {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::uint64_t largest_json = std::uint64_t{1} << 24;
constexpr std::uint64_t largest_table = std::uint64_t{1} << 28;
constexpr int deepest_json = 32;
constexpr std::size_t longest_path = 4096;

/// One object of JSON.
Json read_json(const fs::path& path) {
    const std::string text = read_file(path, largest_json);
    const auto deeper = [&] {
        return FileError(path.string(), "",
                         "is nested deeper than " + std::to_string(deepest_json) + " levels.");
    };
    bool too_deep = false;
    Json json;
    try {
        json = Json::parse(text, [&](int depth, Json::parse_event_t, Json&) {
            too_deep = too_deep || depth > deepest_json;
            return !too_deep;
        });
    } catch (const Json::exception& error) {
        if (too_deep) throw deeper();
        throw FileError(path.string(), "", std::string("is not JSON: ") + error.what() + ".");
    }
    if (too_deep) throw deeper();
    if (!json.is_object()) throw FileError::unexpected(path.string(), "", "a JSON object", json.type_name());
    return json;
}

/// A configuration, with the names of its manifest put into paths.
class Config {
  public:
    explicit Config(const fs::path& path) : path_(path), json_(read_json(path)) {}

    [[nodiscard]] FileError error(const std::string& where, const std::string& expected,
                                  const std::string& found) const {
        return FileError::unexpected(path_.string(), where, expected, found);
    }

    /// The value there, or nothing.
    [[nodiscard]] const Json* find(const Json& object, const std::string& key) const {
        const auto found = object.find(key);
        return found == object.end() || found->is_null() ? nullptr : &*found;
    }
    [[nodiscard]] const Json& root() const { return json_; }

    [[nodiscard]] fs::path file(const Json& value, const std::string& where) const {
        if (!value.is_string()) throw error(where, "a path", value.type_name());
        const fs::path path = expanded(value.get<std::string>(), where);
        return path.is_absolute() ? path : path_.parent_path() / path;
    }
    [[nodiscard]] fs::path optional_file(const Json& object, const std::string& key,
                                         const std::string& where) const {
        const Json* const value = find(object, key);
        return value ? file(*value, where + "." + key) : fs::path();
    }

  private:
    /// $NAME and ${NAME} are entries of the manifest, $configdir the folder of the configuration.
    [[nodiscard]] std::string expanded(std::string text, const std::string& where) const {
        constexpr int most_steps = 64;
        for (int step = 0; step < most_steps; ++step) {
            const std::size_t dollar = text.find('$');
            if (dollar == std::string::npos) return text;
            const bool braced = text.compare(dollar + 1, 1, "{") == 0;
            const std::size_t begin = dollar + (braced ? 2 : 1);
            std::size_t end = begin;
            while (end < text.size() &&
                   (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_'))
                ++end;
            const std::string name = text.substr(begin, end - begin);
            const std::size_t rest = braced && text.compare(end, 1, "}") == 0 ? end + 1 : end;
            text = text.substr(0, dollar) + value_of(name, where) + text.substr(rest);
            if (text.size() > longest_path) break;
        }
        throw error(where, "a path", "names of the manifest that never end");
    }

    [[nodiscard]] std::string value_of(const std::string& name, const std::string& where) const {
        if (const Json* const manifest = find(json_, "manifest"); manifest && manifest->is_object()) {
            for (const std::string& key : {"$" + name, "${" + name + "}", name}) {
                const auto found = manifest->find(key);
                if (found != manifest->end() && found->is_string()) return found->get<std::string>();
            }
        }
        if (name == "configdir") return fs::absolute(path_).parent_path().string();
        throw error(where, "a name of the manifest", saltus::quoted("$" + name));
    }

    fs::path path_;
    Json json_;
};

std::vector<SonataFiles> files_of(const Config& config, const Json& networks, const std::string& kind) {
    std::vector<SonataFiles> files;
    const Json* const list = config.find(networks, kind);
    if (!list) return files;
    const std::string where = "networks." + kind;
    if (!list->is_array()) throw config.error(where, "a list", list->type_name());
    for (std::size_t i = 0; i < list->size(); ++i) {
        const Json& entry = (*list)[i];
        const std::string place = where + "[" + std::to_string(i) + "]";
        if (!entry.is_object()) throw config.error(place, "an object", entry.type_name());
        if (const Json* const enabled = config.find(entry, "enabled"); enabled && *enabled == Json(false))
            continue;
        const fs::path elements = config.optional_file(entry, kind + "_file", place);
        if (elements.empty()) throw config.error(place, "an entry '" + kind + "_file'", "none");
        files.push_back(
            {elements, config.optional_file(entry, kind.substr(0, kind.size() - 1) + "_types_file", place)});
    }
    return files;
}

/// {"saltus": {"outputs": {PORT: POPULATION}}}
std::map<std::string, std::string> outputs_of(const Config& config) {
    std::map<std::string, std::string> outputs;
    const Json* const ours = config.find(config.root(), "saltus");
    if (!ours) return outputs;
    if (!ours->is_object()) throw config.error("saltus", "an object", ours->type_name());
    const Json* const ports = config.find(*ours, "outputs");
    if (!ports) return outputs;
    if (!ports->is_object()) throw config.error("saltus.outputs", "an object", ports->type_name());
    for (const auto& [port, population] : ports->items()) {
        if (!population.is_string())
            throw config.error("saltus.outputs." + port, "a population", population.type_name());
        outputs[port] = population.get<std::string>();
    }
    return outputs;
}

double duration_of(const Config& config) {
    const Json* const run = config.find(config.root(), "run");
    if (!run) throw config.error("", "an entry 'run'", "none");
    if (!run->is_object()) throw config.error("run", "an object", run->type_name());
    const Json* const tstop = config.find(*run, "tstop");
    if (!tstop) throw config.error("run", "an entry 'tstop'", "none");
    if (!tstop->is_number()) throw config.error("run.tstop", "milliseconds", tstop->type_name());
    const double ms = tstop->get<double>();
    if (!(ms >= 0.0) || !std::isfinite(ms)) throw config.error("run.tstop", ">= 0", shown(ms));
    return ms;
}

std::vector<SonataSimulation::Input> inputs_of(const Config& config) {
    std::vector<SonataSimulation::Input> inputs;
    const Json* const entries = config.find(config.root(), "inputs");
    if (!entries) return inputs;
    if (!entries->is_object()) throw config.error("inputs", "an object", entries->type_name());
    for (const auto& [name, entry] : entries->items()) {
        const std::string where = "inputs." + name;
        if (!entry.is_object()) throw config.error(where, "an object", entry.type_name());
        if (const Json* const enabled = config.find(entry, "enabled"); enabled && *enabled == Json(false))
            continue;
        const auto text = [&, &n = name, &e = entry](const char* key) {
            const Json* const value = config.find(e, key);
            if (!value) throw config.error("inputs." + n, std::string("an entry '") + key + "'", "none");
            if (!value->is_string())
                throw config.error("inputs." + n + "." + key, "a string", value->type_name());
            return value->get<std::string>();
        };
        if (const std::string type = text("input_type"); type != "spikes")
            throw config.error(where + ".input_type", "spikes", saltus::quoted(type));
        if (const std::string module = text("module"); module != "sonata" && module != "h5")
            throw config.error(where + ".module", "sonata or h5", saltus::quoted(module));
        static_cast<void>(text("input_file"));
        inputs.push_back({name, config.file(entry["input_file"], where + ".input_file")});
    }
    return inputs;
}

/// Words of one line of a table: separated by blanks, in double quotes where they hold some.
std::optional<std::vector<std::string>> words_of(std::string_view line) {
    std::vector<std::string> words;
    std::size_t i = 0;
    while (i < line.size()) {
        if (line[i] == ' ' || line[i] == '\t' || line[i] == '\r') {
            ++i;
            continue;
        }
        std::string word;
        const bool quoted = line[i] == '"';
        if (quoted) ++i;
        while (i < line.size() &&
               (quoted ? line[i] != '"' : line[i] != ' ' && line[i] != '\t' && line[i] != '\r'))
            word += line[i++];
        if (quoted) {
            if (i == line.size()) return std::nullopt;
            ++i;
        }
        words.push_back(std::move(word));
    }
    return words;
}

std::map<std::string, double> read_parameters(const fs::path& path) {
    std::map<std::string, double> parameters;
    const Json json = read_json(path);
    for (const auto& [name, value] : json.items()) {
        if (value.is_number()) parameters.emplace(name, value.get<double>());
    }
    return parameters;
}

bool is_none(const std::string& word) {
    return word.empty() || word == "NULL" || word == "NONE" || word == "None";
}

}  // namespace

bool is_sonata_config(const fs::path& path) {
    constexpr std::size_t head_size = 65536;
    std::string head(head_size, '\0');
    std::ifstream file(path, std::ios::binary);
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    const auto has = [&](const char* key) { return head.find(key) != std::string::npos; };
    return !has("\"node\"") && (has("\"networks\"") || has("\"network\"") || has("\"manifest\""));
}

SonataConfig read_sonata_config(const fs::path& path) {
    const Config config(path);
    const Json* const networks = config.find(config.root(), "networks");
    if (!networks) {
        if (const Json* const circuit = config.find(config.root(), "network")) {
            const fs::path file = config.file(*circuit, "network");
            if (!is_sonata_config(file) || !read_json(file).contains("networks"))
                throw config.error("network", "a circuit configuration", saltus::quoted(file.string()));
            return read_sonata_config(file);
        }
        throw config.error("", "'networks' (a circuit) or 'network' (a simulation)", "neither");
    }
    if (!networks->is_object()) throw config.error("networks", "an object", networks->type_name());
    SonataConfig result;
    result.nodes = files_of(config, *networks, "nodes");
    result.edges = files_of(config, *networks, "edges");
    if (const Json* const components = config.find(config.root(), "components")) {
        if (!components->is_object()) throw config.error("components", "an object", components->type_name());
        result.node_parameters = config.optional_file(*components, "point_neuron_models_dir", "components");
        result.edge_parameters = config.optional_file(*components, "synaptic_models_dir", "components");
    }
    result.outputs = outputs_of(config);
    return result;
}

std::optional<SonataSimulation> read_sonata_simulation(const fs::path& path) {
    const Config config(path);
    const Json* const circuit = config.find(config.root(), "network");
    if (!circuit) return std::nullopt;
    SonataSimulation simulation;
    simulation.circuit = config.file(*circuit, "network");
    simulation.tstop = duration_of(config);
    simulation.inputs = inputs_of(config);
    return simulation;
}

std::vector<SonataType> read_sonata_types(const fs::path& table, const std::string& id_column,
                                          const fs::path& folder) {
    const std::string text = read_file(table, largest_table);
    std::vector<std::string> columns;
    std::vector<SonataType> types;
    std::set<std::int64_t> seen;
    std::map<std::string, std::map<std::string, double>> parameters;  // by file: many types share one
    std::size_t line_number = 0;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string where = "line " + std::to_string(++line_number);
        const auto words = words_of(std::string_view(text).substr(begin, end - begin));
        begin = end + 1;
        if (!words) throw FileError::unexpected(table.string(), where, "a closing quote", "none");
        if (words->empty()) continue;
        if (columns.empty()) {
            columns = *words;
            if (std::find(columns.begin(), columns.end(), id_column) == columns.end())
                throw FileError::unexpected(table.string(), where, "a column '" + id_column + "'", "none");
            continue;
        }
        if (words->size() != columns.size()) {
            throw FileError::unexpected(table.string(), where, std::to_string(columns.size()) + " columns",
                                        std::to_string(words->size()));
        }
        SonataType type;
        for (std::size_t c = 0; c < columns.size(); ++c) {
            if (!is_none((*words)[c])) type.attributes[columns[c]] = (*words)[c];
        }
        const std::string id = type.attributes[id_column];
        const auto [stop, status] = std::from_chars(id.data(), id.data() + id.size(), type.id);
        if (status != std::errc() || stop != id.data() + id.size())
            throw FileError::unexpected(table.string(), where + ", " + id_column, "a whole number",
                                        saltus::quoted(id));
        if (!seen.insert(type.id).second)
            throw FileError::unexpected(table.string(), where + ", " + id_column, "each type once",
                                        id + " again");
        if (const auto named = type.attributes.find("dynamics_params"); named != type.attributes.end()) {
            const auto [known, is_new] = parameters.try_emplace(named->second);
            if (is_new) known->second = read_parameters(folder / named->second);
            type.parameters = known->second;
        }
        types.push_back(std::move(type));
    }
    return types;
}

}  // namespace saltus::io
