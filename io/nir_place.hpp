// Where in a NIR document something is wrong, and how values are shown in errors and notes.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "saltus/engine/errors.hpp"
#include "saltus/io/nir.hpp"

namespace saltus::io {

using NirShape = std::vector<std::uint64_t>;

[[nodiscard]] std::string to_text(const NirShape& shape);  // "[3, 2]"

/// Shortest digits that read back as the same number.
[[nodiscard]] std::string number_text(double value);
[[nodiscard]] std::string number_text(float value);

/// A node of a document. `node` is its path, names joined by '/', and empty for the top graph.
struct NirPlace {
    const std::string& origin;
    std::string node;

    /// "node 'inner/lif', field 'tau'"
    [[nodiscard]] std::string where(std::string_view field = {}) const;
    [[nodiscard]] FileError error(std::string_view field, const std::string& text) const;
    [[nodiscard]] FileError unexpected(std::string_view field, const std::string& expected,
                                       const std::string& found, const std::string& cure = {}) const;
};

/// Appends to the notes of a document what they do not say yet.
class NirNotes {
  public:
    explicit NirNotes(std::vector<std::string>& notes) : notes_(notes), seen_(notes.begin(), notes.end()) {}

    void add(const std::string& note) {
        if (seen_.insert(note).second) notes_.push_back(note);
    }

  private:
    std::vector<std::string>& notes_;
    std::unordered_set<std::string> seen_;
};

}  // namespace saltus::io
