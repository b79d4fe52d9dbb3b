#include "saltus/converters/surrogate_delays.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "own_metadata.hpp"
#include "saltus/converters/nir.hpp"
#include "saltus/engine/errors.hpp"
#include "surrogate_convolution.hpp"
#include "surrogate_numbers.hpp"

namespace saltus::converters {

namespace {

using learning::SignalSize;
using learning::SurrogateLayer;
using learning::SurrogateNetwork;
using Kind = SurrogateLayer::Kind;
using Reduction = SurrogateLayer::Reduction;
using Placed = SurrogateNetwork::Layer;

constexpr double lossless_tau = 1e15;  // [s]: over any run the leak is below the rounding of a double

/// A way on which spikes of a population reach a layer.
struct Way {
    std::uint32_t population = 0;
    std::uint64_t shift = 0;     // steps by which the population is late
    std::vector<Stage> stages;   // pooling, divisors
    std::uint32_t first = 0;     // channel of the layer's input
    std::uint32_t channels = 0;  // that it brings
    Shape shape;                 // that it brings
};
struct Signal {
    std::vector<Way> ways;
};

class Builder {
  public:
    explicit Builder(const SurrogateModel& model)
        : model_(model), network_(model.description), dimensions_(model.description.input.size() - 1) {}

    DelayedNetwork build() {
        add_input();
        for (std::size_t l = 0; l < network_.layers().size(); ++l) {
            const Placed& layer = network_.layers()[l];
            check(layer);
            if (layer.described.kind == Kind::pooling) {
                signals_.push_back(pooled(layer));
            } else {
                signals_.push_back(add_layer(layer));
            }
        }
        const Way& last = signals_.back().ways[0];
        notes_.push_back("the output comes " + to_string(delay_of(last.shift)) +
                         " after its step in the trainer; there, a layer is computed from its own first step "
                         "to its last one, with zeros beyond.");
        return {Network(std::move(populations_), std::move(projections_), {{"output", last.population}}),
                model_.dt, std::move(layers_), std::move(notes_)};
    }

  private:
    static NetworkError refused(const Placed& layer, const char* field, const std::string& text) {
        return {layer.described.name, field, text};
    }
    void check(const Placed& layer) const {
        if (layer.stride[0] != 1)
            throw refused(layer, "stride",
                          "expected 1 along time, found " + std::to_string(layer.stride[0]) +
                              ": neurons with delays have no steps to leave out.");
        if (layer.described.kind == Kind::pooling) {
            if (layer.described.pool == SurrogateLayer::Pool::max)
                throw refused(layer, "pool",
                              "expected sum or average, found max: no synapse passes on the largest of "
                              "several signals.");
            return;
        }
        const bool leaks = layer.at.beta != learning::SurrogateParameters::none;
        if (leaks && model_.parameters[layer.at.beta] >= 1.0)
            throw refused(layer, "beta", "expected below 1, found 1: no input reaches the layer.");
    }

    [[nodiscard]] Duration delay_of(std::uint64_t steps) const {
        const auto dt = static_cast<std::uint64_t>(model_.dt.femtoseconds());
        if (steps != 0 && steps > static_cast<std::uint64_t>(INT64_MAX) / dt)
            throw LimitError("a delay of " + std::to_string(steps) + " steps of " + to_string(model_.dt) +
                             " is beyond the range of time.");
        return Duration(static_cast<std::int64_t>(steps * dt));
    }

    [[nodiscard]] Shape shape_of(const SignalSize& size) const {
        Shape shape{size.channels};
        for (std::size_t a = 2 - dimensions_; size.positions() > 1 && a < 2; ++a)
            shape.push_back(size.space[a]);
        return shape;
    }

    void add_input() {
        const Shape& shape = model_.description.input;
        populations_.push_back({"input", shape, neurons::Input{}});
        Way way{0, 0, {}, 0, shape[0], shape};
        if (!model_.divisors.empty()) {
            std::vector<double> factors;
            for (const float divisor : model_.divisors) factors.push_back(double{1.0f / divisor});
            way.stages.emplace_back(Scale{"", Weights(factors)});
            notes_.emplace_back(
                "samples of this network are divided, hence amplitudes: the stepped clock takes them, the "
                "exact clock takes spikes.");
        }
        reshape(way, shape_of(network_.input_size()));
        input_.ways.push_back(std::move(way));
    }

    static void reshape(Way& way, const Shape& wanted) {
        if (way.shape == wanted) return;
        way.stages.emplace_back(Flatten{"", way.shape, wanted, 0, -1});
        way.shape = wanted;
    }

    /// Joined, with the ways of all sources.
    [[nodiscard]] Signal input_of(const Placed& layer) const {
        Signal joined;
        std::uint32_t first = 0;
        for (const std::uint32_t from : layer.from) {
            const Signal& signal = from == SurrogateNetwork::input ? input_ : signals_[from];
            const std::uint32_t channels = from == SurrogateNetwork::input
                                               ? network_.input_size().channels
                                               : network_.layers()[from].out.channels;
            for (const Way& way : signal.ways) {
                joined.ways.push_back(way);
                joined.ways.back().first += first;
            }
            if (layer.described.join == SurrogateLayer::Join::concatenate) first += channels;
        }
        return joined;
    }

    [[nodiscard]] Signal pooled(const Placed& layer) const {
        Signal signal = input_of(layer);
        const bool average = layer.described.pool == SurrogateLayer::Pool::average;
        const double factor = average ? 1.0 / layer.taps() : 1.0;
        for (Way& way : signal.ways) {
            SignalSize size = layer.out;
            size.channels = way.channels;
            if (layer.in.positions() > 1) {
                way.stages.emplace_back(surrogate_convolution(
                    layer, dimensions_ == 1, way.channels, way.channels, way.channels,
                    [&](std::uint32_t, std::uint32_t, std::uint32_t) { return factor; }));
                way.shape = image(way.channels, layer.out);
                reshape(way, shape_of(size));
            } else if (factor != 1.0 || layer.out.positions() > 1) {
                throw refused(layer, "kernel", "expected more than one place to pool, found one.");
            }
        }
        return signal;
    }

    /// (channels, space...) with all axes of the input.
    [[nodiscard]] Shape image(std::uint32_t channels, const SignalSize& size) const {
        Shape shape{channels};
        for (std::size_t a = 2 - dimensions_; a < 2; ++a) shape.push_back(size.space[a]);
        return shape;
    }

    /// Weights of a tap over time that a way takes, times `gain` of the channel that it reaches.
    [[nodiscard]] std::vector<Stage> kernel(const Placed& layer, const Way& way, std::uint32_t kt,
                                            const std::vector<double>& gain) const {
        const std::uint32_t space = layer.kernel[1] * layer.kernel[2];
        const auto weight = [&](std::uint32_t o, std::uint32_t c, std::uint32_t tap) {
            const std::uint32_t from = way.first + c;
            if (!layer.connected(from, o)) return 0.0;
            const std::uint32_t at = kt * space + tap;
            return gain[o] * model_.parameters[layer.at.w + layer.weight(at, from, o)];
        };
        const std::uint32_t outputs = layer.out.channels;
        if (layer.described.kind != Kind::convolution) {
            const std::uint32_t inputs = way.channels * layer.in.positions();
            std::vector<double> w;
            for (std::uint32_t c = 0; c < way.channels; ++c) {
                for (std::uint32_t p = 0; p < layer.in.positions(); ++p)
                    for (std::uint32_t o = 0; o < outputs; ++o) w.push_back(weight(o, c, p));
            }
            Way end = way;
            end.stages.clear();
            reshape(end, {inputs});
            end.stages.emplace_back(Dense{"", 1, inputs, outputs, Weights(w), {}});
            return end.stages;
        }
        if (layer.in.positions() == 1) {
            if (layer.out.positions() != 1)
                throw refused(layer, "padding",
                              "expected one place, as the layer before it has, found " +
                                  std::to_string(layer.out.positions()) + ".");
            const std::uint32_t y = layer.padding[1] / layer.dilation[1];
            const std::uint32_t x = layer.padding[2] / layer.dilation[2];
            const bool hits = y < layer.kernel[1] && x < layer.kernel[2] &&
                              layer.padding[1] % layer.dilation[1] == 0 &&
                              layer.padding[2] % layer.dilation[2] == 0;
            std::vector<double> w;
            for (std::uint32_t c = 0; c < way.channels; ++c) {
                for (std::uint32_t o = 0; o < outputs; ++o)
                    w.push_back(hits ? weight(o, c, y * layer.kernel[2] + x) : 0.0);
            }
            return {Dense{"", 1, way.channels, outputs, Weights(w), {}}};
        }
        // Groups of a joined input need not fall on the ways.
        const bool whole = way.channels == layer.in.channels;
        const std::uint32_t groups = whole ? layer.described.groups : 1;
        const std::uint32_t of_group = way.channels / groups;
        Way end = way;
        end.stages.clear();
        end.stages.emplace_back(surrogate_convolution(
            layer, dimensions_ == 1, way.channels, outputs, groups, [&](auto o, auto i, auto tap) {
                return weight(o, (o / (outputs / groups)) * of_group + i, tap);
            }));
        end.shape = image(outputs, layer.out);
        reshape(end, shape_of(layer.out));
        return end.stages;
    }

    Signal add_layer(const Placed& layer) {
        const SurrogateNumbers numbers(layer, model_.parameters);
        const Signal in = input_of(layer);
        std::uint64_t late = 0;
        for (const Way& way : in.ways) late = std::max(late, way.shift);
        const std::uint64_t reach = std::uint64_t{layer.kernel[0] - 1} * layer.dilation[0];
        const std::uint64_t shift = reach > layer.padding[0] ? reach - layer.padding[0] : 0;

        const auto target = static_cast<std::uint32_t>(populations_.size());
        const Shape shape = shape_of(layer.out);
        populations_.push_back({layer.described.name, shape, neurons_of(layer, numbers)});
        const std::vector<double> gain = gains(layer, numbers);
        for (const Way& way : in.ways) {
            for (std::uint32_t k = 0; k < layer.kernel[0]; ++k) {
                const std::uint64_t steps =
                    late - way.shift + shift + layer.padding[0] - std::uint64_t{k} * layer.dilation[0];
                Projection projection{way.population, target, {}};
                add_delay(projection, steps);
                projection.stages.insert(projection.stages.end(), way.stages.begin(), way.stages.end());
                for (Stage& stage : kernel(layer, way, k, gain))
                    projection.stages.push_back(std::move(stage));
                projections_.push_back(std::move(projection));
            }
        }
        if (layer.spikes()) add_recurrence(layer, numbers, target);
        layers_.push_back(told(layer, numbers, delay_of(late + shift)));
        return {{Way{target, late + shift, {}, 0, layer.out.channels, shape}}};
    }

    void add_delay(Projection& projection, std::uint64_t steps) const {
        if (steps == 0) return;
        projection.stages.emplace_back(Delay{"", populations_[projection.source].size(), {delay_of(steps)}});
    }

    [[nodiscard]] DelayedNetwork::Layer told(const Placed& layer, const SurrogateNumbers& numbers,
                                             Duration shift) {
        DelayedNetwork::Layer told{layer.described.name, shift};
        if (!layer.spikes() || !layer.described.lateral) return told;
        for (std::uint32_t i = 0; i < numbers.channels; ++i) {
            for (std::uint32_t j = 0; j < numbers.channels; ++j) {
                if (i == j || numbers.reset(i, j) == 0.0) continue;
                ++told.pairs;
                if (numbers.reset(i, j) < 0.0) ++told.lifting;
            }
        }
        if (told.lifting > 0)
            notes_.push_back("layer " + quoted(told.name) + ": " + std::to_string(told.lifting) + " of " +
                             std::to_string(told.pairs) +
                             " lateral connections lift (G_ij < 0); they act one step after the spike, as in "
                             "the trainer.");
        return told;
    }

    /// What weights of a channel are multiplied by.
    [[nodiscard]] std::vector<double> gains(const Placed& layer, const SurrogateNumbers& numbers) const {
        std::vector<double> gain(numbers.channels, 1.0 - numbers.beta);
        if (layer.spikes()) return gain;
        const bool mean = layer.described.reduction == Reduction::mean;
        for (std::uint32_t j = 0; j < numbers.channels; ++j)
            gain[j] *= numbers.per_norm(j) / (mean ? layer.in.steps : 1.0);
        return gain;
    }

    [[nodiscard]] neurons::Model neurons_of(const Placed& layer, const SurrogateNumbers& numbers) const {
        const std::uint32_t places = layer.out.positions();
        const std::size_t n = layer.out.neurons();
        const double dt = model_.dt.seconds();
        const double tau_m = -dt / std::log(numbers.beta);
        if (!layer.spikes()) {
            neurons::PerNeuron<neurons::Li> model;
            for (std::size_t i = 0; i < n; ++i) {
                neurons::Li p;
                p.tau_m = layer.described.reduction == Reduction::mean ? lossless_tau : tau_m;
                p.R = p.tau_m / dt;
                p.E_L = p.V_0 = -numbers.b[i];
                model.push_back(p);
            }
            return model;
        }
        std::vector<double> thresholds;
        for (std::uint32_t j = 0; j < numbers.channels; ++j) thresholds.push_back(numbers.threshold(j));
        if (numbers.beta == 0.0) {
            neurons::PerNeuron<neurons::Threshold> model;
            for (std::size_t i = 0; i < n; ++i) model.push_back({thresholds[i / places]});
            return model;
        }
        neurons::PerNeuron<neurons::Lif> model;
        for (std::size_t i = 0; i < n; ++i) {
            neurons::Lif p;
            p.tau_m = tau_m;
            p.R = tau_m / dt;
            p.V_th = thresholds[i / places];
            p.reset = neurons::Reset::none;
            model.push_back(p);
        }
        return model;
    }

    void add_recurrence(const Placed& layer, const SurrogateNumbers& numbers, std::uint32_t target) {
        const std::uint32_t n = numbers.channels;
        std::vector<double> w(std::size_t{n} * n, 0.0);  // [from][to]
        bool diagonal = true;
        for (std::uint32_t i = 0; i < n; ++i) {
            for (std::uint32_t j = 0; j < n; ++j) {
                double& weight = w[std::size_t{i} * n + j];
                weight = -numbers.beta * numbers.reset(i, j);
                if (layer.described.recurrent)
                    weight += (1.0 - numbers.beta) * model_.parameters[layer.at.v + std::size_t{i} * n + j];
                diagonal = diagonal && (i == j || weight == 0.0);
            }
        }
        if (std::all_of(w.begin(), w.end(), [](double x) { return x == 0.0; })) return;
        Projection projection{target, target, {}};
        const std::uint32_t places = layer.out.positions();
        if (diagonal) {
            std::vector<double> factors;
            for (std::size_t i = 0; i < layer.out.neurons(); ++i)
                factors.push_back(w[(i / places) * (std::size_t{n} + 1)]);
            projection.stages.emplace_back(Scale{"", Weights(factors)});
        } else if (places == 1) {
            projection.stages.emplace_back(Dense{"", 1, n, n, Weights(w), {}});
        } else {
            Placed same;  // one tap
            same.in = same.out = layer.out;
            projection.stages.emplace_back(
                surrogate_convolution(same, dimensions_ == 1, n, n, 1,
                                      [&](auto o, auto i, auto) { return w[std::size_t{i} * n + o]; }));
        }
        add_delay(projection, 1);
        projections_.push_back(std::move(projection));
    }

    const SurrogateModel& model_;
    SurrogateNetwork network_;
    std::size_t dimensions_;  // of space
    std::vector<Population> populations_;
    std::vector<Projection> projections_;
    Signal input_;
    std::vector<Signal> signals_;  // of each layer
    std::vector<DelayedNetwork::Layer> layers_;
    std::vector<std::string> notes_;
};

}  // namespace

DelayedNetwork delayed_network(const SurrogateModel& model) {
    return Builder(model).build();
}

io::NirDocument nir_with_delays(const DelayedNetwork& delayed) {
    io::NirDocument document = nir_from_network(delayed.network);
    auto& own = std::get<io::NirGroup>(document.root.metadata.entries.at(0).second);
    own.entries.emplace_back("dt", seconds_of(delayed.dt));
    document.notes = delayed.notes;
    return document;
}

}  // namespace saltus::converters
