#include "training.hpp"

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "commands.hpp"
#include "console.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/nir_json.hpp"
#include "saltus/io/report.hpp"
#include "saltus/io/training_checkpoint.hpp"

namespace saltus::cli {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using nlohmann::ordered_json;

std::string percent(double fraction) {
    return short_number(100.0 * fraction) + " %";
}

ordered_json as_json(const learning::Tally& tally) {
    return {{"samples", tally.samples},
            {"correct", tally.correct},
            {"accuracy", tally.accuracy()},
            {"loss", tally.mean_loss()}};
}

/// One line of the log.
ordered_json as_json(const learning::EpochRecord& record) {
    ordered_json line{
        {"epoch", record.epoch}, {"rate_factor", record.rate_factor}, {"training", as_json(record.training)}};
    if (record.validation.samples > 0) {
        line["validation"] = as_json(record.validation);
        line["best"] = record.best;
    }
    line["seconds"] = record.seconds;
    return line;
}

std::string epoch_text(const learning::EpochRecord& record, std::uint64_t epochs) {
    std::string text = "epoch " + std::to_string(record.epoch) + " of " + std::to_string(epochs) +
                       ": training " + percent(record.training.accuracy()) + ", loss " +
                       short_number(record.training.mean_loss());
    if (record.validation.samples > 0) {
        text += "; held back " + percent(record.validation.accuracy()) + ", loss " +
                short_number(record.validation.mean_loss()) + (record.best ? " (best)" : "");
    }
    return text;
}

io::LinePlot curve(const std::vector<learning::EpochRecord>& log, const std::string& what,
                   double (*value)(const learning::Tally&)) {
    io::LinePlot plot{"epoch", what, {{"training", {}, {}}, {"held back", {}, {}}}};
    for (const learning::EpochRecord& record : log) {
        plot.series[0].x.push_back(static_cast<double>(record.epoch));
        plot.series[0].y.push_back(value(record.training));
        if (record.validation.samples == 0) continue;
        plot.series[1].x.push_back(static_cast<double>(record.epoch));
        plot.series[1].y.push_back(value(record.validation));
    }
    if (plot.series[1].x.empty()) plot.series.pop_back();
    return plot;
}

}  // namespace

void write_document(const io::NirDocument& document, const std::string& path) {
    if (fs::path(path).extension() == ".json") {
        io::write_nir_json(document, path);
    } else {
        io::write_nir(document, path);
    }
}

TrainingArguments::TrainingArguments(TrainingDefaults defaults)
    : optimizer_(std::move(defaults.optimizer)),
      schedule_(std::move(defaults.schedule)),
      learning_rate_(defaults.learning_rate),
      weight_decay_(defaults.weight_decay),
      largest_element_(defaults.largest_element) {
    training_.epochs = defaults.epochs;
    training_.batch = defaults.batch;
    training_.schedule.last = defaults.last_rate;
    training_.schedule.gamma = defaults.gamma;
    training_.schedule.warmup = defaults.warmup;
}

void TrainingArguments::add_to(CLI::App& app, const std::string& data_sets) {
    app.add_option("DATASET", dataset_, data_sets)->required();
    app.add_option("-o,--out", out_, "the trained network: .nir, or .json for NIR-style JSON")->required();
    app.add_option("--split", split_, "part to learn from (default: train; \"\" takes everything)");
    app.add_option("--network", network_, "network to begin with, instead of a new one");
    app.add_option("--epochs", training_.epochs, "how often all samples are seen")->capture_default_str();
    app.add_option("--batch", training_.batch, "samples of a mini-batch")->capture_default_str();
    app.add_option("--optimizer", optimizer_, "sgd, adam, adamw or radam")->capture_default_str();
    app.add_option("--learning-rate", learning_rate_)->capture_default_str();
    app.add_option("--momentum", momentum_, "of sgd")->capture_default_str();
    app.add_option("--weight-decay", weight_decay_)->capture_default_str();
    app.add_option("--largest-norm", largest_norm_, "longer gradients are cut to this length");
    app.add_option("--largest-element", largest_element_, "larger elements of gradients are cut to this");
    app.add_option("--averaging", averaging_,
                   "hand out an average of the weights: 0.999 is one over about 1000 steps");
    app.add_option("--schedule", schedule_,
                   "learning rate over the epochs: constant, step, exponential, cosine, linear")
        ->capture_default_str();
    app.add_option("--last-rate", training_.schedule.last, "cosine, linear: factor at the end")
        ->capture_default_str();
    app.add_option("--gamma", training_.schedule.gamma, "step, exponential: factor")->capture_default_str();
    app.add_option("--period", training_.schedule.period, "step: epochs")->capture_default_str();
    app.add_option("--warmup", training_.schedule.warmup, "epochs over which the rate rises");
    app.add_option("--validation", validation_,
                   "share (below 1) or number of samples held back, the last ones, to choose the best epoch")
        ->capture_default_str();
    app.add_option("--patience", training_.patience, "stop after so many epochs without a better one");
    app.add_flag("--last-epoch", last_epoch_, "write the last epoch, not the best");
    app.add_flag("--no-shuffle", no_shuffle_, "take the samples in the order of the file");
    app.add_option("--seed", training_.seed)->capture_default_str();
    app.add_option("--threads", training_.threads, "results do not depend on it")->capture_default_str();
    app.add_option("--log", log_, "write one JSON object a line, one line an epoch");
    app.add_option("--report", report_, "write an HTML report with the curves");
    app.add_option("--checkpoint", checkpoint_,
                   "file from which the training can go on (default: OUT with .checkpoint.h5)");
    app.add_option("--checkpoint-every", checkpoint_every_, "how often it is written, in wall-clock time")
        ->capture_default_str();
    app.add_flag("--resume", resume_, "go on from the checkpoint if it is there, else begin anew");
    app.add_flag("--json", json_, "one JSON object on standard output");
    app.add_flag("-q,--quiet", quiet_, "no notes, no progress");
    encoding_.add_to(app);
}

learning::GradientLearnerOptions TrainingArguments::gradient_options() const {
    learning::GradientLearnerOptions options;
    options.optimizer.kind = learning::optimizer_kind(optimizer_);
    options.optimizer.momentum = momentum_;
    options.optimizer.weight_decay = weight_decay_;
    options.learning_rate = learning_rate_;
    options.averaging = averaging_;
    options.largest_norm = largest_norm_;
    options.largest_element = largest_element_;
    return options;
}

datasets::Dataset TrainingArguments::dataset(const datasets::Encoding& encoding) const {
    return datasets::open_dataset(dataset_, split_, encoding);
}

learning::TrainingOptions TrainingArguments::options(std::uint64_t samples,
                                                     const TrainingSamples& what) const {
    learning::TrainingOptions options = training_;
    options.schedule.kind = learning::schedule_kind(schedule_);
    options.validation = what.held_back ? *what.held_back : learning::held_back(validation_, samples);
    options.balance = what.balance;
    options.asked = what.asked;
    options.shuffle = !no_shuffle_;
    options.keep_best = !last_epoch_;
    return options;
}

void TrainingArguments::check() const {
    for (const std::string& path : {out_, log_, report_, checkpoint_}) {
        const fs::path folder = fs::path(path).parent_path();
        if (!path.empty() && !folder.empty() && !fs::is_directory(folder)) {
            throw FileError(path, "", "its folder does not exist.");
        }
    }
}

void TrainingArguments::run(const std::string& rule, learning::Learner& learner,
                            const TrainingSamples& samples, const std::function<io::NirDocument()>& result) {
    check();
    learning::TrainingOptions options = this->options(learner.samples(), samples);
    const std::string checkpoint =
        checkpoint_.empty() ? fs::path(out_).replace_extension(".checkpoint.h5").string() : checkpoint_;
    const std::chrono::duration<double> every(parse_duration(checkpoint_every_).seconds());
    if (resume_ && fs::exists(checkpoint)) {
        options.resume_from =
            std::make_shared<learning::TrainingSnapshot>(io::read_training_checkpoint(checkpoint));
        if (!quiet_) print_notes({"the training goes on from " + checkpoint + "."});
    }
    auto last = Clock::now();
    options.snapshot_due = [&] { return Clock::now() - last >= every; };
    options.on_snapshot = [&](const learning::TrainingSnapshot& snapshot) {
        io::write_training_checkpoint(checkpoint, snapshot);
        last = Clock::now();
    };

    std::ofstream log;
    if (!log_.empty()) {
        log.open(log_, options.resume_from ? std::ios::app : std::ios::trunc);
        if (!log) throw FileError(log_, "", "cannot be opened for writing.");
    }
    std::optional<ProgressLine> progress(std::in_place, quiet_);
    options.on_epoch = [&](const learning::EpochRecord& record) {
        if (log.is_open()) {
            log << as_json(record).dump() << std::endl;
            if (!log) throw FileError(log_, "", "cannot be written.");
        }
        progress->say(epoch_text(record, options.epochs));
    };
    options.on_progress = [&](const learning::TrainingProgress& p) {
        progress->update(p.fraction, "epoch " + std::to_string(p.epoch) + " of " + std::to_string(p.epochs) +
                                         ", loss " + short_number(p.tally.mean_loss()) + ", right " +
                                         percent(p.tally.accuracy()) + ", " +
                                         short_number(p.samples_per_second) + " samples a second");
        return !interrupted();
    };
    const auto start = Clock::now();
    const learning::TrainingResult outcome = learning::train(learner, options);
    progress.reset();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (outcome.interrupted) throw Interrupted{};
    write_document(result(), out_);
    const ordered_json figures = samples.figures ? samples.figures() : ordered_json::object();
    fs::remove(checkpoint);

    std::vector<std::pair<std::string, std::string>> facts{
        {"rule", rule},
        {"data set", samples.name + ", " + with_commas(learner.samples()) + " samples, " +
                         with_commas(options.validation) + " of them held back"},
        {"epochs", std::to_string(outcome.log.size()) + (outcome.stopped_early ? ", stopped early" : "")}};
    if (outcome.best_epoch) {
        const learning::EpochRecord& best = outcome.log[*outcome.best_epoch - 1];
        facts.emplace_back("best epoch", std::to_string(best.epoch) + ": " +
                                             percent(best.validation.accuracy()) +
                                             " of those held back right");
    }
    for (const auto& [name, value] : figures.items())
        facts.emplace_back(name, value.is_number() ? short_number(value.get<double>()) : value.dump());
    facts.emplace_back("time", short_number(seconds) + " s");
    facts.emplace_back("network", out_);
    if (json_) {
        ordered_json log_lines = ordered_json::array();
        for (const learning::EpochRecord& record : outcome.log) log_lines.push_back(as_json(record));
        ordered_json object{{"rule", rule},
                            {"samples", learner.samples()},
                            {"held_back", options.validation},
                            {"epochs", outcome.log.size()},
                            {"stopped_early", outcome.stopped_early},
                            {"train_s", seconds},
                            {"threads", options.threads},
                            {"peak_rss_mib", peak_rss_mib()},
                            {"out", out_},
                            {"log", std::move(log_lines)}};
        if (outcome.best_epoch) object["best_epoch"] = *outcome.best_epoch;
        object.update(figures);
        std::cout << object.dump() << "\n";
    } else {
        std::vector<std::vector<std::string>> rows;
        for (const auto& [name, value] : facts) rows.push_back({name, value});
        std::cout << table(rows);
    }
    if (report_.empty()) return;
    io::Report report;
    report.title = "Training of " + out_ + " on " + dataset_;
    facts.emplace_back("saltus", SALTUS_VERSION);
    report.sections.push_back({"Result", io::KeyValues{facts}});
    report.sections.push_back({"Accuracy", curve(outcome.log, "share that is right",
                                                 [](const learning::Tally& t) { return t.accuracy(); })});
    report.sections.push_back(
        {"Loss", curve(outcome.log, "mean loss", [](const learning::Tally& t) { return t.mean_loss(); })});
    io::write_report(report_, report);
}

}  // namespace saltus::cli
