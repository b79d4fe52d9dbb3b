// The training loop: epochs of mini-batches in a shuffled order, a part of the samples held back to choose
// the best epoch, early stopping, snapshots to go on from.
//
// The order of an epoch is a function of the seed and its number, so a training that goes on from a snapshot
// continues with the same bits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "saltus/engine/learning/learner.hpp"
#include "saltus/engine/learning/schedule.hpp"

namespace saltus::learning {

/// One line of the training log.
struct EpochRecord {
    std::uint64_t epoch = 0;  // from 1
    double rate_factor = 1.0;
    Tally training;        // each sample before the step that it took part in
    Tally validation;      // after the epoch; no samples where none are held back
    bool best = false;     // so far
    double seconds = 0.0;  // since the training began, or went on
};

struct TrainingSnapshot {
    Asked asked;                // what decides on the steps
    std::uint64_t epoch = 0;    // finished
    std::uint64_t batches = 0;  // of the next one
    Tally tally;                // of these
    LearnerState learner;
    LearnerState best;  // empty: no epoch yet
    std::vector<EpochRecord> log;
};

struct TrainingProgress {
    std::uint64_t epoch = 0;  // that is under way, from 1
    std::uint64_t epochs = 0;
    double fraction = 0.0;  // of the whole training
    Tally tally;            // of this epoch so far
    double samples_per_second = 0.0;
    double seconds_left = 0.0;  // if no early stop comes
};

struct TrainingOptions {
    std::uint64_t epochs = 10;
    std::uint64_t batch = 32;
    Schedule schedule{};
    std::uint64_t seed = 0;
    bool shuffle = true;
    Asked asked = {};  // what decides on the steps, and neither these options nor the learner know
    /// Labels of all samples: an epoch draws as many as there are, with replacement, each class as likely as
    /// the others. Empty: each sample once.
    std::vector<std::uint32_t> balance = {};
    std::uint64_t validation = 0;  // samples held back: the last ones
    std::uint64_t patience = 0;    // stop after so many epochs without a new best; 0: never
    bool keep_best = true;         // hand out the best epoch (by validation), not the last
    unsigned threads = 1;

    std::function<bool(const TrainingProgress&)> on_progress = {};  // after each mini-batch; false stops
    std::function<void(const EpochRecord&)> on_epoch = {};
    std::function<bool()> snapshot_due = {};  // asked after each mini-batch
    std::function<void(const TrainingSnapshot&)> on_snapshot = {};
    std::shared_ptr<const TrainingSnapshot> resume_from = {};
};

struct TrainingResult {
    std::vector<EpochRecord> log;
    std::optional<std::uint64_t> best_epoch;  // from 1; none without held back samples
    bool interrupted = false;
    bool stopped_early = false;
};

/// Samples held back of `samples`: a share of them where `asked` is below 1, else so many. Throws UsageError
/// for what is no such number, and where none would be left to learn from.
[[nodiscard]] std::uint64_t held_back(double asked, std::uint64_t samples);

/// Sample numbers 0 ... n - 1 in the order of an epoch: Fisher and Yates, with draws of (seed, epoch).
[[nodiscard]] std::vector<std::uint64_t> shuffled(std::uint64_t n, std::uint64_t seed, std::uint64_t epoch);

/// As many draws with replacement as there are labels: a class that occurs, each as likely, then one of its
/// samples. A function of (seed, epoch).
[[nodiscard]] std::vector<std::uint64_t> balanced(std::span<const std::uint32_t> labels, std::uint64_t seed,
                                                  std::uint64_t epoch);

/// The best epoch has most held back samples right; of equals the smaller loss, then the earlier. The learner
/// is left as it was then (keep_best), or as it is at the end. Throws UsageError for options out of their
/// range, and for a snapshot of another training, with the names of what differs.
TrainingResult train(Learner& learner, const TrainingOptions& options);

}  // namespace saltus::learning
