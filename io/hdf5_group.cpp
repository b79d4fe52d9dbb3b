// Groups: their entries read with suspicion, and written.
#include <algorithm>

#include "hdf5_call.hpp"
#include "hdf5_opened.hpp"
#include "hdf5_types.hpp"

namespace saltus::io::hdf5 {

namespace {

/// Arrays of at least this size are written chunked and compressed.
constexpr std::uint64_t compress_from = 4096;
constexpr std::uint64_t chunk_bytes = 1u << 20;

Handle utf8_names() {
    Handle properties(H5Pcreate(H5P_LINK_CREATE));
    H5Pset_char_encoding(properties.id(), H5T_CSET_UTF8);
    return properties;
}

/// Chunks of about a megabyte that span the last dimensions whole.
std::vector<hsize_t> chunk_shape(const std::vector<std::uint64_t>& shape, std::size_t element_size) {
    std::vector<hsize_t> chunk(shape.begin(), shape.end());
    std::uint64_t room = chunk_bytes / element_size;
    for (std::size_t k = chunk.size(); k-- > 0;) {
        chunk[k] = std::min<hsize_t>(chunk[k], std::max<std::uint64_t>(room, 1));
        room /= chunk[k];
    }
    return chunk;
}

std::string refused_link(H5L_type_t type) {
    const std::string kind = type == H5L_TYPE_EXTERNAL ? "link to another file"
                             : type == H5L_TYPE_SOFT   ? "soft link"
                                                       : "link of unknown kind";
    return "is a " + kind + ", which is not followed.";
}

}  // namespace

std::vector<Child> Group::children() const {
    if (there_)
        return ask<Group>(
            *this, +[](Opened&, const Group& group) { return group.children(); });
    struct Links {
        std::vector<std::pair<std::string, H5L_type_t>> found;
    } links;
    const Handle properties(quietly([&] { return H5Gget_create_plist(id()); }));
    unsigned order = 0;
    if (!properties || H5Pget_link_creation_order(properties.id(), &order) < 0) {
        throw error("is malformed: " + last_failure() + ".");
    }
    const H5_index_t index = (order & H5P_CRT_ORDER_TRACKED) != 0 ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
    const auto collect = [](hid_t, const char* name, const H5L_info_t* info, void* data) -> herr_t {
        try {
            static_cast<Links*>(data)->found.emplace_back(name, info->type);
            return 0;
        } catch (const std::exception&) {
            return -1;
        }
    };
    if (quietly([&] { return H5Literate(id(), index, H5_ITER_INC, nullptr, collect, &links); }) < 0) {
        throw error("its entries cannot be listed: " + last_failure() + ".");
    }

    std::vector<Child> children;
    children.reserve(links.found.size());
    for (auto& [name, type] : links.found) {
        if (type != H5L_TYPE_HARD) throw error_at(name, refused_link(type));
        if (name.empty() || name == "." || name.find('/') != std::string::npos || !is_utf8(name)) {
            throw error_at(name, "is not a name that HDF5 allows.");
        }
        H5O_info_t info;
        const char* const child = name.c_str();
        if (quietly([&] { return H5Oget_info_by_name2(id(), child, &info, H5O_INFO_BASIC, H5P_DEFAULT); }) <
            0) {
            throw error_at(name, "cannot be opened: " + last_failure() + ".");
        }
        const Kind kind = info.type == H5O_TYPE_GROUP     ? Kind::group
                          : info.type == H5O_TYPE_DATASET ? Kind::dataset
                                                          : Kind::other;
        children.push_back({std::move(name), kind, info.addr});
    }
    return children;
}

bool Group::contains(const std::string& child) const {
    if (there_) {
        return ask<Group>(
            *this, +[](Opened&, const Group& group, const std::string& name) { return group.contains(name); },
            child);
    }
    return quietly([&] { return H5Lexists(id(), child.c_str(), H5P_DEFAULT); }) > 0;
}

void Group::check_link(const std::string& child) const {
    if (!contains(child)) throw error_at(child, "is missing.");
    H5L_info_t info;
    if (quietly([&] { return H5Lget_info(id(), child.c_str(), &info, H5P_DEFAULT); }) < 0) {
        throw error_at(child, "cannot be opened: " + last_failure() + ".");
    }
    if (info.type != H5L_TYPE_HARD) throw error_at(child, refused_link(info.type));
}

Group Group::group(const std::string& child) const {
    if (there_) {
        const std::uint64_t there = ask<Group>(
            *this,
            +[](Opened& opened, const Group& group, const std::string& name) {
                return opened.keep(group.group(name));
            },
            child);
        return {there, path_of(child), origin_};
    }
    check_link(child);
    Handle handle(quietly([&] { return H5Gopen2(id(), child.c_str(), H5P_DEFAULT); }));
    if (!handle) throw error_at(child, "expected a group that can be opened: " + last_failure() + ".");
    return {std::move(handle), path_of(child), origin_};
}

Dataset Group::dataset(const std::string& child) const {
    if (there_) {
        const std::vector<std::uint64_t> facts = ask<Group>(
            *this,
            +[](Opened& opened, const Group& group, const std::string& name) {
                return Dataset::facts(opened, group.dataset(name));
            },
            child);
        return {facts, path_of(child), origin_};
    }
    check_link(child);
    Handle handle(quietly([&] { return H5Dopen2(id(), child.c_str(), H5P_DEFAULT); }));
    if (!handle) throw error_at(child, "expected a dataset that can be opened: " + last_failure() + ".");
    return {std::move(handle), path_of(child), origin_};
}

Group Group::create_group(const std::string& child) const {
    const Handle properties(H5Pcreate(H5P_GROUP_CREATE));
    H5Pset_link_creation_order(properties.id(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    const Handle names = utf8_names();
    Handle handle(
        quietly([&] { return H5Gcreate2(id(), child.c_str(), names.id(), properties.id(), H5P_DEFAULT); }));
    if (!handle) throw error_at(child, "cannot be written: " + last_failure() + ".");
    return {std::move(handle), path_of(child), origin_};
}

Object Group::write_numbers(const std::string& child, hid_t type, const std::vector<std::uint64_t>& shape,
                            const void* data, Storage storage) const {
    const Handle space = simple_space(shape);
    const Handle properties(H5Pcreate(H5P_DATASET_CREATE));
    std::uint64_t bytes = H5Tget_size(type);
    for (const std::uint64_t n : shape) bytes *= n;
    if (storage == Storage::compressed && !shape.empty() && bytes >= compress_from) {
        const std::vector<hsize_t> chunk = chunk_shape(shape, H5Tget_size(type));
        H5Pset_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data());
        H5Pset_shuffle(properties.id());
        H5Pset_deflate(properties.id(), 4);
    }
    return create_dataset(child, type, space.id(), properties.id(), data);
}

Object Group::create_dataset(const std::string& child, hid_t type, hid_t space, hid_t properties,
                             const void* data) const {
    const Handle names = utf8_names();
    Handle handle(quietly(
        [&] { return H5Dcreate2(id(), child.c_str(), type, space, names.id(), properties, H5P_DEFAULT); }));
    if (!handle ||
        quietly([&] { return H5Dwrite(handle.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data); }) < 0) {
        throw error_at(child, "cannot be written: " + last_failure() + ".");
    }
    return {std::move(handle), path_of(child), origin_};
}

void Group::write(const std::string& child, const std::string& value) const {
    write(child, {value}, {});
}

void Group::write(const std::string& child, const std::vector<std::string>& values,
                  const std::vector<std::uint64_t>& shape) const {
    const Handle type = string_type();
    const Handle space = simple_space(shape);
    std::vector<const char*> texts;
    texts.reserve(values.size());
    for (const std::string& value : values) {
        if (value.find('\0') != std::string::npos) throw error_at(child, "a string that holds a zero byte.");
        texts.push_back(value.c_str());
    }
    static_cast<void>(
        create_dataset(child, type.id(), space.id(), H5P_DEFAULT, static_cast<const void*>(texts.data())));
}

}  // namespace saltus::io::hdf5
