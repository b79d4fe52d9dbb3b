#include "nir_stages.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include "saltus/engine/errors.hpp"

namespace saltus::converters {

namespace {

std::uint32_t dimension(const FlatNode& node, std::uint64_t n) {
    if (n > std::numeric_limits<std::uint32_t>::max()) {
        throw NetworkError(node.path, "shape",
                           "expected dimensions below 2^32, found " + std::to_string(n) + ".");
    }
    return static_cast<std::uint32_t>(n);
}

std::uint32_t channels_of(const FlatNode& node, const std::vector<std::uint64_t>& shape) {
    return dimension(node, shape.at(0));
}

/// Last one or two dimensions; one becomes a row.
Convolution::Pair spatial(const FlatNode& node, const std::vector<std::uint64_t>& shape) {
    if (shape.size() == 2) return {1, dimension(node, shape[1])};
    return {dimension(node, shape.at(1)), dimension(node, shape.at(2))};
}

/// Field of one or two integers; a single one stands for both dimensions of two.
Convolution::Pair pair_of(const FlatNode& node, std::string_view field, bool one_dimensional) {
    const io::NirArray& array = *node.node->array(field);
    const auto at = [&](std::uint64_t i) {
        return dimension(node, static_cast<std::uint64_t>(array.integer(i)));
    };
    if (one_dimensional) return {field == "padding" ? 0u : 1u, at(0)};
    return array.size() == 1 ? Convolution::Pair{at(0), at(0)} : Convolution::Pair{at(0), at(1)};
}

/// The numbers of a field in the file's precision.
Weights weights_of(const io::NirArray& array) {
    if (array.type == io::NirType::float32) {
        std::vector<float> values(array.size());
        std::memcpy(values.data(), array.data.data(), array.data.size());
        return Weights(std::move(values));
    }
    return Weights(array.reals());
}

Weights optional_weights(const io::NirNode& node, std::string_view field) {
    const io::NirArray* array = node.array(field);
    return array ? weights_of(*array) : Weights();
}

/// [block][row][column] to [block][column][row].
Weights transposed(const Weights& weights, std::size_t blocks, std::size_t rows, std::size_t columns) {
    return weights.visit([&](auto w) {
        std::vector<typename decltype(w)::value_type> result(w.size());
        for (std::size_t b = 0; b < blocks; ++b) {
            for (std::size_t r = 0; r < rows; ++r) {
                for (std::size_t c = 0; c < columns; ++c) {
                    result[(b * columns + c) * rows + r] = w[(b * rows + r) * columns + c];
                }
            }
        }
        return Weights(std::move(result));
    });
}

/// A bias of one row, for all blocks.
Weights repeated(const Weights& bias, std::size_t size) {
    if (bias.empty() || bias.size() == size) return bias;
    return bias.visit([&](auto b) {
        std::vector<typename decltype(b)::value_type> result(size);
        for (std::size_t i = 0; i < size; ++i) result[i] = b[i % b.size()];
        return Weights(std::move(result));
    });
}

Stage dense(const FlatNode& node) {
    const io::NirArray& weight = *node.node->array("weight");
    const std::size_t rank = weight.shape.size();
    Dense s;
    s.name = node.path;
    s.outputs = dimension(node, weight.shape.at(rank - 2));
    s.inputs = dimension(node, weight.shape.at(rank - 1));
    s.blocks = dimension(node, std::accumulate(weight.shape.begin(), weight.shape.end() - 2, std::uint64_t{1},
                                               std::multiplies<>()));
    s.weights = transposed(weights_of(weight), s.blocks, s.outputs, s.inputs);
    s.bias = repeated(optional_weights(*node.node, "bias"), std::size_t{s.blocks} * s.outputs);
    return s;
}

Stage convolution(const FlatNode& node) {
    const io::NirArray& weight = *node.node->array("weight");
    Convolution s;
    s.name = node.path;
    s.one_dimensional = node.node->type == "Conv1d";
    s.in_channels = channels_of(node, node.shapes.input);
    s.out_channels = channels_of(node, node.shapes.output);
    s.groups = dimension(node, static_cast<std::uint64_t>(node.node->array("groups")->integer(0)));
    s.in_size = spatial(node, node.shapes.input);
    s.out_size = spatial(node, node.shapes.output);
    s.kernel = s.one_dimensional ? Convolution::Pair{1, dimension(node, weight.shape.at(2))}
                                 : Convolution::Pair{dimension(node, weight.shape.at(2)),
                                                     dimension(node, weight.shape.at(3))};
    s.stride = pair_of(node, "stride", s.one_dimensional);
    s.dilation = pair_of(node, "dilation", s.one_dimensional);
    if (const std::string* mode = node.node->string("padding")) {
        s.padding_same = *mode == "same";
        for (std::size_t axis = 0; s.padding_same && axis < 2; ++axis) {
            s.padding[axis] = s.dilation[axis] * (s.kernel[axis] - 1) / 2;
        }
    } else {
        s.padding = pair_of(node, "padding", s.one_dimensional);
    }
    s.weights = weights_of(weight);
    s.bias = optional_weights(*node.node, "bias");
    return s;
}

Stage pooling(const FlatNode& node) {
    Pooling s;
    s.name = node.path;
    s.kind = node.node->type == "SumPool2d" ? Pooling::Kind::sum : Pooling::Kind::average;
    s.channels = channels_of(node, node.shapes.input);
    s.in_size = spatial(node, node.shapes.input);
    s.out_size = spatial(node, node.shapes.output);
    s.kernel = pair_of(node, "kernel_size", false);
    s.stride = pair_of(node, "stride", false);
    s.padding = pair_of(node, "padding", false);
    return s;
}

Stage delay(const FlatNode& node, const Meaning& meaning) {
    const std::vector<double> values = node.node->array("delay")->reals();
    Delay s;
    s.name = node.path;
    s.size = dimension(node, element_count(engine_shape(node, node.shapes.input)));
    const bool uniform =
        std::all_of(values.begin(), values.end(), [&](double d) { return d == values.front(); });
    for (std::size_t i = 0; i < (uniform ? 1 : values.size()); ++i) {
        s.delays.push_back(duration_from_seconds(meaning.seconds(values[i]), node.path + ", delay"));
    }
    return s;
}

}  // namespace

Shape engine_shape(const FlatNode& node, const std::vector<std::uint64_t>& shape) {
    Shape result;
    for (const std::uint64_t n : shape) result.push_back(dimension(node, n));
    return result;
}

Stage stage_from_nir(const FlatNode& node, const Meaning& meaning) {
    const std::string& type = node.node->type;
    if (type == "Affine" || type == "Linear") return dense(node);
    if (type == "Conv1d" || type == "Conv2d") return convolution(node);
    if (type == "SumPool2d" || type == "AvgPool2d") return pooling(node);
    if (type == "Delay") return delay(node, meaning);
    if (type == "Scale") return Scale{node.path, weights_of(*node.node->array("scale"))};
    if (type == "Flatten") {
        return Flatten{node.path, engine_shape(node, node.shapes.input),
                       engine_shape(node, node.shapes.output), node.node->array("start_dim")->integer(0),
                       node.node->array("end_dim")->integer(0)};
    }
    throw LimitError("node " + quoted(node.path) + ": type " + quoted(type) +
                     " has no counterpart in a network.");
}

}  // namespace saltus::converters
