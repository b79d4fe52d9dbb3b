// Memory for arrays that are read all over the place: on large pages where the system has them, so that
// finding a page does not cost more than reading it.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
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
        if (n * sizeof(T) < worthwhile) return std::allocator<T>().allocate(n);
        const std::size_t bytes = (n * sizeof(T) + page - 1) / page * page;
        void* memory = std::aligned_alloc(page, bytes);
        if (!memory) throw std::bad_alloc();
#if defined(__linux__)
        // Advice: it is no error if the system does not follow it.
        (void)madvise(memory, bytes, MADV_HUGEPAGE);
#endif
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, std::size_t n) noexcept {
        if (n * sizeof(T) < worthwhile)
            std::allocator<T>().deallocate(memory, n);
        else
            std::free(memory);
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
