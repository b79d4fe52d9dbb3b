#include "saltus/io/wav.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "saltus/engine/errors.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using saltus::io::parse_wav;
using saltus::io::Sound;
using saltus::test::contains;
using saltus::test::message_of;
using saltus::test::TemporaryFolder;
using saltus::test::write_bytes;

namespace {

/// `width` bytes, the last significant first.
std::string le(std::uint64_t value, unsigned width) {
    std::string bytes;
    for (unsigned k = 0; k < width; ++k) bytes += static_cast<char>(value >> (8 * k) & 255);
    return bytes;
}

std::string chunk(const std::string& id, const std::string& body) {
    return id + le(body.size(), 4) + body + (body.size() % 2 == 1 ? std::string(1, '\0') : "");
}

std::string riff(const std::string& chunks) {
    return "RIFF" + le(chunks.size() + 4, 4) + "WAVE" + chunks;
}

struct Fmt {
    unsigned kind = 1, channels = 1, rate = 16000, bits = 16;
    [[nodiscard]] std::string body() const {
        const unsigned frame = channels * bits / 8;
        return le(kind, 2) + le(channels, 2) + le(rate, 4) + le(std::uint64_t{rate} * frame, 4) +
               le(frame, 2) + le(bits, 2);
    }
    [[nodiscard]] std::string extensible(
        const std::string& rest = std::string("\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71",
                                              14)) const {
        Fmt outer = *this;
        outer.kind = 0xFFFE;
        return outer.body() + le(22, 2) + le(bits, 2) + le(0, 4) + le(kind, 2) + rest;
    }
};

std::string wav(const Fmt& fmt, const std::string& data) {
    return riff(chunk("fmt ", fmt.body()) + chunk("data", data));
}

std::string refusal(const std::string& bytes) {
    return message_of<FileError>([&] { return parse_wav(bytes, "a.wav"); });
}

}  // namespace

TEST_SUITE("io/wav") {
    TEST_CASE("whole numbers become multiples of 2^(1 - bits), from -1 on") {
        using Values = std::vector<double>;
        CHECK(parse_wav(wav({.bits = 8}, std::string("\x00\x40\x80\xFF", 4)), "a").samples ==
              Values{-1.0, -0.5, 0.0, 127.0 / 128.0});
        CHECK(parse_wav(wav({.bits = 16}, le(0x8000, 2) + le(0xFFFF, 2) + le(0x7FFF, 2)), "a").samples ==
              Values{-1.0, -1.0 / 32768.0, 32767.0 / 32768.0});
        CHECK(parse_wav(wav({.bits = 24}, le(0x800000, 3) + le(1, 3) + le(0xFFFFFF, 3)), "a").samples ==
              Values{-1.0, 0x1p-23, -0x1p-23});
        CHECK(parse_wav(wav({.bits = 32}, le(0x80000000, 4) + le(1, 4) + le(0x7FFFFFFF, 4)), "a").samples ==
              Values{-1.0, 0x1p-31, 1.0 - 0x1p-31});
    }

    TEST_CASE("floating samples are taken as they are, beyond 1 too") {
        const std::string single =
            le(std::bit_cast<std::uint32_t>(0.1f), 4) + le(std::bit_cast<std::uint32_t>(-7.5f), 4);
        CHECK(parse_wav(wav({.kind = 3, .bits = 32}, single), "a").samples ==
              std::vector<double>{double{0.1f}, -7.5});
        const std::string twice = le(std::bit_cast<std::uint64_t>(0.1), 8);
        CHECK(parse_wav(wav({.kind = 3, .bits = 64}, twice), "a").samples == std::vector<double>{0.1});
    }

    TEST_CASE("channels are interleaved, and mono is their mean") {
        const Sound sound = parse_wav(
            wav({.channels = 2, .rate = 44100}, le(16384, 2) + le(0, 2) + le(0, 2) + le(0xC000, 2)), "a");
        CHECK(sound.rate == 44100);
        CHECK(sound.channels == 2);
        CHECK(sound.bits == 16);
        CHECK(sound.frames() == 2);
        CHECK(sound.samples == std::vector<double>{0.5, 0.0, 0.0, -0.5});
        CHECK(sound.mono() == std::vector<double>{0.25, -0.25});
    }

    TEST_CASE("the extensible format says in its subformat what the samples are") {
        const Fmt fmt{.kind = 3, .bits = 32};
        const std::string data = le(std::bit_cast<std::uint32_t>(0.5f), 4);
        const std::string file = riff(chunk("fmt ", fmt.extensible()) + chunk("data", data));
        CHECK(parse_wav(file, "a").samples == std::vector<double>{0.5});
    }

    TEST_CASE("chunks of other names, of odd length too, are passed over, and so is what follows RIFF") {
        const std::string file = riff(chunk("LIST", "abc") + chunk("fmt ", Fmt{}.body()) + chunk("fact", "") +
                                      chunk("data", le(1, 2)) + chunk("note", "z")) +
                                 "more";
        CHECK(parse_wav(file, "a").samples == std::vector<double>{1.0 / 32768.0});
    }

    TEST_CASE("no samples are no error") {
        CHECK(parse_wav(wav({}, ""), "a").frames() == 0);
    }

    TEST_CASE("odd data of 8 bits may end the file without a byte to fill up") {
        std::string file = riff(chunk("fmt ", Fmt{.bits = 8}.body()) + "data" + le(1, 4) + "\x80");
        CHECK(parse_wav(file, "a").samples == std::vector<double>{0.0});
    }

    TEST_CASE("hostile files are refused with the place, what was expected, and what was found") {
        const std::string fmt = chunk("fmt ", Fmt{}.body());
        const std::string data = chunk("data", le(7, 2));
        const auto with = [&](std::size_t at, std::uint64_t value, unsigned width) {
            std::string body = Fmt{}.body();
            body.replace(at, width, le(value, width));
            return riff(chunk("fmt ", body) + data);
        };
        std::string longer = riff(fmt + data);
        longer.replace(4, 4, le(0xFFFFFFFF, 4));
        std::string shorter = riff(fmt + data);
        shorter.replace(4, 4, le(3, 4));
        std::string huge = riff(fmt + data);
        huge.replace(huge.size() - 6, 4, le(0xFFFFFFF0, 4));

        struct Case {
            std::string bytes;
            const char* text;
        };
        const Case cases[] = {
            {"", "a.wav: expected a WAV file of at least 12 bytes, found 0."},
            {"RIFF", "found 4."},
            {std::string(64, 'x'), "begins with 'RIFF', found 'xxxx'."},
            {"RIFX" + riff(fmt + data).substr(4), "found 'RIFX'."},
            {"RF64" + riff(fmt + data).substr(4), "found 'RF64'."},
            {"RIFF" + le(28, 4) + "AVI " + fmt, "expected RIFF of the kind 'WAVE', found 'AVI '."},
            {longer, "found 4294967295. The file may be cut short"},
            {shorter, "expected a RIFF length of 4 to"},
            {riff(fmt + data).substr(0, 40), "expected a RIFF length of 4 to 32 bytes, found 38."},
            {huge, "chunk at byte 36, 'data': expected at most 2 bytes, which are left, found 4294967280."},
            {riff(fmt + "dat"), "chunk at byte 36: expected 8 bytes of name and length, found 3 bytes."},
            {riff(data + fmt), "chunk 'data': expected a chunk 'fmt ' before it, found none."},
            {riff(fmt + fmt + data), "chunk 'fmt ': expected one such chunk, found a second one."},
            {riff(fmt + data + data), "chunk 'data': expected one such chunk, found a second one."},
            {riff(fmt), "expected a chunk 'data', found none."},
            {riff(""), "expected a chunk 'data', found none."},
            {riff(chunk("fmt ", "abcd") + data), "chunk 'fmt ': expected at least 16 bytes, found 4."},
            {with(0, 17, 2),
             "field 'format': expected 1 (whole numbers) or 3 (floating), found format 17 "
             "(IMA ADPCM). Convert the file to PCM first."},
            {with(0, 85, 2), "format 85 (MP3)"},
            {with(0, 0xFFFE, 2), "expected at least 40 bytes in the extensible format, found 16."},
            {riff(chunk("fmt ", Fmt{}.extensible(std::string(14, 'x'))) + data), "field 'subformat'"},
            {with(2, 0, 2), "field 'channels': expected 1 to 64, found 0."},
            {with(2, 65535, 2), "field 'channels': expected 1 to 64, found 65535."},
            {with(4, 0, 4), "field 'samples a second': expected 1 to 1000000, found 0."},
            {with(4, 0xFFFFFFFF, 4), "found 4294967295."},
            {with(14, 12, 2), "field 'bits a sample': expected 8, 16, 24 or 32, found 12."},
            {with(14, 0, 2), "found 0."},
            {wav({.kind = 3, .bits = 16}, le(0, 2)), "expected 32 or 64 in floating samples, found 16."},
            {with(12, 4, 2), "field 'bytes a frame': expected 2 for 1 channels of 16 bits, found 4."},
            {riff(fmt + chunk("data", "abc")), "expected a multiple of 2 bytes, those of a frame, found 3"},
            {wav({.kind = 3, .bits = 32},
                 le(std::bit_cast<std::uint32_t>(std::numeric_limits<float>::quiet_NaN()), 4)),
             "chunk 'data', field 'sample 0': expected a finite number, found nan."},
            {wav({.kind = 3, .bits = 64},
                 le(0, 8) + le(std::bit_cast<std::uint64_t>(std::numeric_limits<double>::infinity()), 8)),
             "field 'sample 1': expected a finite number, found inf."},
        };
        for (const Case& c : cases) {
            const std::string text = refusal(c.bytes);
            CAPTURE(text);
            CAPTURE(c.text);
            CHECK(contains(text, c.text));
            CHECK(contains(text, "a.wav: "));
        }
    }

    TEST_CASE("every beginning of a file, and files with changed bytes, are read or refused, nothing else") {
        const std::string good = riff(chunk("LIST", "abc") + chunk("fmt ", Fmt{.channels = 2}.extensible()) +
                                      chunk("data", std::string(32, 'q')));
        const auto outcome = [&](const std::string& bytes) {
            try {
                return parse_wav(bytes, "a.wav").frames() < 1000;
            } catch (const FileError&) {
                return true;
            }
        };
        for (std::size_t n = 0; n < good.size(); ++n) CHECK(outcome(good.substr(0, n)));
        std::mt19937_64 random(3);
        for (int trial = 0; trial < 20000; ++trial) {
            std::string bytes = good;
            for (std::uint64_t k = random() % 4; k-- > 0;)
                bytes[random() % bytes.size()] = static_cast<char>(random() & 255);
            if (!outcome(bytes)) FAIL("trial " << trial);
        }
    }

    TEST_CASE("a file is read from the disk, and errors name it") {
        const TemporaryFolder folder;
        write_bytes(folder / "good.wav", wav({}, le(0x4000, 2)));
        CHECK(io::read_wav(folder / "good.wav").samples == std::vector<double>{0.5});
        write_bytes(folder / "bad.wav", "RIFFxxxxWAVE");
        CHECK(contains(message_of<FileError>([&] { return io::read_wav(folder / "bad.wav"); }), "bad.wav: "));
        CHECK(contains(message_of<FileError>([&] { return io::read_wav(folder / "none.wav"); }),
                       "none.wav: no such file."));
    }
}
