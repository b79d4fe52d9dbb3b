// libFuzzer's entry: the bytes as a file in memory, given to the reader that SALTUS_FUZZ_READER names.
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>

#include "readers.hpp"
#include "unit/io/temporary_folder.hpp"

namespace {

const saltus::fuzz::Reader& reader() {
    const auto all = saltus::fuzz::readers();
    const auto found =
        std::find_if(all.begin(), all.end(), [](const auto& r) { return r.name == SALTUS_FUZZ_READER; });
    if (found == all.end()) throw std::logic_error("no reader is called " SALTUS_FUZZ_READER);
    return *found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const saltus::test::TemporaryFolder folder;
    static const saltus::fuzz::Reader& one = reader();
    const std::filesystem::path path = folder / ("input" + std::string(one.ending));
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
    saltus::fuzz::answer(one, path);
    return 0;
}
