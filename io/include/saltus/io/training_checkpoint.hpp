// Checkpoints of trainings (learning::TrainingSnapshot) in one HDF5 file, to go on from with the same bits.
//
//     /                     attributes format = "saltus training", version = 2
//     /asked/K/name, value  strings: what the training was asked to do, K = 0, 1, ...
//     /epoch, batches       uint64: finished epochs, and mini-batches of the next one
//     /tally/samples, correct uint64, loss float64: of these mini-batches
//     /learner/K/name string, values float64: everything that learning changes, K = 0, 1, ...
//     /best/K/...           the same of the best epoch so far
//     /log/epoch, training_samples, ... one column for each member of EpochRecord
//
// Sealed as the checkpoints of runs are (sealed.hpp), written under a temporary name and renamed.
#pragma once

#include <filesystem>

#include "saltus/engine/learning/training.hpp"

namespace saltus::io {

/// Replaces the file. Throws FileError.
void write_training_checkpoint(const std::filesystem::path& path, const learning::TrainingSnapshot& snapshot);

/// Throws FileError for what is no such checkpoint, one of another version, truncated or damaged.
[[nodiscard]] learning::TrainingSnapshot read_training_checkpoint(const std::filesystem::path& path);

}  // namespace saltus::io
