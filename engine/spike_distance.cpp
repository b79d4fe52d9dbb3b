#include "saltus/engine/spike_distance.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace saltus {

std::vector<std::vector<Time>> by_neuron(const SpikeTrain& train, std::uint32_t neurons) {
    std::vector<std::vector<Time>> times(neurons);
    for (std::size_t k = 0; k < train.size(); ++k)
        if (train.neurons[k] < neurons) times[train.neurons[k]].push_back(train.times[k]);
    return times;
}

Matching match(std::span<const Time> a, std::span<const Time> b, Duration tolerance) {
    Matching m;
    const auto alone = [&](Time t, bool in_a) {
        ++(in_a ? m.only_in_a : m.only_in_b);
        if (m.first_alone) return;
        m.first_alone = t;
        m.first_is_in_a = in_a;
    };
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a.size() && j < b.size()) {
        const bool a_first = a[i] < b[j];
        if ((a_first ? b[j] - a[i] : a[i] - b[j]) <= tolerance) {
            ++m.partners;
            ++i;
            ++j;
        } else if (a_first) {
            alone(a[i++], true);
        } else {
            alone(b[j++], false);
        }
    }
    for (; i < a.size(); ++i) alone(a[i], true);
    for (; j < b.size(); ++j) alone(b[j], false);
    return m;
}

double van_rossum(std::span<const Time> a, std::span<const Time> b, Duration tau) {
    // D^2 = 1/2 sum over all pairs of spikes of s_k s_l exp(-|t_k - t_l|/tau), s = 1 in a and -1 in b.
    // `earlier` is the sum over the spikes before this one.
    double sum = 0.0;
    double earlier = 0.0;
    Time last;
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a.size() || j < b.size()) {
        const bool from_a = j == b.size() || (i < a.size() && a[i] <= b[j]);
        const Time t = from_a ? a[i++] : b[j++];
        const double sign = from_a ? 1.0 : -1.0;
        earlier *= std::exp(-(t - last).seconds() / tau.seconds());
        sum += 0.5 + sign * earlier;
        earlier += sign;
        last = t;
    }
    return std::max(sum, 0.0);
}

double victor_purpura(std::span<const Time> a, std::span<const Time> b, Duration shift) {
    std::vector<double> cost(b.size() + 1);
    std::iota(cost.begin(), cost.end(), 0.0);
    for (std::size_t i = 0; i < a.size(); ++i) {
        double diagonal = cost[0];
        cost[0] = static_cast<double>(i) + 1.0;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const double moved = diagonal + std::abs((a[i] - b[j]).seconds()) / shift.seconds();
            diagonal = cost[j + 1];
            cost[j + 1] = std::min({cost[j + 1] + 1.0, cost[j] + 1.0, moved});
        }
    }
    return cost[b.size()];
}

TrainDifference difference(const SpikeTrain& a, const SpikeTrain& b, std::uint32_t neurons,
                           Duration tolerance, Duration tau) {
    constexpr std::uint64_t most_pairs = 2'000'000'000;
    const std::vector<std::vector<Time>> in_a = by_neuron(a, neurons);
    const std::vector<std::vector<Time>> in_b = by_neuron(b, neurons);
    TrainDifference d;
    std::uint64_t pairs = 0;
    for (NeuronIndex i = 0; i < neurons; ++i) {
        const Matching m = match(in_a[i], in_b[i], tolerance);
        d.partners += m.partners;
        d.only_in_a += m.only_in_a;
        d.only_in_b += m.only_in_b;
        d.van_rossum += van_rossum(in_a[i], in_b[i], tau);
        if (m.first_alone && (!d.first || *m.first_alone < d.first->time))
            d.first = TrainDifference::First{*m.first_alone, i, m.first_is_in_a};
        pairs += std::uint64_t{in_a[i].size()} * in_b[i].size();
    }
    if (neurons > 0) d.van_rossum /= neurons;
    if (pairs > most_pairs) return d;
    d.victor_purpura = 0.0;
    for (NeuronIndex i = 0; i < neurons; ++i) *d.victor_purpura += victor_purpura(in_a[i], in_b[i], tau);
    if (neurons > 0) *d.victor_purpura /= neurons;
    return d;
}

}  // namespace saltus
