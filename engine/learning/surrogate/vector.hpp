// Blocks of numbers that the compiler keeps in vector registers, as wide as the machine has them.
#pragma once

#include <cstring>

#include "kernels.hpp"

namespace saltus::learning::surrogate {

template <class T>
struct BlockOf;
template <>
struct BlockOf<float> {
    typedef float Type __attribute__((vector_size(lanes * sizeof(float))));
};
template <>
struct BlockOf<double> {
    typedef double Type __attribute__((vector_size(lanes * sizeof(double))));
};
template <class T>
using Block = typename BlockOf<T>::Type;

// Unaligned; without a call, in which wide vectors would have no agreed place.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"
template <class T>
[[gnu::always_inline]] inline Block<T> load(const T* from) {
    Block<T> block;
    std::memcpy(&block, from, sizeof(block));
    return block;
}
template <class T>
[[gnu::always_inline]] inline void store(T* to, const Block<T>& block) {
    std::memcpy(to, &block, sizeof(block));
}
#pragma GCC diagnostic pop

}  // namespace saltus::learning::surrogate
