#include "npy.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>

#include "saltus/engine/errors.hpp"

namespace saltus::io {

namespace {

constexpr std::string_view magic = "\x93NUMPY";

/// What stands behind 'KEY': in the header, to the comma or bracket that ends it.
std::optional<std::string_view> value_of(std::string_view header, std::string_view key) {
    const std::size_t found = header.find("'" + std::string(key) + "'");
    if (found == std::string_view::npos) return std::nullopt;
    std::size_t begin = header.find(':', found);
    if (begin == std::string_view::npos) return std::nullopt;
    begin = header.find_first_not_of(' ', begin + 1);
    if (begin == std::string_view::npos) return std::nullopt;
    const bool is_tuple = header[begin] == '(';
    const std::size_t end = header.find_first_of(is_tuple ? ")" : ",}", begin);
    if (end == std::string_view::npos) return std::nullopt;
    return header.substr(begin, end - begin + (is_tuple ? 1 : 0));
}

double half(std::uint16_t bits) {
    const int exponent = bits >> 10 & 0x1f;
    const double fraction = bits & 0x3ff;
    const double size = exponent == 0    ? std::ldexp(fraction, -24)
                        : exponent == 31 ? (fraction == 0.0 ? std::numeric_limits<double>::infinity()
                                                            : std::numeric_limits<double>::quiet_NaN())
                                         : std::ldexp(fraction + 1024.0, exponent - 25);
    return (bits & 0x8000u) != 0 ? -size : size;
}

template <class T>
T element(std::string_view bytes, std::size_t i, bool is_big) {
    char copy[sizeof(T)];
    std::memcpy(copy, bytes.data() + i * sizeof(T), sizeof(T));
    if (is_big != (std::endian::native == std::endian::big)) std::reverse(copy, copy + sizeof(T));
    T value;
    std::memcpy(&value, copy, sizeof(T));
    return value;
}

template <class T, class Wide>
std::vector<Wide> widened(std::string_view bytes, bool is_big) {
    std::vector<Wide> values(bytes.size() / sizeof(T));
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<Wide>(element<T>(bytes, i, is_big));
    return values;
}

/// The type, without byte order: "f8", and the elements as they are widened.
std::optional<NpyArray> elements_of(std::string_view type, std::string_view bytes, bool is_big) {
    if (type == "f8") return widened<double, double>(bytes, is_big);
    if (type == "f4") return widened<float, double>(bytes, is_big);
    if (type == "i8" || type == "u8") return widened<std::int64_t, std::int64_t>(bytes, is_big);
    if (type == "i4") return widened<std::int32_t, std::int64_t>(bytes, is_big);
    if (type == "u4") return widened<std::uint32_t, std::int64_t>(bytes, is_big);
    if (type == "i2") return widened<std::int16_t, std::int64_t>(bytes, is_big);
    if (type == "u2") return widened<std::uint16_t, std::int64_t>(bytes, is_big);
    if (type == "i1") return widened<std::int8_t, std::int64_t>(bytes, is_big);
    if (type == "u1" || type == "b1") return widened<std::uint8_t, std::int64_t>(bytes, is_big);
    if (type == "f2") {
        std::vector<double> values(bytes.size() / 2);
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = half(element<std::uint16_t>(bytes, i, is_big));
        return values;
    }
    return std::nullopt;
}

}  // namespace

NpyArray from_npy(std::string_view bytes, const std::string& origin, const std::string& where) {
    const auto wrong = [&](const std::string& expected, const std::string& found) {
        return FileError::unexpected(origin, where, expected, found);
    };
    if (!bytes.starts_with(magic) || bytes.size() < magic.size() + 4)
        throw wrong("an array of NumPy (.npy)", "other data");
    const auto byte = [&](std::size_t at) { return std::size_t{static_cast<unsigned char>(bytes[at])}; };
    const std::size_t version = byte(6);
    if (version < 1 || version > 3) throw wrong("version 1, 2 or 3 of .npy", std::to_string(version));
    const std::size_t width = version == 1 ? 2 : 4;
    if (bytes.size() < 8 + width) throw wrong("a header", "the end of the data");
    std::size_t length = 0;
    for (std::size_t k = width; k-- > 0;) length = length << 8 | byte(8 + k);
    if (length > bytes.size() - 8 - width)
        throw wrong("a header of " + std::to_string(length) + " bytes", "fewer");
    const std::string_view header = bytes.substr(8 + width, length);
    const std::string_view data = bytes.substr(8 + width + length);

    const auto descr = value_of(header, "descr");
    const auto shape = value_of(header, "shape");
    if (!descr || !shape) throw wrong("a header with 'descr' and 'shape'", quoted(header.substr(0, 40)));
    if (descr->size() < 5 || descr->front() != '\'' || descr->back() != '\'' ||
        std::string_view("<>|=").find((*descr)[1]) == std::string_view::npos) {
        throw wrong("numbers", std::string(*descr) + " (objects are not read: they may hold code)");
    }
    const std::string_view type = descr->substr(2, descr->size() - 3);
    std::uint64_t count = 1;
    if (*shape != "()") {
        const auto [end, status] = std::from_chars(shape->data() + 1, shape->data() + shape->size(), count);
        const std::string_view rest(end, static_cast<std::size_t>(shape->data() + shape->size() - end));
        if (status != std::errc() || (rest != ",)" && rest != ")"))
            throw wrong("one dimension", "the shape " + std::string(*shape));
    }
    const auto size = static_cast<std::uint64_t>(type[1] - '0');
    if (type.size() != 2 || size == 0 || size > 8)
        throw wrong("integers or floats of up to 8 bytes", std::string(*descr));
    if (data.size() % size != 0 || data.size() / size != count) {
        throw wrong(std::to_string(count) + " elements of " + std::to_string(size) + " bytes",
                    std::to_string(data.size()) + " bytes");
    }
    const bool is_big = (*descr)[1] == '>' || ((*descr)[1] == '=' && std::endian::native == std::endian::big);
    auto elements = elements_of(type, data, is_big);
    if (!elements) throw wrong("integers or floats of up to 8 bytes", std::string(*descr));
    return *std::move(elements);
}

template <class T>
std::string to_npy(const std::vector<T>& values) {
    constexpr std::size_t alignment = 64;
    std::string header = std::string("{'descr': '<") +
                         (std::is_floating_point_v<T> ? 'f'
                          : std::is_signed_v<T>       ? 'i'
                                                      : 'u') +
                         std::to_string(sizeof(T)) + "', 'fortran_order': False, 'shape': (" +
                         std::to_string(values.size()) + ",), }";
    header.append(alignment - (magic.size() + 4 + header.size() + 1) % alignment, ' ');
    header += '\n';
    std::string bytes(magic);
    bytes += {'\1', '\0', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
    bytes += header;
    for (std::size_t i = 0; i < values.size(); ++i) {
        char element[sizeof(T)];
        std::memcpy(element, &values[i], sizeof(T));
        if constexpr (std::endian::native == std::endian::big) std::reverse(element, element + sizeof(T));
        bytes.append(element, sizeof(T));
    }
    return bytes;
}

template std::string to_npy(const std::vector<double>&);
template std::string to_npy(const std::vector<std::int64_t>&);
template std::string to_npy(const std::vector<std::uint32_t>&);

}  // namespace saltus::io
