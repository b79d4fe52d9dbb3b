// Blocks of numbers that the compiler keeps in vector registers. One that is wider than a register is taken
// apart badly, so loops choose the width.
#pragma once

#include <cstddef>
#include <cstring>

namespace saltus::learning::surrogate {

template <class T, std::size_t bytes>
struct BlockOf {
    typedef T Type __attribute__((vector_size(bytes)));
};
template <class T, std::size_t bytes>
using Block = typename BlockOf<T, bytes>::Type;

// Unaligned; without a call, in which wide vectors would have no agreed place.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"
template <std::size_t bytes, class T>
[[gnu::always_inline]] inline Block<T, bytes> load(const T* from) {
    Block<T, bytes> block;
    std::memcpy(&block, from, sizeof(block));
    return block;
}
template <class B, class T>
[[gnu::always_inline]] inline void store(T* to, const B& block) {
    std::memcpy(to, &block, sizeof(block));
}
#pragma GCC diagnostic pop

}  // namespace saltus::learning::surrogate
