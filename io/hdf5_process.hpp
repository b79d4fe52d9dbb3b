// A process of its own in which the HDF5 library reads one file.
//
// Library 1.10 trusts what a file says of itself (superblock, object headers, B-trees, heaps): a few wrong
// bytes bring it down, or make it overwrite memory. So it never reads a file in the process of the caller.
// That process is copied (fork), the copy opens the file and answers questions until the last object of the
// file is gone here. If the library dies there, over a file or for want of memory or time, a FileError is
// what is left of it. What comes back is taken for no more than bytes: nothing in it is an address, and
// sizes are compared before they are believed.
//
// A question is a function of the program, which has the same address in the copy, and its arguments. An
// alternative, to check all metadata beforehand, would be a second HDF5 library.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "hdf5.hpp"

namespace saltus::io::hdf5 {

template <class T>
concept PlainValue = std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_pointer_v<T>;

/// Values one after the other, as bytes.
class Message {
  public:
    template <PlainValue T>
    void put(T value) {
        bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void put(const std::string& text) {
        put(text.size());
        bytes += text;
    }
    void put(const Child& child) {
        put(child.name);
        put(child.kind);
        put(child.address);
    }
    template <class T>
    void put(const std::vector<T>& values) {
        put(values.size());
        for (const T& value : values) put(value);
    }
    template <class T>
    void put(const std::optional<T>& value) {
        put(value.has_value());
        if (value) put(*value);
    }

    /// What was put, in the same order. Throws std::out_of_range where there is less.
    template <class T>
    [[nodiscard]] T take() {
        T value{};
        take(value);
        return value;
    }

    std::string bytes;

  private:
    template <PlainValue T>
    void take(T& value) {
        std::memcpy(&value, next(sizeof value), sizeof value);
    }
    void take(bool& value) { value = take<std::uint8_t>() != 0; }
    void take(std::string& text) {
        const auto size = take<std::size_t>();
        text.assign(next(size), size);
    }
    void take(Child& child) {
        take(child.name);
        take(child.kind);
        take(child.address);
    }
    template <class T>
    void take(std::vector<T>& values) {
        for (auto left = take<std::size_t>(); left > 0; --left) values.push_back(take<T>());
    }
    template <class T>
    void take(std::optional<T>& value) {
        if (take<bool>()) value = take<T>();
    }
    const char* next(std::size_t n) {
        if (n > bytes.size() - at_) throw std::out_of_range("a message is too short");
        at_ += n;
        return bytes.data() + (at_ - n);
    }

    std::size_t at_ = 0;
};

class Process {
  public:
    /// Answers a question in the copy.
    using Task = void (*)(Opened& opened, Message& question, Message& answer);
    /// Copies this process for the file at `path` of `size` bytes. Throws FileError where that is impossible.
    Process(std::string path, std::uint64_t size);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    /// Throws the FileError that the task threw, and FileError where the copy has died, or talks nonsense.
    [[nodiscard]] Message ask(Task task, const Message& question);
    /// The answer is so many bytes.
    void ask(Task task, const Message& question, std::span<std::byte> answer);

  private:
    /// Size of the answer that follows.
    [[nodiscard]] std::uint64_t send(Task task, const Message& question);
    void receive(void* data, std::uint64_t size);
    [[noreturn]] void fail(const std::string& why) const;
    /// fail(), and nothing is asked of the copy any more.
    [[noreturn]] void give_up(const std::string& why) const;

    std::string path_;
    std::uint64_t file_bytes_;
    pid_t child_ = -1;
    int socket_ = -1;
};

}  // namespace saltus::io::hdf5
