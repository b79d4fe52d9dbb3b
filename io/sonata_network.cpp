// The HDF5 files of a SONATA circuit.
#include "saltus/io/sonata_network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <unordered_map>

#include "hdf5.hpp"
#include "saltus/engine/errors.hpp"
#include "sonata_config.hpp"

namespace saltus::io {

namespace {

constexpr std::uint64_t most_nodes = std::uint64_t{1} << 28;
constexpr std::uint64_t most_edges = std::uint64_t{1} << 31;
constexpr std::uint64_t most_dimensions = 8;
constexpr std::uint64_t part = std::uint64_t{1} << 20;  // elements read at once
constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

std::string entry(std::uint64_t i) {
    return "entry " + std::to_string(i) + ": ";
}

/// The nodes or edges of one population: which type each has, and where its own values stand.
class Elements {
  public:
    /// `kind` is "node" or "edge".
    Elements(const hdf5::Group& population, const std::string& kind, std::uint64_t limit,
             const std::vector<SonataType>& types)
        : population_(population), types_(population.dataset(kind + "_type_id")) {
        if (types_.shape().size() != 1)
            throw types_.error("expected one column, found " + types_.description() + ".");
        if (size() > limit) {
            throw types_.error("declares " + std::to_string(size()) + " elements, more than the limit of " +
                               std::to_string(limit) + ".");
        }
        if (population.contains(kind + "_group_id")) {
            groups_.emplace(column(kind + "_group_id"));
            indices_.emplace(column(kind + "_group_index"));
        }
        for (std::size_t t = 0; t < types.size(); ++t)
            place_.emplace(types[t].id, static_cast<std::uint32_t>(t));
    }

    [[nodiscard]] std::uint64_t size() const { return types_.size(); }

    /// A column with one entry for each element.
    [[nodiscard]] hdf5::Dataset column(const std::string& name) const {
        hdf5::Dataset found = population_.dataset(name);
        if (found.shape() != types_.shape()) {
            throw found.error("expected a column of " + std::to_string(size()) + ", found " +
                              found.description() + ".");
        }
        return found;
    }

    /// Places in the table of types, of the elements first, first + 1, ...
    [[nodiscard]] std::vector<std::uint32_t> types(std::uint64_t first, std::uint64_t count) const {
        std::vector<std::uint32_t> places;
        places.reserve(count);
        for (const std::int64_t id : types_.read_part<std::int64_t>(first, count)) {
            const auto found = place_.find(id);
            if (found == place_.end()) {
                throw types_.error(entry(first + places.size()) + "expected a type of the table, found " +
                                   std::to_string(id) + ".");
            }
            places.push_back(found->second);
        }
        return places;
    }

    /// Rows of the groups, of the elements first, first + 1, ...
    struct Rows {
        std::vector<std::int64_t> groups;
        std::vector<std::int64_t> rows;
    };
    [[nodiscard]] Rows rows(std::uint64_t first, std::uint64_t count) const {
        Rows result;
        if (groups_) {
            result.groups = groups_->read_part<std::int64_t>(first, count);
            result.rows = indices_->read_part<std::int64_t>(first, count);
        } else {
            result.groups.assign(count, 0);
            result.rows.resize(count);
            for (std::uint64_t i = 0; i < count; ++i) result.rows[i] = static_cast<std::int64_t>(first + i);
        }
        return result;
    }

    /// Groups by number that hold values.
    [[nodiscard]] std::map<std::int64_t, hdf5::Group> groups() const {
        std::map<std::int64_t, hdf5::Group> result;
        for (const hdf5::Child& child : population_.children()) {
            const bool is_number =
                child.name.size() <= 18 && child.name.find_first_not_of("0123456789") == std::string::npos;
            if (child.kind == hdf5::Kind::group && is_number)
                result.emplace(std::stoll(child.name), population_.group(child.name));
        }
        return result;
    }

    [[nodiscard]] FileError no_row(std::uint64_t i, std::int64_t group, std::int64_t row,
                                   std::size_t length) const {
        return population_.error(entry(i) + "expected a row of group " + std::to_string(group) + ", 0 to " +
                                 std::to_string(length) + " (exclusive), found " + std::to_string(row) + ".");
    }

  private:
    const hdf5::Group& population_;
    hdf5::Dataset types_;
    std::optional<hdf5::Dataset> groups_;
    std::optional<hdf5::Dataset> indices_;
    std::unordered_map<std::int64_t, std::uint32_t> place_;
};

/// One value of the elements that have it of their own, from all groups.
class OwnValues {
  public:
    void add(std::int64_t group, const hdf5::Dataset& column, std::uint64_t limit) {
        std::vector<double> values = column.read<double>(limit * sizeof(double));
        const auto wrong =
            std::find_if(values.begin(), values.end(), [](double x) { return !std::isfinite(x); });
        if (wrong != values.end()) {
            throw column.error(entry(static_cast<std::uint64_t>(wrong - values.begin())) +
                               "expected a finite number, found " + shown(*wrong) + ".");
        }
        of_group_[group] = std::move(values);
    }

    /// Into `values` for the elements first, first + 1, ...; what has none stays.
    void put(const Elements& elements, std::uint64_t first, const Elements::Rows& rows,
             double* values) const {
        if (of_group_.empty()) return;
        auto known = of_group_.end();
        for (std::size_t i = 0; i < rows.groups.size(); ++i) {
            if (known == of_group_.end() || known->first != rows.groups[i])
                known = of_group_.find(rows.groups[i]);
            if (known == of_group_.end()) continue;
            const std::int64_t row = rows.rows[i];
            if (row < 0 || static_cast<std::uint64_t>(row) >= known->second.size())
                throw elements.no_row(first + i, known->first, row, known->second.size());
            values[i] = known->second[static_cast<std::size_t>(row)];
        }
    }

  private:
    std::map<std::int64_t, std::vector<double>> of_group_;
};

std::vector<SonataType> types_of(const SonataFiles& files, const char* id_column,
                                 const std::filesystem::path& parameters) {
    if (files.types.empty()) return {};
    return read_sonata_types(files.types, id_column, parameters);
}

/// Node ids may be written down in another order than their rows; without them a node is its row.
std::vector<std::uint32_t> order_of(const hdf5::Group& group, const Elements& elements) {
    std::vector<std::uint32_t> id(elements.size());
    if (!group.contains("node_id")) {
        for (std::size_t i = 0; i < id.size(); ++i) id[i] = static_cast<std::uint32_t>(i);
        return id;
    }
    const hdf5::Dataset ids = elements.column("node_id");
    const std::vector<std::int64_t> values = ids.read<std::int64_t>(most_nodes * sizeof(std::int64_t));
    std::vector<bool> seen(id.size(), false);
    for (std::size_t i = 0; i < id.size(); ++i) {
        const std::int64_t x = values[i];
        if (x < 0 || static_cast<std::uint64_t>(x) >= id.size() || seen[static_cast<std::size_t>(x)]) {
            throw ids.error(entry(i) + "expected each of 0 to " + std::to_string(id.size() - 1) +
                            " once, found " + std::to_string(x) + ".");
        }
        seen[static_cast<std::size_t>(x)] = true;
        id[i] = static_cast<std::uint32_t>(x);
    }
    return id;
}

std::vector<std::uint32_t> shape_of(const hdf5::Group& group, std::uint64_t size) {
    if (!group.contains("shape")) return {};
    const hdf5::Dataset stored = group.dataset("shape");
    const std::vector<std::uint32_t> shape = stored.read<std::uint32_t>(most_dimensions * 4);
    std::uint64_t product = 1;
    for (const std::uint32_t n : shape) product = std::min(most_nodes + 1, product * n);
    if (stored.shape().size() != 1 || product != size) {
        throw stored.error("expected sizes whose product is the number of nodes, " + std::to_string(size) +
                           ", found another.");
    }
    return shape;
}

SonataNodes nodes_of(const hdf5::Group& group, const std::string& name, const SonataFiles& files,
                     const std::vector<SonataType>& types) {
    const Elements elements(group, "node", most_nodes, types);
    SonataNodes nodes{files.elements.string(), name, types, {}, {}, shape_of(group, elements.size())};
    const std::vector<std::uint32_t> id = order_of(group, elements);
    const std::vector<std::uint32_t> type = elements.types(0, elements.size());
    nodes.type.resize(type.size());
    for (std::size_t i = 0; i < type.size(); ++i) nodes.type[id[i]] = type[i];

    std::map<std::string, OwnValues> own;
    for (const auto& [number, values] : elements.groups()) {
        for (const char* const attribute : {"model_type", "model_template"}) {
            if (values.contains(attribute)) {
                throw values.error_at(attribute,
                                      "is read from the table of node types only. Write it there.");
            }
        }
        if (!values.contains("dynamics_params")) continue;
        const hdf5::Group parameters = values.group("dynamics_params");
        for (const hdf5::Child& child : parameters.children())
            own[child.name].add(number, parameters.dataset(child.name), elements.size());
    }
    const Elements::Rows rows = elements.rows(0, own.empty() ? 0 : elements.size());
    for (const auto& [parameter, values] : own) {
        std::vector<double> by_row(elements.size(), nothing);
        values.put(elements, 0, rows, by_row.data());
        std::vector<double>& by_id = nodes.parameters[parameter];
        by_id.resize(by_row.size());
        for (std::size_t i = 0; i < by_row.size(); ++i) by_id[id[i]] = by_row[i];
    }
    return nodes;
}

/// What the types say of a weight or delay: their column, or their parameter.
std::vector<double> of_types(const std::vector<SonataType>& types, const std::string& column,
                             const std::string& parameter, const std::filesystem::path& table) {
    std::vector<double> values;
    for (const SonataType& type : types) {
        double value = nothing;
        if (const auto found = type.parameters.find(parameter); found != type.parameters.end())
            value = found->second;
        if (const auto found = type.attributes.find(column); found != type.attributes.end()) {
            char* end = nullptr;
            value = std::strtod(found->second.c_str(), &end);
            if (*end != '\0' || !std::isfinite(value)) {
                throw FileError::unexpected(table.string(),
                                            "edge type " + std::to_string(type.id) + ", " + column,
                                            "a finite number", saltus::quoted(found->second));
            }
        }
        values.push_back(value);
    }
    return values;
}

std::string end_of(const hdf5::Dataset& ids) {
    const auto name = ids.string_attribute("node_population");
    if (!name) throw ids.error("expected an attribute 'node_population', found none.");
    return *name;
}

void append(std::vector<NeuronIndex>& neurons, const hdf5::Dataset& ids, std::uint64_t first,
            std::uint64_t count) {
    for (const std::int64_t id : ids.read_part<std::int64_t>(first, count)) {
        if (id < 0 || static_cast<std::uint64_t>(id) >= most_nodes) {
            throw ids.error(entry(neurons.size()) + "expected a node, 0 to " +
                            std::to_string(most_nodes - 1) + ", found " + std::to_string(id) + ".");
        }
        neurons.push_back(static_cast<NeuronIndex>(id));
    }
}

SonataEdges edges_of(const hdf5::Group& group, const std::string& name, const SonataFiles& files,
                     const std::vector<SonataType>& types) {
    const Elements elements(group, "edge", most_edges, types);
    const hdf5::Dataset sources = elements.column("source_node_id");
    const hdf5::Dataset targets = elements.column("target_node_id");
    SonataEdges edges{files.elements.string(), name, end_of(sources), end_of(targets), {}, {}, {}, {}, {}};
    if (group.contains("constant_signal"))
        edges.constant_signal = group.dataset("constant_signal").read<double>(most_nodes * sizeof(double));

    OwnValues weights;
    OwnValues delays;
    OwnValues counts;
    for (const auto& [number, values] : elements.groups()) {
        const auto add = [&, &number = number](OwnValues& own, const hdf5::Group& in, const char* child) {
            if (in.contains(child)) own.add(number, in.dataset(child), elements.size());
        };
        if (values.contains("dynamics_params")) {
            const hdf5::Group parameters = values.group("dynamics_params");
            add(weights, parameters, "weight");
            add(delays, parameters, "delay");
        }
        add(weights, values, "syn_weight");
        add(delays, values, "delay");
        add(counts, values, "nsyns");
    }
    const std::vector<double> weight_of_type = of_types(types, "syn_weight", "weight", files.types);
    const std::vector<double> delay_of_type = of_types(types, "delay", "delay", files.types);

    const std::uint64_t n = elements.size();
    edges.sources.reserve(n);
    edges.targets.reserve(n);
    edges.weight.resize(n);
    edges.delay.resize(n);
    std::vector<double> repeats;
    for (std::uint64_t first = 0; first < n; first += part) {
        const std::uint64_t count = std::min(part, n - first);
        append(edges.sources, sources, first, count);
        append(edges.targets, targets, first, count);
        const std::vector<std::uint32_t> type = elements.types(first, count);
        for (std::uint64_t i = 0; i < count; ++i) {
            edges.weight[first + i] = weight_of_type[type[i]];
            edges.delay[first + i] = delay_of_type[type[i]];
        }
        const Elements::Rows rows = elements.rows(first, count);
        weights.put(elements, first, rows, edges.weight.data() + first);
        delays.put(elements, first, rows, edges.delay.data() + first);
        repeats.assign(count, 1.0);
        counts.put(elements, first, rows, repeats.data());
        for (std::uint64_t i = 0; i < count; ++i) edges.weight[first + i] *= repeats[i];
    }
    return edges;
}

/// Calls f(group, name) for the populations of a file below `root`.
template <class F>
void for_each_population(const hdf5::File& file, const std::string& root, F&& f) {
    const hdf5::Group all = file.root().group(root);
    for (const hdf5::Child& child : all.children()) f(all.group(child.name), child.name);
}

}  // namespace

SonataCircuit read_sonata_circuit(const std::filesystem::path& path) {
    const SonataConfig config = read_sonata_config(path);
    SonataCircuit circuit;
    for (const SonataFiles& files : config.nodes) {
        const std::vector<SonataType> types = types_of(files, "node_type_id", config.node_parameters);
        for_each_population(hdf5::File::open(files.elements), "nodes",
                            [&](const hdf5::Group& group, const std::string& name) {
                                circuit.nodes.push_back(nodes_of(group, name, files, types));
                            });
    }
    for (const SonataFiles& files : config.edges) {
        const std::vector<SonataType> types = types_of(files, "edge_type_id", config.edge_parameters);
        for_each_population(hdf5::File::open(files.elements), "edges",
                            [&](const hdf5::Group& group, const std::string& name) {
                                circuit.edges.push_back(edges_of(group, name, files, types));
                            });
    }
    if (circuit.nodes.empty())
        throw FileError(path.string(), "networks.nodes", "names no population of nodes.");
    circuit.outputs = config.outputs;
    return circuit;
}

}  // namespace saltus::io
