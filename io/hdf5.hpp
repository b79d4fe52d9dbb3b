// HDF5 files that may be hostile, read and written through a few small classes (HDF5 C API 1.10).
//
// A file is read in a process of its own (hdf5_process.hpp): an object of such a file stands for one over
// there. Reading follows only hard links inside the file, refuses data stored outside of it, and compares
// what a dataset declares with what is stored before any memory is asked for. Every failure is a FileError
// that names file and object. Nothing is printed: the library's own error printing is off during each call.
//
// HDF5 is built without thread safety on most machines: use one thread at a time for all files together.
#pragma once

#define H5_USE_110_API
#include <hdf5.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hdf5_raw.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::io::hdf5 {

class Opened;
class Message;
class Process;

/// Owns one HDF5 identifier of any kind.
class Handle {
  public:
    Handle() = default;
    explicit Handle(hid_t id) : id_(id) {}
    Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
    Handle& operator=(Handle&& other) noexcept;
    ~Handle() { close(); }

    [[nodiscard]] hid_t id() const { return id_; }
    explicit operator bool() const { return id_ >= 0; }
    bool close() noexcept;  // false: the library could not write what was still to be written

  private:
    hid_t id_ = H5I_INVALID_HID;
};

/// The words by which errors name the object at a path inside the file, for example "node 'lif', field
/// 'tau'".
using Where = std::string (*)(std::string_view object);

/// What all objects of one open file share.
struct Origin {
    std::string path;                  // of the file, as the caller named it
    Where where = nullptr;             // nullptr: the path itself in quotes
    RawFile raw;                       // the same file as bytes; none when writing
    std::unique_ptr<Process> process;  // where the file is open; null in that process, and when writing

    Origin(std::string path_as_named, Where words, RawFile bytes);
    ~Origin();
};

enum class Kind { group, dataset, other };

/// One entry of a group. `address` identifies the object within its file: hard links to it have the same.
struct Child {
    std::string name;
    Kind kind = Kind::other;
    std::uint64_t address = 0;
};

/// An open group or dataset.
class Object {
  public:
    [[nodiscard]] hid_t id() const { return handle_.id(); }
    [[nodiscard]] const std::string& name() const { return name_; }  // its path inside the file
    [[nodiscard]] std::uint64_t address() const;

    /// An error about this object, or about its entry `child`.
    [[nodiscard]] FileError error(const std::string& text) const;
    [[nodiscard]] FileError error_at(std::string_view child, const std::string& text) const;

    /// Attributes; nothing where there is none of that name. A FileError where it is of another type, or not
    /// scalar.
    [[nodiscard]] std::optional<std::string> string_attribute(const std::string& attribute) const;
    [[nodiscard]] std::optional<std::int64_t> integer_attribute(
        const std::string& attribute) const;                                                 // also enums
    [[nodiscard]] std::optional<double> real_attribute(const std::string& attribute) const;  // also integers
    /// Class of an attribute's type, H5T_NO_CLASS where there is none of that name.
    [[nodiscard]] H5T_class_t attribute_class(const std::string& attribute) const;

    void write_attribute(const std::string& attribute, const std::string& value) const;
    void write_attribute(const std::string& attribute, const std::vector<std::uint32_t>& values) const;
    void write_attribute(const std::string& attribute, std::uint32_t value) const;
    void write_attribute(const std::string& attribute, std::int64_t value) const;
    void write_attribute(const std::string& attribute, double value) const;
    /// An enum over uint8 whose members are numbered 0, 1, ...
    void write_enum_attribute(const std::string& attribute, const std::vector<std::string>& members,
                              std::uint8_t value) const;

  protected:
    friend class Group;
    friend class Opened;
    Object(Handle handle, std::string name, std::shared_ptr<const Origin> origin)
        : handle_(std::move(handle)), name_(std::move(name)), origin_(std::move(origin)) {}
    Object(std::uint64_t there, std::string name, std::shared_ptr<const Origin> origin)
        : there_(there), name_(std::move(name)), origin_(std::move(origin)) {}
    [[nodiscard]] std::string path_of(std::string_view child) const;
    template <class T, class R, class... A>
    [[nodiscard]] static R ask(const T& self, R (*f)(Opened&, const T&, const A&...), const A&... arguments);

    Handle handle_;
    std::optional<std::uint64_t> there_;  // its number in the process where the file is open
    std::string name_;
    std::shared_ptr<const Origin> origin_;

  private:
    void write_attribute(const std::string& attribute, hid_t type, hid_t space, const void* data) const;
};

/// Memory type of a C++ number.
template <class T>
[[nodiscard]] hid_t native_type();

enum class ValueClass { integer, floating, boolean, string, rows, other };

/// A dataset whose declared size, layout and storage are known to agree: opening throws FileError for data
/// stored in other files (external, virtual), for sizes that overflow, and where less is stored than is
/// declared.
class Dataset : public Object {
  public:
    [[nodiscard]] ValueClass value_class() const { return value_class_; }
    [[nodiscard]] std::size_t element_size() const {
        return element_size_;
    }                                                            // bytes of one element in the file
    [[nodiscard]] bool is_signed() const { return is_signed_; }  // integers
    [[nodiscard]] const std::vector<std::uint64_t>& shape() const { return shape_; }  // empty: one value
    [[nodiscard]] std::uint64_t size() const { return size_; }                        // number of elements
    [[nodiscard]] std::string description() const;  // "float32 [3, 2]", for errors

    /// All numbers in C order, converted: integers to any T, floating values to floating T. Throws where they
    /// are anything else, where a value is beyond the range of T, or where the result would need more than
    /// `limit` bytes.
    template <class T>
    [[nodiscard]] std::vector<T> read(std::uint64_t limit) const {
        check_size(sizeof(T), limit);
        std::vector<T> values(static_cast<std::size_t>(size_));
        read_numbers(native_type<T>(), values.data());
        return values;
    }
    /// As read(), into `buffer`, which holds size() values of the memory type. No limit: the caller has
    /// checked.
    void read_numbers(hid_t memory_type, void* buffer) const;
    /// Entries first, first + 1, ... of a column, as read() does.
    template <class T>
    [[nodiscard]] std::vector<T> read_part(std::uint64_t first, std::uint64_t count) const {
        std::vector<T> values(static_cast<std::size_t>(count));
        read_part(native_type<T>(), first, count, values.data());
        return values;
    }
    /// h5py's bool, one byte each, 0 or 1.
    void read_booleans(std::byte* buffer) const;
    void check_size(std::uint64_t bytes_per_element, std::uint64_t limit) const;

    /// Strings of fixed or variable length, ASCII or UTF-8, without padding. Throws for anything else, for
    /// broken UTF-8, and for strings that need more than `limit` bytes together.
    [[nodiscard]] std::string read_string(std::uint64_t limit = 1u << 20) const;  // of a scalar dataset
    [[nodiscard]] std::vector<std::string> read_strings(std::uint64_t limit) const;

    /// One row of a one-dimensional dataset of variable-length rows of numbers.
    template <class T>
    [[nodiscard]] std::vector<T> read_row(std::uint64_t row, std::uint64_t limit) const {
        std::vector<T> values;
        with_row(row, native_type<T>(), limit, [&values](const void* first, std::size_t n) {
            const T* begin = static_cast<const T*>(first);
            values.assign(begin, begin + n);
        });
        return values;
    }

  private:
    friend class Group;
    friend class Opened;
    Dataset(Handle handle, std::string name, std::shared_ptr<const Origin> origin);
    /// As `facts` of the one over there say.
    Dataset(const std::vector<std::uint64_t>& facts, std::string name, std::shared_ptr<const Origin> origin);
    /// Number in `opened`, class, element size, sign, size, shape.
    [[nodiscard]] static std::vector<std::uint64_t> facts(Opened& opened, Dataset dataset);
    /// Fills the buffer with what the task answers over there, to (number of the dataset, arguments...).
    void ask_bytes(void (*task)(Opened&, Message&, Message&), const std::vector<std::uint64_t>& arguments,
                   void* buffer, std::uint64_t size) const;
    void check_storage(hid_t properties) const;
    void check_references(hid_t properties, HeapCheck& heap) const;
    /// The library trusts that a chunk expands to its size, and reads beyond it where it does not.
    void check_chunks() const;
    /// Calls f(bytes as stored, mask of the filters that were not applied); no bytes where they lie outside
    /// the file.
    void for_each_chunk(const std::function<void(const std::optional<std::string>&, unsigned)>& f) const;
    void check_numbers(hid_t memory_type) const;
    void read_selected(hid_t memory_type, hid_t memory_space, hid_t file_space, void* buffer) const;
    void read_part(hid_t memory_type, std::uint64_t first, std::uint64_t count, void* buffer) const;
    [[nodiscard]] bool is_variable() const;
    void read_variable_strings(std::vector<std::string>& strings, std::uint64_t limit) const;
    void read_fixed_strings(std::vector<std::string>& strings) const;
    void with_row(std::uint64_t row, hid_t element, std::uint64_t limit,
                  const std::function<void(const void*, std::size_t)>& take) const;

    Handle type_;
    Handle space_;
    ValueClass value_class_ = ValueClass::other;
    std::size_t element_size_ = 0;
    bool is_signed_ = false;
    std::vector<std::uint64_t> shape_;
    std::uint64_t size_ = 0;
    mutable bool chunks_checked_ = false;
};

/// Of large arrays: chunked and compressed (gzip), or as they are, for readers that are built without gzip
/// (the wheel of libsonata 0.2.2).
enum class Storage { compressed, plain };

class Group : public Object {
  public:
    /// In the order of creation where the file tracks it, else by name. Throws FileError for an entry that is
    /// not a hard link: such a link may leave the file or lead back into it.
    [[nodiscard]] std::vector<Child> children() const;
    [[nodiscard]] bool contains(const std::string& child) const;
    /// Throws FileError where the entry is missing, a soft or external link, or of the other kind.
    [[nodiscard]] Group group(const std::string& child) const;
    [[nodiscard]] Dataset dataset(const std::string& child) const;

    /// Writing: a group lists its entries in the order in which they were made.
    [[nodiscard]] Group create_group(const std::string& child) const;
    /// Numbers, one value where `shape` is empty.
    template <class T>
    void write(const std::string& child, const std::vector<T>& values,
               const std::vector<std::uint64_t>& shape, Storage storage = Storage::compressed) const {
        static_cast<void>(write_numbers(child, native_type<T>(), shape, values.data(), storage));
    }
    /// The open dataset, for attributes.
    Object write_numbers(const std::string& child, hid_t type, const std::vector<std::uint64_t>& shape,
                         const void* data, Storage storage = Storage::compressed) const;
    void write(const std::string& child, const std::string& value) const;
    void write(const std::string& child, const std::vector<std::string>& values,
               const std::vector<std::uint64_t>& shape) const;

  private:
    friend class File;
    friend class Opened;
    using Object::Object;
    void check_link(const std::string& child) const;
    [[nodiscard]] Object create_dataset(const std::string& child, hid_t type, hid_t space, hid_t properties,
                                        const void* data) const;
};

/// An open file.
class File {
  public:
    /// For reading. Throws FileError, telling apart: no such file, a folder, empty, not HDF5, truncated.
    [[nodiscard]] static File open(const std::filesystem::path& path, Where where = nullptr);
    /// A new file in place of what is at `path` (the temporary name of an AtomicFile); errors name `target`.
    [[nodiscard]] static File create(const std::filesystem::path& path, const std::filesystem::path& target);

    [[nodiscard]] Group root() const;
    /// Ends writing; all groups and datasets of the file must be gone. Throws FileError.
    void close();

  private:
    File(Handle handle, std::shared_ptr<const Origin> origin);
    /// In the process that reads it: its root.
    [[nodiscard]] static Group opened_root(const std::string& path, Where where);

    Handle handle_;
    std::uint64_t root_ = 0;  // its number over there
    std::shared_ptr<const Origin> origin_;
};

/// h5py's bool: an enum of FALSE and TRUE over int8.
[[nodiscard]] Handle boolean_type();

/// "4.0 TB", for errors.
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);

/// "[3, 2]"
[[nodiscard]] std::string to_string(const std::vector<std::uint64_t>& shape);

}  // namespace saltus::io::hdf5
