// Event-camera files of 40 bits an event (N-MNIST, N-Caltech101), without header, big endian:
//     x (8 bits)  y (8)  polarity (1: brighter)  microseconds (23)
// Layout: Orchard, Jayawant, Cohen, Thakor, Front. Neurosci. 9:437 (2015), readme of the data set.
#include <cstddef>

#include "files.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/spikes.hpp"

namespace saltus::io {

namespace {

constexpr std::size_t bytes_per_event = 5;
constexpr std::uint64_t max_file_bytes = bytes_per_event << 28;
constexpr std::int64_t femtoseconds_per_microsecond = 1'000'000'000;

CameraEvent decoded(const unsigned char* bytes) {
    const std::uint32_t word = (std::uint32_t{bytes[2]} << 16) | (std::uint32_t{bytes[3]} << 8) | bytes[4];
    const std::int64_t microseconds = word & 0x7fffffu;
    return {Time(Duration(microseconds * femtoseconds_per_microsecond)), bytes[0], bytes[1],
            (word >> 23) != 0};
}

}  // namespace

std::vector<CameraEvent> read_aer(const std::filesystem::path& path) {
    const std::string bytes = read_file(path, max_file_bytes);
    if (bytes.size() % bytes_per_event != 0) {
        throw FileError::unexpected(path.string(), "", "a multiple of 5 bytes (40 bits an event)",
                                    std::to_string(bytes.size()) + " bytes",
                                    "The file is damaged, or not a 40-bit event file.");
    }
    std::vector<CameraEvent> events;
    events.reserve(bytes.size() / bytes_per_event);
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    for (std::size_t i = 0; i < bytes.size(); i += bytes_per_event) {
        const CameraEvent event = decoded(data + i);
        if (!events.empty() && event.time < events.back().time) {
            throw FileError::unexpected(
                path.string(), "event " + std::to_string(events.size()) + " (byte " + std::to_string(i) + ")",
                "a time of at least " + to_string(events.back().time.since_start()) +
                    ", that of the event before",
                to_string(event.time.since_start()));
        }
        events.push_back(event);
    }
    return events;
}

}  // namespace saltus::io
