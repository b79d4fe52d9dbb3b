// The stepped clock against the runs of the tools. Cases are data: cases.txt says which run of which file is
// computed under which convention. The file's own convention is never told, it must be guessed.
#include <doctest/doctest.h>
#include <hdf5.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "saltus/converters/nir.hpp"
#include "saltus/datasets/evaluate.hpp"
#include "saltus/engine/simulate.hpp"
#include "saltus/engine/stepped.hpp"

namespace saltus {
namespace {

const std::string folder = SALTUS_TEST_DATA "/conformance/nir/";

/// An HDF5 file whose numbers are read as doubles.
class Golden {
  public:
    explicit Golden(const std::string& path) : file_(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT)) {
        REQUIRE(file_ >= 0);
    }
    ~Golden() { H5Fclose(file_); }
    Golden(const Golden&) = delete;
    Golden& operator=(const Golden&) = delete;

    [[nodiscard]] double attribute(const char* name) const {
        double value = 0.0;
        REQUIRE(H5LTget_attribute_double(file_, "/", name, &value) >= 0);
        return value;
    }
    [[nodiscard]] bool has(const std::string& group, const std::string& name) const {
        return H5Lexists(file_, group.c_str(), H5P_DEFAULT) > 0 &&
               H5Lexists(file_, (group + "/" + name).c_str(), H5P_DEFAULT) > 0;
    }
    [[nodiscard]] std::vector<hsize_t> shape(const std::string& path) const {
        int rank = 0;
        REQUIRE(H5LTget_dataset_ndims(file_, path.c_str(), &rank) >= 0);
        std::vector<hsize_t> dimensions(static_cast<std::size_t>(rank));
        REQUIRE(H5LTget_dataset_info(file_, path.c_str(), dimensions.data(), nullptr, nullptr) >= 0);
        return dimensions;
    }
    [[nodiscard]] std::vector<double> values(const std::string& path) const {
        std::size_t n = 1;
        for (const hsize_t d : shape(path)) n *= d;
        std::vector<double> values(n);
        REQUIRE(H5LTread_dataset_double(file_, path.c_str(), values.data()) >= 0);
        return values;
    }
    [[nodiscard]] std::vector<std::string> children(const std::string& group) const {
        std::vector<std::string> names;
        const auto append = [](hid_t, const char* name, const H5L_info_t*, void* list) -> herr_t {
            static_cast<std::vector<std::string>*>(list)->emplace_back(name);
            return 0;
        };
        const hid_t id = H5Gopen2(file_, group.c_str(), H5P_DEFAULT);
        REQUIRE(id >= 0);
        H5Literate(id, H5_INDEX_NAME, H5_ITER_INC, nullptr, append, &names);
        H5Gclose(id);
        return names;
    }

  private:
    hid_t file_;
};

struct Case {
    std::string name;
    std::string run;
    std::string convention;
    std::string options;

    /// The run of a file that its tool imports, or the only one there is: then the tool itself is the answer.
    [[nodiscard]] std::string tool() const { return name.substr(0, name.find('/')); }
};

std::vector<Case> cases() {
    std::ifstream file(folder + "cases.txt");
    std::vector<Case> all;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line.front() == '#') continue;
        Case c;
        std::istringstream words(line);
        words >> c.name >> c.run >> c.convention >> c.options;
        all.push_back(c);
    }
    return all;
}

/// The population of a node, which may be a sub-graph with one neuron population.
std::uint32_t population_of(const Network& network, const std::string& node) {
    if (const auto q = network.find(node)) return *q;
    for (std::uint32_t q = 0; q < network.populations().size(); ++q)
        if (network.populations()[q].name.rfind(node + ".", 0) == 0) return q;
    FAIL("no population for node " << node);
    return 0;
}

/// Relative to the largest value of the neuron's population: potentials pass through 0.
void check_close(const std::vector<double>& found, const std::vector<double>& expected, double tolerance) {
    REQUIRE(found.size() == expected.size());
    double scale = 0.0;
    for (const double x : expected) scale = std::max(scale, std::abs(x));
    double worst = 0.0;
    for (std::size_t k = 0; k < found.size(); ++k) worst = std::max(worst, std::abs(found[k] - expected[k]));
    CHECK(worst <= tolerance * scale);
}

void check_nodes(const Golden& golden, const std::string& nodes, const Network& network,
                 const SteppedRecord& record) {
    constexpr double tolerance = 1e-5;
    std::size_t compared = 0;
    for (const std::string& node : golden.children(nodes)) {
        const std::string group = nodes + "/" + node;
        if (!golden.has(group, "spikes")) continue;
        CAPTURE(node);
        const std::uint32_t q = population_of(network, node);
        const std::vector<double> spikes = golden.values(group + "/spikes");
        if (neurons::is_spiking(network.populations()[q].model)) {
            CHECK(record.spikes[q].dense() == spikes);
            CHECK(std::any_of(spikes.begin(), spikes.end(), [](double x) { return x > 0.0; }));
        } else {
            check_close(record.potentials[q], spikes, tolerance);
        }
        if (golden.has(group, "v")) check_close(record.potentials[q], golden.values(group + "/v"), tolerance);
        if (golden.has(group, "i") && !record.currents[q].empty())
            check_close(record.currents[q], golden.values(group + "/i"), tolerance);
        ++compared;
    }
    CHECK(compared > 0);
}

SteppedRecord run_of(const converters::NirImport& import, const Golden& golden) {
    const std::vector<double> input = golden.values("input");
    SteppedSample sample;
    std::uint32_t q = 0;
    while (!import.network.populations()[q].is_input()) ++q;
    const Population& population = import.network.populations()[q];
    sample.inputs.push_back({population.name, Raster::of(input, population.size(), population.name)});
    SteppedOptions options;
    options.steps = static_cast<std::uint32_t>(golden.shape("input")[0]);
    options.record_potentials = true;
    const SteppedSimulation simulation(import.network, import.rules.value());
    return simulation.run({sample}, options).at(0);
}

TEST_SUITE("conformance/nir/stepped") {
    TEST_CASE("every spike, potential and current of every run of every tool") {
        REQUIRE(cases().size() == 52);
        for (const Case& c : cases()) {
            CAPTURE(c.name);
            CAPTURE(c.run);
            const io::NirDocument document = io::read_nir(folder + c.name + "/network.nir");
            const Golden golden(folder + c.name + "/run.h5");
            converters::NirReading reading;
            reading.clock = converters::Clock::stepped;
            if (c.convention.find(".json") != std::string::npos) {
                reading.convention = folder + c.tool() + "/" + c.convention;
            } else if (c.convention != c.tool()) {
                reading.convention = c.convention;
            }
            if (c.options == "reset=subtract") reading.reset = converters::ResetRule::subtract;
            const converters::NirImport import = converters::network_from_nir(document, reading);
            REQUIRE((reading.convention || import.rules->name == c.convention));
            check_nodes(golden, "runs/" + c.run + "/nodes", import.network, run_of(import, golden));
        }
    }

    TEST_CASE("the tool, and the length of its step, is guessed from every file") {
        for (const Case& c : cases()) {
            CAPTURE(c.name);
            const converters::Guess guess =
                converters::guess_convention(io::read_nir(folder + c.name + "/network.nir"));
            CHECK(guess.convention == c.tool());
            CHECK(!guess.reason.empty());
            if (c.tool() == "sinabs") continue;  // knows no seconds
            CHECK(guess.dt == duration_from_seconds(Golden(folder + c.name + "/run.h5").attribute("dt")));
        }
        for (const char* name : {"cubalif_exact", "cubalif_exact_reset0"}) {
            CAPTURE(name);
            CHECK(converters::guess_convention(io::read_nir(folder + "jaxsnn/" + name + "/network.nir"))
                      .convention == "jaxsnn");
        }
    }

    TEST_CASE("the Braille network of the NIR paper on real recordings, as norse and spikingjelly run it") {
        const io::NirDocument document = io::read_nir(folder + "paper/braille_noDelay_bias_zero.nir");
        CHECK(converters::guess_convention(document).convention == "snntorch");
        for (const char* file : {"braille_noDelay_bias_zero_run0.h5", "braille_noDelay_bias_zero_run1.h5"}) {
            const Golden golden(folder + "paper/" + file);
            for (const char* tool : {"norse", "spikingjelly"}) {
                CAPTURE(file);
                CAPTURE(tool);
                converters::NirReading reading;
                reading.clock = converters::Clock::stepped;
                reading.convention = tool;
                reading.dt = parse_duration("0.1ms");
                const converters::NirImport import = converters::network_from_nir(document, reading);
                check_nodes(golden, "runs/" + std::string(tool) + "/nodes", import.network,
                            run_of(import, golden));
            }
        }
    }

    // Spikes of one neuron on eleven platforms, Pedersen et al., Nat. Commun. 15, 8122 (2024), figure 2. Lava
    // and spyx send a spike in the step after the crossing; SpiNNaker2 computes what snntorch does in fixed
    // point.
    TEST_CASE("the LIF neuron of the NIR paper as eleven platforms run it") {
        struct Trace {
            const char* name;
            const char* network;
            const char* convention;
            const char* time_unit;
            double input;      // what a pulse of the trace is fed as
            std::size_t late;  // steps between crossing and spike
            double tolerance;  // of the potential, relative to its largest; 0: not the same quantity
        };
        const Golden golden(folder + "paper/lif_traces.h5");
        for (const Trace& trace :
             {Trace{"norse", "lif_norse.nir", "norse", "s", 1.0, 0, 1e-5},
              Trace{"snntorch", "lif_norse.nir", "snntorch", "s", 1.0, 0, 1e-5},
              Trace{"nengo", "lif_norse.nir", "nengo", "s", 1.0, 0, 1e-5},
              Trace{"sinabs", "lif_norse.nir", "paper/steps_of_seconds.json", "s", 0.04, 0, 1e-5},
              Trace{"rockpool", "lif_norse.nir", "paper/steps_of_seconds.json", "s", 0.04, 0, 1e-5},
              Trace{"spinnaker2", "lif_norse.nir", "snntorch", "s", 1.0, 0, 1e-3},
              Trace{"lava_cpu_float", "lif_norse.nir", "norse", "s", 1.0, 1, 0.0},
              Trace{"lava_cpu_fixed", "lif_norse.nir", "norse", "s", 1.0, 1, 0.0},
              Trace{"lava_loihi_fixed", "lif_norse.nir", "norse", "s", 1.0, 1, 0.0},
              Trace{"spyx", "lif_norse.nir", "norse", "s", 1.0, 1, 0.0}}) {
            CAPTURE(trace.name);
            const std::string group = trace.name;
            converters::NirReading reading;
            reading.clock = converters::Clock::stepped;
            reading.convention = std::string(trace.convention).find('/') == std::string::npos
                                     ? trace.convention
                                     : folder + trace.convention;
            reading.time_unit = converters::time_unit_from(trace.time_unit);
            reading.dt = parse_duration("0.1ms");
            const converters::NirImport import =
                converters::network_from_nir(io::read_nir(folder + "paper/" + trace.network), reading);
            std::vector<double> pulses = golden.values(group + "/input");
            for (double& pulse : pulses) pulse = pulse == 0.0 ? 0.0 : trace.input;
            SteppedSample sample{{{"input", Raster::of(pulses, 1, "input")}}};
            SteppedOptions options;
            options.steps = static_cast<std::uint32_t>(pulses.size());
            options.record_potentials = true;
            const SteppedRecord record =
                SteppedSimulation(import.network, *import.rules).run({sample}, options).at(0);
            const std::uint32_t q = import.network.index_of("1");
            std::vector<double> spikes = record.spikes[q].dense();
            for (double& z : spikes) z = z > 0.0 ? 1.0 : 0.0;  // nengo's have the height 1/dt
            spikes.insert(spikes.begin(), trace.late, 0.0);
            spikes.resize(pulses.size());
            CHECK(std::count(spikes.begin(), spikes.end(), 1.0) == 4);
            CHECK(spikes == golden.values(group + "/spikes"));
            if (trace.tolerance > 0.0)
                check_close(record.potentials[q], golden.values(group + "/v"), trace.tolerance);
        }
    }

    // A constant x for dt moves V by (1 - exp(-dt/tau)) x at its end: an impulse of area tau (1 -
    // exp(-dt/tau)).
    TEST_CASE("the LIF neuron of the NIR paper on the exact clock crosses in the steps of the exact trace") {
        const Golden golden(folder + "paper/lif_traces.h5");
        converters::NirReading reading;
        reading.convention = "norse";
        const Duration dt = parse_duration("0.1ms");
        reading.dt = duration_from_seconds(-2.5e-3 * std::expm1(-0.1 / 2.5));
        const Network network =
            converters::network_from_nir(io::read_nir(folder + "paper/lif_norse.nir"), reading).network;
        const std::vector<double> pulses = golden.values("exact/input");
        InputSpikes input{"input", Raster::of(pulses, 1, "input").train(dt)};
        SimulationOptions options;
        options.duration = Duration(static_cast<std::int64_t>(pulses.size()) * dt.femtoseconds());
        const SpikeTrain spikes = simulate(network, {input}, options).spikes[network.index_of("1")];
        const auto steps = static_cast<std::uint32_t>(pulses.size());
        CHECK(Raster::of(spikes, 1, dt, steps, "1").dense() == golden.values("exact/spikes"));
    }

    // What tests/benchmarks/n_mnist/torch_stepped.py finds on the same recordings: 60 with a reset to zero,
    // 57 with several spikes a step and a reset by subtraction.
    TEST_CASE(
        "the CNN of the NIR paper on 60 recordings of N-MNIST, stepped at 1 ms as norse and as sinabs") {
        struct Row {
            const char* convention;
            std::uint64_t correct;
        };
        const datasets::Dataset recordings = datasets::open_dataset(SALTUS_DATASETS "/samples/n-mnist");
        REQUIRE(recordings.size == 60);
        const io::NirDocument document = io::read_nir(folder + "paper/cnn_sinabs.nir");
        CHECK(converters::guess_convention(document).convention == "sinabs");
        for (const Row& row : {Row{"norse", 60}, Row{"sinabs", 57}}) {
            CAPTURE(row.convention);
            converters::NirReading reading;
            reading.clock = converters::Clock::stepped;
            reading.convention = row.convention;
            reading.dt = parse_duration("1ms");
            const converters::NirImport import = converters::network_from_nir(document, reading);
            datasets::EvaluationOptions options;
            options.rules = import.rules;
            options.threads = 2;
            CHECK(datasets::evaluate(import.network, recordings, options).correct == row.correct);
            // Beside it the exact clock, in the same tool's meaning: no step, and no decision lost by that.
            reading.clock = converters::Clock::exact;
            options.rules.reset();
            const Network exact = converters::network_from_nir(document, reading).network;
            CHECK(datasets::evaluate(exact, recordings, options).correct >= row.correct);
        }
    }
}

}  // namespace
}  // namespace saltus
