#include "to_nir_stages.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <tuple>
#include <type_traits>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/overloaded.hpp"
#include "to_nir_neurons.hpp"

namespace saltus::converters {

namespace {

/// (channels, height, width), or (channels, width) in one dimension.
Shape image(std::uint32_t channels, const Convolution::Pair& size, bool one_dimensional) {
    return one_dimensional ? Shape{channels, size[1]} : Shape{channels, size[0], size[1]};
}

io::NirArray pair_array(const Convolution::Pair& pair, bool one_dimensional) {
    if (one_dimensional) return io::NirArray::of(std::int64_t{pair[1]});
    return integer_array({pair[0], pair[1]});
}

std::vector<std::uint64_t> leading(const Shape& shape) {
    return {shape.begin(), shape.end() - 1};
}

/// NIR says how much is padded; the engine how much before the first element, and how large the result is.
void check_window(const std::string& where, const std::string& name, const Convolution& c) {
    for (std::size_t axis = 0; axis < 2; ++axis) {
        const std::uint64_t reach = std::uint64_t{c.dilation[axis]} * (c.kernel[axis] - 1);
        const std::uint64_t room = c.in_size[axis] + 2 * std::uint64_t{c.padding[axis]};
        const bool one_dimensional_height = c.one_dimensional && axis == 0;
        const bool fits =
            c.padding_same && !one_dimensional_height
                ? c.out_size[axis] == c.in_size[axis] && c.stride[axis] == 1 && c.padding[axis] == reach / 2
                : room > reach && c.out_size[axis] == (room - reach - 1) / c.stride[axis] + 1;
        if (!fits) {
            throw NetworkError(where, "padding",
                               quoted(name) + ": NIR pads both sides alike, or as \"same\"; " +
                                   std::to_string(c.padding[axis]) + " before and an output of " +
                                   std::to_string(c.out_size[axis]) + " from " +
                                   std::to_string(c.in_size[axis]) + " is neither.");
        }
    }
}

/// [block][column][row] to [block][row][column], NIR's order.
Weights transposed(const Dense& d) {
    return d.weights.visit([&](auto w) {
        std::vector<typename decltype(w)::value_type> result(w.size());
        for (std::size_t b = 0; b < d.blocks; ++b) {
            for (std::size_t i = 0; i < d.inputs; ++i) {
                for (std::size_t o = 0; o < d.outputs; ++o) {
                    result[(b * d.outputs + o) * d.inputs + i] = w[(b * d.inputs + i) * d.outputs + o];
                }
            }
        }
        return Weights(std::move(result));
    });
}

/// One row where all blocks share it, as tools expect, else one per block.
io::NirArray dense_bias(const Dense& d, std::vector<std::uint64_t> rows) {
    const std::size_t n = d.outputs;
    const bool shared = d.bias.visit([&](auto b) {
        for (std::size_t i = n; i < b.size(); ++i) {
            if (b[i] != b[i % n]) return false;
        }
        return true;
    });
    if (!shared) return real_array(d.bias, std::move(rows));
    return d.bias.visit(
        [&](auto b) { return io::NirArray::of(std::vector(b.begin(), b.begin() + d.outputs), {n}); });
}

io::NirNode node_of_type(const char* type) {
    io::NirNode node;
    node.type = type;
    return node;
}

io::NirNode dense_node(const Dense& d, const Shape& in) {
    io::NirNode node = node_of_type(d.bias.empty() ? "Linear" : "Affine");
    std::vector<std::uint64_t> rows = leading(in);
    rows.push_back(d.outputs);
    std::vector<std::uint64_t> shape = rows;
    shape.push_back(d.inputs);
    node.set("weight", real_array(transposed(d), std::move(shape)));
    if (!d.bias.empty()) node.set("bias", dense_bias(d, std::move(rows)));
    return node;
}

io::NirNode convolution_node(const Convolution& c) {
    io::NirNode node = node_of_type(c.one_dimensional ? "Conv1d" : "Conv2d");
    node.set("input_shape", pair_array(c.in_size, c.one_dimensional));
    std::vector<std::uint64_t> shape{c.out_channels, c.in_channels / c.groups};
    if (!c.one_dimensional) shape.push_back(c.kernel[0]);
    shape.push_back(c.kernel[1]);
    node.set("weight", real_array(c.weights, std::move(shape)));
    node.set("stride", pair_array(c.stride, c.one_dimensional));
    if (c.padding_same) {
        node.set("padding", std::string("same"));
    } else {
        node.set("padding", pair_array(c.padding, c.one_dimensional));
    }
    node.set("dilation", pair_array(c.dilation, c.one_dimensional));
    node.set("groups", io::NirArray::of(std::int64_t{c.groups}));
    const Weights bias = c.bias.empty() ? Weights(std::vector<float>(c.out_channels)) : c.bias;
    node.set("bias", real_array(bias, {c.out_channels}));
    return node;
}

io::NirNode pooling_node(const Pooling& p) {
    io::NirNode node = node_of_type(p.kind == Pooling::Kind::sum ? "SumPool2d" : "AvgPool2d");
    node.set("kernel_size", pair_array(p.kernel, false));
    node.set("stride", pair_array(p.stride, false));
    node.set("padding", pair_array(p.padding, false));
    return node;
}

io::NirNode flatten_node(const Flatten& f) {
    io::NirNode node = node_of_type("Flatten");
    node.set("start_dim", io::NirArray::of(f.start_dim));
    node.set("end_dim", io::NirArray::of(f.end_dim));
    node.set("input_type", integer_array(nir_shape(f.in_shape)));
    return node;
}

io::NirNode delay_node(const Delay& d, const Shape& in) {
    io::NirNode node = node_of_type("Delay");
    std::vector<double> seconds(element_count(in));
    for (std::size_t i = 0; i < seconds.size(); ++i)
        seconds[i] = d.delays[d.delays.size() == 1 ? 0 : i].seconds();
    node.set("delay", real_array(Weights(seconds), nir_shape(in)));
    return node;
}

io::NirNode scale_node(const Scale& s, const Shape& in) {
    io::NirNode node = node_of_type("Scale");
    node.set("scale", real_array(s.factors, nir_shape(in)));
    return node;
}

auto key_of(const Dense& d) {
    return std::tuple(d.blocks, d.inputs, d.outputs);
}
auto key_of(const Sparse& s) {
    return std::tuple(s.inputs, s.outputs, s.table);
}
auto key_of(const Rule& r) {
    return std::tuple(r.inputs, r.outputs);  // never compared: a chain holds its synapses
}
auto key_of(const Convolution& c) {
    return std::tuple(c.one_dimensional, c.in_channels, c.out_channels, c.groups, c.in_size, c.out_size,
                      c.kernel, c.stride, c.padding, c.dilation, c.padding_same);
}
auto key_of(const Pooling& p) {
    return std::tuple(p.kind, p.channels, p.in_size, p.out_size, p.kernel, p.stride, p.padding);
}
auto key_of(const Scale&) {
    return std::tuple();
}
auto key_of(const Flatten& f) {
    return std::tuple(f.in_shape, f.out_shape);
}
auto key_of(const Delay& d) {
    return std::tuple(d.size, d.delays);
}

Weights weights_of(const Scale& s) {
    return s.factors;
}
template <class S>
Weights weights_of(const S& stage) {
    if constexpr (requires { stage.weights; }) {
        return stage.weights;
    } else {
        return {};
    }
}

}  // namespace

bool takes_shape(const Stage& stage, const Shape& shape) {
    return std::visit(
        Overloaded{
            [&](const Dense& d) { return !shape.empty() && shape.back() == d.inputs; },
            [&](const Sparse&) { return shape.size() == 1; },
            [&](const Rule&) { return shape.size() == 1; },
            [&](const Convolution& c) { return shape == image(c.in_channels, c.in_size, c.one_dimensional); },
            [&](const Pooling& p) { return shape == image(p.channels, p.in_size, false); },
            [&](const Scale&) { return true; },
            [&](const Flatten& f) { return shape == f.in_shape; },
            [&](const Delay&) { return true; },
        },
        stage);
}

Shape shape_after(const Stage& stage, const Shape& in, const std::string& where) {
    return std::visit(Overloaded{
                          [&](const Dense& d) {
                              Shape out = in;
                              out.back() = d.outputs;
                              return out;
                          },
                          [&](const Sparse& s) { return Shape{s.outputs}; },
                          [&](const Rule& s) { return Shape{s.outputs}; },
                          [&](const Convolution& c) {
                              check_window(where, c.name, c);
                              return image(c.out_channels, c.out_size, c.one_dimensional);
                          },
                          [&](const Pooling& p) {
                              Convolution window;
                              window.in_size = p.in_size;
                              window.out_size = p.out_size;
                              window.kernel = p.kernel;
                              window.stride = p.stride;
                              window.padding = p.padding;
                              check_window(where, p.name, window);
                              return image(p.channels, p.out_size, false);
                          },
                          [&](const Scale&) { return in; },
                          [&](const Flatten& f) { return f.out_shape; },
                          [&](const Delay&) { return in; },
                      },
                      stage);
}

io::NirNode node_from_stage(const Stage& stage, const Shape& in) {
    return std::visit(
        Overloaded{
            [&](const Dense& d) { return dense_node(d, in); },
            [&](const Sparse&) -> io::NirNode { throw std::logic_error("explicit synapses have no node"); },
            [&](const Rule&) -> io::NirNode { throw std::logic_error("drawn synapses have no node"); },
            [&](const Convolution& c) { return convolution_node(c); },
            [&](const Pooling& p) { return pooling_node(p); },
            [&](const Scale& s) { return scale_node(s, in); },
            [&](const Flatten& f) { return flatten_node(f); },
            [&](const Delay& d) { return delay_node(d, in); },
        },
        stage);
}

Weights bias_of(const Stage& stage) {
    if (const auto* dense = std::get_if<Dense>(&stage)) return dense->bias;
    if (const auto* convolution = std::get_if<Convolution>(&stage)) return convolution->bias;
    return {};
}

void set_bias(Stage& stage, Weights bias) {
    if (auto* dense = std::get_if<Dense>(&stage))
        dense->bias = std::move(bias);
    else if (auto* convolution = std::get_if<Convolution>(&stage))
        convolution->bias = std::move(bias);
}

bool same_without_bias(const Stage& a, const Stage& b) {
    if (a.index() != b.index()) return false;
    return std::visit(
        [&](const auto& s) {
            const auto& t = std::get<std::decay_t<decltype(s)>>(b);
            return key_of(s) == key_of(t) && same_weights(weights_of(s), weights_of(t));
        },
        a);
}

bool same_weights(const Weights& a, const Weights& b) {
    return a.visit([&](auto v) {
        return b.visit([&](auto w) {
            if constexpr (std::is_same_v<decltype(v), decltype(w)>) {
                if (v.data() == w.data() && v.size() == w.size()) return true;
            }
            return std::equal(v.begin(), v.end(), w.begin(), w.end());
        });
    });
}

Stage dense_from_sparse(const Sparse& sparse, Duration delay) {
    std::vector<double> values(std::size_t{sparse.inputs} * sparse.outputs, 0.0);
    const Sparse::Table& table = *sparse.table;
    for (std::size_t i = 0; i < sparse.inputs; ++i) {
        for (std::uint64_t s = table.rows[i]; s < table.rows[i + 1]; ++s) {
            const Sparse::Segment& segment = table.segments[s];
            if (segment.delay != delay) continue;
            for (std::uint64_t k = segment.begin; k < segment.end; ++k) {
                values[i * sparse.outputs + table.targets[k]] += sparse.weights[k];
            }
        }
    }
    return Dense{sparse.name, 1, sparse.inputs, sparse.outputs, Weights(values), {}};
}

std::vector<Duration> delays_of(const Sparse& sparse) {
    std::set<Duration> delays;
    for (const Sparse::Segment& segment : sparse.table->segments) delays.insert(segment.delay);
    if (delays.empty()) delays.insert(Duration());
    return {delays.begin(), delays.end()};
}

}  // namespace saltus::converters
