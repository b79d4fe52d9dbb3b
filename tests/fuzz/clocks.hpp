// The clocks held against themselves and against a plain loop, on networks that the bytes of a file choose.
#pragma once

#include <filesystem>

namespace saltus::fuzz {

/// A network on the exact clock: in windows as long as its delays allow; strictly from instant to instant, in
/// windows of 1 fs; on several threads; and up to the first spike of one population. Throws std::logic_error
/// where any bit of spikes or potentials differs.
void compare_schedules(const std::filesystem::path& choices);

/// A network on the stepped clock under rules chosen freely, against a loop over steps, populations and
/// neurons (stepped_reference.hpp). Throws std::logic_error where any bit of spikes, potentials or currents
/// differs; a saltus::Error where the clock refuses the network.
void compare_with_plain_steps(const std::filesystem::path& choices);

}  // namespace saltus::fuzz
