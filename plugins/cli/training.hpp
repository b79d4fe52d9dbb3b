// What all rules of `saltus train` have in common: data, epochs, optimiser, where to write, how to go on.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "encoding.hpp"
#include "saltus/datasets/dataset.hpp"
#include "saltus/engine/learning/gradient_learner.hpp"
#include "saltus/engine/learning/samples.hpp"
#include "saltus/engine/learning/training.hpp"
#include "saltus/io/nir.hpp"

namespace saltus::cli {

/// Defaults that a rule chooses.
struct TrainingDefaults {
    std::uint64_t epochs = 30;
    std::uint64_t batch = 32;
    double learning_rate = 1e-3;
    double weight_decay = 0.0;
    std::string optimizer = "adam";
    std::string schedule = "cosine";
    double last_rate = 0.0;
    double gamma = 0.5;
    double warmup = 0.0;
    double largest_element = std::numeric_limits<double>::infinity();
};

/// What a training learns from, and what there is to say of it in the end.
struct TrainingSamples {
    std::string name;                                   // of the data set
    std::optional<std::uint64_t> held_back{};           // the last samples; none: as --validation says
    std::vector<std::uint32_t> balance{};               // TrainingOptions::balance
    learning::Asked asked{};                            // TrainingOptions::asked
    std::function<nlohmann::ordered_json()> figures{};  // an object; called after the training
};

class TrainingArguments {
  public:
    explicit TrainingArguments(TrainingDefaults defaults);
    /// DATASET, -o and everything else that is not the rule's own.
    void add_to(CLI::App& app,
                const std::string& data_sets = "a folder of images (MNIST), a spike HDF5 file, or yin-yang");

    [[nodiscard]] const std::string& network() const { return network_; }  // to begin with; may be empty
    [[nodiscard]] std::uint64_t seed() const { return training_.seed; }
    [[nodiscard]] std::uint64_t batch() const { return training_.batch; }
    [[nodiscard]] double learning_rate() const { return learning_rate_; }
    [[nodiscard]] double weight_decay() const { return weight_decay_; }
    [[nodiscard]] bool quiet() const { return quiet_; }
    [[nodiscard]] unsigned threads() const { return training_.threads; }
    [[nodiscard]] const std::string& path() const { return dataset_; }
    [[nodiscard]] const std::string& split() const { return split_; }
    [[nodiscard]] double validation() const { return validation_; }
    [[nodiscard]] learning::GradientLearnerOptions gradient_options() const;  // throws UsageError
    [[nodiscard]] const EncodingOptions& encoding() const { return encoding_; }

    /// The part to learn from: what --split says, else the part "train" of data sets that have parts.
    [[nodiscard]] datasets::Dataset dataset(const datasets::Encoding& encoding) const;

    /// Trains, shows how it goes, writes the log, and the network that `result` makes of it.
    void run(const std::string& rule, learning::Learner& learner, const TrainingSamples& samples,
             const std::function<io::NirDocument()>& result);

  private:
    void check() const;
    [[nodiscard]] learning::TrainingOptions options(std::uint64_t samples, const TrainingSamples& what) const;

    std::string dataset_;
    std::string split_ = "train";
    std::string out_;
    std::string network_;
    std::string log_;
    std::string report_;
    std::string optimizer_;
    std::string schedule_;
    std::string checkpoint_;
    std::string checkpoint_every_ = "60s";
    double validation_ = 1.0 / 12.0;
    double learning_rate_;
    double weight_decay_;
    double momentum_ = 0.0;
    double averaging_ = 0.0;
    double largest_norm_ = std::numeric_limits<double>::infinity();
    double largest_element_;
    bool no_shuffle_ = false;
    bool last_epoch_ = false;
    bool resume_ = false;
    bool json_ = false;
    bool quiet_ = false;
    learning::TrainingOptions training_;
    EncodingOptions encoding_;
};

/// Writes by ending: .json is NIR-style JSON, everything else HDF5.
void write_document(const io::NirDocument& document, const std::string& path);

}  // namespace saltus::cli
