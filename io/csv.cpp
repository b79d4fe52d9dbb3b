// Spikes as comma-separated values (RFC 4180): a line of names, then one line a spike. Lines that begin with
// '#' are comments. Times are written in seconds with as many digits as whole femtoseconds need.
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <map>
#include <optional>

#include "files.hpp"
#include "hdf5_types.hpp"
#include "recorded_time.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/recordings.hpp"

namespace saltus::io {

namespace {

constexpr std::uint64_t largest_file = std::uint64_t{1} << 31;
constexpr std::uint64_t most_samples = std::uint64_t{1} << 20;
constexpr std::uint64_t most_cells = std::uint64_t{1} << 20;  // samples times populations

struct TimeColumn {
    std::string_view name;
    int digits;  // of femtoseconds behind its point
};
constexpr std::array<TimeColumn, 6> time_columns{
    {{"time_s", 15}, {"time_ms", 12}, {"time_us", 9}, {"time_ns", 6}, {"time_ps", 3}, {"time_fs", 0}}};

/// The fields of one line; the line ends behind them. Nothing where a quote is not closed.
std::optional<std::vector<std::string>> fields_of(std::string_view text, std::size_t& at) {
    std::vector<std::string> fields(1);
    bool is_quoted = false;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (is_quoted) {
            if (c != '"') {
                fields.back() += c;
            } else if (text.compare(at + 1, 1, "\"") == 0) {
                fields.back() += text[++at];
            } else {
                is_quoted = false;
            }
        } else if (c == '"' && fields.back().empty()) {
            is_quoted = true;
        } else if (c == ',') {
            fields.emplace_back();
        } else if (c == '\n') {
            ++at;
            return fields;
        } else if (c != '\r' || text.compare(at + 1, 1, "\n") != 0) {
            fields.back() += c;
        }
    }
    if (is_quoted) return std::nullopt;
    return fields;
}

/// Decimal digits as a whole number of femtoseconds, without rounding where there are none behind them; a
/// number that is written otherwise by way of a double.
std::optional<Time> time_of(std::string_view text, int digits) {
    const std::size_t point = std::min(text.find('.'), text.size());
    const std::string_view behind = text.substr(std::min(text.size(), point + 1));
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto all_digits = [&](std::string_view part) {
        return std::all_of(part.begin(), part.end(), is_digit);
    };
    if (point > 0 && all_digits(text.substr(0, point)) && all_digits(behind) &&
        behind.size() <= static_cast<std::size_t>(digits)) {
        std::string whole(text.substr(0, point));
        whole += behind;
        whole.append(static_cast<std::size_t>(digits) - behind.size(), '0');
        std::int64_t femtoseconds = 0;
        const auto [end, status] = std::from_chars(whole.data(), whole.data() + whole.size(), femtoseconds);
        if (status != std::errc() || end != whole.data() + whole.size()) return std::nullopt;
        return Time(Duration(femtoseconds));
    }
    double value = 0.0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc() || end != text.data() + text.size()) return std::nullopt;
    double unit = 1.0;
    for (int k = 0; k < digits; ++k) unit *= 10.0;
    return recorded_time(value, unit);
}

class Reader {
  public:
    explicit Reader(const std::filesystem::path& path)
        : path_(path.string()), text_(read_file(path, largest_file)) {
        if (!hdf5::is_utf8(text_)) throw FileError(path_, "", "is not text in UTF-8.");
    }

    Recordings read() {
        read_names();
        for (;;) {
            auto fields = next();
            if (!fields) break;
            row(*fields);
        }
        Recordings result;
        for (auto& [name, samples] : order_) {
            Recordings::Population& population =
                result.populations.emplace_back(Recordings::Population{name, 0, std::move(trains_[samples])});
            population.samples.resize(samples_);
            for (SpikeTrain& train : population.samples) train.sort();
        }
        return result;
    }

  private:
    [[nodiscard]] std::string line() const { return "line " + std::to_string(line_); }

    /// The next line that is neither empty nor a comment.
    std::optional<std::vector<std::string>> next() {
        while (at_ < text_.size()) {
            ++line_;
            const std::size_t begin = at_;
            if (text_[begin] == '#' || text_[begin] == '\n' || text_.compare(begin, 2, "\r\n") == 0) {
                at_ = std::min(text_.size(), text_.find('\n', begin)) + 1;
                continue;
            }
            auto fields = fields_of(text_, at_);
            if (!fields) throw FileError::unexpected(path_, line(), "a closing quote", "none");
            const auto broken = std::count(text_.begin() + static_cast<std::ptrdiff_t>(begin),
                                           text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n');
            line_ += static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(broken, 1) - 1);
            return fields;
        }
        return std::nullopt;
    }

    void read_names() {
        const auto names = next();
        if (!names)
            throw FileError::unexpected(path_, "", "a line of names, such as time_s,neuron", "an empty file");
        columns_ = names->size();
        for (std::size_t c = 0; c < names->size(); ++c) {
            const std::string& name = (*names)[c];
            const auto* const time = std::find_if(time_columns.begin(), time_columns.end(),
                                                  [&](const TimeColumn& t) { return t.name == name; });
            std::optional<std::size_t>* column = nullptr;
            if (time != time_columns.end()) {
                column = &time_;
                digits_ = time->digits;
            }
            if (name == "neuron") column = &neuron_;
            if (name == "population") column = &population_;
            if (name == "sample") column = &sample_;
            if (column == nullptr) {
                throw FileError::unexpected(
                    path_, line(), "columns time_s (or _ms, _us, _ns, _ps, _fs), neuron, population, sample",
                    saltus::quoted(name), "Name the columns in the first line.");
            }
            if (*column)
                throw FileError::unexpected(path_, line(), "each column once", quoted(name) + " again");
            *column = c;
        }
        if (!time_ || !neuron_) {
            throw FileError::unexpected(
                path_, line(), std::string("a column '") + (time_ ? "neuron" : "time_s") + "'", "none");
        }
    }

    template <class T>
    [[nodiscard]] T whole(const std::string& text, const char* column, std::uint64_t most) const {
        std::uint64_t value = 0;
        const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (status != std::errc() || end != text.data() + text.size() || value > most) {
            throw FileError::unexpected(path_, line() + ", " + column,
                                        "a whole number from 0 to " + std::to_string(most), quoted(text));
        }
        return static_cast<T>(value);
    }

    void row(const std::vector<std::string>& fields) {
        if (fields.size() != columns_) {
            throw FileError::unexpected(path_, line(), std::to_string(columns_) + " columns",
                                        std::to_string(fields.size()));
        }
        const std::size_t sample =
            sample_ ? whole<std::size_t>(fields[*sample_], "sample", most_samples - 1) : 0;
        std::vector<SpikeTrain>& trains = trains_of(population_ ? fields[*population_] : "");
        samples_ = std::max(samples_, sample + 1);
        if (samples_ * order_.size() > most_cells) {
            throw FileError::unexpected(path_, line(),
                                        "at most " + std::to_string(most_cells) + " samples of populations",
                                        std::to_string(samples_) + " x " + std::to_string(order_.size()));
        }
        if (trains.size() <= sample) trains.resize(sample + 1);
        const std::string& time_text = fields[*time_];
        if (time_text.empty() && fields[*neuron_].empty()) return;
        const auto time = time_of(time_text, digits_);
        if (!time || *time < Time()) {
            throw FileError::unexpected(path_, line() + ", time", "a number from 0 to 9223 s",
                                        saltus::quoted(time_text));
        }
        trains[sample].add(*time, whole<NeuronIndex>(fields[*neuron_], "neuron", 0xfffffffe));
    }

    std::vector<SpikeTrain>& trains_of(const std::string& population) {
        const auto [found, is_new] = place_.try_emplace(population, trains_.size());
        if (is_new) {
            trains_.emplace_back();
            order_.emplace_back(population, found->second);
        }
        return trains_[found->second];
    }

    std::string path_;
    std::string text_;
    std::size_t at_ = 0;
    std::uint64_t line_ = 0;
    std::size_t columns_ = 0;
    std::optional<std::size_t> time_, neuron_, population_, sample_;
    int digits_ = 0;
    std::map<std::string, std::size_t> place_;
    std::vector<std::pair<std::string, std::size_t>> order_;
    std::vector<std::vector<SpikeTrain>> trains_;
    std::size_t samples_ = 0;
};

std::string field_of(const std::string& text) {
    if (text.find_first_of(",\"\r\n#") == std::string::npos) return text;
    std::string result = "\"";
    for (const char c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
    return result + '"';
}

/// "0.0125"
std::string seconds_text(Time time) {
    constexpr std::size_t digits = 15;
    std::string text = std::to_string(time.femtoseconds());
    if (text.size() <= digits) text.insert(0, digits + 1 - text.size(), '0');
    text.insert(text.size() - digits, ".");
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

}  // namespace

Recordings read_csv(const std::filesystem::path& path) {
    return Reader(path).read();
}

void write_csv(const std::filesystem::path& path, const Recordings& recordings) {
    if (!recordings.labels.empty())
        throw UsageError(
            "labels of samples: a .csv file has no place for them. Write .npz, or drop the labels.");
    const bool has_samples = recordings.samples() != 1;
    const bool has_populations =
        recordings.populations.size() != 1 || !recordings.populations.front().name.empty();
    std::string text = std::string(has_samples ? "sample," : "") + (has_populations ? "population," : "") +
                       "time_s,neuron\n";
    for (const Recordings::Population& population : recordings.populations) {
        for (std::size_t k = 0; k < population.samples.size(); ++k) {
            const std::string begin = (has_samples ? std::to_string(k) + "," : "") +
                                      (has_populations ? field_of(population.name) + "," : "");
            const SpikeTrain& train = population.samples[k];
            for (std::size_t i = 0; i < train.size(); ++i)
                text += begin + seconds_text(train.times[i]) + "," + std::to_string(train.neurons[i]) + "\n";
            if (train.empty()) text += begin + ",\n";
        }
    }
    write_file(path, text);
}

}  // namespace saltus::io
