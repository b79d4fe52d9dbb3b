// Calls of the HDF5 library that print nothing, and what the library says when one fails.
#pragma once

#include <string>

#include "hdf5.hpp"

namespace saltus::io::hdf5 {

/// Keeps the library from printing its error stack.
class Silence {
  public:
    Silence() {
        H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
        H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    }
    ~Silence() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;

  private:
    H5E_auto2_t function_ = nullptr;
    void* data_ = nullptr;
};

template <class Call>
auto quietly(Call call) {
    const Silence silence;
    return call();
}

/// What the library says about its last failure, in its own words: the innermost entry of its error stack.
[[nodiscard]] inline std::string last_failure() {
    std::string text;
    H5Ewalk2(
        H5E_DEFAULT, H5E_WALK_UPWARD,
        [](unsigned n, const H5E_error2_t* entry, void* data) -> herr_t {
            if (n == 0 && entry->desc != nullptr) *static_cast<std::string*>(data) = entry->desc;
            return 0;
        },
        &text);
    return text.empty() ? "the HDF5 library gives no reason" : text;
}

}  // namespace saltus::io::hdf5
