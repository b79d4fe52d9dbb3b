// Golden files of S4NN: arrays, and networks in slots of 1 ms.
#pragma once

#include <doctest/doctest.h>
#include <hdf5.h>
#include <hdf5_hl.h>

#include <string>
#include <vector>

#include "saltus/engine/learning/s4nn.hpp"

namespace saltus::test {

inline constexpr std::int64_t slot = 1'000'000'000'000;  // [fs]

class GoldenFile {
  public:
    explicit GoldenFile(const std::string& path) : file_(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT)) {
        REQUIRE_MESSAGE(file_ >= 0, path);
    }
    ~GoldenFile() { H5Fclose(file_); }
    GoldenFile(const GoldenFile&) = delete;
    GoldenFile& operator=(const GoldenFile&) = delete;

    [[nodiscard]] std::vector<double> reals(const std::string& path) const {
        return read<double>(path, H5T_NATIVE_DOUBLE);
    }
    [[nodiscard]] std::vector<std::int64_t> integers(const std::string& path) const {
        return read<std::int64_t>(path, H5T_NATIVE_INT64);
    }
    [[nodiscard]] std::vector<double> attribute(const std::string& object, const char* name) const {
        hsize_t dims[1] = {1};
        int rank = 0;
        REQUIRE(H5LTget_attribute_ndims(file_, object.c_str(), name, &rank) >= 0);
        REQUIRE(rank <= 1);
        if (rank == 1) {
            H5T_class_t kind = H5T_NO_CLASS;
            std::size_t size = 0;
            REQUIRE(H5LTget_attribute_info(file_, object.c_str(), name, dims, &kind, &size) >= 0);
        }
        std::vector<double> values(dims[0]);
        REQUIRE(H5LTget_attribute_double(file_, object.c_str(), name, values.data()) >= 0);
        return values;
    }

  private:
    template <class T>
    std::vector<T> read(const std::string& path, hid_t type) const {
        int rank = 0;
        REQUIRE_MESSAGE(H5LTget_dataset_ndims(file_, path.c_str(), &rank) >= 0, path);
        std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
        REQUIRE(H5LTget_dataset_info(file_, path.c_str(), dims.data(), nullptr, nullptr) >= 0);
        std::size_t n = 1;
        for (const hsize_t d : dims) n *= d;
        std::vector<T> values(n);
        if (n > 0) REQUIRE(H5LTread_dataset(file_, path.c_str(), type, values.data()) >= 0);
        return values;
    }

    hid_t file_;
};

/// [post][pre], as files have it, to [pre][post].
inline std::vector<double> transposed(const std::vector<double>& matrix, std::size_t post) {
    const std::size_t pre = matrix.size() / post;
    std::vector<double> result(matrix.size());
    for (std::size_t j = 0; j < post; ++j) {
        for (std::size_t i = 0; i < pre; ++i) result[i * post + j] = matrix[j * pre + i];
    }
    return result;
}

/// One dense layer after another, with a delay of one slot each; `weights` are [post][pre].
inline learning::FirstSpikeNetwork dense_network(const std::vector<std::uint32_t>& sizes,
                                                 const std::vector<std::vector<double>>& weights,
                                                 const std::vector<double>& thresholds, std::int64_t t_max) {
    learning::FirstSpikeNetwork network;
    network.input = {sizes.front()};
    network.t_max = Duration(t_max * slot);
    network.silence_decides_at = Duration((t_max - 2) * slot);  // what was sent up to slot t_max - 3
    for (std::size_t l = 0; l + 1 < sizes.size(); ++l) {
        learning::FirstSpikeLayer layer;
        layer.name = "layer" + std::to_string(l);
        layer.shape = {sizes[l + 1]};
        layer.V_th = learning::above(thresholds[l]);
        layer.synapses = learning::DenseSynapses{
            sizes[l], sizes[l + 1], transposed(weights[l], sizes[l + 1]), {Duration(slot)}};
        network.layers.push_back(std::move(layer));
    }
    return network;
}

/// Rows of slots as samples.
inline learning::SampleSet samples_of(const std::vector<std::int64_t>& slots, std::uint32_t neurons,
                                      const std::vector<std::int64_t>& labels, std::uint32_t classes) {
    learning::SampleSet samples({neurons}, classes);
    for (std::size_t i = 0; i < labels.size(); ++i) {
        SpikeTrain spikes;
        for (std::uint32_t k = 0; k < neurons; ++k) {
            spikes.add(Time(Duration(slots[i * neurons + k] * slot)), k);
        }
        spikes.sort();
        samples.add(spikes, labels[i]);
    }
    return samples;
}

/// Equal to 1e-12 of the largest entry.
inline void check_close(const std::vector<double>& found, const double* expected, std::size_t n) {
    double largest = 0.0;
    double worst = 0.0;
    REQUIRE(found.size() == n);
    for (std::size_t k = 0; k < n; ++k) {
        largest = std::max(largest, std::abs(expected[k]));
        worst = std::max(worst, std::abs(found[k] - expected[k]));
    }
    CHECK(worst <= 1e-12 * largest);
}

inline void check_times(const std::vector<Time>& found, const std::int64_t* expected, std::size_t n) {
    REQUIRE(found.size() == n);
    std::size_t wrong = 0;
    for (std::size_t k = 0; k < n; ++k) wrong += found[k].femtoseconds() != expected[k] * slot;
    CHECK(wrong == 0);
}

}  // namespace saltus::test
