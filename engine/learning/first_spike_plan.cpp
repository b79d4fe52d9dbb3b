#include <charconv>
#include <cmath>
#include <optional>

#include "dense_layer.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/first_spike.hpp"
#include "saltus/engine/random.hpp"

namespace saltus::learning {

namespace {

constexpr std::uint64_t most = std::uint64_t{1} << 31;  // synapses, neurons, weights of a layer

std::optional<std::uint32_t> whole(std::string_view text) {
    std::uint32_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return n;
}

struct Image {
    std::uint32_t channels, rows, columns;
};
Image image(const std::string& what, std::uint32_t width, Shape shape) {
    if (shape.size() == 2) shape.insert(shape.begin(), 1);
    if (shape.size() != 3 || width == 0 || shape[1] < width || shape[2] < width) {
        throw UsageError(
            "layers: a " + what + " of width " + std::to_string(width) +
            " (at least 1) needs (channels, rows, columns), as large as that, before it; found " +
            to_string(shape) + ".");
    }
    return {shape[0], shape[1], shape[2]};
}

/// Makes one layer after another.
class Maker {
  public:
    explicit Maker(const FirstSpikePlan& plan) : plan_(plan), shape_(plan.input) {
        const bool of_images = !plan.layers.empty() && plan.layers.front().kind != dense;
        if (of_images && shape_.size() == 2) shape_.insert(shape_.begin(), 1);
        network_.input = shape_;
        network_.t_max = plan.t_max;
        network_.silence_decides_at = plan.silence_decides_at;
        for (const LayerPlan& layer : plan.layers) {
            with_weights_ += layer.kind == window ? 0 : 1;
            convolves_ = convolves_ || layer.kind == convolution;
        }
    }

    FirstSpikeNetwork network() {
        if (plan_.layers.empty()) throw UsageError("layers: expected at least one, found none.");
        if (!plan_.initial.empty() && plan_.initial.size() != with_weights_) {
            throw UsageError("initial weights: expected " + std::to_string(with_weights_) +
                             " numbers, one for each layer with weights, found " +
                             std::to_string(plan_.initial.size()) + ".");
        }
        for (std::size_t l = 0; l < plan_.layers.size(); ++l) {
            const LayerPlan& plan = plan_.layers[l];
            FirstSpikeLayer layer;
            layer.name = l + 1 == plan_.layers.size() ? "output"
                         : plan_.layers.size() == 2   ? "hidden"
                                                      : "hidden" + std::to_string(l + 1);
            layer.V_th = plan.kind == window ? 1.0 : above(plan_.threshold);
            if (plan.kind == dense) make_dense(plan, layer);
            if (plan.kind == convolution) make_convolution(plan, layer);
            if (plan.kind == window) make_window(plan, layer);
            shape_ = layer.shape;
            network_.layers.push_back(std::move(layer));
        }
        check(network_);
        return std::move(network_);
    }

  private:
    static constexpr auto dense = LayerPlan::Kind::dense;
    static constexpr auto convolution = LayerPlan::Kind::convolution;
    static constexpr auto window = LayerPlan::Kind::window;

    void make_dense(const LayerPlan& plan, FirstSpikeLayer& layer) {
        const std::uint64_t inputs = element_count(shape_);
        check_size(inputs, plan.size);
        layer.shape = {plan.size};
        layer.synapses = DenseSynapses{
            static_cast<std::uint32_t>(inputs), plan.size, weights(layer, inputs, plan.size), {plan_.delay}};
    }

    void make_convolution(const LayerPlan& plan, FirstSpikeLayer& layer) {
        const Convolution shape = plan.convolution(shape_);
        const std::uint64_t inputs = std::uint64_t{shape.in_channels} * plan.width * plan.width;
        check_size(inputs, plan.size);
        check_size(std::uint64_t{shape.out_size[0]} * shape.out_size[1], plan.size);
        layer.shape = {plan.size, shape.out_size[0], shape.out_size[1]};
        layer.synapses = ConvolutionSynapses{shape, weights(layer, inputs, plan.size), plan_.delay};
    }

    void make_window(const LayerPlan& plan, FirstSpikeLayer& layer) const {
        const Pooling shape = plan.windows(shape_);
        layer.shape = {shape.channels, shape.out_size[0], shape.out_size[1]};
        layer.synapses = FirstOfWindow{shape, {}};
    }

    static void check_size(std::uint64_t inputs, std::uint64_t outputs) {
        if (outputs == 0 || inputs == 0 || inputs > most / outputs) {
            throw UsageError("layers: expected 1 to 2^31 synapses a layer, found " + std::to_string(inputs) +
                             " x " + std::to_string(outputs) + ".");
        }
    }

    /// On the grid of training.
    std::vector<double> weights(const FirstSpikeLayer& layer, std::uint64_t inputs, std::uint64_t outputs) {
        const auto n = static_cast<double>(inputs);
        double low = 0.0;
        double high = (drawn_ == 0 ? 39.2 : 16.0) * plan_.threshold / n;
        if (!plan_.initial.empty()) {
            high = plan_.initial[drawn_];
        } else if (convolves_) {
            const double deviation = plan_.threshold / std::sqrt(n);
            low = 2.0 * plan_.threshold / n - std::sqrt(3.0) * deviation;
            high = 2.0 * plan_.threshold / n + std::sqrt(3.0) * deviation;
        }
        if (!std::isfinite(high)) {
            throw UsageError("initial weights: expected finite numbers, found " + shown(high) + ".");
        }
        const CounterRandom random(plan_.seed, drawn_++);
        const double grid = std::ldexp(1.0, grid_bits(layer.V_th));
        std::vector<double> weights(inputs * outputs);
        for (std::size_t k = 0; k < weights.size(); ++k) {
            weights[k] = std::nearbyint((low + (high - low) * random.uniform(k)) * grid) / grid;
        }
        return weights;
    }

    const FirstSpikePlan& plan_;
    Shape shape_;  // of the layer before
    FirstSpikeNetwork network_;
    std::size_t with_weights_ = 0;
    bool convolves_ = false;
    std::size_t drawn_ = 0;  // layers with weights so far
};

}  // namespace

LayerPlan LayerPlan::parse(std::string_view text) {
    if (const auto neurons = whole(text)) return {*neurons};
    const std::size_t c = text.find('c');
    if (c != std::string_view::npos) {
        const auto channels = whole(text.substr(0, c));
        const auto width = whole(text.substr(c + 1));
        if (channels && width) return {Kind::convolution, *channels, *width};
    }
    if (!text.empty() && text.front() == 'p') {
        if (const auto width = whole(text.substr(1))) return {Kind::window, 0, *width};
    }
    throw UsageError("layers: expected neurons (400), channels and width of a convolution (16c5) or width " +
                     std::string("of windows (p2), found ") + quoted(text) + ".");
}

Convolution LayerPlan::convolution(const Shape& before) const {
    const Image from = image("convolution", width, before);
    Convolution shape;
    shape.in_channels = from.channels;
    shape.out_channels = size;
    shape.in_size = {from.rows, from.columns};
    shape.out_size = {from.rows - width + 1, from.columns - width + 1};
    shape.kernel = {width, width};
    return shape;
}

Pooling LayerPlan::windows(const Shape& before) const {
    const Image from = image("windows", width, before);
    Pooling shape;
    shape.channels = from.channels;
    shape.in_size = {from.rows, from.columns};
    shape.out_size = {from.rows / width, from.columns / width};
    shape.kernel = shape.stride = {width, width};
    return shape;
}

FirstSpikeNetwork new_first_spikes(const FirstSpikePlan& plan) {
    return Maker(plan).network();
}

}  // namespace saltus::learning
