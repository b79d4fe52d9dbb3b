#include "axons.hpp"

#include <algorithm>
#include <variant>

#include "instant.hpp"

namespace saltus {

Axons::Axons(const BlockPlan& plan) : trains_(plan.from.size()), slices_(1) {
    for (std::uint32_t population = 0; population < plan.from.size(); ++population) {
        for (const std::uint32_t route : plan.from[population]) {
            const auto* table = std::get_if<SynapseTable>(&plan.incoming[route].synapses);
            if (!table || !table->segment_bounds()) continue;
            trains_[population].travels = true;
            const auto delays = static_cast<std::uint32_t>(table->delays().size());
            for (std::uint32_t k = 0; k < delays; ++k) {
                strands_.push_back(
                    {population, static_cast<std::uint16_t>(route), delays, k, table->delays()[k]});
            }
        }
    }
    next_.assign(strands_.size(), 0);
    reached_ = next_;
}

void Axons::accept(std::span<const Spike> spikes) {
    for (Train& train : trains_) train.done = train.sent.size();
    for (const Spike& spike : spikes) {
        Train& train = trains_[spike.population];
        if (train.travels) train.sent.push_back({spike.time.femtoseconds(), spike.neuron});
    }
    const auto earlier = [](const Sent& a, const Sent& b) { return a.time < b.time; };
    for (Train& train : trains_) {
        const auto first = train.sent.begin() + static_cast<std::ptrdiff_t>(train.done);
        if (!std::is_sorted(first, train.sent.end(), earlier)) std::sort(first, train.sent.end(), earlier);
    }
}

void Axons::accept_from(std::span<const Spike> spikes, std::int64_t t) {
    accept(spikes);
    for (std::size_t k = 0; k < strands_.size(); ++k) next_[k] = first_at(strands_[k], next_[k], t);
    reached_ = next_;
}

std::size_t Axons::first_at(const Strand& strand, std::size_t from, std::int64_t t) const {
    const std::vector<Sent>& train = trains_[strand.population].sent;
    return static_cast<std::size_t>(
        std::lower_bound(train.begin() + static_cast<std::ptrdiff_t>(from), train.end(), t - strand.delay,
                         [](const Sent& sent, std::int64_t time) { return sent.time < time; }) -
        train.begin());
}

std::int64_t Axons::next() const {
    std::int64_t t = INT64_MAX;
    for (std::size_t k = 0; k < strands_.size(); ++k) {
        const std::vector<Sent>& train = trains_[strands_[k].population].sent;
        if (next_[k] < train.size()) t = std::min(t, after(train[next_[k]].time, strands_[k].delay));
    }
    return t;
}

void Axons::open(std::int64_t start, std::int64_t stop, std::uint32_t slices) {
    slices_.resize(empty() ? 1 : slices);
    const auto n = static_cast<std::int64_t>(slices_.size());
    for (std::int64_t k = 0; k < n; ++k) {
        Slice& slice = slices_[static_cast<std::size_t>(k)];
        slice.start = start + (stop - start) / n * k;
        slice.stop = k + 1 == n ? stop : start + (stop - start) / n * (k + 1);
        slice.arrivals.clear();
    }
}

void Axons::put_in_order(std::uint32_t k) {
    Slice& slice = slices_[k];
    for (std::size_t s = 0; s < strands_.size(); ++s) {
        const Strand& strand = strands_[s];
        const std::vector<Sent>& train = trains_[strand.population].sent;
        std::size_t i = k == 0 ? next_[s] : first_at(strand, next_[s], slice.start);
        for (const std::int64_t stop = slice.stop - strand.delay; i < train.size() && train[i].time < stop;
             ++i) {
            slice.arrivals.push_back({train[i].time + strand.delay,
                                      train[i].neuron * strand.delays + strand.number, strand.route, 0});
        }
        if (k + 1 == slices_.size()) reached_[s] = i;
    }
    sort(slice.arrivals, slice.scratch);
}

void Axons::close() {
    next_ = reached_;
    // What has arrived everywhere makes room, now and then.
    for (Train& train : trains_) train.done = train.sent.size();
    for (std::size_t s = 0; s < strands_.size(); ++s) {
        Train& train = trains_[strands_[s].population];
        train.done = std::min(train.done, next_[s]);
    }
    for (Train& train : trains_) {
        if (train.done <= train.sent.size() / 2)
            train.done = 0;
        else
            train.sent.erase(train.sent.begin(),
                             train.sent.begin() + static_cast<std::ptrdiff_t>(train.done));
    }
    for (std::size_t s = 0; s < strands_.size(); ++s) next_[s] -= trains_[strands_[s].population].done;
    reached_ = next_;
}

}  // namespace saltus
