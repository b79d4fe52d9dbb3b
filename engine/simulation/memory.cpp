#include "memory.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <limits>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/resource.h>
#include <unistd.h>
#endif

namespace saltus {

std::uint64_t most_memory() {
    std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
#if defined(__unix__) || defined(__APPLE__)
    const long pages = sysconf(_SC_PHYS_PAGES);
    const long page = sysconf(_SC_PAGESIZE);
    if (pages > 0 && page > 0) most = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page);
    rlimit limit{};
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        most = std::min<std::uint64_t>(most, limit.rlim_cur);
#endif
    std::ifstream group("/sys/fs/cgroup/memory.max");  // "max" where there is no limit
    std::uint64_t bytes = 0;
    if (group >> bytes) most = std::min(most, bytes);
    return most;
}

std::string shown_bytes(double bytes) {
    constexpr std::array units{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
    std::size_t unit = 0;
    for (; bytes >= 1024.0 && unit + 1 < units.size(); ++unit) bytes /= 1024.0;
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.3g %s", bytes, units[unit]);
    return text.data();
}

}  // namespace saltus
