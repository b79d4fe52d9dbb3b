// The exact clock against jaxsnn 0.3.0, which is event-driven and exact too. See README.md in this folder.
#include <doctest/doctest.h>
#include <hdf5.h>
#include <hdf5_hl.h>

#include <cmath>
#include <string>
#include <vector>

#include "saltus/converters/nir.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus {
namespace {

/// run.h5 of one case: times in seconds, with the neuron of each.
class RunFile {
  public:
    explicit RunFile(const std::string& path) : file_(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT)) {
        REQUIRE(file_ >= 0);
    }
    ~RunFile() { H5Fclose(file_); }
    RunFile(const RunFile&) = delete;
    RunFile& operator=(const RunFile&) = delete;

    [[nodiscard]] double duration() const {
        double value = 0.0;
        REQUIRE(H5LTget_attribute_double(file_, "/", "t_max", &value) >= 0);
        return value;
    }
    [[nodiscard]] std::vector<double> times(const std::string& group) const {
        return read<double>(group + "/time", H5T_NATIVE_DOUBLE);
    }
    [[nodiscard]] std::vector<NeuronIndex> neurons(const std::string& group) const {
        return read<NeuronIndex>(group + "/idx", H5T_NATIVE_UINT32);
    }

  private:
    template <class T>
    [[nodiscard]] std::vector<T> read(const std::string& path, hid_t type) const {
        hsize_t n = 0;
        int rank = 0;
        REQUIRE(H5LTget_dataset_ndims(file_, path.c_str(), &rank) >= 0);
        REQUIRE(rank == 1);
        REQUIRE(H5LTget_dataset_info(file_, path.c_str(), &n, nullptr, nullptr) >= 0);
        std::vector<T> values(n);
        REQUIRE(H5LTread_dataset(file_, path.c_str(), type, values.data()) >= 0);
        return values;
    }

    hid_t file_;
};

void check_case(const std::string& name, const std::vector<std::string>& populations) {
    CAPTURE(name);
    const std::string folder = SALTUS_TEST_DATA "/conformance/nir/jaxsnn/" + name;
    converters::NirReading reading;
    reading.convention = "jaxsnn";
    const Network network =
        converters::network_from_nir(io::read_nir(folder + "/network.nir"), reading).network;

    const RunFile golden(folder + "/run.h5");
    SimulationOptions options;
    options.duration = duration_from_seconds(golden.duration());
    InputSpikes input{"input", {}};
    input.spikes.neurons = golden.neurons("input");
    for (const double t : golden.times("input")) input.spikes.times.push_back(Time(duration_from_seconds(t)));
    const SimulationResult result = simulate(network, {input}, options);

    for (const std::string& population : populations) {
        CAPTURE(population);
        const SpikeTrain& spikes = result.spikes[network.index_of(population)];
        const std::vector<double> times = golden.times("runs/imported/nodes/" + population);
        CHECK(times.size() > 30);
        REQUIRE(spikes.size() == times.size());
        CHECK(spikes.neurons == golden.neurons("runs/imported/nodes/" + population));
        for (std::size_t k = 0; k < times.size(); ++k) {
            CAPTURE(k);
            CHECK(std::abs(spikes.times[k].seconds() - times[k]) <= 1e-12);
        }
    }
}

TEST_SUITE("conformance/nir/jaxsnn") {
    TEST_CASE("two layers of CubaLIF with a reset below zero: every spike") {
        check_case("cubalif_exact", {"lif0", "lif1"});
    }
    TEST_CASE("one layer of CubaLIF with a reset to zero: every spike") {
        check_case("cubalif_exact_reset0", {"lif0"});
    }
}

}  // namespace
}  // namespace saltus
