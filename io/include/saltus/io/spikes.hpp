// Spike files, as they are on disk.
//
// SONATA (NEST, Arbor, Allen tools):
//     /spikes/POP/timestamps float64 (attribute units = "ms"), /spikes/POP/node_ids uint64,
//     attribute `sorting` on POP; read also in the older form /spikes/timestamps, /spikes/gids.
//
// SHD, SSC:
//     /spikes/times and /spikes/units, one variable-length row per sample (times in seconds),
//     /labels, optional /extra/keys.
//
// 40-bit AER (N-MNIST, N-Caltech101):
//     five bytes an event, no header.
//
// Packed camera recordings:
//     /events/x, y, p (0 OFF, 1 ON), t_us; recording k is [offsets[k], offsets[k + 1]);
//     /offsets, /label, optional /test (1: belongs to the test part), optional root attributes width, height.
//
// Rows of numbers (Yin-Yang):
//     /samples (rows, columns), /labels.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "saltus/engine/spike_train.hpp"

namespace saltus::io {

/// Which of the layouts above an HDF5 file has: SONATA, SHD, packed camera recordings, or rows of
/// numbers.
enum class SpikeLayout { sonata, batch, camera, features };
/// Throws FileError where it is none of them.
[[nodiscard]] SpikeLayout spike_layout(const std::filesystem::path& path);

struct PopulationSpikes {
    std::string population;  // "" in the older SONATA layout, which has no populations
    SpikeTrain spikes;       // sorted by (time, neuron)
};

/// Reads a SONATA spike file. Times may be in any of the units fs, ps, ns, us, ms, s (attribute; ms when
/// absent). Throws FileError: not HDF5, no /spikes, columns of different lengths, a time that is NaN,
/// infinite, negative or beyond the range, a node id beyond 2^32 - 2, links that leave the file, sizes that
/// the file cannot hold.
[[nodiscard]] std::vector<PopulationSpikes> read_spikes(const std::filesystem::path& path);

/// Potentials [V] recorded at chosen instants: values[i * neurons + j] is neuron j at times[i].
struct PopulationPotentials {
    std::string population;
    std::vector<Time> times;
    std::uint64_t neurons = 0;
    std::vector<double> values;
};

/// Writes spikes in the SONATA layout (sorted by time, units ms), and potentials in that of a SONATA report
/// (/report/POP/data as float32, which readers insist on, /report/POP/mapping; the doubles beside them in
/// /report/POP/values). The instants of potentials must be equally spaced, as the layout asks.
/// Times are doubles in ms there, which keeps whole femtoseconds up to 8.19 s; the exact int64 femtoseconds
/// stand beside them in /spikes/POP/femtoseconds, and read_spikes prefers these where they are present (and
/// agree). Throws UsageError for what the layout cannot hold, FileError where the file cannot be written;
/// leaves no half-written file.
void write_spikes(const std::filesystem::path& path, const std::vector<PopulationSpikes>& populations,
                  const std::vector<PopulationPotentials>& potentials = {});

/// Labelled samples of an SHD-layout file.
struct SpikeBatch {
    std::vector<SpikeTrain> samples;   // neuron = unit; sorted
    std::vector<std::int64_t> labels;  // one per sample
    std::vector<std::string> classes;  // from /extra/keys; empty if absent
    std::uint32_t units = 0;           // 1 + the largest unit that occurs
};
[[nodiscard]] SpikeBatch read_spike_batch(const std::filesystem::path& path);

/// One event of an event camera.
struct CameraEvent {
    Time time;
    std::uint16_t x = 0;
    std::uint16_t y = 0;
    bool on = false;  // polarity: brighter
};
/// Reads a 40-bit AER file (big endian: x, y, then one bit polarity and 23 bits of microseconds), in the
/// order of the file. Throws FileError where the size is no multiple of five or time runs backwards.
[[nodiscard]] std::vector<CameraEvent> read_aer(const std::filesystem::path& path);

/// Many recordings in one HDF5 file (the packed layout).
struct CameraRecordings {
    std::uint32_t width = 34;
    std::uint32_t height = 34;
    std::vector<CameraEvent> events;     // all recordings end to end, each in the order of time
    std::vector<std::uint64_t> offsets;  // one more than recordings
    std::vector<std::int64_t> labels;    // one per recording
    std::vector<std::uint8_t> test;      // one per recording, 0 or 1; empty where the file has no such flags
};
/// Throws FileError for columns of different lengths, offsets that do not rise from 0 to the number of
/// events, pixels outside the frame, time that runs backwards within a recording.
[[nodiscard]] CameraRecordings read_camera_recordings(const std::filesystem::path& path);

/// Rows of numbers with a label each.
struct FeatureTable {
    std::uint32_t columns = 0;
    std::vector<double> values;  // [row][column]
    std::vector<std::int64_t> labels;
};
[[nodiscard]] FeatureTable read_feature_table(const std::filesystem::path& path);

}  // namespace saltus::io
