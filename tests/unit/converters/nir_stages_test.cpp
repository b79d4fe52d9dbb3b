// Nodes without memory against plain loops over whole signals: a spike of one input neuron gives one column
// of the matrix, the biases give a constant signal. Weights are small integers, so sums are exact in any
// order.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>

#include "conversion.hpp"

namespace saltus::test {
namespace {

/// A signal of shape (channels, height, width).
struct Image {
    std::size_t channels, height, width;
    std::vector<double> values = std::vector<double>(channels * height * width, 0.0);

    double& operator()(std::size_t c, std::size_t y, std::size_t x) {
        return values[(c * height + y) * width + x];
    }
    /// Zero outside.
    [[nodiscard]] double padded(std::size_t c, std::ptrdiff_t y, std::ptrdiff_t x) const {
        const bool inside = y >= 0 && x >= 0 && y < static_cast<std::ptrdiff_t>(height) &&
                            x < static_cast<std::ptrdiff_t>(width);
        return inside
                   ? values[(c * height + static_cast<std::size_t>(y)) * width + static_cast<std::size_t>(x)]
                   : 0.0;
    }
};

using Pair = std::array<std::size_t, 2>;

struct Window {
    Pair kernel, stride{1, 1}, padding{0, 0}, dilation{1, 1};
};

std::ptrdiff_t position(const Window& w, std::size_t axis, std::size_t out, std::size_t k) {
    return static_cast<std::ptrdiff_t>(out * w.stride[axis] + k * w.dilation[axis]) -
           static_cast<std::ptrdiff_t>(w.padding[axis]);
}

Image convolved(const Image& in, const Window& w, std::size_t groups, const std::vector<double>& weight,
                const std::vector<double>& bias, Pair out_size) {
    Image out{bias.size(), out_size[0], out_size[1]};
    const std::size_t in_per_group = in.channels / groups;
    const std::size_t out_per_group = out.channels / groups;
    for (std::size_t o = 0; o < out.channels; ++o) {
        for (std::size_t y = 0; y < out.height; ++y) {
            for (std::size_t x = 0; x < out.width; ++x) {
                double value = bias[o];
                for (std::size_t c = 0; c < in_per_group; ++c) {
                    for (std::size_t i = 0; i < w.kernel[0]; ++i) {
                        for (std::size_t j = 0; j < w.kernel[1]; ++j) {
                            const std::size_t at =
                                ((o * in_per_group + c) * w.kernel[0] + i) * w.kernel[1] + j;
                            value += weight[at] * in.padded(o / out_per_group * in_per_group + c,
                                                            position(w, 0, y, i), position(w, 1, x, j));
                        }
                    }
                }
                out(o, y, x) = value;
            }
        }
    }
    return out;
}

Image pooled(const Image& in, const Window& w, double factor, Pair out_size) {
    Image out{in.channels, out_size[0], out_size[1]};
    for (std::size_t c = 0; c < in.channels; ++c) {
        for (std::size_t y = 0; y < out.height; ++y) {
            for (std::size_t x = 0; x < out.width; ++x) {
                for (std::size_t i = 0; i < w.kernel[0]; ++i) {
                    for (std::size_t j = 0; j < w.kernel[1]; ++j) {
                        out(c, y, x) += factor * in.padded(c, position(w, 0, y, i), position(w, 1, x, j));
                    }
                }
            }
        }
    }
    return out;
}

std::vector<double> multiplied(const std::vector<double>& weight, const std::vector<double>& bias,
                               const std::vector<double>& in) {
    std::vector<double> out = bias;
    for (std::size_t o = 0; o < out.size(); ++o) {
        for (std::size_t i = 0; i < in.size(); ++i) out[o] += weight[o * in.size() + i] * in[i];
    }
    return out;
}

std::vector<double> random_integers(std::size_t n, std::uint64_t stream) {
    const CounterRandom random(7, stream);
    std::vector<double> values(n);
    for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<double>(random.below(i, 9)) - 4.0;
    return values;
}

NirArray whole(const Pair& pair) {
    return integers({static_cast<std::int64_t>(pair[0]), static_cast<std::int64_t>(pair[1])});
}

/// Checks that `network`, from "input" to the integrators "sum", computes `function`, input by input. Over
/// one second a constant signal b adds b.
template <class Function>
void check_linear(const Network& network, Function function) {
    const std::uint32_t size = network.populations()[network.index_of("input")].size();
    for (std::uint32_t i = 0; i < size; ++i) {
        CAPTURE(i);
        std::vector<double> unit(size, 0.0);
        unit[i] = 1.0;
        REQUIRE(potentials_of(network, "sum", {{0.5, i}}, 1.0) == function(unit));
    }
    CHECK(potentials_of(network, "sum", {}, 1.0) == function(std::vector<double>(size, 0.0)));
}

TEST_SUITE("converters/nir_stages") {
    TEST_CASE("convolution, sum pooling, flatten and affine are the matrix of a plain loop") {
        const Window conv{{3, 2}, {2, 1}, {1, 1}, {1, 2}};
        const Window pool_window{{2, 2}, {1, 2}, {0, 1}};
        const auto kernel = random_integers(3 * 2 * 3 * 2, 0);
        const auto conv_bias = random_integers(3, 1);
        const auto weight = random_integers(4 * 24, 2);
        const auto bias = random_integers(4, 3);
        const Network network =
            network_of(chain({{"input", input({2, 5, 6})},
                              {"conv", node("Conv2d", {{"input_shape", integers({5, 6})},
                                                       {"weight", NirArray::of(kernel, {3, 2, 3, 2})},
                                                       {"stride", whole(conv.stride)},
                                                       {"padding", whole(conv.padding)},
                                                       {"dilation", whole(conv.dilation)},
                                                       {"groups", integer(1)},
                                                       {"bias", reals(conv_bias)}})},
                              {"pool", pool("SumPool2d", {2, 2}, {1, 2}, {0, 1})},
                              {"flat", flat(0, -1)},
                              {"fc", affine({4, 24}, weight, bias)},
                              {"sum", sum(4)}}));
        const auto expected = [&](const std::vector<double>& x) {
            const Image maps = convolved({2, 5, 6, x}, conv, 1, kernel, conv_bias, {3, 6});
            return multiplied(weight, bias, pooled(maps, pool_window, 1.0, {2, 4}).values);
        };
        check_linear(network, expected);
        check_linear(there_and_back(network), expected);
    }

    TEST_CASE("grouped convolution with padding \"same\" of an even kernel, then average pooling") {
        // "same" pads d (k - 1) in all: 3 rows, one before and two after; 2 columns, one before and one
        // after.
        const Window conv{{4, 3}, {1, 1}, {1, 1}, {1, 1}};
        const Window pool_window{{2, 2}, {2, 2}, {0, 0}};
        const auto kernel = random_integers(6 * 2 * 4 * 3, 4);
        const auto conv_bias = random_integers(6, 5);
        const Network network =
            network_of(chain({{"input", input({4, 6, 4})},
                              {"conv", node("Conv2d", {{"input_shape", integers({6, 4})},
                                                       {"weight", NirArray::of(kernel, {6, 2, 4, 3})},
                                                       {"stride", whole(conv.stride)},
                                                       {"padding", std::string("same")},
                                                       {"dilation", whole(conv.dilation)},
                                                       {"groups", integer(2)},
                                                       {"bias", reals(conv_bias)}})},
                              {"pool", pool("AvgPool2d", {2, 2}, {2, 2}, {0, 0})},
                              {"flat", flat(0, -1)},
                              {"sum", sum(36)}}));
        const auto expected = [&](const std::vector<double>& x) {
            const Image maps = convolved({4, 6, 4, x}, conv, 2, kernel, conv_bias, {6, 4});
            return pooled(maps, pool_window, 0.25, {3, 2}).values;
        };
        check_linear(network, expected);
        check_linear(there_and_back(network), expected);
    }

    TEST_CASE("convolution in one dimension") {
        const Window conv{{1, 3}, {1, 2}, {0, 2}, {1, 2}};
        const auto kernel = random_integers(3 * 2 * 3, 6);
        const auto conv_bias = random_integers(3, 7);
        const Network network =
            network_of(chain({{"input", input({2, 7})},
                              {"conv", node("Conv1d", {{"input_shape", integer(7)},
                                                       {"weight", NirArray::of(kernel, {3, 2, 3})},
                                                       {"stride", integer(2)},
                                                       {"padding", integer(2)},
                                                       {"dilation", integer(2)},
                                                       {"groups", integer(1)},
                                                       {"bias", reals(conv_bias)}})},
                              {"flat", flat(0, -1)},
                              {"sum", sum(12)}}));
        const auto expected = [&](const std::vector<double>& x) {
            return convolved({2, 1, 7, x}, conv, 1, kernel, conv_bias, {1, 4}).values;
        };
        check_linear(network, expected);
        check_linear(there_and_back(network), expected);
    }

    TEST_CASE("a matrix for each row of a signal, with one bias for all rows or one for each") {
        const auto weight = random_integers(2 * 3 * 2, 8);  // two blocks of 3 x 2
        const auto scale = random_integers(4, 9);
        for (const NirArray& bias :
             {reals({1, -2, 3}), NirArray::of(std::vector<double>{1, -2, 3, 4, 5, -6}, {2, 3})}) {
            const Network network = network_of(
                chain({{"input", input({2, 2})},
                       {"scale", node("Scale", {{"scale", NirArray::of(scale, {2, 2})}})},
                       {"w", node("Affine", {{"weight", NirArray::of(weight, {2, 3, 2})}, {"bias", bias}})},
                       {"flat", flat(0, -1)},
                       {"sum", sum(6)}}));
            const auto expected = [&](const std::vector<double>& x) {
                std::vector<double> y;
                for (std::size_t b = 0; b < 2; ++b) {
                    for (std::size_t o = 0; o < 3; ++o) {
                        double value = bias.real(bias.size() == 3 ? o : b * 3 + o);
                        for (std::size_t i = 0; i < 2; ++i) {
                            value += weight[(b * 3 + o) * 2 + i] * scale[b * 2 + i] * x[b * 2 + i];
                        }
                        y.push_back(value);
                    }
                }
                return y;
            };
            check_linear(network, expected);
            check_linear(there_and_back(network), expected);
        }
    }
}

}  // namespace
}  // namespace saltus::test
