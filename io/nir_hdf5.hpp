// How the element types of NIR documents look to the HDF5 library.
#pragma once

#include "hdf5.hpp"
#include "saltus/io/nir.hpp"

namespace saltus::io {

[[nodiscard]] inline hdf5::Handle memory_type(NirType type) {
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

}  // namespace saltus::io
