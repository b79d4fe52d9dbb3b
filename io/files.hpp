// Files as a whole: their size, their bytes, and writing that leaves either the whole new file or the old
// one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace saltus::io {

/// Size in bytes of a readable regular file. Throws FileError: no such file, a directory or device, no
/// permission.
[[nodiscard]] std::uint64_t file_size(const std::filesystem::path& path);

/// All bytes of a file. Throws FileError also where it is larger than `limit` bytes.
[[nodiscard]] std::string read_file(const std::filesystem::path& path, std::uint64_t limit);

/// Replaces `path` by a file that holds `bytes`, through AtomicFile.
void write_file(const std::filesystem::path& path, std::string_view bytes);

/// A new file that takes the place of `target` only when it is complete: an empty file with a temporary name
/// beside the target, for the caller to fill; commit() flushes it to the disk and renames it. What is not
/// committed is removed. A link is followed: the file that it names is replaced.
class AtomicFile {
  public:
    /// Throws FileError where the folder is missing or not writable, or the target is there but is no regular
    /// file.
    explicit AtomicFile(const std::filesystem::path& target);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    [[nodiscard]] const std::filesystem::path& temporary() const { return temporary_; }
    [[nodiscard]] const std::filesystem::path& target() const { return target_; }

    /// The caller has closed the file. Throws FileError.
    void commit();

  private:
    std::filesystem::path target_;
    std::filesystem::path temporary_;
    bool committed_ = false;
};

}  // namespace saltus::io
