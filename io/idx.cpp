#include "saltus/io/idx.hpp"

#include <zlib.h>

#include <algorithm>
#include <memory>
#include <string>

#include "files.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::io {

namespace {

constexpr std::size_t piece = std::size_t{1} << 20;
constexpr std::uint64_t max_elements = std::uint64_t{1} << 32;
constexpr std::uint8_t unsigned_byte = 0x08;

/// Bytes of a file, unpacked where it is compressed.
class Bytes {
  public:
    explicit Bytes(const std::filesystem::path& path) : path_(path.string()) {
        static_cast<void>(io::file_size(path));  // refuses what is no file, by name
        file_.reset(gzopen(path_.c_str(), "rb"));
        if (!file_) throw FileError(path_, "", "cannot be opened for reading.");
    }

    /// Up to n bytes; fewer at the end.
    std::size_t read(std::uint8_t* bytes, std::size_t n) {
        std::size_t done = 0;
        while (done < n) {
            const int got =
                gzread(file_.get(), bytes + done, static_cast<unsigned>(std::min(n - done, piece)));
            if (got < 0) throw damaged();
            if (got == 0) break;
            done += static_cast<std::size_t>(got);
        }
        int error = Z_OK;
        static_cast<void>(gzerror(file_.get(), &error));
        if (error != Z_OK) throw damaged();  // cut compressed data
        return done;
    }
    [[nodiscard]] FileError wrong(const std::string& expected, const std::string& found) const {
        return FileError::unexpected(path_, "", expected, found);
    }

  private:
    struct Close {
        void operator()(gzFile file) const { gzclose(file); }
    };
    [[nodiscard]] FileError damaged() const {
        return {path_, "", "its compressed data are damaged or cut short. Fetch it again."};
    }

    std::string path_;
    std::unique_ptr<gzFile_s, Close> file_;
};

std::uint32_t big_endian(const std::uint8_t* bytes) {
    return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 |
           bytes[3];
}

}  // namespace

IdxArray read_idx(const std::filesystem::path& path) {
    Bytes bytes(path);
    std::uint8_t head[4] = {};
    if (bytes.read(head, 4) != 4 || head[0] != 0 || head[1] != 0) {
        throw bytes.wrong("an IDX file, which begins with two bytes 0, a type and a number of dimensions",
                          "other bytes");
    }
    if (head[2] != unsigned_byte) {
        throw bytes.wrong("IDX elements of type 8 (unsigned byte)", "type " + std::to_string(head[2]));
    }
    if (head[3] < 1 || head[3] > 4) throw bytes.wrong("1 to 4 dimensions", std::to_string(head[3]));

    IdxArray array;
    std::uint64_t elements = 1;
    for (std::uint8_t d = 0; d < head[3]; ++d) {
        std::uint8_t length[4] = {};
        if (bytes.read(length, 4) != 4) {
            throw bytes.wrong(std::to_string(head[3]) + " dimensions",
                              "the end of the file after " + std::to_string(d));
        }
        array.shape.push_back(big_endian(length));
        if (array.shape.back() != 0 && elements > max_elements / array.shape.back()) {
            throw bytes.wrong("at most 2^32 elements", "dimensions that multiply to more");
        }
        elements *= array.shape.back();
    }
    while (array.values.size() < elements) {
        const std::size_t before = array.values.size();
        const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(elements - before, piece));
        array.values.resize(before + n);
        const std::size_t got = bytes.read(array.values.data() + before, n);
        if (got < n) {
            throw bytes.wrong(std::to_string(elements) + " elements, as its dimensions say",
                              std::to_string(before + got));
        }
    }
    std::uint8_t more = 0;
    if (bytes.read(&more, 1) != 0) {
        throw bytes.wrong(std::to_string(elements) + " elements, as its dimensions say", "more");
    }
    return array;
}

}  // namespace saltus::io
