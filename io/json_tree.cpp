// A handler for the events of nlohmann's parser, which keeps only one bit per open bracket of its own.
#include "json_tree.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>

#include "files.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::io {

namespace {

std::string shortened(std::string_view text) {
    constexpr std::size_t shown = 40;
    return saltus::quoted(text.substr(0, shown)) + (text.size() > shown ? "..." : "");
}

/// What surrounds a byte of a text.
struct Surroundings {
    std::uint64_t line = 1;
    std::uint64_t column = 1;
    std::string before;  // on the same line
    std::string after;   // from the byte on; empty at the end of the text
};

/// Looked up only where something is wrong: the text is read again up to there.
Surroundings surroundings(const std::filesystem::path& path, std::uint64_t at) {
    constexpr std::size_t shown_before = 20;
    constexpr std::size_t shown_after = 64;
    Surroundings found;
    std::ifstream file(path, std::ios::binary);
    char c = 0;
    for (std::uint64_t i = 0; i < at && file.get(c); ++i) {
        if (c == '\n') {
            ++found.line;
            found.column = 1;
            found.before.clear();
        } else {
            ++found.column;
            found.before += c;
            if (found.before.size() > 2 * shown_before) found.before.erase(0, shown_before);
        }
    }
    if (found.before.size() > shown_before) found.before.erase(0, found.before.size() - shown_before);
    for (std::size_t i = 0; i < shown_after && file.get(c); ++i) found.after += c;
    return found;
}

/// Collects one list, brackets and all. Depth 1 is the outermost bracket.
class ListBuilder {
  public:
    [[nodiscard]] bool active() const { return !counts_.empty(); }

    /// "[2][0]": the place of the element that comes next.
    [[nodiscard]] std::string index() const {
        std::string text;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            const bool innermost = i + 1 == counts_.size();  // the others have counted the list that is open
            text += "[" + std::to_string(counts_[i] - (innermost ? 0 : 1)) + "]";
        }
        return text;
    }

    /// Each returns what is wrong, "" if nothing is.
    [[nodiscard]] std::string open() {
        if (counts_.size() == max_json_lists) {
            return "lists are nested deeper than " + std::to_string(max_json_lists) + " levels";
        }
        if (leaf_depth_ != 0 && counts_.size() >= leaf_depth_) return "expected a number, found a list";
        if (active()) ++counts_.back();
        counts_.push_back(0);
        return "";
    }

    [[nodiscard]] std::string close() {
        const std::size_t depth = counts_.size();
        const std::uint64_t count = counts_.back();
        counts_.pop_back();
        if (lengths_.size() < depth) lengths_.resize(depth);
        if (leaf_depth_ == 0) leaf_depth_ = depth;
        std::optional<std::uint64_t>& length = lengths_[depth - 1];
        if (length.value_or(count) != count) {
            if (active()) --counts_.back();  // the place is that of this list
            return "expected a list of " + std::to_string(*length) + " as the one before, found " +
                   std::to_string(count);
        }
        length = count;
        return "";
    }

    template <class T>
    [[nodiscard]] std::string add(T value) {
        const std::size_t depth = counts_.size();
        if (leaf_depth_ == 0) leaf_depth_ = depth;
        if (depth != leaf_depth_) return "expected a list as before, found a number or a string";
        std::string wrong = append(std::move(value));
        if (wrong.empty()) ++counts_.back();
        return wrong;
    }

    JsonList take() {
        JsonList list{{}, std::move(values_)};
        for (const auto& length : lengths_) list.shape.push_back(*length);
        *this = ListBuilder();
        return list;
    }

  private:
    using Integers = std::vector<std::int64_t>;
    using Reals = std::vector<double>;
    using Strings = std::vector<std::string>;

    std::string append(std::int64_t value) {
        if (auto* integers = std::get_if<Integers>(&values_)) {
            integers->push_back(value);
            return "";
        }
        return append(static_cast<double>(value));
    }

    std::string append(double value) {
        if (std::holds_alternative<Strings>(values_)) return "expected a string as before, found a number";
        if (const auto* integers = std::get_if<Integers>(&values_)) {
            Reals reals(integers->begin(), integers->end());
            values_ = std::move(reals);
        }
        std::get<Reals>(values_).push_back(value);
        return "";
    }

    std::string append(std::string value) {
        if (auto* integers = std::get_if<Integers>(&values_); integers != nullptr && integers->empty()) {
            values_ = Strings();
        }
        auto* strings = std::get_if<Strings>(&values_);
        if (strings == nullptr) return "expected a number as before, found the string " + shortened(value);
        strings->push_back(std::move(value));
        return "";
    }

    std::vector<std::uint64_t> counts_;                  // elements so far of each open list
    std::vector<std::optional<std::uint64_t>> lengths_;  // of the first closed list at each depth
    std::size_t leaf_depth_ = 0;                         // of numbers and strings, 0: none yet
    std::variant<Integers, Reals, Strings> values_;
};

class Handler final : public nlohmann::json_sax<nlohmann::json> {
  public:
    explicit Handler(const std::filesystem::path& path) : path_(path), origin_(path.string()) {}

    JsonObject take() { return std::move(root_); }

    bool null() override { return refuse("null"); }
    bool boolean(bool value) override { return refuse(value ? "true" : "false"); }
    bool binary(binary_t&) override { return refuse("binary data"); }
    bool number_integer(number_integer_t value) override { return scalar(std::int64_t{value}); }
    bool number_unsigned(number_unsigned_t value) override {
        if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
            return scalar(static_cast<double>(value));
        }
        return scalar(static_cast<std::int64_t>(value));
    }
    bool number_float(number_float_t value, const string_t&) override { return scalar(value); }
    bool string(string_t& value) override {
        if (list_.active()) return check(list_.add(std::move(value)));
        return put(std::move(value));
    }

    bool start_object(std::size_t) override {
        if (list_.active()) fail("expected a number, found an object");
        if (open_.size() == max_json_objects) {
            fail("objects are nested deeper than " + std::to_string(max_json_objects) + " levels");
        }
        open_.emplace_back();
        return true;
    }
    bool key(string_t& name) override {
        Frame& frame = open_.back();
        if (!frame.keys.insert(name).second) fail("the key " + shortened(name) + " occurs twice");
        frame.key = std::move(name);
        frame.at_value = true;
        return true;
    }
    bool end_object() override {
        JsonObject object = std::move(open_.back().object);
        open_.pop_back();
        if (!open_.empty()) return put(std::move(object));
        root_ = std::move(object);
        return true;
    }

    bool start_array(std::size_t) override {
        if (open_.empty()) refuse("a list");
        return check(list_.open());
    }
    bool end_array() override {
        check(list_.close());
        return list_.active() || put(list_.take());
    }

    bool parse_error(std::size_t position, const std::string& token,
                     const nlohmann::detail::exception& error) override {
        const Surroundings around = surroundings(path_, position == 0 ? 0 : position - 1);
        const std::string place =
            "line " + std::to_string(around.line) + ", column " + std::to_string(around.column);
        const std::string where = path().empty() ? place : path() + " (" + place + ")";
        const std::string reason = error.what();
        if (reason.find("UTF-8") != std::string::npos)
            throw FileError(origin_, where, "the text is not valid UTF-8");
        if (reason.find("number overflow") != std::string::npos) {
            throw FileError::unexpected(origin_, where, "a finite number", shortened(token));
        }
        if (around.after.empty()) throw FileError(origin_, where, "is not JSON: the file ends too early");
        std::string_view word = around.after;
        word = word.substr(0, word.find_first_of(" \t\r\n,]}"));
        if (word.starts_with("NaN") || word.starts_with("Inf")) {
            throw FileError::unexpected(origin_, where, "a finite number", shortened(word),
                                        "JSON has no NaN and no Infinity.");
        }
        throw FileError(origin_, where,
                        "is not JSON: unexpected " + saltus::quoted(around.after.substr(0, 1)) +
                            (around.before.empty() ? "" : " behind " + saltus::quoted(around.before)));
    }

  private:
    struct Frame {
        JsonObject object;
        std::unordered_set<std::string> keys;
        std::string key;
        bool at_value = false;  // behind the key, whose value is not complete
    };

    [[nodiscard]] std::string path() const {
        std::string text;
        for (const Frame& frame : open_) {
            if (frame.at_value) text += (text.empty() ? "" : ".") + frame.key;
        }
        return text + list_.index();
    }

    [[noreturn]] void fail(const std::string& text) const { throw FileError(origin_, path(), text); }

    bool check(const std::string& wrong) const {
        if (!wrong.empty()) fail(wrong);
        return true;
    }

    [[noreturn]] bool refuse(const std::string& found) const {
        fail((open_.empty() ? "expected an object, found "
                            : "expected a number, a string, a list or an object, found ") +
             found + ".");
    }

    template <class Number>
    bool scalar(Number value) {
        if (open_.empty()) refuse("a number");
        if (list_.active()) return check(list_.add(value));
        return put(JsonList{{}, std::vector<Number>{value}});
    }

    bool put(JsonValue value) {
        if (open_.empty()) refuse(kind_text(value));
        Frame& frame = open_.back();
        frame.object.entries.emplace_back(std::move(frame.key), std::move(value));
        frame.at_value = false;
        return true;
    }

    const std::filesystem::path& path_;
    std::string origin_;
    JsonObject root_;
    std::vector<Frame> open_;
    ListBuilder list_;
};

}  // namespace

JsonValue* JsonObject::find(std::string_view key) {
    const auto found =
        std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.first == key; });
    return found == entries.end() ? nullptr : &found->second;
}

JsonObject parse_json(const std::filesystem::path& path, std::uint64_t limit) {
    const std::string origin = path.string();
    if (const std::uint64_t size = io::file_size(path); size > limit) {
        throw FileError::unexpected(origin, "", "at most " + std::to_string(limit) + " bytes",
                                    std::to_string(size));
    }
    std::ifstream file(path, std::ios::binary);
    char begin[3] = {};
    file.read(begin, sizeof begin);
    if (std::string_view(begin, sizeof begin) == "\xef\xbb\xbf")
        throw FileError(origin, "", "starts with a byte order mark. Save it as UTF-8 without one.");
    file.clear();
    file.seekg(0);
    Handler handler(path);
    nlohmann::json::sax_parse(file, &handler);
    return handler.take();
}

std::string kind_text(const JsonValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return "the string " + shortened(*text);
    if (std::holds_alternative<JsonObject>(value)) return "an object";
    const auto& list = std::get<JsonList>(value);
    if (list.shape.empty()) return "a number";
    return std::holds_alternative<std::vector<std::string>>(list.values) ? "a list of strings"
                                                                         : "a list of numbers";
}

}  // namespace saltus::io
