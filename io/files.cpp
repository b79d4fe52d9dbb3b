#include "files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "saltus/engine/errors.hpp"

namespace saltus::io {

namespace {

namespace fs = std::filesystem;

std::string reason(int error) {
    return std::generic_category().message(error);
}

/// An open file descriptor.
class Descriptor {
  public:
    Descriptor(const fs::path& path, int flags, mode_t mode = 0)
        : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
    ~Descriptor() { close(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    [[nodiscard]] bool is_open() const { return fd_ >= 0; }
    [[nodiscard]] int fd() const { return fd_; }
    bool close() { return fd_ < 0 || ::close(std::exchange(fd_, -1)) == 0; }

  private:
    int fd_;
};

/// Opens a regular file for reading and gives its size. Never blocks on a pipe.
std::uint64_t open_size(const Descriptor& file, const fs::path& path) {
    if (!file.is_open()) {
        const int error = errno;
        if (error == ENOENT) throw FileError(path.string(), "", "no such file.");
        throw FileError(path.string(), "", "cannot be opened for reading: " + reason(error) + ".");
    }
    struct stat status {};
    if (::fstat(file.fd(), &status) != 0) {
        throw FileError(path.string(), "", "its size cannot be read: " + reason(errno) + ".");
    }
    if (S_ISDIR(status.st_mode)) throw FileError::unexpected(path.string(), "", "a file", "a folder");
    if (!S_ISREG(status.st_mode))
        throw FileError::unexpected(path.string(), "", "a regular file", "a device or pipe");
    return static_cast<std::uint64_t>(status.st_size);
}

void flush_to_disk(const fs::path& path, int flags, const fs::path& target) {
    Descriptor file(path, flags);
    if (!file.is_open() || ::fsync(file.fd()) != 0 || !file.close()) {
        throw FileError(target.string(), "", "cannot be written to the disk: " + reason(errno) + ".");
    }
}

fs::path resolved(const fs::path& target) {
    std::error_code error;
    const fs::path followed = fs::canonical(target, error);
    return error ? target : followed;  // a target that is not there yet is taken as it is
}

}  // namespace

std::uint64_t file_size(const fs::path& path) {
    const Descriptor file(path, O_RDONLY | O_NONBLOCK);
    return open_size(file, path);
}

std::string read_file(const fs::path& path, std::uint64_t limit) {
    const Descriptor file(path, O_RDONLY | O_NONBLOCK);
    const std::uint64_t size = open_size(file, path);
    if (size > limit) {
        throw FileError::unexpected(path.string(), "", "at most " + std::to_string(limit) + " bytes",
                                    std::to_string(size));
    }
    std::string bytes(static_cast<std::size_t>(size), '\0');
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t n = ::read(file.fd(), bytes.data() + done, bytes.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw FileError(path.string(), "", "cannot be read: " + reason(errno) + ".");
        if (n == 0) throw FileError(path.string(), "", "became shorter while it was read.");
        done += static_cast<std::size_t>(n);
    }
    return bytes;
}

void write_file(const fs::path& path, std::string_view bytes) {
    AtomicFile atomic(path);
    Descriptor file(atomic.temporary(), O_WRONLY);
    while (file.is_open() && !bytes.empty()) {
        const ssize_t n = ::write(file.fd(), bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    if (!file.is_open() || !bytes.empty() || !file.close()) {
        throw FileError(path.string(), "", "cannot be written: " + reason(errno) + ".");
    }
    atomic.commit();
}

AtomicFile::AtomicFile(const fs::path& target) : target_(resolved(target)) {
    std::error_code error;
    const fs::file_status status = fs::status(target_, error);
    if (fs::is_directory(status))
        throw FileError::unexpected(target.string(), "", "a name for a file", "a folder");
    if (fs::exists(status) && !fs::is_regular_file(status)) {
        throw FileError::unexpected(target.string(), "", "a regular file to replace", "a device or pipe");
    }
    const fs::path folder = target_.has_parent_path() ? target_.parent_path() : fs::path(".");
    if (!target_.has_filename())
        throw FileError::unexpected(target.string(), "", "a name for a file", "none");
    const std::string stem = "." + target_.filename().string() + "." + std::to_string(::getpid()) + ".";
    for (int attempt = 0;; ++attempt) {
        temporary_ = folder / (stem + std::to_string(attempt) + ".tmp");
        const Descriptor file(temporary_, O_WRONLY | O_CREAT | O_EXCL, 0666);
        if (file.is_open()) return;
        if (errno == EEXIST) continue;
        const int failure = errno;
        if (failure == ENOENT || failure == ENOTDIR) {
            throw FileError(target.string(), "",
                            "cannot be written: there is no folder " + saltus::quoted(folder.string()) +
                                ". Create it first.");
        }
        throw FileError(target.string(), "",
                        "cannot be written: no file can be made in folder " +
                            saltus::quoted(folder.string()) + ": " + reason(failure) + ".");
    }
}

AtomicFile::~AtomicFile() {
    if (!committed_) ::unlink(temporary_.c_str());
}

void AtomicFile::commit() {
    flush_to_disk(temporary_, O_RDWR, target_);
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
        throw FileError(target_.string(), "", "cannot be replaced: " + reason(errno) + ".");
    }
    committed_ = true;
    // The name lives in the folder; some file systems cannot flush a folder, and the file itself is safe by
    // now.
    const Descriptor folder(temporary_.parent_path(), O_RDONLY | O_DIRECTORY);
    if (folder.is_open()) static_cast<void>(::fsync(folder.fd()));
}

}  // namespace saltus::io
