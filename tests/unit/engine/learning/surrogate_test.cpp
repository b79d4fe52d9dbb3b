// Properties of surrogate learning that no golden file tells; those that one tells are in
// tests/conformance/surrogate.
#include "saltus/engine/learning/surrogate.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/surrogate_text.hpp"
#include "saltus/engine/random.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::learning;
using saltus::test::contains;
using saltus::test::message_of;

namespace {

SurrogateNetwork network_of(const std::string& text, Shape input = {2, 6}, std::uint32_t steps = 9) {
    return SurrogateNetwork({steps, std::move(input), surrogate_layers(text, 3)});
}

std::vector<double> sample_of(const SurrogateNetwork& network, std::uint64_t seed) {
    SequentialRandom random(seed, 0, 0);
    std::vector<double> sample(network.input_size().steps * network.input_size().neurons());
    for (double& x : sample) x = 3.0 * random.normal();
    return sample;
}

SurrogateOptions in_double() {
    SurrogateOptions options;
    options.precision = SurrogateOptions::Precision::float64;
    return options;
}

SurrogateTrace trace_of(const SurrogateNetwork& network, const SurrogateOptions& options) {
    return surrogate_trace(network, network.initial(3), options, sample_of(network, 5), 1);
}

std::string refusal(const std::string& text) {
    return message_of<UsageError>([&] { (void)network_of(text); });
}

const std::string branches =
    "conv 4 kernel=3x3 name=a; conv 4 kernel=3x3 dilation=2x1 recurrent name=b; "
    "conv 4 kernel=3x1 groups=2 from=a+b join=add name=c; pool sum kernel=1x2; dense 5 no_lateral; readout "
    "max";

}  // namespace

TEST_SUITE("learning/surrogate") {
    TEST_CASE("gradients have the same bits for any number of threads") {
        const SurrogateNetwork network = network_of(branches);
        FrameLayout layout{9, {2, 6}, Duration(1'000'000'000'000), {"a", "b", "c"}};
        std::vector<float> values(13 * layout.values());
        SequentialRandom random(1, 0, 0);
        for (float& x : values) x = static_cast<float>(3.0 * random.normal());
        std::vector<std::uint32_t> labels(13);
        for (std::uint32_t i = 0; i < 13; ++i) labels[i] = i % 3;
        const auto frames = std::make_shared<StoredFrames>(layout, values, labels);
        const std::vector<std::uint64_t> batch{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
        std::vector<std::vector<double>> gradients;
        for (const unsigned threads : {1u, 2u, 4u}) {
            SurrogateRule rule(network, frames, {}, network.initial(3));
            auto& gradient = gradients.emplace_back(network.parameters(), 0.0);
            CHECK(rule.gradient(rule.initial(), batch, gradient, threads).samples == 13);
        }
        CHECK(gradients[0] == gradients[1]);
        CHECK(gradients[0] == gradients[2]);
    }

    TEST_CASE("recomputed potentials give the same gradient, also along branches and pools") {
        const SurrogateNetwork network = network_of(branches);
        SurrogateOptions options = in_double();
        const SurrogateTrace kept = trace_of(network, options);
        options.recompute = true;
        CHECK(trace_of(network, options).gradient == kept.gradient);
    }

    TEST_CASE("a sum over places that a dense layer weighs alike is that layer on all places") {
        const SurrogateNetwork pooled = network_of("pool sum kernel=1x6; readout mean", {1, 6});
        const SurrogateNetwork direct = network_of("readout mean", {1, 6});
        std::vector<double> few = pooled.initial(1);
        std::vector<double> many = direct.initial(1);
        for (std::size_t place = 0; place < 6; ++place) {
            for (std::size_t j = 0; j < 3; ++j) many[place * 3 + j] = few[j];
        }
        const std::vector<double> sample = sample_of(pooled, 2);
        const SurrogateTrace a = surrogate_trace(pooled, few, in_double(), sample, 0);
        const SurrogateTrace b = surrogate_trace(direct, many, in_double(), sample, 0);
        // out = mean h / (n + e) - b: h is the same, n 6 times as large.
        for (std::size_t j = 0; j < 3; ++j) {
            const double shift_a = a.output[j] + few[3 + j];
            const double shift_b = b.output[j] + many[18 + j];
            const double n = few[j] * few[j];
            CHECK(shift_a * (n + 1e-8) == doctest::Approx(shift_b * (6.0 * n + 1e-8)).epsilon(1e-12));
        }
    }

    TEST_CASE("errors that may not go back one step leave less of the gradient") {
        const SurrogateNetwork network = network_of("dense 6 recurrent; readout last");
        SurrogateOptions options = in_double();
        const SurrogateTrace whole = trace_of(network, options);
        options.truncate = 1;
        const SurrogateTrace cut = trace_of(network, options);
        CHECK(cut.output == whole.output);
        CHECK(cut.gradient != whole.gradient);
    }

    TEST_CASE("errors that only go on where the derivative is not 0 give the same gradient") {
        const std::vector<std::pair<std::string, Shape>> networks{
            {branches, {2, 6}},
            {"dense 70 recurrent; dense 20; readout mean", {2, 6}},
            {"conv 3 kernel=4 dilation=3; conv 5 kernel=3 padding=0 dilation=2 no_lateral; dense 4; readout "
             "last",
             {2}},
            {"conv 20 kernel=2x3 padding=2x1; conv 4 kernel=4x3 stride=1x2 dilation=2x1; readout max",
             {2, 6}},
            {"conv 4 kernel=3x2x3; conv 3 kernel=1x3x3 stride=1x2x1; conv 3 kernel=6x2x2 padding=0x1x1; "
             "readout mean",
             {2, 4, 5}}};
        for (const auto& [text, input] : networks) {
            CAPTURE(text);
            const SurrogateNetwork network = network_of(text, input, 12);
            for (const char* kind : {"triangle", "box"}) {
                SurrogateOptions options = in_double();
                options.function = surrogate_function(kind);
                options.function.slope = 2.0;
                const SurrogateTrace marked = trace_of(network, options);
                options.truncate = 1000;  // more than there are steps: the whole gradient, by dense products
                const SurrogateTrace dense = trace_of(network, options);
                REQUIRE(marked.gradient.size() == dense.gradient.size());
                double largest = 0.0;
                double difference = 0.0;
                for (std::size_t k = 0; k < dense.gradient.size(); ++k) {
                    largest = std::max(largest, std::abs(dense.gradient[k]));
                    difference = std::max(difference, std::abs(dense.gradient[k] - marked.gradient[k]));
                }
                CHECK(largest > 0.0);
                CHECK(difference <= 1e-13 * largest);
            }
        }
    }

    TEST_CASE("layers in words are read back as they were") {
        const auto layers = surrogate_layers(branches, 3);
        CHECK(text_of(surrogate_layers(text_of(layers), 3)) == text_of(layers));
        CHECK(layers[2].from == std::vector<std::string>{"a", "b"});
        CHECK(layers[1].dilation == SurrogateLayer::Axes{2, 1});
    }

    TEST_CASE("what is wrong with a layer is told") {
        CHECK(contains(refusal("conv 4 kernel=3"), "expected 2 numbers, time first, found 1"));
        CHECK(contains(refusal("conv 0 kernel=3x3"), "channels: expected at least 1"));
        CHECK(contains(refusal("conv 4 kernel=3x3 groups=3"), "groups: expected a divisor"));
        CHECK(contains(refusal("dense 4 kernal=3"), "Did you mean 'kernel'?"));
        CHECK(contains(refusal("conv 4 kernel=3x3 from=x"), "expected 'input' or a layer before it"));
        CHECK(contains(refusal("lstm 4"), "expected one of dense, conv, pool, readout"));
    }
}
