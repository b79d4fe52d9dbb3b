// How the spikes of one population reach another: a chain of linear stages, applied to one spike at a time.
//
// A stage maps (index, amplitude) of its input to the (index, amplitude) pairs of its output that are not
// zero. Indices are row-major in the stage's shapes. Nothing is expanded: a convolution keeps its kernel, a
// chain its stages. Only a chain with delays that differ between its channels is expanded to synapses, when a
// simulation is prepared.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "saltus/engine/connectivity.hpp"
#include "saltus/engine/spike_train.hpp"
#include "saltus/engine/time.hpp"
#include "saltus/engine/weights.hpp"

namespace saltus {

using Shape = std::vector<std::uint32_t>;

/// Product of the dimensions, 1 for an empty shape.
[[nodiscard]] std::uint64_t element_count(const Shape& shape);
/// "(2, 34, 34)"
[[nodiscard]] std::string to_string(const Shape& shape);

/// y = W x + b, all to all. Several blocks: W acts on the last of the leading dimensions' rows, each with its
/// own matrix.
struct Dense {
    std::string name;  // of the node in the file it came from; may be empty
    std::uint32_t blocks = 1;
    std::uint32_t inputs = 0;   // of one block
    std::uint32_t outputs = 0;  // of one block
    Weights weights;            // [block][input][output]: the row of one input is contiguous
    Weights bias;               // [block][output], or empty
};

/// Explicit synapses, each with its delay: compressed rows, one per source, each cut into segments of equal
/// delay.
struct Sparse {
    struct Segment {
        Duration delay;
        std::uint64_t begin = 0;  // into targets and weights
        std::uint64_t end = 0;
    };
    struct Table {
        std::vector<std::uint64_t> rows;   // segments of source i are [rows[i], rows[i + 1])
        std::vector<Segment> segments;     // by delay within a row
        std::vector<NeuronIndex> targets;  // ascending within a segment
    };

    std::string name;
    std::uint32_t inputs = 0;
    std::uint32_t outputs = 0;
    std::shared_ptr<const Table> table;
    Weights weights;

    /// One synapse per entry; several between the same pair are kept. `delays` may hold one entry for all.
    /// Throws NetworkError for columns of different length, indices out of range, negative delays.
    [[nodiscard]] static Sparse of(std::string name, std::uint32_t inputs, std::uint32_t outputs,
                                   const std::vector<NeuronIndex>& sources,
                                   const std::vector<NeuronIndex>& targets,
                                   const std::vector<double>& weights, const std::vector<Duration>& delays);
    /// The synapses that a rule draws. Throws LimitError where they are more than 2^31.
    [[nodiscard]] static Sparse of(const Rule& rule);
};

/// Cross-correlation (no kernel flip) with zero padding, over one or two spatial dimensions; one is kept as
/// height 1.
///   out[o, y, x] = bias[o] + sum over c, i, j of W[o, c, i, j] in[c, y s_y + i d_y - p_y, x s_x + j d_x -
///   p_x]
struct Convolution {
    using Pair = std::array<std::uint32_t, 2>;  // (height, width)

    std::string name;
    bool one_dimensional = false;
    std::uint32_t in_channels = 0;
    std::uint32_t out_channels = 0;
    std::uint32_t groups = 1;
    Pair in_size{1, 1};
    Pair out_size{1, 1};
    Pair kernel{1, 1};
    Pair stride{1, 1};
    Pair padding{0, 0};  // before the first element; what follows the last is given by out_size
    Pair dilation{1, 1};
    bool padding_same = false;  // the file said "same"
    Weights weights;            // [out channel][in channel of the group][height][width]
    Weights bias;               // [out channel], or empty
};

/// Sum or mean (padding counted in the divisor) over windows of two spatial dimensions, channel by channel.
struct Pooling {
    enum class Kind { sum, average };
    using Pair = Convolution::Pair;

    std::string name;
    Kind kind = Kind::sum;
    std::uint32_t channels = 0;
    Pair in_size{1, 1};
    Pair out_size{1, 1};
    Pair kernel{1, 1};
    Pair stride{1, 1};
    Pair padding{0, 0};
};

/// y_i = factor_i x_i.
struct Scale {
    std::string name;
    Weights factors;  // one per element
};

/// Another shape for the same row-major elements; index and amplitude stay.
struct Flatten {
    std::string name;
    Shape in_shape;
    Shape out_shape;
    std::int64_t start_dim = 0;  // as written in a file, without batch axis
    std::int64_t end_dim = -1;
};

/// y_i(t) = x_i(t - delay_i).
struct Delay {
    std::string name;
    std::uint32_t size = 0;
    std::vector<Duration> delays;  // one for all, or one per element
};

using Stage = std::variant<Dense, Sparse, Rule, Convolution, Pooling, Scale, Flatten, Delay>;

/// Elements that a stage takes and gives.
struct StageSize {
    std::uint64_t input = 0;
    std::uint64_t output = 0;
};
[[nodiscard]] StageSize stage_size(const Stage& stage);
[[nodiscard]] const std::string& stage_name(const Stage& stage);
/// "Linear", "Conv2d", ... as NIR calls it; "Sparse" for explicit synapses, a rule's name for those it draws.
[[nodiscard]] std::string stage_kind(const Stage& stage);

/// Synapses that the stage stands for: pairs of elements with a connection. The expected number for a rule
/// that draws pairs by chance.
[[nodiscard]] std::uint64_t synapse_count(const Stage& stage);

/// An edge of the network. No stages: one to one with weight 1.
struct Projection {
    std::uint32_t source = 0;  // index of the population
    std::uint32_t target = 0;
    std::vector<Stage> stages;

    /// Smallest sum of delays along the chain; zero where some spike may arrive in the instant it is sent.
    [[nodiscard]] Duration min_delay() const;
    [[nodiscard]] Duration max_delay() const;
    /// The chain has a bias, that is, sends a constant signal too.
    [[nodiscard]] bool has_bias() const;
};

}  // namespace saltus
