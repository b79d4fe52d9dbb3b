// What a block has to deliver at some time: an entry of its queues.
#pragma once

#include <cstdint>
#include <vector>

namespace saltus {

/// Something that a block has to deliver: synapses [begin, begin + count) of a table, segment `begin` of rows
/// that are drawn, or what a spike of neuron `begin` brings through another kind of route. For a single
/// synapse its target stands here, so that the row need not be looked up again. As long as it comes along
/// axons (axons.hpp), `begin` is the number of a segment of the table.
struct Arrival {
    static constexpr std::uint16_t single = 1u << 15;  // of route
    static constexpr std::uint16_t most_routes = single - 1;

    std::int64_t when;
    std::uint32_t begin;
    std::uint16_t route_and_single;
    std::uint16_t count;  // or the target

    void put_at(std::int64_t, std::int64_t) {}
    [[nodiscard]] std::int64_t time(std::int64_t) const { return when; }
    [[nodiscard]] bool is_single() const { return (route_and_single & single) != 0; }
    [[nodiscard]] std::uint16_t route() const { return route_and_single & (single - 1); }
    [[nodiscard]] std::uint16_t target() const { return count; }

    /// By time, and at one instant by route and synapse: rows stand in the order of their sources.
    friend bool operator<(const Arrival& a, const Arrival& b) {
        if (a.when != b.when) return a.when < b.when;
        const std::uint16_t route_a = a.route();
        const std::uint16_t route_b = b.route();
        return route_a != route_b ? route_a < route_b : a.begin < b.begin;
    }
};

/// Brings arrivals into order, by way of `scratch`.
void sort(std::vector<Arrival>& arrivals, std::vector<Arrival>& scratch);

/// One synapse of a table whose synapses share their weight, in one word: the time since the bucket's
/// beginning, the route, the target. Words are in the order of time; which of several equal weights is added
/// first does not matter.
struct PackedArrival {
    static constexpr int time_bits = 38;
    static constexpr std::uint16_t most_routes = 1u << (64 - time_bits - 16);

    std::uint64_t word;

    PackedArrival(std::uint16_t route, std::uint16_t target) : word(std::uint64_t{route} << 16 | target) {}
    void put_at(std::int64_t t, std::int64_t begin) {
        word |= static_cast<std::uint64_t>(t - begin) << (64 - time_bits);
    }
    [[nodiscard]] std::int64_t time(std::int64_t begin) const {
        return begin + static_cast<std::int64_t>(word >> (64 - time_bits));
    }
    [[nodiscard]] std::uint16_t route() const {
        return static_cast<std::uint16_t>(word >> 16) & (most_routes - 1);
    }
    [[nodiscard]] std::uint16_t target() const { return static_cast<std::uint16_t>(word); }

    friend bool operator<(PackedArrival a, PackedArrival b) { return a.word < b.word; }
};

}  // namespace saltus
