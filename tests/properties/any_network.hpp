// Random networks, generated and shrunk by RapidCheck.
#pragma once

#include <rapidcheck.h>

#include "random_network.hpp"

namespace saltus::properties {

[[nodiscard]] rc::Gen<NetworkChoice> any_network();

}  // namespace saltus::properties
