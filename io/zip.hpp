// ZIP archives (PKWARE APPNOTE 6.3) as NumPy writes .npz files: entries stored or deflated, no encryption,
// one disk.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace saltus::io {

struct ZipEntry {
    std::string name;
    std::string bytes;
};

/// All entries, in the order of the directory. Sizes are compared with what is stored before memory is asked
/// for; entries together may expand to `limit` bytes. Throws FileError, with `origin` as the file: no
/// archive, truncated, encrypted, another method of compression, a checksum that does not fit.
[[nodiscard]] std::vector<ZipEntry> unzipped(const std::string& archive, const std::string& origin,
                                             std::uint64_t limit);

/// An archive of stored entries. Throws UsageError for one of 4 GiB or more.
[[nodiscard]] std::string zipped(const std::vector<ZipEntry>& entries);

}  // namespace saltus::io
