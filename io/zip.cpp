#include "zip.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <string_view>

#include "saltus/engine/errors.hpp"

namespace saltus::io {

namespace {

constexpr std::uint32_t local_mark = 0x04034b50;
constexpr std::uint32_t entry_mark = 0x02014b50;
constexpr std::uint32_t end_mark = 0x06054b50;
constexpr std::size_t local_size = 30;
constexpr std::size_t entry_size = 46;
constexpr std::size_t end_size = 22;
constexpr std::uint64_t largest_compression = 1040;  // deflate cannot shrink by more
constexpr std::size_t most_entries = 1u << 16;
constexpr unsigned stored = 0;
constexpr unsigned deflated = 8;

std::uint64_t number(std::string_view bytes, std::size_t at, std::size_t width) {
    std::uint64_t value = 0;
    for (std::size_t k = width; k-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + k]);
    return value;
}

void append(std::string& bytes, std::uint64_t value, std::size_t width) {
    for (std::size_t k = 0; k < width; ++k, value >>= 8) bytes += static_cast<char>(value & 0xff);
}

std::uint32_t checksum(std::string_view bytes) {
    uLong crc = crc32(0, nullptr, 0);
    constexpr std::size_t piece = 1u << 30;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        const std::string_view part = bytes.substr(at, piece);
        crc = crc32(crc, reinterpret_cast<const Bytef*>(part.data()), static_cast<uInt>(part.size()));
    }
    return static_cast<std::uint32_t>(crc);
}

class Archive {
  public:
    Archive(std::string_view bytes, const std::string& origin) : bytes_(bytes), origin_(origin) {}

    std::vector<ZipEntry> entries(std::uint64_t limit) const {
        const std::size_t end = find_end();
        const std::uint64_t count = number(bytes_, end + 10, 2);
        std::uint64_t at = number(bytes_, end + 16, 4);
        std::vector<ZipEntry> entries;
        for (std::uint64_t k = 0; k < count; ++k) {
            if (at > end || end - at < entry_size || number(bytes_, at, 4) != entry_mark)
                throw FileError(origin_, "",
                                "is damaged: entry " + std::to_string(k) + " of its directory is none.");
            entries.push_back(entry(at, limit));
            limit -= entries.back().bytes.size();
            at += entry_size + number(bytes_, at + 28, 2) + number(bytes_, at + 30, 2) +
                  number(bytes_, at + 32, 2);
        }
        return entries;
    }

  private:
    [[nodiscard]] std::size_t find_end() const {
        constexpr std::size_t longest_comment = 0xffff;
        if (bytes_.size() < end_size || number(bytes_, 0, 2) != (local_mark & 0xffff))
            throw FileError::unexpected(origin_, "", "a ZIP archive", "other data");
        const std::size_t first = bytes_.size() - std::min(bytes_.size(), end_size + longest_comment);
        for (std::size_t at = bytes_.size() - end_size + 1; at-- > first;) {
            if (number(bytes_, at, 4) == end_mark &&
                at + end_size + number(bytes_, at + 20, 2) == bytes_.size())
                return at;
        }
        throw FileError(
            origin_, "",
            "is truncated: the archive's directory is missing. Copy it again from where it came.");
    }

    /// The entry described at `at`; sizes beyond 32 bits stand in the extra field of ZIP64.
    [[nodiscard]] ZipEntry entry(std::size_t at, std::uint64_t limit) const {
        const auto damaged = [&](const std::string& where, const std::string& what) {
            return FileError(origin_, where.empty() ? where : "entry " + saltus::quoted(where),
                             "is damaged: " + what + ".");
        };
        const std::uint64_t flags = number(bytes_, at + 8, 2);
        const std::uint64_t method = number(bytes_, at + 10, 2);
        const std::uint64_t packed = number(bytes_, at + 20, 4);
        const std::uint64_t size = number(bytes_, at + 24, 4);
        const std::uint64_t name_size = number(bytes_, at + 28, 2);
        const std::uint64_t local = number(bytes_, at + 42, 4);
        if (at + entry_size + name_size > bytes_.size()) throw damaged("", "a name is cut off");
        ZipEntry entry{std::string(bytes_.substr(at + entry_size, name_size)), {}};
        const std::string where = "entry " + saltus::quoted(entry.name);
        constexpr std::uint64_t in_zip64 = 0xffffffff;
        if (packed == in_zip64 || size == in_zip64 || local == in_zip64)
            throw FileError(origin_, where, "is of 4 GiB or more, which is not read.");
        if ((flags & 1) != 0) throw FileError(origin_, where, "is encrypted. Save it without a password.");
        if (method != stored && method != deflated) {
            throw FileError::unexpected(origin_, where, "compression 0 (stored) or 8 (deflate)",
                                        std::to_string(method));
        }
        if (size > limit || size > packed * (method == deflated ? largest_compression : 1)) {
            throw FileError(origin_, where,
                            "declares " + std::to_string(size) + " bytes, more than the " +
                                std::to_string(packed) + " that are stored can give, or than the limit.");
        }
        if (local > bytes_.size() || bytes_.size() - local < local_size ||
            number(bytes_, local, 4) != local_mark)
            throw damaged(entry.name, "its data are not where the directory says");
        const std::uint64_t begin =
            local + local_size + number(bytes_, local + 26, 2) + number(bytes_, local + 28, 2);
        if (begin > bytes_.size() || packed > bytes_.size() - begin)
            throw damaged(entry.name, "its data reach beyond the end of the file");
        const std::string_view data = bytes_.substr(begin, packed);
        entry.bytes = method == stored
                          ? std::string(data)
                          : inflated(data, size, damaged(entry.name, "its data do not expand to their size"));
        if (entry.bytes.size() != size || checksum(entry.bytes) != number(bytes_, at + 16, 4))
            throw damaged(entry.name, "its checksum does not fit");
        return entry;
    }

    static std::string inflated(std::string_view data, std::uint64_t size, const FileError& wrong) {
        std::string bytes(size, '\0');
        z_stream stream{};
        if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw wrong;
        stream.next_in =
            reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));  // zlib does not write there
        stream.avail_in = static_cast<uInt>(data.size());
        stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
        stream.avail_out = static_cast<uInt>(bytes.size());
        const int status = inflate(&stream, Z_FINISH);
        const bool whole = status == Z_STREAM_END && stream.avail_out == 0;
        inflateEnd(&stream);
        if (!whole) throw wrong;
        return bytes;
    }

    std::string_view bytes_;
    const std::string& origin_;
};

}  // namespace

std::vector<ZipEntry> unzipped(const std::string& archive, const std::string& origin, std::uint64_t limit) {
    return Archive(archive, origin).entries(limit);
}

std::string zipped(const std::vector<ZipEntry>& entries) {
    constexpr std::uint64_t version = 20;
    constexpr std::uint64_t first_day = 0x21;  // 1980-01-01: equal contents give equal files
    std::string archive;
    std::string directory;
    if (entries.size() >= most_entries) throw UsageError("more than 65,535 arrays for one .npz file.");
    for (const ZipEntry& entry : entries) {
        const std::uint64_t begin = archive.size();
        std::string head;
        append(head, version, 2);
        append(head, 0, 2);  // flags
        append(head, stored, 2);
        append(head, first_day << 16, 4);
        append(head, checksum(entry.bytes), 4);
        append(head, entry.bytes.size(), 4);
        append(head, entry.bytes.size(), 4);
        append(head, entry.name.size(), 2);
        append(head, 0, 2);  // extra field
        append(archive, local_mark, 4);
        archive += head + entry.name + entry.bytes;
        append(directory, entry_mark, 4);
        append(directory, version, 2);
        directory += head;
        append(directory, 0, 2 + 2 + 2 + 4);  // comment, disk, attributes
        append(directory, begin, 4);
        directory += entry.name;
        if (archive.size() > std::numeric_limits<std::uint32_t>::max())
            throw UsageError(
                "spikes of 4 GiB or more for one .npz file. Write SONATA .h5, or several files.");
    }
    const std::uint64_t begin = archive.size();
    archive += directory;
    append(archive, end_mark, 4);
    append(archive, 0, 4);  // disks
    append(archive, entries.size(), 2);
    append(archive, entries.size(), 2);
    append(archive, directory.size(), 4);
    append(archive, begin, 4);
    append(archive, 0, 2);  // comment
    return archive;
}

}  // namespace saltus::io
