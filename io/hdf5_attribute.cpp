// Attributes of hdf5.hpp's objects.
#include <array>
#include <cmath>
#include <cstring>

#include "hdf5_call.hpp"
#include "hdf5_opened.hpp"
#include "hdf5_types.hpp"

namespace saltus::io::hdf5 {

H5T_class_t Object::attribute_class(const std::string& attribute) const {
    if (there_) {
        return ask<Object>(
            *this, +[](Opened&, const Object& o, const std::string& name) { return o.attribute_class(name); },
            attribute);
    }
    if (quietly([&] { return H5Aexists(id(), attribute.c_str()); }) <= 0) return H5T_NO_CLASS;
    const Handle open(quietly([&] { return H5Aopen(id(), attribute.c_str(), H5P_DEFAULT); }));
    const Handle type(quietly([&] { return H5Aget_type(open.id()); }));
    if (!type) {
        throw error("attribute " + saltus::quoted(attribute) + " cannot be read: " + last_failure() + ".");
    }
    return H5Tget_class(type.id());
}

std::optional<std::string> Object::string_attribute(const std::string& attribute) const {
    if (there_) {
        return ask<Object>(
            *this,
            +[](Opened&, const Object& o, const std::string& name) { return o.string_attribute(name); },
            attribute);
    }
    if (attribute_class(attribute) == H5T_NO_CLASS) return std::nullopt;
    const Handle open(quietly([&] { return H5Aopen(id(), attribute.c_str(), H5P_DEFAULT); }));
    const Handle type(quietly([&] { return H5Aget_type(open.id()); }));
    const Handle space(quietly([&] { return H5Aget_space(open.id()); }));
    const std::string name = "attribute " + saltus::quoted(attribute);
    if (H5Tget_class(type.id()) != H5T_STRING || H5Sget_simple_extent_npoints(space.id()) != 1) {
        throw error(name + ": expected one string.");
    }
    std::string value;
    if (H5Tis_variable_str(type.id()) > 0) {
        char* text = nullptr;
        const Handle memory = memory_string_type(type.id());
        if (quietly([&] { return H5Aread(open.id(), memory.id(), static_cast<void*>(&text)); }) < 0) {
            throw error(name + " cannot be read: " + last_failure() + ".");
        }
        const std::unique_ptr<char, herr_t (*)(void*)> owner(text, H5free_memory);
        if (text != nullptr) value = text;
    } else {
        const std::size_t size = H5Tget_size(type.id());
        if (size > origin_->raw.size()) throw error(name + ": its length is beyond the file's.");
        std::string bytes(size, '\0');
        if (quietly([&] { return H5Aread(open.id(), type.id(), bytes.data()); }) < 0) {
            throw error(name + " cannot be read: " + last_failure() + ".");
        }
        value = unpadded(bytes, H5Tget_strpad(type.id()));
    }
    if (!is_utf8(value)) throw error(name + ": expected UTF-8, found other bytes.");
    return value;
}

std::optional<std::int64_t> Object::integer_attribute(const std::string& attribute) const {
    if (there_) {
        return ask<Object>(
            *this,
            +[](Opened&, const Object& o, const std::string& name) { return o.integer_attribute(name); },
            attribute);
    }
    const H5T_class_t type_class = attribute_class(attribute);
    if (type_class == H5T_NO_CLASS) return std::nullopt;
    const std::string name = "attribute " + saltus::quoted(attribute);
    const Handle open(quietly([&] { return H5Aopen(id(), attribute.c_str(), H5P_DEFAULT); }));
    const Handle space(quietly([&] { return H5Aget_space(open.id()); }));
    Handle type(quietly([&] { return H5Aget_type(open.id()); }));
    if (type_class == H5T_ENUM) type = Handle(quietly([&] { return H5Tget_super(type.id()); }));
    if (class_of(type.id()) != ValueClass::integer || H5Sget_simple_extent_npoints(space.id()) != 1) {
        throw error(name + ": expected one integer.");
    }
    // An enum is read as it is and converted afterwards: the library converts enums only to enums.
    std::array<std::byte, 8> value{};
    const Handle stored(quietly([&] { return H5Aget_type(open.id()); }));
    if (quietly([&] { return H5Aread(open.id(), stored.id(), value.data()); }) < 0 ||
        quietly([&] {
            return H5Tconvert(type.id(), H5T_NATIVE_INT64, 1, value.data(), nullptr, H5P_DEFAULT);
        }) < 0) {
        throw error(name + " cannot be read: " + last_failure() + ".");
    }
    std::int64_t number = 0;
    std::memcpy(&number, value.data(), sizeof number);
    return number;
}

std::optional<double> Object::real_attribute(const std::string& attribute) const {
    if (there_) {
        return ask<Object>(
            *this, +[](Opened&, const Object& o, const std::string& name) { return o.real_attribute(name); },
            attribute);
    }
    const H5T_class_t type_class = attribute_class(attribute);
    if (type_class == H5T_NO_CLASS) return std::nullopt;
    const std::string name = "attribute " + saltus::quoted(attribute);
    const Handle open(quietly([&] { return H5Aopen(id(), attribute.c_str(), H5P_DEFAULT); }));
    const Handle space(quietly([&] { return H5Aget_space(open.id()); }));
    const Handle type(quietly([&] { return H5Aget_type(open.id()); }));
    const ValueClass kind = class_of(type.id());
    if ((kind != ValueClass::floating && kind != ValueClass::integer) ||
        H5Sget_simple_extent_npoints(space.id()) != 1) {
        throw error(name + ": expected one number.");
    }
    double value = 0.0;
    if (quietly([&] { return H5Aread(open.id(), H5T_NATIVE_DOUBLE, &value); }) < 0)
        throw error(name + " cannot be read: " + last_failure() + ".");
    return value;
}

void Object::write_attribute(const std::string& attribute, hid_t type, hid_t space, const void* data) const {
    const bool written = quietly([&] {
        const Handle created(H5Acreate2(id(), attribute.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT));
        return created && H5Awrite(created.id(), type, data) >= 0;
    });
    if (!written) {
        throw error("attribute " + saltus::quoted(attribute) + " cannot be written: " + last_failure() + ".");
    }
}

void Object::write_attribute(const std::string& attribute, const std::string& value) const {
    const char* text = value.c_str();
    write_attribute(attribute, string_type().id(), simple_space({}).id(), static_cast<const void*>(&text));
}

void Object::write_attribute(const std::string& attribute, const std::vector<std::uint32_t>& values) const {
    write_attribute(attribute, H5T_NATIVE_UINT32, simple_space({values.size()}).id(), values.data());
}

void Object::write_attribute(const std::string& attribute, std::uint32_t value) const {
    write_attribute(attribute, H5T_NATIVE_UINT32, simple_space({}).id(), &value);
}

void Object::write_attribute(const std::string& attribute, std::int64_t value) const {
    write_attribute(attribute, H5T_NATIVE_INT64, simple_space({}).id(), &value);
}

void Object::write_attribute(const std::string& attribute, double value) const {
    write_attribute(attribute, H5T_NATIVE_DOUBLE, simple_space({}).id(), &value);
}

void Object::write_enum_attribute(const std::string& attribute, const std::vector<std::string>& members,
                                  std::uint8_t value) const {
    const Handle type(H5Tenum_create(H5T_STD_U8LE));
    std::uint8_t number = 0;
    for (const std::string& member : members) {
        H5Tenum_insert(type.id(), member.c_str(), &number);
        ++number;
    }
    write_attribute(attribute, type.id(), simple_space({}).id(), &value);
}

}  // namespace saltus::io::hdf5
