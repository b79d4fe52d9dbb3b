// The table of nir_schema.hpp. Source: the dataclasses of the package nir 1.0.8, nir/ir/*.py.
#include "nir_schema.hpp"

#include <algorithm>

namespace saltus::io {

namespace {

using enum NirKind;

constexpr NirField weight{"weight"};
constexpr NirField bias{"bias"};
constexpr NirField tau{"tau", real, NirRange::positive};
constexpr NirField tau_syn{"tau_syn", real, NirRange::positive};
constexpr NirField tau_mem{"tau_mem", real, NirRange::positive};
constexpr NirField r{"r"};
constexpr NirField v_leak{"v_leak"};
constexpr NirField v_threshold{"v_threshold"};
constexpr NirField v_reset{"v_reset", real, NirRange::any, false, 0.0};
constexpr NirField w_in{"w_in", real, NirRange::any, false, 1.0};
constexpr NirField whole(std::string_view name, NirRange range, NirCount count, NirKind kind = integer) {
    return {name, kind, range, true, 0.0, count};
}
constexpr NirField without_need(NirField field) {
    field.required = false;
    return field;
}

constexpr NirField stride = whole("stride", NirRange::positive, NirCount::one_or_axes);
constexpr NirField dilation = whole("dilation", NirRange::positive, NirCount::one_or_axes);

constexpr NirField port_fields[] = {whole("shape", NirRange::positive, NirCount::shape)};
constexpr NirField affine_fields[] = {weight, bias};
constexpr NirField linear_fields[] = {weight};
constexpr NirField scale_fields[] = {{"scale"}};
constexpr NirField conv_fields[] = {without_need(whole("input_shape", NirRange::positive, NirCount::axes)),
                                    weight,
                                    stride,
                                    whole("padding", NirRange::not_negative, NirCount::one_or_axes, padding),
                                    dilation,
                                    whole("groups", NirRange::positive, NirCount::one),
                                    bias};
constexpr NirField pool_fields[] = {whole("kernel_size", NirRange::positive, NirCount::one_or_axes), stride,
                                    whole("padding", NirRange::not_negative, NirCount::one_or_axes)};
constexpr NirField flatten_fields[] = {
    whole("start_dim", NirRange::any, NirCount::one), whole("end_dim", NirRange::any, NirCount::one),
    without_need(whole("input_type", NirRange::positive, NirCount::shape))};
constexpr NirField delay_fields[] = {{"delay", real, NirRange::not_negative}};
constexpr NirField threshold_fields[] = {{"threshold"}};
constexpr NirField i_fields[] = {r};
constexpr NirField if_fields[] = {r, v_threshold, v_reset};
constexpr NirField li_fields[] = {tau, r, v_leak};
constexpr NirField lif_fields[] = {tau, r, v_leak, v_threshold, v_reset};
constexpr NirField cuba_li_fields[] = {tau_syn, tau_mem, r, v_leak, w_in};
constexpr NirField cuba_lif_fields[] = {tau_syn, tau_mem, r, v_leak, v_threshold, v_reset, w_in};

constexpr NirNodeType types[] = {
    {"Affine", NirForm::matrix, affine_fields},
    {"AvgPool2d", NirForm::pool, pool_fields, 2},
    {"Conv1d", NirForm::conv, conv_fields, 1},
    {"Conv2d", NirForm::conv, conv_fields, 2},
    {"CubaLI", NirForm::layer, cuba_li_fields},
    {"CubaLIF", NirForm::layer, cuba_lif_fields},
    {"Delay", NirForm::layer, delay_fields},
    {"Flatten", NirForm::flatten, flatten_fields},
    {"I", NirForm::layer, i_fields},
    {"IF", NirForm::layer, if_fields},
    {"Input", NirForm::port, port_fields},
    {"LI", NirForm::layer, li_fields},
    {"LIF", NirForm::layer, lif_fields},
    {"Linear", NirForm::matrix, linear_fields},
    {"NIRGraph", NirForm::graph, {}},
    {"Output", NirForm::port, port_fields},
    {"Scale", NirForm::layer, scale_fields},
    {"SumPool2d", NirForm::pool, pool_fields, 2},
    {"Threshold", NirForm::layer, threshold_fields},
};

}  // namespace

const NirField* NirNodeType::find(std::string_view field) const {
    const auto found =
        std::find_if(fields.begin(), fields.end(), [&](const NirField& f) { return f.name == field; });
    return found == fields.end() ? nullptr : &*found;
}

std::span<const NirNodeType> nir_node_types() {
    return types;
}

const NirNodeType* find_nir_node_type(std::string_view name) {
    const auto found = std::find_if(std::begin(types), std::end(types),
                                    [&](const NirNodeType& t) { return t.name == name; });
    return found == std::end(types) ? nullptr : found;
}

}  // namespace saltus::io
