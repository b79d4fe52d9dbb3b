// How the element types of NIR documents look to the HDF5 library.
#pragma once

#include "hdf5.hpp"
#include "saltus/io/nir.hpp"

namespace saltus::io {

[[nodiscard]] hdf5::Handle memory_type(NirType type);

/// The type that a document keeps such a dataset in; it must hold numbers or booleans.
[[nodiscard]] NirType nir_type_of(const hdf5::Dataset& dataset);

/// Fills an array of that type and shape. No limit: the caller has checked.
void read_nir_array(const hdf5::Dataset& dataset, NirArray& array);
/// Throws FileError where the dataset holds neither numbers nor booleans.
[[nodiscard]] NirArray nir_array_of(const hdf5::Dataset& dataset);

void write_nir_array(const hdf5::Group& group, const std::string& name, const NirArray& array);

}  // namespace saltus::io
