// Many event-camera recordings in one HDF5 file, end to end:
//     /events/x, y     pixel          /events/p   0 OFF, 1 ON      /events/t_us   microseconds
//     /offsets         recording k is [offsets[k], offsets[k + 1])
//     /label           one per recording      /test   optional, 1 where it belongs to the test part
//     attributes width, height of the root, 34 where absent (N-MNIST)
#include "hdf5.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/spikes.hpp"

namespace saltus::io {

namespace {

constexpr std::uint64_t max_events = std::uint64_t{1} << 27;
constexpr std::uint64_t max_recordings = std::uint64_t{1} << 24;
constexpr std::int64_t largest_side = 32767;  // two polarities of a square frame still fit a 32-bit index
constexpr std::int64_t femtoseconds_per_microsecond = 1'000'000'000;

std::uint32_t side(const hdf5::Group& root, const std::string& attribute) {
    const std::int64_t pixels = root.integer_attribute(attribute).value_or(34);
    if (pixels < 1 || pixels > largest_side) {
        throw root.error("attribute " + saltus::quoted(attribute) + ": expected 1 to " +
                         std::to_string(largest_side) + " pixels, found " + std::to_string(pixels) + ".");
    }
    return static_cast<std::uint32_t>(pixels);
}

void check_length(const hdf5::Dataset& column, std::uint64_t length, const std::string& what) {
    if (column.shape() != std::vector<std::uint64_t>{length}) {
        throw column.error("expected " + std::to_string(length) + " entries, " + what + ", found shape " +
                           hdf5::to_string(column.shape()) + ".");
    }
}

/// One column of the events, each value from 0 to `largest`.
std::vector<std::int64_t> column_of(const hdf5::Group& events, const std::string& name, std::uint64_t length,
                                    std::int64_t largest) {
    const hdf5::Dataset column = events.dataset(name);
    check_length(column, length, "as many as x");
    std::vector<std::int64_t> values = column.read<std::int64_t>(max_events * sizeof(std::int64_t));
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] < 0 || values[i] > largest) {
            throw column.error("event " + std::to_string(i) + ": expected 0 to " + std::to_string(largest) +
                               ", found " + std::to_string(values[i]) + ".");
        }
    }
    return values;
}

std::vector<CameraEvent> events_of(const hdf5::Group& group, std::uint32_t width, std::uint32_t height) {
    const std::uint64_t length = group.dataset("x").size();
    std::vector<std::int64_t> column = column_of(group, "x", length, std::int64_t{width} - 1);
    std::vector<CameraEvent> events(column.size());
    for (std::size_t i = 0; i < events.size(); ++i) events[i].x = static_cast<std::uint16_t>(column[i]);
    column = column_of(group, "y", length, std::int64_t{height} - 1);
    for (std::size_t i = 0; i < events.size(); ++i) events[i].y = static_cast<std::uint16_t>(column[i]);
    column = column_of(group, "p", length, 1);
    for (std::size_t i = 0; i < events.size(); ++i) events[i].on = column[i] == 1;
    column = column_of(group, "t_us", length, INT64_MAX / femtoseconds_per_microsecond);
    for (std::size_t i = 0; i < events.size(); ++i) {
        events[i].time = Time(Duration(column[i] * femtoseconds_per_microsecond));
    }
    return events;
}

std::vector<std::uint64_t> offsets_of(const hdf5::Dataset& dataset, std::uint64_t events) {
    const auto offsets = dataset.read<std::uint64_t>((max_recordings + 1) * sizeof(std::uint64_t));
    bool rising = !offsets.empty() && offsets.front() == 0 && offsets.back() == events;
    for (std::size_t k = 1; k < offsets.size(); ++k) rising = rising && offsets[k - 1] <= offsets[k];
    if (!rising) {
        throw dataset.error("expected offsets that rise from 0 to the number of events, " +
                            std::to_string(events) + ", found others.");
    }
    return offsets;
}

void check_order(const CameraRecordings& recordings, const hdf5::Group& events) {
    for (std::size_t k = 0; k + 1 < recordings.offsets.size(); ++k) {
        for (std::uint64_t i = recordings.offsets[k] + 1; i < recordings.offsets[k + 1]; ++i) {
            if (recordings.events[i].time < recordings.events[i - 1].time) {
                throw events.error_at("t_us",
                                      "event " + std::to_string(i) + " of recording " + std::to_string(k) +
                                          ": expected a time not before that of the event before, found " +
                                          to_string(recordings.events[i].time.since_start()) + " after " +
                                          to_string(recordings.events[i - 1].time.since_start()) + ".");
            }
        }
    }
}

}  // namespace

CameraRecordings read_camera_recordings(const std::filesystem::path& path) {
    const hdf5::File file = hdf5::File::open(path);
    const hdf5::Group root = file.root();
    const hdf5::Group events = root.group("events");

    CameraRecordings recordings;
    recordings.width = side(root, "width");
    recordings.height = side(root, "height");
    recordings.events = events_of(events, recordings.width, recordings.height);
    recordings.offsets = offsets_of(root.dataset("offsets"), recordings.events.size());
    check_order(recordings, events);

    const std::uint64_t n = recordings.offsets.size() - 1;
    const hdf5::Dataset labels = root.dataset("label");
    check_length(labels, n, "one per recording");
    recordings.labels = labels.read<std::int64_t>(max_recordings * sizeof(std::int64_t));
    if (root.contains("test")) {
        const hdf5::Dataset test = root.dataset("test");
        check_length(test, n, "one per recording");
        recordings.test = test.read<std::uint8_t>(max_recordings);
        for (const std::uint8_t flag : recordings.test) {
            if (flag > 1) throw test.error("expected 0 or 1, found " + std::to_string(int{flag}) + ".");
        }
    }
    return recordings;
}

}  // namespace saltus::io
