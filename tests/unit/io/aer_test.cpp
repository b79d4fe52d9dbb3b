#include <doctest/doctest.h>

#include <array>

#include "saltus/engine/errors.hpp"
#include "saltus/io/spikes.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::io;
using saltus::test::contains;
using saltus::test::message_of;
using saltus::test::TemporaryFolder;
using saltus::test::write_bytes;

namespace {

std::string event(int x, int y, int polarity, int microseconds) {
    const std::array<int, 5> bytes{x, y, (polarity << 7) | (microseconds >> 16), (microseconds >> 8) & 255,
                                   microseconds & 255};
    std::string text;
    for (const int byte : bytes) text += static_cast<char>(byte);
    return text;
}

constexpr std::int64_t microsecond = 1'000'000'000;

}  // namespace

TEST_SUITE("io/aer") {
    TEST_CASE("five bytes are x, y, polarity and 23 bits of microseconds") {
        const TemporaryFolder folder;
        write_bytes(folder / "a.bin",
                    event(1, 2, 0, 3) + event(33, 0, 1, 0x7fffff) + event(0, 255, 1, 0x7fffff));
        const std::vector<CameraEvent> events = read_aer(folder / "a.bin");
        REQUIRE(events.size() == 3);
        CHECK(events[0].x == 1);
        CHECK(events[0].y == 2);
        CHECK_FALSE(events[0].on);
        CHECK(events[0].time.femtoseconds() == 3 * microsecond);
        CHECK(events[1].x == 33);
        CHECK(events[1].on);
        CHECK(events[1].time.femtoseconds() == 8'388'607 * microsecond);
        CHECK(events[2].y == 255);
        CHECK(events[2].time == events[1].time);
    }

    TEST_CASE("a file of no bytes has no events") {
        const TemporaryFolder folder;
        write_bytes(folder / "empty.bin", "");
        CHECK(read_aer(folder / "empty.bin").empty());
    }

    // Values read from the packed columns of the same recordings with h5py.
    TEST_CASE("a recording of N-MNIST has the events that its authors published") {
        const std::vector<CameraEvent> events =
            read_aer(std::string(SALTUS_DATASETS) + "/samples/n-mnist/Test/7/00001.bin");
        REQUIRE(events.size() == 3330);
        CHECK(int{events[0].x} == 7);
        CHECK(int{events[0].y} == 7);
        CHECK(events[0].on == true);
        CHECK(events[0].time.femtoseconds() == 5087 * microsecond);
        std::int64_t sum = 0;
        int on = 0;
        for (const CameraEvent& e : events) {
            sum += e.time.femtoseconds() / microsecond;
            on += e.on ? 1 : 0;
        }
        CHECK(sum == 469759843);
        CHECK(on == 1718);
    }

    TEST_CASE("a size that is no multiple of five is refused") {
        const TemporaryFolder folder;
        write_bytes(folder / "cut.bin", event(1, 2, 0, 3) + "abc");
        const std::string text = message_of<FileError>([&] { return read_aer(folder / "cut.bin"); });
        CHECK(contains(text, "cut.bin: expected a multiple of 5 bytes (40 bits an event), found 8 bytes."));
    }

    TEST_CASE("time that runs backwards is refused and the event named") {
        const TemporaryFolder folder;
        write_bytes(folder / "back.bin", event(0, 0, 0, 7) + event(0, 0, 0, 7) + event(0, 0, 1, 6));
        const std::string text = message_of<FileError>([&] { return read_aer(folder / "back.bin"); });
        CHECK(contains(text, "event 2 (byte 10): expected a time of at least 7us"));
        CHECK(contains(text, "found 6us"));
    }

    TEST_CASE("a missing file and a folder are refused by name") {
        const TemporaryFolder folder;
        CHECK(contains(message_of<FileError>([&] { return read_aer(folder / "none.bin"); }),
                       "none.bin: no such file"));
        CHECK(contains(message_of<FileError>([&] { return read_aer(folder.path()); }),
                       "expected a file, found a folder"));
    }
}
