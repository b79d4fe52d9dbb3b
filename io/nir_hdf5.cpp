#include "nir_hdf5.hpp"

#include <stdexcept>

namespace saltus::io {

hdf5::Handle memory_type(NirType type) {
    switch (type) {
        case NirType::float32:
            return hdf5::Handle(H5Tcopy(hdf5::native_type<float>()));
        case NirType::float64:
            return hdf5::Handle(H5Tcopy(hdf5::native_type<double>()));
        case NirType::int32:
            return hdf5::Handle(H5Tcopy(hdf5::native_type<std::int32_t>()));
        case NirType::int64:
            return hdf5::Handle(H5Tcopy(hdf5::native_type<std::int64_t>()));
        case NirType::uint8:
            return hdf5::Handle(H5Tcopy(hdf5::native_type<std::uint8_t>()));
        case NirType::boolean:
            return hdf5::boolean_type();
    }
    throw std::logic_error("unknown NirType");
}

NirType nir_type_of(const hdf5::Dataset& dataset) {
    switch (dataset.value_class()) {
        case hdf5::ValueClass::floating:
            return dataset.element_size() == 8 ? NirType::float64 : NirType::float32;
        case hdf5::ValueClass::boolean:
            return NirType::boolean;
        default:
            break;
    }
    if (dataset.element_size() == 1 && !dataset.is_signed()) return NirType::uint8;
    return dataset.element_size() == 4 && dataset.is_signed() ? NirType::int32 : NirType::int64;
}

void read_nir_array(const hdf5::Dataset& dataset, NirArray& array) {
    array.data.resize(static_cast<std::size_t>(array.size()) * size_of(array.type));
    if (array.type == NirType::boolean) {
        dataset.read_booleans(array.data.data());
    } else {
        dataset.read_numbers(memory_type(array.type).id(), array.data.data());
    }
}

NirArray nir_array_of(const hdf5::Dataset& dataset) {
    switch (dataset.value_class()) {
        case hdf5::ValueClass::integer:
        case hdf5::ValueClass::floating:
        case hdf5::ValueClass::boolean:
            break;
        default:
            throw dataset.error("expected numbers, found " + dataset.description() + ".");
    }
    NirArray array{nir_type_of(dataset), dataset.shape(), {}};
    read_nir_array(dataset, array);
    return array;
}

void write_nir_array(const hdf5::Group& group, const std::string& name, const NirArray& array) {
    if (array.data.size() != array.size() * size_of(array.type)) {
        throw group.error_at(name, "expected " + std::to_string(array.size()) + " elements of " +
                                       std::string(to_string(array.type)) + ", found " +
                                       std::to_string(array.data.size()) + " bytes.");
    }
    static_cast<void>(
        group.write_numbers(name, memory_type(array.type).id(), array.shape, array.data.data()));
}

}  // namespace saltus::io
