#include "saltus/converters/surrogate_norse.hpp"

#include <algorithm>
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

constexpr std::uint64_t most_channels = std::uint64_t{1} << 20;

class Builder {
  public:
    explicit Builder(const SurrogateModel& model)
        : model_(model), network_(model.description), images_(network_.input_size().positions() > 1) {}

    io::NirDocument build() {
        populations_.push_back({"input", shape_of(network_.input_size()), neurons::Input{}});
        for (std::size_t l = 0; l < network_.layers().size(); ++l) {
            const Placed& layer = network_.layers()[l];
            check(layer, l);
            layer.described.kind == Kind::pooling ? add_pooling(layer) : add_layer(layer);
        }
        const Population& last = populations_.back();
        const Network network(populations_, projections_,
                              {{last.name, static_cast<std::uint32_t>(populations_.size() - 1)}});
        io::NirDocument document = nir_from_network(network);
        document.root.metadata.entries = {
            {"saltus", io::NirGroup{{{"convention", std::string("norse")}, {"dt", seconds_of(model_.dt)}}}}};
        document.notes = std::move(notes_);
        return document;
    }

  private:
    static NetworkError refused(const Placed& layer, const char* field, const std::string& text) {
        return {layer.described.name, field, text};
    }

    void check(const Placed& layer, std::size_t l) const {
        const std::uint32_t before = l == 0 ? SurrogateNetwork::input : static_cast<std::uint32_t>(l - 1);
        if (layer.from != std::vector<std::uint32_t>{before})
            throw refused(layer, "from",
                          "expected the layer before, found another or several: norse takes all ways that "
                          "join but the first one step late.");
        if (layer.stride[0] != 1)
            throw refused(layer, "stride",
                          "expected 1 along time, found " + std::to_string(layer.stride[0]) + ".");
        if (layer.described.kind == Kind::pooling) {
            if (layer.described.pool == SurrogateLayer::Pool::max)
                throw refused(layer, "pool", "expected sum or average, found max, which norse does not map.");
            return;
        }
        const Reduction reduction = layer.described.reduction;
        if (!layer.spikes() && reduction != Reduction::mean)
            throw refused(layer, "readout",
                          std::string("expected mean or count, found ") +
                              (reduction == Reduction::max ? "max" : "last") +
                              ": norse maps no neuron that only integrates (LI).");
        if (!layer.spikes()) return;
        if (model_.parameters[layer.at.beta] >= 1.0)
            throw refused(layer, "beta", "expected below 1, found 1: no input reaches the layer.");
        for (std::uint32_t j = 0; j < layer.out.channels; ++j) {
            if (!(model_.parameters[layer.at.b + j] > 0.0))
                throw refused(layer, "b",
                              "expected thresholds above 0, found 0 in channel " + std::to_string(j) + ".");
        }
    }

    [[nodiscard]] Shape shape_of(const SignalSize& size) const {
        if (!images_) return {size.channels};
        return {size.channels, size.space[0], size.space[1]};
    }

    /// weight(out channel, in channel, tap over space)
    template <class F>
    [[nodiscard]] Stage stage(const Placed& layer, std::uint32_t in_channels, std::uint32_t out_channels,
                              std::uint32_t groups, F&& weight) const {
        if (images_) {
            return surrogate_convolution(layer, false, in_channels, out_channels, groups,
                                         std::forward<F>(weight));
        }
        // The one place is under one tap, if any.
        const std::uint32_t y = layer.padding[1] / layer.dilation[1];
        const std::uint32_t x = layer.padding[2] / layer.dilation[2];
        const bool hits = y < layer.kernel[1] && x < layer.kernel[2] &&
                          layer.padding[1] % layer.dilation[1] == 0 &&
                          layer.padding[2] % layer.dilation[2] == 0;
        std::vector<double> w(std::size_t{in_channels} * out_channels, 0.0);
        for (std::uint32_t i = 0; hits && i < in_channels; ++i) {
            for (std::uint32_t o = 0; o < out_channels; ++o)
                w[std::size_t{i} * out_channels + o] = weight(o, i, y * layer.kernel[2] + x);
        }
        return Dense{"", 1, in_channels, out_channels, Weights(w), {}};
    }
    /// From each place to the same one.
    template <class F>
    [[nodiscard]] Stage stage_in_place(const SignalSize& size, std::uint32_t in_channels,
                                       std::uint32_t out_channels, F&& weight) const {
        Placed same;
        same.in = same.out = size;
        return stage(same, in_channels, out_channels, 1,
                     [&](auto o, auto i, auto) -> double { return weight(o, i); });
    }

    void add_pooling(const Placed& layer) {
        if (!images_) throw refused(layer, "kernel", "expected more than one place to pool, found one.");
        const double factor =
            layer.described.pool == SurrogateLayer::Pool::average ? 1.0 / layer.taps() : 1.0;
        pooling_.push_back(stage(layer, layer.in.channels, layer.in.channels, layer.in.channels,
                                 [&](auto, auto, auto) { return factor; }));
    }

    void add_layer(const Placed& layer) {
        const SurrogateNumbers numbers(layer, model_.parameters);
        const std::uint64_t reach = std::uint64_t{layer.kernel[0] - 1} * layer.dilation[0];
        const std::uint64_t longest = std::max<std::uint64_t>(reach, layer.padding[0]);
        if (longest > 0) add_line(layer, longest);
        std::vector<double> gain;
        for (std::uint32_t j = 0; j < numbers.channels; ++j)
            gain.push_back((1.0 - numbers.beta) * numbers.per_norm(j) /
                           (layer.spikes() ? numbers.b[j] : 1.0));

        const std::uint32_t in_channels = layer.in.channels;
        const std::uint32_t groups = longest > 0 ? 1 : layer.described.groups;
        const std::uint32_t of_group = in_channels / groups;
        const std::uint32_t space = layer.kernel[1] * layer.kernel[2];
        const auto weight = [&](std::uint32_t o, std::uint32_t i, std::uint32_t tap) {
            // Channels of a delay line: those of the layer before, once for each step of delay.
            const std::uint64_t delay = i / of_group;
            const std::uint32_t c =
                (groups > 1 ? o / (layer.out.channels / groups) * of_group : 0) + i % of_group;
            if (!layer.connected(c, o) || delay > longest || (longest - delay) % layer.dilation[0] != 0 ||
                (longest - delay) / layer.dilation[0] >= layer.kernel[0])
                return 0.0;
            const auto kt = static_cast<std::uint32_t>((longest - delay) / layer.dilation[0]);
            return gain[o] * model_.parameters[layer.at.w + layer.weight(kt * space + tap, c, o)];
        };
        const auto lines = static_cast<std::uint32_t>(longest + 1);
        Stage kernel = layer.described.kind == Kind::convolution || images_
                           ? stage(layer, in_channels * lines, layer.out.channels, groups, weight)
                           : stage_in_place(layer.out, in_channels, layer.out.channels,
                                            [&](auto o, auto i) { return weight(o, i, 0); });
        if (!layer.spikes()) {
            std::vector<double> bias;
            for (const double b : numbers.b) bias.push_back(-b);
            if (auto* dense = std::get_if<Dense>(&kernel)) dense->bias = Weights(bias);
            if (auto* convolution = std::get_if<Convolution>(&kernel)) convolution->bias = Weights(bias);
            project(std::move(kernel));
            neurons::PerNeuron<neurons::Integrator> sum(1);
            populations_.push_back({"output", shape_of(layer.out), sum});
            return;
        }
        project(std::move(kernel));
        const double dt = model_.dt.seconds();
        add_neurons(layer.described.name, layer.out, layer.out.channels, dt / (1.0 - numbers.beta), 1.0);
        add_loop(layer, numbers);
    }

    /// From the last population through what is pending to the next one.
    void project(Stage kernel) {
        const auto next = static_cast<std::uint32_t>(populations_.size());
        Projection projection{next - 1, next, std::exchange(pooling_, {})};
        projection.stages.push_back(std::move(kernel));
        projections_.push_back(std::move(projection));
    }

    void add_neurons(const std::string& name, const SignalSize& size, std::uint32_t channels, double tau,
                     double V_th) {
        const double dt = model_.dt.seconds();
        neurons::CubaLif p;
        p.tau_syn = tau;
        p.tau_m = dt;
        p.R = 1.0;
        p.w_in = tau / dt;
        p.J = p.w_in / tau;
        p.E_L = 0.0;
        p.V_th = V_th;
        p.V_reset = 0.0;
        SignalSize of = size;
        of.channels = channels;
        populations_.push_back({name, shape_of(of), neurons::PerNeuron<neurons::CubaLif>{p}});
    }

    void loop(Stage stage) {
        const auto last = static_cast<std::uint32_t>(populations_.size() - 1);
        projections_.push_back({last, last, {std::move(stage)}});
    }

    void add_line(const Placed& layer, std::uint64_t longest) {
        if (!pooling_.empty())
            throw refused(
                layer, "kernel",
                "expected 1 along time after pooling, found a kernel over time: a delay line passes "
                "on spikes, not their sums.");
        const std::uint32_t n = layer.in.channels;
        const std::uint64_t channels = (longest + 1) * n;
        if (channels > most_channels)
            throw LimitError("layer " + quoted(layer.described.name) +
                             ": expected a delay line of at most 2^20 channels, found " +
                             std::to_string(channels) + ".");
        if (populations_.size() == 1) {
            if (!model_.divisors.empty())
                throw refused(layer, "kernel",
                              "expected 1 along time for an input that is divided, found a kernel over time: "
                              "a delay line passes on spikes, not amplitudes.");
            notes_.push_back("layer " + quoted(layer.described.name) +
                             ": its delay line passes on one spike or none of the input in a step, whatever "
                             "the amplitude.");
        }
        const auto all = static_cast<std::uint32_t>(channels);
        project(stage_in_place(layer.in, n, all, [](auto o, auto i) { return o == i ? 1.0 : 0.0; }));
        add_neurons(layer.described.name + "_line", layer.in, all, model_.dt.seconds(), 0.5);
        loop(stage_in_place(layer.in, all, all, [&](auto o, auto i) { return o == i + n ? 1.0 : 0.0; }));
    }

    /// Reset and recurrent connections.
    void add_loop(const Placed& layer, const SurrogateNumbers& numbers) {
        const std::uint32_t n = numbers.channels;
        bool any = false;
        Stage stage = stage_in_place(layer.out, n, n, [&](std::uint32_t j, std::uint32_t i) {
            double weight = -numbers.beta * numbers.reset(i, j);
            if (layer.described.recurrent)
                weight += (1.0 - numbers.beta) * model_.parameters[layer.at.v + std::size_t{i} * n + j];
            any = any || weight != 0.0;
            return weight * numbers.per_norm(j) / numbers.b[j];
        });
        if (any) loop(std::move(stage));
    }

    const SurrogateModel& model_;
    SurrogateNetwork network_;
    bool images_;
    std::vector<Population> populations_;
    std::vector<Projection> projections_;
    std::vector<Stage> pooling_;  // between the last population and the next one
    std::vector<std::string> notes_;
};

}  // namespace

io::NirDocument nir_for_norse(const SurrogateModel& model) {
    return Builder(model).build();
}

}  // namespace saltus::converters
