#include "grid_kernel.hpp"

#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace saltus::learning {

namespace {

template <std::size_t tile>
std::size_t advance_plain(const std::int32_t* weights, std::size_t stride, const ArrivalGroups& arrivals,
                          std::size_t first, std::int32_t sure, std::int32_t* V, std::vector<Hit>& hits) {
    std::size_t begin = first == 0 ? 0 : arrivals.ends[first - 1];
    for (std::size_t g = first; g < arrivals.ends.size(); ++g) {
        for (; begin < arrivals.ends[g]; ++begin) {
            const std::int32_t* row = weights + arrivals.sources[begin] * stride;
            for (std::size_t k = 0; k < tile; ++k) V[k] += row[k];
        }
        std::int32_t signs = -1;
        for (std::size_t k = 0; k < tile; ++k) signs &= V[k];
        if (signs < 0) continue;
        Hit hit{0, static_cast<std::uint32_t>(g)};
        bool all_sure = true;
        for (std::size_t k = 0; k < tile; ++k) {
            if (V[k] < 0) continue;
            hit.lanes |= std::uint64_t{1} << k;
            all_sure = all_sure && V[k] >= sure;
        }
        hits.push_back(hit);
        if (!all_sure) return g;
        for (std::size_t k = 0; k < tile; ++k) V[k] = V[k] < 0 ? V[k] : never;
    }
    return arrivals.ends.size();
}

template <std::size_t tile>
void scatter_plain(const std::int32_t* weights, std::size_t stride, std::span<const Tap> taps,
                   std::uint32_t cell_step, std::uint32_t cell, std::int32_t* V,
                   std::vector<std::uint32_t>& hot) {
    for (const Tap& tap : taps) {
        const std::uint32_t to = tap.cell * cell_step + cell;
        std::int32_t* v = V + to * stride;
        const std::int32_t* row = weights + tap.row * stride;
        std::int32_t signs = -1;
        for (std::size_t k = 0; k < tile; ++k) signs &= v[k] += row[k];
        if (signs >= 0) hot.push_back(to);
    }
}

#if defined(__x86_64__)
template <std::size_t... k>
[[gnu::target("avx2")]] void scatter_avx2(std::index_sequence<k...>, const std::int32_t* weights,
                                          std::size_t stride, std::span<const Tap> taps,
                                          std::uint32_t cell_step, std::uint32_t cell, std::int32_t* V,
                                          std::vector<std::uint32_t>& hot) {
    const Tap* const end = taps.data() + taps.size();
    for (const Tap* tap = taps.data(); tap != end; ++tap) {
        const std::uint32_t to = tap->cell * cell_step + cell;
        auto* v = reinterpret_cast<__m256i*>(V + to * stride);
        const auto* row = reinterpret_cast<const __m256i*>(weights + tap->row * stride);
        const __m256i sum[sizeof...(k)] = {
            _mm256_add_epi32(_mm256_load_si256(v + k), _mm256_load_si256(row + k))...};
        (_mm256_store_si256(v + k, sum[k]), ...);
        __m256i signs = sum[0];
        ((signs = _mm256_and_si256(signs, sum[k])), ...);
        if (_mm256_movemask_ps(_mm256_castsi256_ps(signs)) != 0xff) hot.push_back(to);
    }
}

/// The potentials stay in registers.
template <std::size_t... k>
[[gnu::target("avx2")]] std::size_t advance_avx2(std::index_sequence<k...>, const std::int32_t* weights,
                                                 std::size_t stride, const ArrivalGroups& arrivals,
                                                 std::size_t first, std::int32_t sure, std::int32_t* V,
                                                 std::vector<Hit>& hits) {
    const std::uint32_t* sources = arrivals.sources.data();
    const std::uint32_t* ends = arrivals.ends.data();
    const std::size_t groups = arrivals.ends.size();
    __m256i v[sizeof...(k)] = {_mm256_load_si256(reinterpret_cast<const __m256i*>(V) + k)...};
    std::size_t begin = first == 0 ? 0 : ends[first - 1];
    std::size_t g = first;
    for (; g < groups; ++g) {
        for (const std::size_t end = ends[g]; begin < end; ++begin) {
            const auto* row = reinterpret_cast<const __m256i*>(weights + sources[begin] * stride);
            ((v[k] = _mm256_add_epi32(v[k], _mm256_load_si256(row + k))), ...);
        }
        __m256i signs = v[0];
        ((signs = _mm256_and_si256(signs, v[k])), ...);
        if (_mm256_movemask_ps(_mm256_castsi256_ps(signs)) == 0xff) continue;
        constexpr std::uint64_t all = ~std::uint64_t{0} >> (64 - 8 * sizeof...(k));
        const __m256i limit = _mm256_set1_epi32(sure);
        std::uint64_t negative = 0;
        std::uint64_t unsure = 0;
        ((negative |= std::uint64_t{static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(v[k])))}
                      << (8 * k)),
         ...);
        ((unsure |= std::uint64_t{static_cast<unsigned>(
                        _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(limit, v[k]))))}
                    << (8 * k)),
         ...);
        const std::uint64_t lanes = ~negative & all;
        hits.push_back({lanes, static_cast<std::uint32_t>(g)});
        if ((unsure & lanes) != 0) break;
        const __m256i off = _mm256_set1_epi32(never);
        ((v[k] = _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(off), _mm256_castsi256_ps(v[k]),
                                                      _mm256_castsi256_ps(v[k])))),
         ...);
    }
    (_mm256_store_si256(reinterpret_cast<__m256i*>(V) + k, v[k]), ...);
    return g;
}

const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
#endif

}  // namespace

std::size_t advance(std::size_t tile, const std::int32_t* weights, std::size_t stride,
                    const ArrivalGroups& arrivals, std::size_t first, std::int32_t sure, std::int32_t* V,
                    std::vector<Hit>& hits) {
#if defined(__x86_64__)
    if (has_avx2) {
        return tile == wide_tile ? advance_avx2(std::make_index_sequence<wide_tile / 8>(), weights, stride,
                                                arrivals, first, sure, V, hits)
                                 : advance_avx2(std::make_index_sequence<narrow_tile / 8>(), weights, stride,
                                                arrivals, first, sure, V, hits);
    }
#endif
    return tile == wide_tile ? advance_plain<wide_tile>(weights, stride, arrivals, first, sure, V, hits)
                             : advance_plain<narrow_tile>(weights, stride, arrivals, first, sure, V, hits);
}

void scatter(std::size_t tile, const std::int32_t* weights, std::size_t stride, std::span<const Tap> taps,
             std::uint32_t cell_step, std::uint32_t cell, std::int32_t* V, std::vector<std::uint32_t>& hot) {
#if defined(__x86_64__)
    if (has_avx2) {
        if (tile == narrow_tile) {
            scatter_avx2(std::make_index_sequence<narrow_tile / 8>(), weights, stride, taps, cell_step, cell,
                         V, hot);
        } else {
            scatter_avx2(std::make_index_sequence<2 * narrow_tile / 8>(), weights, stride, taps, cell_step,
                         cell, V, hot);
        }
        return;
    }
#endif
    if (tile == narrow_tile) {
        scatter_plain<narrow_tile>(weights, stride, taps, cell_step, cell, V, hot);
    } else {
        scatter_plain<2 * narrow_tile>(weights, stride, taps, cell_step, cell, V, hot);
    }
}

}  // namespace saltus::learning
