#include "conversion.hpp"

using namespace saltus;
using namespace saltus::test;

namespace {

NirReading by_norse() {
    NirReading reading;
    reading.clock = converters::Clock::stepped;
    reading.convention = "norse";
    reading.dt = duration_from_seconds(1e-3);
    return reading;
}

/// Two Affine nodes, one in a graph of its own, of which one is in float.
NirDocument nested() {
    const NirNode affine =
        node("Affine", {{"weight", NirArray::of(std::vector<double>{0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, {3, 2})},
                        {"bias", reals({0.7, 0.8, 0.9})}});
    const NirNode single =
        node("Affine", {{"weight", NirArray::of(std::vector<float>{1.5f, 2.5f, 3.5f}, {1, 3})},
                        {"bias", NirArray::of(std::vector<float>{4.5f}, {1})}});
    const NirNode inner =
        graph({{"i", input({3})}, {"fc", single}, {"lif", lif(filled(1.0, {1}))}, {"o", output({1})}},
              {{"i", "fc"}, {"fc", "lif"}, {"lif", "o"}});
    return chain({{"input", input({2})},
                  {"fc", affine},
                  {"lif", lif(filled(1.0, {3}))},
                  {"sub", inner},
                  {"output", output({1})}});
}

}  // namespace

TEST_SUITE("converters/trained weights") {
    TEST_CASE("a network that has not learnt gives its document back, which now says how it is read") {
        const NirDocument document = checked(nested());
        const converters::NirImport import = converters::network_from_nir(document, by_norse());
        NirDocument same = converters::with_weights(document, import.network, import.rules.value());
        CHECK(same.root.graph != document.root.graph);
        CHECK(*same.root.graph == *document.root.graph);
        NirReading in_steps;
        in_steps.clock = converters::Clock::stepped;
        const converters::NirImport again = converters::network_from_nir(same, in_steps);
        CHECK(again.rules == import.rules);
        const NirDocument twice = converters::with_weights(same, again.network, again.rules.value());
        CHECK(twice.root == same.root);
    }

    TEST_CASE(
        "weights and biases that have learnt stand in their nodes, in sub-graphs too, in the file's type") {
        const NirDocument document = checked(nested());
        const converters::NirImport import = converters::network_from_nir(document, by_norse());
        std::vector<Projection> projections(import.network.projections().begin(),
                                            import.network.projections().end());
        for (Projection& projection : projections) {
            for (Stage& stage : projection.stages) {
                auto* dense = std::get_if<Dense>(&stage);
                if (!dense) continue;
                std::vector<double> weights;
                for (std::size_t k = 0; k < dense->weights.size(); ++k) weights.push_back(-dense->weights[k]);
                dense->weights = Weights(weights);
                dense->bias = Weights(std::vector<double>(dense->bias.size(), 0.1));
            }
        }
        const auto populations = import.network.populations();
        const auto outputs = import.network.outputs();
        const Network learnt({populations.begin(), populations.end()}, projections,
                             {outputs.begin(), outputs.end()});
        const NirDocument trained = converters::with_weights(document, learnt, import.rules.value());
        const NirNode& outer = *trained.root.graph->find("fc");
        CHECK(*outer.array("weight") ==
              NirArray::of(std::vector<double>{-0.1, -0.2, -0.3, -0.4, -0.5, -0.6}, {3, 2}));
        CHECK(*outer.array("bias") == reals({0.1, 0.1, 0.1}));
        const NirNode& inner = *trained.root.graph->find("sub")->graph->find("fc");
        CHECK(*inner.array("weight") == NirArray::of(std::vector<float>{-1.5f, -2.5f, -3.5f}, {1, 3}));
        CHECK(*inner.array("bias") == NirArray::of(std::vector<float>{0.1f}, {1}));
        CHECK(document.root.graph->find("fc")->array("weight")->real(0) == 0.1);
        CHECK(document.root.graph->find("sub")->graph->find("fc")->array("weight")->real(0) == 1.5);
    }

    TEST_CASE("weights that no node has are refused with their name") {
        const converters::NirImport import = converters::network_from_nir(checked(nested()), by_norse());
        const NirDocument other = checked(chain({{"input", input({2})}, {"output", output({2})}}));
        CHECK(contains(message_of<NetworkError>([&] {
                           (void)converters::with_weights(other, import.network, import.rules.value());
                       }),
                       "fc"));
    }
}
