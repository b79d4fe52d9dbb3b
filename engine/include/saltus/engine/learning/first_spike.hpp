// Feed-forward networks in which every neuron fires at most once and the first spike decides.
//
// Neuron j of a layer sums what has arrived, without leak, and fires when it reaches its threshold:
//
//   V_j(t) = sum over i of w_ji [t_i + d_ji <= t],   t_j = min { t : V_j(t) >= V_th },   t_j < t_max
//
// What arrives at one instant is summed before the test. A neuron that does not get there before t_max is
// silent, and counts as firing at t_max in losses. The strict V > theta of the S4NN paper is V_th =
// above(theta).
//
// The class of a sample is the output that fires first. Of several at the same instant, the one with the
// largest potential then, of equals the one of the lowest index. If none fires, the largest potential at
// `silence_decides_at` (arrivals at that instant included).
//
// Kheradpisheh, Masquelier, Int. J. Neural Systems 30(6), 2050027, 2020.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "saltus/engine/network.hpp"
#include "saltus/engine/time.hpp"

namespace saltus::learning {

/// All to all.
struct DenseSynapses {
    std::uint32_t inputs = 0;
    std::uint32_t outputs = 0;
    std::vector<double> weights;   // [input][output]
    std::vector<Duration> delays;  // one for all, or [input][output]
};

/// As the stage Convolution, without bias; one delay for all.
struct ConvolutionSynapses {
    Convolution shape;            // its weights are not used
    std::vector<double> weights;  // [out channel][in channel][height][width]
    Duration delay{};
};

/// A neuron for each window, which fires with the first spike in it; nothing to learn.
struct FirstOfWindow {
    Pooling shape;
    Duration delay{};
};

struct FirstSpikeLayer {
    std::string name;
    Shape shape;
    std::variant<DenseSynapses, ConvolutionSynapses, FirstOfWindow> synapses;
    double V_th = 1.0;

    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(element_count(shape)); }
};

struct FirstSpikeNetwork {
    std::string input_name = "input";
    Shape input;
    std::vector<FirstSpikeLayer> layers;
    Duration t_max{};
    Duration silence_decides_at{};

    [[nodiscard]] std::uint32_t classes() const { return layers.back().size(); }
};

/// A layer of a new network: so many neurons, all to all; a convolution (stride 1, no padding) of so many
/// channels; or windows, side by side, whose first spike counts.
struct LayerPlan {
    enum class Kind { dense, convolution, window };

    LayerPlan(std::uint32_t neurons) : size(neurons) {}
    LayerPlan(Kind what, std::uint32_t how_many, std::uint32_t how_wide)
        : kind(what), size(how_many), width(how_wide) {}
    /// "400" neurons; "16c5": 16 channels, kernel 5 x 5; "p2": windows of 2 x 2. Throws UsageError.
    static LayerPlan parse(std::string_view text);

    /// Of a layer (channels, rows, columns), or (rows, columns): one channel. Without weights. Throw
    /// UsageError if it is smaller than the kernel or window.
    [[nodiscard]] Convolution convolution(const Shape& before) const;
    [[nodiscard]] Pooling windows(const Shape& before) const;

    Kind kind = Kind::dense;
    std::uint32_t size = 0;   // neurons or channels
    std::uint32_t width = 0;  // of the kernel or window
};

/// A new network with one delay per layer, none for windows. Weights of n inputs are uniform in [0, X): X is
/// `initial`, one number for each layer with weights, or such that all inputs of a neuron together carry 20
/// thresholds in the first layer, 8 in others (U(0, 5) and U(0, 4) in a network 784-400-10 with thresholds
/// of 100). A network with convolutions begins, unless `initial` is given, uniform about 2 theta / n, with a
/// standard deviation of theta / sqrt(n): channels that all rise would all fire at once.
struct FirstSpikePlan {
    Shape input;                    // (rows, columns) before a convolution: one channel
    std::vector<LayerPlan> layers;  // the last one: as many neurons as there are classes
    double threshold = 100.0;       // neurons fire above it
    std::vector<double> initial;
    Duration delay{1'000'000'000'000};
    Duration t_max{256'000'000'000'000};
    Duration silence_decides_at{254'000'000'000'000};
    std::uint64_t seed = 0;
};
/// Throws UsageError for numbers that make no network.
[[nodiscard]] FirstSpikeNetwork new_first_spikes(const FirstSpikePlan& plan);

/// The threshold for neurons that fire when V > theta: far enough above it (32 roundings) for the exact
/// clock, which lets a potential count as at the threshold within eight.
[[nodiscard]] double above(double theta);

/// Throws NetworkError: a layer that does not fit the one before, V_th <= 0, weights that are not finite,
/// delays < 0 or not before t_max.
void check(const FirstSpikeNetwork& network);

/// The same as populations of IF neurons that stay silent after their first spike, since they are reset to
/// -2^100: any simulator that knows reset values can run it.
[[nodiscard]] Network network_of(const FirstSpikeNetwork& network);

/// Takes a chain input -> IF -> IF ..., whose projections are dense, convolutions, or sums over windows, with
/// delays. Every neuron then fires at most once, whatever its reset. Throws NetworkError that names what does
/// not fit.
[[nodiscard]] FirstSpikeNetwork first_spike_network(const Network& network, Duration t_max,
                                                    Duration silence_decides_at);

}  // namespace saltus::learning
