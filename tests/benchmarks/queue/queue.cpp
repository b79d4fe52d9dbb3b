// Which queue for events in flight?  One JSON line per pattern, number of entries and queue: ns per pop and
// push.
//
//   hold        pop the smallest, push it again after a delay drawn from 1 to 5 ms (the model of the
//   literature) one_delay   all delays are 1.5 ms, windows of 0.1 ms (network A of tests/benchmarks/networks)
//   grid        an entry is a spike on its way through the delays 1.0, 1.1, ..., 5.0 ms of its axon, then the
//   next spike
//               of its neuron; windows of 1 ms (network B)
//   continuous  the same through 1000 delays at arbitrary times from 1 to 5 ms
//
// In the last three a simulation pops window by window; in the last two much is pushed into the open window.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "candidates.hpp"
#include "events/queue.hpp"
#include "saltus/engine/random.hpp"

namespace {

using namespace saltus;
using namespace saltus::benchmarks;

constexpr std::int64_t us = 1'000'000'000;  // [fs]
constexpr std::int64_t ms = 1000 * us;

struct Event {
    std::int64_t time = 0;
    std::uint32_t source = 0;
    std::uint32_t segment = 0;

    [[nodiscard]] std::int64_t key() const { return time; }
};

struct Pattern {
    std::string_view name;
    std::uint32_t most = 0;       // entries; more would take too long here
    std::int64_t window = 0;      // [fs]; 0: no windows
    std::uint32_t segments = 1;   // delays of an axon
    std::int64_t first_low = 0;   // from a spike of the neuron before to the first arrival of the next one
    std::int64_t first_high = 0;  // [fs]
    std::int64_t gap_low = 0;     // between arrivals of one spike
    std::int64_t gap_high = 0;
};

constexpr std::array patterns{
    Pattern{"hold", 1'000'000, 0, 1, 1 * ms, 5 * ms, 0, 0},
    Pattern{"one_delay", 100'000, 100 * us, 1, 1500 * us, 1500 * us, 0, 0},
    Pattern{"grid", 100'000, 1 * ms, 41, 1 * ms, 5 * ms, 100 * us, 100 * us},
    Pattern{"continuous", 10'000, 1 * ms, 1000, 1 * ms, 5 * ms, 0, 8 * us},
};

/// The delays of a pattern, drawn before the clock starts: a table that stays in the L1 cache.
class Delays {
  public:
    explicit Delays(const Pattern& pattern) : segments_(pattern.segments), first_(size), gap_(size) {
        const CounterRandom random(1, 1);
        const auto draw = [&](std::uint64_t i, std::int64_t low, std::int64_t high) {
            return low +
                   static_cast<std::int64_t>(random.below(i, static_cast<std::uint64_t>(high - low) + 1));
        };
        for (std::uint64_t i = 0; i < size; ++i) {
            first_[i] = draw(2 * i, pattern.first_low, pattern.first_high);
            gap_[i] = draw(2 * i + 1, pattern.gap_low, pattern.gap_high);
        }
    }

    [[nodiscard]] Event after(const Event& event) const {
        const std::uint32_t segment = event.segment + 1 == segments_ ? 0 : event.segment + 1;
        const std::size_t i =
            (static_cast<std::size_t>(event.time) ^ event.source * std::size_t{2654435761}) % size;
        return {event.time + (segment == 0 ? first_[i] : gap_[i]), event.source, segment};
    }

  private:
    static constexpr std::size_t size = 1024;
    std::uint32_t segments_;
    std::vector<std::int64_t> first_;
    std::vector<std::int64_t> gap_;
};

struct Result {
    double ns = 0.0;             // per pop and push
    std::uint64_t checksum = 0;  // of (time, source) of all pops, in any order
};

template <class Queue>
Result measure(const Pattern& pattern, std::uint32_t entries, std::uint64_t pops) {
    const Delays delays(pattern);
    const CounterRandom random(2, 2);
    Queue queue;
    for (std::uint32_t source = 0; source < entries; ++source) {
        const auto time = static_cast<std::int64_t>(random.below(2 * source, 5 * ms));
        queue.push(
            {time, source, static_cast<std::uint32_t>(random.below(2 * source + 1, pattern.segments))});
    }
    Result result;
    std::uint64_t popped = 0;
    const auto take = [&](const Event& event) {
        ++popped;
        result.checksum += static_cast<std::uint64_t>(event.time) * 0x9E3779B97F4A7C15 + event.source;
        queue.push(delays.after(event));
    };
    std::int64_t stop = 0;
    const auto run = [&](std::uint64_t until) {
        while (popped < until) {
            stop = pattern.window == 0 ? queue.next() + 1 : stop + pattern.window;
            queue.pop_before(stop, take);
        }
    };
    run(pops / 5);
    const std::uint64_t before = popped;
    const auto start = std::chrono::steady_clock::now();
    run(pops);
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
    result.ns = spent.count() / static_cast<double>(popped - before);
    return result;
}

struct Candidate {
    std::string_view name;
    Result (*measure)(const Pattern&, std::uint32_t, std::uint64_t);
    Result best{};
};

}  // namespace

int main() {
    constexpr int rounds = 3;
    for (const Pattern& pattern : patterns) {
        for (const std::uint32_t entries : {100u, 1'000u, 10'000u, 100'000u, 1'000'000u}) {
            if (entries > pattern.most) break;
            const std::uint64_t pops = std::max<std::uint64_t>(1'000'000, 5 * std::uint64_t{entries});
            std::array candidates{
                Candidate{"std::priority_queue", measure<StandardQueue<Event>>},
                Candidate{"4-ary heap", measure<QuaternaryHeap<Event>>},
                Candidate{"BinaryHeap", measure<BinaryHeap<Event>>},
                Candidate{"RadixHeap", measure<RadixHeap<Event>>},
                Candidate{"calendar, windows of 0.14 ms", measure<Calendar<Event, 37, 128>>},
                Candidate{"calendar, windows of 1.1 ms", measure<Calendar<Event, 40, 16>>},
            };
            for (int round = 0; round < rounds; ++round) {
                for (Candidate& c : candidates) {
                    const Result result = c.measure(pattern, entries, pops);
                    if (round == 0 || result.ns < c.best.ns) c.best = result;
                }
            }
            for (const Candidate& c : candidates) {
                // Without windows the run ends after a number of pops, and equal keys may be cut apart there.
                if (pattern.window != 0 && c.best.checksum != candidates.front().best.checksum) {
                    std::fprintf(stderr, "%s: %s popped something else than %s\n", pattern.name.data(),
                                 c.name.data(), candidates.front().name.data());
                    return EXIT_FAILURE;
                }
                std::printf(R"({"pattern": "%s", "entries": %u, "queue": "%s", "ns": %.1f})"
                            "\n",
                            pattern.name.data(), entries, c.name.data(), c.best.ns);
                std::fflush(stdout);
            }
        }
    }
    return EXIT_SUCCESS;
}
