// Queues of events in the order of simulated time: the smallest key first, equal keys in the order of their
// pushes.
//
// An entry is any copyable value with `std::int64_t key() const`, its time in femtoseconds. Simulated time
// never runs backwards: no key is smaller than the last one that was popped. A key of INT64_MAX means never
// and is not popped.
//
//   BinaryHeap  log2 n moves to pop.
//   RadixHeap   Ahuja, Mehlhorn, Orlin, Tarjan 1990, Faster algorithms for the shortest path problem, JACM
//               37:213. Bucket b holds the keys whose highest bit that differs from the last popped key is
//               bit b. The smallest key is in the lowest bucket that is not empty; when that key becomes the
//               last popped one, its bucket falls apart into lower ones. An entry moves down at most 63
//               times; it is appended, never sifted.
//
// RadixHeap is the one to use: its time grows least with the number of entries (a pop and a push: 28 to 62 ns
// from 100 to 1,000,000 entries, BinaryHeap 46 to 424 ns), whatever the delays are, with nothing to tune, and
// equal keys stay in order by themselves. A calendar was faster only with few entries in windows that fit
// them. BinaryHeap is the same promise in ten lines, to test against. Measured by tests/benchmarks/queue.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace saltus {

template <class Entry>
concept QueueEntry = std::copyable<Entry> && requires(const Entry& entry) {
    { entry.key() } -> std::same_as<std::int64_t>;
};

/// What BinaryHeap and RadixHeap have in common.
template <class Queue>
concept EventQueue = QueueEntry<typename Queue::Entry> &&
    requires(Queue queue, const Queue& constant, const typename Queue::Entry& entry, std::int64_t stop,
             void (*take)(const typename Queue::Entry&)) {
    /// No entry is left, those of key INT64_MAX included.
    { constant.empty() } -> std::same_as<bool>;
    /// The smallest key, INT64_MAX if there is no entry.
    { constant.next() } -> std::same_as<std::int64_t>;
    queue.push(entry);
    /// Calls take(entry) for every entry with key < stop, in order. `take` may push entries of the key that
    /// it was given or larger ones; those before `stop` are taken in the same call. The entry has left the
    /// queue when `take` is called, so the queue stays whole if that throws.
    queue.pop_before(stop, take);
};

template <QueueEntry E>
class BinaryHeap {
  public:
    using Entry = E;

    [[nodiscard]] bool empty() const { return heap_.empty(); }
    [[nodiscard]] std::int64_t next() const { return heap_.empty() ? INT64_MAX : heap_.front().entry.key(); }

    void push(const Entry& entry) {
        heap_.push_back({entry, pushes_++});
        std::push_heap(heap_.begin(), heap_.end(), later);
    }

    template <class F>
    void pop_before(std::int64_t stop, F&& take) {
        while (next() < stop) {
            std::pop_heap(heap_.begin(), heap_.end(), later);
            const Entry entry = heap_.back().entry;
            heap_.pop_back();
            take(entry);
        }
    }

  private:
    struct Numbered {
        Entry entry;
        std::uint64_t push;
    };
    static bool later(const Numbered& a, const Numbered& b) {
        const std::int64_t x = a.entry.key();
        const std::int64_t y = b.entry.key();
        return x != y ? x > y : a.push > b.push;
    }

    std::vector<Numbered> heap_;
    std::uint64_t pushes_ = 0;
};

template <QueueEntry E>
class RadixHeap {
  public:
    using Entry = E;

    [[nodiscard]] bool empty() const { return taken_ == now_.size() && occupied_ == 0; }
    [[nodiscard]] std::int64_t next() const { return next_; }

    /// Requires entry.key() >= the key of the last popped entry.
    void push(const Entry& entry) {
        const std::int64_t key = entry.key();
        assert(key >= last_);
        next_ = std::min(next_, key);
        put(entry, key);
    }

    template <class F>
    void pop_before(std::int64_t stop, F&& take) {
        while (next_ < stop) {
            const Entry entry = pop();
            take(entry);
        }
    }

  private:
    struct Bucket {
        std::vector<Entry> entries;  // equal keys in the order of their pushes
        std::int64_t smallest = INT64_MAX;
    };

    [[nodiscard]] std::size_t lowest() const { return static_cast<std::size_t>(std::countr_zero(occupied_)); }

    void put(const Entry& entry, std::int64_t key) {
        const std::uint64_t differing = static_cast<std::uint64_t>(key) ^ static_cast<std::uint64_t>(last_);
        if (differing == 0) {
            now_.push_back(entry);
            return;
        }
        const auto bit = static_cast<std::size_t>(std::bit_width(differing)) - 1;
        occupied_ |= std::uint64_t{1} << bit;
        Bucket& bucket = buckets_[bit];
        bucket.entries.push_back(entry);
        bucket.smallest = std::min(bucket.smallest, key);
    }

    /// There is an entry with a key below INT64_MAX.
    Entry pop() {
        if (taken_ == now_.size()) {
            Bucket& bucket = buckets_[lowest()];
            occupied_ &= occupied_ - 1;
            last_ = std::exchange(bucket.smallest, INT64_MAX);
            if (bucket.entries.size() == 1) {
                const Entry entry = bucket.entries.front();
                bucket.entries.clear();
                find_next();
                return entry;
            }
            for (const Entry& entry : bucket.entries) put(entry, entry.key());  // all to lower ones
            bucket.entries.clear();
        }
        const Entry entry = now_[taken_++];
        if (taken_ == now_.size()) {
            now_.clear();
            taken_ = 0;
            find_next();
        }
        return entry;
    }
    /// Where no entry of key last_ is left.
    void find_next() { next_ = occupied_ == 0 ? INT64_MAX : buckets_[lowest()].smallest; }

    std::int64_t last_ = INT64_MIN;
    std::int64_t next_ = INT64_MAX;
    std::vector<Entry> now_;  // entries of key last_; the first taken_ of them have been popped
    std::size_t taken_ = 0;
    std::array<Bucket, 64> buckets_;
    std::uint64_t occupied_ = 0;  // bit b: bucket b is not empty
};

}  // namespace saltus
