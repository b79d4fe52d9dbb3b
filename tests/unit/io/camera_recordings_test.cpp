#include <doctest/doctest.h>

#include "saltus/engine/errors.hpp"
#include "saltus/io/spikes.hpp"
#include "unit/io/hdf5_fixture.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::io;
using namespace saltus::test;

namespace {

/// Two recordings, of two events and one, in a frame of 5 x 4 pixels; tests change one part.
struct Parts {
    std::vector<std::uint8_t> x{0, 4, 2};
    std::vector<std::int64_t> y{3, 0, 1};
    std::vector<std::uint8_t> p{0, 1, 1};
    std::vector<std::int64_t> t_us{5, 5, 1};
    std::vector<std::int64_t> offsets{0, 2, 3};
    std::vector<std::uint8_t> label{7, 1};
    std::vector<std::uint8_t> test{1, 0};
    std::int32_t width = 5;

    void write(const std::filesystem::path& path) const {
        Hdf5Writer(path)
            .column("events/x", x)
            .column("events/y", y)
            .column("events/p", p)
            .column("events/t_us", t_us)
            .column("offsets", offsets)
            .column("label", label)
            .column("test", test)
            .integer_attribute("/", "width", width)
            .integer_attribute("/", "height", 4);
    }
    [[nodiscard]] std::string refusal() const {
        const TemporaryFolder folder;
        write(folder / "c.h5");
        return message_of<FileError>([&] { return read_camera_recordings(folder / "c.h5"); });
    }
};

}  // namespace

TEST_SUITE("io/camera_recordings") {
    TEST_CASE("events, offsets, labels and flags are read as they are") {
        const TemporaryFolder folder;
        Parts().write(folder / "c.h5");
        const CameraRecordings recordings = read_camera_recordings(folder / "c.h5");
        CHECK(recordings.width == 5);
        CHECK(recordings.height == 4);
        REQUIRE(recordings.events.size() == 3);
        CHECK(recordings.events[1].x == 4);
        CHECK(recordings.events[0].y == 3);
        CHECK_FALSE(recordings.events[0].on);
        CHECK(recordings.events[1].on);
        CHECK(recordings.events[2].time.femtoseconds() == 1'000'000'000);
        CHECK(recordings.offsets == std::vector<std::uint64_t>{0, 2, 3});
        CHECK(recordings.labels == std::vector<std::int64_t>{7, 1});
        CHECK(recordings.test == std::vector<std::uint8_t>{1, 0});
        CHECK(spike_layout(folder / "c.h5") == SpikeLayout::camera);
    }

    TEST_CASE("columns of different lengths are refused") {
        Parts parts;
        parts.p.pop_back();
        CHECK(contains(parts.refusal(), "'/events/p': expected 3 entries, as many as x, found shape [2]"));
        parts = Parts();
        parts.label.push_back(0);
        CHECK(contains(parts.refusal(), "'/label': expected 2 entries, one per recording, found shape [3]"));
        parts = Parts();
        parts.test.pop_back();
        CHECK(contains(parts.refusal(), "'/test': expected 2 entries"));
    }

    TEST_CASE("offsets that do not cover the events in order are refused") {
        for (const std::vector<std::int64_t>& wrong :
             {std::vector<std::int64_t>{0, 2}, {1, 2, 3}, {0, 4, 3}, {0, 2, 4}, {}}) {
            Parts parts;
            parts.offsets = wrong;
            CHECK(contains(parts.refusal(),
                           "'/offsets': expected offsets that rise from 0 to the number of events, 3"));
        }
        Parts parts;
        parts.offsets = {0, -1, 3};
        CHECK(contains(parts.refusal(), "'/offsets'"));
    }

    TEST_CASE("events outside the frame, polarities beyond 1, flags beyond 1 are refused") {
        Parts parts;
        parts.width = 4;
        CHECK(contains(parts.refusal(), "'/events/x': event 1: expected 0 to 3, found 4."));
        parts = Parts();
        parts.y[2] = -1;
        CHECK(contains(parts.refusal(), "'/events/y': event 2: expected 0 to 3, found -1."));
        parts = Parts();
        parts.p[0] = 2;
        CHECK(contains(parts.refusal(), "'/events/p': event 0: expected 0 to 1, found 2."));
        parts = Parts();
        parts.test[0] = 2;
        CHECK(contains(parts.refusal(), "'/test': expected 0 or 1, found 2."));
        parts = Parts();
        parts.width = 0;
        CHECK(contains(parts.refusal(), "attribute 'width': expected 1 to 32767 pixels, found 0."));
    }

    TEST_CASE("time runs forward within a recording, and starts anew with the next") {
        Parts parts;
        CHECK(parts.refusal().empty());
        parts.t_us = {5, 4, 1};
        CHECK(
            contains(parts.refusal(), "'/events/t_us': event 1 of recording 0: expected a time not before"));
        parts.t_us = {-5, 4, 1};
        CHECK(contains(parts.refusal(), "'/events/t_us': event 0: expected 0 to 9223372036, found -5."));
    }
}
