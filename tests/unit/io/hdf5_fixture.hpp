// HDF5 files as tests need them, right and wrong, straight through the C API: independent of the library's
// own classes.
#pragma once

#define H5_USE_110_API
#include <hdf5.h>

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace saltus::test {

template <class T>
hid_t memory_type() {
    if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
    if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
    if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
    if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_NATIVE_UINT64;
    if constexpr (std::is_same_v<T, std::int32_t>) return H5T_NATIVE_INT32;
    if constexpr (std::is_same_v<T, std::uint32_t>) return H5T_NATIVE_UINT32;
    if constexpr (std::is_same_v<T, std::int16_t>) return H5T_NATIVE_INT16;
    if constexpr (std::is_same_v<T, std::uint16_t>) return H5T_NATIVE_UINT16;
    if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_NATIVE_UINT8;
}

/// Closes an identifier, of whatever kind, at the end of the scope. Throws where making it failed.
class Hid {
  public:
    explicit Hid(hid_t id) : id_(id) {
        if (id < 0) throw std::runtime_error("the test cannot make or open an HDF5 object");
    }
    ~Hid() { H5Idec_ref(id_); }
    Hid(const Hid&) = delete;
    Hid& operator=(const Hid&) = delete;
    operator hid_t() const { return id_; }  // NOLINT: reads like the C API

  private:
    hid_t id_;
};

class Hdf5Writer {
  public:
    explicit Hdf5Writer(const std::filesystem::path& path)
        : file_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)),
          links_(H5Pcreate(H5P_LINK_CREATE)) {
        H5Pset_create_intermediate_group(links_, 1);
    }

    Hdf5Writer& group(const std::string& path) {
        const Hid made(H5Gcreate2(file_, path.c_str(), links_, H5P_DEFAULT, H5P_DEFAULT));
        return *this;
    }
    template <class T>
    Hdf5Writer& column(const std::string& path, const std::vector<T>& values) {
        return write(path, memory_type<T>(), values.size(), values.data());
    }
    /// Several dimensions.
    template <class T>
    Hdf5Writer& cube(const std::string& path, const std::vector<T>& values,
                     const std::vector<hsize_t>& shape) {
        const Hid space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
        const Hid dataset(
            H5Dcreate2(file_, path.c_str(), memory_type<T>(), space, links_, H5P_DEFAULT, H5P_DEFAULT));
        H5Dwrite(dataset, memory_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
        return *this;
    }
    template <class T>
    Hdf5Writer& rows(const std::string& path, std::vector<std::vector<T>> rows) {
        std::vector<hvl_t> references;
        for (std::vector<T>& row : rows) references.push_back({row.size(), row.data()});
        const Hid type(H5Tvlen_create(memory_type<T>()));
        return write(path, type, references.size(), references.data());
    }
    Hdf5Writer& strings(const std::string& path, const std::vector<std::string>& values) {
        std::vector<const char*> texts;
        for (const std::string& value : values) texts.push_back(value.c_str());
        const Hid type(H5Tcopy(H5T_C_S1));
        H5Tset_size(type, H5T_VARIABLE);
        return write(path, type, texts.size(), static_cast<const void*>(texts.data()));
    }
    /// Of fixed length, as NEST and older h5py write it.
    Hdf5Writer& text_attribute(const std::string& object, const std::string& name, const std::string& value) {
        const Hid type(H5Tcopy(H5T_C_S1));
        H5Tset_size(type, value.size());
        return attribute(object, name, type, value.data());
    }
    Hdf5Writer& integer_attribute(const std::string& object, const std::string& name, std::int32_t value) {
        return attribute(object, name, H5T_NATIVE_INT32, &value);
    }
    Hdf5Writer& soft_link(const std::string& path, const std::string& target) {
        H5Lcreate_soft(target.c_str(), file_, path.c_str(), links_, H5P_DEFAULT);
        return *this;
    }
    Hdf5Writer& external_link(const std::string& path, const std::string& file, const std::string& target) {
        H5Lcreate_external(file.c_str(), target.c_str(), file_, path.c_str(), links_, H5P_DEFAULT);
        return *this;
    }

  private:
    Hdf5Writer& write(const std::string& path, hid_t type, hsize_t n, const void* data) {
        const Hid space(H5Screate_simple(1, &n, nullptr));
        const Hid dataset(H5Dcreate2(file_, path.c_str(), type, space, links_, H5P_DEFAULT, H5P_DEFAULT));
        H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
        return *this;
    }
    Hdf5Writer& attribute(const std::string& object, const std::string& name, hid_t type, const void* data) {
        const Hid owner(H5Oopen(file_, object.c_str(), H5P_DEFAULT));
        const Hid space(H5Screate(H5S_SCALAR));
        const Hid made(H5Acreate2(owner, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT));
        H5Awrite(made, type, data);
        return *this;
    }

    Hid file_;
    Hid links_;
};

class Hdf5Reader {
  public:
    explicit Hdf5Reader(const std::filesystem::path& path)
        : file_(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT)) {}

    template <class T>
    [[nodiscard]] std::vector<T> values(const std::string& path) const {
        const Hid dataset(H5Dopen2(file_, path.c_str(), H5P_DEFAULT));
        const Hid space(H5Dget_space(dataset));
        std::vector<T> result(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
        H5Dread(dataset, memory_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, result.data());
        return result;
    }
    [[nodiscard]] std::vector<hsize_t> shape(const std::string& path) const {
        const Hid dataset(H5Dopen2(file_, path.c_str(), H5P_DEFAULT));
        const Hid space(H5Dget_space(dataset));
        std::vector<hsize_t> result(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
        H5Sget_simple_extent_dims(space, result.data(), nullptr);
        return result;
    }
    [[nodiscard]] std::size_t type_size(const std::string& path) const {
        const Hid dataset(H5Dopen2(file_, path.c_str(), H5P_DEFAULT));
        const Hid type(H5Dget_type(dataset));
        return H5Tget_size(type);
    }
    [[nodiscard]] int filters(const std::string& path) const {
        const Hid dataset(H5Dopen2(file_, path.c_str(), H5P_DEFAULT));
        const Hid properties(H5Dget_create_plist(dataset));
        return H5Pget_nfilters(properties);
    }
    [[nodiscard]] std::vector<std::uint32_t> integers_of(const std::string& object,
                                                         const std::string& name) const {
        const Hid attribute(H5Aopen_by_name(file_, object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT));
        const Hid space(H5Aget_space(attribute));
        std::vector<std::uint32_t> result(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
        H5Aread(attribute, H5T_NATIVE_UINT32, result.data());
        return result;
    }
    [[nodiscard]] std::string text_of(const std::string& object, const std::string& name) const {
        const Hid attribute(H5Aopen_by_name(file_, object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT));
        const Hid type(H5Tcopy(H5T_C_S1));
        H5Tset_size(type, H5T_VARIABLE);
        H5Tset_cset(type, H5T_CSET_UTF8);
        char* text = nullptr;
        H5Aread(attribute, type, static_cast<void*>(&text));
        const std::string result = text == nullptr ? "" : text;
        H5free_memory(text);
        return result;
    }
    /// Name of the member that an enum attribute over uint8 holds.
    [[nodiscard]] std::string member_of(const std::string& object, const std::string& name) const {
        const Hid attribute(H5Aopen_by_name(file_, object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT));
        const Hid type(H5Aget_type(attribute));
        const Hid base(H5Tget_super(type));
        if (H5Tequal(base, H5T_STD_U8LE) <= 0) return "not an enum over uint8";
        std::uint8_t value = 0;
        H5Aread(attribute, type, &value);
        char text[64] = {};
        H5Tenum_nameof(type, &value, text, sizeof text);
        return text;
    }

  private:
    Hid file_;
};

}  // namespace saltus::test
