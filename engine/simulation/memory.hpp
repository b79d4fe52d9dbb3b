// How much memory there is.
#pragma once

#include <cstdint>
#include <string>

namespace saltus {

/// Bytes that this process may have at most: those of the machine, or less where a limit is set for the
/// process or its control group.
[[nodiscard]] std::uint64_t most_memory();

/// "1.5 GiB"
[[nodiscard]] std::string shown_bytes(double bytes);

}  // namespace saltus
