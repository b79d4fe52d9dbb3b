// Checkpoints: a run at one instant (Snapshot) in one HDF5 file, to go on from after whatever has ended it.
//
//     /                     attributes format = "saltus checkpoint", version = 1
//     /network, inputs      uint64: digests of the network and of what the run was asked to do
//     /time                 int64 [fs]: everything before has been computed
//     /synaptic_events, windows   uint64: so far
//     /in_flight/time int64 [fs], population uint32 (in the order of names), neuron uint32
//     /populations/K/       one group for each population of the network, K = 0, 1, ...
//         size              uint32: neurons
//         frame_origin      int64 [fs]
//         spike_count       uint64: so far
//         reals/NAME        float64, one for each neuron
//         ticks/NAME        int64 [fs], one for each neuron
//         events/time int64 [fs], neuron uint32, what int64, rest_fs float64
//         trains/J/chunk, base, position   int64: of each group of Poisson trains of source J = 0, 1, ...
//         spikes/time int64 [fs], neuron uint32   recorded so far
//
// Behind what HDF5 knows as the end of the file: "saltus\r\n" and 8 bytes, little endian, the digest of all
// bytes before them. It is compared before the library sees the file: a bit that has changed is found, and
// the library, which damaged metadata can bring down, is spared. Other readers of HDF5 pass over it.
//
// Columns are stored as they are: state does not compress, and a run should not wait for it. A reader can
// then compare every length with the size of the file before it asks for memory. The file is written under a
// temporary name, flushed to the disk and renamed, so that a process which is killed at any moment leaves the
// checkpoint of before.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>

#include "saltus/engine/simulate.hpp"
#include "saltus/engine/snapshot.hpp"

namespace saltus::io {

/// Replaces the file. Throws FileError.
void write_checkpoint(const std::filesystem::path& path, const Snapshot& snapshot);

/// Throws FileError for what is no checkpoint, one of another version, truncated or damaged. Whether it
/// belongs to a run is for the run to check.
[[nodiscard]] Snapshot read_checkpoint(const std::filesystem::path& path);

/// Has a run write a checkpoint whenever so much wall-clock time has passed since the last, and once more
/// when it is about to be stopped (asked after every window of time; may be empty).
void write_checkpoints(SimulationOptions& options, const std::filesystem::path& path,
                       std::chrono::duration<double> every, std::function<bool()> stopping = {});

}  // namespace saltus::io
