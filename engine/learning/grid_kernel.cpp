#include "grid_kernel.hpp"

#include <algorithm>
#include <array>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace saltus::learning {

namespace {

template <std::size_t tile>
Hit advance_plain(const std::int32_t* weights, std::size_t stride, const ArrivalGroups& arrivals,
                  std::size_t first, std::int32_t* V) {
    std::size_t begin = first == 0 ? 0 : arrivals.ends[first - 1];
    for (std::size_t g = first; g < arrivals.ends.size(); ++g) {
        for (; begin < arrivals.ends[g]; ++begin) {
            const std::int32_t* row = weights + arrivals.sources[begin] * stride;
            for (std::size_t k = 0; k < tile; ++k) V[k] += row[k];
        }
        std::int32_t signs = -1;
        for (std::size_t k = 0; k < tile; ++k) signs &= V[k];
        if (signs < 0) continue;
        Hit hit{g, 0};
        for (std::size_t k = 0; k < tile; ++k) hit.lanes |= std::uint64_t{V[k] >= 0} << k;
        return hit;
    }
    return {arrivals.ends.size(), 0};
}

#if defined(__x86_64__)
/// The potentials stay in registers.
template <std::size_t... k>
[[gnu::target("avx2")]] Hit advance_avx2(std::index_sequence<k...>, const std::int32_t* weights,
                                         std::size_t stride, const ArrivalGroups& arrivals, std::size_t first,
                                         std::int32_t* V) {
    const auto at = [](const std::int32_t* p, std::size_t i) {
        return reinterpret_cast<const __m256i*>(p) + i;
    };
    __m256i v[sizeof...(k)] = {_mm256_load_si256(at(V, k))...};
    std::size_t begin = first == 0 ? 0 : arrivals.ends[first - 1];
    for (std::size_t g = first; g < arrivals.ends.size(); ++g) {
        for (; begin < arrivals.ends[g]; ++begin) {
            const std::int32_t* row = weights + arrivals.sources[begin] * stride;
            ((v[k] = _mm256_add_epi32(v[k], _mm256_load_si256(at(row, k)))), ...);
        }
        __m256i signs = _mm256_set1_epi32(-1);
        ((signs = _mm256_and_si256(signs, v[k])), ...);
        if (_mm256_movemask_ps(_mm256_castsi256_ps(signs)) == 0xff) continue;
        std::uint64_t negative = 0;
        ((negative |= static_cast<std::uint64_t>(_mm256_movemask_ps(_mm256_castsi256_ps(v[k]))) << (8 * k)),
         ...);
        (_mm256_store_si256(reinterpret_cast<__m256i*>(V) + k, v[k]), ...);
        constexpr std::uint64_t all = ~std::uint64_t{0} >> (64 - 8 * sizeof...(k));
        return {g, ~negative & all};
    }
    (_mm256_store_si256(reinterpret_cast<__m256i*>(V) + k, v[k]), ...);
    return {arrivals.ends.size(), 0};
}

const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
#endif

}  // namespace

Hit advance(std::size_t tile, const std::int32_t* weights, std::size_t stride, const ArrivalGroups& arrivals,
            std::size_t first, std::int32_t* V) {
#if defined(__x86_64__)
    if (has_avx2) {
        return tile == wide_tile ? advance_avx2(std::make_index_sequence<wide_tile / 8>(), weights, stride,
                                                arrivals, first, V)
                                 : advance_avx2(std::make_index_sequence<narrow_tile / 8>(), weights, stride,
                                                arrivals, first, V);
    }
#endif
    return tile == wide_tile ? advance_plain<wide_tile>(weights, stride, arrivals, first, V)
                             : advance_plain<narrow_tile>(weights, stride, arrivals, first, V);
}

}  // namespace saltus::learning
