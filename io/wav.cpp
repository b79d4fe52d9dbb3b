#include "saltus/io/wav.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "files.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::io {

namespace {

constexpr std::uint64_t most_bytes = std::uint64_t{1} << 30;
constexpr std::uint32_t most_channels = 64;
constexpr std::uint32_t highest_rate = 1'000'000;
constexpr std::uint32_t whole_numbers = 1;
constexpr std::uint32_t floating = 3;
constexpr std::uint32_t extensible = 0xFFFE;

/// The bytes of one chunk, or of the whole file.
class Bytes {
  public:
    Bytes(std::string_view bytes, const std::string& file, std::string where)
        : bytes_(bytes), file_(file), where_(std::move(where)) {}

    [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }
    [[nodiscard]] std::string_view part(std::uint64_t at, std::uint64_t n) const {
        return bytes_.substr(static_cast<std::size_t>(at), static_cast<std::size_t>(n));
    }
    [[nodiscard]] std::uint64_t number(std::uint64_t at, unsigned width) const {
        std::uint64_t value = 0;
        for (unsigned k = width; k-- > 0;)
            value = value << 8 | static_cast<unsigned char>(bytes_[static_cast<std::size_t>(at) + k]);
        return value;
    }
    [[nodiscard]] Bytes chunk(std::uint64_t at, std::uint64_t n, const std::string& name) const {
        return {part(at, n), file_, "chunk " + saltus::quoted(name)};
    }
    [[nodiscard]] FileError wrong(const std::string& field, const std::string& expected,
                                  const std::string& found, const std::string& cure = {}) const {
        const std::string where =
            where_.empty() || field.empty() ? where_ + field : where_ + ", field " + saltus::quoted(field);
        return FileError::unexpected(file_, where, expected, found, cure);
    }

  private:
    std::string_view bytes_;
    const std::string& file_;
    std::string where_;
};

struct Format {
    std::uint32_t kind = whole_numbers;
    std::uint32_t channels = 0;
    std::uint32_t rate = 0;
    std::uint32_t bits = 0;
};

std::string name_of(std::uint64_t format) {
    const std::string number = "format " + std::to_string(format);
    switch (format) {
        case 2:
            return number + " (Microsoft ADPCM)";
        case 6:
            return number + " (A-law)";
        case 7:
            return number + " (mu-law)";
        case 17:
            return number + " (IMA ADPCM)";
        case 85:
            return number + " (MP3)";
        default:
            return number;
    }
}

std::uint32_t in_range(const Bytes& fmt, const char* field, std::uint64_t at, unsigned width,
                       std::uint32_t most) {
    const std::uint64_t value = fmt.number(at, width);
    if (value < 1 || value > most)
        throw fmt.wrong(field, "1 to " + std::to_string(most), std::to_string(value));
    return static_cast<std::uint32_t>(value);
}

Format format_of(const Bytes& fmt) {
    if (fmt.size() < 16) throw fmt.wrong("", "at least 16 bytes", std::to_string(fmt.size()));
    Format format;
    std::uint64_t kind = fmt.number(0, 2);
    if (kind == extensible) {
        if (fmt.size() < 40) {
            throw fmt.wrong("", "at least 40 bytes in the extensible format", std::to_string(fmt.size()));
        }
        kind = fmt.number(24, 2);
        // What follows is the same in all subformats of a wave format.
        constexpr std::string_view rest("\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71", 14);
        if (fmt.part(26, 14) != rest) {
            throw fmt.wrong("subformat", "that of whole or floating numbers", "another one",
                            "Convert the file to PCM first.");
        }
    }
    if (kind != whole_numbers && kind != floating) {
        throw fmt.wrong("format", "1 (whole numbers) or 3 (floating)", name_of(kind),
                        "Convert the file to PCM first.");
    }
    format.kind = static_cast<std::uint32_t>(kind);
    format.channels = in_range(fmt, "channels", 2, 2, most_channels);
    format.rate = in_range(fmt, "samples a second", 4, 4, highest_rate);
    const std::uint64_t bits = fmt.number(14, 2);
    const bool known =
        kind == floating ? bits == 32 || bits == 64 : bits == 8 || bits == 16 || bits == 24 || bits == 32;
    if (!known) {
        throw fmt.wrong("bits a sample",
                        kind == floating ? "32 or 64 in floating samples" : "8, 16, 24 or 32",
                        std::to_string(bits), "Convert the file to 16-bit PCM first.");
    }
    format.bits = static_cast<std::uint32_t>(bits);
    const std::uint64_t frame = std::uint64_t{format.channels} * format.bits / 8;
    if (fmt.number(12, 2) != frame) {
        throw fmt.wrong("bytes a frame",
                        std::to_string(frame) + " for " + std::to_string(format.channels) + " channels of " +
                            std::to_string(format.bits) + " bits",
                        std::to_string(fmt.number(12, 2)));
    }
    return format;
}

double sample_at(const Bytes& data, std::uint64_t at, const Format& format) {
    const unsigned width = format.bits / 8;
    const std::uint64_t raw = data.number(at, width);
    if (format.kind == floating) {
        return width == 4 ? double{std::bit_cast<float>(static_cast<std::uint32_t>(raw))}
                          : std::bit_cast<double>(raw);
    }
    if (format.bits == 8) return (static_cast<double>(raw) - 128.0) / 128.0;
    const double half = std::ldexp(1.0, static_cast<int>(format.bits) - 1);
    const auto value = static_cast<double>(raw);
    return (value >= half ? value - 2.0 * half : value) / half;
}

Sound sound_of(const Bytes& data, const Format& format) {
    const std::uint64_t frame = std::uint64_t{format.channels} * format.bits / 8;
    if (data.size() % frame != 0) {
        throw data.wrong("", "a multiple of " + std::to_string(frame) + " bytes, those of a frame",
                         std::to_string(data.size()) + " bytes");
    }
    Sound sound{format.rate, format.channels, format.bits, {}};
    const std::uint64_t width = format.bits / 8;
    sound.samples.resize(static_cast<std::size_t>(data.size() / width));
    for (std::size_t k = 0; k < sound.samples.size(); ++k) {
        sound.samples[k] = sample_at(data, k * width, format);
        if (!std::isfinite(sound.samples[k])) {
            throw data.wrong("sample " + std::to_string(k), "a finite number", shown(sound.samples[k]));
        }
    }
    return sound;
}

/// Four letters, a length.
constexpr std::uint64_t head = 8;

}  // namespace

std::vector<double> Sound::mono() const {
    if (channels == 1) return samples;
    std::vector<double> mean(static_cast<std::size_t>(frames()));
    for (std::size_t k = 0; k < mean.size(); ++k) {
        for (std::uint32_t c = 0; c < channels; ++c) mean[k] += samples[k * channels + c];
        mean[k] /= channels;
    }
    return mean;
}

Sound parse_wav(std::string_view bytes, const std::string& name) {
    const Bytes file(bytes, name, "");
    if (file.size() < 12)
        throw file.wrong("", "a WAV file of at least 12 bytes", std::to_string(file.size()));
    if (file.part(0, 4) != "RIFF") {
        throw file.wrong("", "a WAV file, which begins with 'RIFF'", saltus::quoted(file.part(0, 4)));
    }
    if (file.part(8, 4) != "WAVE") {
        throw file.wrong("", "RIFF of the kind 'WAVE'", saltus::quoted(file.part(8, 4)));
    }
    const std::uint64_t end = head + file.number(4, 4);
    if (end < 12 || end > file.size()) {
        throw file.wrong("", "a RIFF length of 4 to " + std::to_string(file.size() - head) + " bytes",
                         std::to_string(end - head), "The file may be cut short: fetch it again.");
    }
    std::optional<Format> format;
    std::optional<Sound> sound;
    for (std::uint64_t at = 12; at < end;) {
        const std::string place = "chunk at byte " + std::to_string(at);
        if (end - at < head) {
            throw file.wrong(place, "8 bytes of name and length", std::to_string(end - at) + " bytes");
        }
        const std::string id(file.part(at, 4));
        const std::uint64_t length = file.number(at + 4, 4);
        at += head;
        if (length > end - at) {
            throw file.wrong(place + ", " + saltus::quoted(id),
                             "at most " + std::to_string(end - at) + " bytes, which are left",
                             std::to_string(length), "The file may be cut short: fetch it again.");
        }
        const Bytes chunk = file.chunk(at, length, id);
        if (id == "fmt ") {
            if (format) throw chunk.wrong("", "one such chunk", "a second one");
            format = format_of(chunk);
        } else if (id == "data") {
            if (!format) throw chunk.wrong("", "a chunk 'fmt ' before it", "none");
            if (sound) throw chunk.wrong("", "one such chunk", "a second one");
            sound = sound_of(chunk, *format);
        }
        at += length;
        if (length % 2 == 1 && at < end) ++at;
    }
    if (!sound) throw file.wrong("", "a chunk 'data'", "none");
    return *std::move(sound);
}

Sound read_wav(const std::filesystem::path& path) {
    return parse_wav(read_file(path, most_bytes), path.string());
}

}  // namespace saltus::io
