// Bad files given to every reader: what the fuzzers have found, by the reader that it brought down, and the
// hostile files of NIR, which no other format knows. Each is read or refused, and ends no process.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "readers.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;

namespace {

namespace fs = std::filesystem;

void replay(const fuzz::Reader& reader, const fs::path& file) {
    CAPTURE(reader.name);
    CAPTURE(file);
    const test::TemporaryFolder folder;
    const fs::path copy = folder / ("input" + std::string(reader.ending));
    fs::copy_file(file, copy);
    CHECK_NOTHROW(fuzz::answer(reader, copy));
}

}  // namespace

TEST_SUITE("fuzz/found") {
    TEST_CASE("what a fuzzer has found is read or refused by its reader") {
        const fs::path found = fs::path(SALTUS_TEST_DATA) / "fuzz/found";
        REQUIRE(fs::is_directory(found));
        for (const auto& folder : fs::directory_iterator(found)) {
            if (!folder.is_directory()) continue;
            const auto all = fuzz::readers();
            const auto reader = std::find_if(all.begin(), all.end(), [&](const fuzz::Reader& r) {
                return r.name == folder.path().filename().string();
            });
            REQUIRE(reader != all.end());
            for (const auto& file : fs::directory_iterator(folder)) replay(*reader, file.path());
        }
    }

    TEST_CASE("every reader answers to every hostile file") {
        std::size_t files = 0;
        for (const auto& file :
             fs::directory_iterator(fs::path(SALTUS_TEST_DATA) / "conformance/nir/hostile")) {
            if (file.path().extension() != ".nir") continue;
            for (const fuzz::Reader& reader : fuzz::readers()) replay(reader, file.path());
            ++files;
        }
        CHECK(files == 15);
    }
}
