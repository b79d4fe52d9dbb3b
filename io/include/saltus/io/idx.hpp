// IDX, the format of MNIST and Fashion-MNIST (Y. LeCun, "The MNIST database"): big endian,
//
//   0x00 0x00, type (0x08: unsigned byte), number of dimensions n
//   n dimensions as 32-bit numbers
//   the elements, the last dimension fastest
//
// plain or compressed by gzip. Only bytes are read; no data set known uses another type.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace saltus::io {

struct IdxArray {
    std::vector<std::uint32_t> shape;
    std::vector<std::uint8_t> values;
};

/// Memory grows with what the file really holds, not with what it declares. Throws FileError: no IDX file,
/// another type, no or more than four dimensions, more than 2^32 elements, fewer or more elements than
/// declared, damaged gzip data.
[[nodiscard]] IdxArray read_idx(const std::filesystem::path& path);

}  // namespace saltus::io
