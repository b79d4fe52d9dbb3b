#include "saltus/io/nir_data.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "files.hpp"
#include "hdf5.hpp"
#include "nir_hdf5.hpp"
#include "recorded_time.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::io {

namespace {

constexpr std::uint64_t most_bytes = std::uint64_t{1} << 31;  // of one array
constexpr std::int64_t most_neurons = 0xfffffffe;
constexpr double femtoseconds_per_second = 1e15;

std::string entry(std::size_t i) {
    return "entry " + std::to_string(i) + ": ";
}

std::string type_of(const hdf5::Object& object) {
    const auto type = object.string_attribute("__type__");
    if (!type) throw object.error("expected an attribute '__type__', found none.");
    return *type;
}

void check_type(const hdf5::Object& object, const char* expected) {
    const std::string type = type_of(object);
    if (type == "NIRGraphData" && std::string_view(expected) == "NIRNodeData")
        throw object.error("holds the recordings of a graph within the graph, which are not read.");
    if (type != expected) {
        throw object.error(std::string("attribute '__type__': expected ") + expected + ", found " +
                           saltus::quoted(type) + ".");
    }
}

double positive(const hdf5::Group& group, const char* attribute, bool or_zero) {
    const auto value = group.real_attribute(attribute);
    const std::string name = std::string("attribute '") + attribute + "': ";
    if (!value) throw group.error(name + "expected a number, found none.");
    if (!std::isfinite(*value) || *value < 0.0 || (*value == 0.0 && !or_zero))
        throw group.error(name + "expected " + (or_zero ? ">= 0" : "> 0") + ", found " + shown(*value) + ".");
    return *value;
}

NirEvents events_of(const hdf5::Group& group, bool has_values) {
    const hdf5::Dataset idx = group.dataset("idx");
    const hdf5::Dataset time = group.dataset("time");
    if (idx.shape().size() != 2)
        throw idx.error("expected the shape (samples, events), found " + hdf5::to_string(idx.shape()) + ".");
    const auto check_shape = [&](const hdf5::Dataset& other) {
        if (other.shape() == idx.shape()) return;
        throw other.error("expected the shape of idx, " + hdf5::to_string(idx.shape()) + ", found " +
                          hdf5::to_string(other.shape()) + ".");
    };
    check_shape(time);
    NirEvents events{idx.shape()[0], idx.shape()[1], {}, {}, {}, 0, 0.0};
    const auto neurons = group.integer_attribute("n_neurons");
    if (!neurons || *neurons < 0 || *neurons > most_neurons) {
        throw group.error("attribute 'n_neurons': expected a number from 0 to " +
                          std::to_string(most_neurons) + ", found " +
                          (neurons ? std::to_string(*neurons) : "none") + ".");
    }
    events.n_neurons = *neurons;
    events.t_max = positive(group, "t_max", true);
    events.idx = idx.read<std::int64_t>(most_bytes);
    events.time = time.read<double>(most_bytes);
    for (std::size_t i = 0; i < events.idx.size(); ++i) {
        if (events.idx[i] < -1 || events.idx[i] >= events.n_neurons) {
            throw idx.error(entry(i) + "expected -1 (none) or a neuron below " +
                            std::to_string(events.n_neurons) + ", found " + std::to_string(events.idx[i]) +
                            ".");
        }
        if (events.idx[i] >= 0 && !recorded_time(events.time[i], femtoseconds_per_second)) {
            throw time.error(entry(i) + "expected a time from 0 to 9223 s, found " + shown(events.time[i]) +
                             ".");
        }
    }
    if (has_values) {
        const hdf5::Dataset value = group.dataset("value");
        check_shape(value);
        events.value = value.read<double>(most_bytes);
    }
    return events;
}

NirGrid grid_of(const hdf5::Group& group) {
    const hdf5::Dataset data = group.dataset("data");
    if (data.shape().size() != 3) {
        throw data.error("expected the shape (samples, steps, neurons), found " +
                         hdf5::to_string(data.shape()) + ".");
    }
    data.check_size(sizeof(double), most_bytes);
    return {nir_array_of(data), positive(group, "dt", false)};
}

/// One train for each sample, of what counts as spikes.
std::vector<SpikeTrain> trains_of(const NirEvents& events) {
    std::vector<SpikeTrain> trains(events.samples);
    for (std::uint64_t sample = 0; sample < events.samples; ++sample) {
        for (std::uint64_t i = sample * events.events; i < (sample + 1) * events.events; ++i) {
            if (events.idx[i] < 0) continue;
            trains[sample].add(*recorded_time(events.time[i], femtoseconds_per_second),
                               static_cast<NeuronIndex>(events.idx[i]));
        }
        trains[sample].sort();
    }
    return trains;
}

std::vector<SpikeTrain> trains_of(const NirGrid& grid, const std::string& origin, const std::string& node) {
    const auto samples = grid.data.shape[0];
    const auto steps = grid.data.shape[1];
    const auto neurons = grid.data.shape[2];
    if (!recorded_time(static_cast<double>(steps) * grid.dt, femtoseconds_per_second))
        throw FileError(origin, "node " + saltus::quoted(node), "its steps end beyond 9223 s.");
    std::vector<SpikeTrain> trains(samples);
    std::uint64_t i = 0;
    for (SpikeTrain& train : trains) {
        for (std::uint64_t step = 0; step < steps; ++step) {
            const Time time = *recorded_time(static_cast<double>(step) * grid.dt, femtoseconds_per_second);
            for (std::uint64_t neuron = 0; neuron < neurons; ++neuron, ++i) {
                if (grid.data.integer(i) != 0) train.add(time, static_cast<NeuronIndex>(neuron));
            }
        }
    }
    return trains;
}

bool can_be_spikes(const std::variant<NirEvents, NirGrid>& observable) {
    if (const auto* events = std::get_if<NirEvents>(&observable)) return events->value.empty();
    return std::get<NirGrid>(observable).data.type == NirType::boolean;
}

}  // namespace

std::vector<NirNodeData> read_nir_data(const std::filesystem::path& path) {
    const hdf5::File file = hdf5::File::open(path);
    const hdf5::Group root = file.root();
    check_type(root, "NIRGraphData");
    std::vector<NirNodeData> nodes;
    const hdf5::Group all = root.group("nodes");
    for (const hdf5::Child& child : all.children()) {
        const hdf5::Group group = all.group(child.name);
        check_type(group, "NIRNodeData");
        NirNodeData& node = nodes.emplace_back(NirNodeData{child.name, {}});
        const hdf5::Group observables = group.group("observables");
        for (const hdf5::Child& observed : observables.children()) {
            const hdf5::Group one = observables.group(observed.name);
            const std::string type = type_of(one);
            if (type == "TimeGriddedData") {
                node.observables.emplace_back(observed.name, grid_of(one));
            } else if (type == "EventData" || type == "ValuedEventData") {
                node.observables.emplace_back(observed.name, events_of(one, type == "ValuedEventData"));
            } else {
                throw one.error(
                    "attribute '__type__': expected EventData, ValuedEventData or TimeGriddedData, found " +
                    saltus::quoted(type) + ".");
            }
        }
    }
    return nodes;
}

void write_nir_data(const std::filesystem::path& path, const std::vector<NirNodeData>& nodes) {
    AtomicFile atomic(path);
    hdf5::File file = hdf5::File::create(atomic.temporary(), atomic.target());
    {
        const hdf5::Group root = file.root();
        root.write_attribute("__type__", "NIRGraphData");
        const hdf5::Group all = root.create_group("nodes");
        for (const NirNodeData& node : nodes) {
            const hdf5::Group group = all.create_group(node.node);
            group.write_attribute("__type__", "NIRNodeData");
            const hdf5::Group observables = group.create_group("observables");
            for (const auto& [name, observable] : node.observables) {
                const hdf5::Group one = observables.create_group(name);
                if (const auto* grid = std::get_if<NirGrid>(&observable)) {
                    one.write_attribute("__type__", "TimeGriddedData");
                    one.write_attribute("dt", grid->dt);
                    write_nir_array(one, "data", grid->data);
                    continue;
                }
                const auto& events = std::get<NirEvents>(observable);
                const std::vector<std::uint64_t> shape{events.samples, events.events};
                one.write_attribute("__type__", events.value.empty() ? "EventData" : "ValuedEventData");
                one.write_attribute("n_neurons", events.n_neurons);
                one.write_attribute("t_max", events.t_max);
                one.write("idx", events.idx, shape);
                one.write("time", events.time, shape);
                if (!events.value.empty()) one.write("value", events.value, shape);
            }
        }
    }
    file.close();
    atomic.commit();
}

Recordings recordings_of(const std::vector<NirNodeData>& nodes, const std::string& origin,
                         std::vector<std::string>& notes) {
    Recordings recordings;
    double duration = 0.0;
    for (const NirNodeData& node : nodes) {
        const auto named = std::find_if(node.observables.begin(), node.observables.end(),
                                        [](const auto& o) { return o.first == "spikes"; });
        auto chosen = named;
        if (chosen == node.observables.end() || !can_be_spikes(chosen->second)) {
            const auto possible = std::count_if(node.observables.begin(), node.observables.end(),
                                                [](const auto& o) { return can_be_spikes(o.second); });
            chosen = possible == 1 ? std::find_if(node.observables.begin(), node.observables.end(),
                                                  [](const auto& o) { return can_be_spikes(o.second); })
                                   : node.observables.end();
        }
        for (auto o = node.observables.begin(); o != node.observables.end(); ++o) {
            if (o != chosen)
                notes.push_back("node " + saltus::quoted(node.node) + ": " + saltus::quoted(o->first) +
                                " is left out, it holds no spikes.");
        }
        if (chosen == node.observables.end()) continue;
        Recordings::Population population{node.node, 0, {}};
        if (const auto* events = std::get_if<NirEvents>(&chosen->second)) {
            population.neurons = static_cast<std::uint64_t>(events->n_neurons);
            population.samples = trains_of(*events);
            duration = std::max(duration, events->t_max);
        } else {
            const auto& grid = std::get<NirGrid>(chosen->second);
            population.neurons = grid.data.shape[2];
            population.samples = trains_of(grid, origin, node.node);
            duration = std::max(duration, static_cast<double>(grid.data.shape[1]) * grid.dt);
        }
        if (!recordings.populations.empty() && recordings.samples() != population.samples.size()) {
            throw FileError::unexpected(origin, "node " + saltus::quoted(node.node),
                                        std::to_string(recordings.samples()) + " samples as of node " +
                                            saltus::quoted(recordings.populations.front().name),
                                        std::to_string(population.samples.size()));
        }
        recordings.populations.push_back(std::move(population));
    }
    if (const auto time = recorded_time(duration, femtoseconds_per_second))
        recordings.duration = time->since_start();
    return recordings;
}

std::vector<NirNodeData> nir_data_of(const Recordings& recordings) {
    if (!recordings.labels.empty()) {
        throw UsageError("labels of samples: NIRData has no place for them. Write .npz, or drop the labels.");
    }
    std::vector<NirNodeData> nodes;
    for (const Recordings::Population& population : recordings.populations) {
        NirEvents events;
        events.samples = population.samples.size();
        Time last;
        NeuronIndex largest = 0;
        bool any = false;
        for (const SpikeTrain& train : population.samples) {
            events.events = std::max<std::uint64_t>(events.events, train.size());
            for (std::size_t i = 0; i < train.size(); ++i) {
                last = std::max(last, train.times[i]);
                largest = std::max(largest, train.neurons[i]);
                any = true;
            }
        }
        if (events.samples * events.events > most_bytes / sizeof(double)) {
            throw UsageError("spikes of " + saltus::quoted(population.name) + ": NIRData needs " +
                             std::to_string(events.samples) + " x " + std::to_string(events.events) +
                             " entries, more than are read back. Split the samples.");
        }
        events.n_neurons = static_cast<std::int64_t>(population.neurons != 0 ? population.neurons
                                                     : any                   ? std::uint64_t{largest} + 1
                                                                             : 0);
        events.t_max = std::max(recordings.duration, last.since_start()).seconds();
        for (const SpikeTrain& train : population.samples) {
            for (const NeuronIndex neuron : train.neurons) events.idx.push_back(neuron);
            for (const Time time : train.times) {
                const double seconds = time.seconds();
                if (recorded_time(seconds, femtoseconds_per_second) != time) {
                    throw UsageError("spikes of " + saltus::quoted(population.name) + ": " +
                                     to_string(time.since_start()) +
                                     " has no exact value in seconds. Write .npz or .csv.");
                }
                events.time.push_back(seconds);
            }
            const std::uint64_t missing = events.events - train.size();
            events.idx.insert(events.idx.end(), missing, -1);
            events.time.insert(events.time.end(), missing, std::numeric_limits<double>::infinity());
        }
        nodes.push_back(
            {population.name.empty() ? "spikes" : population.name, {{"spikes", std::move(events)}}});
    }
    return nodes;
}

}  // namespace saltus::io
