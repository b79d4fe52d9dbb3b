// Spikes and potentials in SONATA files (Dai et al., PLoS Comput. Biol. 16, e1007696, 2020; developer guide
// of the format, sections "spike file" and "report"):
//     /spikes/POP           attribute sorting: enum uint8 {none, by_id, by_time}
//     /spikes/POP/timestamps  float64, attribute units      /spikes/POP/node_ids  uint64
//     /spikes/timestamps, /spikes/gids                      the older layout, without populations
//     /report/POP/data      float64 (instants, neurons)     /report/POP/mapping/{node_ids, index_pointers,
//     element_ids} /report/POP/mapping/time  start, stop, step           attribute units
// Beside timestamps stands an int64 column of our own, femtoseconds, which other readers pass over.
#include <algorithm>
#include <array>
#include <numeric>
#include <set>
#include <string_view>

#include "files.hpp"
#include "hdf5.hpp"
#include "recorded_time.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/spikes.hpp"

namespace saltus::io {

namespace {

constexpr std::uint64_t max_spikes = std::uint64_t{1} << 28;
constexpr std::int64_t largest_node = 0xfffffffe;  // 2^32 - 2
constexpr double femtoseconds_per_ms = 1e12;
constexpr std::uint32_t sonata_magic = 0x0a7a;

struct Unit {
    std::string_view name;
    double femtoseconds;
};
constexpr std::array<Unit, 6> units{
    {{"fs", 1.0}, {"ps", 1e3}, {"ns", 1e6}, {"us", 1e9}, {"ms", 1e12}, {"s", 1e15}}};

std::string entry(std::size_t i) {
    return "entry " + std::to_string(i) + ": ";
}

double femtoseconds_per_unit(const hdf5::Dataset& timestamps) {
    const std::string name = timestamps.string_attribute("units").value_or("ms");
    const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == name; });
    if (unit == units.end()) {
        throw timestamps.error("attribute 'units': expected one of fs, ps, ns, us, ms, s, found " +
                               saltus::quoted(name) + ".");
    }
    return unit->femtoseconds;
}

void check_column(const hdf5::Dataset& column, const hdf5::Dataset& timestamps) {
    if (column.shape() != timestamps.shape() || column.shape().size() != 1) {
        throw column.error("expected one column as long as timestamps " +
                           hdf5::to_string(timestamps.shape()) + ", found shape " +
                           hdf5::to_string(column.shape()) + ".");
    }
}

std::vector<Time> times_of(const hdf5::Dataset& timestamps, std::uint64_t limit) {
    const double unit = femtoseconds_per_unit(timestamps);
    std::vector<Time> times;
    const std::vector<double> values = timestamps.read<double>(limit * sizeof(double));
    times.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::optional<Time> time = recorded_time(values[i], unit);
        if (!time) {
            throw timestamps.error(entry(i) + "expected a time from 0 to 9223 s, found " +
                                   std::to_string(values[i]) + ".");
        }
        times.push_back(*time);
    }
    return times;
}

/// Replaces the times by the exact ones beside them. The two must agree as far as a double can tell: a file
/// whose timestamps were changed by another tool is not read as if they had not been.
void refine(std::vector<Time>& times, const hdf5::Dataset& femtoseconds) {
    const std::vector<std::int64_t> exact =
        femtoseconds.read<std::int64_t>(times.size() * sizeof(std::int64_t));
    for (std::size_t i = 0; i < times.size(); ++i) {
        const std::int64_t tolerance = 1 + times[i].femtoseconds() / (std::int64_t{1} << 52);
        if (exact[i] < 0 || std::abs(exact[i] - times[i].femtoseconds()) > tolerance) {
            throw femtoseconds.error(entry(i) + "expected the time that stands in timestamps, " +
                                     std::to_string(times[i].femtoseconds()) + " fs, found " +
                                     std::to_string(exact[i]) +
                                     ". Delete this column where timestamps were changed on purpose.");
        }
        times[i] = Time(Duration(exact[i]));
    }
}

std::vector<NeuronIndex> neurons_of(const hdf5::Dataset& node_ids, std::uint64_t limit) {
    const std::vector<std::int64_t> ids = node_ids.read<std::int64_t>(limit * sizeof(std::int64_t));
    std::vector<NeuronIndex> neurons;
    neurons.reserve(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (ids[i] < 0 || ids[i] > largest_node) {
            throw node_ids.error(entry(i) + "expected a node id from 0 to " + std::to_string(largest_node) +
                                 ", found " + std::to_string(ids[i]) + ".");
        }
        neurons.push_back(static_cast<NeuronIndex>(ids[i]));
    }
    return neurons;
}

SpikeTrain train_of(const hdf5::Group& group, const std::string& ids, std::uint64_t limit) {
    const hdf5::Dataset timestamps = group.dataset("timestamps");
    const hdf5::Dataset node_ids = group.dataset(ids);
    check_column(node_ids, timestamps);
    SpikeTrain spikes{times_of(timestamps, limit), neurons_of(node_ids, limit)};
    if (group.contains("femtoseconds")) {
        const hdf5::Dataset femtoseconds = group.dataset("femtoseconds");
        check_column(femtoseconds, timestamps);
        refine(spikes.times, femtoseconds);
    }
    spikes.sort();
    return spikes;
}

void check_name(const std::string& population, std::set<std::string>& seen) {
    if (population.empty() || population == "." || population.find('/') != std::string::npos ||
        population.find('\0') != std::string::npos) {
        throw UsageError("population " + saltus::quoted(population) +
                         ": expected a name that HDF5 can hold (not empty, no '/'). Rename it.");
    }
    if (!seen.insert(population).second) {
        throw UsageError("population " + saltus::quoted(population) +
                         ": expected each name once, found it twice.");
    }
}

void check(const PopulationSpikes& population) {
    const SpikeTrain& spikes = population.spikes;
    const std::string where = "spikes of " + saltus::quoted(population.population) + ": ";
    if (spikes.times.size() != spikes.neurons.size()) {
        throw UsageError(where + "expected as many times as neurons, found " +
                         std::to_string(spikes.times.size()) + " and " +
                         std::to_string(spikes.neurons.size()) + ".");
    }
    for (const Time time : spikes.times) {
        if (time < Time()) {
            throw UsageError(where + "expected times from 0 on, found " + to_string(time.since_start()) +
                             ".");
        }
    }
}

/// The spacing of the instants; a single instant has none, and the layout asks for one: 1 ms.
Duration spacing(const PopulationPotentials& potentials) {
    const std::string where = "potentials of " + saltus::quoted(potentials.population) + ": ";
    const std::vector<Time>& times = potentials.times;
    if (potentials.values.size() != times.size() * potentials.neurons) {
        throw UsageError(where + "expected " + std::to_string(times.size()) + " x " +
                         std::to_string(potentials.neurons) + " values, found " +
                         std::to_string(potentials.values.size()) + ".");
    }
    if (times.size() < 2) return Duration(static_cast<std::int64_t>(femtoseconds_per_ms));
    const Duration step = times[1] - times[0];
    for (std::size_t i = 1; i < times.size(); ++i) {
        if (step <= Duration() || times[i] - times[i - 1] != step) {
            throw UsageError(where + "expected equally spaced instants (every " + to_string(step) +
                             "), found " + to_string(times[i - 1].since_start()) + " and then " +
                             to_string(times[i].since_start()) + ".");
        }
    }
    return step;
}

double milliseconds(std::int64_t femtoseconds) {
    return static_cast<double>(femtoseconds) / femtoseconds_per_ms;
}

/// Never compressed: a common reader, the wheel of libsonata, has no gzip.
template <class T>
hdf5::Object written(const hdf5::Group& group, const std::string& name, const std::vector<T>& values,
                     const std::vector<std::uint64_t>& shape) {
    return group.write_numbers(name, hdf5::native_type<T>(), shape, values.data(), hdf5::Storage::plain);
}

void write(const hdf5::Group& parent, const PopulationSpikes& population) {
    check(population);
    SpikeTrain spikes = population.spikes;
    spikes.sort();
    std::vector<double> timestamps;
    std::vector<std::int64_t> femtoseconds;
    for (const Time time : spikes.times) {
        timestamps.push_back(milliseconds(time.femtoseconds()));
        femtoseconds.push_back(time.femtoseconds());
    }
    const std::vector<std::uint64_t> node_ids(spikes.neurons.begin(), spikes.neurons.end());
    const std::vector<std::uint64_t> shape{spikes.size()};

    const hdf5::Group group = parent.create_group(population.population);
    group.write_enum_attribute("sorting", {"none", "by_id", "by_time"}, 2);
    written(group, "timestamps", timestamps, shape).write_attribute("units", "ms");
    written(group, "node_ids", node_ids, shape);
    written(group, "femtoseconds", femtoseconds, shape);
}

void write(const hdf5::Group& parent, const PopulationPotentials& potentials) {
    const Duration step = spacing(potentials);
    const std::int64_t start = potentials.times.empty() ? 0 : potentials.times.front().femtoseconds();
    const std::vector<double> time{
        milliseconds(start),
        (static_cast<double>(start) +
         static_cast<double>(potentials.times.size()) * static_cast<double>(step.femtoseconds())) /
            femtoseconds_per_ms,
        milliseconds(step.femtoseconds())};
    const std::uint64_t n = potentials.neurons;
    std::vector<std::uint64_t> node_ids(n);
    std::iota(node_ids.begin(), node_ids.end(), std::uint64_t{0});
    std::vector<std::uint64_t> pointers(n + 1);
    std::iota(pointers.begin(), pointers.end(), std::uint64_t{0});

    const hdf5::Group group = parent.create_group(potentials.population);
    std::vector<float> rounded;
    for (const double value : potentials.values) rounded.push_back(static_cast<float>(value));
    const std::vector<std::uint64_t> shape{potentials.times.size(), n};
    written(group, "data", rounded, shape).write_attribute("units", "V");
    written(group, "values", potentials.values, shape).write_attribute("units", "V");
    const hdf5::Group mapping = group.create_group("mapping");
    written(mapping, "node_ids", node_ids, {n}).write_attribute("sorted", std::uint32_t{1});
    written(mapping, "index_pointers", pointers, {n + 1});
    written(mapping, "element_ids", std::vector<std::uint32_t>(n, 0), {n});
    written(mapping, "time", time, {3}).write_attribute("units", "ms");
}

template <class Population>
void write_all(const hdf5::Group& root, const std::string& name, const std::vector<Population>& populations) {
    std::set<std::string> seen;
    const hdf5::Group group = root.create_group(name);
    for (const Population& population : populations) {
        check_name(population.population, seen);
        write(group, population);
    }
}

}  // namespace

SpikeLayout spike_layout(const std::filesystem::path& path) {
    const hdf5::File file = hdf5::File::open(path);
    const hdf5::Group root = file.root();
    if (root.contains("events") && root.contains("offsets")) return SpikeLayout::camera;
    if (root.contains("samples") && root.contains("labels")) return SpikeLayout::features;
    if (!root.contains("spikes")) {
        throw FileError::unexpected(
            path.string(), "",
            "spikes (SONATA: /spikes/POP, SHD: /spikes/times) or camera events (/events, /offsets)",
            "none of these groups");
    }
    const hdf5::Group spikes = root.group("spikes");
    const bool is_batch = spikes.contains("times") && spikes.contains("units");
    return is_batch ? SpikeLayout::batch : SpikeLayout::sonata;
}

std::vector<PopulationSpikes> read_spikes(const std::filesystem::path& path) {
    const hdf5::File file = hdf5::File::open(path);
    const hdf5::Group spikes = file.root().group("spikes");
    if (spikes.contains("timestamps")) return {{"", train_of(spikes, "gids", max_spikes)}};
    if (spikes.contains("times") && spikes.contains("units")) {
        throw spikes.error(
            "expected populations (SONATA), found labelled samples (SHD). Read it as a data set.");
    }
    std::vector<PopulationSpikes> populations;
    std::uint64_t left = max_spikes;
    for (const hdf5::Child& child : spikes.children()) {
        populations.push_back({child.name, train_of(spikes.group(child.name), "node_ids", left)});
        left -= populations.back().spikes.size();
    }
    return populations;
}

void write_spikes(const std::filesystem::path& path, const std::vector<PopulationSpikes>& populations,
                  const std::vector<PopulationPotentials>& potentials) {
    AtomicFile atomic(path);
    hdf5::File file = hdf5::File::create(atomic.temporary(), atomic.target());
    {
        const hdf5::Group root = file.root();
        root.write_attribute("magic", sonata_magic);
        root.write_attribute("version", std::vector<std::uint32_t>{0, 1});
        write_all(root, "spikes", populations);
        if (!potentials.empty()) write_all(root, "report", potentials);
    }
    file.close();
    atomic.commit();
}

}  // namespace saltus::io
