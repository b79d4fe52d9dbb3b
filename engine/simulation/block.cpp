#include "block.hpp"

#include <algorithm>
#include <bit>

#include "../sort_spread.hpp"
#include "instant.hpp"

namespace saltus {

namespace {

/// So many synapses of one delay go into the queue one by one: reading their row again would cost more.
constexpr std::uint32_t few_synapses = 3;

/// Synapses [begin, end) of a table. A pair may be connected many times, so a row may be longer than 16 bits
/// count.
template <class Push>
void push_row(std::int64_t time, std::uint16_t route, std::uint32_t begin, std::uint32_t end, Push&& push) {
    while (begin != end) {
        const std::uint32_t count = std::min<std::uint32_t>(end - begin, UINT16_MAX);
        push({time, begin, route, static_cast<std::uint16_t>(count)});
        begin += count;
    }
}

/// All of `bucket`, which need not keep it, at the end of `all`.
template <class T>
void append(std::vector<T>& bucket, std::vector<T>& all) {
    constexpr std::size_t few = 8;  // sooner done one by one
    if (bucket.size() <= few)
        for (const T& entry : bucket) all.push_back(entry);
    else if (all.empty())
        all.swap(bucket);
    else
        all.insert(all.end(), bucket.begin(), bucket.end());
}

/// Longest delay with which every bucket of a ring fits the times of packed arrivals.
constexpr std::int64_t longest_packed = std::int64_t{1} << (PackedArrival::time_bits + 14);

}  // namespace

void sort(std::vector<Arrival>& arrivals, std::vector<Arrival>& scratch) {
    if (std::is_sorted(arrivals.begin(), arrivals.end())) return;
    const auto [first, last] = std::minmax_element(
        arrivals.begin(), arrivals.end(), [](const Arrival& a, const Arrival& b) { return a.when < b.when; });
    const std::int64_t begin = first->when;
    scratch.resize(arrivals.size());
    sort_spread(arrivals.data(), arrivals.size(), scratch.data(),
                static_cast<int>(std::bit_width(static_cast<std::uint64_t>(last->when - begin))),
                [&](const Arrival& a) { return static_cast<std::uint64_t>(a.when - begin); });
}

Block::Block(const BlockPlan& plan, bool packs)
    : plan_(plan),
      queue_(plan.window_fs, after(plan.longest_delay_fs, plan.window_fs)),
      packed_queue_(plan.window_fs, std::min(longest_packed, after(plan.longest_delay_fs, plan.window_fs)),
                    PackedArrival::time_bits) {
    packs = packs && plan.incoming.size() <= PackedArrival::most_routes &&
            after(plan.longest_delay_fs, plan.window_fs) <= longest_packed;
    for (const Incoming& incoming : plan.incoming) {
        const auto* table = std::get_if<SynapseTable>(&incoming.synapses);
        tables_.push_back(
            table ? Table{table, table->targets(), table->segment_bounds(), packs && table->has_one_weight()}
                  : Table{});
        const auto* rows = std::get_if<ProceduralRows>(&incoming.synapses);
        draws_.push_back(rows ? std::make_unique<RowDraw>(*rows) : nullptr);
    }
    queued_from_ = plan.from;
    for (auto& routes : queued_from_) {
        std::erase_if(routes, [&](std::uint32_t r) { return tables_[r].bounds != nullptr; });
        queues_ = queues_ || !routes.empty();
        for (const std::uint32_t r : routes) looks_up_rows_ = looks_up_rows_ || tables_[r].synapses;
    }
}

void Block::prefetch_rows(const Spike& spike, bool whole) const {
    for (const std::uint32_t r : queued_from_[spike.population]) {
        if (const SynapseTable* const table = tables_[r].synapses) table->prefetch(spike.neuron, whole);
    }
}

void Block::prefetch_dense(const Arrival& arrival) const {
    const auto* rows = std::get_if<DenseRows>(&plan_.incoming[arrival.route()].synapses);
    if (!rows) return;
    rows->weights.visit([&](auto weights) {
        constexpr std::size_t per_line = 64 / sizeof(weights[0]);
        const auto* row = weights.data() + rows->place(arrival.begin);
        // The processor follows by itself where a row goes on.
        const std::size_t end = std::min<std::size_t>(rows->range.size(), 64 * per_line);
        for (std::size_t k = 0; k < end; k += per_line) __builtin_prefetch(row + k);
    });
}

void Block::put_in_queues(std::span<const Spike> spikes, std::int64_t start, std::int64_t from) {
    queue_.open(start);
    packed_queue_.open(start);
    const auto push = [&](const Arrival& arrival) {
        const bool comes = arrival.when >= from && arrival.when != INT64_MAX;
        if (comes) queue_.push(arrival.when, arrival);
        return comes;
    };
    for (std::size_t k = 0; k < spikes.size(); ++k) {
        if (looks_up_rows_ && k + 8 < spikes.size()) prefetch_rows(spikes[k + 8], false);
        if (looks_up_rows_ && k + 3 < spikes.size()) prefetch_rows(spikes[k + 3], true);
        const Spike& spike = spikes[k];
        const std::int64_t sent = spike.time.femtoseconds();
        for (const std::uint32_t r : queued_from_[spike.population]) {
            const auto route = static_cast<std::uint16_t>(r);
            if (const SynapseTable* const table = tables_[r].synapses) {
                const SynapseTable::Target* const targets = tables_[r].targets;
                const bool packs = tables_[r].packs;
                const auto push_packed = [&](std::int64_t time, std::uint32_t synapse) {
                    if (time >= from && time != INT64_MAX)
                        packed_queue_.push(time, {route, targets[synapse]});
                };
                if (packs && table->few_share_delays()) {
                    table->each(spike.neuron, [&](std::int64_t delay, std::uint32_t synapse) {
                        push_packed(after(sent, delay), synapse);
                    });
                    continue;
                }
                table->walk(
                    spike.neuron, [&](std::int64_t delay, std::uint32_t begin,
                                      std::uint32_t end) __attribute__((always_inline)) {
                        const std::int64_t time = after(sent, delay);
                        if (end - begin <= few_synapses) {
                            if (packs) {
                                for (; begin < end; ++begin) push_packed(time, begin);
                                return;
                            }
                            for (; begin < end; ++begin) {
                                push({time, begin, static_cast<std::uint16_t>(route | Arrival::single),
                                      targets[begin]});
                            }
                            return;
                        }
                        push_row(time, route, begin, end, push);
                    });
            } else if (const auto* rows = std::get_if<DenseRows>(&plan_.incoming[r].synapses)) {
                push({after(sent, rows->delay_fs), spike.neuron, route, 0});
            } else if (draws_[r]) {
                draws_[r]->walk(spike.neuron, [&](std::int64_t delay, std::uint32_t segment) {
                    return push({after(sent, delay), segment, route, 0});
                });
            } else {
                const Route& chain = *std::get<std::shared_ptr<const Route>>(plan_.incoming[r].synapses);
                push({after(sent, chain.delay().femtoseconds()), spike.neuron, route, 0});
            }
        }
    }
}

void Block::collect(std::int64_t stop, std::span<const Arrival> along_axons) {
    along_axons_.clear();
    const auto bounds = [&](std::size_t k) {
        return tables_[along_axons[k].route()].bounds + along_axons[k].begin;
    };
    for (std::size_t k = 0; k < along_axons.size(); ++k) {
        constexpr std::size_t ahead = 24;
        if (k + ahead < along_axons.size()) __builtin_prefetch(bounds(k + ahead));
        push_row(along_axons[k].when, along_axons[k].route(), bounds(k)[0], bounds(k)[1],
                 [&](const Arrival& row) { along_axons_.push_back(row); });
    }
    arrivals_.clear();
    packed_.clear();
    stretches_.clear();
    queue_.take_before(stop, [&](std::int64_t, std::vector<Arrival>& bucket) { append(bucket, arrivals_); });
    packed_queue_.take_before(stop, [&](std::int64_t begins, std::vector<PackedArrival>& bucket) {
        if (bucket.size() <= few_arrivals) {
            for (const PackedArrival packed : bucket) {
                Arrival& arrival = arrivals_.emplace_back();
                arrival.when = packed.time(begins);
                arrival.begin = 0;
                arrival.route_and_single = static_cast<std::uint16_t>(packed.route() | Arrival::single);
                arrival.count = packed.target();
            }
            return;
        }
        if (packed_scratch_.size() < bucket.size())
            packed_scratch_.resize(bucket.size(), PackedArrival(0, 0));
        sort_spread(bucket.data(), bucket.size(), packed_scratch_.data(), packed_queue_.bits(),
                    [](PackedArrival a) { return a.word >> (64 - PackedArrival::time_bits); });
        append(bucket, packed_);
        stretches_.emplace_back(begins, packed_.size());
    });
}

void Block::merge_arrivals() {
    sort(arrivals_, scratch_);
    if (along_axons_.empty()) return;
    if (arrivals_.empty()) return arrivals_.swap(along_axons_);
    scratch_.resize(arrivals_.size() + along_axons_.size());
    std::merge(arrivals_.begin(), arrivals_.end(), along_axons_.begin(), along_axons_.end(),
               scratch_.begin());
    arrivals_.swap(scratch_);
}

}  // namespace saltus
