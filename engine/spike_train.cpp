#include "saltus/engine/spike_train.hpp"

#include <algorithm>
#include <numeric>

namespace saltus {

void SpikeTrain::sort() {
    const auto before = [&](std::size_t a, std::size_t b) {
        return times[a] != times[b] ? times[a] < times[b] : neurons[a] < neurons[b];
    };
    bool sorted = true;
    for (std::size_t i = 1; i < size() && sorted; ++i) sorted = !before(i, i - 1);
    if (sorted) return;
    std::vector<std::size_t> order(size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), before);
    SpikeTrain result;
    result.reserve(size());
    for (const std::size_t i : order) result.add(times[i], neurons[i]);
    *this = std::move(result);
}

}  // namespace saltus
