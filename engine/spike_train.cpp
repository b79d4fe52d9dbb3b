#include "saltus/engine/spike_train.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "sort_spread.hpp"

namespace saltus {

void SpikeTrain::sort() {
    const auto before = [&](std::size_t a, std::size_t b) {
        return times[a] != times[b] ? times[a] < times[b] : neurons[a] < neurons[b];
    };
    bool sorted = true;
    for (std::size_t i = 1; i < size() && sorted; ++i) sorted = !before(i, i - 1);
    if (sorted) return;
    struct Entry {
        std::int64_t time;
        NeuronIndex neuron;
        bool operator<(const Entry& other) const {
            return time != other.time ? time < other.time : neuron < other.neuron;
        }
    };
    std::vector<Entry> spikes(size());
    for (std::size_t i = 0; i < size(); ++i) spikes[i] = {times[i].femtoseconds(), neurons[i]};
    const auto [first, last] = std::minmax_element(times.begin(), times.end());
    const auto begin = static_cast<std::uint64_t>(first->femtoseconds());
    std::vector<Entry> scratch(size());
    sort_spread(spikes.data(), size(), scratch.data(),
                static_cast<int>(std::bit_width(static_cast<std::uint64_t>(last->femtoseconds()) - begin)),
                [&](const Entry& e) { return static_cast<std::uint64_t>(e.time) - begin; });
    for (std::size_t i = 0; i < size(); ++i) {
        times[i] = Time(Duration(spikes[i].time));
        neurons[i] = spikes[i].neuron;
    }
}

}  // namespace saltus
