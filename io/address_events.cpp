#include <cctype>

#include "files.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/recordings.hpp"

namespace saltus::io {

namespace {

constexpr std::uint64_t largest_file = std::uint64_t{1} << 31;
constexpr std::string_view mark = "#!AER-DAT";
constexpr std::size_t time_bytes = 4;

std::uint32_t big_endian(std::string_view bytes) {
    std::uint32_t value = 0;
    for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
    return value;
}

/// The format that a header stands for, and where the events begin.
struct Header {
    AddressFormat format;
    std::size_t size = 0;
};

Header header_of(std::string_view bytes, const std::string& origin,
                 const std::optional<AddressFormat>& format) {
    Header header;
    if (!bytes.starts_with(mark)) {
        if (!format) {
            throw FileError::unexpected(
                origin, "", "a first line '#!AER-DAT2.0'", "none",
                "Of events without header say the format: --address-bytes 2 --tick 200ns.");
        }
        header.format = *format;
        return header;
    }
    const std::string_view version = bytes.substr(mark.size(), 3);
    if (version != "1.0" && version != "2.0") {
        throw FileError::unexpected(origin, "line 1", "AER-DAT 1.0 or 2.0",
                                    saltus::quoted(bytes.substr(0, mark.size() + version.size())),
                                    "Convert it with jAER or dv-processing first.");
    }
    header.format.address_bytes = version == "1.0" ? 2 : 4;
    if (format) header.format.tick = format->tick;
    while (header.size < bytes.size() && bytes[header.size] == '#') {
        const std::size_t end = bytes.find('\n', header.size);
        if (end == std::string_view::npos)
            throw FileError::unexpected(origin, "", "a line break behind the header", "none");
        header.size = end + 1;
    }
    return header;
}

}  // namespace

SpikeTrain read_address_events(const std::filesystem::path& path,
                               const std::optional<AddressFormat>& format) {
    const std::string origin = path.string();
    if (format &&
        ((format->address_bytes != 2 && format->address_bytes != 4) || format->tick <= Duration())) {
        throw UsageError("events of addresses: expected 2 or 4 bytes of address and a tick > 0, found " +
                         std::to_string(format->address_bytes) + " and " + to_string(format->tick) + ".");
    }
    const std::string bytes = read_file(path, largest_file);
    const Header header = header_of(bytes, origin, format);
    const std::size_t address_bytes = header.format.address_bytes;
    const std::size_t event_bytes = address_bytes + time_bytes;
    const std::string_view events = std::string_view(bytes).substr(header.size);
    if (events.size() % event_bytes != 0) {
        throw FileError::unexpected(
            origin, "", "a multiple of " + std::to_string(event_bytes) + " bytes behind the header",
            std::to_string(events.size()), "The file is cut off, or its addresses have another width.");
    }
    SpikeTrain train;
    train.reserve(events.size() / event_bytes);
    const std::int64_t tick = header.format.tick.femtoseconds();
    std::uint32_t before = 0;
    for (std::size_t at = 0; at < events.size(); at += event_bytes) {
        const std::string where = "event " + std::to_string(train.size());
        const std::uint32_t address = big_endian(events.substr(at, address_bytes));
        const std::uint32_t ticks = big_endian(events.substr(at + address_bytes, time_bytes));
        if (ticks < before) {
            throw FileError::unexpected(
                origin, where,
                "a time that does not run backwards, from " + std::to_string(before) + " ticks on",
                std::to_string(ticks), "The file is damaged, or its addresses have another width.");
        }
        before = ticks;
        if (address == 0xffffffff)
            throw FileError::unexpected(origin, where, "an address below 2^32 - 1", "2^32 - 1");
        std::int64_t femtoseconds = 0;
        if (__builtin_mul_overflow(std::int64_t{ticks}, tick, &femtoseconds))
            throw FileError::unexpected(origin, where, "a time up to 9223 s",
                                        std::to_string(ticks) + " ticks of " + to_string(header.format.tick));
        train.add(Time(Duration(femtoseconds)), address);
    }
    train.sort();
    return train;
}

}  // namespace saltus::io
