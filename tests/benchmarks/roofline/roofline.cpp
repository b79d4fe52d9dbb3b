// What the machine allows: how fast spikes can be delivered if nothing else has to be done.  One JSON line
// per case.
//
// Rows of targets are taken in random order; each target's state (a double) gets one weight per row:
//   add       state[target] += w
//   compare   the same, and what reaches the line is counted: the moving frame's test for a crossing, never
//   true here
// Targets are 4 bytes each, or 2 where a thread owns at most 2^16 neurons. Each thread owns an equal part of
// the targets and of every row, as a simulation with threads does, and all run side by side without waiting
// for each other.
#include <omp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "saltus/engine/random.hpp"

namespace {

using saltus::CounterRandom;

struct Case {
    std::string_view name;
    std::uint32_t rows = 0;
    std::uint32_t row_length = 0;  // targets, of all threads together
    std::uint32_t neurons = 0;
};

constexpr std::array cases{
    Case{"A", 10'000, 1000, 10'000},
    Case{"rows that stay in the L2 cache", 200, 1000, 10'000},
    Case{"E", 100'000, 100, 100'000},
    Case{"state of 8 MB", 100'000, 1000, 1'000'000},
};

constexpr std::uint64_t updates = 100'000'000;  // per measurement, of all threads
constexpr int rounds = 3;

/// One thread's part: its own neurons, and its targets of every row.
template <class Target>
struct Part {
    std::vector<Target> targets;  // [row][its part of the row]
    std::vector<double> state;
};

template <class Target>
Part<Target> make_part(const Case& c, std::uint32_t threads, std::uint32_t thread) {
    const std::uint32_t neurons = c.neurons / threads;
    const std::size_t length = c.row_length / threads;
    Part<Target> part;
    part.targets.resize(c.rows * length);
    part.state.resize(neurons);
    const CounterRandom random(1, thread);
    for (std::size_t i = 0; i < part.targets.size(); ++i) {
        part.targets[i] = static_cast<Target>(random.below(i, neurons));
    }
    return part;
}

template <class Target>
void add(const Target* row, const Target* end, double* state, double w) {
    for (; row != end; ++row) state[*row] += w;
}

template <class Target>
std::uint64_t add_and_compare(const Target* row, const Target* end, double* state, double w, double line) {
    std::uint64_t over = 0;
    for (; row != end; ++row) {
        const double x = state[*row] += w;
        if (x >= line) [[unlikely]]
            ++over;
    }
    return over;
}

/// Updates a second, the best of some rounds.
template <class Target>
double measure(const Case& c, bool compare, std::uint32_t threads) {
    std::vector<Part<Target>> parts(threads);
    std::vector<std::uint32_t> order(updates / c.row_length);
    const CounterRandom random(2, 0);
    for (std::size_t i = 0; i < order.size(); ++i) {
        order[i] = static_cast<std::uint32_t>(random.below(i, c.rows));
    }
    const std::size_t length = c.row_length / threads;
    double best = std::numeric_limits<double>::infinity();
    std::uint64_t over = 0;
#pragma omp parallel num_threads(static_cast <int>(threads)) reduction(+ : over)
    {
        const auto thread = static_cast<std::uint32_t>(omp_get_thread_num());
        Part<Target>& part = parts[thread];
        part = make_part<Target>(c, threads, thread);
        double* const state = part.state.data();
        for (int round = 0; round < rounds; ++round) {
#pragma omp barrier
            const auto start = std::chrono::steady_clock::now();
            for (const std::uint32_t row : order) {
                const Target* const begin = part.targets.data() + row * length;
                const double w = row % 5 == 0 ? -1.0 : 0.2;
                if (compare) {
                    over += add_and_compare(begin, begin + length, state, w, 1e9);
                } else {
                    add(begin, begin + length, state, w);
                }
            }
#pragma omp barrier
            const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
#pragma omp critical
            best = std::min(best, spent.count());
        }
    }
    if (over != 0) std::abort();  // the line is out of reach; the test keeps the compiler from leaving it out
    return static_cast<double>(order.size() * length * threads) / best;
}

void report(const Case& c, int target_bytes, bool compare, std::uint32_t threads, double rate) {
    std::printf(
        R"({"case": "%s", "rows": %u, "row_length": %u, "neurons": %u, "target_bytes": %d, "kernel": "%s", )"
        R"("threads": %u, "updates_per_s": %.4g, "ns_per_update": %.3f})"
        "\n",
        c.name.data(), c.rows, c.row_length, c.neurons, target_bytes, compare ? "compare" : "add", threads,
        rate, 1e9 / rate);
    std::fflush(stdout);
}

}  // namespace

int main() {
    for (const Case& c : cases) {
        for (const std::uint32_t threads : {1u, 2u}) {
            for (const bool compare : {false, true}) {
                report(c, 4, compare, threads, measure<std::int32_t>(c, compare, threads));
                if (c.neurons / threads <= 65536) {
                    report(c, 2, compare, threads, measure<std::uint16_t>(c, compare, threads));
                }
            }
        }
    }
    return EXIT_SUCCESS;
}
