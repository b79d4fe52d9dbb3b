// The exact clock against spike times of 40 digits. See README.md in this folder.
#include <doctest/doctest.h>
#include <hdf5.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "saltus/engine/simulate.hpp"

namespace saltus {
namespace {

class GoldenFile {
  public:
    GoldenFile()
        : file_(H5Fopen(SALTUS_TEST_DATA "/conformance/exact/exact.h5", H5F_ACC_RDONLY, H5P_DEFAULT)) {
        REQUIRE(file_ >= 0);
    }
    ~GoldenFile() { H5Fclose(file_); }
    GoldenFile(const GoldenFile&) = delete;
    GoldenFile& operator=(const GoldenFile&) = delete;

    [[nodiscard]] bool has(const std::string& path) const {
        return H5Lexists(file_, path.c_str(), H5P_DEFAULT) > 0;
    }
    [[nodiscard]] std::vector<double> reals(const std::string& path) const {
        return read<double>(path, H5T_NATIVE_DOUBLE);
    }
    [[nodiscard]] std::vector<std::int64_t> integers(const std::string& path) const {
        return read<std::int64_t>(path, H5T_NATIVE_INT64);
    }
    [[nodiscard]] std::string text(const std::string& group, const char* attribute) const {
        char* value = nullptr;
        REQUIRE(H5LTget_attribute_string(file_, group.c_str(), attribute, reinterpret_cast<char*>(&value)) >=
                0);
        std::string result(value);
        H5free_memory(value);
        return result;
    }
    [[nodiscard]] std::int64_t integer(const std::string& group, const char* attribute) const {
        long long value = 0;
        REQUIRE(H5LTget_attribute_long_long(file_, group.c_str(), attribute, &value) >= 0);
        return value;
    }

  private:
    template <class T>
    std::vector<T> read(const std::string& path, hid_t type) const {
        int rank = 0;
        REQUIRE(H5LTget_dataset_ndims(file_, path.c_str(), &rank) >= 0);
        REQUIRE(rank == 1);
        hsize_t n = 0;
        REQUIRE(H5LTget_dataset_info(file_, path.c_str(), &n, nullptr, nullptr) >= 0);
        std::vector<T> values(n);
        if (n > 0) REQUIRE(H5LTread_dataset(file_, path.c_str(), type, values.data()) >= 0);
        return values;
    }

    hid_t file_;
};

constexpr double milli = 1e-3;

/// One case as a Network: where neurons connect without delay each is a population of its own, else all
/// neurons of one model form one. Arrivals come from an input with one channel per (neuron, weight).
struct Case {
    std::vector<Population> populations;
    std::vector<std::pair<std::uint32_t, NeuronIndex>> place;  // of each neuron: population and index
    std::vector<Projection> projections;
    std::vector<InputSpikes> inputs;
};

/// Which model runs the cases with exponential synapses; they have one synaptic time constant.
enum class ExpModel { one_current, two_currents };

neurons::Model model_of(const GoldenFile& file, const std::string& name,
                        const std::vector<std::size_t>& members, ExpModel exp_model) {
    const auto column = [&](const char* field) { return file.reals(name + "/neurons/" + field); };
    const auto column_if_there = [&](const char* field) {
        return file.has(name + "/neurons/" + field) ? column(field) : std::vector<double>();
    };
    const auto tau_m = column("tau_m");
    const auto C_m = column_if_there("C_m");
    const auto E_L = column_if_there("E_L");
    const auto I_e = column("I_e");
    const auto V_th = column("V_th");
    const auto V_reset = column("V_reset");
    const auto V_0 = column("V_0");
    const auto t_ref = file.integers(name + "/neurons/t_ref_fs");
    const auto tau_syn_ex = column_if_there("tau_syn_ex");
    const auto tau_syn_in = column_if_there("tau_syn_in");
    const auto th_jump = column_if_there("th_jump");
    const auto th_tau = column_if_there("th_tau");
    const auto reset =
        file.text(name, "reset") == "subtract" ? neurons::Reset::subtract : neurons::Reset::to_value;

    const auto per_neuron = [&]<class P>(P) {
        neurons::PerNeuron<P> model;
        for (const std::size_t i : members) {
            P p;
            p.V_th = V_th[i];
            p.V_reset = V_reset[i];
            p.t_ref = Duration(t_ref[i]);
            p.I_e = I_e[i];
            p.V_0 = V_0[i];
            if constexpr (requires { p.tau_m; }) p.tau_m = tau_m[i] * milli;
            if constexpr (requires { p.E_L; }) {
                p.R = tau_m[i] / C_m[i];
                p.E_L = E_L[i];
            } else if constexpr (requires { p.R; }) {
                p.R = 1.0 / (C_m[i] * milli);
            }
            if constexpr (requires { p.tau_syn; }) {
                REQUIRE(tau_syn_ex[i] == tau_syn_in[i]);
                p.tau_syn = tau_syn_ex[i] * milli;
            }
            if constexpr (requires { p.tau_syn_ex; }) {
                p.tau_syn_ex = tau_syn_ex[i] * milli;
                p.tau_syn_in = tau_syn_in[i] * milli;
            }
            if constexpr (requires { p.th_jump; }) {
                p.th_jump = th_jump[i];
                p.th_tau = th_tau[i] * milli;
            }
            if constexpr (requires { p.reset = reset; }) {
                p.reset = reset;
            } else {
                REQUIRE(p.reset == reset);
            }
            model.push_back(p);
        }
        return neurons::Model(std::move(model));
    };
    const std::string kind = file.text(name, "kind");
    if (kind == "exp") {
        return exp_model == ExpModel::one_current ? per_neuron(neurons::CubaLif())
                                                  : per_neuron(neurons::LifExp2());
    }
    if (kind == "alpha") return per_neuron(neurons::LifAlpha());
    if (kind == "qif") return per_neuron(neurons::Qif());
    REQUIRE(kind == "delta");
    if (std::isinf(tau_m[members[0]])) return per_neuron(neurons::If());
    const bool adapts = std::any_of(th_jump.begin(), th_jump.end(), [](double x) { return x != 0.0; });
    return adapts ? per_neuron(neurons::LifAdaptive()) : per_neuron(neurons::Lif());
}

Case read_case(const GoldenFile& file, const std::string& name, ExpModel exp_model) {
    Case c;
    const std::size_t n = file.reals(name + "/neurons/V_th").size();
    const auto tau_m = file.reals(name + "/neurons/tau_m");
    const auto delays = file.integers(name + "/connections/delay_fs");
    const bool apart = std::find(delays.begin(), delays.end(), 0) != delays.end();

    std::map<std::string, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < n; ++i) {
        groups[apart ? "neuron" + std::to_string(i) : std::isinf(tau_m[i]) ? "if" : "lif"].push_back(i);
    }
    c.place.resize(n);
    for (const auto& [group, members] : groups) {
        for (std::size_t k = 0; k < members.size(); ++k) {
            c.place[members[k]] = {static_cast<std::uint32_t>(c.populations.size()),
                                   static_cast<NeuronIndex>(k)};
        }
        c.populations.push_back(
            {group, {static_cast<std::uint32_t>(members.size())}, model_of(file, name, members, exp_model)});
    }

    struct Synapses {
        std::vector<NeuronIndex> pre, post;
        std::vector<double> weight;
        std::vector<Duration> delay;
    };
    std::map<std::pair<std::uint32_t, std::uint32_t>, Synapses> synapses;
    const auto connect = [&](std::uint32_t source_population, NeuronIndex source, std::size_t target,
                             double weight, Duration delay) {
        Synapses& s = synapses[{source_population, c.place[target].first}];
        s.pre.push_back(source);
        s.post.push_back(c.place[target].second);
        s.weight.push_back(weight);
        s.delay.push_back(delay);
    };
    const auto sources = file.integers(name + "/connections/source");
    const auto targets = file.integers(name + "/connections/target");
    const auto weights = file.reals(name + "/connections/weight");
    for (std::size_t k = 0; k < sources.size(); ++k) {
        const auto [population, index] = c.place[static_cast<std::size_t>(sources[k])];
        connect(population, index, static_cast<std::size_t>(targets[k]), weights[k], Duration(delays[k]));
    }

    const auto input_neurons = file.integers(name + "/inputs/neuron");
    const auto input_times = file.integers(name + "/inputs/time_fs");
    const auto input_weights = file.reals(name + "/inputs/weight");
    if (!input_neurons.empty()) {
        const auto input = static_cast<std::uint32_t>(c.populations.size());
        std::map<std::pair<std::int64_t, double>, NeuronIndex> channels;
        SpikeTrain train;
        for (std::size_t k = 0; k < input_neurons.size(); ++k) {
            const auto [channel, is_new] = channels.try_emplace({input_neurons[k], input_weights[k]},
                                                                static_cast<NeuronIndex>(channels.size()));
            if (is_new) {
                connect(input, channel->second, static_cast<std::size_t>(input_neurons[k]), input_weights[k],
                        Duration());
            }
            train.add(Time(Duration(input_times[k])), channel->second);
        }
        c.populations.push_back({"input", {static_cast<std::uint32_t>(channels.size())}, neurons::Input{}});
        c.inputs.push_back({"input", std::move(train)});
    }
    for (const auto& [pair, s] : synapses) {
        c.projections.push_back(
            {pair.first,
             pair.second,
             {Sparse::of("synapses", c.populations[pair.first].size(), c.populations[pair.second].size(),
                         s.pre, s.post, s.weight, s.delay)}});
    }
    return c;
}

void check_case(const std::string& name, ExpModel exp_model = ExpModel::one_current) {
    CAPTURE(name);
    const GoldenFile file;
    Case c = read_case(file, name, exp_model);
    const auto golden_neurons = file.integers(name + "/spikes/neuron");
    const auto golden_times = file.integers(name + "/spikes/time_fs");
    const auto slopes = file.reals(name + "/spikes/slope");

    // long_run ends with its last golden spike, the others with their duration.
    std::int64_t end = file.integer(name, "t_end_fs");
    if (name == "long_run") {
        end = golden_times.back() + 1'000'000'000;
        SpikeTrain& train = c.inputs[0].spikes;
        while (train.times.back() > Time(Duration(end))) {
            train.times.pop_back();
            train.neurons.pop_back();
        }
    }
    const Network network(c.populations, c.projections);
    const SimulationResult result = simulate(network, c.inputs, {.duration = Duration(end)});

    std::vector<std::pair<std::int64_t, std::int64_t>> spikes;
    for (std::size_t i = 0; i < c.place.size(); ++i) {
        const SpikeTrain& train = result.spikes[c.place[i].first];
        for (std::size_t k = 0; k < train.size(); ++k) {
            if (train.neurons[k] == c.place[i].second) {
                spikes.emplace_back(train.times[k].femtoseconds(), static_cast<std::int64_t>(i));
            }
        }
    }
    std::sort(spikes.begin(), spikes.end());

    REQUIRE(spikes.size() == golden_times.size());
    const bool recurrent = name.rfind("recurrent", 0) == 0 || name == "two_coupled_exp";
    double worst = 0.0;
    for (std::size_t k = 0; k < spikes.size(); ++k) {
        CAPTURE(k);
        REQUIRE(spikes[k].second == golden_neurons[k]);
        const double error_fs = std::abs(static_cast<double>(spikes[k].first - golden_times[k]));
        const double slope_fs = std::isnan(slopes[k]) ? 0.0 : 1e-13 / slopes[k] * 1e12;
        double allowed_fs = 1.0 + 2.0 + slope_fs;
        if (name == "chain_1000") allowed_fs *= static_cast<double>(k + 1);
        if (recurrent) allowed_fs = 100.0;
        REQUIRE(error_fs <= allowed_fs);
        worst = std::max(worst, error_fs);
    }
    MESSAGE(name << ": " << spikes.size() << " spikes, largest error " << worst << " fs");
}

TEST_SUITE("conformance/exact") {
    TEST_CASE("lif_delta_dc") {
        check_case("lif_delta_dc");
    }
    TEST_CASE("lif_delta_poisson") {
        check_case("lif_delta_poisson");
    }
    TEST_CASE("lif_exp_poisson") {
        check_case("lif_exp_poisson");
    }
    TEST_CASE("two_coupled_exp") {
        check_case("two_coupled_exp");
    }
    TEST_CASE("recurrent_20_delta") {
        check_case("recurrent_20_delta");
    }
    TEST_CASE("recurrent_20_exp") {
        check_case("recurrent_20_exp");
    }
    TEST_CASE("simultaneous") {
        check_case("simultaneous");
    }
    TEST_CASE("near_tangent") {
        check_case("near_tangent");
    }
    TEST_CASE("equal_tau") {
        check_case("equal_tau");
    }
    TEST_CASE("near_equal_tau") {
        check_case("near_equal_tau");
    }
    TEST_CASE("refractory_input") {
        check_case("refractory_input");
    }
    TEST_CASE("refractory_input_exp") {
        check_case("refractory_input_exp");
    }
    TEST_CASE("zero_delay") {
        check_case("zero_delay");
    }
    TEST_CASE("chain_1000") {
        check_case("chain_1000");
    }
    TEST_CASE("long_run") {
        check_case("long_run");
    }
    TEST_CASE("if_subtract") {
        check_case("if_subtract");
    }
    TEST_CASE("alpha_poisson") {
        check_case("alpha_poisson");
    }
    TEST_CASE("adaptive_threshold") {
        check_case("adaptive_threshold");
    }
    TEST_CASE("qif") {
        check_case("qif");
    }
    TEST_CASE("exponential synapses through the model with two currents") {
        for (const char* name : {"lif_exp_poisson", "two_coupled_exp", "recurrent_20_exp", "near_tangent",
                                 "equal_tau", "near_equal_tau", "refractory_input_exp", "chain_1000"}) {
            check_case(name, ExpModel::two_currents);
        }
    }
}

}  // namespace
}  // namespace saltus
