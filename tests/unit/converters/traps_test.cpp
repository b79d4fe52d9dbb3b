// What a file means to whom, told before it runs.
#include <doctest/doctest.h>

#include "conversion.hpp"

namespace saltus::test {
namespace {

using converters::traps_of;

NirNode lif_of(double tau, double r, double v_leak, double v_reset) {
    return node("LIF", {{"tau", reals({tau})},
                        {"r", reals({r})},
                        {"v_leak", reals({v_leak})},
                        {"v_threshold", reals({1.0})},
                        {"v_reset", reals({v_reset})}});
}
NirNode affine(double bias) {
    return node("Affine",
                {{"weight", io::NirArray::of(std::vector<double>{2.0}, {1, 1})}, {"bias", reals({bias})}});
}
std::string all_traps(const NirDocument& file) {
    std::string text;
    for (const std::string& trap : traps_of(checked(file))) text += trap + "\n";
    return text;
}

TEST_SUITE("converters/traps") {
    TEST_CASE("a chain that every tool takes alike has none") {
        CHECK(all_traps(chain({{"input", input({1})},
                               {"fc", affine(0.0)},
                               {"n", lif_of(0.02, 1, 0, 0)},
                               {"output", output({1})}})) == "");
    }

    TEST_CASE("parameters that tools drop, and nodes that they lack, are told with the names of the nodes") {
        const std::string text = all_traps(chain({{"input", input({1})},
                                                  {"fc", affine(0.5)},
                                                  {"d", node("Delay", {{"delay", reals({0.001})}})},
                                                  {"n", lif_of(20.0, 2, 0.25, -0.5)},
                                                  {"output", output({1})}}));
        CHECK(contains(text, "'d': a Delay; no importer"));
        CHECK(contains(text, "'n': v_reset is not 0"));
        CHECK(contains(text, "'n': v_leak is not 0"));
        CHECK(contains(text, "'n': r is not 1"));
        CHECK(contains(text, "'fc': a bias"));
        CHECK(contains(text, "'n.tau': a time constant above 0.5"));
    }

    TEST_CASE("a cycle and a join are told by their edges, a cycle with a Delay on it is none") {
        const NirNode n = lif_of(0.02, 1, 0, 0);
        const std::string loop =
            all_traps(document({{"input", input({1})}, {"n", n}, {"w", affine(0.0)}, {"output", output({1})}},
                               {{"input", "n"}, {"n", "w"}, {"w", "n"}, {"n", "output"}}));
        CHECK(contains(loop, "w -> n closes a cycle"));
        const NirNode delay = node("Delay", {{"delay", reals({0.001})}});
        const std::string delayed =
            all_traps(document({{"input", input({1})}, {"n", n}, {"w", delay}, {"output", output({1})}},
                               {{"input", "n"}, {"n", "w"}, {"w", "n"}, {"n", "output"}}));
        CHECK(!contains(delayed, "closes a cycle"));
        const std::string before_weights = all_traps(document(
            {{"input", input({1})}, {"n", n}, {"d", delay}, {"w", affine(0.0)}, {"output", output({1})}},
            {{"input", "n"}, {"n", "d"}, {"d", "w"}, {"w", "n"}, {"n", "output"}}));
        CHECK(!contains(before_weights, "closes a cycle"));
        const std::string join =
            all_traps(document({{"input", input({1})},
                                {"a", affine(0.0)},
                                {"b", affine(0.0)},
                                {"n", n},
                                {"output", output({1})}},
                               {{"input", "a"}, {"a", "n"}, {"input", "b"}, {"b", "n"}, {"n", "output"}}));
        CHECK(contains(join, "b -> n joins another way: norse and sinabs take it one step late"));
    }

    TEST_CASE("every tool either runs a file or says why not") {
        const auto readings = converters::tool_readings(checked(
            chain({{"input", input({1})}, {"n", lif_of(0.02, 1, 0.25, 0.25)}, {"output", output({1})}})));
        CHECK(readings.size() == 7);
        for (const auto& tool : readings) {
            CAPTURE(tool.convention);
            CHECK(tool.dt > Duration());
            const bool runs = tool.convention == "norse" || tool.convention == "spikingjelly" ||
                              tool.convention == "sinabs";
            CHECK(tool.refusal.empty() == runs);
            if (tool.convention == "snntorch") CHECK(contains(tool.refusal, "field 'E_L'"));
            if (tool.convention == "lava-dl") CHECK(contains(tool.refusal, "has no LIF"));
        }
    }
}

}  // namespace
}  // namespace saltus::test
