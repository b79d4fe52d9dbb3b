#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/surrogate_network.hpp"
#include "saltus/engine/random.hpp"

namespace saltus::learning {

namespace {

constexpr std::uint64_t most_numbers = std::uint64_t{1} << 28;
constexpr const char* axis_names[] = {"time", "space", "second axis of space"};

using Axes = SurrogateLayer::Axes;
using Three = std::array<std::uint32_t, 3>;
using Kind = SurrogateLayer::Kind;

class Checker {
  public:
    explicit Checker(std::string layer) : layer_(std::move(layer)) {}

    [[nodiscard]] UsageError error(const std::string& field, const std::string& expected,
                                   const std::string& found) const {
        return UsageError("layer " + quoted(layer_) + ", " + field + ": expected " + expected + ", found " +
                          found + ".");
    }
    void positive(const std::string& field, std::uint64_t value) const {
        if (value == 0) throw error(field, "at least 1", "0");
    }
    /// Axes of (time, space...) as three; those that the input does not have are left 1 (or 0).
    [[nodiscard]] Three three(const std::string& field, const Axes& axes, std::size_t dimensions,
                              std::uint32_t otherwise, std::uint32_t smallest) const {
        Three result{otherwise, otherwise, otherwise};
        if (axes.empty()) return result;
        if (axes.size() != dimensions + 1) {
            throw error(field, std::to_string(dimensions + 1) + " numbers, time first",
                        std::to_string(axes.size()));
        }
        for (std::size_t a = 0; a < axes.size(); ++a) {
            if (axes[a] < smallest || axes[a] > (1u << 20)) {
                throw error(field, std::to_string(smallest) + " to 2^20 along " + axis_names[a],
                            std::to_string(axes[a]));
            }
            result[a == 0 ? 0 : a + 2 - dimensions] = axes[a];
        }
        return result;
    }

  private:
    std::string layer_;
};

std::uint64_t length(const SignalSize& size, std::size_t axis) {
    return axis == 0 ? size.steps : size.space[axis - 1];
}

std::string shown_size(const SignalSize& size) {
    return std::to_string(size.steps) + " steps of " + std::to_string(size.channels) + " channels at " +
           std::to_string(size.space[0]) + " x " + std::to_string(size.space[1]) + " places";
}

void limit(std::uint64_t numbers, const std::string& layer, const char* what) {
    if (numbers > most_numbers) {
        throw LimitError("layer " + quoted(layer) + ": expected at most 2^28 " + what + ", found " +
                         std::to_string(numbers) + ".");
    }
}

}  // namespace

std::size_t SurrogateNetwork::Layer::weight(std::uint32_t tap, std::uint32_t in_channel,
                                            std::uint32_t out_channel) const {
    if (described.kind == Kind::convolution) {
        const std::uint32_t of_group = in.channels / described.groups;
        return (std::size_t{out_channel} * of_group + in_channel % of_group) * taps() + tap;
    }
    return (std::size_t{in_channel} * in.positions() + tap) * out.channels + out_channel;
}

bool SurrogateNetwork::Layer::connected(std::uint32_t in_channel, std::uint32_t out_channel) const {
    const std::uint32_t groups = described.groups;
    return groups == 1 || in_channel / (in.channels / groups) == out_channel / (out.channels / groups);
}

SurrogateNetwork::SurrogateNetwork(SurrogateDescription description) : description_(std::move(description)) {
    const Shape& shape = description_.input;
    if (shape.empty() || shape.size() > 3 || element_count(shape) == 0 || description_.steps == 0) {
        throw UsageError("input: expected steps of channels and up to two axes of space, found " +
                         std::to_string(description_.steps) + " steps of shape " + to_string(shape) + ".");
    }
    input_.steps = description_.steps;
    input_.channels = shape[0];
    for (std::size_t a = 1; a < shape.size(); ++a) input_.space[a + 2 - shape.size()] = shape[a];
    limit(input_.neurons() * input_.steps, "input", "numbers a sample");
    if (description_.layers.empty() || description_.layers.back().kind != Kind::readout) {
        throw UsageError(
            "layers: expected a readout as the last one, found " +
            (description_.layers.empty() ? std::string("none") : quoted(description_.layers.back().name)) +
            ".");
    }
    for (const SurrogateLayer& layer : description_.layers) add(layer);
}

void SurrogateNetwork::add_group(Layer& layer, std::size_t SurrogateParameters::*at, const char* name,
                                 std::size_t size) {
    limit(std::uint64_t{parameters_} + size, layer.described.name, "parameters");
    layer.at.*at = parameters_;
    parameters_ += size;
    ParameterGroup group;
    group.name = layer.described.name + "/" + name;
    group.size = size;
    group.decays = at == &SurrogateParameters::w || at == &SurrogateParameters::v;
    if (at == &SurrogateParameters::beta) {
        group.lower = 0.0;
        group.upper = 1.0;
    }
    if (at == &SurrogateParameters::b && layer.spikes()) group.lower = 0.0;
    groups_.push_back(std::move(group));
}

void SurrogateNetwork::add(const SurrogateLayer& described) {
    const Checker check(described.name);
    if (described.name.empty() || described.name == "input" ||
        described.name.find('/') != std::string::npos) {
        throw check.error("name", "a name other than 'input', without '/'", quoted(described.name));
    }
    Layer layer;
    layer.described = described;
    if (described.from.empty()) {
        layer.from.push_back(layers_.empty() ? input : static_cast<std::uint32_t>(layers_.size() - 1));
    }
    std::vector<std::string> names{"input"};
    for (const Layer& other : layers_) {
        if (other.described.name == described.name) {
            throw check.error("name", "one that no other layer has", quoted(described.name));
        }
        if (other.described.kind == Kind::readout) {
            throw check.error("kind", "no layer after a readout",
                              "one after " + quoted(other.described.name));
        }
        names.push_back(other.described.name);
    }
    for (const std::string& name : described.from) {
        const auto found = std::find(names.begin(), names.end(), name);
        if (found == names.end()) {
            throw check.error("from", "'input' or a layer before it", quoted(name));
        }
        layer.from.push_back(static_cast<std::uint32_t>(found - names.begin()) - 1);
    }
    for (std::size_t k = 0; k < layer.from.size(); ++k) {
        const SignalSize& size = layer.from[k] == input ? input_ : layers_[layer.from[k]].out;
        if (k == 0) {
            layer.in = size;
            continue;
        }
        const bool add = described.join == SurrogateLayer::Join::add;
        if (size.steps != layer.in.steps || size.space != layer.in.space ||
            (add && size.channels != layer.in.channels)) {
            throw check.error("from", "signals of the same size, " + shown_size(layer.in), shown_size(size));
        }
        if (!add) {
            limit(std::uint64_t{layer.in.channels} + size.channels, described.name, "channels");
            layer.in.channels += size.channels;
        }
    }

    const std::size_t dimensions = description_.input.size() - 1;
    layer.out.steps = layer.in.steps;
    if (described.kind == Kind::pooling) {
        layer.out.channels = layer.in.channels;
    } else {
        check.positive("channels", described.channels);
        layer.out.channels = described.channels;
    }
    if (described.kind == Kind::convolution || described.kind == Kind::pooling) {
        const bool pools = described.kind == Kind::pooling;
        if (described.kernel.empty()) throw check.error("kernel", "one number an axis", "none");
        layer.kernel = check.three("kernel", described.kernel, dimensions, 1, 1);
        layer.stride = check.three("stride", described.stride, dimensions, 1, 1);
        layer.dilation = check.three("dilation", described.dilation, dimensions, 1, 1);
        if (pools && described.stride.empty()) layer.stride = layer.kernel;
        if (pools && layer.kernel[0] != 1) {
            throw check.error("kernel", "1 along time", std::to_string(layer.kernel[0]));
        }
        if (described.padding.empty() && !pools) {
            for (std::size_t a = 0; a < 3; ++a)
                layer.padding[a] = ((layer.kernel[a] - 1) * layer.dilation[a] + 1) / 2;
        } else {
            layer.padding = check.three("padding", described.padding, dimensions, 0, 0);
        }
        for (std::size_t a = 0; a < 3; ++a) {
            const std::uint64_t in = length(layer.in, a);
            const std::uint64_t spans = std::uint64_t{layer.kernel[a] - 1} * layer.dilation[a] + 1;
            const std::uint64_t padded = in + 2 * std::uint64_t{layer.padding[a]};
            if (spans > padded) {
                throw check.error("kernel",
                                  "at most " + std::to_string(padded) + " along " + axis_names[a] +
                                      " with dilation and padding",
                                  std::to_string(spans));
            }
            std::uint64_t out = (padded - spans) / layer.stride[a] + 1;
            // Even kernels would give one place more; space is cut, time is not.
            if (a > 0 && !pools) out = std::min(out, (in + layer.stride[a] - 1) / layer.stride[a]);
            (a == 0 ? layer.out.steps : layer.out.space[a - 1]) = static_cast<std::uint32_t>(out);
        }
        if (described.groups == 0 || layer.in.channels % described.groups != 0 ||
            layer.out.channels % described.groups != 0) {
            throw check.error("groups",
                              "a divisor of " + std::to_string(layer.in.channels) + " and " +
                                  std::to_string(layer.out.channels) + " channels",
                              std::to_string(described.groups));
        }
        limit(layer.in.steps + 2 * std::uint64_t{layer.padding[0]}, described.name, "steps");
    } else {
        if (described.groups != 1) throw check.error("groups", "1", std::to_string(described.groups));
        layer.kernel = {1, layer.in.space[0], layer.in.space[1]};
    }
    limit(layer.out.neurons() * layer.out.steps, described.name, "neurons times steps");

    const bool counts = described.reduction == SurrogateLayer::Reduction::count;
    const bool readout = described.kind == Kind::readout;
    if (described.kind != Kind::pooling) {
        if (!readout || counts) layer.spiking = ++spiking_;
        if (readout && !counts && described.recurrent) {
            throw check.error("recurrent", "false unless the readout counts spikes", "true");
        }
        const std::uint64_t weights =
            std::uint64_t{layer.taps()} * (layer.in.channels / described.groups) * layer.out.channels;
        limit(weights, described.name, "weights");
        layer.at.weights = static_cast<std::size_t>(weights);
        const std::size_t n = layer.out.channels;
        add_group(layer, &SurrogateParameters::w, "w", layer.at.weights);
        if (described.recurrent) {
            limit(std::uint64_t{n} * n, described.name, "weights");
            add_group(layer, &SurrogateParameters::v, "v", n * n);
        }
        if (!readout || described.reduction != SurrogateLayer::Reduction::mean)
            add_group(layer, &SurrogateParameters::beta, "beta", 1);
        add_group(layer, &SurrogateParameters::b, "b", n);
    }
    layers_.push_back(std::move(layer));
}

std::vector<double> SurrogateNetwork::initial(std::uint64_t seed) const {
    std::vector<double> values(parameters_);
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        const Layer& layer = layers_[l];
        const auto fill = [&](std::size_t at, std::size_t n, double mean, double deviation,
                              std::uint32_t purpose) {
            if (at == SurrogateParameters::none) return;
            SequentialRandom random(seed, l, purpose);
            for (std::size_t k = 0; k < n; ++k) values[at + k] = mean + deviation * random.normal();
        };
        const double fan_in = static_cast<double>(layer.in.channels / layer.described.groups) * layer.taps();
        const double n = layer.out.channels;
        fill(layer.at.w, layer.at.weights, 0.0, 0.15 / std::sqrt(fan_in), 0);
        fill(layer.at.v,
             layer.at.v == SurrogateParameters::none ? 0
                                                     : std::size_t{layer.out.channels} * layer.out.channels,
             0.0, 0.15 / std::sqrt(n), 1);
        fill(layer.at.beta, 1, 0.7, 0.01, 2);
        fill(layer.at.b, layer.out.channels, 1.0, 0.01, 3);
    }
    return values;
}

}  // namespace saltus::learning
