// Threads that work in step: one leads, all do a task together, again and again.
//
// The threads stay in one parallel region of OpenMP for a whole run; between tasks they wait a little while
// spinning, as tasks of a fraction of a millisecond follow each other, and then sleep, so that a busy machine
// is not made busier.
//   leader   publishes a task (generation + 1), does its share, waits until nobody is at work
//   others   wait for a new generation, do their share, report
// A task is published before the generation is (release), and read after it (acquire); so is what it wrote.
#pragma once

#include <omp.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <utility>

namespace saltus {

class Team {
  public:
    explicit Team(std::uint32_t size) : size_(size) {}

    /// Calls lead() on one thread, with the others at its service.
    template <class F>
    void run(F&& lead) {
        if (size_ == 1) return lead();
#pragma omp parallel num_threads(static_cast <int>(size_))
        {
            const auto me = static_cast<std::uint32_t>(omp_get_thread_num());
            if (me == 0) {
                present_ = static_cast<std::uint32_t>(omp_get_num_threads());
                keep(lead);
                task_ = nullptr;
                publish();
            } else {
                follow(me);
            }
        }
        if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    }

    /// Only from within lead(): calls task(k) for every 0 <= k < size, each on one thread, at once. Throws
    /// what a task has thrown.
    template <class F>
    void each(F&& task) {
        if (size_ == 1) return task(0u);
        const std::function<void(std::uint32_t)> all = std::ref(task);
        task_ = &all;
        at_work_.store(present_ - 1, std::memory_order_relaxed);
        publish();
        work(0);
        await(at_work_, [](std::uint32_t n) { return n == 0; });
        if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    }

  private:
    void publish() {
        generation_.fetch_add(1, std::memory_order_release);
        generation_.notify_all();
    }
    void follow(std::uint32_t me) {
        for (std::uint32_t seen = 0;; ++seen) {
            await(generation_, [&](std::uint32_t g) { return g != seen; });
            if (!task_) return;
            work(me);
            if (at_work_.fetch_sub(1, std::memory_order_acq_rel) == 1) at_work_.notify_one();
        }
    }
    /// The share of one thread; OpenMP may have given fewer threads than were asked for.
    void work(std::uint32_t me) {
        for (std::uint32_t k = me; k < size_; k += present_) {
            keep([&] { (*task_)(k); });
        }
    }
    template <class F>
    void keep(F&& f) {
        try {
            f();
        } catch (...) {
            const std::lock_guard lock(mutex_);
            if (!failure_) failure_ = std::current_exception();
        }
    }
    template <class Done>
    static void await(const std::atomic<std::uint32_t>& value, Done&& done) {
        constexpr int spins = 3000;
        for (int k = 0; k < spins; ++k) {
            if (done(value.load(std::memory_order_acquire))) return;
#if defined(__x86_64__)
            __builtin_ia32_pause();
#endif
        }
        for (;;) {
            const std::uint32_t now = value.load(std::memory_order_acquire);
            if (done(now)) return;
            value.wait(now, std::memory_order_acquire);
        }
    }

    std::uint32_t size_;
    std::uint32_t present_ = 1;
    const std::function<void(std::uint32_t)>* task_ = nullptr;
    std::atomic<std::uint32_t> generation_ = 0;
    std::atomic<std::uint32_t> at_work_ = 0;
    std::mutex mutex_;
    std::exception_ptr failure_;
};

}  // namespace saltus
