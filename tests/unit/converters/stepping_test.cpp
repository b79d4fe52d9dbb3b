// Documents read for the stepped clock: edges that a tool computes late, what it refuses, conventions of
// one's own, and guesses.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "conversion.hpp"
#include "node_order.hpp"
#include "saltus/engine/stepped.hpp"

namespace saltus::test {
namespace {

using converters::Clock;
using converters::guess_convention;
using converters::network_for_steps;
using converters::NodeOrder;

NirNode lif_of(double tau = 0.01, double r = 1.0, double v_leak = 0.0) {
    return node("LIF", {{"tau", reals({tau})},
                        {"r", reals({r})},
                        {"v_leak", reals({v_leak})},
                        {"v_threshold", reals({1.0})},
                        {"v_reset", reals({v_leak})}});
}
NirNode affine() {
    return node("Affine",
                {{"weight", io::NirArray::of(std::vector<double>{2.0}, {1, 1})}, {"bias", reals({3.0})}});
}
NirReading stepped(const std::string& convention) {
    NirReading reading;
    reading.clock = Clock::stepped;
    reading.convention = convention;
    return reading;
}

/// A file below the temporary folder that goes with its owner.
class TextFile {
  public:
    TextFile(const std::string& name, const std::string& text)
        : path_(std::filesystem::temp_directory_path() / name) {
        std::ofstream(path_) << text;
    }
    ~TextFile() { std::filesystem::remove(path_); }
    TextFile(const TextFile&) = delete;
    TextFile& operator=(const TextFile&) = delete;
    [[nodiscard]] std::string path() const { return path_.string(); }

  private:
    std::filesystem::path path_;
};

TEST_SUITE("converters/stepping") {
    TEST_CASE("depth first, the branch that is walked second arrives late where branches join") {
        // 0 in, 1 a, 2 b, 3 skip, 4 join: in -> a -> b -> join, a -> skip -> join
        const std::vector<std::string> names{"in", "a", "b", "skip", "join"};
        const std::vector<converters::GraphEdge> edges{{0, 1}, {1, 2}, {2, 4}, {1, 3}, {3, 4}};
        using Flags = std::vector<bool>;
        CHECK(late_edges(NodeOrder::depth_first, names, edges, {0}) ==
              Flags{false, false, false, false, true});
        CHECK(late_edges(NodeOrder::after_sources, names, edges, {0}) == Flags(5, false));
    }

    TEST_CASE("in a cycle the edge back into the node with several sources is late") {
        const std::vector<std::string> names{"in", "n", "w"};
        const std::vector<converters::GraphEdge> edges{{0, 1}, {1, 2}, {2, 1}};
        for (const NodeOrder order : {NodeOrder::depth_first, NodeOrder::after_sources})
            CHECK(late_edges(order, names, edges, {0}) == std::vector<bool>{false, false, true});
        CHECK(late_edges(NodeOrder::depth_first, {"n"}, {{0, 0}}, {}) == std::vector<bool>{true});
        CHECK(late_edges(NodeOrder::after_sources, {"n"}, {{0, 0}}, {}) == std::vector<bool>{true});
    }

    TEST_CASE("a late edge is a delay of one step where the tool takes the last output, behind its bias") {
        const io::NirDocument file =
            checked(document({{"in", input({1})}, {"n", lif_of()}, {"w", affine()}, {"out", output({1})}},
                             {{"in", "n"}, {"n", "w"}, {"w", "n"}, {"n", "out"}}));
        const auto loop = [&](const std::string& convention) {
            const auto import = network_from_nir(file, stepped(convention));
            for (const Projection& p : import.network.projections())
                if (p.source == p.target) return p;
            return Projection{};
        };
        const Projection norse = loop("norse");
        REQUIRE(norse.stages.size() == 2);
        CHECK(std::get<Dense>(norse.stages[0]).bias.size() == 1);
        CHECK(std::get<Delay>(norse.stages[1]).delays == std::vector<Duration>{parse_duration("1ms")});
        const Projection native = loop("snntorch-native");
        REQUIRE(native.stages.size() == 2);
        CHECK(std::get<Delay>(native.stages[0]).delays == std::vector<Duration>{parse_duration("0.1ms")});
    }

    TEST_CASE("a cycle with a Delay of a step or more is as late as that, and no step later") {
        const auto delay_of_loop = [](double seconds) {
            const NirNode delay = node("Delay", {{"delay", reals({seconds})}});
            const io::NirDocument file =
                checked(document({{"in", input({1})}, {"n", lif_of()}, {"d", delay}, {"out", output({1})}},
                                 {{"in", "n"}, {"n", "d"}, {"d", "n"}, {"n", "out"}}));
            const auto import = network_from_nir(file, stepped("nir"));
            for (const Projection& p : import.network.projections())
                if (p.source == p.target) return p.min_delay();
            return Duration();
        };
        CHECK(delay_of_loop(3e-3) == parse_duration("3ms"));
        CHECK(delay_of_loop(1e-3) == parse_duration("1ms"));
        CHECK(delay_of_loop(0.25e-3) == parse_duration("1.25ms"));  // rounds to none: a late edge
    }

    TEST_CASE("numbers stay those of the file, in its unit of time") {
        const io::NirDocument file =
            checked(chain({{"in", input({1})}, {"n", lif_of(0.02, 3.0)}, {"out", output({1})}}));
        const auto import = network_from_nir(file, stepped("norse"));
        const auto& p =
            std::get<neurons::PerNeuron<neurons::Lif>>(import.network.populations()[1].model).at(0);
        CHECK(p.tau_m == 0.02);
        CHECK(p.R == 3.0);
        REQUIRE(import.rules);
        CHECK(import.rules->name == "norse");
        NirReading in_ms = stepped("norse");
        in_ms.time_unit = converters::TimeUnit::milliseconds;
        const auto second = network_from_nir(file, in_ms);
        const auto& q =
            std::get<neurons::PerNeuron<neurons::Lif>>(second.network.populations()[1].model).at(0);
        CHECK(q.tau_m == doctest::Approx(2e-5).epsilon(1e-15));
    }

    TEST_CASE("a node that the tool has no counterpart for is refused with the nodes that it has") {
        const io::NirDocument file = checked(
            chain({{"in", input({1})},
                   {"n", node("LI", {{"tau", reals({1.0})}, {"r", reals({1.0})}, {"v_leak", reals({0.0})}})},
                   {"out", output({1})}}));
        const std::string text =
            message_of<LimitError>([&] { static_cast<void>(network_from_nir(file, stepped("norse"))); });
        CHECK(contains(text, "node 'n': 'norse' has no LI. It maps Affine"));
        CHECK(network_from_nir(file, stepped("sinabs")).rules->name == "sinabs");
    }

    TEST_CASE("every convention that steps can be written as a file that says it is like that one") {
        for (const std::string& name : converters::convention_names()) {
            CAPTURE(name);
            const converters::Convention known = converters::convention(name);
            const TextFile file("saltus_like.json",
                                R"({"like": ")" + name + R"(", "name": ")" + name + R"("})");
            if (!known.stepped) {
                CHECK(contains(
                    message_of<FileError>([&] { static_cast<void>(converters::convention(file.path())); }),
                    "knows no steps"));
                continue;
            }
            const converters::Convention read = converters::convention(file.path());
            CHECK(read.stepped == known.stepped);
            CHECK(read.dt == known.dt);
            CHECK(read.time_unit == known.time_unit);
        }
    }

    TEST_CASE("a file sets what it says, for all neurons or one kind, and nothing else") {
        const TextFile file("saltus_mine.json", R"({
            "name": "mine", "like": "norse", "dt": "0.25ms", "time_unit": "ms", "precision": "float64",
            "order": "after_sources", "nodes": ["LIF"],
            "neurons": {"fires": "at_threshold"}, "IF": {"retention": 0.5}, "CubaLIF": {"reset": "subtract"}})");
        const converters::Convention mine = converters::convention(file.path());
        converters::Stepping expected = *converters::convention("norse").stepped;
        SteppedRules& rules = expected.rules;
        rules.name = "mine";
        rules.precision = saltus::stepped::Precision::float64;
        expected.order = NodeOrder::after_sources;
        expected.nodes = {"LIF"};
        for (auto* rule : {&rules.without_leak, &rules.with_leak, &rules.with_current})
            rule->fires_at_threshold = true;
        rules.without_leak.retention = 0.5;
        rules.with_current.reset = saltus::stepped::Reset::subtract;
        CHECK(mine.stepped == expected);
        CHECK(mine.dt == parse_duration("0.25ms"));
        CHECK(mine.time_unit == converters::TimeUnit::milliseconds);
    }

    TEST_CASE("mistakes in a file are told with their place and the cure") {
        const auto refused = [](const std::string& text) {
            const TextFile file("saltus_wrong.json", text);
            return message_of<FileError>([&] { static_cast<void>(converters::convention(file.path())); });
        };
        CHECK(contains(refused(R"({"like": "nors"})"), "like: convention: expected one of nir, norse"));
        CHECK(contains(refused(R"({"like": "other.json"})"), "like: expected the name of a convention"));
        CHECK(contains(refused(R"({"lif": {}})"), "lif: no such setting. Did you mean"));
        CHECK(contains(refused(R"({"LIF": {"resett": "zero"}})"),
                       "LIF.resett: no such setting. Did you mean 'reset'?"));
        CHECK(contains(refused(R"({"LIF": {"reset": "none"}})"),
                       "LIF.reset: expected one of zero, v_reset, subtract, found the string 'none'"));
        CHECK(contains(refused(R"({"LIF": "norse"})"), "LIF: expected an object, found the string 'norse'"));
        CHECK(contains(refused(R"({"IF": {"retention": "much"}})"), "IF.retention: expected a number"));
        CHECK(contains(refused(R"({"dt": 1})"), "dt: expected a string, found the number 1"));
        CHECK(contains(refused(R"({"dt": "0ms"})"), "dt: expected > 0"));
        CHECK(contains(refused(R"({"dt": "soon"})"), "dt: "));
        CHECK(contains(refused(R"({"nodes": "LIF"})"), "nodes: expected a list of node types"));
        CHECK(contains(refused(R"({"dt": [[1]]})"), "dt: expected a number, a string"));
        CHECK(contains(refused("[]"), "object"));
        CHECK_THROWS_AS(static_cast<void>(converters::convention("no such file.json")), FileError);
    }

    TEST_CASE("a network built in code is run by a tool's rule as the NIR file that it would be written to") {
        neurons::Lif p;
        p.tau_m = 0.02;
        const Network network(
            {{"in", {1}, neurons::Input{}}, {"n", {1}, neurons::PerNeuron<neurons::Lif>{p}}}, {{0, 1, {}}});
        CHECK(network_for_steps(network).rules->name == "nir");
        CHECK(network_for_steps(network, stepped("nest")).rules->needs_delay);
        const auto norse = network_for_steps(network, stepped("norse"));
        CHECK(norse.rules->name == "norse");
        NirReading meant = stepped("nest");
        meant.t_ref = parse_duration("1ms");
        CHECK_THROWS_AS(static_cast<void>(network_for_steps(network, meant)), UsageError);
    }

    TEST_CASE("guesses tell what in the file says so, and under what else it would make sense") {
        const auto guess = [](const std::vector<std::pair<std::string, NirNode>>& nodes) {
            return guess_convention(checked(chain(nodes)));
        };
        const auto of_lif =
            guess({{"in", input({1})}, {"fc", affine()}, {"n", lif_of(0.02, 20.0)}, {"out", output({1})}});
        CHECK(of_lif.dt == parse_duration("1ms"));
        CHECK(of_lif.convention == "spikingjelly");  // r = tau / dt in float64
        CHECK(contains(of_lif.reason, "r = tau / dt"));
        CHECK(std::find(of_lif.also.begin(), of_lif.also.end(), "norse") != of_lif.also.end());
        CHECK(guess({{"in", input({1})}, {"n", lif_of(20.0)}, {"out", output({1})}}).convention == "sinabs");
        CHECK(guess({{"in", input({1})}, {"n", lif_of(0.02, 1.0, 0.5)}, {"out", output({1})}}).convention ==
              "norse");
        CHECK(guess({{"in", input({1})}, {"fc", affine()}, {"out", output({1})}}).convention == "nir");
    }

    TEST_CASE("what the file's own metadata say of convention and step is told, not guessed") {
        NirDocument document =
            checked(chain({{"in", input({1})}, {"n", lif_of(20.0)}, {"out", output({1})}}));
        CHECK_FALSE(guess_convention(document).told);
        io::NirGroup own;
        own.entries.emplace_back("convention", std::string("norse"));
        own.entries.emplace_back("dt", reals({0.002}));
        document.root.metadata.entries.emplace_back("saltus", own);
        const auto found = guess_convention(document);
        CHECK(found.told);
        CHECK(found.convention == "norse");
        CHECK(found.dt == parse_duration("2ms"));
        CHECK(contains(found.reason, "own metadata"));
        CHECK(import_of(document,
                        [] {
                            NirReading reading;
                            reading.clock = Clock::stepped;
                            return reading;
                        }())
                  .rules->name == "norse");
    }

    TEST_CASE("snntorch scales the threshold of CubaLIF by the parameters of each neuron, to one value") {
        const auto read = [](double second_tau_syn, double second_threshold) {
            const NirNode cuba = node("CubaLIF", {{"tau_mem", filled(0.001, {2})},
                                                  {"tau_syn", reals({0.0004, second_tau_syn})},
                                                  {"r", filled(10.0, {2})},
                                                  {"w_in", filled(8.0, {2})},
                                                  {"v_leak", filled(0.0, {2})},
                                                  {"v_threshold", reals({1.0, second_threshold})},
                                                  {"v_reset", filled(0.0, {2})}});
            const auto import = import_of(chain({{"in", input({2})}, {"n", cuba}, {"out", output({2})}}),
                                          stepped("snntorch"));
            return SteppedSimulation(import.network, import.rules.value());
        };
        CHECK_NOTHROW(read(0.0004, 1.0));
        CHECK_NOTHROW(read(0.0008, 0.5));  // 1 / 2 and 0.5 / 1
        try {
            static_cast<void>(read(0.0008, 1.0));
            FAIL("two thresholds were taken for one");
        } catch (const NetworkError& error) {
            CHECK(contains(error.what(), "'n', field 'w_in': neuron 1: 'snntorch' expects one threshold"));
        }
    }

    TEST_CASE("the step is read off r, also where the names of nodes tell the tool") {
        const auto cuba = [](double tau_mem, double tau_syn, double r, double w_in) {
            return node("CubaLIF", {{"tau_mem", reals({tau_mem})},
                                    {"tau_syn", reals({tau_syn})},
                                    {"r", reals({r})},
                                    {"w_in", reals({w_in})},
                                    {"v_leak", reals({0.0})},
                                    {"v_threshold", reals({1.0})},
                                    {"v_reset", reals({0.0})}});
        };
        const auto guess = [&](const std::string& name, const NirNode& neuron) {
            return guess_convention(checked(chain(
                {{"in", input({1})}, {"w", matrix({1, 1}, {1.0})}, {name, neuron}, {"out", output({1})}})));
        };
        for (const char* dt : {"100us", "250us", "1ms", "1.3ms", "2ms"}) {
            CAPTURE(dt);
            const double step = parse_duration(dt).seconds();
            const double tau = 9.0 * step;
            const auto by_names =
                guess("1_LIFTorch", cuba(tau, 5.0 * step, tau / step * std::exp(-step / tau), 1.0));
            CHECK(by_names.convention == "rockpool");
            CHECK(by_names.dt == parse_duration(dt));
            const auto plain = guess("1_LIFTorch", cuba(tau, 5.0 * step, tau / step - 1.0, 1.0));
            CHECK(plain.dt == parse_duration(dt));
            const auto of_step = guess("lif", cuba(tau, 5.0 * step, tau / step, 5.0));
            CHECK(of_step.convention == "lava-dl");
            CHECK(of_step.dt == parse_duration(dt));
            const NirNode threshold = node("IF", {{"r", reals({1.0 / step})}, {"v_threshold", reals({1.0})}});
            const auto underscored = guess_convention(
                checked(chain({{"input_1", input({1})}, {"_0", threshold}, {"output", output({1})}})));
            CHECK(underscored.convention == "spikingjelly");
            CHECK(underscored.dt == parse_duration(dt));
        }
        // snntorch has one step, 0.1 ms.
        CHECK(guess("lif", cuba(0.009, 0.005, 9.0, 7.0)).convention != "snntorch");
        CHECK(guess("lif", cuba(0.0009, 0.0005, 9.0, 7.0)).convention == "snntorch");
    }
}

}  // namespace
}  // namespace saltus::test
