// Every tool's convention against a plain loop over steps and neurons, written from the tool's code: random
// chains of two layers, with sizes, parameters, steps and amplitudes drawn within what the tool takes.
// Weights and inputs lie on a binary grid, so that sums do not depend on their order; then every spike and
// every bit of the potentials must be the same.
#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <random>

#include "conversion.hpp"
#include "saltus/engine/stepped.hpp"

namespace saltus::test {
namespace {

using Values = std::vector<double>;

/// What a file says of one neuron.
struct Neuron {
    std::string type;
    double tau = 0.01;  // tau, tau_mem
    double tau_syn = 0.005;
    double r = 1.0;
    double w_in = 1.0;
    double v_leak = 0.0;
    double v_threshold = 1.0;
    double v_reset = 0.0;
};

struct Layer {
    std::size_t inputs = 0;
    std::vector<Neuron> neurons;
    Values weights;  // [out][in]
    Values bias;     // empty: none

    [[nodiscard]] const std::string& type() const { return neurons.front().type; }
    [[nodiscard]] std::size_t size() const { return neurons.size(); }
};

template <class T>
struct State {
    T v{};
    T i{};
    T last{};  // the last spike, or the time to wait
};

template <class T>
bool is_one(T g) {
    return std::abs(static_cast<double>(g) - 1.0) <= 1e-8 + 1e-5;
}

/// One step of one neuron: takes x, changes the state, returns what is sent. `layer` for what a tool takes
/// from all neurons together.
using Loop = float (*)(const Neuron&, const Layer&, double dt, State<float>&, float x);

template <class F>
float smallest(const Layer& layer, F&& f) {
    float least = f(layer.neurons.front());
    for (const Neuron& n : layer.neurons) least = std::min(least, f(n));
    return least;
}

/// norse 1.1.0: forward Euler with 1/tau rounded first; r, v_reset of LIF and IF dropped; CubaLIF's current
/// relaxes to v_leak.
float norse(const Neuron& p, const Layer& /*layer*/, double dt, State<float>& s, float x) {
    const auto leak = static_cast<float>(p.v_leak);
    const auto rate = [&](double tau) { return static_cast<float>(dt) * (1.0F / static_cast<float>(tau)); };
    if (p.type == "CubaLIF") {
        s.i = s.i + rate(p.tau_syn) * ((leak - s.i) + static_cast<float>(p.w_in) * x);
        x = static_cast<float>(p.r) * s.i;
    }
    s.v = p.type == "IF" ? s.v + x : s.v + rate(p.tau) * ((x + leak) - s.v);
    const float z = s.v - static_cast<float>(p.v_threshold) > 0.0F ? 1.0F : 0.0F;
    s.v = (1.0F - z) * s.v;
    return z;
}

/// snntorch 1.0.0 as its importer sets it up: the threshold is divided by what would scale the input.
float snntorch(const Neuron& p, const Layer& layer, double dt, State<float>& s, float x) {
    const auto step = static_cast<float>(dt);
    auto theta = static_cast<float>(p.v_threshold);
    if (p.type == "IF") {
        const float before = s.v - theta > 0.0F ? 1.0F : 0.0F;
        s.v = (0.9F * s.v + x) - before * theta;
        const float z = s.v - theta > 0.0F ? 1.0F : 0.0F;
        s.v = s.v - (z - before) * theta;
        return z;
    }
    const bool cuba = p.type == "CubaLIF";
    const float g = smallest(layer, [&](const Neuron& n) {
        return cuba ? static_cast<float>(n.w_in) * (step / static_cast<float>(n.tau_syn))
                    : static_cast<float>(n.r) * step / static_cast<float>(n.tau);
    });
    if (!is_one(g)) theta /= g;
    if (cuba) x = s.i = (1.0F - step / static_cast<float>(p.tau_syn)) * s.i + x;
    s.v = (1.0F - step / static_cast<float>(p.tau)) * s.v + x;
    const float z = s.v - theta > 0.0F ? 1.0F : 0.0F;
    s.v = s.v - z * s.v;
    return z;
}

/// Leaky and Synaptic of snntorch as they are trained: the threshold is subtracted in the step after a spike.
float snntorch_native(const Neuron& p, const Layer& /*layer*/, double dt, State<float>& s, float x) {
    const auto step = static_cast<float>(dt);
    const auto theta = static_cast<float>(p.v_threshold);
    const float before = s.v - theta > 0.0F ? 1.0F : 0.0F;
    if (p.type == "CubaLIF") x = s.i = (1.0F - step / static_cast<float>(p.tau_syn)) * s.i + x;
    s.v = (1.0F - step / static_cast<float>(p.tau)) * s.v + x - before * theta;
    return s.v - theta > 0.0F ? 1.0F : 0.0F;
}

/// sinabs 2.0.3: tau in steps, several spikes a step; IF has a lower bound.
float sinabs(const Neuron& p, const Layer& /*layer*/, double /*dt*/, State<float>& s, float x) {
    const auto theta = static_cast<float>(p.v_threshold);
    s.v = p.type == "IF" ? s.v + x : static_cast<float>(std::exp(-1.0 / p.tau)) * s.v + x;
    const float k = s.v > 0.0F ? std::trunc(s.v / theta) : 0.0F;
    s.v = s.v - k * theta;
    if (p.type == "IF") s.v = std::max(s.v + theta, 0.0F) - theta;
    return k;
}

/// Its layers with norm_input.
float sinabs_norm(const Neuron& p, const Layer& layer, double dt, State<float>& s, float x) {
    return sinabs(p, layer, dt, s, x * static_cast<float>(-std::expm1(-1.0 / p.tau)));
}

/// spikingjelly 2.0.0: factors are computed in double, V >= threshold.
float spikingjelly(const Neuron& p, const Layer& /*layer*/, double dt, State<float>& s, float x) {
    const auto kept = [&](double tau) { return static_cast<float>(1.0 - dt / tau); };
    const auto steps = static_cast<float>(p.tau / dt);
    const auto reset = static_cast<float>(p.v_reset);
    if (p.type == "IF") {
        s.v = s.v + x;
    } else if (p.type == "CubaLIF") {
        s.i = s.i * kept(p.tau_syn) + x;
        s.v = s.v * kept(p.tau) + s.i;
    } else if (p.r == 1.0) {
        s.v = s.v + (x - (s.v - reset)) / steps;
    } else {
        s.v = s.v - (s.v - reset) / steps + x;
    }
    const float z = s.v >= static_cast<float>(p.v_threshold) ? 1.0F : 0.0F;
    s.v = (1.0F - z) * s.v + z * reset;
    return z;
}

/// rockpool 3.1.0: the input is added to the current, both decay, then the current to V; v_leak is a bias.
float rockpool_with(double dt, const Neuron& p, State<float>& s, float x) {
    const auto theta = static_cast<float>(p.v_threshold);
    s.i = s.i + x;
    s.v = s.v * static_cast<float>(std::exp(-dt / p.tau));
    s.i = s.i * static_cast<float>(std::exp(-dt / p.tau_syn));
    s.v = s.v + s.i + static_cast<float>(p.v_leak);
    const float k = s.v >= theta ? std::floor(s.v / theta) : 0.0F;
    s.v = s.v - k * theta;
    return k;
}
float rockpool(const Neuron& p, const Layer& layer, double /*dt*/, State<float>& s, float x) {
    double dt = INFINITY;
    for (const Neuron& n : layer.neurons) dt = std::min(dt, n.tau / (1.0 + n.r));
    return rockpool_with(dt, p, s, x);
}
float rockpool_native(const Neuron& p, const Layer& /*layer*/, double dt, State<float>& s, float x) {
    return rockpool_with(dt, p, s, x);
}

/// lava-dl 0.6.0 by the script in NIR's documentation: integers of 2^-12, both decays rounded to 12 bits.
float lava_dl(const Neuron& p, const Layer& /*layer*/, double dt, State<float>& s, float x) {
    const auto decayed = [&](float state, double tau) {
        const auto factor = static_cast<std::int64_t>(4096.0 - std::round(4096.0 * dt / tau));
        return static_cast<float>(static_cast<std::int64_t>(state) * factor / 4096);
    };
    s.i = decayed(s.i, p.tau_syn) + std::trunc(4096.0F * x);
    s.v = decayed(s.v, p.tau) + s.i;
    const double theta = std::trunc(64.0 * p.v_threshold) / 64.0 + 0.01 / 4096.0;
    s.last = s.v / 4096.0F;  // what is recorded is V before the reset
    const bool z = s.v >= static_cast<float>(theta) * 4096.0F;
    if (z) s.v = 0.0F;
    return z ? 1.0F : 0.0F;
}

/// nengo 4.1.0 by the script of the NIR paper, in double, V in thresholds.
double nengo(const Neuron& p, double dt, State<double>& s, double x) {
    if (p.type == "IF") {
        s.v = s.v + x * (1.0 / p.v_threshold);
        if (!(s.v > 1.0)) return 0.0;
        s.v = 0.0;
        return 1.0;
    }
    double J = x * (1.0 / p.v_threshold);
    double height = 1.0 / dt;
    if (p.type == "CubaLIF") {
        J = p.w_in * p.r / p.v_threshold * s.i;
        s.i = (1.0 - dt / p.tau_syn) * s.i + dt / p.tau_syn * x;
        height = 1.0;
    }
    s.last = s.last - dt;
    const double part = std::min(std::max(dt - s.last, 0.0), dt);
    s.v = s.v - (J - s.v) * std::expm1(-part / p.tau);
    if (s.v > 1.0) {
        s.last = dt + p.tau * std::log1p(-(s.v - 1.0) / (J - 1.0));
        s.v = 0.0;
        return height;
    }
    s.v = std::max(s.v, 0.0);
    return 0.0;
}

struct Tool {
    std::string convention;
    std::vector<std::string> types;
    bool counts_seconds = true;     // else tau is in steps
    bool one_value_a_layer = true;  // of all parameters but the threshold
    bool one_threshold_a_layer = true;
    Loop loop = nullptr;  // null: nengo
};

const std::vector<Tool>& tools() {
    static const std::vector<Tool> all{
        {"norse", {"IF", "LIF", "CubaLIF"}, true, false, false, norse},
        {"snntorch", {"LIF", "CubaLIF"}, true, false, true, snntorch},
        {"snntorch-native", {"LIF", "CubaLIF"}, true, false, true, snntorch_native},
        {"sinabs", {"IF", "LIF"}, false, false, false, sinabs},
        {"sinabs-norm", {"LIF"}, false, false, false, sinabs_norm},
        {"spikingjelly", {"IF", "LIF", "CubaLIF"}, true, true, true, spikingjelly},
        {"rockpool", {"CubaLIF"}, true, false, false, rockpool},
        {"rockpool-native", {"CubaLIF"}, true, false, false, rockpool_native},
        {"lava-dl", {"CubaLIF"}, true, true, true, lava_dl},
        {"nengo", {"IF", "LIF", "CubaLIF"}, true, true, false, nullptr},
    };
    return all;
}

class Draw {
  public:
    explicit Draw(unsigned seed) : random_(seed) {}
    std::size_t below(std::size_t n) { return random_() % n; }
    double of(const Values& values) { return values[below(values.size())]; }
    const std::string& of(const std::vector<std::string>& values) { return values[below(values.size())]; }
    /// Between low and high, as a float.
    double between(double low, double high) {
        return static_cast<float>(low + (high - low) * static_cast<double>(random_()) / 4294967296.0);
    }

  private:
    std::mt19937 random_;
};

Neuron neuron_of(const Tool& tool, const std::string& type, double dt, bool divides, Draw& draw) {
    Neuron n{.type = type};
    const double unit = tool.counts_seconds ? dt : 1.0;
    n.tau = static_cast<float>(unit * draw.between(3.0, 25.0));
    n.tau_syn = static_cast<float>(unit * draw.between(2.0, 10.0));
    n.v_threshold = draw.between(0.4, 1.5);
    const std::string& name = tool.convention;
    if (name == "norse") {
        n.r = draw.between(0.5, 3.0);
        n.w_in = draw.between(1.0, 6.0);
        n.v_leak = draw.between(-0.3, 0.3);
        n.v_reset = draw.between(-0.3, 0.3);
    } else if (name == "snntorch" || name == "lava-dl") {
        n.r = type == "LIF" ? draw.between(0.5, 3.0) * 10.0 : n.tau / dt;
        n.w_in = name == "lava-dl" ? n.tau_syn / dt : draw.between(1.0, 12.0);
    } else if (name == "snntorch-native") {
        n.r = n.tau / dt;
        n.w_in = n.tau_syn / dt;
    } else if (name == "spikingjelly") {
        n.v_reset = draw.between(-0.25, 0.25);
        n.v_leak = type == "LIF" ? n.v_reset : 0.0;
        n.r = type == "IF" ? 1.0 / dt : type == "CubaLIF" || divides ? n.tau / dt : 1.0;
        n.w_in = n.tau_syn / dt;
    } else if (name == "rockpool" || name == "rockpool-native") {
        n.r = n.tau / dt - 1.0;
        n.v_leak = draw.between(-0.05, 0.05);
    } else if (name == "nengo" && type == "CubaLIF") {
        n.r = draw.between(2.0, 6.0);
        n.w_in = draw.between(0.5, 2.0);
    }
    return n;
}

Layer layer_of(const Tool& tool, std::size_t inputs, double dt, Draw& draw) {
    Layer layer;
    layer.inputs = inputs;
    const std::size_t n = 1 + draw.below(70);  // blocks of 64 are computed together
    const std::string& type = draw.of(tool.types);
    const bool divides = draw.below(2) == 0;
    for (std::size_t i = 0; i < n; ++i) {
        Neuron p = neuron_of(tool, type, dt, divides, draw);
        if (i > 0 && tool.one_threshold_a_layer) p.v_threshold = layer.neurons[0].v_threshold;
        if (i > 0 && tool.convention == "snntorch") {  // both scale the threshold of CubaLIF
            p.tau_syn = layer.neurons[0].tau_syn;
            p.w_in = layer.neurons[0].w_in;
        }
        if (i > 0 && tool.one_value_a_layer) {
            const double own = p.v_threshold;
            p = layer.neurons[0];
            p.v_threshold = own;
        }
        layer.neurons.push_back(p);
    }
    const double gain = type == "LIF" && (tool.convention == "norse" || tool.convention == "nengo" ||
                                          tool.convention == "sinabs-norm")
                            ? 4.0
                            : 1.0;
    for (std::size_t k = 0; k < n * inputs; ++k)
        layer.weights.push_back(gain * (static_cast<double>(draw.below(17)) - 6.0) / 16.0);
    const bool has_no_linear = tool.convention.rfind("sinabs", 0) == 0;
    if (has_no_linear || (tool.convention != "lava-dl" && draw.below(2) == 0)) {
        for (std::size_t k = 0; k < n; ++k)
            layer.bias.push_back((static_cast<double>(draw.below(9)) - 3.0) / 32.0);
    }
    return layer;
}

NirNode node_of(const Layer& layer) {
    const auto field = [&](double Neuron::*member) {
        Values values;
        for (const Neuron& n : layer.neurons) values.push_back(n.*member);
        return reals(values);
    };
    NirNode made = node(layer.type(), {{"r", field(&Neuron::r)},
                                       {"v_threshold", field(&Neuron::v_threshold)},
                                       {"v_reset", field(&Neuron::v_reset)}});
    auto& entries = made.fields.entries;
    if (layer.type() != "IF") entries.emplace_back("v_leak", field(&Neuron::v_leak));
    if (layer.type() == "LIF") entries.emplace_back("tau", field(&Neuron::tau));
    if (layer.type() == "CubaLIF") {
        entries.emplace_back("tau_mem", field(&Neuron::tau));
        entries.emplace_back("tau_syn", field(&Neuron::tau_syn));
        entries.emplace_back("w_in", field(&Neuron::w_in));
    }
    return made;
}

NirDocument document_of(const std::vector<Layer>& layers) {
    Nodes nodes{{"input", input({static_cast<std::int64_t>(layers.front().inputs)})}};
    for (std::size_t k = 0; k < layers.size(); ++k) {
        const Layer& layer = layers[k];
        const Shape shape{layer.size(), layer.inputs};
        const std::string number = std::to_string(k);
        nodes.emplace_back("w" + number, layer.bias.empty() ? matrix(shape, layer.weights)
                                                            : affine(shape, layer.weights, layer.bias));
        nodes.emplace_back("n" + number, node_of(layer));
    }
    nodes.emplace_back("output", output({static_cast<std::int64_t>(layers.back().size())}));
    return chain(nodes);
}

/// What one layer sends and where its potentials are after each step, [step][neuron].
struct Trace {
    Values sent;
    Values v;
};

Trace plain_loop(const Tool& tool, const Layer& layer, double dt, const Values& signal, std::size_t steps) {
    const bool starts_at_leak = tool.convention == "norse" && layer.type() != "IF";
    const bool starts_at_reset = tool.convention == "spikingjelly";
    std::vector<State<float>> states(layer.size());
    std::vector<State<double>> doubles(layer.size());
    for (std::size_t j = 0; j < layer.size(); ++j) {
        const Neuron& p = layer.neurons[j];
        if (starts_at_leak) states[j].v = states[j].i = static_cast<float>(p.v_leak);
        if (starts_at_reset) states[j].v = static_cast<float>(p.v_reset);
    }
    Trace trace;
    for (std::size_t t = 0; t < steps; ++t) {
        for (std::size_t j = 0; j < layer.size(); ++j) {
            const Neuron& p = layer.neurons[j];
            double x = layer.bias.empty() ? 0.0 : layer.bias[j];
            for (std::size_t k = 0; k < layer.inputs; ++k)
                x += layer.weights[j * layer.inputs + k] * signal[t * layer.inputs + k];
            if (tool.loop == nullptr) {
                trace.sent.push_back(nengo(p, dt, doubles[j], x));
                trace.v.push_back(doubles[j].v);
            } else {
                trace.sent.push_back(
                    static_cast<double>(tool.loop(p, layer, dt, states[j], static_cast<float>(x))));
                trace.v.push_back(
                    static_cast<double>(tool.convention == "lava-dl" ? states[j].last : states[j].v));
            }
        }
    }
    return trace;
}

TEST_SUITE("converters/tool_loops") {
    TEST_CASE("each tool's rule is the plain loop over its formulas, on random layers") {
        std::map<std::string, std::size_t> spikes;
        for (unsigned seed = 0; seed < 400; ++seed) {
            Draw draw(seed);
            const Tool& tool = tools()[seed % tools().size()];
            CAPTURE(seed);
            CAPTURE(tool.convention);
            const double dt = tool.counts_seconds ? draw.of(Values{1e-4, 2e-4, 5e-4, 1e-3, 1.3e-3}) : 1e-3;
            std::vector<Layer> layers;
            layers.push_back(layer_of(tool, 1 + draw.below(12), dt, draw));
            layers.push_back(layer_of(tool, layers[0].size(), dt, draw));
            const std::size_t steps = 20 + draw.below(80);
            Values signal(steps * layers[0].inputs);
            for (double& x : signal)
                x = draw.below(3) == 0 ? static_cast<double>(1 + draw.below(8)) / 4.0 : 0.0;

            NirReading reading;
            reading.clock = converters::Clock::stepped;
            reading.convention = tool.convention;
            if (tool.counts_seconds) reading.dt = duration_from_seconds(dt);
            const auto import = import_of(document_of(layers), reading);
            SteppedOptions options;
            options.steps = static_cast<std::uint32_t>(steps);
            options.record_potentials = true;
            const SteppedSample sample{
                {{"input", Raster::of(signal, static_cast<std::uint32_t>(layers[0].inputs), "input")}}};
            const SteppedRecord record =
                SteppedSimulation(import.network, import.rules.value()).run({sample}, options).at(0);

            for (std::size_t k = 0; k < layers.size(); ++k) {
                CAPTURE(k);
                CAPTURE(layers[k].type());
                const std::uint32_t q = import.network.index_of("n" + std::to_string(k));
                const Trace expected = plain_loop(tool, layers[k], dt, signal, steps);
                CHECK(record.spikes[q].dense() == expected.sent);
                if (tool.loop != nullptr) {
                    CHECK(record.potentials[q] == expected.v);
                } else {  // the two divide by the threshold in another order
                    for (std::size_t i = 0; i < expected.v.size(); ++i)
                        REQUIRE(std::abs(record.potentials[q][i] - expected.v[i]) <= 1e-9);
                }
                spikes[tool.convention] += record.spikes[q].indices.size();
                signal = expected.sent;
            }
        }
        for (const Tool& tool : tools()) {
            CAPTURE(tool.convention);
            CHECK(spikes[tool.convention] > 1000);
        }
    }
}

}  // namespace
}  // namespace saltus::test
