// A distributed run within one process: each rank is a thread with an ExactSimulation of its own, and the
// ranks meet in memory instead of over MPI.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "saltus/engine/simulate.hpp"

namespace saltus::properties {

/// Where threads wait for each other. One that has failed leaves, and the others fail with it.
class Meeting {
  public:
    explicit Meeting(std::uint32_t size) : size_(size) {}

    void wait() {
        std::unique_lock lock(mutex_);
        const std::uint64_t round = round_;
        if (++waiting_ == size_) {
            waiting_ = 0;
            ++round_;
            all_here_.notify_all();
        }
        all_here_.wait(lock, [&] { return left_ || round_ != round; });
        if (left_ && round_ == round) throw std::runtime_error("another rank has left.");
    }
    void leave() {
        const std::lock_guard lock(mutex_);
        left_ = true;
        all_here_.notify_all();
    }

  private:
    std::uint32_t size_;
    std::uint32_t waiting_ = 0;
    std::uint64_t round_ = 0;
    bool left_ = false;
    std::mutex mutex_;
    std::condition_variable all_here_;
};

/// What the ranks lay on the table for each other.
struct Table {
    explicit Table(std::uint32_t size)
        : meeting(size), spikes(size), numbers(size), bytes(size), spikes_for(size), bytes_for(size) {
        for (auto& of_rank : spikes_for) of_rank.resize(size);
    }

    Meeting meeting;
    std::vector<std::vector<Spike>> spikes;
    std::vector<std::uint64_t> numbers;
    std::vector<std::vector<std::byte>> bytes;
    std::vector<std::vector<std::vector<Spike>>> spikes_for;     // [from][to]
    std::vector<std::vector<std::vector<std::byte>>> bytes_for;  // [from][to]
    std::atomic<std::uint64_t> to_some = 0;                      // spikes that single ranks were sent
    std::atomic<std::uint64_t> to_all = 0;                       // and that all were
};

class ThreadRank final : public Communication {
  public:
    ThreadRank(std::uint32_t rank, std::shared_ptr<Table> table) : rank_(rank), table_(std::move(table)) {}

    [[nodiscard]] std::uint32_t rank() const override { return rank_; }
    [[nodiscard]] std::uint32_t size() const override {
        return static_cast<std::uint32_t>(table_->numbers.size());
    }
    void exchange(std::span<const Spike> mine, std::vector<Spike>& all) override {
        table_->spikes[rank_].assign(mine.begin(), mine.end());
        table_->to_all += mine.size();
        between_meetings([&] {
            // Every rank in another order: the order of arrival must not matter.
            for (std::uint32_t k = 0; k < size(); ++k) {
                const auto& spikes = table_->spikes[(rank_ + k) % size()];
                all.insert(all.end(), spikes.begin(), spikes.end());
            }
        });
    }
    void exchange(const Peers& peers, std::span<const std::vector<Spike>> spikes,
                  std::vector<Spike>& received) override {
        for (std::size_t k = 0; k < peers.receivers.size(); ++k) {
            table_->spikes_for[rank_][peers.receivers[k]] = spikes[k];
            table_->to_some += spikes[k].size();
        }
        between_meetings([&] {
            for (auto sender = peers.senders.rbegin(); sender != peers.senders.rend(); ++sender) {
                const auto& from = table_->spikes_for[*sender][rank_];
                received.insert(received.end(), from.begin(), from.end());
            }
        });
    }
    [[nodiscard]] std::vector<std::vector<std::byte>> swap(
        std::vector<std::vector<std::byte>> mine) override {
        table_->bytes_for[rank_] = std::move(mine);
        std::vector<std::vector<std::byte>> received;
        between_meetings([&] {
            for (const auto& from : table_->bytes_for) received.push_back(from[rank_]);
        });
        return received;
    }
    [[nodiscard]] std::int64_t smallest(std::int64_t mine) override {
        std::int64_t result = mine;
        each_number(static_cast<std::uint64_t>(mine),
                    [&](std::uint64_t x) { result = std::min(result, static_cast<std::int64_t>(x)); });
        return result;
    }
    [[nodiscard]] std::uint64_t sum(std::uint64_t mine) override {
        std::uint64_t result = 0;
        each_number(mine, [&](std::uint64_t x) { result += x; });
        return result;
    }
    [[nodiscard]] std::vector<std::vector<std::byte>> gather(std::span<const std::byte> mine) override {
        table_->bytes[rank_].assign(mine.begin(), mine.end());
        std::vector<std::vector<std::byte>> all;
        between_meetings([&] {
            if (rank_ == 0) all = table_->bytes;
        });
        return all;
    }

  private:
    /// Reads what everybody has laid down; nobody lays down the next before all have read.
    template <class F>
    void between_meetings(F&& read) {
        table_->meeting.wait();
        read();
        table_->meeting.wait();
    }
    template <class F>
    void each_number(std::uint64_t mine, F&& take) {
        table_->numbers[rank_] = mine;
        between_meetings([&] {
            for (const std::uint64_t x : table_->numbers) take(x);
        });
    }

    std::uint32_t rank_;
    std::shared_ptr<Table> table_;
};

/// The results of all ranks, which meet at `table`. Throws what a rank has thrown.
[[nodiscard]] inline std::vector<SimulationResult> run_on_ranks(const std::shared_ptr<Table>& table,
                                                                const Network& network,
                                                                const std::vector<InputSpikes>& inputs,
                                                                const SimulationOptions& options,
                                                                std::uint32_t threads) {
    const auto ranks = static_cast<std::uint32_t>(table->numbers.size());
    std::vector<SimulationResult> results(ranks);
    std::exception_ptr first_failure;
    std::mutex mutex;
    std::vector<std::thread> running;
    for (std::uint32_t rank = 0; rank < ranks; ++rank) {
        running.emplace_back([&, rank] {
            try {
                results[rank] =
                    simulate(network, inputs, options, {threads, std::make_shared<ThreadRank>(rank, table)});
            } catch (...) {
                const std::lock_guard lock(mutex);
                if (!first_failure) first_failure = std::current_exception();
                table->meeting.leave();
            }
        });
    }
    for (std::thread& thread : running) thread.join();
    if (first_failure) std::rethrow_exception(first_failure);
    return results;
}

[[nodiscard]] inline std::vector<SimulationResult> run_on_ranks(const Network& network,
                                                                const std::vector<InputSpikes>& inputs,
                                                                const SimulationOptions& options,
                                                                std::uint32_t ranks, std::uint32_t threads) {
    return run_on_ranks(std::make_shared<Table>(ranks), network, inputs, options, threads);
}

}  // namespace saltus::properties
