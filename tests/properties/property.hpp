// Properties of random networks as doctest cases.
#pragma once

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <sstream>
#include <string>
#include <utility>

#include "any_network.hpp"

namespace saltus::properties {

/// Checks `property`, which takes a NetworkChoice and asserts with RC_ASSERT, on `cases` networks; a failure
/// is shrunk and printed with its network. The networks are the same in every run unless the environment
/// variable RC_PARAMS says otherwise, for example "seed=7 max_success=5000".
template <class Property>
void check_property(const std::string& name, int cases, Property&& property) {
    rc::detail::TestParams params = rc::detail::configuration().testParams;
    if (std::getenv("RC_PARAMS") == nullptr) {
        params.seed = 20'240'229;
        params.maxSuccess = cases;
    }
    rc::detail::TestMetadata metadata;
    metadata.id = name;
    metadata.description = name;
    const auto result = rc::detail::checkTestable(
        [&] { property(*rc::gen::resize(rc::kNominalSize, any_network()).as("network")); }, metadata, params);
    if (result.template is<rc::detail::SuccessResult>()) return;
    std::ostringstream message;
    rc::detail::printResultMessage(result, message);
    FAIL("seed ", params.seed, ": ", message.str());
}

}  // namespace saltus::properties
