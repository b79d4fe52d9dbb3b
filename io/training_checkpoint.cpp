#include "saltus/io/training_checkpoint.hpp"

#include "saltus/engine/errors.hpp"
#include "sealed.hpp"

namespace saltus::io {

namespace {

constexpr const char* format = "saltus training";
constexpr std::uint32_t version = 2;

using learning::EpochRecord;
using learning::LearnerState;
using learning::Tally;
using learning::TrainingSnapshot;

void write_state(const hdf5::Group& group, const LearnerState& state) {
    std::size_t k = 0;
    for (const auto& [name, values] : state) {
        const hdf5::Group entry = group.create_group(std::to_string(k++));
        entry.write("name", name);
        write_column(entry, "values", values);
    }
}

/// The columns of the log, for writing and reading alike: f(name, number of a record).
template <class Record, class F>
void each_column(F&& f) {
    f(
        "epoch", [](Record & r) -> auto& { return r.epoch; });
    f(
        "rate_factor", [](Record & r) -> auto& { return r.rate_factor; });
    f(
        "training_samples", [](Record & r) -> auto& { return r.training.samples; });
    f(
        "training_correct", [](Record & r) -> auto& { return r.training.correct; });
    f(
        "training_loss", [](Record & r) -> auto& { return r.training.loss; });
    f(
        "validation_samples", [](Record & r) -> auto& { return r.validation.samples; });
    f(
        "validation_correct", [](Record & r) -> auto& { return r.validation.correct; });
    f(
        "validation_loss", [](Record & r) -> auto& { return r.validation.loss; });
    f(
        "best", [](Record & r) -> auto& { return r.best; });
    f(
        "seconds", [](Record & r) -> auto& { return r.seconds; });
}

class Reader {
  public:
    explicit Reader(std::uint64_t file_size) : left_(file_size) {}

    TrainingSnapshot snapshot(const hdf5::Group& root) {
        TrainingSnapshot snapshot;
        const hdf5::Group asked = root.group("asked");
        const std::size_t n = asked.children().size();
        for (std::size_t k = 0; k < n; ++k) {
            const hdf5::Group entry = asked.group(std::to_string(k));
            snapshot.asked[entry.dataset("name").read_string()] = entry.dataset("value").read_string();
        }
        snapshot.epoch = value<std::uint64_t>(root, "epoch");
        snapshot.batches = value<std::uint64_t>(root, "batches");
        const hdf5::Group tally = root.group("tally");
        snapshot.tally.samples = value<std::uint64_t>(tally, "samples");
        snapshot.tally.correct = value<std::uint64_t>(tally, "correct");
        snapshot.tally.loss = value<double>(tally, "loss");
        snapshot.learner = state(root.group("learner"));
        snapshot.best = state(root.group("best"));
        snapshot.log = log(root.group("log"));
        return snapshot;
    }

  private:
    template <class T>
    T value(const hdf5::Group& group, const std::string& name) {
        const hdf5::Dataset dataset = group.dataset(name);
        if (!dataset.shape().empty()) {
            throw dataset.error("expected one value, found " + dataset.description() + ".");
        }
        return dataset.read<T>(sizeof(T)).front();
    }
    std::vector<double> column(const hdf5::Group& group, const std::string& name) {
        const hdf5::Dataset dataset = group.dataset(name);
        if (dataset.shape().size() != 1) {
            throw dataset.error("expected one column, found " + dataset.description() + ".");
        }
        std::vector<double> values = dataset.read<double>(left_);
        left_ -= values.size() * sizeof(double);
        return values;
    }
    LearnerState state(const hdf5::Group& group) {
        LearnerState state;
        const std::size_t n = group.children().size();
        for (std::size_t k = 0; k < n; ++k) {
            const hdf5::Group entry = group.group(std::to_string(k));
            state[entry.dataset("name").read_string()] = column(entry, "values");
        }
        return state;
    }
    std::vector<EpochRecord> log(const hdf5::Group& group) {
        std::vector<EpochRecord> records;
        each_column<EpochRecord>([&](const char* name, auto member) {
            const std::vector<double> values = column(group, name);
            if (records.empty()) records.resize(values.size());
            if (values.size() != records.size()) {
                throw group.error_at(name, "expected " + std::to_string(records.size()) + " entries, found " +
                                               std::to_string(values.size()) + ".");
            }
            for (std::size_t k = 0; k < values.size(); ++k) {
                auto& target = member(records[k]);
                target = static_cast<std::decay_t<decltype(target)>>(values[k]);
            }
        });
        return records;
    }

    std::uint64_t left_;  // bytes
};

}  // namespace

void write_training_checkpoint(const std::filesystem::path& path, const TrainingSnapshot& snapshot) {
    AtomicFile atomic(path);
    hdf5::File file = hdf5::File::create(atomic.temporary(), atomic.target());
    {
        const hdf5::Group root = file.root();
        write_version(root, format, version);
        const hdf5::Group asked = root.create_group("asked");
        std::size_t k = 0;
        for (const auto& [name, value] : snapshot.asked) {
            const hdf5::Group entry = asked.create_group(std::to_string(k++));
            entry.write("name", name);
            entry.write("value", value);
        }
        write_value(root, "epoch", snapshot.epoch);
        write_value(root, "batches", snapshot.batches);
        const hdf5::Group tally = root.create_group("tally");
        write_value(tally, "samples", snapshot.tally.samples);
        write_value(tally, "correct", snapshot.tally.correct);
        write_value(tally, "loss", snapshot.tally.loss);
        write_state(root.create_group("learner"), snapshot.learner);
        write_state(root.create_group("best"), snapshot.best);
        const hdf5::Group log = root.create_group("log");
        each_column<const EpochRecord>([&](const char* name, auto member) {
            std::vector<double> values;
            for (const EpochRecord& record : snapshot.log) {
                values.push_back(static_cast<double>(member(record)));
            }
            write_column(log, name, values);
        });
    }
    file.close();
    write_seal(atomic);
    atomic.commit();
}

TrainingSnapshot read_training_checkpoint(const std::filesystem::path& path) {
    const std::uint64_t size = io::file_size(path);
    check_seal(path, size);
    const hdf5::File file = hdf5::File::open(path);
    const hdf5::Group root = file.root();
    check_version(path.string(), root, format, version);
    return Reader(size).snapshot(root);
}

}  // namespace saltus::io
