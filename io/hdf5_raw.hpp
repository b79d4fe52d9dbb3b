// The few bytes of an HDF5 file that must be looked at without the library (HDF5 File Format
// Specification 3.0, II.A superblock, III.E global heap).
//
// The superblock holds the length that the file ought to have: a shorter file is truncated. A variable-length
// value is stored as a reference (length, address of a collection in the global heap, index of an object in
// it). Library 1.10 asks for memory by the length and then copies the whole heap object into it without
// comparing the two, so a reader that must survive any file compares them first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace saltus::io::hdf5 {

/// A file as bytes, all numbers little endian.
class RawFile {
  public:
    RawFile() = default;
    RawFile(const std::filesystem::path& path, std::uint64_t size)
        : stream_(path, std::ios::binary), size_(size) {}

    [[nodiscard]] std::uint64_t size() const { return size_; }

    /// `n` bytes at `offset`; nothing where the file ends before.
    [[nodiscard]] std::optional<std::string> bytes(std::uint64_t offset, std::uint64_t n) const {
        if (offset > size_ || n > size_ - offset) return std::nullopt;
        std::string buffer(static_cast<std::size_t>(n), '\0');
        stream_.clear();
        stream_.seekg(static_cast<std::streamoff>(offset));
        stream_.read(buffer.data(), static_cast<std::streamsize>(n));
        if (!stream_) return std::nullopt;
        return buffer;
    }

  private:
    mutable std::ifstream stream_;
    std::uint64_t size_ = 0;
};

/// The number of `width` bytes at `at`.
[[nodiscard]] inline std::uint64_t number_at(const std::string& bytes, std::size_t at, std::size_t width) {
    std::uint64_t value = 0;
    for (std::size_t k = width; k-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes.at(at + k));
    return value;
}

/// The length that the file ought to have; nothing where it does not begin as an HDF5 file does.
[[nodiscard]] inline std::optional<std::uint64_t> promised_size(const RawFile& file) {
    constexpr std::uint64_t smallest = 48;  // of a superblock
    if (file.bytes(0, 8) != "\x89HDF\r\n\x1a\n") return std::nullopt;
    const auto head = file.bytes(0, smallest);
    if (!head) return smallest;
    const std::uint64_t version = number_at(*head, 8, 1);
    const auto width = static_cast<std::size_t>(number_at(*head, version < 2 ? 13 : 9, 1));
    if (width > 8) return 0;  // left to the library
    const std::size_t addresses = version >= 2 ? 12 : version == 1 ? 28 : 24;
    const auto end = file.bytes(addresses + 2 * width, width);
    return end ? number_at(*end, 0, width) : addresses + 3 * width;
}

/// Compares references to variable-length values with the heap objects that they name.
class HeapCheck {
  public:
    HeapCheck(const RawFile& file, std::size_t address_width, std::size_t length_width)
        : file_(file), address_width_(address_width), length_width_(length_width), unread_(file.size()) {}

    [[nodiscard]] std::size_t reference_size() const { return address_width_ + 8; }

    /// True where each reference in `references` names an object of exactly its length times `element_size`
    /// bytes.
    [[nodiscard]] bool agrees(const std::string& references, std::uint64_t element_size) {
        for (std::size_t at = 0; at + reference_size() <= references.size(); at += reference_size()) {
            const std::uint64_t length = number_at(references, at, 4);
            const std::uint64_t address = number_at(references, at + 4, address_width_);
            const std::uint64_t index = number_at(references, at + 4 + address_width_, 4);
            if (address == 0 ? length != 0 : object_size(address, index) != length * element_size)
                return false;
        }
        return true;
    }

  private:
    using Collection = std::unordered_map<std::uint64_t, std::uint64_t>;  // index -> size

    [[nodiscard]] std::optional<std::uint64_t> object_size(std::uint64_t address, std::uint64_t index) {
        auto found = collections_.find(address);
        if (found == collections_.end()) found = collections_.emplace(address, collection(address)).first;
        const auto object = found->second.find(index);
        if (object == found->second.end()) return std::nullopt;
        return object->second;
    }

    /// The objects of one collection; none where it is malformed.
    [[nodiscard]] Collection collection(std::uint64_t address) {
        const std::size_t head = 8 + length_width_;  // of the collection, and of each object
        const auto header = file_.bytes(address, head);
        if (!header || header->compare(0, 5, std::string("GCOL\x01")) != 0) return {};
        const std::uint64_t length = number_at(*header, 8, length_width_);
        if (length > unread_)
            return {};  // collections do not overlap: together they are no longer than the file
        unread_ -= length;
        const auto all = file_.bytes(address, length);
        if (!all) return {};
        Collection objects;
        std::uint64_t at = head;
        while (at + head <= length) {
            const std::uint64_t index = number_at(*all, static_cast<std::size_t>(at), 2);
            const std::uint64_t size = number_at(*all, static_cast<std::size_t>(at) + 8, length_width_);
            const bool is_free = index == 0;  // free space counts its own head
            if (size > length - at - (is_free ? 0 : head) || (is_free && size < head)) return {};
            if (!is_free && !objects.emplace(index, size).second) return {};
            at += is_free ? size : head + (size + 7) / 8 * 8;
        }
        return objects;
    }

    const RawFile& file_;
    std::size_t address_width_;
    std::size_t length_width_;
    std::uint64_t unread_;
    std::unordered_map<std::uint64_t, Collection> collections_;
};

}  // namespace saltus::io::hdf5
