// Queues that were measured beside those of engine/events/queue.hpp, with the same interface.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <queue>
#include <vector>

namespace saltus::benchmarks {

template <class Entry>
struct Later {
    bool operator()(const Entry& a, const Entry& b) const { return a.key() > b.key(); }
};

/// The standard library's. Equal keys leave in no particular order.
template <class E>
class StandardQueue {
  public:
    using Entry = E;

    [[nodiscard]] bool empty() const { return queue_.empty(); }
    [[nodiscard]] std::int64_t next() const { return queue_.empty() ? INT64_MAX : queue_.top().key(); }
    void push(const Entry& entry) { queue_.push(entry); }
    template <class F>
    void pop_before(std::int64_t stop, F&& take) {
        while (next() < stop) {
            const Entry entry = queue_.top();
            queue_.pop();
            take(entry);
        }
    }

  private:
    std::priority_queue<Entry, std::vector<Entry>, Later<Entry>> queue_;
};

/// Heap of four children a node: half the levels of a binary one. Equal keys leave in no particular order.
template <class E>
class QuaternaryHeap {
  public:
    using Entry = E;

    [[nodiscard]] bool empty() const { return heap_.empty(); }
    [[nodiscard]] std::int64_t next() const { return heap_.empty() ? INT64_MAX : heap_.front().key(); }

    void push(const Entry& entry) {
        std::size_t i = heap_.size();
        heap_.push_back(entry);
        while (i > 0) {
            const std::size_t parent = (i - 1) / children;
            if (heap_[parent].key() <= entry.key()) break;
            heap_[i] = heap_[parent];
            i = parent;
        }
        heap_[i] = entry;
    }

    template <class F>
    void pop_before(std::int64_t stop, F&& take) {
        while (next() < stop) {
            const Entry entry = heap_.front();
            const Entry last = heap_.back();
            heap_.pop_back();
            if (!heap_.empty()) sift_down(last);
            take(entry);
        }
    }

  private:
    static constexpr std::size_t children = 4;

    void sift_down(const Entry& entry) {
        std::size_t i = 0;
        for (;;) {
            const std::size_t first = children * i + 1;
            if (first >= heap_.size()) break;
            const std::size_t end = std::min(first + children, heap_.size());
            std::size_t smallest = first;
            for (std::size_t child = first + 1; child < end; ++child) {
                if (heap_[child].key() < heap_[smallest].key()) smallest = child;
            }
            if (entry.key() <= heap_[smallest].key()) break;
            heap_[i] = heap_[smallest];
            i = smallest;
        }
        heap_[i] = entry;
    }

    std::vector<Entry> heap_;
};

/// Ring of windows of 2^width_bits keys; the open window is a binary heap. No entry may lie further ahead
/// than the ring is long. Equal keys leave in no particular order.
template <class E, int width_bits, std::size_t windows>
class Calendar {
  public:
    using Entry = E;

    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] std::int64_t next() const {
        if (size_ == 0) return INT64_MAX;
        if (!open_.empty()) return open_.front().key();
        std::int64_t window = now_ + 1;
        while (ring_[index(window)].empty()) ++window;
        const std::vector<Entry>& entries = ring_[index(window)];
        return std::max_element(entries.begin(), entries.end(), Later<Entry>())->key();
    }

    void push(const Entry& entry) {
        ++size_;
        const std::int64_t window = entry.key() >> width_bits;
        if (window == now_) {
            open_.push_back(entry);
            std::push_heap(open_.begin(), open_.end(), Later<Entry>());
        } else {
            ring_[index(window)].push_back(entry);
        }
    }

    template <class F>
    void pop_before(std::int64_t stop, F&& take) {
        for (;;) {
            while (!open_.empty() && open_.front().key() < stop) {
                std::pop_heap(open_.begin(), open_.end(), Later<Entry>());
                const Entry entry = open_.back();
                open_.pop_back();
                --size_;
                take(entry);
            }
            if (!open_.empty() || ((now_ + 1) << width_bits) >= stop) return;
            ++now_;
            open_.swap(ring_[index(now_)]);
            std::make_heap(open_.begin(), open_.end(), Later<Entry>());
        }
    }

  private:
    [[nodiscard]] static std::size_t index(std::int64_t window) {
        return static_cast<std::size_t>(window) % windows;
    }

    std::vector<std::vector<Entry>> ring_{windows};
    std::vector<Entry> open_;
    std::int64_t now_ = 0;
    std::size_t size_ = 0;
};

}  // namespace saltus::benchmarks
