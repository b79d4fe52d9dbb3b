#include "snapshot_merge.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <type_traits>

namespace saltus {

namespace {

/// Bytes between ranks of one program on one kind of machine: values as they lie in memory.
class Writer {
  public:
    template <class T>
    void value(const T& x) requires std::is_trivially_copyable_v<T> {
        const auto* begin = reinterpret_cast<const std::byte*>(&x);
        bytes_.insert(bytes_.end(), begin, begin + sizeof(T));
    }
    template <class Container>
    void values(const Container& xs) {
        value(xs.size());
        for (const auto& x : xs) value(x);
    }
    [[nodiscard]] std::vector<std::byte> take() { return std::move(bytes_); }

  private:
    std::vector<std::byte> bytes_;
};

class Reader {
  public:
    explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}
    [[nodiscard]] bool at_end() const { return bytes_.empty(); }
    template <class T>
    [[nodiscard]] T value() {
        T x;
        std::memcpy(&x, bytes_.data(), sizeof(T));
        bytes_ = bytes_.subspan(sizeof(T));
        return x;
    }
    template <class Container>
    void values(Container& xs) {
        const auto n = value<std::size_t>();
        xs.clear();
        for (std::size_t k = 0; k < n; ++k) xs.push_back(value<typename Container::value_type>());
    }

  private:
    std::span<const std::byte> bytes_;
};

/// Only the neurons of the part go along.
template <class T>
void write_columns(Writer& writer, const PartOfSnapshot& part,
                   const std::map<std::string, std::vector<T>>& columns) {
    writer.value(columns.size());
    for (const auto& [name, column] : columns) {
        writer.values(name);
        for (const NeuronRange& range : part.ranges) {
            for (NeuronIndex j = range.begin; j < range.end; ++j) writer.value(column[j]);
        }
    }
}
template <class T>
void read_columns(Reader& reader, const PartOfSnapshot& part,
                  std::map<std::string, std::vector<T>>& columns) {
    const auto n = reader.value<std::size_t>();
    for (std::size_t k = 0; k < n; ++k) {
        std::string name;
        reader.values(name);
        std::vector<T>& column = columns[name];
        column.resize(part.snapshot.size);
        for (const NeuronRange& range : part.ranges) {
            for (NeuronIndex j = range.begin; j < range.end; ++j) column[j] = reader.value<T>();
        }
    }
}

template <class T>
void merge_columns(const PartOfSnapshot& part, const std::map<std::string, std::vector<T>>& from,
                   std::map<std::string, std::vector<T>>& into) {
    for (const auto& [name, column] : from) {
        std::vector<T>& merged = into[name];
        merged.resize(part.snapshot.size);
        for (const NeuronRange& range : part.ranges) {
            std::copy(column.begin() + range.begin, column.begin() + range.end, merged.begin() + range.begin);
        }
    }
}

}  // namespace

std::vector<std::byte> to_bytes(const std::vector<PartOfSnapshot>& parts) {
    Writer writer;
    for (const PartOfSnapshot& part : parts) {
        writer.value(part.population);
        writer.value(part.snapshot.size);
        writer.values(part.ranges);
        write_columns(writer, part, part.snapshot.reals);
        write_columns(writer, part, part.snapshot.ticks);
        writer.values(part.snapshot.events);
        writer.value(part.snapshot.trains.size());
        for (const auto& groups : part.snapshot.trains) writer.values(groups);
        writer.value(part.snapshot.frame_origin);
    }
    return writer.take();
}

std::vector<PartOfSnapshot> parts_from_bytes(std::span<const std::byte> bytes) {
    Reader reader(bytes);
    std::vector<PartOfSnapshot> parts;
    while (!reader.at_end()) {
        PartOfSnapshot part;
        part.population = reader.value<std::uint32_t>();
        part.snapshot.size = reader.value<std::uint32_t>();
        reader.values(part.ranges);
        read_columns(reader, part, part.snapshot.reals);
        read_columns(reader, part, part.snapshot.ticks);
        reader.values(part.snapshot.events);
        part.snapshot.trains.resize(reader.value<std::size_t>());
        for (auto& groups : part.snapshot.trains) reader.values(groups);
        part.snapshot.frame_origin = reader.value<std::int64_t>();
        parts.push_back(std::move(part));
    }
    return parts;
}

void merge(const PartOfSnapshot& part, std::vector<PopulationSnapshot>& populations) {
    PopulationSnapshot& into = populations[part.population];
    const PopulationSnapshot& from = part.snapshot;
    merge_columns(part, from.reals, into.reals);
    merge_columns(part, from.ticks, into.ticks);
    into.events.insert(into.events.end(), from.events.begin(), from.events.end());
    if (into.trains.size() < from.trains.size()) into.trains.resize(from.trains.size());
    for (std::size_t k = 0; k < from.trains.size(); ++k) {
        // A group that nobody has drawn from yet stands in no part; one that stands is of chunk 0 or later.
        auto& groups = into.trains[k];
        if (groups.size() < from.trains[k].size()) groups.resize(from.trains[k].size(), {-1, 0, 0});
        for (std::size_t g = 0; g < from.trains[k].size(); ++g) {
            if (from.trains[k][g].chunk >= 0) groups[g] = from.trains[k][g];
        }
    }
    if (!from.reals.empty()) {
        into.frame_origin = from.frame_origin;
    }
}

}  // namespace saltus
