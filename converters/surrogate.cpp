#include "saltus/converters/surrogate.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "own_metadata.hpp"
#include "saltus/converters/nir.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/surrogate_text.hpp"

namespace saltus::converters {

namespace {

using learning::SignalSize;
using learning::SurrogateLayer;
using learning::SurrogateNetwork;
using learning::SurrogateParameters;
using Kind = SurrogateLayer::Kind;
using Placed = SurrogateNetwork::Layer;

constexpr double norm_floor = 1e-8;  // e

LimitError impossible(const Placed& layer, const std::string& what) {
    return LimitError("layer " + quoted(layer.described.name) + ": " + what +
                      " cannot be said in conduction delays.");
}

Shape shape_of(const SignalSize& size) {
    if (size.space[0] == 1) return {size.channels, size.space[1]};
    return {size.channels, size.space[0], size.space[1]};
}

Delay delay_of(std::uint64_t neurons, std::uint32_t steps, Duration dt) {
    if (dt.femtoseconds() > Duration::max().femtoseconds() / (std::int64_t{steps} + 1)) {
        throw LimitError("dt: " + std::to_string(steps) + " steps of " + to_string(dt) +
                         " are longer than the range of time.");
    }
    return {"", static_cast<std::uint32_t>(neurons), {Duration(dt.femtoseconds() * std::int64_t{steps})}};
}

class Builder {
  public:
    Builder(const SurrogateNetwork& network, std::span<const double> parameters, Duration dt)
        : network_(network), parameters_(parameters), dt_(dt) {
        const SignalSize& input = network.input_size();
        populations_.push_back(
            {"input", shape_of(input), neurons::Input{}});
        for (const Placed& layer : network.layers()) add(layer);
    }

    [[nodiscard]] DelayedNetwork build() && {
        const auto last = static_cast<std::uint32_t>(populations_.size() - 1);
        return {Network(std::move(populations_), std::move(projections_),
                        {{network_.layers().back().described.name, last}}),
                std::move(late_)};
    }

  private:
    [[nodiscard]] std::uint32_t late(std::uint32_t from) const {
        return from == SurrogateNetwork::input ? 0 : late_[from];
    }
    [[nodiscard]] double parameter(std::size_t at, std::size_t k) const { return parameters_[at + k]; }

    void add(const Placed& layer) {
        if (layer.stride[0] != 1) throw impossible(layer, "a stride in time");
        if (layer.described.kind == Kind::pooling) throw impossible(layer, "pooling as a layer of its own");
        const double beta =
            layer.at.beta == SurrogateParameters::none ? 0.0 : parameters_[layer.at.beta];
        if (layer.at.beta != SurrogateParameters::none && !(beta > 0.0 && beta < 1.0))
            throw impossible(layer, "a leak of " + shown(beta));

        const std::uint32_t span = (layer.kernel[0] - 1) * layer.dilation[0];
        if (span < layer.padding[0]) throw impossible(layer, "more padding than the kernel is long");
        std::uint32_t latest = 0;
        for (const std::uint32_t from : layer.from) latest = std::max(latest, late(from));
        late_.push_back(latest + span - layer.padding[0]);

        norm(layer);
        population(layer, beta);
        const bool mean = layer.described.kind == Kind::readout && !layer.spikes() &&
                          layer.described.reduction == SurrogateLayer::Reduction::mean;
        std::uint32_t first = 0;  // channel of the joined signal
        for (const std::uint32_t from : layer.from) {
            const SignalSize& size =
                from == SurrogateNetwork::input ? network_.input_size() : network_.layers()[from].out;
            for (std::uint32_t tap = 0; tap < layer.kernel[0]; ++tap) {
                const std::uint32_t delay =
                    (layer.kernel[0] - 1 - tap) * layer.dilation[0] + latest - late(from);
                connect(layer, from, size, first, tap, delay, mean ? 1.0 : 1.0 - beta);
            }
            if (layer.described.join != SurrogateLayer::Join::add) first += size.channels;
        }
        if (layer.spikes()) connect_to_itself(layer, beta);
    }

    /// n of each channel.
    void norm(const Placed& layer) {
        square_.assign(layer.out.channels, 0.0);
        for (std::uint32_t tap = 0; tap < layer.taps(); ++tap) {
            for (std::uint32_t c = 0; c < layer.in.channels; ++c) {
                for (std::uint32_t o = 0; o < layer.out.channels; ++o) {
                    const double w = weight(layer, tap, c, o);
                    square_[o] += w * w;
                }
            }
        }
    }
    [[nodiscard]] double weight(const Placed& layer, std::uint32_t tap, std::uint32_t c,
                                std::uint32_t o) const {
        return layer.connected(c, o) ? parameters_[layer.at.w + layer.weight(tap, c, o)] : 0.0;
    }
    [[nodiscard]] double threshold(const Placed& layer, std::uint32_t o) const {
        return parameter(layer.at.b, o) * (square_[o] + norm_floor);
    }

    void population(const Placed& layer, double beta) {
        const double tau = beta > 0.0 ? -dt_.seconds() / std::log(beta) : 0.0;
        const std::size_t places = layer.out.positions();
        const std::size_t n = layer.out.neurons();
        neurons::Model model;
        if (layer.spikes()) {
            neurons::PerNeuron<neurons::Lif> all(n);
            for (std::size_t i = 0; i < n; ++i) {
                neurons::Lif& p = all[i];
                p.tau_m = tau;
                p.V_th = threshold(layer, static_cast<std::uint32_t>(i / places));
                p.reset = neurons::Reset::subtract;
            }
            model = std::move(all);
        } else if (layer.described.reduction == SurrogateLayer::Reduction::mean) {
            model = neurons::PerNeuron<neurons::Integrator>(n);
        } else {
            neurons::Li p;
            p.tau_m = tau;
            model = neurons::PerNeuron<neurons::Li>(n, p);
        }
        populations_.push_back({layer.described.name, shape_of(layer.out), std::move(model)});
    }

    /// One tap along time from one source: a convolution in space, zeros appended to its kernel where the
    /// trainer cuts its output, and a delay.
    void connect(const Placed& layer, std::uint32_t from, const SignalSize& size, std::uint32_t first,
                 std::uint32_t tap, std::uint32_t delay, double factor) {
        const auto target = static_cast<std::uint32_t>(populations_.size() - 1);
        Projection projection{from + 1, target, {}};
        const auto scale = [&](std::uint32_t o) {
            if (layer.spikes()) return factor;
            const double mean =
                layer.described.reduction == SurrogateLayer::Reduction::mean ? layer.out.steps : 1.0;
            return factor / (square_[o] + norm_floor) / mean;
        };
        const std::uint32_t spaces = layer.kernel[1] * layer.kernel[2];
        if (layer.described.kind == Kind::convolution) {
            Convolution stage;
            stage.name = layer.described.name + "_tap" + std::to_string(tap) + "_" + std::to_string(from + 1);
            stage.one_dimensional = size.space[0] == 1 && layer.out.space[0] == 1;
            stage.in_channels = size.channels;
            stage.out_channels = layer.out.channels;
            stage.in_size = {size.space[0], size.space[1]};
            stage.out_size = {layer.out.space[0], layer.out.space[1]};
            std::vector<double> weights;
            for (std::size_t a = 0; a < 2; ++a) {
                stage.stride[a] = layer.stride[a + 1];
                stage.padding[a] = layer.padding[a + 1];
                stage.dilation[a] = layer.dilation[a + 1];
                stage.kernel[a] = layer.kernel[a + 1];
                const auto natural = [&] {
                    const std::uint64_t spans =
                        std::uint64_t{stage.kernel[a] - 1} * stage.dilation[a] + 1;
                    const std::uint64_t padded = stage.in_size[a] + 2 * std::uint64_t{stage.padding[a]};
                    return spans > padded ? 0 : (padded - spans) / stage.stride[a] + 1;
                };
                while (natural() > stage.out_size[a]) ++stage.kernel[a];
                if (natural() != stage.out_size[a])
                    throw impossible(layer, "its kernel with this dilation and a cut of space");
            }
            weights.reserve(std::size_t{stage.out_channels} * stage.in_channels * stage.kernel[0] *
                            stage.kernel[1]);
            for (std::uint32_t o = 0; o < stage.out_channels; ++o) {
                for (std::uint32_t c = 0; c < stage.in_channels; ++c) {
                    for (std::uint32_t i = 0; i < stage.kernel[0]; ++i) {
                        for (std::uint32_t j = 0; j < stage.kernel[1]; ++j) {
                            const bool inside = i < layer.kernel[1] && j < layer.kernel[2];
                            const std::uint32_t place = tap * spaces + i * layer.kernel[2] + j;
                            weights.push_back(inside ? scale(o) * weight(layer, place, first + c, o) : 0.0);
                        }
                    }
                }
            }
            stage.weights = saltus::Weights(weights);
            projection.stages.emplace_back(std::move(stage));
        } else {
            Dense stage;
            stage.name = layer.described.name + "_weights_" + std::to_string(from + 1);
            stage.inputs = static_cast<std::uint32_t>(size.neurons());
            stage.outputs = layer.out.channels;
            std::vector<double> weights;
            weights.reserve(std::size_t{stage.inputs} * stage.outputs);
            for (std::uint32_t c = 0; c < size.channels; ++c) {
                for (std::uint32_t place = 0; place < size.positions(); ++place) {
                    for (std::uint32_t o = 0; o < stage.outputs; ++o)
                        weights.push_back(scale(o) * weight(layer, place, first + c, o));
                }
            }
            stage.weights = saltus::Weights(weights);
            Flatten flatten{"", shape_of(size), {stage.inputs}, 0, -1};
            projection.stages.emplace_back(std::move(flatten));
            projection.stages.emplace_back(std::move(stage));
            Flatten back{"", {layer.out.channels}, shape_of(layer.out), 0, -1};
            projection.stages.emplace_back(std::move(back));
        }
        if (delay > 0) projection.stages.emplace_back(delay_of(layer.out.neurons(), delay, dt_));
        projections_.push_back(std::move(projection));
    }

    void connect_to_itself(const Placed& layer, double beta) {
        const std::uint32_t n = layer.out.channels;
        const auto self = static_cast<std::uint32_t>(populations_.size() - 1);
        Convolution stage;
        stage.name = layer.described.name + "_self";
        stage.one_dimensional = layer.out.space[0] == 1;
        stage.in_channels = n;
        stage.out_channels = n;
        stage.in_size = {layer.out.space[0], layer.out.space[1]};
        stage.out_size = stage.in_size;
        std::vector<double> weights(std::size_t{n} * n, 0.0);  // [to][from]
        for (std::uint32_t tap = 0; tap < layer.taps() && layer.described.lateral; ++tap) {
            for (std::uint32_t c = 0; c < layer.in.channels; ++c) {
                for (std::uint32_t j = 0; j < n; ++j) {
                    const double w = beta * weight(layer, tap, c, j);
                    for (std::uint32_t i = 0; i < n; ++i)
                        weights[std::size_t{j} * n + i] -= w * weight(layer, tap, c, i);
                }
            }
        }
        for (std::uint32_t j = 0; j < n; ++j) {
            for (std::uint32_t i = 0; i < n && layer.described.recurrent; ++i) {
                weights[std::size_t{j} * n + i] +=
                    (1.0 - beta) * parameter(layer.at.v, std::size_t{i} * n + j);
            }
            double& own = weights[std::size_t{j} * n + j];
            if (!layer.described.lateral) own -= beta * parameter(layer.at.b, j) * square_[j];
            own += beta * threshold(layer, j);
        }
        stage.weights = saltus::Weights(weights);
        Projection projection{self, self, {}};
        projection.stages.emplace_back(std::move(stage));
        projection.stages.emplace_back(delay_of(layer.out.neurons(), 1, dt_));
        projections_.push_back(std::move(projection));
    }

    const SurrogateNetwork& network_;
    std::span<const double> parameters_;
    Duration dt_;
    std::vector<Population> populations_;
    std::vector<Projection> projections_;
    std::vector<std::uint32_t> late_;
    std::vector<double> square_;
};

}  // namespace

DelayedNetwork delayed_network(const SurrogateNetwork& network, std::span<const double> parameters,
                               Duration dt) {
    if (dt <= Duration()) throw UsageError("dt: expected > 0, found " + to_string(dt) + ".");
    return Builder(network, parameters, dt).build();
}

io::NirDocument nir_from_surrogate(const SurrogateReading& reading, std::vector<std::string>* notes) {
    const SurrogateNetwork network(reading.description);
    io::NirDocument document;
    try {
        document = nir_from_network(delayed_network(network, reading.parameters, reading.dt).network, notes);
    } catch (const LimitError& error) {
        if (!notes) throw;
        notes->push_back(std::string(error.what()) +
                         " The file holds the trained layers, but no graph that other tools can run.");
        document = nir_from_network(
            Network({{"input", reading.description.input, neurons::Input{}}}, {}), notes);
    }
    set_surrogate_reading(document, reading);
    return document;
}

void set_surrogate_reading(io::NirDocument& document, const SurrogateReading& reading) {
    const auto whole = [](std::uint64_t n) { return io::NirArray::of(static_cast<std::int64_t>(n)); };
    std::vector<std::int64_t> shape(reading.description.input.begin(), reading.description.input.end());
    std::string classes;
    for (const std::string& name : reading.classes) classes += (classes.empty() ? "" : "\n") + name;
    const std::uint64_t dimensions = shape.size();
    set_own_group(document, "surrogate",
                  {{{"layers", learning::text_of(reading.description.layers)},
                    {"input", io::NirArray::of(shape, {dimensions})},
                    {"steps", whole(reading.description.steps)},
                    {"classes", classes},
                    {"dt", seconds_of(reading.dt)},
                    {"binary", whole(reading.binary ? 1 : 0)},
                    {"derivatives", whole(reading.derivatives ? 1 : 0)},
                    {"task", reading.task},
                    {"divisors", io::NirArray::of(reading.divisors, {reading.divisors.size()})},
                    {"parameters", io::NirArray::of(reading.parameters, {reading.parameters.size()})}}});
}

std::optional<SurrogateReading> surrogate_reading_of(const io::NirDocument& document) {
    const io::NirGroup* group = own_group(document, "surrogate");
    if (!group) return std::nullopt;
    const OwnFields fields(*group, "surrogate");
    const auto whole = [&](const char* name, double value, double largest) {
        if (!(value >= 0.0 && value <= largest && value == std::floor(value)))
            throw fields.wrong(name, "whole numbers within their range");
        return static_cast<std::uint32_t>(value);
    };
    SurrogateReading reading;
    const std::string classes = fields.text("classes");
    for (std::size_t begin = 0; begin <= classes.size();) {
        const std::size_t end = std::min(classes.find('\n', begin), classes.size());
        reading.classes.push_back(classes.substr(begin, end - begin));
        begin = end + 1;
    }
    reading.description.steps = whole("steps", fields.number("steps"), 1e9);
    for (const double x : fields.numbers("input")) reading.description.input.push_back(whole("input", x, 1e9));
    reading.description.layers = learning::surrogate_layers(
        fields.text("layers"), static_cast<std::uint32_t>(reading.classes.size()));
    reading.dt = fields.duration("dt");
    reading.binary = whole("binary", fields.number("binary"), 1) == 1;
    reading.derivatives = whole("derivatives", fields.number("derivatives"), 1) == 1;
    reading.task = fields.text("task");
    for (const double x : fields.numbers("divisors")) {
        if (!(x > 0.0)) throw fields.wrong("divisors", "numbers > 0");
        reading.divisors.push_back(static_cast<float>(x));
    }
    reading.parameters = fields.numbers("parameters");
    const SurrogateNetwork network(reading.description);
    if (reading.parameters.size() != network.parameters())
        throw fields.wrong("parameters", "as many numbers as the layers have");
    for (const double x : reading.parameters) {
        if (!std::isfinite(x)) throw fields.wrong("parameters", "finite numbers");
    }
    return reading;
}

}  // namespace saltus::converters
