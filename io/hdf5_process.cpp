#include "hdf5_process.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <fstream>
#include <system_error>

#include "hdf5_opened.hpp"

namespace saltus::io::hdf5 {

namespace {

enum class Outcome : std::uint8_t { answered, refused, failed };

/// False where the other side is gone.
bool write_all(int socket, const void* data, std::size_t size) {
    const char* from = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t n = ::send(socket, from, std::min<std::size_t>(size, 1u << 30), MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        from += n;
        size -= static_cast<std::size_t>(n);
    }
    return true;
}
bool read_all(int socket, void* data, std::size_t size) {
    char* to = static_cast<char*>(data);
    while (size > 0) {
        const ssize_t n = ::recv(socket, to, std::min<std::size_t>(size, 1u << 30), 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        to += n;
        size -= static_cast<std::size_t>(n);
    }
    return true;
}

/// Bytes to which a file may expand: gzip does not shrink by more than 1040.
std::uint64_t most_bytes(std::uint64_t file_bytes) {
    constexpr std::uint64_t expansion = 1040;
    constexpr std::uint64_t spare = std::uint64_t{1} << 29;
    return file_bytes > UINT64_MAX / expansion - spare ? UINT64_MAX : spare + file_bytes * expansion;
}

void limit(decltype(RLIMIT_CORE) resource, std::uint64_t most) {
    rlimit now{};
    if (::getrlimit(resource, &now) != 0) return;
    now.rlim_cur = std::min<rlim_t>(most, now.rlim_max);
    ::setrlimit(resource, &now);
}

/// What the copy may take beyond what the caller holds; where the system does not tell that, it is not
/// limited, and not under the address sanitizer, which stands still where it gets no memory.
void limit_memory(std::uint64_t file_bytes) {
#ifdef __SANITIZE_ADDRESS__
    static_cast<void>(file_bytes);
#else
    std::uint64_t pages = 0;
    if (!(std::ifstream("/proc/self/statm") >> pages)) return;
    const std::uint64_t held = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const std::uint64_t more = most_bytes(file_bytes);
    if (more < UINT64_MAX - held) limit(RLIMIT_AS, held + more);
#endif
}
/// For the next question: 10 s, and as long as it takes to expand the whole file.
void limit_time(std::uint64_t file_bytes) {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = static_cast<std::uint64_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec);
    limit(RLIMIT_CPU, seconds + 10 + file_bytes / 100'000);
}

/// In the copy: answers until the caller is gone.
void serve(int socket, std::uint64_t file_bytes) {
    Opened opened;
    std::uint64_t size = 0;
    while (read_all(socket, &size, sizeof size)) {
        Message question;
        question.bytes.resize(size);
        if (!read_all(socket, question.bytes.data(), size)) return;
        limit_time(file_bytes);
        Message answer;
        Outcome outcome = Outcome::answered;
        try {
            question.take<Process::Task>()(opened, question, answer);
        } catch (const FileError& error) {
            outcome = Outcome::refused;
            answer = {};
            answer.put(error.path());
            answer.put(error.where());
            answer.put(std::string(error.what()));
        } catch (const std::exception& error) {
            outcome = Outcome::failed;
            answer = {};
            answer.put(std::string(error.what()));
        }
        size = answer.bytes.size();
        if (!write_all(socket, &outcome, sizeof outcome) || !write_all(socket, &size, sizeof size) ||
            !write_all(socket, answer.bytes.data(), size)) {
            return;
        }
    }
}

/// Dies silently of what the library does, leaves Ctrl-C to the caller.
void become_reader(std::uint64_t file_bytes) {
    for (const int fatal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP, SIGXCPU, SIGTERM})
        std::signal(fatal, SIG_DFL);
    std::signal(SIGINT, SIG_IGN);
    if (const int nowhere = ::open("/dev/null", O_WRONLY); nowhere >= 0) {
        ::dup2(nowhere, STDOUT_FILENO);
        ::dup2(nowhere, STDERR_FILENO);
    }
    limit(RLIMIT_CORE, 0);
    limit_memory(file_bytes);
}

/// By a signal, so that nothing runs that the caller's own end would bring.
[[noreturn]] void end_copy() {
    for (;;) ::kill(::getpid(), SIGKILL);
}

FileError no_process(const std::string& path) {
    return {path, "",
            "no process can be started to read it: " + std::generic_category().message(errno) + "."};
}

}  // namespace

Process::Process(std::string path, std::uint64_t size) : path_(std::move(path)), file_bytes_(size) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) throw no_process(path_);
    child_ = ::fork();
    if (child_ < 0) {
        const FileError error = no_process(path_);
        ::close(ends[0]);
        ::close(ends[1]);
        throw error;
    }
    if (child_ == 0) {
        // Nothing of the caller may run here: not what follows, nor what its exit would bring.
        try {
            become_reader(size);
            ::close(ends[0]);
            serve(ends[1], size);
        } catch (...) {  // the caller sees that nobody answers
        }
        end_copy();
    }
    ::close(ends[1]);
    socket_ = ends[0];
}

Process::~Process() {
    // Copies made later have this end of the socket, too: closing it would not tell that nothing more comes.
    ::shutdown(socket_, SHUT_RDWR);
    ::close(socket_);
    while (child_ > 0 && ::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

void Process::fail(const std::string& why) const {
    throw FileError(path_, "", "is damaged: " + why + ". Take another copy, or write it anew.");
}
void Process::give_up(const std::string& why) const {
    ::shutdown(socket_, SHUT_RDWR);
    fail(why);
}

void Process::receive(void* data, std::uint64_t size) {
    if (read_all(socket_, data, size)) return;
    int status = 0;
    while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    child_ = -1;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        fail("the HDF5 library does not come to an end with it");
    fail("the HDF5 library cannot bear it" +
         (WIFSIGNALED(status) ? " (signal " + std::to_string(WTERMSIG(status)) + ")" : std::string()));
}

std::uint64_t Process::send(Task task, const Message& question) {
    if (child_ < 0) fail("the HDF5 library could not bear it");
    Message head;
    head.put(question.bytes.size() + sizeof task);
    head.put(task);
    // That the copy is gone shows when its answer is asked for.
    static_cast<void>(write_all(socket_, head.bytes.data(), head.bytes.size()) &&
                      write_all(socket_, question.bytes.data(), question.bytes.size()));
    Outcome outcome{};
    std::uint64_t size = 0;
    receive(&outcome, sizeof outcome);
    receive(&size, sizeof size);
    if (size > most_bytes(file_bytes_)) give_up("the HDF5 library finds more in it than it can hold");
    if (outcome == Outcome::answered) return size;

    Message answer;
    answer.bytes.resize(size);
    receive(answer.bytes.data(), size);
    std::string path, where, what;
    try {
        if (outcome == Outcome::refused) {
            path = answer.take<std::string>();
            where = answer.take<std::string>();
        }
        what = answer.take<std::string>();
    } catch (const std::out_of_range&) {
        give_up("the HDF5 library gives no answer that makes sense");
    }
    if (outcome != Outcome::refused) fail(what);
    // what() is that of FileError: path, where and text.
    const std::size_t prefix = path.size() + 2 + (where.empty() ? 0 : where.size() + 2);
    throw FileError(path, where, what.substr(std::min(prefix, what.size())));
}

Message Process::ask(Task task, const Message& question) {
    Message answer;
    answer.bytes.resize(send(task, question));
    receive(answer.bytes.data(), answer.bytes.size());
    return answer;
}

void Process::ask(Task task, const Message& question, std::span<std::byte> answer) {
    if (send(task, question) != answer.size()) give_up("the HDF5 library finds another size than before");
    receive(answer.data(), answer.size());
}

}  // namespace saltus::io::hdf5
