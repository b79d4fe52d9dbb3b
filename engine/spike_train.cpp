#include "saltus/engine/spike_train.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace saltus {

void SpikeTrain::sort() {
    const auto before = [&](std::size_t a, std::size_t b) {
        return times[a] != times[b] ? times[a] < times[b] : neurons[a] < neurons[b];
    };
    bool sorted = true;
    for (std::size_t i = 1; i < size() && sorted; ++i) sorted = !before(i, i - 1);
    if (sorted) return;
    std::vector<std::pair<Time, NeuronIndex>> spikes;
    spikes.reserve(size());
    for (std::size_t i = 0; i < size(); ++i) spikes.emplace_back(times[i], neurons[i]);
    std::sort(spikes.begin(), spikes.end());
    for (std::size_t i = 0; i < size(); ++i) std::tie(times[i], neurons[i]) = spikes[i];
}

}  // namespace saltus
