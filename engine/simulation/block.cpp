#include "block.hpp"

#include <algorithm>
#include <bit>

#include "instant.hpp"

namespace saltus {

Block::Block(const BlockPlan& plan)
    : plan_(plan), queue_(plan.window_fs, after(plan.longest_delay_fs, plan.window_fs)) {
    for (const Incoming& incoming : plan.incoming) {
        const auto* table = std::get_if<SynapseTable>(&incoming.synapses);
        targets_.push_back(table ? table->targets() : nullptr);
    }
}

void Block::prefetch_rows(const Spike& spike, bool whole) const {
    for (const std::uint32_t r : plan_.from[spike.population]) {
        if (const auto* table = std::get_if<SynapseTable>(&plan_.incoming[r].synapses))
            table->prefetch(spike.neuron, whole);
    }
}

namespace {

/// So many synapses of one delay go into the queue one by one: reading their row again would cost more.
constexpr std::uint32_t few_synapses = 3;

}  // namespace

void Block::accept(std::span<const Spike> spikes) {
    accept_from(spikes, INT64_MIN);
}

void Block::accept_from(std::span<const Spike> spikes, std::int64_t t) {
    const auto push = [&](const Arrival& arrival) {
        if (arrival.time >= t && arrival.time != INT64_MAX) queue_.push(arrival);
    };
    for (std::size_t k = 0; k < spikes.size(); ++k) {
        if (k + 8 < spikes.size()) prefetch_rows(spikes[k + 8], false);
        if (k + 3 < spikes.size()) prefetch_rows(spikes[k + 3], true);
        const Spike& spike = spikes[k];
        const std::int64_t sent = spike.time.femtoseconds();
        for (const std::uint32_t r : plan_.from[spike.population]) {
            const auto route = static_cast<std::uint16_t>(r);
            const auto& synapses = plan_.incoming[r].synapses;
            if (const auto* table = std::get_if<SynapseTable>(&synapses)) {
                const SynapseTable::Target* targets = targets_[r];
                table->walk(spike.neuron, [&](std::int64_t delay, std::uint32_t begin, std::uint32_t end) {
                    const std::int64_t time = after(sent, delay);
                    if (end - begin <= few_synapses) {
                        for (; begin < end; ++begin) {
                            push({time, begin, static_cast<std::uint16_t>(route | Arrival::single),
                                  targets[begin]});
                        }
                        return;
                    }
                    // A pair may be connected many times, so a row may be longer than 16 bits count.
                    for (; begin < end; begin += UINT16_MAX) {
                        const auto count =
                            static_cast<std::uint16_t>(std::min<std::uint32_t>(end - begin, UINT16_MAX));
                        push({time, begin, route, count});
                        if (end - begin <= UINT16_MAX) break;
                    }
                });
            } else if (const auto* rows = std::get_if<DenseRows>(&synapses)) {
                push({after(sent, rows->delay_fs), spike.neuron, route, 0});
            } else {
                const Route& chain = *std::get<std::shared_ptr<const Route>>(synapses);
                push({after(sent, chain.delay().femtoseconds()), spike.neuron, route, 0});
            }
        }
    }
}

void Block::collect(std::int64_t stop) {
    arrivals_.clear();
    queue_.take_before(stop, arrivals_);
}

void Block::sort_arrivals() {
    constexpr std::size_t few = 64;
    const std::size_t n = arrivals_.size();
    if (n < few) {
        if (n > 1) std::sort(arrivals_.begin(), arrivals_.end());
        return;
    }
    // Times of a window are spread rather evenly: one pass into buckets of about one arrival, then each by
    // itself.
    const auto [low, high] =
        std::minmax_element(arrivals_.begin(), arrivals_.end(),
                            [](const Arrival& a, const Arrival& b) { return a.time < b.time; });
    const std::int64_t first = low->time;
    const auto span = static_cast<std::uint64_t>(high->time - first);
    const int shift =
        std::max(0, static_cast<int>(std::bit_width(span)) - static_cast<int>(std::bit_width(n)));
    const auto bucket = [&](const Arrival& a) { return static_cast<std::size_t>(a.time - first) >> shift; };
    counts_.assign((span >> shift) + 2, 0);
    for (const Arrival& a : arrivals_) ++counts_[bucket(a) + 1];
    for (std::size_t b = 1; b < counts_.size(); ++b) counts_[b] += counts_[b - 1];
    scratch_.resize(n);
    for (const Arrival& a : arrivals_) scratch_[counts_[bucket(a)]++] = a;
    arrivals_.swap(scratch_);
    for (std::size_t b = 0, begin = 0; b + 1 < counts_.size(); begin = counts_[b], ++b) {
        const std::size_t size = counts_[b] - begin;
        if (size < 2) continue;
        const auto from = arrivals_.begin() + static_cast<std::ptrdiff_t>(begin);
        if (size == 2) {
            if (from[1] < from[0]) std::swap(from[0], from[1]);
        } else {
            std::sort(from, from + static_cast<std::ptrdiff_t>(size));
        }
    }
}

}  // namespace saltus
