// The stages of a projection as NIR nodes. NIR's signals have shapes, and its edges join equal ones; the
// engine counts elements only. So the shape of the signal is followed from stage to stage.
#pragma once

#include <string>
#include <vector>

#include "saltus/engine/projection.hpp"
#include "saltus/io/nir.hpp"

namespace saltus::converters {

/// A signal of this shape, whose number of elements fits, can be led into the node that the stage becomes.
[[nodiscard]] bool takes_shape(const Stage& stage, const Shape& shape);

/// Shape of what the stage makes of a signal of shape `in`, which it takes. Throws NetworkError for padding
/// that NIR cannot say; `where` names the projection.
[[nodiscard]] Shape shape_after(const Stage& stage, const Shape& in, const std::string& where);

/// The stage as a node, with the bias that it has. No Sparse: that is written as Dense.
[[nodiscard]] io::NirNode node_from_stage(const Stage& stage, const Shape& in);

[[nodiscard]] Weights bias_of(const Stage& stage);
void set_bias(Stage& stage, Weights bias);

/// The same node would be written for both, biases aside.
[[nodiscard]] bool same_without_bias(const Stage& a, const Stage& b);
[[nodiscard]] bool same_weights(const Weights& a, const Weights& b);

/// Explicit synapses of one delay as a matrix.
[[nodiscard]] Stage dense_from_sparse(const Sparse& sparse, Duration delay);
/// Delays that occur, ascending; no delay where there is no synapse.
[[nodiscard]] std::vector<Duration> delays_of(const Sparse& sparse);

}  // namespace saltus::converters
