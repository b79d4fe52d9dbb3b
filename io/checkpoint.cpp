#include "saltus/io/checkpoint.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "files.hpp"
#include "hdf5.hpp"
#include "sealed.hpp"

namespace saltus::io {

namespace {

constexpr const char* format = "saltus checkpoint";
constexpr std::uint32_t version = 1;

/// One member of each of `rows`, as a column.
template <class T, class Rows, class Member>
void write_member(const hdf5::Group& group, const std::string& name, const Rows& rows, Member member) {
    std::vector<T> values;
    values.reserve(rows.size());
    for (const auto& row : rows) values.push_back(static_cast<T>(member(row)));
    write_column(group, name, values);
}

template <class Row>
std::int64_t femtoseconds_of(const Row& row) {
    return row.time.femtoseconds();
}

void write_population(const hdf5::Group& group, const PopulationSnapshot& population,
                      std::uint64_t spike_count, const SpikeTrain& spikes) {
    write_value(group, "size", population.size);
    write_value(group, "frame_origin", population.frame_origin);
    write_value(group, "spike_count", spike_count);
    const hdf5::Group reals = group.create_group("reals");
    for (const auto& [name, column] : population.reals) write_column(reals, name, column);
    const hdf5::Group ticks = group.create_group("ticks");
    for (const auto& [name, column] : population.ticks) write_column(ticks, name, column);

    const hdf5::Group events = group.create_group("events");
    write_member<std::int64_t>(events, "time", population.events, femtoseconds_of<NeuronEvent>);
    write_member<std::uint32_t>(events, "neuron", population.events, [](const auto& e) { return e.neuron; });
    write_member<std::int64_t>(events, "what", population.events, [](const auto& e) { return e.what; });
    write_member<double>(events, "rest_fs", population.events, [](const auto& e) { return e.rest_fs; });

    const hdf5::Group trains = group.create_group("trains");
    for (std::size_t k = 0; k < population.trains.size(); ++k) {
        const hdf5::Group train = trains.create_group(std::to_string(k));
        const auto& groups = population.trains[k];
        write_member<std::int64_t>(train, "chunk", groups, [](const auto& at) { return at.chunk; });
        write_member<std::int64_t>(train, "base", groups, [](const auto& at) { return at.base; });
        write_member<std::int64_t>(train, "position", groups, [](const auto& at) { return at.position; });
    }

    const hdf5::Group recorded = group.create_group("spikes");
    write_member<std::int64_t>(recorded, "time", spikes.times, [](Time t) { return t.femtoseconds(); });
    write_column(recorded, "neuron", spikes.neurons);
}

/// Calls f(group) for the children "0", "1", ..., which are all there are.
template <class F>
void each_numbered(const hdf5::Group& group, F&& f) {
    const std::size_t n = group.children().size();
    for (std::size_t k = 0; k < n; ++k) f(group.group(std::to_string(k)));
}

/// All columns together hold no more than the file: what asks for more is no checkpoint of ours.
class Reader {
  public:
    explicit Reader(std::uint64_t file_size) : left_(file_size) {}

    Snapshot snapshot(const hdf5::Group& root) {
        Snapshot snapshot;
        snapshot.network = value<std::uint64_t>(root, "network");
        snapshot.inputs = value<std::uint64_t>(root, "inputs");
        snapshot.time = Time(Duration(value<std::int64_t>(root, "time")));
        snapshot.synaptic_events = value<std::uint64_t>(root, "synaptic_events");
        snapshot.windows = value<std::uint64_t>(root, "windows");
        snapshot.in_flight = in_flight(root.group("in_flight"));
        each_numbered(root.group("populations"), [&](const hdf5::Group& group) {
            snapshot.populations.push_back(population(group));
            snapshot.spike_counts.push_back(value<std::uint64_t>(group, "spike_count"));
            snapshot.spikes.push_back(spikes(group.group("spikes")));
        });
        return snapshot;
    }

  private:
    template <class T>
    T value(const hdf5::Group& group, const std::string& name) {
        const hdf5::Dataset dataset = group.dataset(name);
        if (!dataset.shape().empty()) {
            throw dataset.error("expected one value, found " + dataset.description() + ".");
        }
        return dataset.read<T>(sizeof(T)).front();
    }

    template <class T>
    std::vector<T> column(const hdf5::Group& group, const std::string& name) {
        const hdf5::Dataset dataset = group.dataset(name);
        if (dataset.shape().size() != 1) {
            throw dataset.error("expected one column, found " + dataset.description() + ".");
        }
        std::vector<T> values = dataset.read<T>(left_);
        left_ -= values.size() * sizeof(T);
        return values;
    }
    template <class T>
    std::vector<T> column(const hdf5::Group& group, const std::string& name, std::size_t rows) {
        std::vector<T> values = column<T>(group, name);
        if (values.size() != rows) {
            throw group.error_at(name, "expected " + std::to_string(rows) + " entries, found " +
                                           std::to_string(values.size()) + ".");
        }
        return values;
    }
    template <class T>
    std::map<std::string, std::vector<T>> columns(const hdf5::Group& group, std::uint32_t neurons) {
        std::map<std::string, std::vector<T>> columns;
        for (const hdf5::Child& child : group.children()) {
            columns[child.name] = column<T>(group, child.name, neurons);
        }
        return columns;
    }

    PopulationSnapshot population(const hdf5::Group& group) {
        PopulationSnapshot population;
        population.size = value<std::uint32_t>(group, "size");
        population.frame_origin = value<std::int64_t>(group, "frame_origin");
        population.reals = columns<double>(group.group("reals"), population.size);
        population.ticks = columns<std::int64_t>(group.group("ticks"), population.size);
        population.events = events(group.group("events"));
        each_numbered(group.group("trains"),
                      [&](const hdf5::Group& train) { population.trains.push_back(positions(train)); });
        return population;
    }

    std::vector<NeuronEvent> events(const hdf5::Group& group) {
        const auto time = column<std::int64_t>(group, "time");
        const auto neuron = column<std::uint32_t>(group, "neuron", time.size());
        const auto what = column<std::int64_t>(group, "what", time.size());
        const auto rest_fs = column<double>(group, "rest_fs", time.size());
        std::vector<NeuronEvent> events;
        events.reserve(time.size());
        for (std::size_t k = 0; k < time.size(); ++k) {
            events.push_back({Time(Duration(time[k])), neuron[k], NeuronEvent::What{what[k]}, rest_fs[k]});
        }
        return events;
    }

    std::vector<TrainPosition> positions(const hdf5::Group& group) {
        const auto chunk = column<std::int64_t>(group, "chunk");
        const auto base = column<std::int64_t>(group, "base", chunk.size());
        const auto position = column<std::int64_t>(group, "position", chunk.size());
        std::vector<TrainPosition> positions;
        positions.reserve(chunk.size());
        for (std::size_t k = 0; k < chunk.size(); ++k) positions.push_back({chunk[k], base[k], position[k]});
        return positions;
    }

    SpikeTrain spikes(const hdf5::Group& group) {
        const auto time = column<std::int64_t>(group, "time");
        SpikeTrain spikes;
        spikes.neurons = column<std::uint32_t>(group, "neuron", time.size());
        spikes.times.reserve(time.size());
        for (const std::int64_t t : time) spikes.times.emplace_back(Duration(t));
        return spikes;
    }

    std::vector<Spike> in_flight(const hdf5::Group& group) {
        const auto time = column<std::int64_t>(group, "time");
        const auto population = column<std::uint32_t>(group, "population", time.size());
        const auto neuron = column<std::uint32_t>(group, "neuron", time.size());
        std::vector<Spike> spikes;
        spikes.reserve(time.size());
        for (std::size_t k = 0; k < time.size(); ++k) {
            spikes.push_back({Time(Duration(time[k])), population[k], neuron[k]});
        }
        return spikes;
    }

    std::uint64_t left_;  // bytes
};

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const Snapshot& snapshot) {
    AtomicFile atomic(path);
    hdf5::File file = hdf5::File::create(atomic.temporary(), atomic.target());
    {
        const hdf5::Group root = file.root();
        write_version(root, format, version);
        write_value(root, "network", snapshot.network);
        write_value(root, "inputs", snapshot.inputs);
        write_value(root, "time", snapshot.time.femtoseconds());
        write_value(root, "synaptic_events", snapshot.synaptic_events);
        write_value(root, "windows", snapshot.windows);
        const hdf5::Group in_flight = root.create_group("in_flight");
        write_member<std::int64_t>(in_flight, "time", snapshot.in_flight, femtoseconds_of<Spike>);
        write_member<std::uint32_t>(in_flight, "population", snapshot.in_flight,
                                    [](const Spike& spike) { return spike.population; });
        write_member<std::uint32_t>(in_flight, "neuron", snapshot.in_flight,
                                    [](const Spike& spike) { return spike.neuron; });
        const hdf5::Group populations = root.create_group("populations");
        for (std::size_t q = 0; q < snapshot.populations.size(); ++q) {
            write_population(populations.create_group(std::to_string(q)), snapshot.populations[q],
                             snapshot.spike_counts[q], snapshot.spikes[q]);
        }
    }
    file.close();
    write_seal(atomic);
    atomic.commit();
}

void write_checkpoints(SimulationOptions& options, const std::filesystem::path& path,
                       std::chrono::duration<double> every, std::function<bool()> stopping) {
    using Clock = std::chrono::steady_clock;
    const auto last = std::make_shared<Clock::time_point>(Clock::now());
    options.snapshot_due = [last, every, stopping = std::move(stopping), stopped = false](Time) mutable {
        if (!stopped && stopping && stopping()) return stopped = true;
        return Clock::now() - *last >= every;
    };
    options.on_snapshot = [last, path](const Snapshot& snapshot) {
        write_checkpoint(path, snapshot);
        *last = Clock::now();
    };
}

Snapshot read_checkpoint(const std::filesystem::path& path) {
    const std::uint64_t size = io::file_size(path);
    check_seal(path, size);
    const hdf5::File file = hdf5::File::open(path);
    const hdf5::Group root = file.root();
    check_version(path.string(), root, format, version);
    return Reader(size).snapshot(root);
}

}  // namespace saltus::io
