// Memory for arrays that are read all over the place: on large pages where the system has them, so that
// finding a page does not cost more than reading it.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace saltus {

template <class T>
struct LargePages {
    using value_type = T;

    LargePages() = default;
    template <class U>
    LargePages(const LargePages<U>&) noexcept {}

    [[nodiscard]] T* allocate(std::size_t n) {
        if (n * sizeof(T) < worthwhile) return static_cast<T*>(::operator new(n * sizeof(T)));
        void* memory = ::operator new (n * sizeof(T), std::align_val_t{page});
#if defined(__linux__)
        // Advice: it is no error if the system does not follow it.
        (void)madvise(memory, n * sizeof(T), MADV_HUGEPAGE);
#endif
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, std::size_t n) noexcept {
        if (n * sizeof(T) < worthwhile)
            ::operator delete(memory);
        else
            ::operator delete (memory, std::align_val_t{page});
    }
    friend bool operator==(const LargePages&, const LargePages&) {
        return true;
    }

  private:
    static constexpr std::size_t page = std::size_t{2} << 20;
    static constexpr std::size_t worthwhile = 2 * page;
};

template <class T>
using LargeArray = std::vector<T, LargePages<T>>;

}  // namespace saltus
