#include "saltus/converters/surrogate_delays.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "conversion.hpp"
#include "saltus/engine/learning/surrogate.hpp"
#include "saltus/engine/learning/surrogate_text.hpp"
#include "saltus/io/nir_json.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::converters;
using namespace saltus::test;

namespace {

constexpr Duration step{4'000'000'000'000};

/// Weights as they are at the start, leaks and thresholds over all of their range.
SurrogateModel random_model(const std::string& layers, const saltus::Shape& input, std::uint64_t seed,
                            std::uint32_t steps = 30) {
    SurrogateModel model;
    model.description.steps = steps;
    model.description.input = input;
    model.description.layers = learning::surrogate_layers(layers, 3);
    model.classes = {"a", "b", "c"};
    model.dt = step;
    const learning::SurrogateNetwork network(model.description);
    model.parameters = network.initial(seed);
    SequentialRandom random(seed, 1, 0);
    for (const auto& layer : network.layers()) {
        if (layer.at.beta != learning::SurrogateParameters::none)
            model.parameters[layer.at.beta] = 0.3 + 0.65 * random.uniform();
        if (layer.described.kind == learning::SurrogateLayer::Kind::pooling) continue;
        for (std::uint32_t o = 0; o < layer.out.channels; ++o)
            model.parameters[layer.at.b + o] = 0.1 + 0.4 * random.uniform();
    }
    return model;
}

/// A third of the inputs spikes in a step.
std::vector<InputSpikes> random_spikes(const SurrogateModel& model, std::uint64_t seed) {
    SequentialRandom random(seed, 2, 0);
    SpikeTrain spikes;
    for (std::uint32_t t = 0; t < model.description.steps; ++t) {
        for (NeuronIndex i = 0; i < element_count(model.description.input); ++i) {
            if (random.uniform() < 0.33) spikes.add(Time(Duration(t * model.dt.femtoseconds())), i);
        }
    }
    return {{"input", spikes}};
}

std::vector<double> trained_output(const SurrogateModel& model, const std::vector<InputSpikes>& inputs) {
    const auto n = static_cast<std::uint32_t>(element_count(model.description.input));
    const Raster raster = Raster::of(inputs[0].spikes, n, model.dt, model.description.steps, "input");
    learning::SurrogateOptions options;
    options.precision = learning::SurrogateOptions::Precision::float64;
    return learning::surrogate_trace(learning::SurrogateNetwork(model.description), model.parameters, options,
                                     raster.dense(), 0)
        .output;
}

struct Found {
    std::uint64_t edge = 0, lifted = 0, repeated = 0;
};

/// Both clocks have every spike of the trainer, of random networks of these layers.
Found check_random(const std::string& layers, const saltus::Shape& input) {
    Found found;
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
        const SurrogateModel model = random_model(layers, input, seed);
        const DelayCheck check = check_delays(model, delayed_network(model), random_spikes(model, seed));
        CHECK_FALSE(check.layers.empty());
        for (const DelayCheck::Layer& layer : check.layers) {
            CAPTURE(seed);
            CAPTURE(layer.name);
            CHECK(layer.spikes > 0);
            CHECK(layer.exact_differ == 0);
            CHECK(layer.stepped_differ == 0);
            found.edge += layer.edge;
            found.lifted += layer.lifted;
            found.repeated += layer.repeated;
        }
    }
    return found;
}

/// One dense layer of a leak of 0.7, with weights [input][neuron] and thresholds.
SurrogateModel dense(std::uint32_t inputs, const std::vector<double>& w, const std::vector<double>& b) {
    SurrogateModel model =
        random_model("dense " + std::to_string(b.size()) + " name=a; readout mean", {inputs}, 1);
    const learning::SurrogateNetwork network(model.description);
    const auto& at = network.layers()[0].at;
    std::copy(w.begin(), w.end(), model.parameters.begin() + static_cast<std::ptrdiff_t>(at.w));
    std::copy(b.begin(), b.end(), model.parameters.begin() + static_cast<std::ptrdiff_t>(at.b));
    model.parameters[at.beta] = 0.7;
    return model;
}

SpikeTrain at_steps(const std::vector<std::pair<int, NeuronIndex>>& spikes) {
    SpikeTrain train;
    for (const auto& [t, i] : spikes) train.add(Time(Duration(t * step.femtoseconds())), i);
    return train;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
    REQUIRE(a.size() == b.size());
    double largest = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
    return largest;
}

}  // namespace

TEST_SUITE("converters/surrogate_delays") {
    TEST_CASE("both clocks have every spike of a trained dense network") {
        const Found found =
            check_random("dense 12; dense 8 recurrent; dense 8 no_lateral; readout mean", {6});
        CHECK(found.edge == 0);
        CHECK(found.lifted > 0);
        CHECK(found.repeated > 0);
    }

    TEST_CASE("both clocks have every spike of convolutions over time") {
        const Found found =
            check_random("conv 5 kernel=4 dilation=2; conv 4 kernel=3 groups=1; readout mean", {4});
        CHECK(found.edge > 0);
        check_random("conv 6 kernel=5 groups=2 recurrent; dense 5; readout last", {4});
        check_random("conv 6 kernel=3 padding=5; readout count", {4});  // later than it need be
    }

    TEST_CASE("both clocks have every spike of convolutions over time and space") {
        check_random("conv 4 kernel=3x4 dilation=2x1; conv 3 kernel=2x2 dilation=1x3; readout max", {2, 7});
        check_random("conv 4 kernel=2x3 stride=1x2 groups=2 recurrent; dense 6; readout mean", {2, 7});
        check_random("conv 3 kernel=2x3x2; pool average kernel=1x2x2; conv 4 kernel=3x2x2; readout count",
                     {2, 5, 6});
        check_random("pool sum kernel=1x2; conv 4 kernel=2x4 no_lateral; readout mean", {2, 9});
    }

    TEST_CASE("ways of different lateness are delayed until they join") {
        check_random(
            "conv 4 kernel=3 name=a; conv 4 kernel=3 dilation=4 name=b; conv 3 kernel=2 from=a+b+input; "
            "readout mean",
            {4});
        check_random(
            "conv 4 kernel=3x3 name=a; conv 4 kernel=5x3 name=b; dense 6 from=a+b join=add; readout mean",
            {2, 6});
    }

    TEST_CASE("a tap becomes the delay that is left of the kernel, and layers add up") {
        const SurrogateModel model =
            random_model("conv 2 kernel=4 dilation=3 name=a; conv 2 kernel=4 name=b; readout mean", {2}, 1);
        const DelayedNetwork delayed = delayed_network(model);
        std::vector<std::int64_t> delays;
        for (const Projection& projection : delayed.network.projections()) {
            if (projection.source != 0) continue;
            CHECK(projection.min_delay() == projection.max_delay());
            delays.push_back(projection.min_delay().femtoseconds() / step.femtoseconds());
        }
        // (K - 1 - k) d, the first tap first
        CHECK(delays == std::vector<std::int64_t>{9, 6, 3, 0});
        REQUIRE(delayed.layers.size() == 3);
        CHECK(delayed.layers[0].shift == Duration(4 * step.femtoseconds()));  // (K - 1) d - p, p = 5
        CHECK(delayed.layers[1].shift == Duration(5 * step.femtoseconds()));
        CHECK(delayed.layers[2].shift == delayed.layers[1].shift);
    }

    TEST_CASE("a spike that lifts another neuron does so one step later on every clock") {
        // n = 1.04, 1.81; G = -0.82. Neuron 0 fires at step 1; neuron 1, at -0.111 then, is lifted to
        // 0.7 (-0.111 + 0.82) = 0.496 > 0.362 at step 2. A test at the spike would find 0.709 at step 1.
        const SurrogateModel model = dense(2, {1.0, -1.0, 0.2, 0.9}, {0.2, 0.2});
        const DelayedNetwork delayed = delayed_network(model);
        CHECK(delayed.layers[0].pairs == 2);
        CHECK(delayed.layers[0].lifting == 2);
        CHECK(any_contains(delayed.notes, "2 of 2 lateral connections lift"));
        const std::vector<InputSpikes> inputs{{"input", at_steps({{0, 1}, {1, 0}})}};
        const DelayCheck check = check_delays(model, delayed, inputs);
        CHECK(check.layers[0].exact_differ == 0);
        CHECK(check.layers[0].stepped_differ == 0);
        CHECK(check.layers[0].lifted >= 1);
        const SpikeTrain spikes = run(delayed.network, inputs, 0.1).spikes[delayed.network.index_of("a")];
        REQUIRE(spikes.size() >= 2);
        CHECK(spikes.times[0] == Time(step));
        CHECK(spikes.neurons[0] == 0);
        CHECK(spikes.times[1] == Time(step + step));
        CHECK(spikes.neurons[1] == 1);
    }

    TEST_CASE("a neuron far above its threshold fires again step by step and not tick by tick") {
        // n = 0.0025; u = 0.015, 0.7 (0.015 - n) = 0.00875, 0.004375, 0.0013125 < n
        const SurrogateModel model = dense(1, {0.05}, {1.0});
        const DelayedNetwork delayed = delayed_network(model);
        const std::vector<InputSpikes> inputs{{"input", at_steps({{3, 0}})}};
        const DelayCheck check = check_delays(model, delayed, inputs);
        CHECK(check.layers[0].exact_differ == 0);
        CHECK(check.layers[0].stepped_differ == 0);
        CHECK(check.layers[0].repeated == 2);
        CHECK(run(delayed.network, inputs, 0.1).spikes[delayed.network.index_of("a")] ==
              at_steps({{3, 0}, {4, 0}, {5, 0}}));
    }

    TEST_CASE("a layer of leak 0 has no memory, and none of its spikes resets anything") {
        SurrogateModel model = random_model("dense 6 name=a; readout mean", {4}, 3);
        model.parameters[learning::SurrogateNetwork(model.description).layers()[0].at.beta] = 0.0;
        const DelayedNetwork delayed = delayed_network(model);
        CHECK(neurons::model_name(delayed.network.populations()[1].model) == "Threshold");
        const DelayCheck check = check_delays(model, delayed, random_spikes(model, 3));
        CHECK(check.layers[0].spikes > 0);
        CHECK(check.layers[0].exact_differ == 0);
        CHECK(check.layers[0].stepped_differ == 0);
    }

    TEST_CASE("the readout's potential is the trainer's output") {
        // Padded before the first step only as far as the kernel reaches: nothing is shifted or cut.
        const std::string body = "conv 5 kernel=3 padding=2; dense 6; ";
        constexpr double rounding = 1e-13;
        for (std::uint64_t seed = 0; seed < 4; ++seed) {
            for (const std::string reduction : {"mean", "last", "max"}) {
                CAPTURE(reduction);
                const SurrogateModel model = random_model(body + "readout " + reduction, {4}, seed);
                const std::vector<InputSpikes> inputs = random_spikes(model, seed);
                const DelayedNetwork delayed = delayed_network(model);
                SimulationOptions options;
                for (std::int64_t t = 0; t < 32; ++t)
                    options.potential_times.emplace_back(Duration(t * step.femtoseconds()));
                options.duration = options.potential_times.back().since_start();
                options.recorded = {"readout"};
                const std::vector<double> V = simulate(delayed.network, inputs, options).potentials[0].values;
                REQUIRE(V.size() == 32 * 3);
                std::vector<double> output(V.end() - 3, V.end());
                for (std::size_t k = 0; reduction == "max" && k < V.size(); ++k)
                    output[k % 3] = std::max(output[k % 3], V[k]);
                CHECK(largest_difference(output, trained_output(model, inputs)) < rounding);
            }
        }
    }

    TEST_CASE("what divides the input is part of the network") {
        SurrogateModel model = random_model("conv 6 kernel=2; readout mean", {3}, 5);
        model.divisors = {0.5f, 1.0f, 0.7f};
        CHECK(any_contains(delayed_network(model).notes, "the exact clock takes spikes"));
        const DelayCheck check = check_delays(model, delayed_network(model), random_spikes(model, 5));
        CHECK(check.layers[0].spikes > 0);
        CHECK(check.layers[0].exact_differ == 0);
        CHECK(check.layers[0].stepped_differ == 0);
    }

    TEST_CASE("a file says convention and step, and is read back with the same spikes by both clocks") {
        const TemporaryFolder folder;
        const SurrogateModel model = random_model(
            "conv 4 kernel=3x4 dilation=2x1; conv 3 kernel=2x2 stride=1x2; dense 5; readout mean", {2, 7}, 2);
        const DelayedNetwork delayed = delayed_network(model);
        io::write_nir(checked(nir_with_delays(delayed)), folder / "a.nir");
        io::write_nir_json(nir_with_delays(delayed), folder / "a.nir.json");
        const std::vector<InputSpikes> inputs = random_spikes(model, 2);
        const SimulationResult expected = run(delayed.network, inputs, 0.196);
        CHECK(expected.neuron_spikes > 0);
        for (const NirDocument& document :
             {io::read_nir(folder / "a.nir"), io::read_nir_json(folder / "a.nir.json")}) {
            const NirImport import = network_from_nir(document);
            CHECK(any_contains(import.notes, "s2net"));
            CHECK(fingerprint(run(import.network, inputs, 0.196)) == fingerprint(expected));
            NirReading steps;
            steps.clock = Clock::stepped;
            const NirImport stepped = network_from_nir(document, steps);
            CHECK(stepped.rules.value().dt == step);
            SteppedOptions options;
            options.steps = 50;
            const SteppedSample sample = sample_of(stepped.network, inputs, step, 50);
            auto records = SteppedSimulation(stepped.network, *stepped.rules).run({sample}, options);
            const SimulationResult result =
                result_of(std::move(records[0]), stepped.network, sample, step, 50);
            for (const Population& population : stepped.network.populations()) {
                if (!neurons::is_spiking(population.model) || population.is_input()) continue;
                const auto q = stepped.network.index_of(population.name);
                CHECK(result.spikes[q] == expected.spikes[delayed.network.index_of(population.name)]);
            }
        }
    }

    TEST_CASE("what no delay can stand for is refused by layer and field") {
        const auto refused = [](const SurrogateModel& model) {
            return message_of<NetworkError>([&] { (void)delayed_network(model); });
        };
        const std::string pooled = refused(random_model("pool max kernel=1x2; readout mean", {2, 4}, 1));
        CHECK(contains(pooled, "layer1"));
        CHECK(contains(pooled, "sum or average, found max"));
        CHECK(contains(refused(random_model("conv 3 kernel=3 stride=2; readout mean", {2}, 1)),
                       "expected 1 along time, found 2"));
        SurrogateModel deaf = random_model("dense 3; readout mean", {2}, 1);
        deaf.parameters[learning::SurrogateNetwork(deaf.description).layers()[0].at.beta] = 1.0;
        CHECK(contains(refused(deaf), "no input reaches"));
        SurrogateModel slow = random_model("conv 3 kernel=3 dilation=9; readout mean", {2}, 1);
        slow.dt = Duration(std::int64_t{1} << 62);
        CHECK(contains(message_of<LimitError>([&] { (void)delayed_network(slow); }), "beyond the range"));
    }

    TEST_CASE("spikes that are not within the sample are refused") {
        const SurrogateModel model = random_model("dense 3; readout mean", {2}, 1);
        const DelayedNetwork delayed = delayed_network(model);
        const auto refused = [&](const std::string& name, int t, NeuronIndex i) {
            return message_of<InputError>([&] {
                (void)check_delays(model, delayed, {{name, at_steps({{t, i}})}});
            });
        };
        CHECK(contains(refused("input", 30, 0), "30 steps"));
        CHECK(contains(refused("input", -1, 0), "input"));
        CHECK(contains(refused("input", 0, 2), "input"));
        CHECK(contains(refused("other", 0, 0), "the only input"));
    }
}
