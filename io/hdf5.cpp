#include "hdf5.hpp"

#include <array>
#include <cstdio>

#include "files.hpp"
#include "hdf5_call.hpp"
#include "hdf5_opened.hpp"

namespace saltus::io::hdf5 {

namespace {

std::string stated(const Origin& origin, std::string_view object) {
    return origin.where != nullptr ? origin.where(object) : saltus::quoted(object);
}

}  // namespace

bool Handle::close() noexcept {
    if (id_ < 0) return true;
    const hid_t id = std::exchange(id_, H5I_INVALID_HID);
    return quietly([&] { return H5Idec_ref(id); }) >= 0;
}

Handle& Handle::operator=(Handle&& other) noexcept {
    if (this != &other) {
        close();
        id_ = std::exchange(other.id_, H5I_INVALID_HID);
    }
    return *this;
}

std::string human_bytes(std::uint64_t bytes) {
    static constexpr std::array<const char*, 5> units{"kB", "MB", "GB", "TB", "PB"};
    if (bytes < 1000) return std::to_string(bytes) + " bytes";
    double value = static_cast<double>(bytes) / 1000.0;
    std::size_t unit = 0;
    while (value >= 999.95 && unit + 1 < units.size()) {
        value /= 1000.0;
        ++unit;
    }
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f %s", value, units[unit]);
    return text.data();
}

std::string to_string(const std::vector<std::uint64_t>& shape) {
    std::string text = "[";
    for (const std::uint64_t extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
    return text + "]";
}

std::string Object::path_of(std::string_view child) const {
    return (name_ == "/" ? "" : name_) + "/" + std::string(child);
}

FileError Object::error(const std::string& text) const {
    return {origin_->path, stated(*origin_, name_), text};
}

FileError Object::error_at(std::string_view child, const std::string& text) const {
    return {origin_->path, stated(*origin_, path_of(child)), text};
}

Origin::Origin(std::string path_as_named, Where words, RawFile bytes)
    : path(std::move(path_as_named)), where(words), raw(std::move(bytes)) {}
Origin::~Origin() = default;

std::uint64_t Object::address() const {
    if (there_)
        return ask<Object>(
            *this, +[](Opened&, const Object& o) { return o.address(); });
    H5O_info_t info;
    if (quietly([&] { return H5Oget_info2(id(), &info, H5O_INFO_BASIC); }) < 0) {
        throw error("cannot be looked up: " + last_failure() + ".");
    }
    return info.addr;
}

File::File(Handle handle, std::shared_ptr<const Origin> origin)
    : handle_(std::move(handle)), origin_(std::move(origin)) {}

File File::open(const std::filesystem::path& path, Where where) {
    const std::uint64_t size = io::file_size(path);
    if (size == 0) throw FileError::unexpected(path.string(), "", "an HDF5 file", "an empty one");
    auto origin = std::make_shared<Origin>(path.string(), where, RawFile(path, size));
    const std::optional<std::uint64_t> promised = promised_size(origin->raw);
    if (!promised) throw FileError::unexpected(path.string(), "", "an HDF5 file", "other data");
    if (*promised > size) {
        throw FileError(path.string(), "",
                        "is truncated: expected " + std::to_string(*promised) + " bytes, found " +
                            std::to_string(size) + ". Copy it again from where it came.");
    }
    H5open();  // once, not in every copy
    origin->process = std::make_unique<Process>(origin->path, size);
    Message question;
    question.put(where);
    question.put(origin->path);
    const auto open_there = [](Opened& opened, Message& in, Message& out) {
        const auto words = in.take<Where>();
        out.put(opened.keep(opened_root(in.take<std::string>(), words)));
    };
    File file(Handle(), origin);
    file.root_ = origin->process->ask(open_there, question).take<std::uint64_t>();
    return file;
}

Group File::opened_root(const std::string& path, Where where) {
    auto origin = std::make_shared<const Origin>(path, where, RawFile(path, io::file_size(path)));
    const Handle access(H5Pcreate(H5P_FILE_ACCESS));
    Handle handle(quietly([&] { return H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()); }));
    if (!handle) throw FileError(path, "", "cannot be opened as HDF5: " + last_failure() + ".");
    return File(std::move(handle), std::move(origin)).root();
}

File File::create(const std::filesystem::path& path, const std::filesystem::path& target) {
    const Handle access(H5Pcreate(H5P_FILE_ACCESS));
    H5Pset_fclose_degree(access.id(), H5F_CLOSE_SEMI);
    Handle handle(quietly([&] { return H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.id()); }));
    if (!handle) throw FileError(target.string(), "", "cannot be written: " + last_failure() + ".");
    return {std::move(handle), std::make_shared<const Origin>(target.string(), nullptr, RawFile())};
}

Group File::root() const {
    if (origin_->process) return {root_, "/", origin_};
    Handle handle(quietly([&] { return H5Gopen2(handle_.id(), "/", H5P_DEFAULT); }));
    if (!handle) throw FileError(origin_->path, "", "has no root group: " + last_failure() + ".");
    return {std::move(handle), "/", origin_};
}

void File::close() {
    if (!handle_.close()) throw FileError(origin_->path, "", "cannot be written: " + last_failure() + ".");
}

}  // namespace saltus::io::hdf5
