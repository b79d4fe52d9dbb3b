#include "sealed.hpp"

#include <algorithm>
#include <fstream>
#include <string_view>

#include "saltus/engine/digest.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::io {

namespace {

// What a sealed file ends with: the mark, and the digest of all bytes before.
constexpr std::string_view seal_mark = "saltus\r\n";
constexpr std::uint64_t seal_bytes = 16;

std::string seal_of(const hdf5::RawFile& file, std::uint64_t size) {
    constexpr std::uint64_t piece = std::uint64_t{1} << 20;
    Digest digest;
    for (std::uint64_t begin = 0; begin < size; begin += piece) {
        digest.text(file.bytes(begin, std::min(piece, size - begin)).value_or(""));
    }
    std::string seal(seal_mark);
    for (unsigned shift = 0; shift < 64; shift += 8)
        seal += static_cast<char>(digest.value() >> shift & 0xff);
    return seal;
}

}  // namespace

void check_seal(const std::filesystem::path& path, std::uint64_t size) {
    const hdf5::RawFile file(path, size);
    const std::uint64_t end = size < seal_bytes ? 0 : size - seal_bytes;
    const std::string seal = file.bytes(end, size - end).value_or("");
    if (seal.substr(0, seal_mark.size()) != seal_mark) {
        throw FileError::unexpected(
            path.string(), "", "a checkpoint of a run, with its checksum at the end", "none",
            "The file is another, or was cut off. Take another copy, or start the run "
            "again without it.");
    }
    if (seal != seal_of(file, end)) {
        throw FileError(
            path.string(), "",
            "its checksum does not fit its contents: the file was damaged after it was written. Take "
            "another copy, or start the run again without it.");
    }
}

void write_seal(const AtomicFile& file) {
    const std::uint64_t size = io::file_size(file.temporary());
    const std::string seal = seal_of(hdf5::RawFile(file.temporary(), size), size);
    std::ofstream end(file.temporary(), std::ios::binary | std::ios::app);
    end << seal;
    end.close();
    if (!end)
        throw FileError(file.target().string(), "", "cannot be written: its checksum cannot be appended.");
}

void write_version(const hdf5::Group& root, const char* format, std::uint32_t version) {
    root.write_attribute("format", format);
    root.write_attribute("version", version);
}

void check_version(const std::string& path, const hdf5::Group& root, const char* format,
                   std::uint32_t version) {
    if (root.string_attribute("format") != format) {
        throw FileError::unexpected(path, "attribute 'format'", saltus::quoted(format),
                                    saltus::quoted(root.string_attribute("format").value_or("")),
                                    "This file is no checkpoint of what is to go on.");
    }
    const std::int64_t found = root.integer_attribute("version").value_or(0);
    if (found != version) {
        throw FileError::unexpected(path, "attribute 'version'", std::to_string(version),
                                    std::to_string(found),
                                    "Go on with the version of Saltus that wrote it, or start again.");
    }
}

}  // namespace saltus::io
