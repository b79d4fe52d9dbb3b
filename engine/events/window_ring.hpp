// Events of the near future in buckets of equal width, for those who take all events of a window of time at
// once.
//
// A spike's arrivals lie within the longest delay, so a ring of buckets that covers it holds them all:
// pushing is an append, taking a window hands over whole buckets. Within a bucket the order is that of the
// pushes; who needs the order of time sorts what was taken, which is a few buckets of neighbouring times
// (engine/simulation/block.cpp).
#pragma once

#include <algorithm>
#include <bit>
#include <cassert>
#include <concepts>
#include <cstdint>
#include <utility>
#include <vector>

namespace saltus {

/// An entry finds its time again from where its bucket begins.
template <class E>
concept RingEntry = std::copyable<E> && requires(E entry, const E& constant, std::int64_t t) {
    entry.put_at(t, t);  // time, where the bucket begins
    { constant.time(t) } -> std::same_as<std::int64_t>;
};

template <RingEntry E>
class WindowRing {
  public:
    /// For windows of about `window` and times up to `reach` after their beginning. A bucket is at most
    /// 2^`most_bits` wide.
    WindowRing(std::int64_t window, std::int64_t reach, int most_bits = 62) {
        constexpr std::int64_t most_buckets = 1 << 16;
        const std::int64_t width = std::max({window / 4, reach / most_buckets, std::int64_t{1}});
        shift_ = std::min(static_cast<int>(std::bit_width(static_cast<std::uint64_t>(width))) - 1, most_bits);
        const auto needed = static_cast<std::uint64_t>(reach / (std::int64_t{1} << shift_)) + 2;
        buckets_.resize(std::bit_ceil(needed));
        occupied_.resize((buckets_.size() + 63) / 64);
    }

    /// Width of a bucket: a power of two.
    [[nodiscard]] int bits() const { return shift_; }
    /// Nothing will be pushed, and nothing is held, before t.
    void open(std::int64_t t) { first_ = t >> shift_; }

    /// Requires t <= time <= t + reach, t being that of the last open() or take_before().
    void push(std::int64_t time, E entry) {
        const std::int64_t number = time >> shift_;
        assert(number >= first_ && number - first_ < static_cast<std::int64_t>(buckets_.size()));
        entry.put_at(time, number << shift_);
        const std::size_t slot = slot_of(number);
        std::vector<E>& bucket = buckets_[slot];
        if (bucket.empty()) occupied_[slot / 64] |= std::uint64_t{1} << (slot % 64);
        bucket.push_back(entry);
        ++held_;
        next_ = std::min(next_, time);
    }

    /// The smallest time, INT64_MAX if there is no entry.
    [[nodiscard]] std::int64_t next() const { return next_; }

    /// Calls take(begin, entries) for each bucket in the order of time, with its entries before `stop`, which
    /// `take` may change.
    template <class F>
    void take_before(std::int64_t stop, F&& take) {
        if (next_ < stop) take_from_buckets(stop, take);
        first_ = stop >> shift_;
    }

  private:
    template <class F>
    void take_from_buckets(std::int64_t stop, F&& take) {
        for (first_ = next_ >> shift_; (first_ << shift_) < stop; first_ = first_occupied()) {
            const std::int64_t begin = first_ << shift_;
            const std::size_t slot = slot_of(first_);
            std::vector<E>& entries = buckets_[slot];
            const auto late = [&](const E& entry) { return entry.time(begin) >= stop; };
            if (stop - begin < (std::int64_t{1} << shift_) &&
                std::any_of(entries.begin(), entries.end(), late)) {
                const auto early = std::partition(entries.begin(), entries.end(), late);
                part_.assign(early, entries.end());
                entries.erase(early, entries.end());
                held_ -= part_.size();
                if (!part_.empty()) take(begin, part_);
                break;
            }
            held_ -= entries.size();
            leave(slot);
            take(begin, entries);
            entries.clear();
            if (held_ == 0) break;
        }
        next_ = INT64_MAX;
        if (held_ == 0) return;
        for (const E& entry : buckets_[slot_of(first_)])
            next_ = std::min(next_, entry.time(first_ << shift_));
    }
    void leave(std::size_t slot) { occupied_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64)); }
    [[nodiscard]] std::size_t slot_of(std::int64_t number) const {
        return static_cast<std::size_t>(number) & (buckets_.size() - 1);
    }
    /// Number of the first bucket in the order of time that is not empty; there is one.
    [[nodiscard]] std::int64_t first_occupied() const {
        const std::size_t from = slot_of(first_);
        const std::size_t words = occupied_.size();
        std::size_t w = from / 64;
        std::uint64_t word = occupied_[w] & (~std::uint64_t{0} << (from % 64));
        while (word == 0) {
            w = (w + 1) & (words - 1);
            word = occupied_[w];
        }
        const std::size_t slot = w * 64 + static_cast<std::size_t>(std::countr_zero(word));
        return first_ + static_cast<std::int64_t>((slot - from) & (buckets_.size() - 1));
    }

    int shift_;
    std::int64_t first_ = 0;  // number of the bucket that the next window begins in
    std::int64_t next_ = INT64_MAX;
    std::size_t held_ = 0;  // entries
    std::vector<std::vector<E>> buckets_;
    std::vector<std::uint64_t> occupied_;  // a bit for each bucket
    std::vector<E> part_;
};

}  // namespace saltus
