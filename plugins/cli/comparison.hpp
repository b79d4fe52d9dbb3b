// One network and input under several clocks and conventions, each held against the first.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reading.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus::cli {

/// "exact", "stepped", "exact:norse", "stepped:my.json"
struct Variant {
    std::string text;
    converters::NirReading reading;
    [[nodiscard]] bool steps() const { return reading.clock == converters::Clock::stepped; }
};
/// Throws UsageError.
[[nodiscard]] Variant variant_from(const std::string& text, const converters::NirReading& common);

/// What a variant did. Population by population, in the order of `populations`.
struct VariantRun {
    Variant variant;
    std::string convention;  // as chosen or guessed
    converters::Import import;
    Duration dt;  // of its steps; of the exact clock, between two samples of a potential
    SimulationResult result;

    /// Potential of a neuron after step k of the grid, if it was recorded.
    [[nodiscard]] std::optional<double> potential(const std::string& population, NeuronIndex neuron,
                                                  Time t) const;
};

struct ComparisonOptions {
    std::vector<std::string> inputs;  // files
    Duration duration;
    std::optional<Duration> tolerance;  // none: 0 for two runs on one grid, else the longer of their steps
    Duration tau = Duration(10'000'000'000'000);  // of both distances
    unsigned threads = 1;
};

/// The first spike that one run has and another has not.
struct FirstDifference {
    Time time;
    NeuronIndex neuron = 0;
    bool only_in_reference = false;
    std::optional<double> potential_of_reference;
    std::optional<double> potential;
};

/// One population of one run beside the same of the first run.
struct PopulationComparison {
    std::string population;
    std::uint32_t neurons = 0;
    std::size_t run = 0;
    std::uint64_t spikes = 0;
    double rate = 0.0;  // spikes per neuron and second
    std::uint64_t partners = 0;
    std::uint64_t only_in_reference = 0;
    std::uint64_t only_here = 0;
    std::optional<FirstDifference> first;
    double van_rossum = 0.0;               // squared, mean over the neurons
    std::optional<double> victor_purpura;  // mean over the neurons; none: too many spikes
};

struct Comparison {
    std::vector<VariantRun> runs;
    std::vector<PopulationComparison> populations;  // by population, then by run, from the second on
};

[[nodiscard]] Comparison compare(const std::string& network, const ReadingOptions& reading,
                                 const std::vector<Variant>& variants, const ComparisonOptions& options);

}  // namespace saltus::cli
