// Labelled samples in the layout of the Spiking Heidelberg Digits (Cramer et al., IEEE Trans. Neural Netw.
// Learn. Syst. 33, 2744, 2022): one variable-length row of times and one of units per sample, read one at a
// time.
#include <algorithm>

#include "hdf5.hpp"
#include "recorded_time.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/spikes.hpp"

namespace saltus::io {

namespace {

constexpr std::uint64_t max_spikes = std::uint64_t{1} << 28;
constexpr std::uint64_t max_samples = std::uint64_t{1} << 26;
constexpr std::int64_t largest_unit = 0xfffffffe;  // 2^32 - 2

std::string entry(std::uint64_t sample, std::size_t i) {
    return "sample " + std::to_string(sample) + ", entry " + std::to_string(i) + ": ";
}

void check_count(const hdf5::Dataset& dataset, std::uint64_t samples) {
    if (dataset.shape() != std::vector<std::uint64_t>{samples}) {
        throw dataset.error("expected " + std::to_string(samples) +
                            " samples, as many as labels, found shape " + hdf5::to_string(dataset.shape()) +
                            ".");
    }
}

SpikeTrain sample_of(const hdf5::Dataset& times, const hdf5::Dataset& units, std::uint64_t sample,
                     std::uint64_t limit) {
    const std::vector<double> seconds = times.read_row<double>(sample, limit * sizeof(double));
    const std::vector<std::int64_t> indices =
        units.read_row<std::int64_t>(sample, limit * sizeof(std::int64_t));
    if (seconds.size() != indices.size()) {
        throw units.error("sample " + std::to_string(sample) + ": expected as many units as times, " +
                          std::to_string(seconds.size()) + ", found " + std::to_string(indices.size()) + ".");
    }
    SpikeTrain spikes;
    spikes.reserve(seconds.size());
    for (std::size_t i = 0; i < seconds.size(); ++i) {
        const std::optional<Time> time = recorded_time(seconds[i], femtoseconds_per_second);
        if (!time) {
            throw times.error(entry(sample, i) + "expected a time from 0 to 9223 s, found " +
                              std::to_string(seconds[i]) + ".");
        }
        if (indices[i] < 0 || indices[i] > largest_unit) {
            throw units.error(entry(sample, i) + "expected a unit from 0 to " + std::to_string(largest_unit) +
                              ", found " + std::to_string(indices[i]) + ".");
        }
        spikes.add(*time, static_cast<NeuronIndex>(indices[i]));
    }
    spikes.sort();
    return spikes;
}

}  // namespace

SpikeBatch read_spike_batch(const std::filesystem::path& path) {
    const hdf5::File file = hdf5::File::open(path);
    const hdf5::Group root = file.root();
    const hdf5::Group group = root.group("spikes");
    const hdf5::Dataset times = group.dataset("times");
    const hdf5::Dataset units = group.dataset("units");

    SpikeBatch batch;
    batch.labels = root.dataset("labels").read<std::int64_t>(max_samples * sizeof(std::int64_t));
    check_count(times, batch.labels.size());
    check_count(units, batch.labels.size());
    if (root.contains("extra")) {
        const hdf5::Group extra = root.group("extra");
        if (extra.contains("keys"))
            batch.classes = extra.dataset("keys").read_strings(std::uint64_t{1} << 20);
    }

    std::uint64_t left = max_spikes;
    batch.samples.reserve(batch.labels.size());
    for (std::uint64_t k = 0; k < batch.labels.size(); ++k) {
        batch.samples.push_back(sample_of(times, units, k, left));
        const SpikeTrain& spikes = batch.samples.back();
        left -= spikes.size();
        for (const NeuronIndex unit : spikes.neurons) batch.units = std::max(batch.units, unit + 1);
    }
    return batch;
}

}  // namespace saltus::io
