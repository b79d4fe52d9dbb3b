// Which format a file of spikes has.
#include "saltus/io/recordings.hpp"

#include <algorithm>
#include <array>

#include "hdf5.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/nir_data.hpp"
#include "saltus/io/spikes.hpp"

namespace saltus::io {

namespace {

enum class Format { hdf5, nir_data, npz, csv, camera, addresses };

struct Ending {
    std::string_view ending;
    Format format;
};
constexpr std::array<Ending, 8> endings{{{".nirdata.h5", Format::nir_data},
                                         {".nirdata", Format::nir_data},
                                         {".h5", Format::hdf5},
                                         {".hdf5", Format::hdf5},
                                         {".npz", Format::npz},
                                         {".csv", Format::csv},
                                         {".bin", Format::camera},
                                         {".aedat", Format::addresses}}};

const Ending* ending_of(const std::filesystem::path& path) {
    const std::string name = path.filename().string();
    const auto* const found = std::find_if(endings.begin(), endings.end(),
                                           [&](const Ending& e) { return name.ends_with(e.ending); });
    return found == endings.end() ? nullptr : found;
}

Format format_of(const std::filesystem::path& path) {
    if (const Ending* const found = ending_of(path)) return found->format;
    throw UsageError(path.string() +
                     ": expected a file of spikes that ends in .h5, .nirdata, .npz, .csv, .bin or .aedat.");
}

NeuronIndex pixel(const CameraEvent& event, std::uint32_t width, std::uint32_t height) {
    return ((event.on ? height : 0) + event.y) * width + event.x;
}

Recordings of_camera(const std::filesystem::path& path, const RecordingOptions& options) {
    const std::uint64_t neurons = 2 * std::uint64_t{options.width} * options.height;
    if (options.width == 0 || options.height == 0 || neurons > 0xfffffffe)
        throw UsageError("the camera's frame: expected a width and a height of 1 or more.");
    SpikeTrain train;
    for (const CameraEvent& event : read_aer(path)) {
        if (event.x >= options.width || event.y >= options.height) {
            throw FileError::unexpected(
                path.string(), "event " + std::to_string(train.size()),
                "x, y inside " + std::to_string(options.width) + " x " + std::to_string(options.height),
                std::to_string(event.x) + ", " + std::to_string(event.y),
                "Say the size of the frame, as in --frame 240x180.");
        }
        train.add(event.time, pixel(event, options.width, options.height));
    }
    train.sort();
    return {{{"", neurons, {std::move(train)}}}, {}, {}};
}

Recordings of_cameras(const std::filesystem::path& path) {
    const CameraRecordings all = read_camera_recordings(path);
    Recordings recordings{{{"", 2 * std::uint64_t{all.width} * all.height, {}}}, all.labels, {}};
    for (std::size_t k = 0; k + 1 < all.offsets.size(); ++k) {
        SpikeTrain train;
        for (std::uint64_t i = all.offsets[k]; i < all.offsets[k + 1]; ++i)
            train.add(all.events[i].time, pixel(all.events[i], all.width, all.height));
        train.sort();
        recordings.populations[0].samples.push_back(std::move(train));
    }
    return recordings;
}

bool is_nir_data(const std::filesystem::path& path) {
    return hdf5::File::open(path).root().attribute_class("__type__") != H5T_NO_CLASS;
}

Recordings of_hdf5(const std::filesystem::path& path, std::vector<std::string>& notes) {
    if (is_nir_data(path)) return recordings_of(read_nir_data(path), path.string(), notes);
    switch (spike_layout(path)) {
        case SpikeLayout::camera:
            return of_cameras(path);
        case SpikeLayout::features:
            throw FileError::unexpected(path.string(), "", "spikes", "rows of numbers",
                                        "They become spikes by an encoding: see saltus train.");
        case SpikeLayout::batch: {
            SpikeBatch batch = read_spike_batch(path);
            return {{{"", batch.units, std::move(batch.samples)}}, std::move(batch.labels), {}};
        }
        case SpikeLayout::sonata:
            break;
    }
    Recordings recordings;
    for (PopulationSpikes& population : read_spikes(path))
        recordings.populations.push_back(
            {std::move(population.population), 0, {std::move(population.spikes)}});
    return recordings;
}

void write_sonata(const std::filesystem::path& path, const Recordings& recordings) {
    if (recordings.samples() > 1) {
        throw UsageError(
            std::to_string(recordings.samples()) +
            " samples: a SONATA file holds one. Choose it with --sample, or write .npz, .csv or .nirdata.");
    }
    if (!recordings.labels.empty())
        throw UsageError(
            "labels of samples: a SONATA file has no place for them. Write .npz, or drop the labels.");
    std::vector<PopulationSpikes> spikes;
    for (const Recordings::Population& population : recordings.populations) {
        spikes.push_back({population.name.empty() ? "spikes" : population.name,
                          population.samples.empty() ? SpikeTrain() : population.samples[0]});
    }
    write_spikes(path, spikes);
}

}  // namespace

bool is_recording(const std::filesystem::path& path) {
    return ending_of(path) != nullptr;
}

bool holds_recording(const std::filesystem::path& path) {
    const Ending* const ending = ending_of(path);
    if (!ending || ending->format != Format::hdf5) return ending != nullptr;
    const hdf5::Group root = hdf5::File::open(path).root();
    return root.attribute_class("__type__") != H5T_NO_CLASS || root.contains("spikes") ||
           (root.contains("events") && root.contains("offsets"));
}

Recordings sample_of(const Recordings& recordings, std::size_t sample) {
    if (sample >= recordings.samples()) {
        throw UsageError("sample " + std::to_string(sample) + ": expected one below " +
                         std::to_string(recordings.samples()) + ", as many as there are.");
    }
    Recordings one{{}, {}, recordings.duration};
    for (const Recordings::Population& population : recordings.populations)
        one.populations.push_back({population.name, population.neurons, {population.samples[sample]}});
    return one;
}

Recordings read_recordings(const std::filesystem::path& path, const RecordingOptions& options,
                           std::vector<std::string>& notes) {
    switch (format_of(path)) {
        case Format::hdf5:
            return of_hdf5(path, notes);
        case Format::nir_data:
            return recordings_of(read_nir_data(path), path.string(), notes);
        case Format::npz:
            return read_npz(path);
        case Format::csv:
            return read_csv(path);
        case Format::camera:
            return of_camera(path, options);
        case Format::addresses:
            return {{{"", 0, {read_address_events(path, options.addresses)}}}, {}, {}};
    }
    throw std::logic_error("unknown Format");
}

void write_recordings(const std::filesystem::path& path, const Recordings& recordings) {
    switch (format_of(path)) {
        case Format::hdf5:
            return write_sonata(path, recordings);
        case Format::nir_data:
            return write_nir_data(path, nir_data_of(recordings));
        case Format::npz:
            return write_npz(path, recordings);
        case Format::csv:
            return write_csv(path, recordings);
        case Format::camera:
        case Format::addresses:
            throw UsageError(path.string() +
                             ": recordings of sensors are read only. Write .h5, .nirdata, .npz or .csv.");
    }
}

}  // namespace saltus::io
