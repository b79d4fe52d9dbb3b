// The bytes of a fuzzer as choices, one after the other; where they end, every choice is the first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace saltus::fuzz {

class Choices {
  public:
    explicit Choices(const std::filesystem::path& path) {
        std::ifstream file(path, std::ios::binary);
        bytes_.assign(std::istreambuf_iterator<char>(file), {});
    }

    [[nodiscard]] std::uint8_t byte() {
        return at_ < bytes_.size() ? static_cast<std::uint8_t>(bytes_[at_++]) : std::uint8_t{0};
    }
    /// In {0, ..., n - 1}, n <= 256.
    [[nodiscard]] std::uint32_t below(std::uint32_t n) { return byte() % n; }
    [[nodiscard]] bool yes() { return below(2) == 1; }
    template <class T, std::size_t n>
    [[nodiscard]] T one_of(const std::array<T, n>& values) {
        return values[below(n)];
    }
    /// A value of an enum whose last one is `last`.
    template <class E>
    [[nodiscard]] E any(E last) {
        return static_cast<E>(below(static_cast<std::uint32_t>(last) + 1));
    }

  private:
    std::string bytes_;
    std::size_t at_ = 0;
};

}  // namespace saltus::fuzz
