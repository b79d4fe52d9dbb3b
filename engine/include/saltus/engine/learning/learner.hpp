// What a training loop knows of a network that learns. Samples are numbered; what they are, and what is
// learnt, is the learner's.
//
// The same bits for any number of threads is the learner's promise: what is summed over samples is summed in
// an order that does not depend on them (see ordered_sum).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace saltus::learning {

/// What became of some samples.
struct Tally {
    std::uint64_t samples = 0;
    std::uint64_t correct = 0;
    double loss = 0.0;  // summed

    Tally& operator+=(const Tally& other) {
        samples += other.samples;
        correct += other.correct;
        loss += other.loss;
        return *this;
    }
    [[nodiscard]] double accuracy() const {
        return samples == 0 ? 0.0 : static_cast<double>(correct) / static_cast<double>(samples);
    }
    [[nodiscard]] double mean_loss() const {
        return samples == 0 ? 0.0 : loss / static_cast<double>(samples);
    }
};

/// Everything that learning changes, by name; counters too, as whole doubles.
using LearnerState = std::map<std::string, std::vector<double>>;

/// What a training was asked to do, by the name of what was chosen: where two differ, so do their steps.
using Asked = std::map<std::string, std::string>;

class Learner {
  public:
    virtual ~Learner() = default;

    [[nodiscard]] virtual std::uint64_t samples() const = 0;
    /// One step on a mini-batch; the tally is that of the network before it. `rate_factor` comes from the
    /// schedule.
    virtual Tally learn(std::span<const std::uint64_t> batch, double rate_factor, unsigned threads) = 0;
    /// How well the network does, as it would be handed out now.
    [[nodiscard]] virtual Tally measure(std::span<const std::uint64_t> samples, unsigned threads) = 0;
    /// Called after each epoch (counted from 0), before the network is measured.
    virtual void end_epoch(std::uint64_t epoch);

    /// What of its own choices decides on the steps.
    [[nodiscard]] virtual Asked asked() const;
    [[nodiscard]] virtual LearnerState state() const = 0;
    /// Throws UsageError for the state of another learner.
    virtual void restore(const LearnerState& state) = 0;
};

/// The entry of that name; throws UsageError where there is none or it has not `size` values.
[[nodiscard]] const std::vector<double>& entry(const LearnerState& state, const std::string& name,
                                               std::size_t size);

/// f(i, thread) for i = 0 ... n - 1 by `threads` threads, in any order; the first exception by i is thrown.
void for_each_parallel(std::size_t n, unsigned threads, const std::function<void(std::size_t, unsigned)>& f);
/// f(i) for i = 0 ... n - 1, each by thread i % threads: what it wrote of block i it finds in its cache in
/// the next pass.
void for_each_block(std::size_t n, unsigned threads, const std::function<void(std::size_t)>& f);

/// sum += add(0) + add(1) + ...: `add(i, thread, partial)` adds what sample i contributes to `partial`, which
/// is as long as `sum`. Samples are summed in fixed pieces, and the pieces in order, so that the bits do not
/// depend on `threads`.
void ordered_sum(std::size_t n, unsigned threads, std::span<double> sum,
                 const std::function<void(std::size_t, unsigned, std::span<double>)>& add);

}  // namespace saltus::learning
