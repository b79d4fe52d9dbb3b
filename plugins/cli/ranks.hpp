// The ranks of one run, which succeed or fail together.
#pragma once

#include <cstdint>
#include <exception>

#include "commands.hpp"
#include "saltus/engine/communication.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::cli {

/// Every rank does `work`, which talks to the others only if that cannot fail before (as preparing and
/// running a simulation do). If it fails on one, all leave: one that has failed by its own exception, which
/// says why, the others without a word.
template <class F>
void on_all(Communication& ranks, F&& work) {
    constexpr std::int64_t none = INT64_MAX;
    std::exception_ptr failure;
    std::int64_t order = none;  // who speaks: the first that knows why
    try {
        work();
    } catch (const RankError&) {
        failure = std::current_exception();
        order = std::int64_t{ranks.size()} + ranks.rank();
    } catch (...) {
        failure = std::current_exception();
        order = ranks.rank();
    }
    const std::int64_t first = ranks.smallest(order);
    if (first == none) return;
    if (first == order) std::rethrow_exception(failure);
    throw FailedElsewhere{};
}

}  // namespace saltus::cli
