// What is still to happen, in the order (time, level, kind, target or route, neuron, segment).
//
// Later instants wait in a binary heap. The instant that is being computed has its own lists, one per level:
// what is sent without delay goes there directly and never enters the heap.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <vector>

#include "saltus/engine/spike_train.hpp"
#include "saltus/engine/time.hpp"

namespace saltus {

/// A spike reaches the synapses of one segment of its axon.
struct Delivery {
    std::uint32_t route = 0;
    NeuronIndex neuron = 0;  // the source
    std::uint32_t segment = 0;

    friend auto operator<=>(const Delivery&, const Delivery&) = default;
};

/// A neuron may cross its threshold without any arrival.
struct Wake {
    std::uint32_t population = 0;
    NeuronIndex neuron = 0;

    friend auto operator<=>(const Wake&, const Wake&) = default;
};

class Agenda {
  public:
    explicit Agenda(std::uint32_t levels) : deliveries_(levels), wakes_(levels) {}

    /// The next instant at which something is to happen, Time::never() if nothing is.
    [[nodiscard]] Time next() const { return heap_.empty() ? Time::never() : heap_.front().time; }

    void add(Time time, std::uint32_t level, const Delivery& delivery) {
        push({time, level, Kind::delivery, delivery.route, delivery.neuron, delivery.segment});
    }
    void add(Time time, std::uint32_t level, const Wake& wake) {
        push({time, level, Kind::wake, wake.population, wake.neuron, 0});
    }
    /// Adds to the instant that is being computed.
    void add_now(std::uint32_t level, const Delivery& delivery) { deliveries_[level].push_back(delivery); }

    /// Moves everything of instant t, which must be next() or earlier, into the lists of its levels.
    void open(Time t) {
        while (!heap_.empty() && heap_.front().time == t) {
            const Entry& e = heap_.front();
            if (e.kind == Kind::delivery) {
                deliveries_[e.level].push_back({e.what, e.neuron, e.segment});
            } else {
                wakes_[e.level].push_back({e.what, e.neuron});
            }
            std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
            heap_.pop_back();
        }
    }

    /// This instant's deliveries of one level, in order. Ends the list: nothing may be added to it
    /// afterwards.
    [[nodiscard]] const std::vector<Delivery>& deliveries(std::uint32_t level) {
        std::vector<Delivery>& list = deliveries_[level];
        if (list.size() > 1) std::sort(list.begin(), list.end());
        return list;
    }
    [[nodiscard]] const std::vector<Wake>& wakes(std::uint32_t level) const { return wakes_[level]; }
    void close(std::uint32_t level) {
        deliveries_[level].clear();
        wakes_[level].clear();
    }

  private:
    enum class Kind : std::uint8_t { delivery, wake };
    struct Entry {
        Time time;
        std::uint32_t level;
        Kind kind;
        std::uint32_t what;
        NeuronIndex neuron;
        std::uint32_t segment;

        friend auto operator<=>(const Entry&, const Entry&) = default;
    };

    void push(const Entry& entry) {
        heap_.push_back(entry);
        std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
    }

    std::vector<Entry> heap_;  // smallest entry first
    std::vector<std::vector<Delivery>> deliveries_;
    std::vector<std::vector<Wake>> wakes_;
};

}  // namespace saltus
