#include "saltus/converters/first_spike.hpp"

#include <doctest/doctest.h>

#include "saltus/converters/nir.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/first_spike.hpp"
#include "saltus/io/nir_json.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::converters;
using namespace saltus::test;

namespace {

constexpr std::int64_t ms = 1'000'000'000'000;  // [fs]

learning::FirstSpikeNetwork small_network() {
    learning::FirstSpikePlan plan;
    plan.input = {2, 3};
    plan.layers = {5, 2};
    return learning::new_first_spikes(plan);
}

}  // namespace

TEST_SUITE("converters/first_spike") {
    TEST_CASE("a trained network comes back from its file with its weights and how it is to be read") {
        const learning::FirstSpikeNetwork network = small_network();
        FirstSpikeReading reading;
        reading.t_max = Duration(64 * ms);
        reading.silence_decides_at = Duration(60 * ms);
        reading.encoding = "rank";
        reading.slot = Duration(ms / 4);
        reading.slots = 255;
        io::NirDocument document = nir_from_network(learning::network_of(network));
        CHECK_FALSE(first_spike_of(document));
        set_first_spike(document, {});
        set_first_spike(document, reading);  // replaces

        const TemporaryFolder folder;
        io::write_nir(document, folder / "a.nir");
        io::write_nir_json(document, folder / "a.json");
        for (const io::NirDocument& again :
             {io::read_nir(folder / "a.nir"), io::read_nir_json(folder / "a.json")}) {
            const Import import = network_from_nir(again);
            REQUIRE(import.first_spike);
            CHECK(import.first_spike->t_max == reading.t_max);
            CHECK(import.first_spike->silence_decides_at == reading.silence_decides_at);
            CHECK(import.first_spike->encoding == "rank");
            CHECK(import.first_spike->slot == reading.slot);
            CHECK(import.first_spike->slots == 255);
            const auto found = learning::first_spike_network(import.network, network.t_max, network.t_max);
            REQUIRE(found.layers.size() == 2);
            for (std::size_t l = 0; l < 2; ++l) {
                const auto& a = std::get<learning::DenseSynapses>(found.layers[l].synapses);
                const auto& b = std::get<learning::DenseSynapses>(network.layers[l].synapses);
                CHECK(a.weights == b.weights);
                CHECK(a.delays == b.delays);
                CHECK(found.layers[l].V_th == network.layers[l].V_th);
            }
        }
    }

    TEST_CASE("a convolutional network comes back from its file, whose biases of zeros are none") {
        using Kind = learning::LayerPlan::Kind;
        learning::FirstSpikePlan plan;
        plan.input = {6, 6};
        plan.layers = {{Kind::convolution, 3, 3}, {Kind::window, 0, 2}, {2}};
        const learning::FirstSpikeNetwork network = learning::new_first_spikes(plan);
        const TemporaryFolder folder;
        io::write_nir(nir_from_network(learning::network_of(network)), folder / "a.nir");
        const Import import = network_from_nir(io::read_nir(folder / "a.nir"));
        const auto found = learning::first_spike_network(import.network, network.t_max, network.t_max);
        REQUIRE(found.layers.size() == 3);
        const auto& a = std::get<learning::ConvolutionSynapses>(found.layers[0].synapses);
        const auto& b = std::get<learning::ConvolutionSynapses>(network.layers[0].synapses);
        CHECK(a.weights == b.weights);
        CHECK(a.shape.kernel == b.shape.kernel);
        CHECK(std::get<learning::FirstOfWindow>(found.layers[1].synapses).shape.kernel[0] == 2);
        CHECK(std::get<learning::DenseSynapses>(found.layers[2].synapses).weights ==
              std::get<learning::DenseSynapses>(network.layers[2].synapses).weights);
    }

    TEST_CASE("metadata that say nonsense are refused by name") {
        io::NirDocument document = nir_from_network(learning::network_of(small_network()));
        FirstSpikeReading reading;
        reading.slots = 0;
        set_first_spike(document, reading);
        CHECK(contains(message_of<UsageError>([&] { return network_from_nir(document); }),
                       "first_spike, slots: expected 1 to 1048576"));
        reading.slots = 256;
        reading.t_max = Duration(-ms);
        set_first_spike(document, reading);
        CHECK(contains(message_of<UsageError>([&] { return network_from_nir(document); }),
                       "first_spike, t_max: expected a number of seconds > 0"));
    }
}
