#include "saltus/engine/learning/learner.hpp"

#include <omp.h>

#include <algorithm>
#include <exception>
#include <limits>

#include "saltus/engine/errors.hpp"

namespace saltus::learning {

void Learner::end_epoch(std::uint64_t) {}

Asked Learner::asked() const {
    return {};
}

const std::vector<double>& entry(const LearnerState& state, const std::string& name, std::size_t size) {
    const auto found = state.find(name);
    if (found == state.end() || found->second.size() != size) {
        throw UsageError("state of a training, " + quoted(name) + ": expected " + std::to_string(size) +
                         " values, found " +
                         (found == state.end() ? "none" : std::to_string(found->second.size())) +
                         ". It belongs to another network or other options.");
    }
    return found->second;
}

namespace {

/// Exceptions must not leave a loop of OpenMP; the first by place is thrown behind it.
class FirstFailure {
  public:
    template <class F>
    void catching(std::size_t i, F&& f) {
        try {
            f();
        } catch (...) {
#pragma omp critical(saltus_first_failure)
            if (i < at_) {
                at_ = i;
                failure_ = std::current_exception();
            }
        }
    }
    void rethrow() const {
        if (failure_) std::rethrow_exception(failure_);
    }

  private:
    std::size_t at_ = std::numeric_limits<std::size_t>::max();
    std::exception_ptr failure_;
};

}  // namespace

void for_each_parallel(std::size_t n, unsigned threads, const std::function<void(std::size_t, unsigned)>& f) {
    if (threads <= 1 || n <= 1) {
        for (std::size_t i = 0; i < n; ++i) f(i, 0);
        return;
    }
    FirstFailure failure;
#pragma omp parallel for schedule(dynamic) num_threads(static_cast <int>(threads))
    for (std::size_t i = 0; i < n; ++i)
        failure.catching(i, [&] { f(i, static_cast<unsigned>(omp_get_thread_num())); });
    failure.rethrow();
}

void for_each_block(std::size_t n, unsigned threads, const std::function<void(std::size_t)>& f) {
    if (threads <= 1 || n <= 1) {
        for (std::size_t i = 0; i < n; ++i) f(i);
        return;
    }
    FirstFailure failure;
#pragma omp parallel for schedule(static, 1) num_threads(static_cast <int>(threads))
    for (std::size_t i = 0; i < n; ++i) failure.catching(i, [&] { f(i); });
    failure.rethrow();
}

void ordered_sum(std::size_t n, unsigned threads, std::span<double> sum,
                 const std::function<void(std::size_t, unsigned, std::span<double>)>& add) {
    constexpr std::size_t most_pieces = 16;  // more would cost memory, fewer leave threads idle
    constexpr std::size_t slice = 4096;
    const std::size_t pieces = std::min(n, most_pieces);
    std::vector<std::vector<double>> partial(pieces);
    for_each_parallel(pieces, threads, [&](std::size_t p, unsigned thread) {
        partial[p].assign(sum.size(), 0.0);
        for (std::size_t i = n * p / pieces; i < n * (p + 1) / pieces; ++i) add(i, thread, partial[p]);
    });
    for_each_parallel((sum.size() + slice - 1) / slice, threads, [&](std::size_t s, unsigned) {
        const std::size_t end = std::min(sum.size(), (s + 1) * slice);
        for (const std::vector<double>& values : partial) {
            for (std::size_t k = s * slice; k < end; ++k) sum[k] += values[k];
        }
    });
}

}  // namespace saltus::learning
