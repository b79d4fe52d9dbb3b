// Golden networks of README.md: spikes, losses, gradients and twelve steps of training; and the derivatives
// that other tools put in place of a spike's.
#include <doctest/doctest.h>
#include <hdf5.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "saltus/engine/learning/gradient_learner.hpp"
#include "saltus/engine/learning/surrogate.hpp"

using namespace saltus;
using namespace saltus::learning;

namespace {

const std::string folder = std::string(SALTUS_TEST_DATA) + "/conformance/surrogate/";

struct Array {
    std::vector<hsize_t> shape;
    std::vector<double> values;
};

/// One network of the file.
class Case {
  public:
    explicit Case(const std::string& name) {
        file_ = H5Fopen((folder + "surrogate.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
        REQUIRE(file_ >= 0);
        group_ = H5Gopen2(file_, name.c_str(), H5P_DEFAULT);
        REQUIRE(group_ >= 0);
    }
    ~Case() {
        H5Gclose(group_);
        H5Fclose(file_);
    }
    Case(const Case&) = delete;
    Case& operator=(const Case&) = delete;

    [[nodiscard]] Array read(const std::string& name) const {
        const hid_t data = H5Dopen2(group_, name.c_str(), H5P_DEFAULT);
        REQUIRE(data >= 0);
        const hid_t space = H5Dget_space(data);
        Array array;
        array.shape.resize(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
        H5Sget_simple_extent_dims(space, array.shape.data(), nullptr);
        array.values.resize(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
        REQUIRE(H5Dread(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values.data()) >= 0);
        H5Sclose(space);
        H5Dclose(data);
        return array;
    }
    [[nodiscard]] std::vector<double> numbers(const std::string& object, const char* name) const {
        if (H5Aexists_by_name(group_, object.c_str(), name, H5P_DEFAULT) <= 0) return {};
        const hid_t attribute = H5Aopen_by_name(group_, object.c_str(), name, H5P_DEFAULT, H5P_DEFAULT);
        const hid_t space = H5Aget_space(attribute);
        std::vector<double> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
        H5Aread(attribute, H5T_NATIVE_DOUBLE, values.data());
        H5Sclose(space);
        H5Aclose(attribute);
        return values;
    }
    [[nodiscard]] std::string text(const std::string& object, const char* name) const {
        const hid_t attribute = H5Aopen_by_name(group_, object.c_str(), name, H5P_DEFAULT, H5P_DEFAULT);
        REQUIRE(attribute >= 0);
        const hid_t type = H5Aget_type(attribute);
        char* value = nullptr;
        REQUIRE(H5Tis_variable_str(type) > 0);
        H5Aread(attribute, type, &value);
        std::string result = value;
        H5free_memory(value);
        H5Tclose(type);
        H5Aclose(attribute);
        return result;
    }

  private:
    hid_t file_ = -1;
    hid_t group_ = -1;
};

SurrogateLayer::Axes axes(const std::vector<double>& values) {
    SurrogateLayer::Axes result;
    for (const double x : values) result.push_back(static_cast<std::uint32_t>(x));
    return result;
}

std::string layer_name(std::size_t k) {
    return "layer_" + std::to_string(k);
}

/// The axis of steps of a sample, that of the channels and those of space; dense samples have no axis first.
SurrogateNetwork network_of(const Case& golden) {
    const bool dense = golden.text("layer_0", "kind") == "dense";
    const Array input = golden.read("input");
    SurrogateDescription description;
    description.steps = static_cast<std::uint32_t>(input.shape[dense ? 1 : 2]);
    description.input.push_back(static_cast<std::uint32_t>(input.shape[dense ? 2 : 1]));
    for (std::size_t a = 3; a < input.shape.size(); ++a)
        description.input.push_back(static_cast<std::uint32_t>(input.shape[a]));
    const auto layers = static_cast<std::size_t>(golden.numbers(".", "layers")[0]);
    for (std::size_t k = 0; k < layers; ++k) {
        const std::string name = layer_name(k);
        SurrogateLayer layer;
        layer.name = name;
        const std::string kind = golden.text(name, "kind");
        layer.kind = kind == "dense"     ? SurrogateLayer::Kind::dense
                     : kind == "readout" ? SurrogateLayer::Kind::readout
                                         : SurrogateLayer::Kind::convolution;
        layer.channels = static_cast<std::uint32_t>(golden.read(name + "/b").values.size());
        layer.lateral = golden.numbers(name, "lateral")[0] != 0.0;
        layer.recurrent = golden.numbers(name, "recurrent")[0] != 0.0;
        if (kind == "readout") {
            layer.reduction = golden.text(name, "reduction") == "mean" ? SurrogateLayer::Reduction::mean
                                                                       : SurrogateLayer::Reduction::max;
        }
        layer.kernel = axes(golden.numbers(name, "kernel"));
        layer.stride = axes(golden.numbers(name, "stride"));
        layer.dilation = axes(golden.numbers(name, "dilation"));
        description.layers.push_back(std::move(layer));
    }
    return SurrogateNetwork(std::move(description));
}

/// All parameters end to end; `prefix` and `separator` name those of the golden file.
std::vector<double> parameters_of(const Case& golden, const SurrogateNetwork& network,
                                  const std::string& before, const std::string& separator) {
    std::vector<double> values;
    for (const ParameterGroup& group : network.groups()) {
        const std::size_t slash = group.name.find('/');
        const std::string layer = group.name.substr(0, slash);
        const std::string name = group.name.substr(slash + 1);
        const Array array =
            golden.read(separator == "/" ? layer + "/" + before + name : before + layer + separator + name);
        REQUIRE(array.values.size() == group.size);
        values.insert(values.end(), array.values.begin(), array.values.end());
    }
    return values;
}

/// The largest difference, in units of the largest entry of `expected`.
double difference(std::span<const double> found, std::span<const double> expected) {
    REQUIRE(found.size() == expected.size());
    double largest = 0.0;
    double most = 0.0;
    for (std::size_t k = 0; k < found.size(); ++k) {
        largest = std::max(largest, std::abs(expected[k]));
        most = std::max(most, std::abs(found[k] - expected[k]));
    }
    return most / (largest > 0.0 ? largest : 1.0);
}

/// Sample `i` of an array (batch, steps, neurons) or (batch, channels, steps, space...), as [step][channel]
/// [space].
std::vector<double> sample_of(const Array& array, std::size_t i, bool steps_first) {
    const std::size_t size = array.values.size() / array.shape[0];
    const auto begin = array.values.begin() + static_cast<std::ptrdiff_t>(i * size);
    if (steps_first) return {begin, begin + static_cast<std::ptrdiff_t>(size)};
    const std::size_t channels = array.shape[1];
    const std::size_t steps = array.shape[2];
    const std::size_t places = size / channels / steps;
    std::vector<double> sample(size);
    for (std::size_t c = 0; c < channels; ++c) {
        for (std::size_t t = 0; t < steps; ++t) {
            for (std::size_t p = 0; p < places; ++p)
                sample[(t * channels + c) * places + p] =
                    array.values[i * size + (c * steps + t) * places + p];
        }
    }
    return sample;
}

std::vector<std::vector<double>> samples_of(const Array& array, bool steps_first) {
    std::vector<std::vector<double>> samples;
    for (std::size_t i = 0; i < array.shape[0]; ++i) samples.push_back(sample_of(array, i, steps_first));
    return samples;
}

SurrogateOptions options_of(SurrogateOptions::Precision precision = SurrogateOptions::Precision::float64) {
    SurrogateOptions options;
    options.function = surrogate_function("s2net");
    options.activity = 0.1;
    options.precision = precision;
    return options;
}

/// A rule on samples in double.
class GoldenRule final : public learning::Rule {
  public:
    GoldenRule(const SurrogateNetwork& network, std::vector<std::vector<double>> samples,
               std::vector<double> labels, std::vector<double> initial)
        : network_(network),
          samples_(std::move(samples)),
          labels_(std::move(labels)),
          initial_(std::move(initial)) {}

    [[nodiscard]] const std::vector<ParameterGroup>& groups() const override { return network_.groups(); }
    [[nodiscard]] std::vector<double> initial() const override { return initial_; }
    [[nodiscard]] std::uint64_t samples() const override { return samples_.size(); }
    Tally gradient(std::span<const double> parameters, std::span<const std::uint64_t> batch,
                   std::span<double> gradient, unsigned) override {
        Tally tally;
        for (const std::uint64_t i : batch) {
            const SurrogateTrace trace = surrogate_trace(network_, parameters, options_of(), samples_[i],
                                                         static_cast<std::uint32_t>(labels_[i]));
            tally += {1, 0, trace.loss};
            for (std::size_t k = 0; k < gradient.size(); ++k) gradient[k] += trace.gradient[k];
        }
        return tally;
    }
    [[nodiscard]] Tally measure(std::span<const double>, std::span<const std::uint64_t>, unsigned) override {
        return {};
    }

  private:
    const SurrogateNetwork& network_;
    std::vector<std::vector<double>> samples_;
    std::vector<double> labels_;
    std::vector<double> initial_;
};

const std::vector<std::string> names{
    "dense_lateral",      "dense_diagonal_reset",    "dense_recurrent",
    "dense_binary_input", "conv_time_dilated",       "conv_time_recurrent_stride",
    "conv2d_speech_like", "conv2d_stride_recurrent", "conv3d"};

/// Forward and backward over the batch against the file, in double.
void check_case(const std::string& name, const SurrogateOptions& options) {
    CAPTURE(name);
    const Case golden(name);
    const SurrogateNetwork network = network_of(golden);
    const bool dense = golden.text("layer_0", "kind") == "dense";
    const std::vector<double> parameters = parameters_of(golden, network, "", "/");
    const Array target = golden.read("target");
    const auto inputs = samples_of(golden.read("input"), dense);
    const auto input_gradients = samples_of(golden.read("grad_input"), dense);
    const Array output = golden.read("output");
    const auto batch = static_cast<double>(inputs.size());

    std::vector<double> gradient(network.parameters(), 0.0);
    std::vector<double> outputs;
    double loss = 0.0;
    double cross_entropy = 0.0;
    std::vector<SurrogateTrace> traces;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const SurrogateTrace& trace = traces.emplace_back(surrogate_trace(
            network, parameters, options, inputs[i], static_cast<std::uint32_t>(target.values[i])));
        for (std::size_t k = 0; k < gradient.size(); ++k) gradient[k] += trace.gradient[k] / batch;
        outputs.insert(outputs.end(), trace.output.begin(), trace.output.end());
        loss += trace.loss / batch;
        cross_entropy += trace.cross_entropy / batch;
        std::vector<double> by_input = trace.input_gradient;
        for (double& x : by_input) x /= batch;
        CHECK(difference(by_input, input_gradients[i]) < 1e-10);
    }
    CHECK(loss == doctest::Approx(golden.read("loss").values[0]).epsilon(1e-12));
    CHECK(cross_entropy == doctest::Approx(golden.read("cross_entropy").values[0]).epsilon(1e-12));
    CHECK(difference(outputs, output.values) < 1e-12);

    for (std::size_t l = 0; l < network.layers().size(); ++l) {
        if (!network.layers()[l].spikes()) continue;
        CAPTURE(l);
        const auto spikes = samples_of(golden.read(layer_name(l) + "/spikes"), dense);
        const auto excess = samples_of(golden.read(layer_name(l) + "/excess"), dense);
        double activity = 0.0;
        for (std::size_t i = 0; i < traces.size(); ++i) {
            const SurrogateTrace::Layer& layer = traces[i].layers[l];
            CHECK(std::equal(layer.spikes.begin(), layer.spikes.end(), spikes[i].begin(), spikes[i].end()));
            if (!options.recompute) CHECK(difference(layer.excess, excess[i]) < 1e-12);
            activity += layer.activity / batch;
        }
        CHECK(activity ==
              doctest::Approx(golden.read(layer_name(l) + "/activity_loss").values[0]).epsilon(1e-12));
    }
    std::size_t begin = 0;
    const std::vector<double> expected = parameters_of(golden, network, "grad_", "/");
    for (const ParameterGroup& group : network.groups()) {
        CAPTURE(group.name);
        CHECK(difference({gradient.data() + begin, group.size}, {expected.data() + begin, group.size}) <
              1e-10);
        begin += group.size;
    }
}

}  // namespace

TEST_SUITE("conformance/surrogate") {
    TEST_CASE("spikes, losses and gradients of the golden networks") {
        for (const std::string& name : names) check_case(name, options_of());
    }

    TEST_CASE("potentials that are computed again on the way back change nothing") {
        SurrogateOptions options = options_of();
        options.recompute = true;
        for (const std::string& name : names) check_case(name, options);
    }

    TEST_CASE("errors that may go back over all steps are not truncated") {
        SurrogateOptions options = options_of();
        options.truncate = 1000;
        check_case("dense_recurrent", options);
    }

    TEST_CASE("float32 differs by rounding") {
        for (const std::string& name : names) {
            CAPTURE(name);
            const Case golden(name);
            const SurrogateNetwork network = network_of(golden);
            const bool dense = golden.text("layer_0", "kind") == "dense";
            const auto inputs = samples_of(golden.read("input"), dense);
            const std::vector<double> parameters = parameters_of(golden, network, "", "/");
            std::vector<double> gradient(network.parameters(), 0.0);
            for (std::size_t i = 0; i < inputs.size(); ++i) {
                const SurrogateTrace trace =
                    surrogate_trace(network, parameters, options_of(SurrogateOptions::Precision::float32),
                                    inputs[i], static_cast<std::uint32_t>(golden.read("target").values[i]));
                for (std::size_t k = 0; k < gradient.size(); ++k)
                    gradient[k] += trace.gradient[k] / static_cast<double>(inputs.size());
            }
            CHECK(difference(gradient, parameters_of(golden, network, "grad_", "/")) < 1e-3);
        }
    }

    TEST_CASE("twelve steps of training follow the golden ones") {
        for (const std::string& name : names) {
            CAPTURE(name);
            const Case golden(name);
            const SurrogateNetwork network = network_of(golden);
            const bool dense = golden.text("layer_0", "kind") == "dense";
            const auto rule = std::make_shared<GoldenRule>(network, samples_of(golden.read("input"), dense),
                                                           golden.read("target").values,
                                                           parameters_of(golden, network, "", "/"));
            GradientLearnerOptions options;
            options.optimizer.kind = OptimizerOptions::Kind::radam;
            options.optimizer.weight_decay = golden.numbers("trajectory", "weight_decay_w_v")[0];
            options.optimizer.decoupled = true;
            options.learning_rate = golden.numbers("trajectory", "learning_rate")[0];
            options.largest_element = golden.numbers("trajectory", "gradient_clip")[0];
            GradientLearner learner(rule, options);
            std::vector<std::uint64_t> batch;
            for (std::uint64_t i = 0; i < rule->samples(); ++i) batch.push_back(i);
            for (const double expected : golden.read("trajectory/loss_before_step").values)
                CHECK(learner.learn(batch, 1.0, 1).mean_loss() == doctest::Approx(expected).epsilon(1e-8));
            CHECK(difference(learner.parameters(), parameters_of(golden, network, "trajectory/", "_")) <
                  1e-8);
        }
    }

    TEST_CASE("every tool's derivative is that of a preset") {
        const std::map<std::string, std::string> preset_of{
            {"norse super (alpha=100, default)", "norse"},
            {"norse super (alpha=10)", "norse.super"},
            {"norse triangle (alpha=0.3)", "norse.triangle"},
            {"norse tanh (k=1)", "norse.tanh"},
            {"norse heavi_erfc (k=1)", "norse.heavi_erfc"},
            {"norse circ (alpha=1)", "norse.circ"},
            {"snntorch atan (alpha=2, default)", "snntorch"},
            {"snntorch fast_sigmoid (slope=25)", "snntorch.fast_sigmoid"},
            {"snntorch sigmoid (slope=25)", "snntorch.sigmoid"},
            {"snntorch spike_rate_escape (beta=1, slope=25)", "snntorch.spike_rate_escape"},
            {"snntorch straight_through", "snntorch.straight_through"},
            {"snntorch triangular (threshold=1)", "snntorch.triangular"},
            {"spikingjelly Sigmoid (alpha=4, default of LIFNode)", "spikingjelly"},
            {"spikingjelly ATan (alpha=2)", "spikingjelly.atan"},
            {"spikingjelly SuperSpike (alpha=1)", "spikingjelly.super_spike"},
            {"spikingjelly SoftSign (alpha=2)", "spikingjelly.soft_sign"},
            {"spikingjelly PiecewiseQuadratic (alpha=1)", "spikingjelly.piecewise_quadratic"},
            {"spikingjelly PiecewiseExp (alpha=1)", "spikingjelly.piecewise_exp"},
            {"spikingjelly Erf (alpha=2)", "spikingjelly.erf"},
            {"sinabs SingleExponential (width 0.5, default), MultiSpike, threshold 1", "sinabs"},
            {"sinabs PeriodicExponential (width 0.5), MultiSpike, threshold 1",
             "sinabs.periodic_exponential"},
            {"sinabs Heaviside (window 1), MultiSpike, threshold 1", "sinabs.heaviside"},
            {"sinabs Gaussian (sigma 0.5), MultiSpike, threshold 1", "sinabs.gaussian"},
            {"sinabs MultiGaussian, MultiSpike, threshold 1", "sinabs.multi_gaussian"},
            {"sinabs SingleExponential (width 0.5), SingleSpike, threshold 1", "sinabs.single_exponential"},
            {"rockpool StepPWL (window 0.5, default), threshold 1", "rockpool"},
            {"rockpool PeriodicExponential (window 0.5), threshold 1", "rockpool.periodic_exponential"},
            {"s2net sigmoid derivative (sigma=10, not multiplied by sigma)", "s2net"},
            {"slayer (Lava DL) CUBA, tau_grad=1, scale_grad=1, threshold 1: tau_rho=100, scale_rho=0.1",
             "slayer"},
        };
        std::ifstream stream(folder + "tool_derivatives.json");
        const nlohmann::json golden = nlohmann::json::parse(stream);
        const auto x = golden["x"].get<std::vector<double>>();
        for (const auto& [tool, values] : golden["functions"].items()) {
            CAPTURE(tool);
            REQUIRE(preset_of.count(tool) == 1);
            const SurrogateFunction f = surrogate_function(preset_of.at(tool));
            const auto expected = values["derivative"].get<std::vector<double>>();
            for (std::size_t k = 0; k < x.size(); ++k) {
                CAPTURE(x[k]);
                // Tools compute in float: a few units in its last place, near 0 too.
                CHECK(f.derivative(x[k]) == doctest::Approx(expected[k]).epsilon(2e-6));
            }
        }
    }
}
