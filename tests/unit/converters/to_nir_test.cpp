// Networks as documents. What is read back must do what the network does.
#include <doctest/doctest.h>

#include "conversion.hpp"
#include "saltus/io/nir_json.hpp"
#include "unit/io/temporary_folder.hpp"

namespace saltus::test {
namespace {

using converters::nir_from_network;

template <class P>
Population one(std::string name, P parameters) {
    return {std::move(name), {1}, neurons::PerNeuron<P>{parameters}};
}
Population inputs(std::uint32_t n) {
    return {"input", {n}, neurons::Input{}};
}

Dense dense(std::string name, std::uint32_t in, std::uint32_t out, const std::vector<double>& weights,
            const std::vector<double>& bias = {}) {
    return {std::move(name), 1, in, out, Weights(weights), Weights(bias)};
}
neurons::If firing_at_half() {
    return {.V_th = 0.5};
}

double first(const NirDocument& document, const std::string& name, const char* field) {
    const NirArray* array = node_of(document, name).array(field);
    REQUIRE(array != nullptr);
    return array->real(0);
}
std::string refused(const Network& network) {
    return message_of<NetworkError>([&] { static_cast<void>(nir_from_network(network)); });
}

void check_same_after_a_round(const NirDocument& document) {
    const NirDocument original = checked(document);
    check_same(original, checked(nir_from_network(converters::network_from_nir(original).network)));
}

TEST_SUITE("converters/to_nir/neurons") {
    TEST_CASE("LIF: the jump decides r, a constant current lifts v_leak, a bias makes up for the rest") {
        // r = J tau_m = 50 * 0.02 = 1; v_leak = E_L + R I_e = 0.1 + 2 * 0.25; bias 0.3 acts as R 0.3 = r 0.6.
        const Network network({inputs(1), one("lif", neurons::Lif{.tau_m = 0.02,
                                                                  .R = 2.0,
                                                                  .E_L = 0.1,
                                                                  .V_th = 1.1,
                                                                  .V_reset = -0.5,
                                                                  .I_e = 0.25,
                                                                  .J = 50.0})},
                              {{0, 1, {dense("w", 1, 1, {0.01}, {0.3})}}});
        const NirDocument document = checked(nir_from_network(network));
        CHECK(node_of(document, "lif").type == "LIF");
        CHECK(first(document, "lif", "tau") == 0.02);
        CHECK(first(document, "lif", "r") == 1.0);
        CHECK(first(document, "lif", "v_leak") == doctest::Approx(0.6).epsilon(1e-15));
        CHECK(first(document, "lif", "v_threshold") == 1.1);
        CHECK(first(document, "lif", "v_reset") == -0.5);
        CHECK(first(document, "w", "bias") == doctest::Approx(0.6).epsilon(1e-15));
        CHECK(first(document, "w", "weight") == 0.01);

        const Spikes spikes{{0.01, 0}, {0.011, 0}, {0.05, 0}};
        const SpikeTrain before = spikes_of(network, "lif", spikes, 0.2);
        const SpikeTrain after = spikes_of(network_of(document), "lif", spikes, 0.2);
        CHECK(before.size() > 3);
        REQUIRE(after.size() == before.size());
        for (std::size_t k = 0; k < before.size(); ++k) {
            CHECK(std::abs(after.times[k].femtoseconds() - before.times[k].femtoseconds()) <= 100);
        }
    }

    TEST_CASE("IF, CubaLIF, I, LI, CubaLI, Threshold: every field") {
        const Network network(
            {inputs(1), one("if", neurons::If{.R = 8.0, .V_th = 3.0, .V_reset = -1.0, .J = 2.0}),
             one("cuba", neurons::CubaLif{.tau_m = 0.02,
                                          .tau_syn = 0.25,
                                          .R = 3.0,
                                          .E_L = 0.5,
                                          .V_th = 2.0,
                                          .V_reset = 0.25,
                                          .I_e = 0.5,
                                          .w_in = 6.0,
                                          .J = 12.0}),
             one("i", neurons::Integrator{.R = 4.0, .J = 0.5}),
             one("li", neurons::Li{.tau_m = 0.5, .R = 3.0, .E_L = -1.0, .J = 6.0}),
             one("cubali",
                 neurons::CubaLi{.tau_m = 0.02, .tau_syn = 0.5, .R = 3.0, .E_L = 0.5, .w_in = 2.0, .J = 4.0}),
             one("threshold", neurons::Threshold{.V_th = 1.5})},
            {{0, 1, {dense("a", 1, 1, {1.0}, {1.0})}},
             {0, 2, {dense("b", 1, 1, {1.0}, {1.0})}},
             {0, 3, {dense("c", 1, 1, {1.0}, {1.0})}},
             {0, 4, {dense("d", 1, 1, {1.0}, {1.0})}},
             {0, 5, {dense("e", 1, 1, {1.0}, {1.0})}},
             {0, 6, {dense("f", 1, 1, {1.0})}}});
        const NirDocument document = checked(nir_from_network(network));
        CHECK(first(document, "if", "r") == 2.0);
        CHECK(first(document, "if", "v_threshold") == 3.0);
        CHECK(first(document, "if", "v_reset") == -1.0);
        CHECK(first(document, "a", "bias") == 4.0);  // R / J
        CHECK(first(document, "cuba", "tau_syn") == 0.25);
        CHECK(first(document, "cuba", "tau_mem") == 0.02);
        CHECK(first(document, "cuba", "r") == 3.0);
        CHECK(first(document, "cuba", "v_leak") == 2.0);  // E_L + R I_e
        CHECK(first(document, "cuba", "w_in") == 3.0);    // J tau_syn
        CHECK(first(document, "cuba", "v_threshold") == 2.0);
        CHECK(first(document, "cuba", "v_reset") == 0.25);
        CHECK(first(document, "b", "bias") == 2.0);  // w_in / (J tau_syn)
        CHECK(first(document, "i", "r") == 0.5);
        CHECK(first(document, "c", "bias") == 8.0);
        CHECK(first(document, "li", "tau") == 0.5);
        CHECK(first(document, "li", "r") == 3.0);  // J tau_m = R: kept
        CHECK(first(document, "li", "v_leak") == -1.0);
        CHECK(first(document, "d", "bias") == 1.0);
        CHECK(first(document, "cubali", "w_in") == 2.0);
        CHECK(first(document, "e", "bias") == 1.0);
        CHECK(first(document, "threshold", "threshold") == 1.5);
        CHECK(node_of(document, "f").type == "Linear");
    }

    TEST_CASE("a network read under another convention does the same when it is read back as NIR") {
        const NirArray three = filled(3.0, {2});
        const Nodes neurons{{"LIF", node("LIF", {{"tau", filled(20.0, {2})}, {"r", three}})},
                            {"IF", node("IF", {{"r", three}})},
                            {"CubaLIF", node("CubaLIF", {{"tau_mem", reals({20.0, 10.0})},
                                                         {"tau_syn", filled(5.0, {2})},
                                                         {"r", three},
                                                         {"w_in", filled(2.0, {2})}})}};
        for (auto [type, neuron] : neurons) {
            neuron.set("v_threshold", filled(0.7, {2}));
            if (type != "IF") neuron.set("v_leak", filled(0.0, {2}));
            for (const std::string convention : {"norse", "spikingjelly", "lava-dl", "jaxsnn"}) {
                CAPTURE(type);
                CAPTURE(convention);
                NirReading reading;
                reading.convention = convention;
                reading.time_unit = converters::TimeUnit::milliseconds;
                reading.dt = parse_duration("1ms");
                const Network network =
                    network_of(chain({{"input", input({2})},
                                      {"w", affine({2, 2}, {0.9, 0.3, 0.2, 0.8}, {0.03, 0.02})},
                                      {"neuron", neuron}}),
                               reading);
                const auto drive = random_inputs(network, 500, 0.2);
                const SpikeTrain before = run(network, drive, 0.2).spikes[1];
                const SpikeTrain after = run(there_and_back(network), drive, 0.2).spikes[1];
                CHECK(before.size() > 10);
                REQUIRE(after.neurons == before.neurons);
                for (std::size_t k = 0; k < before.size(); ++k) {
                    CHECK(std::abs(after.times[k].seconds() - before.times[k].seconds()) < 1e-12);
                }
            }
        }
    }

    TEST_CASE("fields have the layer's shape, in float32 where every value is one") {
        neurons::PerNeuron<neurons::Lif> model(6,
                                               neurons::Lif{.tau_m = 0.5, .R = 1.0, .V_th = 1.0, .J = 2.0});
        model[4].V_th = 0.1;
        const Network network(
            {inputs(6), {"lif", {2, 3}, model}, {"all", {3}, neurons::PerNeuron<neurons::Lif>(1)}},
            {{0, 2, {dense("w", 6, 3, std::vector<double>(18, 0.1))}}});
        const NirDocument document = nir_from_network(network);
        for (const auto& [field, value] : node_of(document, "lif").fields.entries) {
            CAPTURE(field);
            const auto& array = std::get<NirArray>(value);
            CHECK(array.shape == Shape{2, 3});
            CHECK(array.type == (field == "v_threshold" ? io::NirType::float64 : io::NirType::float32));
        }
        CHECK(node_of(document, "lif").array("v_threshold")->real(4) == 0.1);
        CHECK(node_of(document, "all").array("tau")->shape == Shape{3});
        CHECK(node_of(document, "w").array("weight")->shape == Shape{3, 6});
    }

    TEST_CASE(
        "each neuron's bias makes up for its own gain where a matrix holds it, and is refused elsewhere") {
        neurons::PerNeuron<neurons::If> model{{.R = 2.0, .J = 1.0}, {.R = 12.0, .J = 4.0}};
        const Network network({inputs(2), {"if", {2}, model}},
                              {{0, 1, {dense("w", 2, 2, {1, 1, 1, 1}, {5.0, 7.0})}}});
        const NirDocument document = checked(nir_from_network(network));
        CHECK(node_of(document, "w").array("bias")->reals() == std::vector<double>{10.0, 21.0});

        Convolution c;
        c.name = "conv";
        c.in_channels = c.out_channels = 1;
        c.in_size = c.out_size = {1, 2};
        c.weights = Weights(std::vector<double>{1.0});
        c.bias = Weights(std::vector<double>{1.0});
        const auto convolved = [&](const neurons::PerNeuron<neurons::If>& neurons) {
            return Network({{"input", {1, 1, 2}, neurons::Input{}}, {"if", {1, 1, 2}, neurons}},
                           {{0, 1, {c}}});
        };
        CHECK(contains(refused(convolved(model)), "input -> if, field 'bias': "));
        model[1].R = 8.0;  // twice J, as the other
        CHECK(node_of(nir_from_network(convolved(model)), "conv").array("bias")->reals() ==
              std::vector<double>{2.0});
    }

    TEST_CASE("a bias into neurons that no spike moves is refused, a bias of zeros is not") {
        const auto with_bias = [](double bias) {
            return Network({inputs(1), one("if", neurons::If{.R = 1.0, .J = 0.0})},
                           {{0, 1, {dense("w", 1, 1, {1.0}, {bias})}}});
        };
        CHECK(contains(refused(with_bias(1.0)), "bias"));
        CHECK(refused(with_bias(0.0)).empty());
    }

    TEST_CASE("what NIR has no place for is refused, or told in notes") {
        const auto lif = [](const neurons::Lif& p) {
            return Network({inputs(1), one("lif", p)}, {{0, 1, {}}});
        };
        const auto check_loss = [&](const neurons::Lif& p, const std::string& field,
                                    const std::string& text) {
            CAPTURE(field);
            CHECK(contains(refused(lif(p)), "'lif', field '" + field + "': " + text));
            Notes notes;
            const NirDocument document = checked(nir_from_network(lif(p), &notes));
            REQUIRE(notes.size() == 1);
            CHECK(contains(notes[0], "population 'lif', " + field + ": " + text));
            CHECK(document.root.graph->nodes.size() == 2);
        };
        check_loss({.t_ref = Duration(1)}, "t_ref", "NIR has no refractory period");
        check_loss({.V_0 = 0.5}, "V_0", "NIR has no initial potential");
        check_loss({.reset = neurons::Reset::subtract}, "reset", "NIR has only a reset to V_reset");
        check_loss({.reset = neurons::Reset::subtract_repeated}, "reset", "NIR has only a reset to V_reset");
        check_loss({.J = 2.0, .reset = neurons::Reset::none}, "reset", "NIR has only a reset to V_reset");

        Notes notes;
        const Network driven({inputs(1), one("if", neurons::If{.I_e = 1.0})}, {{0, 1, {}}});
        CHECK_THROWS_AS(static_cast<void>(nir_from_network(driven, &notes)), NetworkError);
    }

    TEST_CASE("a refractory period that all neurons share is kept beside the graph, for its own convention") {
        const auto two = [](std::int64_t first, std::int64_t second) {
            return Network({inputs(1), one("a", neurons::CubaLif{.t_ref = Duration(first)}),
                            one("b", neurons::If{.t_ref = Duration(second)})},
                           {{0, 1, {}}, {1, 2, {}}});
        };
        const auto read_back = [&](const Network& network, const NirReading& reading,
                                   std::size_t population) {
            Notes notes;
            const NirDocument document = checked(nir_from_network(network, &notes));
            CHECK(notes.size() == 2);
            const auto import = network_from_nir(document, reading);
            return std::visit(
                []<class M>(const M& model) {
                    if constexpr (neurons::HasNeurons<M>) {
                        if constexpr (neurons::Spiking<typename M::value_type>)
                            return model[0].t_ref.femtoseconds();
                    }
                    return std::int64_t{-1};
                },
                import.network.populations()[population].model);
        };
        for (const std::int64_t t_ref : {std::int64_t{1}, 60'000'000'000'000, 60'000'000'000'001}) {
            CHECK(read_back(two(t_ref, t_ref), {}, 1) == t_ref);
            CHECK(read_back(two(t_ref, t_ref), {}, 2) == t_ref);
        }
        NirReading asked;
        asked.t_ref = Duration(7);
        CHECK(read_back(two(5, 5), asked, 1) == 7);
        NirReading of_a_tool;
        of_a_tool.convention = "norse";
        CHECK(read_back(two(5, 5), of_a_tool, 1) == 0);
        CHECK(read_back(two(5, 6), {}, 1) == 0);
    }

    TEST_CASE("RampIF is a CubaLIF without leak and decay for others, and itself again for Saltus") {
        const neurons::RampIf ramp{.t_min = 0.01,
                                   .t_max = 0.03,
                                   .slope = 70.0,
                                   .R = 1.0 / 3.0,
                                   .V_th = 0.7,
                                   .V_reset = -0.1,
                                   .t_ref = Duration(60'000'000'000'000),
                                   .I_e = 0.1,
                                   .J = 2.3,
                                   .V_0 = 0.2};
        const Network network({inputs(1), one("a", ramp)}, {{0, 1, {dense("w", 1, 1, {0.5})}}});
        Notes notes;
        const NirDocument document = checked(nir_from_network(network, &notes));
        REQUIRE(notes.size() == 2);
        CHECK(contains(notes[0], "only Saltus reads the ramp from the metadata"));
        CHECK(node_of(document, "a").type == "CubaLIF");
        // V' = r I / tau_mem and I jumps by w_in / tau_syn: R J a weight
        CHECK(first(document, "a", "r") / first(document, "a", "tau_mem") *
                  (first(document, "a", "w_in") / first(document, "a", "tau_syn")) ==
              doctest::Approx(2.3 / 3.0).epsilon(1e-15));
        const auto same = [&](const NirDocument& read) {
            const Network again = network_of(read);
            const auto& model = std::get<neurons::PerNeuron<neurons::RampIf>>(again.populations()[1].model);
            const neurons::RampIf p = model[0];
            CHECK(p.t_min == ramp.t_min);
            CHECK(p.t_max == ramp.t_max);
            CHECK(p.slope == ramp.slope);
            CHECK(p.R == ramp.R);
            CHECK(p.V_th == ramp.V_th);
            CHECK(p.V_reset == ramp.V_reset);
            CHECK(p.t_ref == ramp.t_ref);
            CHECK(p.I_e == ramp.I_e);
            CHECK(p.J == ramp.J);
            CHECK(p.V_0 == ramp.V_0);
        };
        same(document);
        const TemporaryFolder folder;
        io::write_nir(document, folder / "a.nir");
        same(io::read_nir(folder / "a.nir"));
        io::write_nir_json(document, folder / "a.nir.json");
        same(io::read_nir_json(folder / "a.nir.json"));

        NirReading of_a_tool;  // which does not know of ramps
        of_a_tool.convention = "norse";
        const Network plain = network_from_nir(document, of_a_tool).network;
        CHECK(std::holds_alternative<neurons::PerNeuron<neurons::CubaLif>>(plain.populations()[1].model));

        NirDocument broken = document;
        for (auto& [name, node] : broken.root.graph->nodes) {
            if (name != "a") continue;
            auto& own = std::get<io::NirGroup>(node.metadata.entries.at(0).second);
            std::erase_if(own.entries, [](const auto& entry) { return entry.first == "slope"; });
        }
        CHECK(contains(message_of<UsageError>([&] { (void)network_of(broken); }),
                       "ramp of a node, slope: expected a number"));
        neurons::RampIf other = ramp;
        other.t_max = 0.04;
        const Network several(
            {inputs(1), Population{"a", {2}, neurons::PerNeuron<neurons::RampIf>{ramp, other}}},
            {{0, 1, {dense("w", 1, 2, {0.5, 0.5})}}});
        CHECK(contains(message_of<NetworkError>([&] { (void)nir_from_network(several, &notes); }),
                       "expected the same for all neurons of the population"));
    }

    TEST_CASE("models that NIR does not have are refused by name") {
        const auto of = []<class P>(const P& p) {
            return refused(Network({inputs(1), one("a", p)}, {{0, 1, {}}}));
        };
        const std::string cure =
            " has no counterpart in NIR, whose spiking neurons are IF, LIF and CubaLIF: make it one of "
            "these";
        CHECK(contains(of(neurons::LifExp2{}), "'a': LIFExp2" + cure));
        CHECK(contains(of(neurons::LifAlpha{}), "'a': LIFAlpha" + cure));
        CHECK(contains(of(neurons::LifAdaptive{}), "'a': LIFAdaptive" + cure));
        CHECK(contains(of(neurons::Qif{}), "'a': QIF" + cure));
    }
}

TEST_SUITE("converters/to_nir/graph") {
    TEST_CASE("nodes that projections share are one node again") {
        const NirNode conv = conv2d({2, 1, 2, 2}, {3, 3});
        check_same_after_a_round(
            document({{"input", input({1, 3, 3})},
                      {"conv", conv},
                      {"flat", flat(0, -1)},
                      {"a", relay(8)},
                      {"b", relay(8)},
                      {"out", output({8})}},
                     {{"input", "conv"}, {"conv", "flat"}, {"flat", "a"}, {"flat", "b"}, {"b", "out"}}));
        check_same_after_a_round(
            document({{"x", input({2})},
                      {"y", input({2})},
                      {"w", affine({1, 2}, {0.1, 0.2}, {0.3})},
                      {"v", affine({1, 1}, {2.0}, {0.5})},
                      {"s", relay(1)},
                      {"t", relay(1)},
                      {"out", output({1})}},
                     {{"x", "w"}, {"y", "w"}, {"w", "s"}, {"w", "v"}, {"v", "t"}, {"s", "v"}, {"t", "out"}}));
    }

    TEST_CASE("every kind of node comes back with its contents") {
        NirNode same = conv2d({2, 2, 3, 2}, {6, 4});
        same.set("padding", std::string("same"));
        check_same_after_a_round(chain({{"input", input({2, 6, 4})},
                                        {"same", same},
                                        {"scale", node("Scale", {{"scale", filled(0.1, {2, 6, 4})}})},
                                        {"a", node("Threshold", {{"threshold", filled(0.1, {2, 6, 4})}})},
                                        {"sum", pool("SumPool2d", {2, 1}, {2, 1}, {0, 0})},
                                        {"average", pool("AvgPool2d", {3, 2}, {1, 2}, {1, 0})},
                                        {"late", node("Delay", {{"delay", filled(0.25, {2, 3, 2})}})},
                                        {"half", flat(1, 2)},
                                        {"rows", node("Linear", {{"weight", filled(0.3, {2, 5, 6})}})},
                                        {"flat", flat(0, -1)},
                                        {"fc", affine({2, 10}, std::vector<double>(20, 0.7), {0.1, 0.2})},
                                        {"b", relay(2)},
                                        {"out", output({2})}}));
        check_same_after_a_round(chain({{"input", input({2, 7})},
                                        {"conv", node("Conv1d", {{"input_shape", integer(7)},
                                                                 {"weight", filled(0.5, {4, 1, 3})},
                                                                 {"stride", integer(2)},
                                                                 {"padding", integer(1)},
                                                                 {"dilation", integer(1)},
                                                                 {"groups", integer(2)},
                                                                 {"bias", reals({0, 1, 2, 3})}})},
                                        {"flat", flat(0, -1)},
                                        {"b", relay(16)},
                                        {"out", output({16})}}));
    }

    TEST_CASE(
        "an Output fed by weights comes back as an Output, another integrator as a node with an Output") {
        check_same_after_a_round(
            chain({{"input", input({2})}, {"w", linear(1, 2)}, {"result", output({1})}}));
        check_same_after_a_round(
            document({{"input", input({2})}, {"out", output({2})}, {"again", output({2})}},
                     {{"input", "out"}, {"input", "again"}}));

        const Network fast({inputs(1), one("result", neurons::Integrator{.R = 2.0, .J = 2.0})},
                           {{0, 1, {dense("w", 1, 1, {3.0})}}}, {{"result", 1}});
        Notes notes;
        const NirDocument document = checked(nir_from_network(fast, &notes));
        CHECK(node_of(document, "result").type == "I");
        CHECK(node_of(document, "result_2").type == "Output");
        CHECK(any_contains(notes, "output 'result': another node has this name, so it is called 'result_2'"));
        CHECK(potentials_of(network_of(document), "result", {{0.5, 0}}, 1.0) == std::vector<double>{6.0});
    }

    TEST_CASE("stages of one name stay apart where one node would do something else") {
        // x -> w -> s and y -> w -> t: one node w would also lead from x to t. The same name with other
        // weights.
        const Network network({{"x", {1}, neurons::Input{}},
                               {"y", {1}, neurons::Input{}},
                               one("s", neurons::Integrator{}),
                               one("t", neurons::Integrator{}),
                               one("u", neurons::Integrator{})},
                              {{0, 2, {dense("w", 1, 1, {2.0}, {1.0})}},
                               {1, 3, {dense("w", 1, 1, {2.0}, {1.0})}},
                               {1, 4, {dense("w", 1, 1, {5.0})}}});
        const NirDocument document = checked(nir_from_network(network));
        CHECK(nodes_of(document) == Names{"s", "t", "u", "w", "x", "y", "y_t", "y_u"});
        const Network again = network_of(document);
        const SimulationResult result = run(again, {{"x", train({{0.5, 0}})}}, 1.0);
        CHECK(result.final_potentials[again.index_of("s")] == std::vector<double>{3.0});
        CHECK(result.final_potentials[again.index_of("t")] == std::vector<double>{1.0});
        CHECK(result.final_potentials[again.index_of("u")] == std::vector<double>{0.0});
    }

    TEST_CASE("two projections that count a bias twice keep it twice") {
        const Network network(
            {{"x", {1}, neurons::Input{}}, {"y", {1}, neurons::Input{}}, one("s", neurons::Integrator{})},
            {{0, 2, {dense("w", 1, 1, {2.0}, {1.0})}}, {1, 2, {dense("w", 1, 1, {2.0}, {1.0})}}});
        CHECK(potentials_of(network, "s", {}, 1.0, "x") == std::vector<double>{2.0});
        CHECK(potentials_of(there_and_back(network), "s", {}, 1.0, "x") == std::vector<double>{2.0});
    }

    TEST_CASE("two projections without stages between the same populations deliver twice") {
        const Network network({inputs(1), one("s", neurons::Integrator{})},
                              {{0, 1, {}}, {0, 1, {}}, {0, 1, {}}});
        CHECK(potentials_of(there_and_back(network), "s", {{0.5, 0}}, 1.0) == std::vector<double>{3.0});
    }

    TEST_CASE("made-up names are readable, free and without dots, names that exist stay, dots and all") {
        const Network network(
            {inputs(1), one("inner.lif", firing_at_half()), one("input_inner_lif", firing_at_half())},
            {{0, 1, {dense("", 1, 1, {1.0})}},
             {1, 2, {dense("inner.w", 1, 1, {1.0}), Delay{"", 1, {Duration(5)}}}},
             {0, 2, {dense("input", 1, 1, {1.0})}},
             {0, 2, {dense("a/b", 1, 1, {1.0})}}});
        CHECK(nodes_of(nir_from_network(network)) ==
              Names{"inner.lif", "inner.w", "inner_lif_input_inner_lif_delay", "input", "input_inner_lif",
                    "input_inner_lif_2", "input_input_inner_lif", "input_input_inner_lif_2"});
        check_same_after_a_round(nir_from_network(network));

        const Network slash({inputs(1), one("a/b", firing_at_half())}, {});
        CHECK(contains(refused(slash), "a/b"));
        CHECK(contains(refused(slash), "Rename it"));
    }

    TEST_CASE(
        "a signal is flattened where a matrix or a flat population needs it, and nothing else is done to "
        "it") {
        const Network network({{"input", {2, 3}, neurons::Input{}},
                               {"a", {4}, neurons::PerNeuron<neurons::If>(1)},
                               {"b", {6}, neurons::PerNeuron<neurons::Integrator>(1)}},
                              {{0, 1, {dense("w", 6, 4, std::vector<double>(24, 1.0))}}, {0, 2, {}}});
        CHECK(nodes_of(nir_from_network(network)) ==
              Names{"a", "b", "input", "input_a_flatten", "input_b_flatten", "w"});
        CHECK(potentials_of(there_and_back(network), "b", {{0.5, 4}}, 1.0) ==
              std::vector<double>{0, 0, 0, 0, 1, 0});

        const Network raised({inputs(6), {"a", {2, 3}, neurons::PerNeuron<neurons::If>(1)}}, {{0, 1, {}}});
        CHECK(
            contains(refused(raised),
                     "input -> a, field 'shape': NIR has no node that gives a signal of shape (6,) the shape "
                     "(2, 3)"));
    }

    TEST_CASE("a convolution that pads one side more than NIR can say is refused") {
        Convolution c;
        c.name = "conv";
        c.in_channels = c.out_channels = 1;
        c.in_size = {1, 4};
        c.out_size = {1, 6};
        c.padding = {0, 2};
        c.weights = Weights(std::vector<double>{1.0});
        const Network network(
            {{"input", {1, 1, 4}, neurons::Input{}}, {"a", {1, 1, 6}, neurons::PerNeuron<neurons::If>(1)}},
            {{0, 1, {c}}});
        CHECK(contains(refused(network), "input -> a, field 'padding'"));
    }

    TEST_CASE("networks that a recurrent delay has cured keep it") {
        NirReading reading;
        reading.recurrent_delay = parse_duration("250ms");
        const Network network = network_of(document({{"input", input({1})},
                                                     {"w", affine({1, 1}, {1.0}, {0.0})},
                                                     {"a", relay(1)},
                                                     {"out", output({1})}},
                                                    {{"input", "w"}, {"w", "a"}, {"a", "w"}, {"a", "out"}}),
                                           reading);
        const SpikeTrain expected = train({{1.0, 0}, {1.25, 0}, {1.5, 0}});
        CHECK(spikes_of(network, "a", {{1.0, 0}}, 1.5) == expected);
        CHECK(spikes_of(there_and_back(network), "a", {{1.0, 0}}, 1.5) == expected);
    }

    TEST_CASE("a node that only one of its sources reaches through a later delay has to be two") {
        // input -> w -> a without delay, a -> w -> late -> a.
        const Dense w = dense("w", 1, 1, {1.0}, {0.25});
        const Network network(
            {inputs(1), one("a", firing_at_half())},
            {{0, 1, {w}}, {1, 1, {dense("w", 1, 1, {1.0}), Delay{"late", 1, {parse_duration("250ms")}}}}});
        const NirDocument document = checked(nir_from_network(network));
        CHECK(nodes_of(document) == Names{"a", "a_a", "input", "late", "w"});
        // The bias alone fires a every 2 s.
        const SpikeTrain expected = train({{1.0, 0}, {1.25, 0}, {1.5, 0}, {1.75, 0}});
        CHECK(spikes_of(network, "a", {{1.0, 0}}, 1.75) == expected);
        CHECK(spikes_of(network_of(document), "a", {{1.0, 0}}, 1.75) == expected);
    }
}

TEST_SUITE("converters/to_nir/sparse") {
    TEST_CASE("explicit synapses become a matrix and a Delay for each delay") {
        const Duration late = parse_duration("250ms");
        const Sparse synapses =
            Sparse::of("s", 2, 3, {0, 0, 1, 1, 1}, {0, 2, 2, 2, 1}, {1.0, 2.0, 3.0, 4.0, 5.0},
                       {Duration(), late, late, late, Duration()});
        const Network network(
            {inputs(2), {"a", {3}, neurons::PerNeuron<neurons::Integrator>(1)}},
            {{0, 1, {synapses, dense("", 3, 3, {1, 0, 0, 0, 1, 0, 0, 0, 1}, {10, 20, 30})}}});
        const NirDocument document = checked(nir_from_network(network));
        CHECK(nodes_of(document) == Names{"a", "input", "input_a", "input_a_2", "input_a_delay", "s"});
        CHECK(node_of(document, "s").array("weight")->reals() == std::vector<double>{1, 0, 0, 5, 0, 0});
        CHECK(node_of(document, "input_a_delay").array("delay")->reals() == std::vector<double>(3, 0.25));
        const Network again = network_of(document);
        const Spikes spikes{{0.5, 0}, {0.5, 1}};
        CHECK(potentials_of(again, "a", spikes, 0.5) == std::vector<double>{1 + 5.0, 5 + 10.0, 15.0});
        CHECK(potentials_of(again, "a", spikes, 1.0) == potentials_of(network, "a", spikes, 1.0));
        CHECK(potentials_of(again, "a", spikes, 1.0) == std::vector<double>{11.0, 25.0, 39.0});
    }

    TEST_CASE("random synapses with four delays give the same spikes") {
        const CounterRandom random(3, 0);
        std::vector<NeuronIndex> pre, post;
        std::vector<double> weights;
        std::vector<Duration> delays;
        for (std::uint64_t k = 0; k < 300; ++k) {
            pre.push_back(static_cast<NeuronIndex>(random.below(4 * k, 10)));
            post.push_back(static_cast<NeuronIndex>(random.below(4 * k + 1, 10)));
            weights.push_back(static_cast<double>(random.below(4 * k + 2, 5)) / 8.0);
            delays.push_back(
                Duration(static_cast<std::int64_t>(1 + random.below(4 * k + 3, 4)) * 1'000'000'000'000));
        }
        const neurons::If p{.V_th = 1.0};
        const Network network({inputs(10),
                               {"a", {10}, neurons::PerNeuron<neurons::If>{p}},
                               {"b", {10}, neurons::PerNeuron<neurons::If>{p}}},
                              {{0, 1, {Sparse::of("", 10, 10, pre, post, weights, delays)}},
                               {1, 2, {Sparse::of("", 10, 10, pre, post, weights, delays)}},
                               {2, 1, {Sparse::of("", 10, 10, pre, post, weights, delays)}}});
        const auto drive = random_inputs(network, 100, 0.1);
        CHECK(run(network, drive, 0.2).neuron_spikes > 1000);
        CHECK(outcome(there_and_back(network), drive, 0.2) == outcome(network, drive, 0.2));
    }

    TEST_CASE("synapses whose matrix would have more than 2^28 entries are refused") {
        const Network network({inputs(1u << 15), {"a", {1u << 14}, neurons::PerNeuron<neurons::If>(1)}},
                              {{0, 1, {Sparse::of("s", 1u << 15, 1u << 14, {0}, {0}, {1.0}, {Duration()})}}});
        CHECK(contains(message_of<LimitError>([&] { static_cast<void>(nir_from_network(network)); }),
                       "input -> a"));
    }
}

}  // namespace
}  // namespace saltus::test
