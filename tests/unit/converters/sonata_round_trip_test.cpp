// Networks to SONATA files and back: every conformance network and random ones, bit for bit.
#include <doctest/doctest.h>

#include <bit>
#include <filesystem>
#include <random>

#include "saltus/converters/nir.hpp"
#include "saltus/converters/sonata.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/explicit_synapses.hpp"
#include "saltus/engine/network_builder.hpp"
#include "saltus/engine/simulate.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::converters;
using namespace saltus::test;

namespace {

namespace fs = std::filesystem;

/// Everything that a run can see of a network, as words: two networks are the same where these are.
using Words = std::vector<std::uint64_t>;

void add(Words& words, double x) {
    words.push_back(std::bit_cast<std::uint64_t>(x));
}

template <class P>
void add_neuron(Words& words, const P& p) {
    if constexpr (requires { p.tau_m; }) add(words, p.tau_m);
    if constexpr (requires { p.tau_syn; }) add(words, p.tau_syn);
    if constexpr (requires { p.tau_syn_ex; }) add(words, p.tau_syn_ex);
    if constexpr (requires { p.tau_syn_in; }) add(words, p.tau_syn_in);
    if constexpr (requires { p.t_min; }) {
        add(words, p.t_min);
        add(words, p.t_max);
        add(words, p.slope);
    }
    if constexpr (requires { p.R; }) add(words, p.R);
    if constexpr (requires { p.E_L; }) add(words, p.E_L);
    if constexpr (requires { p.V_th; }) add(words, p.V_th);
    if constexpr (requires { p.V_reset; }) add(words, p.V_reset);
    if constexpr (requires { p.t_ref; }) words.push_back(static_cast<std::uint64_t>(p.t_ref.femtoseconds()));
    if constexpr (requires { p.I_e; }) add(words, p.I_e);
    if constexpr (requires { p.w_in; }) add(words, p.w_in);
    if constexpr (requires { p.th_jump; }) add(words, p.th_jump);
    if constexpr (requires { p.th_tau; }) add(words, p.th_tau);
    if constexpr (requires { p.J; }) add(words, p.J);
    if constexpr (requires { p.V_0; }) add(words, p.V_0);
    if constexpr (requires { p.reset; }) words.push_back(static_cast<std::uint64_t>(p.reset));
}

Words words_of(const Population& population) {
    Words words{population.model.index()};
    words.insert(words.end(), population.shape.begin(), population.shape.end());
    std::visit(
        [&]<class M>(const M& model) {
            if constexpr (neurons::HasNeurons<M>) {
                for (std::uint32_t i = 0; i < population.size(); ++i)
                    add_neuron(words, model[model.size() == 1 ? 0 : i]);
            }
        },
        population.model);
    return words;
}

Words words_of(const ExplicitSynapses& brought) {
    Words words;
    const Sparse::Table& table = *brought.synapses.table;
    for (std::size_t i = 0; i + 1 < table.rows.size(); ++i) {
        for (std::uint64_t s = table.rows[i]; s < table.rows[i + 1]; ++s) {
            const Sparse::Segment& segment = table.segments[s];
            for (std::uint64_t k = segment.begin; k < segment.end; ++k) {
                words.push_back(i);
                words.push_back(table.targets[k]);
                words.push_back(static_cast<std::uint64_t>(segment.delay.femtoseconds()));
                add(words, brought.synapses.weights[k]);
            }
        }
    }
    for (const double x : brought.constant_signal) add(words, x);
    return words;
}

void check_same(const Network& a, const Network& b) {
    REQUIRE(a.populations().size() == b.populations().size());
    for (std::size_t q = 0; q < a.populations().size(); ++q) {
        CAPTURE(a.populations()[q].name);
        CHECK(a.populations()[q].name == b.populations()[q].name);
        CHECK(words_of(a.populations()[q]) == words_of(b.populations()[q]));
    }
    REQUIRE(a.projections().size() == b.projections().size());
    for (std::size_t k = 0; k < a.projections().size(); ++k) {
        CAPTURE(a.projection_name(a.projections()[k]));
        CHECK(a.projections()[k].source == b.projections()[k].source);
        CHECK(a.projections()[k].target == b.projections()[k].target);
        CHECK(words_of(explicit_synapses(a, a.projections()[k])) ==
              words_of(explicit_synapses(b, b.projections()[k])));
    }
    std::map<std::string, std::uint32_t> ports;
    for (const OutputPort& port : a.outputs()) ports[port.name] = port.population;
    std::map<std::string, std::uint32_t> read;
    for (const OutputPort& port : b.outputs()) read[port.name] = port.population;
    CHECK(ports == read);
}

Network written_and_read(const Network& network) {
    const TemporaryFolder folder;
    io::write_sonata_circuit(folder / "circuit_config.json", sonata_from_network(network));
    return network_from_sonata(io::read_sonata_circuit(folder / "circuit_config.json")).network;
}

std::vector<fs::path> conformance_networks() {
    std::vector<fs::path> files;
    for (const auto& entry :
         fs::recursive_directory_iterator(fs::path(SALTUS_TEST_DATA) / "conformance/nir")) {
        if (entry.path().extension() == ".nir" && entry.path().parent_path().filename() != "hostile")
            files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

/// The document as a network; nothing where it is none for the exact clock, whatever the reason.
std::optional<Network> as_network(const fs::path& path) {
    try {
        NirReading reading;
        reading.dt = Duration(1'000'000'000'000);
        reading.recurrent_delay = Duration(1'000'000'000'000);
        return network_from_nir(io::read_nir(path), reading).network;
    } catch (const Error&) {
        return std::nullopt;
    }
}

Network random_network(std::uint32_t seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
    const auto between = [&](double low, double high) {
        return low + (high - low) * (static_cast<double>(random()) / 4294967296.0);
    };
    NetworkBuilder build(seed);
    const std::uint32_t inputs = 1 + below(5);
    build.input("in", below(2) == 0 ? Shape{inputs} : Shape{2, inputs});
    const std::vector<std::string> models{"lif_delta",   "lif_exp",       "lif_exp2",  "lif_alpha",
                                          "if_delta",    "if_exp",        "qif_delta", "li_delta",
                                          "iaf_psc_exp", "iaf_psc_delta", "if_ramp"};
    const std::uint32_t count = 1 + below(3);
    std::vector<std::string> names{"in"};
    for (std::uint32_t q = 0; q < count; ++q) {
        const std::string& model = models[below(static_cast<std::uint32_t>(models.size()))];
        const std::uint32_t size = 1 + below(6);
        names.push_back("population " + std::to_string(q));
        Parameters parameters;
        if (model.find("if_") == std::string::npos || model.find("lif") == 0) {
            std::vector<double> tau(below(2) == 0 ? 1 : size);
            for (double& x : tau) x = between(1e-3, 30e-3);
            parameters.emplace_back("tau_m", tau);
        }
        if (model[0] == 'l' && model != "li_delta") parameters.emplace_back("t_ref", 1e-3 * below(3));
        build.population(names.back(), {size}, model, parameters);
    }
    const Network shapes = build.network();
    for (std::uint32_t k = 0; k < 1 + below(4); ++k) {
        const std::string& source = names[below(static_cast<std::uint32_t>(names.size()))];
        const std::string& target = names[1 + below(count)];
        ConnectionList list;
        list.weight.clear();
        list.delay.clear();
        for (std::uint32_t s = below(8); s-- > 0;) {
            list.pre.push_back(below(shapes.populations()[shapes.index_of(source)].size()));
            list.post.push_back(below(shapes.populations()[shapes.index_of(target)].size()));
            list.weight.push_back(below(2) == 0 ? between(-1e-9, 1e-9) : between(-1.0, 1.0));
            list.delay.push_back(below(2) == 0 ? 1e-4 * below(40) : between(0.0, 5e-3));
        }
        if (list.pre.empty()) list.weight = list.delay = {0.0};
        build.connect(source, target, list);
    }
    return build.network();
}

std::string refusal(const Network& network) {
    return message_of<NetworkError>([&] { return sonata_from_network(network); });
}

}  // namespace

TEST_SUITE("converters/sonata_round_trip") {
    TEST_CASE("every conformance network comes back from SONATA with the same bits") {
        std::size_t networks = 0;
        for (const fs::path& path : conformance_networks()) {
            CAPTURE(path);
            const auto network = as_network(path);
            if (!network) continue;
            bool has_late_bias = false;
            try {
                for (const Projection& projection : network->projections())
                    static_cast<void>(explicit_synapses(*network, projection));
            } catch (const NetworkError&) {
                has_late_bias = true;  // a bias that a delay follows
            }
            if (has_late_bias) {
                CHECK(contains(refusal(*network), "a bias and a delay follows"));
                continue;
            }
            check_same(*network, written_and_read(*network));
            ++networks;
        }
        CHECK(networks == 59);
    }

    TEST_CASE("random networks come back from SONATA with the same bits") {
        for (std::uint32_t seed = 0; seed < 300; ++seed) {
            CAPTURE(seed);
            const Network network = random_network(seed);
            check_same(network, written_and_read(network));
        }
    }

    TEST_CASE("a network that came back runs as the one before") {
        const Network network =
            *as_network(fs::path(SALTUS_TEST_DATA) / "conformance/nir/norse/conv_if_sumpool/network.nir");
        const Network back = written_and_read(network);
        InputSpikes input{network.populations()[0].name, {}};
        for (std::uint32_t i = 0; i < 400; ++i)
            input.spikes.add(Time(Duration(i * 25'000'000'000)), (i * 7) % network.populations()[0].size());
        SimulationOptions options;
        options.duration = Duration(20'000'000'000'000);
        const SimulationResult a = simulate(network, {input}, options);
        CHECK(a.neuron_spikes > 0);
        CHECK(fingerprint(a) == fingerprint(simulate(back, {input}, options)));
    }

    TEST_CASE("explicit synapses that all have delays bring a constant signal by a matrix of zeros") {
        const Duration late = parse_duration("2ms");
        const Sparse synapses =
            Sparse::of("", 2, 3, {0, 1, 1}, {0, 1, 2}, {0.5, 1.0, 0.25}, {late, late, late});
        const Dense constants{"",
                              3,
                              1,
                              1,
                              Weights(std::vector<double>(3, 1.0)),
                              Weights(std::vector<double>{0.0, 300.0, 40.0})};
        const neurons::If p{.V_th = 1.0};
        const Network network({{"in", {2}, neurons::Input{}}, {"n", {3}, neurons::PerNeuron<neurons::If>{p}}},
                              {{0, 1, {synapses, constants}}});
        NirReading reading;
        reading.convention = "nir";
        const Network back = network_from_nir(nir_from_network(network), reading).network;
        const std::vector<InputSpikes> input{{"in", {{Time(late), Time(late)}, {0, 1}}}};
        SimulationOptions options;
        options.duration = parse_duration("50ms");
        const SimulationResult before = simulate(network, input, options);
        CHECK(before.neuron_spikes > 10);
        CHECK(simulate(back, input, options).spikes[back.index_of("n")] == before.spikes[1]);
    }

    TEST_CASE("a population whose values have counterparts in the units of NEST is one of NEST's") {
        NetworkBuilder build;
        build.input("in", {1});
        build.population("a", {2}, "iaf_psc_exp", {{"tau_m", 15e-3}, {"C_m", 200e-12}});
        build.population("b", {2}, "lif_delta", {{"tau_m", 15e-3}});
        build.connect("in", "a", ConnectionList{{0}, {1}, {80e-12}, {1.5e-3}});
        const io::SonataCircuit circuit = sonata_from_network(build.network());
        CHECK(circuit.nodes[1].types[0].attributes.at("model_template") == "nest:iaf_psc_exp");
        CHECK(circuit.nodes[1].types[0].parameters.at("tau_m") == 15.0);
        CHECK(circuit.nodes[1].types[0].parameters.at("C_m") == 200.0);
        CHECK(circuit.edges[0].weight == std::vector<double>{80.0});
        CHECK(circuit.edges[0].delay == std::vector<double>{1.5});
        build.connect("in", "a", ConnectionList{{0}, {1}, {std::nextafter(80e-12, 1.0)}, {1.5e-3}});
        build.connect("in", "a", ConnectionList{{0}, {1}, {1.0 / 3.0}, {0.0}});
        check_same(build.network(), written_and_read(build.network()));
    }

    TEST_CASE("sources of spikes have no place in a circuit") {
        NetworkBuilder build;
        build.source("noise", {3}, "poisson", {{"rate", 10.0}});
        CHECK(refusal(build.network()) ==
              "'noise': is a source of spikes (PoissonSource), which a SONATA circuit does not hold. Make it "
              "an input, and write its spikes to a file.");
    }

    TEST_CASE("files of a circuit have its name before theirs, and another name is refused") {
        const TemporaryFolder folder;
        NetworkBuilder build;
        build.input("in", {2});
        build.population("out", {2}, "lif_delta", {});
        const io::SonataCircuit circuit = sonata_from_network(build.network());
        io::write_sonata_circuit(folder / "a_circuit_config.json", circuit);
        for (const char* name : {"a_nodes.h5", "a_edges.h5", "a_node_types.csv", "a_edge_types.csv"}) {
            CAPTURE(name);
            CHECK(fs::is_regular_file(folder / name));
        }
        CHECK(message_of<UsageError>([&] { io::write_sonata_circuit(folder / "a.json", circuit); }) ==
              "a.json: expected a name that ends in circuit_config.json.");
    }

    TEST_CASE("a simulation configuration comes back") {
        const TemporaryFolder folder;
        io::write_sonata_simulation(folder / "simulation_config.json",
                                    {folder / "circuit_config.json", 0.1, {{"a", folder / "a.h5"}}});
        const auto simulation = io::read_sonata_simulation(folder / "simulation_config.json");
        REQUIRE(simulation);
        CHECK(simulation->circuit.lexically_normal() == (folder / "circuit_config.json"));
        CHECK(simulation->tstop == 0.1);
        REQUIRE(simulation->inputs.size() == 1);
        CHECK(simulation->inputs[0].name == "a");
        CHECK(simulation->inputs[0].spikes.lexically_normal() == (folder / "a.h5"));
    }

    TEST_CASE("simulation configurations that say something else are refused") {
        const TemporaryFolder folder;
        const auto said = [&](std::string_view text) {
            write_bytes(folder / "s.json", text);
            return message_of<FileError>([&] { return io::read_sonata_simulation(folder / "s.json"); });
        };
        CHECK(contains(said(R"({"network": "c.json"})"), "expected an entry 'run', found none"));
        CHECK(contains(said(R"({"network": "c.json", "run": {}})"), "run: expected an entry 'tstop'"));
        CHECK(contains(said(R"({"network": "c.json", "run": {"tstop": -1}})"), "run.tstop: expected >= 0"));
        CHECK(contains(said(R"({"network": "c.json", "run": {"tstop": 1}, "inputs": {"i": {"input_type":
                            "current_clamp", "module": "IClamp"}}})"),
                       "inputs.i.input_type: expected spikes, found 'current_clamp'"));
        CHECK(contains(said(R"({"network": "c.json", "run": {"tstop": 1}, "inputs": {"i": {"input_type":
                            "spikes", "module": "nwb", "input_file": "x"}}})"),
                       "inputs.i.module: expected sonata or h5, found 'nwb'"));
        CHECK(contains(said(R"({"network": "c.json", "run": {"tstop": 1}, "inputs": {"i": 3}})"),
                       "inputs.i: expected an object"));
        write_bytes(folder / "s.json", R"({"networks": {}})");
        CHECK(!io::read_sonata_simulation(folder / "s.json"));
    }
}
