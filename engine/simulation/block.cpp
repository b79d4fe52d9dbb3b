#include "block.hpp"

#include <algorithm>
#include <bit>

#include "instant.hpp"

namespace saltus {

Block::Block(const BlockPlan& plan) : plan_(plan) {
    for (const Incoming& incoming : plan.incoming) {
        const auto* table = std::get_if<SynapseTable>(&incoming.synapses);
        targets_.push_back(table ? table->targets() : nullptr);
    }
}

bool Block::first_arrival(std::uint32_t route, NeuronIndex source, std::int64_t sent, std::int64_t from,
                          Axon& axon) const {
    axon.route = route;
    axon.source = source;
    const auto& synapses = plan_.incoming[route].synapses;
    if (const auto* table = std::get_if<SynapseTable>(&synapses)) {
        axon.cursor = table->first(source);
        if (axon.cursor == SynapseTable::at_end) return false;
        if (from > sent) {
            axon.cursor = table->walk(source, axon.cursor, from - sent,
                                      [](std::int64_t, std::uint32_t, std::uint32_t) {});
            if (axon.cursor == SynapseTable::at_end) return false;
        }
        axon.time = after(sent, table->delay_fs(axon.cursor));
    } else if (const auto* rows = std::get_if<DenseRows>(&synapses)) {
        axon.cursor = 0;
        axon.time = after(sent, rows->delay_fs);
    } else {
        const Route& chain = *std::get<std::shared_ptr<const Route>>(synapses);
        const std::uint32_t segments = chain.segments(source);
        for (axon.cursor = 0; axon.cursor < segments; ++axon.cursor) {
            axon.time = after(sent, chain.delay(source, axon.cursor).femtoseconds());
            if (axon.time >= from) break;
        }
        if (axon.cursor == segments) return false;
    }
    return axon.time >= from;
}

void Block::accept(std::span<const Spike> spikes) {
    accept_from(spikes, INT64_MIN);
}

void Block::accept_from(std::span<const Spike> spikes, std::int64_t t) {
    for (const Spike& spike : spikes) {
        for (const std::uint32_t route : plan_.from[spike.population]) {
            Axon axon;
            if (first_arrival(route, spike.neuron, spike.time.femtoseconds(), t, axon)) queue_.push(axon);
        }
    }
}

void Block::collect(std::int64_t stop) {
    arrivals_.clear();
    queue_.pop_before(stop, [&](Axon axon) {
        const auto& synapses = plan_.incoming[axon.route].synapses;
        if (const auto* table = std::get_if<SynapseTable>(&synapses)) {
            const std::int64_t sent = axon.time - table->delay_fs(axon.cursor);
            const SynapseTable::Target* targets = table->targets();
            axon.cursor =
                table->walk(axon.source, axon.cursor, stop - sent,
                            [&](std::int64_t delay, std::uint32_t begin, std::uint32_t end) {
                                if (end - begin == 1) end = Arrival::single | targets[begin];
                                arrivals_.push_back({sent + delay, axon.route, axon.source, begin, end});
                            });
            if (axon.cursor == SynapseTable::at_end) return;
            axon.time = after(sent, table->delay_fs(axon.cursor));
            queue_.push(axon);
        } else if (std::holds_alternative<DenseRows>(synapses)) {
            arrivals_.push_back({axon.time, axon.route, axon.source, 0, 0});
        } else {
            const Route& chain = *std::get<std::shared_ptr<const Route>>(synapses);
            const std::int64_t sent = axon.time - chain.delay(axon.source, axon.cursor).femtoseconds();
            do {
                arrivals_.push_back({axon.time, axon.route, axon.source, axon.cursor, 0});
                if (++axon.cursor == chain.segments(axon.source)) return;
                axon.time = after(sent, chain.delay(axon.source, axon.cursor).femtoseconds());
            } while (axon.time < stop);
            queue_.push(axon);
        }
    });
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
