// SpikeTrain, and spike files.
#include "saltus/io/spikes.hpp"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <sstream>

#include "arrays.hpp"
#include "bindings.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/recordings.hpp"

namespace saltus::python {

// Columns of a train are shown to Python in place.
static_assert(sizeof(Time) == sizeof(std::int64_t) && sizeof(NeuronIndex) == sizeof(std::uint32_t));

Spikes::Spikes(SpikeTrain the_train) : train(std::move(the_train)), seconds(train.size()) {
    std::transform(train.times.begin(), train.times.end(), seconds.begin(),
                   [](Time t) { return t.seconds(); });
}

namespace {

constexpr const char* nameless = "SpikeTrain";

template <class T>
std::string shown(T value) {
    std::ostringstream stream;
    stream.precision(std::numeric_limits<double>::max_digits10 - 2);
    stream << value;
    return stream.str();
}

/// `times` holds seconds or femtoseconds, as `to_time` takes it; index and value stand in the errors.
template <class T, class ToTime>
SpikeTrain train_from(const std::string& name, const Column<T>& times, nb::handle neuron_indices,
                      ToTime to_time) {
    const Column<std::int64_t> neurons = column_from<std::int64_t>(neuron_indices, "neurons");
    if (times.size() != neurons.size()) {
        throw InputError(name, "expected as many neurons as times, found " + std::to_string(neurons.size()) +
                                   " and " + std::to_string(times.size()) + ".");
    }
    SpikeTrain train;
    train.reserve(times.size());
    for (std::size_t k = 0; k < times.size(); ++k) {
        const auto refused = [&](const std::string& expected, const std::string& found) {
            return InputError(
                name, "spike " + std::to_string(k) + ": expected " + expected + ", found " + found + ".");
        };
        const T t = times(k);
        if (!(t >= T{0} && static_cast<double>(t) < to_time.end)) {
            throw refused(to_time.expected, shown(t));
        }
        const std::int64_t neuron = neurons(k);
        if (neuron < 0 || neuron > std::int64_t{std::numeric_limits<NeuronIndex>::max()} - 1) {
            throw refused("a neuron from 0 to 4294967294", std::to_string(neuron));
        }
        train.add(to_time(t), static_cast<NeuronIndex>(neuron));
    }
    return train;
}

struct FromSeconds {
    static constexpr double end = 9223.0;  // the range of Time ends at 9223.37 s
    static constexpr const char* expected = "a time in seconds from 0 to 9223";
    Time operator()(double seconds) const { return Time(duration_from_seconds(seconds, "time")); }
};

struct FromTicks {
    static constexpr double end = 9223e15;
    static constexpr const char* expected = "a time in femtoseconds from 0 to 9223e15";
    Time operator()(std::int64_t ticks) const { return Time(Duration(ticks)); }
};

SpikeTrain train_from_seconds(const std::string& name, nb::handle times, nb::handle neurons) {
    return train_from(name, column_from<double>(times, "times"), neurons, FromSeconds());
}

SpikeTrain train_from_ticks(const std::string& name, nb::handle ticks, nb::handle neurons) {
    return train_from(name, column_from<std::int64_t>(ticks, "ticks"), neurons, FromTicks());
}

nb::object view_of_ticks(nb::handle self) {
    const std::vector<Time>& times = nb::cast<const Spikes&>(self).train.times;
    return view_of(reinterpret_cast<const std::int64_t*>(times.data()), times.size(), self);
}

nb::dict read(const std::filesystem::path& path) {
    nb::dict trains;
    for (io::PopulationSpikes& population : io::read_spikes(path)) {
        trains[text(population.population)] = nb::cast(Spikes(std::move(population.spikes)));
    }
    return trains;
}

/// `potentials`: (population, ticks, values of shape (ticks, neurons)) each.
void write(const std::filesystem::path& path, const nb::dict& trains, const nb::list& potentials) {
    std::vector<io::PopulationSpikes> spikes;
    for (const auto& [name, train] : trains) {
        spikes.push_back({nb::cast<std::string>(name), nb::cast<const Spikes&>(train).train});
    }
    std::vector<io::PopulationPotentials> records;
    for (const nb::handle entry : potentials) {
        using Values = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
        const auto record = nb::cast<nb::tuple>(entry);
        const auto ticks = column_from<std::int64_t>(record[1], "ticks");
        const auto values = nb::cast<Values>(record[2]);
        io::PopulationPotentials& potential = records.emplace_back();
        potential.population = nb::cast<std::string>(record[0]);
        potential.neurons = values.shape(1);
        for (std::size_t k = 0; k < ticks.size(); ++k) potential.times.emplace_back(Duration(ticks(k)));
        potential.values.assign(values.data(), values.data() + values.size());
    }
    io::write_spikes(path, spikes, records);
}

/// (samples, labels, notes): a dictionary of trains for each sample.
nb::tuple read_samples(const std::filesystem::path& path, std::pair<std::uint32_t, std::uint32_t> frame,
                       std::optional<std::uint32_t> address_bytes, std::optional<double> tick) {
    io::RecordingOptions options{frame.first, frame.second, {}};
    if (address_bytes || tick) {
        io::AddressFormat& format = options.addresses.emplace();
        if (address_bytes) format.address_bytes = *address_bytes;
        if (tick) format.tick = duration_from_seconds(*tick, "tick");
    }
    std::vector<std::string> notes;
    io::Recordings recordings = io::read_recordings(path, options, notes);
    nb::list samples;
    for (std::size_t k = 0; k < recordings.samples(); ++k) {
        nb::dict trains;
        for (io::Recordings::Population& population : recordings.populations)
            trains[text(population.name)] = nb::cast(Spikes(std::move(population.samples[k])));
        samples.append(std::move(trains));
    }
    return nb::make_tuple(std::move(samples), std::move(recordings.labels), std::move(notes));
}

/// Populations of all samples together; one that a sample does not name is silent in it.
void write_samples(const std::filesystem::path& path, const nb::list& samples, const nb::list& labels) {
    io::Recordings recordings;
    for (const nb::handle label : labels) recordings.labels.push_back(nb::cast<std::int64_t>(label));
    for (std::size_t k = 0; k < samples.size(); ++k) {
        for (const auto& [key, train] : nb::cast<nb::dict>(samples[k])) {
            const auto name = nb::cast<std::string>(key);
            auto found = std::find_if(recordings.populations.begin(), recordings.populations.end(),
                                      [&](const auto& population) { return population.name == name; });
            if (found == recordings.populations.end()) {
                recordings.populations.push_back({name, 0, std::vector<SpikeTrain>(samples.size())});
                found = recordings.populations.end() - 1;
            }
            found->samples[k] = nb::cast<const Spikes&>(train).train;
            found->samples[k].sort();
        }
    }
    io::write_recordings(path, recordings);
}

}  // namespace

void bind_spikes(nb::module_& module) {
    using namespace nb::literals;

    nb::class_<Buffer>(module, "Buffer", "Owner of the values of an array.");

    nb::class_<Spikes>(module, "SpikeTrain", R"(Spikes of one population: when, and which neuron.

Sorted by time, then by neuron. The columns are read-only arrays that share the memory of the train.

Parameters
----------
times : array_like of float, shape (n,)
    Seconds from the start of the run, rounded to whole femtoseconds.
neurons : array_like of int, shape (n,)
    Index of each spike's neuron, row-major in populations of several dimensions.

Raises
------
InputError
    Columns of different lengths; a time that is NaN, negative or beyond the range; a negative neuron.

Examples
--------
>>> train = saltus.SpikeTrain([0.002, 0.001], [0, 1])
>>> train.times
array([0.001, 0.002])
>>> train.ticks
array([1000000000000, 2000000000000])
)")
        .def(nb::new_([](nb::handle times, nb::handle neurons) {
                 SpikeTrain train = train_from_seconds(nameless, times, neurons);
                 train.sort();
                 return Spikes(std::move(train));
             }),
             "times"_a, "neurons"_a)
        .def_static(
            "from_ticks",
            [](nb::handle ticks, nb::handle neurons) {
                SpikeTrain train = train_from_ticks(nameless, ticks, neurons);
                train.sort();
                return Spikes(std::move(train));
            },
            "ticks"_a, "neurons"_a, "The train with times given as whole femtoseconds: nothing is rounded.")
        .def_prop_ro(
            "times",
            [](nb::handle self) {
                const std::vector<double>& seconds = nb::cast<const Spikes&>(self).seconds;
                return view_of(seconds.data(), seconds.size(), self);
            },
            nb::sig("def times(self) -> numpy.typing.NDArray[numpy.float64]"),
            "Seconds, float64, shape (n,).")
        .def_prop_ro("ticks", view_of_ticks, nb::sig("def ticks(self) -> numpy.typing.NDArray[numpy.int64]"),
                     "Femtoseconds, int64, shape (n,): the exact times.")
        .def_prop_ro(
            "neurons",
            [](nb::handle self) {
                const std::vector<NeuronIndex>& neurons = nb::cast<const Spikes&>(self).train.neurons;
                return view_of(neurons.data(), neurons.size(), self);
            },
            nb::sig("def neurons(self) -> numpy.typing.NDArray[numpy.uint32]"),
            "Indices, uint32, shape (n,).")
        .def("__len__", [](const Spikes& spikes) { return spikes.train.size(); })
        .def(
            "__eq__",
            [](const Spikes& a, nb::handle other) {
                return nb::isinstance<Spikes>(other) && a.train == nb::cast<const Spikes&>(other).train;
            },
            nb::sig("def __eq__(self, other: object, /) -> bool"))
        .def("__repr__",
             [](const Spikes& spikes) {
                 return "SpikeTrain of " + std::to_string(spikes.train.size()) + " spikes";
             })
        .attr("__hash__") = nb::none();

    module.def(
        "input_train",
        [](const std::string& name, nb::handle times, nb::handle neurons) {
            return Spikes(train_from_seconds(name, times, neurons));
        },
        "name"_a, "times"_a, "neurons"_a,
        "The train of an input in the order given, so that errors name the index that the caller knows.");
    module.def(
        "ticks_of",
        [](double seconds, const std::string& what) {
            return duration_from_seconds(seconds, what).femtoseconds();
        },
        "seconds"_a, "what"_a, "Whole femtoseconds nearest to a time in seconds.");
    module.def("read_spikes", read, "path"_a);
    module.def("write_spikes", write, "path"_a, "trains"_a, "potentials"_a);
    module.def("holds_recording", io::holds_recording, "path"_a,
               "The file holds spikes, to judge by its ending; an HDF5 file is looked into.");
    module.def("read_samples", read_samples, "path"_a, "frame"_a, "address_bytes"_a.none(), "tick"_a.none());
    module.def("write_samples", write_samples, "path"_a, "samples"_a, "labels"_a);
}

}  // namespace saltus::python
