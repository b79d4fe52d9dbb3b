// The node types of nir 1.0.8: their fields, which of them may be missing, and what each may hold. How the
// shapes of a node's fields hang together is its form; nir_infer.cpp knows the rule of each.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace saltus::io {

enum class NirForm {
    port,     // Input, Output: shape -> the same shape
    matrix,   // weight (..., out, in), bias (out): (..., in) -> (..., out)
    layer,    // every field has the shape of the layer, or is one number for all of it
    conv,     // weight (Cout, Cin / groups, kernel...), bias (Cout): (Cin, size...) -> (Cout, size'...)
    pool,     // (C, H, W) -> (C, H', W')
    flatten,  // merges the dimensions start_dim ... end_dim
    graph,
};

enum class NirKind {
    real,     // numbers
    integer,  // whole numbers
    padding,  // whole numbers, or "same" or "valid"
};

enum class NirRange { any, positive, not_negative };

/// How many whole numbers a field of kind integer or padding holds.
enum class NirCount { one, axes, one_or_axes, shape };

struct NirField {
    std::string_view name;
    NirKind kind = NirKind::real;
    NirRange range = NirRange::any;
    bool required = true;
    double fallback = 0.0;  // of a layer's field that is not there
    NirCount count = NirCount::one;
};

struct NirNodeType {
    std::string_view name;
    NirForm form;
    std::span<const NirField> fields;
    std::size_t axes = 0;  // of a convolution or a pool: how many dimensions the kernel has

    [[nodiscard]] const NirField* find(std::string_view field) const;
};

[[nodiscard]] std::span<const NirNodeType> nir_node_types();

/// nullptr if nir 1.0.8 knows no such type.
[[nodiscard]] const NirNodeType* find_nir_node_type(std::string_view name);

}  // namespace saltus::io
