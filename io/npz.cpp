// Spikes as arrays of NumPy in one archive. ticks, whole femtoseconds, go before times, which they must agree
// with.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "files.hpp"
#include "npy.hpp"
#include "recorded_time.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/recordings.hpp"
#include "zip.hpp"

namespace saltus::io {

namespace {

constexpr std::uint64_t largest_file = std::uint64_t{1} << 32;
constexpr std::uint64_t always_expanded = std::uint64_t{1} << 26;  // bytes
constexpr std::uint64_t most_compression = 64;  // beyond that: numbers of spikes do not compress further
constexpr std::int64_t most_samples = std::int64_t{1} << 20;
constexpr double femtoseconds_per_second = 1e15;
constexpr std::string_view npy = ".npy";

std::string entry(const std::string& array, std::size_t i) {
    return saltus::quoted(array) + ", entry " + std::to_string(i);
}

class Reader {
  public:
    explicit Reader(const std::filesystem::path& path) : path_(path.string()) {
        const std::string archive = read_file(path, largest_file);
        const std::uint64_t limit = std::max(always_expanded, most_compression * archive.size());
        for (const ZipEntry& one : unzipped(archive, path_, limit)) {
            if (!one.name.ends_with(npy)) {
                throw FileError::unexpected(path_, "entry " + saltus::quoted(one.name),
                                            "arrays of NumPy (.npy)", "another file");
            }
            const std::string name = one.name.substr(0, one.name.size() - npy.size());
            const std::string where = "array " + saltus::quoted(name);
            if (!arrays_.emplace(name, from_npy(one.bytes, path_, where)).second)
                throw FileError(path_, where, "stands twice in the archive.");
        }
    }

    Recordings read() {
        Recordings recordings;
        for (const auto& [name, array] : arrays_) {
            constexpr std::string_view neurons = "neurons";
            if (!name.ends_with(neurons)) continue;
            const std::string prefix = name.substr(0, name.size() - neurons.size());
            if (!prefix.empty() && prefix.back() != '.') continue;
            recordings.populations.push_back(population(prefix));
        }
        if (recordings.populations.empty()) {
            std::string names;
            for (const auto& [name, array] : arrays_)
                names += (names.empty() ? "" : ", ") + saltus::quoted(name);
            throw FileError::unexpected(path_, "", "arrays 'times' (or 'ticks') and 'neurons'",
                                        names.empty() ? "none" : names,
                                        "Save spikes as np.savez(path, times=..., neurons=...).");
        }
        std::size_t samples = static_cast<std::size_t>(single("samples_count", most_samples).value_or(1));
        for (const auto& population : recordings.populations)
            samples = std::max(samples, population.samples.size());
        for (auto& population : recordings.populations) {
            population.samples.resize(samples);
            for (SpikeTrain& train : population.samples) train.sort();
        }
        if (arrays_.count("labels") != 0) {
            recordings.labels = whole("labels");
            if (recordings.labels.size() != samples) {
                throw FileError::unexpected(path_, "array 'labels'",
                                            "one for each of " + std::to_string(samples) + " samples",
                                            std::to_string(recordings.labels.size()));
            }
        }
        return recordings;
    }

  private:
    [[nodiscard]] std::vector<std::int64_t> whole(const std::string& name) const {
        const auto found = arrays_.find(name);
        if (found == arrays_.end()) throw FileError(path_, "array " + saltus::quoted(name), "is missing.");
        const auto* values = std::get_if<std::vector<std::int64_t>>(&found->second);
        if (!values)
            throw FileError::unexpected(path_, "array " + saltus::quoted(name), "integers", "floats");
        return *values;
    }

    [[nodiscard]] std::optional<std::int64_t> single(const std::string& name, std::int64_t most) const {
        if (arrays_.count(name) == 0) return std::nullopt;
        const std::vector<std::int64_t> values = whole(name);
        if (values.size() != 1 || values[0] < 0 || values[0] > most) {
            throw FileError::unexpected(
                path_, "array " + saltus::quoted(name), "one number from 0 to " + std::to_string(most),
                values.size() == 1 ? std::to_string(values[0]) : std::to_string(values.size()) + " numbers");
        }
        return values[0];
    }

    [[nodiscard]] std::vector<Time> times(const std::string& prefix) const {
        const std::string seconds_name = prefix + "times";
        const std::string ticks_name = prefix + "ticks";
        std::vector<Time> times;
        const auto seconds = arrays_.find(seconds_name);
        if (seconds == arrays_.end() && arrays_.count(ticks_name) == 0)
            throw FileError(path_, "array " + saltus::quoted(seconds_name), "is missing.");
        if (seconds != arrays_.end()) {
            const auto* values = std::get_if<std::vector<double>>(&seconds->second);
            if (!values) {
                throw FileError::unexpected(path_, "array " + saltus::quoted(seconds_name),
                                            "seconds as floats", "integers",
                                            "Whole femtoseconds are called 'ticks'.");
            }
            for (std::size_t i = 0; i < values->size(); ++i) {
                const auto time = recorded_time((*values)[i], femtoseconds_per_second);
                if (!time) {
                    throw FileError::unexpected(path_, "array " + entry(seconds_name, i),
                                                "a time from 0 to 9223 s", shown((*values)[i]));
                }
                times.push_back(*time);
            }
        }
        if (arrays_.count(ticks_name) != 0)
            refine(times, whole(ticks_name), ticks_name, seconds != arrays_.end());
        return times;
    }

    void refine(std::vector<Time>& times, const std::vector<std::int64_t>& ticks, const std::string& name,
                bool has_seconds) const {
        if (has_seconds && ticks.size() != times.size()) {
            throw FileError::unexpected(path_, "array " + saltus::quoted(name),
                                        "as many as times, " + std::to_string(times.size()),
                                        std::to_string(ticks.size()));
        }
        times.resize(ticks.size());
        for (std::size_t i = 0; i < ticks.size(); ++i) {
            const std::int64_t near = times[i].femtoseconds();
            const bool agrees =
                !has_seconds || std::abs(static_cast<double>(ticks[i]) - static_cast<double>(near)) <=
                                    1.0 + static_cast<double>(near) * 0x1p-51;
            if (ticks[i] < 0 || !agrees) {
                throw FileError::unexpected(path_, "array " + entry(name, i),
                                            has_seconds ? std::to_string(near) + " fs as times says" : ">= 0",
                                            std::to_string(ticks[i]));
            }
            times[i] = Time(Duration(ticks[i]));
        }
    }

    [[nodiscard]] Recordings::Population population(const std::string& prefix) const {
        const std::vector<Time> when = times(prefix);
        const std::vector<std::int64_t> neurons = whole(prefix + "neurons");
        const bool has_samples = arrays_.count(prefix + "samples") != 0;
        const std::vector<std::int64_t> samples =
            has_samples ? whole(prefix + "samples") : std::vector<std::int64_t>();
        const auto check_length = [&](const std::string& name, std::size_t found) {
            if (found == when.size()) return;
            throw FileError::unexpected(path_, "array " + saltus::quoted(name),
                                        "as many as times, " + std::to_string(when.size()),
                                        std::to_string(found));
        };
        check_length(prefix + "neurons", neurons.size());
        if (has_samples) check_length(prefix + "samples", samples.size());
        constexpr std::int64_t most_neurons = 0xfffffffe;
        Recordings::Population result{
            prefix.empty() ? prefix : prefix.substr(0, prefix.size() - 1),
            static_cast<std::uint64_t>(single(prefix + "size", most_neurons).value_or(0)),
            std::vector<SpikeTrain>(1)};
        for (std::size_t i = 0; i < when.size(); ++i) {
            if (neurons[i] < 0 || neurons[i] > most_neurons) {
                throw FileError::unexpected(path_, "array " + entry(prefix + "neurons", i),
                                            "a neuron from 0 to " + std::to_string(most_neurons),
                                            std::to_string(neurons[i]));
            }
            const std::int64_t sample = has_samples ? samples[i] : 0;
            if (sample < 0 || sample >= most_samples) {
                throw FileError::unexpected(path_, "array " + entry(prefix + "samples", i),
                                            "a sample from 0 to " + std::to_string(most_samples - 1),
                                            std::to_string(sample));
            }
            const auto k = static_cast<std::size_t>(sample);
            if (result.samples.size() <= k) result.samples.resize(k + 1);
            result.samples[k].add(when[i], static_cast<NeuronIndex>(neurons[i]));
        }
        return result;
    }

    std::string path_;
    std::map<std::string, NpyArray> arrays_;
};

}  // namespace

Recordings read_npz(const std::filesystem::path& path) {
    return Reader(path).read();
}

void write_npz(const std::filesystem::path& path, const Recordings& recordings) {
    std::vector<ZipEntry> entries;
    const auto add = [&](const std::string& name, const auto& values) {
        entries.push_back({name + std::string(npy), to_npy(values)});
    };
    const bool has_samples = recordings.samples() != 1;
    if (has_samples)
        add("samples_count", std::vector<std::int64_t>{static_cast<std::int64_t>(recordings.samples())});
    if (!recordings.labels.empty()) add("labels", recordings.labels);
    for (const Recordings::Population& population : recordings.populations) {
        const std::string prefix = population.name.empty() ? "" : population.name + ".";
        std::vector<double> times;
        std::vector<std::int64_t> ticks;
        std::vector<std::uint32_t> neurons;
        std::vector<std::int64_t> samples;
        for (std::size_t k = 0; k < population.samples.size(); ++k) {
            const SpikeTrain& train = population.samples[k];
            for (std::size_t i = 0; i < train.size(); ++i) {
                times.push_back(train.times[i].seconds());
                ticks.push_back(train.times[i].femtoseconds());
                neurons.push_back(train.neurons[i]);
                samples.push_back(static_cast<std::int64_t>(k));
            }
        }
        add(prefix + "times", times);
        add(prefix + "ticks", ticks);
        add(prefix + "neurons", neurons);
        if (has_samples) add(prefix + "samples", samples);
        if (population.neurons != 0)
            add(prefix + "size", std::vector<std::int64_t>{static_cast<std::int64_t>(population.neurons)});
    }
    write_file(path, zipped(entries));
}

}  // namespace saltus::io
