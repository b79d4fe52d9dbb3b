#include "saltus/converters/surrogate_norse.hpp"

#include <doctest/doctest.h>

#include "conversion.hpp"
#include "saltus/engine/learning/surrogate_text.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::converters;
using namespace saltus::test;

namespace {

SurrogateModel model_of(const std::string& layers, const saltus::Shape& input) {
    SurrogateModel model;
    model.description.steps = 20;
    model.description.input = input;
    model.description.layers = learning::surrogate_layers(layers, 3);
    model.classes = {"a", "b", "c"};
    model.dt = Duration(4'000'000'000'000);
    model.parameters = learning::SurrogateNetwork(model.description).initial(7);
    return model;
}

std::string refusal(const SurrogateModel& model) {
    return message_of<NetworkError>([&] { (void)nir_for_norse(model); });
}
std::string refusal(const std::string& layers, const saltus::Shape& input) {
    return refusal(model_of(layers, input));
}

}  // namespace

TEST_SUITE("converters/surrogate_norse") {
    TEST_CASE("norse maps every node, the file names convention and step") {
        for (const auto& [layers, input] : std::vector<std::pair<std::string, saltus::Shape>>{
                 {"dense 5 recurrent; dense 4 no_lateral; readout mean", {6}},
                 {"conv 4 kernel=3 dilation=2; conv 3 kernel=2; readout count", {2}},
                 {"pool average kernel=1x2; conv 4 kernel=1x3; conv 3 kernel=2x2; dense 4; readout", {2, 8}},
                 {"conv 3 kernel=2x3x2 stride=1x2x1 groups=1; readout mean", {2, 5, 6}}}) {
            CAPTURE(layers);
            const NirDocument document = checked(nir_for_norse(model_of(layers, input)));
            NirReading reading;
            reading.clock = Clock::stepped;
            const NirImport import = network_from_nir(document, reading);
            CHECK(any_contains(import.notes, "convention 'norse'"));
            CHECK(import.rules.value().dt == Duration(4'000'000'000'000));
            CHECK(SteppedSimulation(import.network, *import.rules).notes().empty());
        }
    }

    TEST_CASE("a kernel over time reads from a line with a neuron for each step of delay") {
        const NirDocument document =
            nir_for_norse(model_of("conv 4 kernel=3 dilation=2 name=a; readout mean", {2}));
        CHECK(any_contains(document.notes, "one spike or none"));
        const Network network = network_of(document);
        CHECK(network.populations()[network.index_of("a_line")].shape == saltus::Shape{10});  // 2 (4 + 1)
    }

    TEST_CASE("what norse does otherwise is refused by layer and field") {
        CHECK(contains(refusal("pool max kernel=1x2; readout mean", {2, 4}), "layer1', field 'pool"));
        CHECK(contains(refusal("pool sum kernel=1x2; conv 3 kernel=2x1 name=a; readout mean", {2, 4}),
                       "after pooling"));
        CHECK(contains(refusal("conv 3 kernel=3 stride=2; readout mean", {2}), "along time, found 2"));
        CHECK(contains(refusal("dense 3; readout last", {2}), "mean or count, found last"));
        CHECK(contains(refusal("dense 3; readout max", {2}), "mean or count, found max"));
        CHECK(contains(refusal("dense 3 name=a; dense 3 name=b from=a+input; readout mean", {2}), "'from'"));
        SurrogateModel model = model_of("conv 3 kernel=2; readout mean", {2});
        model.divisors = {1.0f, 2.0f};
        CHECK(contains(refusal(model), "amplitudes"));
        model.divisors.clear();
        const learning::SurrogateParameters at = learning::SurrogateNetwork(model.description).layers()[0].at;
        model.parameters[at.b + 1] = 0.0;
        CHECK(contains(refusal(model), "found 0 in channel 1"));
        model.parameters[at.b + 1] = 1.0;
        model.parameters[at.beta] = 1.0;
        CHECK(contains(refusal(model), "no input reaches"));
        const SurrogateModel slow = model_of("conv 1 kernel=2 dilation=1048576 padding=1048576", {1});
        CHECK(contains(message_of<LimitError>([&] { (void)nir_for_norse(slow); }), "2^20 channels"));
    }
}
