// Files of other tools: read, converted, run, converted back, written, read and run again.
#include <doctest/doctest.h>

#include "conversion.hpp"

namespace saltus::test {
namespace {

converters::NirImport read(const std::string& file) {
    NirReading reading;
    reading.convention = "nir";
    reading.recurrent_delay = parse_duration("1ms");
    return converters::network_from_nir(io::read_nir(nir_file(file)), reading);
}

constexpr double duration = 0.2;

bool has_result(const Outcome& outcome) {
    return !outcome.spikes.empty() ||
           std::any_of(outcome.final_potentials.begin(), outcome.final_potentials.end(),
                       [](double v) { return v != 0.0; });
}

TEST_SUITE("converters/nir_files") {
    TEST_CASE(
        "files of the package and of the paper come back as networks with the same spikes, bit for bit") {
        for (const std::string file :
             {"package/conv1d.nir", "package/cycle_with_delay.nir", "package/fixed_strings.nir",
              "package/grouped_conv.nir", "package/names.nir", "package/nested.nir",
              "package/nested_deep.nir", "package/nested_ordered.nir", "package/nonsquare_kernel.nir",
              "package/old_no_version.nir", "package/old_v0.2.0.nir", "package/scalar_params.nir",
              "package/self_loop.nir", "package/two_inputs_two_outputs.nir", "paper/lif_norse.nir",
              "paper/lif_rockpool.nir", "paper/two_lif_neurons.nir"}) {
            CAPTURE(file);
            const Network network = read(file).network;
            const auto drive = random_inputs(network, 300, duration);
            const std::vector<Outcome> expected = outcome(network, drive, duration);
            CHECK(std::any_of(expected.begin(), expected.end(), has_result));

            const NirDocument document = checked(converters::nir_from_network(network));
            CHECK(outcome(network_of(document), drive, duration) == expected);

            const TemporaryFolder folder;
            io::write_nir(document, folder / "again.nir");
            CHECK(outcome(network_of(io::read_nir(folder / "again.nir")), drive, duration) == expected);
        }
    }

    TEST_CASE(
        "a chain of all kinds of nodes is converted, and refused by name for the continuous signals it "
        "sends") {
        for (const std::string file : {"package/all_nodes.nir", "package/all_nodes_uncompressed.nir"}) {
            CAPTURE(file);
            const Network network = read(file).network;
            const Network again = there_and_back(network);
            for (const Network* n : {&network, &again}) {
                const std::string refused =
                    message_of<NetworkError>([&] { static_cast<void>(ExactSimulation(*n)); });
                CHECK(contains(refused, "sends a continuous signal"));
            }
        }
    }

    TEST_CASE("a single neuron without graph has nothing to run on, and is told so") {
        const converters::NirImport imported = read("package/single_node.nir");
        CHECK(any_contains(imported.notes, "can be reached by no input"));
        CHECK(there_and_back(imported.network).populations().size() == 1);
    }

    TEST_CASE("the paper's networks come back as the documents they were, loops and shared nodes included") {
        for (const std::string file : {"paper/cnn_sinabs.nir", "paper/braille_noDelay_bias_zero.nir"}) {
            CAPTURE(file);
            const NirDocument original = io::read_nir(nir_file(file));
            const Network network = converters::network_from_nir(original).network;
            check_same(original, checked(converters::nir_from_network(network)));
        }
    }
}

}  // namespace
}  // namespace saltus::test
