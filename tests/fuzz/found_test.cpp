// What the fuzzers have found, replayed: every file is read or refused, and ends no process.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "readers.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;

TEST_SUITE("fuzz/found") {
    TEST_CASE("every file that a fuzzer has kept is read or refused") {
        const std::filesystem::path found = std::filesystem::path(SALTUS_TEST_DATA) / "fuzz/found";
        std::size_t files = 0;
        for (const auto& folder : std::filesystem::directory_iterator(found)) {
            if (!folder.is_directory()) continue;
            const auto all = fuzz::readers();
            const auto reader = std::find_if(all.begin(), all.end(), [&](const fuzz::Reader& r) {
                return r.name == folder.path().filename().string();
            });
            CAPTURE(folder.path());
            REQUIRE(reader != all.end());
            for (const auto& file : std::filesystem::directory_iterator(folder)) {
                CAPTURE(file.path());
                const test::TemporaryFolder copies;
                const auto copy = copies / ("input" + std::string(reader->ending));
                std::filesystem::copy_file(file.path(), copy);
                fuzz::answer(*reader, copy);
                ++files;
            }
        }
        CHECK(files > 0);
    }
}
