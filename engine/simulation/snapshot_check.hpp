// Whether a run can go on from a snapshot.
#pragma once

#include "saltus/engine/snapshot.hpp"

namespace saltus {

/// Throws SnapshotError unless the snapshot belongs to this network and what the run is asked to do, and is
/// whole: whatever restoring it reads is there, and within bounds.
void check_resumable(const Snapshot& snapshot, const Network& network, std::uint64_t inputs_digest);

}  // namespace saltus
