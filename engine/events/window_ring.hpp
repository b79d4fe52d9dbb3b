// Events of the near future in buckets of equal width, for those who take all events of a window of time at
// once.
//
// A spike's arrivals lie within the longest delay, so a ring of buckets that covers it holds them all:
// pushing is an append, taking a window hands over whole buckets. Within a bucket the order is that of the
// pushes; who needs the order of time sorts what was taken, which is a few buckets of neighbouring times
// (engine/simulation/block.cpp). Beside a heap of the same arrivals this saves a comparison-driven move
// through memory for each (tests/benchmarks/queue).
#pragma once

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdint>
#include <vector>

#include "queue.hpp"

namespace saltus {

template <QueueEntry E>
class WindowRing {
  public:
    using Entry = E;

    /// For windows of about `window` and keys up to `reach` after their beginning.
    WindowRing(std::int64_t window, std::int64_t reach) {
        constexpr std::int64_t most_buckets = 1 << 16;
        const std::int64_t width = std::max({window / 4, reach / most_buckets, std::int64_t{1}});
        shift_ = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(width))) - 1;
        const auto needed = static_cast<std::uint64_t>(reach / (std::int64_t{1} << shift_)) + 2;
        buckets_.resize(std::bit_ceil(needed));
        occupied_.resize((buckets_.size() + 63) / 64);
    }

    /// Nothing will be pushed, and nothing is held, before t.
    void open(std::int64_t t) { first_ = t >> shift_; }

    /// Requires t <= entry.key() <= t + reach, t being that of the last open() or take_before().
    void push(const Entry& entry) {
        const std::int64_t number = entry.key() >> shift_;
        assert(number >= first_ && number - first_ < static_cast<std::int64_t>(buckets_.size()));
        const std::size_t slot = slot_of(number);
        Bucket& bucket = buckets_[slot];
        occupied_[slot / 64] |= std::uint64_t{1} << (slot % 64);
        bucket.entries.push_back(entry);
        bucket.smallest = std::min(bucket.smallest, entry.key());
        bucket.largest = std::max(bucket.largest, entry.key());
    }

    /// The smallest key, INT64_MAX if there is no entry.
    [[nodiscard]] std::int64_t next() const {
        const std::size_t slot = first_occupied();
        return slot == buckets_.size() ? INT64_MAX : buckets_[slot].smallest;
    }

    /// Puts every entry with key < stop into `taken`, which is empty.
    void take_before(std::int64_t stop, std::vector<Entry>& taken) {
        for (;;) {
            const std::size_t slot = first_occupied();
            if (slot == buckets_.size()) break;
            Bucket& bucket = buckets_[slot];
            if (bucket.smallest >= stop) break;
            auto& entries = bucket.entries;
            if (bucket.largest >= stop) {
                const auto left = std::partition(entries.begin(), entries.end(),
                                                 [&](const Entry& entry) { return entry.key() < stop; });
                taken.insert(taken.end(), entries.begin(), left);
                entries.erase(entries.begin(), left);
                bucket.smallest = INT64_MAX;
                for (const Entry& entry : entries) bucket.smallest = std::min(bucket.smallest, entry.key());
                break;
            }
            if (taken.empty())
                taken.swap(entries);
            else
                taken.insert(taken.end(), entries.begin(), entries.end());
            entries.clear();
            bucket.smallest = INT64_MAX;
            bucket.largest = INT64_MIN;
            occupied_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
        }
        first_ = stop >> shift_;
    }

  private:
    struct Bucket {
        std::vector<Entry> entries;
        std::int64_t smallest = INT64_MAX;
        std::int64_t largest = INT64_MIN;
    };

    [[nodiscard]] std::size_t slot_of(std::int64_t number) const {
        return static_cast<std::size_t>(number) & (buckets_.size() - 1);
    }
    /// The first bucket in the order of time that is not empty; the number of buckets if all are.
    [[nodiscard]] std::size_t first_occupied() const {
        const std::size_t from = slot_of(first_);
        const std::size_t words = occupied_.size();
        for (std::size_t k = 0; k <= words; ++k) {
            const std::size_t w = (from / 64 + k) % words;
            std::uint64_t word = occupied_[w];
            const std::uint64_t below = (std::uint64_t{1} << (from % 64)) - 1;
            if (k == 0) word &= ~below;
            if (k == words) word &= below;
            if (word != 0) return w * 64 + static_cast<std::size_t>(std::countr_zero(word));
        }
        return buckets_.size();
    }

    int shift_;
    std::int64_t first_ = 0;  // number of the bucket that the next window begins in
    std::vector<Bucket> buckets_;
    std::vector<std::uint64_t> occupied_;  // a bit for each bucket
};

}  // namespace saltus
