#include "hdf5_types.hpp"

#include <algorithm>
#include <array>

namespace saltus::io::hdf5 {

namespace {

bool is_float16(hid_t type) {
    std::size_t sign = 0, exponent = 0, exponent_bits = 0, mantissa = 0, mantissa_bits = 0;
    H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits);
    return H5Tget_size(type) == 2 && sign == 15 && exponent == 10 && exponent_bits == 5 && mantissa == 0 &&
           mantissa_bits == 10 && H5Tget_ebias(type) == 15;
}

bool is_usual_float(hid_t type) {
    const std::array<hid_t, 4> usual{H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE};
    return is_float16(type) ||
           std::any_of(usual.begin(), usual.end(), [&](hid_t known) { return H5Tequal(type, known) > 0; });
}

bool is_usual_integer(hid_t type) {
    const std::size_t size = H5Tget_size(type);
    return (size == 1 || size == 2 || size == 4 || size == 8) && H5Tget_precision(type) == 8 * size &&
           H5Tget_offset(type) == 0;
}

/// h5py's bool: two members, FALSE = 0 and TRUE = 1, in one byte.
bool is_boolean(hid_t type) {
    return H5Tget_size(type) == 1 && H5Tget_nmembers(type) == 2 && H5Tequal(type, boolean_type().id()) > 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = [&](std::size_t k) {
            return k < text.size() ? static_cast<unsigned char>(text[k]) : 0u;
        };
        const unsigned lead = byte(i);
        const std::size_t more = lead < 0x80   ? 0
                                 : lead < 0xc2 ? 9
                                 : lead < 0xe0 ? 1
                                 : lead < 0xf0 ? 2
                                 : lead < 0xf5 ? 3
                                               : 9;
        if (more == 9) return false;
        for (std::size_t k = 1; k <= more; ++k) {
            if ((byte(i + k) & 0xc0u) != 0x80u) return false;
        }
        const unsigned second = byte(i + 1);
        const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
        const bool beyond = (lead == 0xed && second >= 0xa0) || (lead == 0xf4 && second >= 0x90);
        if (overlong || beyond) return false;
        i += more + 1;
    }
    return true;
}

ValueClass class_of(hid_t type) {
    switch (H5Tget_class(type)) {
        case H5T_INTEGER:
            return is_usual_integer(type) ? ValueClass::integer : ValueClass::other;
        case H5T_FLOAT:
            return is_usual_float(type) ? ValueClass::floating : ValueClass::other;
        case H5T_ENUM:
            return is_boolean(type) ? ValueClass::boolean : ValueClass::other;
        case H5T_STRING:
            return ValueClass::string;
        case H5T_VLEN:
            return ValueClass::rows;
        default:
            return ValueClass::other;
    }
}

/// A fixed-length value without its padding.
std::string unpadded(std::string_view bytes, H5T_str_t padding) {
    if (const auto end = bytes.find('\0'); end != std::string_view::npos) bytes = bytes.substr(0, end);
    if (padding == H5T_STR_SPACEPAD) bytes = bytes.substr(0, bytes.find_last_not_of(' ') + 1);
    return std::string(bytes);
}

Handle string_type() {
    Handle type(H5Tcopy(H5T_C_S1));
    H5Tset_size(type.id(), H5T_VARIABLE);
    H5Tset_cset(type.id(), H5T_CSET_UTF8);
    return type;
}

Handle memory_string_type(hid_t file_type) {
    Handle type(H5Tcopy(H5T_C_S1));
    H5Tset_size(type.id(), H5T_VARIABLE);
    H5Tset_cset(type.id(), H5Tget_cset(file_type));
    return type;
}

Handle simple_space(const std::vector<std::uint64_t>& shape) {
    const std::vector<hsize_t> extent(shape.begin(), shape.end());
    return Handle(shape.empty() ? H5Screate(H5S_SCALAR)
                                : H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr));
}

template <>
hid_t native_type<float>() {
    return H5T_NATIVE_FLOAT;
}
template <>
hid_t native_type<double>() {
    return H5T_NATIVE_DOUBLE;
}
template <>
hid_t native_type<std::int16_t>() {
    return H5T_NATIVE_INT16;
}
template <>
hid_t native_type<std::int32_t>() {
    return H5T_NATIVE_INT32;
}
template <>
hid_t native_type<std::int64_t>() {
    return H5T_NATIVE_INT64;
}
template <>
hid_t native_type<std::uint8_t>() {
    return H5T_NATIVE_UINT8;
}
template <>
hid_t native_type<std::uint16_t>() {
    return H5T_NATIVE_UINT16;
}
template <>
hid_t native_type<std::uint32_t>() {
    return H5T_NATIVE_UINT32;
}
template <>
hid_t native_type<std::uint64_t>() {
    return H5T_NATIVE_UINT64;
}

namespace {

/// Every native type that is read into.
std::array<hid_t, 9> native_types() {
    return {native_type<float>(),         native_type<double>(),        native_type<std::int16_t>(),
            native_type<std::int32_t>(),  native_type<std::int64_t>(),  native_type<std::uint8_t>(),
            native_type<std::uint16_t>(), native_type<std::uint32_t>(), native_type<std::uint64_t>()};
}

}  // namespace

std::uint64_t code_of(hid_t native) {
    const auto all = native_types();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](hid_t known) { return H5Tequal(native, known) > 0; });
    return static_cast<std::uint64_t>(found - all.begin());
}

hid_t native_type_of(std::uint64_t code) {
    return native_types().at(static_cast<std::size_t>(code));
}

Handle boolean_type() {
    Handle type(H5Tenum_create(H5T_STD_I8LE));
    const std::int8_t no = 0;
    const std::int8_t yes = 1;
    H5Tenum_insert(type.id(), "FALSE", &no);
    H5Tenum_insert(type.id(), "TRUE", &yes);
    return type;
}

}  // namespace saltus::io::hdf5
