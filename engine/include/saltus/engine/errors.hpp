// What can go wrong, one class per kind of mistake. Every text says where, which field, what was expected,
// what was found, and the cure where there is one. Nothing in the library prints or exits; the command line
// turns a FileError into exit code 3, a LimitError or NetworkError into 4, a UsageError into 2, any other
// Error into 1.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace saltus {

class Error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// A file cannot be read or written, or its contents are wrong. what() is "path: where: text".
class FileError : public Error {
  public:
    /// `where` names the place in the file, for example "node 'lif', field 'tau'"; empty when it is the file
    /// as a whole.
    FileError(std::string path, std::string where, const std::string& text);

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] const std::string& where() const { return where_; }

    /// "expected X, found Y. CURE"; `cure` may be empty.
    [[nodiscard]] static FileError unexpected(std::string path, std::string where,
                                              const std::string& expected, const std::string& found,
                                              const std::string& cure = {});

  private:
    std::string path_;
    std::string where_;
};

/// A network is not one that can be built or run: wrong shapes, a cycle without delay, a parameter out of its
/// range.
class NetworkError : public Error {
  public:
    /// `node` is a population or a projection ("a -> b"), `field` a parameter of it or empty.
    NetworkError(std::string node, std::string field, const std::string& text);

    [[nodiscard]] const std::string& node() const { return node_; }
    [[nodiscard]] const std::string& field() const { return field_; }

  private:
    std::string node_;
    std::string field_;
};

/// Spikes handed to a simulation are wrong: for a neuron that does not exist, before the start, after the
/// end.
class InputError : public Error {
  public:
    InputError(std::string population, const std::string& text);

    [[nodiscard]] const std::string& population() const { return population_; }

  private:
    std::string population_;
};

/// An argument is wrong: not a time, an unknown name, a combination that means nothing.
class UsageError : public Error {
  public:
    using Error::Error;
};

/// A snapshot cannot be gone on from: it is of another network or run, or not whole.
class SnapshotError : public UsageError {
  public:
    using UsageError::UsageError;
};

/// Another rank of a distributed run has failed; its own error says why.
class RankError : public Error {
  public:
    using Error::Error;
};

/// What is asked is beyond what is possible: out of the range of time, more than memory, or not built yet.
class LimitError : public Error {
  public:
    using Error::Error;
};

/// `name` in quotes, as all error texts show names; control characters and broken UTF-8 are shown as \xNN.
[[nodiscard]] std::string quoted(std::string_view name);
// Found by argument-dependent lookup, std::quoted would win over the conversion to string_view.
[[nodiscard]] inline std::string quoted(const std::string& name) {
    return quoted(std::string_view(name));
}
[[nodiscard]] inline std::string quoted(std::string& name) {
    return quoted(std::string_view(name));
}
[[nodiscard]] inline std::string quoted(const char* name) {
    return quoted(std::string_view(name));
}

/// A number as error texts show it: up to 15 digits.
[[nodiscard]] std::string shown(double x);

/// The entry of `known` nearest to `name` as " Did you mean 'x'?", or "" if none is near.
template <class Names>
[[nodiscard]] std::string did_you_mean(std::string_view name, const Names& known);

namespace detail {
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);
}

template <class Names>
std::string did_you_mean(std::string_view name, const Names& known) {
    std::string best;
    std::size_t best_distance = name.size() / 3 + 2;
    for (const auto& candidate : known) {
        const std::size_t distance = detail::edit_distance(name, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = std::string(candidate);
        }
    }
    return best.empty() ? "" : " Did you mean " + saltus::quoted(best) + "?";
}

}  // namespace saltus
