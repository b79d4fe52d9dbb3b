// Conventions: the same file under the name of each tool. Expected numbers are worked out from the tools'
// update rules.
#include <doctest/doctest.h>

#include "conversion.hpp"

namespace saltus::test {
namespace {

using neurons::Reset;

NirNode lif_node(double tau) {
    return node("LIF", {{"tau", reals({tau})},
                        {"r", reals({3.0})},
                        {"v_leak", reals({0.5})},
                        {"v_threshold", reals({2.0})},
                        {"v_reset", reals({0.25})}});
}
NirNode if_node() {
    return node("IF", {{"r", reals({3.0})}, {"v_threshold", reals({2.0})}, {"v_reset", reals({0.25})}});
}
NirNode cuba_lif_node(double tau_syn, double tau_mem) {
    return node("CubaLIF", {{"tau_syn", reals({tau_syn})},
                            {"tau_mem", reals({tau_mem})},
                            {"r", reals({3.0})},
                            {"v_leak", reals({0.5})},
                            {"w_in", reals({2.0})},
                            {"v_threshold", reals({2.0})},
                            {"v_reset", reals({0.25})}});
}

template <class P>
P read(const NirNode& neuron, const std::string& convention) {
    NirReading reading;
    reading.convention = convention;
    reading.dt = parse_duration("1ms");
    const Network network =
        network_of(chain({{"input", input({1})}, {"neuron", neuron}, {"output", output({1})}}), reading);
    return std::get<neurons::PerNeuron<P>>(network.populations()[network.index_of("neuron")].model).at(0);
}

doctest::Approx near(double x) {
    return doctest::Approx(x).epsilon(1e-14);
}

TEST_SUITE("converters/convention") {
    TEST_CASE("LIF with tau 20 ms, r 3, v_leak 0.5, v_reset 0.25 under each convention, steps of 1 ms") {
        struct Row {
            std::string convention;
            double tau;  // in the unit of the tool
            double R, E_L, J, V_reset, V_0;
            Reset reset;
        };
        // One step of height 1 moves v by dt / tau = 1/20 (norse, which drops r), by r dt / tau = 3/20, or
        // by 1.
        for (const Row& row : {Row{"nir", 0.02, 3, 0.5, 150, 0.25, 0, Reset::to_value},
                               Row{"norse", 0.02, 1, 0.5, 0.05, 0, 0.5, Reset::to_value},
                               Row{"snntorch", 0.02, 3, 0.5, 0.15, 0, 0, Reset::to_value},
                               Row{"sinabs", 20, 20, 0.5, 1, 0, 0, Reset::subtract_repeated},
                               Row{"spikingjelly", 0.02, 3, 0.5, 0.15, 0.25, 0.25, Reset::to_value},
                               Row{"rockpool", 0.02, 20, 0.5, 1, 0, 0, Reset::subtract_repeated},
                               Row{"lava-dl", 0.02, 3, 0.5, 0.15, 0, 0, Reset::to_value},
                               Row{"jaxsnn", 20, 20, 0, 1, 0.25, 0, Reset::to_value}}) {
            CAPTURE(row.convention);
            const auto p = read<neurons::Lif>(lif_node(row.tau), row.convention);
            CHECK(p.tau_m == near(0.02));
            CHECK(p.R == near(row.R));
            CHECK(p.E_L == row.E_L);
            CHECK(p.J == near(row.J));
            CHECK(p.V_th == 2.0);
            CHECK((p.reset != Reset::to_value || p.V_reset == row.V_reset));
            CHECK(p.V_0 == row.V_0);
            CHECK(p.reset == row.reset);
        }
    }

    TEST_CASE("IF with r 3, v_reset 0.25 under each convention, steps of 1 ms") {
        struct Row {
            std::string convention;
            double R, J, V_reset, V_0;
            Reset reset;
        };
        // Tools that add x to v in each step: a spike moves v by its weight, a bias by b every millisecond.
        for (const Row& row :
             {Row{"nir", 3, 3, 0.25, 0, Reset::to_value}, Row{"norse", 1000, 1, 0, 0, Reset::to_value},
              Row{"snntorch", 1000, 1, 0, 0, Reset::subtract},
              Row{"sinabs", 1000, 1, 0, 0, Reset::subtract_repeated},
              Row{"spikingjelly", 3, 0.003, 0.25, 0.25, Reset::to_value},
              Row{"rockpool", 1000, 1, 0, 0, Reset::subtract_repeated},
              Row{"lava-dl", 3, 0.003, 0, 0, Reset::to_value},
              Row{"jaxsnn", 1000, 1, 0.25, 0, Reset::to_value}}) {
            CAPTURE(row.convention);
            const auto p = read<neurons::If>(if_node(), row.convention);
            CHECK(p.R == near(row.R));
            CHECK(p.J == near(row.J));
            CHECK(p.V_th == 2.0);
            CHECK((p.reset != Reset::to_value || p.V_reset == row.V_reset));
            CHECK(p.V_0 == row.V_0);
            CHECK(p.reset == row.reset);
        }
    }

    TEST_CASE("CubaLIF with tau_syn 10 ms, tau_mem 20 ms, r 3, w_in 2, v_leak 0.5 under each convention") {
        struct Row {
            std::string convention;
            double milli;  // a millisecond in the unit of the tool
            double R, E_L, w_in, J, V_reset, V_0;
            Reset reset;
        };
        // norse: i rests at v_leak, which adds r v_leak. rockpool: v grows by i + v_leak every step of
        // tau_mem / (1 + r) = 5 ms. jaxsnn: r, w_in and v_leak are dropped.
        for (const Row& row : {Row{"nir", 1e-3, 3, 0.5, 2, 200, 0.25, 0, Reset::to_value},
                               Row{"norse", 1e-3, 3, 2, 2, 0.2, 0, 0.5, Reset::to_value},
                               Row{"snntorch", 1e-3, 3, 0.5, 2, 0.2, 0, 0, Reset::to_value},
                               Row{"sinabs", 1, 3, 0.5, 10, 1, 0, 0, Reset::subtract_repeated},
                               Row{"spikingjelly", 1e-3, 3, 0.5, 2, 0.2, 0.25, 0.25, Reset::to_value},
                               Row{"rockpool", 1e-3, 4, 2, 2, 1, 0, 0, Reset::subtract_repeated},
                               Row{"lava-dl", 1e-3, 3, 0.5, 2, 0.2, 0, 0, Reset::to_value},
                               Row{"jaxsnn", 1, 1, 0, 10, 1, 0.25, 0, Reset::to_value}}) {
            CAPTURE(row.convention);
            const auto p =
                read<neurons::CubaLif>(cuba_lif_node(10 * row.milli, 20 * row.milli), row.convention);
            CHECK(p.tau_syn == near(0.01));
            CHECK(p.tau_m == near(0.02));
            CHECK(p.R == near(row.R));
            CHECK(p.E_L == near(row.E_L));
            CHECK(p.w_in == near(row.w_in));
            CHECK(p.J == near(row.J));
            CHECK((p.reset != Reset::to_value || p.V_reset == row.V_reset));
            CHECK(p.V_0 == row.V_0);
            CHECK(p.reset == row.reset);
        }
    }

    TEST_CASE("what the reader is told beats the convention") {
        NirReading reading;
        reading.convention = "norse";
        reading.spike_area = converters::SpikeArea::unit;
        reading.reset = converters::ResetRule::subtract;
        reading.time_unit = converters::TimeUnit::milliseconds;
        reading.t_ref = parse_duration("2ms");
        const Network network =
            network_of(chain({{"input", input({1})}, {"neuron", lif_node(20.0)}}), reading);
        const auto p = std::get<neurons::PerNeuron<neurons::Lif>>(network.populations()[1].model).at(0);
        CHECK(p.tau_m == near(0.02));
        CHECK(p.J == near(1.0 / 20.0));  // a spike of area 1 ms
        CHECK(p.reset == Reset::subtract);
        CHECK(p.t_ref == parse_duration("2ms"));
    }

    TEST_CASE("an unknown name is refused with the names that are known") {
        const auto refused = [](const char* name) {
            return message_of<UsageError>([&] { static_cast<void>(converters::convention(name)); });
        };
        CHECK(contains(refused("snntroch"), "Did you mean 'snntorch'?"));
        for (const std::string& name : converters::convention_names()) CHECK(contains(refused("x"), name));
        CHECK(contains(message_of<UsageError>([] { static_cast<void>(converters::time_unit_from("us")); }),
                       "expected one of s, ms, steps"));
        CHECK(contains(message_of<UsageError>([] { static_cast<void>(converters::spike_area_from("dt")); }),
                       "unit, step, jump"));
        CHECK(contains(message_of<UsageError>([] { static_cast<void>(converters::reset_rule_from("late")); }),
                       "v_reset, zero, subtract, subtract_repeated, none"));
    }

    TEST_CASE(
        "a tool that the exact clock cannot follow is refused by it, one without steps by the stepped "
        "clock") {
        const auto refused = [](const char* name, converters::Clock clock) {
            NirReading reading;
            reading.convention = name;
            reading.clock = clock;
            return message_of<LimitError>([&] {
                static_cast<void>(network_of(chain({{"input", input({1})}, {"neuron", if_node()}}), reading));
            });
        };
        CHECK(contains(refused("nengo", converters::Clock::exact), "sends spikes of height 1/dt"));
        CHECK(contains(refused("jaxsnn", converters::Clock::stepped), "the tool has no steps"));
    }
}

}  // namespace
}  // namespace saltus::test
