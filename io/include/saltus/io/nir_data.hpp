// NIRData: recordings that belong to a NIR graph (nir 1.0.8, nir.data_ir), in an HDF5 file of their own.
//
//     /                                attribute __type__ = "NIRGraphData"
//     /nodes/NAME                      __type__ = "NIRNodeData"
//     /nodes/NAME/observables/KEY      KEY is free: "spikes", "v", ...
//         __type__ = "EventData"       idx (samples, events), -1: none; time likewise; attributes n_neurons,
//         t_max
//         __type__ = "ValuedEventData" the same, and value
//         __type__ = "TimeGriddedData" data (samples, steps, neurons); attribute dt
//
// Times are taken for seconds. Graphs within graphs are refused: nir 1.0.8 cannot write them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "saltus/io/nir.hpp"
#include "saltus/io/recordings.hpp"

namespace saltus::io {

struct NirEvents {
    std::uint64_t samples = 0;
    std::uint64_t events = 0;       // of each sample
    std::vector<std::int64_t> idx;  // [sample][event]; -1: none
    std::vector<double> time;       // [s]; infinite where there is none
    std::vector<double> value;      // empty: EventData
    std::int64_t n_neurons = 0;
    double t_max = 0.0;

    friend bool operator==(const NirEvents&, const NirEvents&) = default;
};

struct NirGrid {
    NirArray data;  // (samples, steps, neurons)
    double dt = 0.0;

    friend bool operator==(const NirGrid&, const NirGrid&) = default;
};

struct NirNodeData {
    std::string node;
    std::vector<std::pair<std::string, std::variant<NirEvents, NirGrid>>> observables;

    friend bool operator==(const NirNodeData&, const NirNodeData&) = default;
};

/// Throws FileError: no NIRData, arrays that do not fit together, indices outside -1 ... n_neurons - 1, times
/// that are not finite or negative where there is an event, dt <= 0, booleans that are none.
[[nodiscard]] std::vector<NirNodeData> read_nir_data(const std::filesystem::path& path);
void write_nir_data(const std::filesystem::path& path, const std::vector<NirNodeData>& nodes);

/// The spikes of each node: its observable "spikes", else its only events or boolean grid (a spike at the
/// beginning of its step). A note for each other observable, and for a node without spikes. Throws FileError
/// where nodes have different numbers of samples.
[[nodiscard]] Recordings recordings_of(const std::vector<NirNodeData>& nodes, const std::string& origin,
                                       std::vector<std::string>& notes);
/// Observables "spikes", events. Throws UsageError for labels, which have no place there.
[[nodiscard]] std::vector<NirNodeData> nir_data_of(const Recordings& recordings);

}  // namespace saltus::io
