// Recordings of spikes, whatever the format of their file.
//
//   ending        holds                                                          read   written
//   .h5           SONATA spikes; SHD batches and packed camera recordings        yes    SONATA
//   .nirdata[.h5] NIRData (nir_data.hpp)                                         yes    yes
//   .npz          arrays of NumPy: [POP.]times [s], [POP.]ticks [fs], [POP.]neurons, [POP.]samples,
//   [POP.]size,
//                 samples_count, labels                                           yes    yes
//   .csv          columns time_s (or _ms, _us, _ns, _ps, _fs), neuron, population, sample; a row without time
//   and
//                 neuron says that there is such a sample or population          yes    yes
//   .bin          events of a camera, 40 bits each (spikes.hpp)                  yes
//   .aedat        address events of a sensor (read_address_events)               yes
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "saltus/engine/spike_train.hpp"

namespace saltus::io {

struct Recordings {
    struct Population {
        std::string name;                 // "" where the file has no populations
        std::uint64_t neurons = 0;        // 0: the file does not say
        std::vector<SpikeTrain> samples;  // each sorted; as many in every population
    };
    std::vector<Population> populations;
    std::vector<std::int64_t> labels;  // of each sample, or empty
    Duration duration;                 // of each sample; zero: the file does not say

    [[nodiscard]] std::size_t samples() const {
        return populations.empty() ? 0 : populations.front().samples.size();
    }
};

/// How the bytes of an event without header are meant; a file does not say it.
struct AddressFormat {
    std::uint32_t address_bytes = 4;  // 2 or 4, then 4 bytes of time; all big endian
    Duration tick{1'000'000'000};     // unit of the times
};

struct RecordingOptions {
    std::uint32_t width = 34;  // of the camera's frame: neuron (polarity * height + y) * width + x
    std::uint32_t height = 34;
    std::optional<AddressFormat> addresses;  // for .aedat files without header
};

/// By ending; an HDF5 file by what it holds. What is left out is told in `notes`. Throws FileError,
/// UsageError for an ending that is not known.
[[nodiscard]] Recordings read_recordings(const std::filesystem::path& path, const RecordingOptions& options,
                                         std::vector<std::string>& notes);

/// By ending. Throws UsageError for what the format has no place for, by name, and for other endings;
/// FileError.
void write_recordings(const std::filesystem::path& path, const Recordings& recordings);

/// The file is one of recordings, to judge by its ending.
[[nodiscard]] bool is_recording(const std::filesystem::path& path);
/// The same of a file that is there; an HDF5 file is looked into. Throws FileError where that cannot be read.
[[nodiscard]] bool holds_recording(const std::filesystem::path& path);

/// One sample of several, without its label. Throws UsageError for one that is not there.
[[nodiscard]] Recordings sample_of(const Recordings& recordings, std::size_t sample);

/// The parts of read_recordings and write_recordings.
[[nodiscard]] Recordings read_npz(const std::filesystem::path& path);
void write_npz(const std::filesystem::path& path, const Recordings& recordings);
[[nodiscard]] Recordings read_csv(const std::filesystem::path& path);
void write_csv(const std::filesystem::path& path, const Recordings& recordings);

/// AER-DAT 1.0 (2 bytes of address, 4 of time) and 2.0 (4 and 4), big endian, microseconds, behind lines that
/// begin with '#' (jAER, "AER data files"); or events without any header. The neuron is the address as it
/// stands. Throws FileError where there is neither a header nor a format, for AER-DAT 3, for half an event,
/// and where time runs backwards.
[[nodiscard]] SpikeTrain read_address_events(const std::filesystem::path& path,
                                             const std::optional<AddressFormat>& format);

}  // namespace saltus::io
