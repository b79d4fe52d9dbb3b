// WAV: recorded sound (IBM and Microsoft, "Multimedia programming interface and data specifications 1.0",
// 1991; WAVE_FORMAT_EXTENSIBLE: Microsoft, ksmedia.h). Little endian:
//
//   "RIFF", length of what follows, "WAVE", then chunks: four letters, length, bytes, one more if it is odd
//   "fmt "  format (1 whole numbers, 3 floating, 0xFFFE: the first two bytes of the subformat say which),
//           channels, samples a second, bytes a second, bytes a frame, bits a sample;
//           extensible: 22, valid bits, channel mask, subformat (16 bytes)
//   "data"  frames: one sample a channel. 8 bits are 0 ... 255 about 128; 16, 24, 32 bits are signed;
//           floating ones have 32 or 64 bits
//
// Chunks of other names are passed over. Compressed formats, RF64 and big-endian RIFX are refused by name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace saltus::io {

struct Sound {
    std::uint32_t rate = 0;  // samples a second, of each channel
    std::uint32_t channels = 0;
    std::uint32_t bits = 0;       // of a sample in the file
    std::vector<double> samples;  // [frame][channel]; whole numbers divided by 2^(bits - 1): -1 <= x < 1

    [[nodiscard]] std::uint64_t frames() const { return channels == 0 ? 0 : samples.size() / channels; }
    /// Mean of the channels.
    [[nodiscard]] std::vector<double> mono() const;
};

/// The whole file as bytes; `name` is what errors call it. Throws FileError, nothing else: not RIFF or not
/// WAVE, lengths that go beyond the bytes, no or two "fmt " or "data", data before their format, a format
/// that is not one of those above, sizes that contradict each other, floating samples that are not finite.
/// Memory is asked for only as the bytes that are there need it.
[[nodiscard]] Sound parse_wav(std::string_view bytes, const std::string& name);

/// Files up to 1 GiB.
[[nodiscard]] Sound read_wav(const std::filesystem::path& path);

}  // namespace saltus::io
