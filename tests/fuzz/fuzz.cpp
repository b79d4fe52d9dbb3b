// libFuzzer's entry: fuzz --reader=NAME gives the bytes, as a file, to that reader.
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include "readers.hpp"
#include "unit/io/temporary_folder.hpp"

namespace {

const saltus::fuzz::Reader* reader = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
    constexpr std::string_view flag = "--reader=";
    for (int k = 1; k < *count; ++k) {
        const std::string_view argument((*arguments)[k]);
        if (argument.substr(0, flag.size()) != flag) continue;
        const auto all = saltus::fuzz::readers();
        const auto found = std::find_if(
            all.begin(), all.end(), [&](const auto& r) { return r.name == argument.substr(flag.size()); });
        if (found != all.end()) reader = &*found;
    }
    if (reader == nullptr) {
        std::fputs("expected --reader=NAME, one of those in readers.cpp\n", stderr);
        std::exit(2);
    }
    // What brings down the copy in which HDF5 reads is contained there (io/hdf5_process.hpp) and no finding.
    pthread_atfork(nullptr, nullptr, [] { __sanitizer_set_death_callback(nullptr); });
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const saltus::test::TemporaryFolder folder;
    const std::filesystem::path path = folder / ("input" + std::string(reader->ending));
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
    saltus::fuzz::answer(*reader, path);
    return 0;
}
