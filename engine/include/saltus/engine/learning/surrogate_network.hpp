// Networks in discrete time that learn by a surrogate gradient: layers one after the other, each over all
// steps of a sample.
//
// A layer of spiking neurons; j is a neuron (dense) or an output channel at one position (convolution), s
// spikes, x the drive, beta one number a layer, b one a channel, e = 1e-8:
//
//   n_j   = sum_f w_fj^2,   G_ij = sum_f w_fi w_fj            over the whole kernel
//   r_j   = sum_i s_i[t-1] G_ij    (lateral), or s_j[t-1] b_j n_j
//   u_j[t] = beta (u_j[t-1] - r_j) + (1 - beta) (x_j[t] + sum_i s_i[t-1] v_ij)     v: recurrent layers only
//   s_j[t] = 1 where z_j[t] = u_j[t] / (n_j + e) - b_j > 0
//
// The drive of a convolution is a cross-correlation over time (the first axis of the kernel) and up to two
// axes of space, zeros beyond the edges. Readouts do not spike: h = s w,
//
//   mean   mean_t h / (n + e) - b               max, last   u[t] = beta u[t-1] + (1 - beta) h[t]; the largest
//   count  spikes of each output neuron                     or the last one, / (n + e) - b
//
// Source: Pellegrini, Zimmer, Masquelier, IEEE SLT 2021, arXiv 2011.06846; Zimmer et al., arXiv 1911.10124.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "saltus/engine/learning/gradient_learner.hpp"
#include "saltus/engine/projection.hpp"

namespace saltus::learning {

/// A layer as it is described; axes are (time, space, space), those of space as many as the input has.
struct SurrogateLayer {
    enum class Kind { dense, convolution, pooling, readout };
    enum class Join { concatenate, add };
    enum class Pool { max, sum, average };
    enum class Reduction { mean, max, last, count };
    using Axes = std::vector<std::uint32_t>;

    std::string name;
    Kind kind = Kind::dense;
    std::vector<std::string> from = {};  // layers before it, or "input"; empty: the one before
    Join join = Join::concatenate;       // of several: their channels end to end, or their sum
    std::uint32_t channels = 0;          // neurons, channels or classes
    Axes kernel = {};                    // convolution; pooling (1 in time if only space is given)
    Axes stride = {};                    // empty: 1; of pooling: the kernel
    Axes dilation = {};                  // empty: 1
    Axes padding = {};                   // before the first element; empty: ceil((kernel - 1) dilation / 2)
    std::uint32_t groups = 1;            // convolution
    bool lateral = true;
    bool recurrent = false;
    Pool pool = Pool::max;
    Reduction reduction = Reduction::mean;
};

struct SurrogateDescription {
    std::uint32_t steps = 0;
    Shape input;  // channels, then up to two axes of space
    std::vector<SurrogateLayer> layers;
};

/// What a layer or the input gives: steps, two axes of space (1 where there are fewer), channels.
struct SignalSize {
    std::uint32_t steps = 0;
    std::array<std::uint32_t, 2> space{1, 1};
    std::uint32_t channels = 0;

    [[nodiscard]] std::uint32_t positions() const { return space[0] * space[1]; }
    [[nodiscard]] std::uint64_t neurons() const { return std::uint64_t{positions()} * channels; }
    friend bool operator==(const SignalSize&, const SignalSize&) = default;
};

/// Where the parameters of a layer begin in the vector of all; v is (from, to), w is (in, out) of dense
/// layers, row-major over (channel, space), and (out, in of the group, kernel...) of convolutions.
struct SurrogateParameters {
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::size_t w = none;
    std::size_t v = none;
    std::size_t beta = none;
    std::size_t b = none;
    std::size_t weights = 0;  // entries of w
};

/// A description made whole and checked.
class SurrogateNetwork {
  public:
    static constexpr std::uint32_t input = static_cast<std::uint32_t>(-1);

    struct Layer {
        SurrogateLayer described;
        std::vector<std::uint32_t> from;  // indices of layers, or `input`
        SignalSize in;                    // joined
        SignalSize out;
        std::array<std::uint32_t, 3> kernel{1, 1, 1};
        std::array<std::uint32_t, 3> stride{1, 1, 1};
        std::array<std::uint32_t, 3> dilation{1, 1, 1};
        std::array<std::uint32_t, 3> padding{0, 0, 0};
        SurrogateParameters at;
        std::uint32_t spiking = 0;  // number among the layers that spike, from 1; 0: does not

        [[nodiscard]] bool spikes() const { return spiking != 0; }
        [[nodiscard]] std::uint32_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
        /// Place of a weight in w.
        [[nodiscard]] std::size_t weight(std::uint32_t tap, std::uint32_t in_channel,
                                         std::uint32_t out_channel) const;
        /// Both are in the same group.
        [[nodiscard]] bool connected(std::uint32_t in_channel, std::uint32_t out_channel) const;
    };

    /// Throws UsageError that names the layer and the field, LimitError for more than 2^28 numbers.
    explicit SurrogateNetwork(SurrogateDescription description);

    [[nodiscard]] const SurrogateDescription& description() const { return description_; }
    [[nodiscard]] const std::vector<Layer>& layers() const { return layers_; }
    [[nodiscard]] const SignalSize& input_size() const { return input_; }
    [[nodiscard]] std::uint32_t classes() const { return layers_.back().out.channels; }
    [[nodiscard]] std::uint32_t spiking_layers() const { return spiking_; }
    /// "layer/w", "layer/v", "layer/beta", "layer/b"; weights decay, beta and b keep to their range.
    [[nodiscard]] const std::vector<ParameterGroup>& groups() const { return groups_; }
    [[nodiscard]] std::size_t parameters() const { return parameters_; }
    /// w ~ N(0, 0.15^2 / fan-in), v ~ N(0, 0.15^2 / neurons), beta ~ N(0.7, 0.01^2), b ~ N(1, 0.01^2).
    [[nodiscard]] std::vector<double> initial(std::uint64_t seed) const;

  private:
    void add(const SurrogateLayer& described);
    void add_group(Layer& layer, std::size_t SurrogateParameters::*at, const char* name, std::size_t size);

    SurrogateDescription description_;
    SignalSize input_;
    std::vector<Layer> layers_;
    std::vector<ParameterGroup> groups_;
    std::size_t parameters_ = 0;
    std::uint32_t spiking_ = 0;
};

}  // namespace saltus::learning
