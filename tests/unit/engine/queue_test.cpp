// Both queues against a sorted multiset, and the promises of the interface.
#include "events/queue.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "saltus/engine/random.hpp"

using namespace saltus;

namespace {

struct Event {
    std::int64_t time;
    std::uint32_t id;

    [[nodiscard]] std::int64_t key() const { return time; }
    friend bool operator==(const Event&, const Event&) = default;
};

using Binary = BinaryHeap<Event>;
using Radix = RadixHeap<Event>;
static_assert(EventQueue<Binary> && EventQueue<Radix>);

template <class Queue>
std::vector<Event> popped_before(Queue& queue, std::int64_t stop) {
    std::vector<Event> taken;
    queue.pop_before(stop, [&](const Event& event) { taken.push_back(event); });
    return taken;
}

struct InOrder {
    bool operator()(const Event& a, const Event& b) const {
        return std::pair(a.time, a.id) < std::pair(b.time, b.id);
    }
};

}  // namespace

TYPE_TO_STRING(Binary);
TYPE_TO_STRING(Radix);

TEST_SUITE("engine/queue") {
    TEST_CASE_TEMPLATE("an empty queue has nothing next and takes nothing", Queue, Binary, Radix) {
        Queue queue;
        CHECK(queue.empty());
        CHECK(queue.next() == INT64_MAX);
        CHECK(popped_before(queue, INT64_MAX).empty());
    }

    // Ids number the pushes, so the multiset in the order of (time, id) is what the queue promises. Delays
    // are drawn over every power of two, and often 0, so that each bucket of a radix heap and many ties
    // occur.
    TEST_CASE_TEMPLATE("random pushes and windows agree with a sorted multiset", Queue, Binary, Radix) {
        for (std::uint64_t seed = 0; seed < 50; ++seed) {
            CAPTURE(seed);
            const CounterRandom random(seed, 1);
            std::uint64_t draw = 0;
            const auto delay = [&](std::uint64_t bits) {
                const std::uint64_t width = random.below(draw++, bits + 1);
                return static_cast<std::int64_t>(random.below(draw++, std::uint64_t{1} << width));
            };
            Queue queue;
            std::multiset<Event, InOrder> expected;
            std::uint32_t ids = 0;
            const auto push = [&](std::int64_t time) {
                const Event event{time, ids++};
                queue.push(event);
                expected.insert(event);
            };
            std::int64_t now = 0;
            for (int window = 0; window < 40; ++window) {
                for (std::uint64_t n = random.below(draw++, 30); n > 0; --n) push(now + delay(50));
                REQUIRE(queue.next() == (expected.empty() ? INT64_MAX : expected.begin()->time));
                const std::int64_t stop = now + delay(50);
                queue.pop_before(stop, [&](const Event& event) {
                    REQUIRE_FALSE(expected.empty());
                    REQUIRE(event == *expected.begin());
                    expected.erase(expected.begin());
                    if (random.below(draw++, 4) < 3) push(event.time + delay(50));
                });
                REQUIRE((expected.empty() || expected.begin()->time >= stop));
                REQUIRE(queue.empty() == expected.empty());
                now = std::max(now, stop);
            }
        }
    }

    TEST_CASE_TEMPLATE("equal keys leave in the order of their pushes", Queue, Binary, Radix) {
        Queue queue;
        std::vector<Event> expected;
        for (std::uint32_t id = 0; id < 100; ++id) {
            queue.push({7, id});
            expected.push_back({7, id});
            queue.push({5, id});
            CHECK(popped_before(queue, 6) == std::vector<Event>{{5, id}});
        }
        CHECK(popped_before(queue, 8) == expected);
    }

    TEST_CASE_TEMPLATE("what is pushed at the key being taken follows its equals", Queue, Binary, Radix) {
        Queue queue;
        queue.push({3, 0});
        queue.push({3, 1});
        queue.push({4, 2});
        std::vector<std::uint32_t> ids;
        queue.pop_before(5, [&](const Event& event) {
            ids.push_back(event.id);
            if (event.id < 2) queue.push({event.time, event.id + 10});
        });
        CHECK(ids == std::vector<std::uint32_t>{0, 1, 10, 11, 2});
        queue.push({4, 3});  // equal to the last one popped, from outside
        CHECK(queue.next() == 4);
        CHECK(popped_before(queue, 4).empty());
        CHECK(popped_before(queue, 5) == std::vector<Event>{{4, 3}});
    }

    TEST_CASE_TEMPLATE("the stop is left out, and what waits allows earlier pushes", Queue, Binary, Radix) {
        Queue queue;
        queue.push({1, 0});
        queue.push({1'000'000, 1});
        CHECK(popped_before(queue, 1).empty());
        CHECK(popped_before(queue, 1'000'000) == std::vector<Event>{{1, 0}});
        CHECK(queue.next() == 1'000'000);
        queue.push({2, 2});
        CHECK(queue.next() == 2);
        CHECK(popped_before(queue, 1'000'001) == std::vector<Event>{{2, 2}, {1'000'000, 1}});
        CHECK(queue.empty());
    }

    TEST_CASE_TEMPLATE("keys reach from one end of int64 to the other, and the last one is never", Queue,
                       Binary, Radix) {
        Queue queue;
        const std::vector<std::int64_t> keys{INT64_MAX, INT64_MAX - 1, INT64_MIN, -1, 0, INT64_MIN + 1};
        for (std::uint32_t id = 0; id < keys.size(); ++id) queue.push({keys[id], id});
        CHECK(queue.next() == INT64_MIN);
        CHECK(popped_before(queue, INT64_MAX) ==
              std::vector<Event>{{INT64_MIN, 2}, {INT64_MIN + 1, 5}, {-1, 3}, {0, 4}, {INT64_MAX - 1, 1}});
        CHECK(queue.next() == INT64_MAX);
        CHECK_FALSE(queue.empty());
    }

    TEST_CASE_TEMPLATE("a queue whose taker throws has lost that entry and no other", Queue, Binary, Radix) {
        Queue queue;
        for (std::uint32_t id = 0; id < 4; ++id) queue.push({id < 2 ? 1 : 2, id});
        const auto refuse = [](const Event&) { throw std::runtime_error("refused"); };
        CHECK_THROWS_WITH_AS(queue.pop_before(3, refuse), "refused", std::runtime_error);
        CHECK(popped_before(queue, 3) == std::vector<Event>{{1, 1}, {2, 2}, {2, 3}});
    }
}
