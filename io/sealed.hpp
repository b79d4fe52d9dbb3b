// Checkpoints as files: HDF5 with a format, a version, plain columns, and a seal.
//
// Behind what HDF5 knows as the end of the file: "saltus\r\n" and 8 bytes, little endian, the digest of all
// bytes before them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "files.hpp"
#include "hdf5.hpp"

namespace saltus::io {

/// The library can be brought down by damaged metadata, so it gets to see none. Throws FileError.
void check_seal(const std::filesystem::path& path, std::uint64_t size);
/// Of a closed file.
void write_seal(const AtomicFile& file);

void write_version(const hdf5::Group& root, const char* format, std::uint32_t version);
/// Throws FileError where they are others.
void check_version(const std::string& path, const hdf5::Group& root, const char* format,
                   std::uint32_t version);

template <class T>
void write_value(const hdf5::Group& group, const std::string& name, T value) {
    group.write(name, std::vector<T>{value}, {}, hdf5::Storage::plain);
}

template <class T>
void write_column(const hdf5::Group& group, const std::string& name, const std::vector<T>& values) {
    group.write(name, values, {values.size()}, hdf5::Storage::plain);
}

}  // namespace saltus::io
