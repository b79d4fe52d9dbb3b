// Exact gradients against those of 105-digit arithmetic. See README.md in this folder.
#include <doctest/doctest.h>
#include <hdf5.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "saltus/engine/learning/event_prop.hpp"

namespace saltus::learning {
namespace {

constexpr double milli = 1e-3;

class GoldenFile {
  public:
    explicit GoldenFile(const std::string& path) : file_(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT)) {
        REQUIRE(file_ >= 0);
    }
    ~GoldenFile() { H5Fclose(file_); }
    GoldenFile(const GoldenFile&) = delete;
    GoldenFile& operator=(const GoldenFile&) = delete;

    [[nodiscard]] std::vector<double> reals(const std::string& path) const {
        int rank = 0;
        REQUIRE(H5LTget_dataset_ndims(file_, path.c_str(), &rank) >= 0);
        REQUIRE(rank == 1);
        hsize_t n = 0;
        REQUIRE(H5LTget_dataset_info(file_, path.c_str(), &n, nullptr, nullptr) >= 0);
        std::vector<double> values(n);
        if (n > 0) REQUIRE(H5LTread_dataset_double(file_, path.c_str(), values.data()) >= 0);
        return values;
    }
    [[nodiscard]] std::vector<NeuronIndex> indices(const std::string& path) const {
        std::vector<NeuronIndex> result;
        for (const double x : reals(path)) result.push_back(static_cast<NeuronIndex>(x));
        return result;
    }
    [[nodiscard]] double real(const std::string& group, const char* attribute) const {
        double value = 0.0;
        REQUIRE(H5LTget_attribute_double(file_, group.c_str(), attribute, &value) >= 0);
        return value;
    }
    [[nodiscard]] std::string text(const std::string& group, const char* attribute) const {
        char* value = nullptr;
        REQUIRE(H5LTget_attribute_string(file_, group.c_str(), attribute, reinterpret_cast<char*>(&value)) >=
                0);
        std::string result(value);
        H5free_memory(value);
        return result;
    }

  private:
    hid_t file_;
};

/// Neurons that the loss reads form the population "out", the others "hidden".
struct Case {
    std::vector<Population> populations;
    std::vector<Projection> projections;                       // one for each synapse
    std::vector<std::pair<std::uint32_t, NeuronIndex>> place;  // of each neuron: population and index
    std::vector<InputSpikes> inputs;
};

neurons::Model model_of(const GoldenFile& file, const std::vector<NeuronIndex>& members) {
    const auto tau_m = file.reals("/neurons/tau_m");
    const auto tau_s = file.reals("/neurons/tau_s");
    const auto theta = file.reals("/neurons/theta");
    const auto v_reset = file.reals("/neurons/v_reset");
    const auto bias = file.reals("/neurons/bias");
    const auto per_neuron = [&]<class P>(P) {
        neurons::PerNeuron<P> model;
        for (const NeuronIndex i : members) {
            P p;
            if constexpr (requires { p.tau_m; }) {
                p.tau_m = tau_m[i] * milli;
                p.E_L = bias[i];
            } else {
                p.R = 1.0 / (tau_m[i] * milli);
                p.I_e = bias[i];
            }
            if constexpr (requires { p.tau_syn; }) p.tau_syn = tau_s[i] * milli;
            if constexpr (requires { p.V_th; }) {
                p.V_th = theta[i];
                p.V_reset = v_reset[i];
            } else {
                REQUIRE(std::isinf(theta[i]));
            }
            model.push_back(p);
        }
        return neurons::Model(std::move(model));
    };
    const std::string kind = file.text("/", "neuron");
    const bool readout = std::isinf(theta[members.front()]);
    if (kind == "lif_delta") return readout ? per_neuron(neurons::Li()) : per_neuron(neurons::Lif());
    if (kind == "if_exp") return per_neuron(neurons::IfExp());
    REQUIRE(kind == "lif_exp");
    return readout ? per_neuron(neurons::CubaLi()) : per_neuron(neurons::CubaLif());
}

Case case_of(const GoldenFile& file) {
    Case result;
    const auto inputs = static_cast<std::uint32_t>(file.real("/", "n_inputs"));
    const auto size = static_cast<std::uint32_t>(file.real("/", "n_neurons"));
    const std::string loss = file.text("/loss", "type");
    const std::vector<NeuronIndex> out =
        loss == "spike_mse" ? std::vector<NeuronIndex>() : file.indices("/loss/out");
    std::vector<std::vector<NeuronIndex>> members(2);
    for (NeuronIndex i = 0; i < size; ++i) {
        const bool read = std::find(out.begin(), out.end(), i) != out.end();
        if (!read) members[0].push_back(i);
    }
    members[1] = out;
    result.populations.push_back({"input", {inputs}, neurons::Input{}});
    result.place.resize(size);
    for (std::uint32_t g = 0; g < 2; ++g) {
        if (members[g].empty()) continue;
        const auto population = static_cast<std::uint32_t>(result.populations.size());
        for (NeuronIndex k = 0; k < members[g].size(); ++k) result.place[members[g][k]] = {population, k};
        result.populations.push_back({g == 0 ? "hidden" : "out",
                                      {static_cast<std::uint32_t>(members[g].size())},
                                      model_of(file, members[g])});
    }
    const auto pre = file.indices("/synapses/pre");
    const auto post = file.indices("/synapses/post");
    const auto weight = file.reals("/synapses/weight");
    const auto delay = file.reals("/synapses/delay");
    for (std::size_t s = 0; s < pre.size(); ++s) {
        const std::pair<std::uint32_t, NeuronIndex> from =
            pre[s] < inputs ? std::make_pair(0u, pre[s]) : result.place[pre[s] - inputs];
        const auto to = result.place[post[s]];
        result.projections.push_back(
            {from.first,
             to.first,
             {Sparse::of("", result.populations[from.first].size(), result.populations[to.first].size(),
                         {from.second}, {to.second}, {weight[s]},
                         {duration_from_seconds(delay[s] * milli)})}});
    }
    const auto time = file.reals("/input/time");
    const auto source = file.indices("/input/source");
    SpikeTrain train;
    for (std::size_t k = 0; k < time.size(); ++k)
        train.add(Time(duration_from_seconds(time[k] * milli)), source[k]);
    result.inputs.push_back({"input", train});
    return result;
}

struct GoldenLoss {
    std::shared_ptr<const Loss> loss;
    double unit = 1.0;  // golden value over ours, whose times are seconds
};

GoldenLoss loss_of(const GoldenFile& file, const Case& built) {
    const std::string type = file.text("/loss", "type");
    if (type == "spike_mse") {
        const auto neuron = file.indices("/loss/target_neuron");
        const auto index = file.indices("/loss/target_index");
        const auto time = file.reals("/loss/target_time");
        std::vector<SpikeTarget> targets;
        for (std::size_t k = 0; k < neuron.size(); ++k) {
            const auto [population, i] = built.place[neuron[k]];
            targets.push_back({built.populations[population].name, i, index[k], time[k] * milli});
        }
        return {spike_time_loss(targets), 1e6};
    }
    const auto label = static_cast<std::uint32_t>(file.real("/loss", "label"));
    ClassLoss loss;
    if (type == "ttfs_ce") {
        loss.tau_0 = file.real("/loss", "tau0") * milli;
        loss.tau_1 = file.real("/loss", "tau1") * milli;
        loss.alpha = file.real("/loss", "alpha");
        loss.silent = file.real("/loss", "t_silent") * milli;
    } else {
        loss.kind = type == "v_int_ce" ? ClassLoss::Kind::mean_potential : ClassLoss::Kind::largest_potential;
    }
    return {class_loss("out", loss, label)};
}

/// The largest difference over the largest entry.
double difference(const std::vector<double>& found, const std::vector<double>& expected) {
    REQUIRE(found.size() == expected.size());
    double largest = 0.0;
    double worst = 0.0;
    for (std::size_t k = 0; k < found.size(); ++k) {
        largest = std::max(largest, std::abs(expected[k]));
        worst = std::max(worst, std::abs(found[k] - expected[k]));
    }
    return largest == 0.0 ? worst : worst / largest;
}

void check(const std::string& name, double time_bound, double gradient_bound) {
    CAPTURE(name);
    const GoldenFile file(SALTUS_TEST_DATA "/conformance/exact_gradients/" + name + ".h5");
    const Case built = case_of(file);
    const Network network(built.populations, built.projections);
    const GoldenLoss golden = loss_of(file, built);
    const double t_end = file.real("/", "t_end");
    const Gradient found =
        gradient(network, built.inputs, *golden.loss, {.duration = duration_from_seconds(t_end * milli)});
    CHECK(found.bounded == 0);
    CHECK(found.loss * golden.unit == doctest::Approx(file.real("/loss", "value")).epsilon(gradient_bound));

    const auto times = file.reals("/spikes/time");
    const auto spiking = file.indices("/spikes/neuron");
    std::vector<std::size_t> counts(built.place.size(), 0);
    for (std::size_t k = 0; k < times.size(); ++k) {
        const auto [population, i] = built.place[spiking[k]];
        const auto& of_neuron = found.spikes[population][i];
        const std::size_t n = counts[spiking[k]]++;
        REQUIRE(n < of_neuron.size());
        CHECK(std::abs(of_neuron[n] / milli - times[k]) <= time_bound);
    }
    for (std::size_t j = 0; j < built.place.size(); ++j)
        CHECK(found.spikes[built.place[j].first][built.place[j].second].size() == counts[j]);

    std::map<std::string, std::vector<double>> ours;
    for (const auto& projection : found.projections) {
        ours["weight"].push_back(projection[0].weights[0] * golden.unit);
        ours["delay"].push_back(projection[0].delays[0] * milli * golden.unit);
    }
    const std::string kind = file.text("/", "neuron");
    const auto tau_m = file.reals("/neurons/tau_m");
    for (std::size_t j = 0; j < built.place.size(); ++j) {
        const auto& columns = found.populations[built.place[j].first];
        const auto column = [&](const char* field) {
            const auto at = columns.find(field);
            return at == columns.end() ? 0.0 : at->second[built.place[j].second] * golden.unit;
        };
        ours["tau_m"].push_back(kind == "if_exp" ? -column("R") / (tau_m[j] * tau_m[j] * milli)
                                                 : column("tau_m") * milli);
        ours["tau_s"].push_back(column("tau_syn") * milli);
        ours["theta"].push_back(column("V_th"));
        ours["v_reset"].push_back(column("V_reset"));
        ours["bias"].push_back(column(kind == "if_exp" ? "I_e" : "E_L"));
    }
    std::map<NeuronIndex, std::size_t> of_source;
    for (const NeuronIndex source : file.indices("/input/source")) {
        REQUIRE(of_source[source] < found.times[0][source].size());
        ours["input_time"].push_back(found.times[0][source][of_source[source]++] * milli * golden.unit);
    }
    for (const auto& [group, values] : ours) {
        CAPTURE(group);
        CHECK(difference(values, file.reals("/gradient/" + group)) <= gradient_bound);
    }
}

TEST_SUITE("conformance/exact_gradients") {
    TEST_CASE("first spike times, no delays") {
        check("01_ff_ttfs", 5e-11, 1e-10);
    }
    TEST_CASE("equal time constants, delays of each synapse") {
        check("02_ff_ttfs_equal_tau_delays", 5e-11, 1e-10);
    }
    TEST_CASE("recurrent with autapses, several spikes of each neuron") {
        check("04_recurrent_spike_mse", 5e-11, 1e-10);
    }
    TEST_CASE("mean potential of leaky readouts") {
        check("06_recurrent_voltage_integral", 5e-11, 1e-10);
    }
    TEST_CASE("largest potential, every neuron with parameters of its own") {
        check("07_recurrent_voltage_max_heterogeneous", 5e-11, 1e-10);
    }
    TEST_CASE("delta synapses, spikes by drift and by jump") {
        check("09_delta_synapse_bias_drive", 5e-11, 1e-10);
    }
    TEST_CASE("no leak") {
        check("10_if_exp_ttfs", 5e-11, 1e-10);
    }
    TEST_CASE("a peak that passes the threshold by 1e-10") {
        check("11_near_tangential", 1e-9, 1e-5);
    }
    TEST_CASE("time constants that differ by 1e-9") {
        check("12_ff_nearly_equal_tau", 5e-11, 1e-10);
    }
    TEST_CASE("one spike of each neuron, tau_m twice tau_syn") {
        check("16_ff_single_spike_double_tau", 5e-11, 1e-10);
    }
    TEST_CASE("largest potential between events and on arrivals") {
        check("18_recurrent_voltage_max_interior", 5e-11, 1e-10);
    }
}

}  // namespace
}  // namespace saltus::learning
