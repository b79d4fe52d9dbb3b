// A run at one instant, whole: what is needed to go on with it, on any number of threads or ranks, to the
// same bits.
//
// State is held neuron by neuron, so no trace is left of who computed it. Spikes on their way are held as
// sent: their arrivals follow from the network.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "saltus/engine/communication.hpp"
#include "saltus/engine/network.hpp"
#include "saltus/engine/spike_train.hpp"

namespace saltus {

struct SimulationOptions;
struct InputSpikes;

/// Something that a neuron is to do by itself.
struct NeuronEvent {
    enum class What : std::int64_t {
        release,
        look
    };  // its refractory period ends; it may cross the threshold

    Time time;
    NeuronIndex neuron = 0;
    What what = What::release;
    double rest_fs = 0.0;  // of the real time beyond the tick

    friend bool operator==(const NeuronEvent&, const NeuronEvent&) = default;
};

/// How far a group of Poisson trains has been drawn.
struct TrainPosition {
    std::int64_t chunk = -1;    // that the next event is in; -1: not of this part
    std::int64_t base = 0;      // time of the last event before the chunk [fs]
    std::int64_t position = 0;  // of the next event in the chunk

    friend bool operator==(const TrainPosition&, const TrainPosition&) = default;
};

struct PopulationSnapshot {
    std::uint32_t size = 0;                                  // neurons
    std::map<std::string, std::vector<double>> reals;        // of each neuron
    std::map<std::string, std::vector<std::int64_t>> ticks;  // of each neuron [fs]
    std::vector<NeuronEvent> events;                         // by (time, neuron)
    std::vector<std::vector<TrainPosition>> trains;          // of each source of own trains, group by group
    std::int64_t frame_origin = 0;                           // [fs]

    friend bool operator==(const PopulationSnapshot&, const PopulationSnapshot&) = default;
};

struct Snapshot {
    std::uint64_t network = 0;                    // digest of the network
    std::uint64_t inputs = 0;                     // digest of what the run was asked to do
    Time time;                                    // everything before has been computed
    std::vector<PopulationSnapshot> populations;  // as in the network
    std::vector<Spike> in_flight;    // spikes that may still arrive somewhere, by (time, population, neuron)
    std::vector<SpikeTrain> spikes;  // recorded so far, of each population
    std::vector<std::uint64_t> spike_counts;  // so far, of each population
    std::uint64_t synaptic_events = 0;        // so far
    std::uint64_t windows = 0;

    friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

/// 64-bit digest of populations, parameters, projections, weights, and delays.
[[nodiscard]] std::uint64_t digest(const Network& network);
/// 64-bit digest of what leads from one population to the other, whichever these are.
[[nodiscard]] std::uint64_t digest(const Projection& projection);
/// 64-bit digest of what a run is asked to do: inputs, duration, what is recorded.
[[nodiscard]] std::uint64_t digest(const std::vector<InputSpikes>& inputs, const SimulationOptions& options);

}  // namespace saltus
