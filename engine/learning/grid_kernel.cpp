#include "grid_kernel.hpp"

#include <algorithm>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace saltus::learning {

namespace {

constexpr std::size_t wide_tile = 64;  // of registers of 32 bytes, and without any

template <std::size_t tile>
std::size_t advance_plain(const std::int32_t* weights, std::size_t stride, const Arrivals& arrivals,
                          std::size_t first, std::int32_t sure, std::int32_t* V, std::vector<Hit>& hits) {
    for (std::size_t a = first; a < arrivals.size; ++a) {
        const std::int32_t* row = weights + arrivals.sources[a] * stride;
        std::int32_t signs = -1;
        for (std::size_t k = 0; k < tile; ++k) signs &= V[k] += row[k];
        if (signs < 0 || arrivals.open[a] != 0) continue;
        Hit hit{0, static_cast<std::uint32_t>(a), 0};
        bool all_sure = true;
        for (std::size_t k = 0; k < tile; ++k) {
            if (V[k] < 0) continue;
            hit.lanes |= std::uint64_t{1} << k;
            all_sure = all_sure && V[k] >= sure;
        }
        hits.push_back(hit);
        if (!all_sure) return a;
        for (std::size_t k = 0; k < tile; ++k) V[k] = V[k] < 0 ? V[k] : never;
    }
    return arrivals.size;
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

/// The potentials stay in registers. Most instants have one or two arrivals: to look for a spike after each
/// of them costs less than a loop over those of an instant, whose end is often guessed wrong.
template <std::size_t... k>
[[gnu::target("avx2")]] std::size_t advance_avx2(std::index_sequence<k...>, const std::int32_t* weights,
                                                 std::size_t stride, const Arrivals& arrivals,
                                                 std::size_t first, std::int32_t sure, std::int32_t* V,
                                                 std::vector<Hit>& hits) {
    __m256i v[sizeof...(k)] = {_mm256_load_si256(reinterpret_cast<const __m256i*>(V) + k)...};
    std::size_t a = first;
    for (; a < arrivals.size; ++a) {
        const auto* row = reinterpret_cast<const __m256i*>(weights + arrivals.sources[a] * stride);
        ((v[k] = _mm256_add_epi32(v[k], _mm256_load_si256(row + k))), ...);
        __m256i signs = v[0];
        ((signs = _mm256_and_si256(signs, v[k])), ...);
        const auto below = static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(signs)));
        if (((below | arrivals.open[a]) & 0xff) == 0xff) continue;
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
        hits.push_back({lanes, static_cast<std::uint32_t>(a), 0});
        if ((unsure & lanes) != 0) break;
        const __m256i off = _mm256_set1_epi32(never);
        ((v[k] = _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(off), _mm256_castsi256_ps(v[k]),
                                                      _mm256_castsi256_ps(v[k])))),
         ...);
    }
    (_mm256_store_si256(reinterpret_cast<__m256i*>(V) + k, v[k]), ...);
    return a;
}

/// Tells the lanes of V that are >= 0 after arrival a, 64 a hit, and whether all of them are sure. Apart from
/// the loop below, whose registers it would take.
[[gnu::target("avx512f"), gnu::noinline]] bool hit_avx512(std::size_t tile, std::size_t a, std::int32_t sure,
                                                          const std::int32_t* V, std::vector<Hit>& hits) {
    const __m512i zero = _mm512_setzero_si512();
    const __m512i limit = _mm512_set1_epi32(sure);
    std::uint32_t unsure = 0;
    for (std::size_t first = 0; first < tile; first += 64) {
        std::uint64_t lanes = 0;
        for (std::size_t k = 0; k < std::min<std::size_t>(64, tile - first); k += 16) {
            const __m512i v = _mm512_load_si512(V + first + k);
            const __mmask16 reached = _mm512_cmpge_epi32_mask(v, zero);
            unsure |= _mm512_mask_cmplt_epi32_mask(reached, v, limit);
            lanes |= std::uint64_t{reached} << k;
        }
        if (lanes == 0) continue;
        hits.push_back({lanes, static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(first)});
    }
    return unsure == 0;
}

/// The same with registers twice as wide, of which there are twice as many.
template <std::size_t... k>
[[gnu::target("avx512f")]] std::size_t advance_avx512(std::index_sequence<k...>, const std::int32_t* weights,
                                                      std::size_t stride, const Arrivals& arrivals,
                                                      std::size_t first, std::int32_t sure, std::int32_t* V,
                                                      std::vector<Hit>& hits) {
    __m512i v[sizeof...(k)] = {_mm512_load_si512(V + 16 * k)...};
    const __m512i zero = _mm512_setzero_si512();
    const __m512i off = _mm512_set1_epi32(never);
    const auto [n, sources, open] = arrivals;
    for (std::size_t a = first; a < n; ++a) {
        const std::int32_t* row = weights + sources[a] * stride;
        ((v[k] = _mm512_add_epi32(v[k], _mm512_load_si512(row + 16 * k))), ...);
        __m512i signs = v[0];
        ((signs = _mm512_and_si512(signs, v[k])), ...);
        const std::uint32_t below = _mm512_cmplt_epi32_mask(signs, zero);
        if (((below | open[a]) & 0xffff) == 0xffff) continue;
        (_mm512_store_si512(V + 16 * k, v[k]), ...);
        if (!hit_avx512(16 * sizeof...(k), a, sure, V, hits)) return a;
        ((v[k] = _mm512_mask_mov_epi32(v[k], _mm512_cmpge_epi32_mask(v[k], zero), off)), ...);
    }
    (_mm512_store_si512(V + 16 * k, v[k]), ...);
    return n;
}

template <std::size_t tile>
constexpr auto parts_of_16 = std::make_index_sequence<tile / 16>();

const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
const bool has_avx512 = __builtin_cpu_supports("avx512f") != 0;
#endif

}  // namespace

std::size_t widest_tile(std::size_t lanes) {
    for (const std::size_t tile : {128, 64, 32}) {
        if (tile > lanes) continue;
#if defined(__x86_64__)
        if (has_avx512) return tile;
#endif
        if (tile == wide_tile) return tile;
    }
    return narrow_tile;
}

std::size_t advance(std::size_t tile, const std::int32_t* weights, std::size_t stride,
                    const Arrivals& arrivals, std::size_t first, std::int32_t sure, std::int32_t* V,
                    std::vector<Hit>& hits) {
#if defined(__x86_64__)
    if (has_avx512) {
        switch (tile) {
            case 128:
                return advance_avx512(parts_of_16<128>, weights, stride, arrivals, first, sure, V, hits);
            case 64:
                return advance_avx512(parts_of_16<64>, weights, stride, arrivals, first, sure, V, hits);
            case 32:
                return advance_avx512(parts_of_16<32>, weights, stride, arrivals, first, sure, V, hits);
            default:
                return advance_avx512(parts_of_16<16>, weights, stride, arrivals, first, sure, V, hits);
        }
    }
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
