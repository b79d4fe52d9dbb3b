// A training by surrogate gradients, from what is asked to the network that is handed out: the same for the
// command and the package.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "saltus/converters/surrogate_model.hpp"
#include "saltus/datasets/evaluate_surrogate.hpp"
#include "saltus/datasets/learning_frames.hpp"
#include "saltus/engine/learning/gradient_learner.hpp"
#include "saltus/engine/learning/surrogate.hpp"
#include "saltus/engine/learning/training.hpp"

namespace saltus::plugins {

struct SurrogateRequest {
    std::optional<converters::SurrogateModel> network = {};  // to go on with
    std::optional<std::string> layers = {};  // of a new one, in words; none: what the samples suggest
    datasets::FrameOptions frames{};
    std::string encoding = "latency";  // of images as spikes, with slots
    Duration slot{1'000'000'000'000};
    std::uint32_t slots = 256;
    datasets::LearningFramesOptions samples{};
    std::string surrogate = "s2net";  // a preset or a kind
    std::optional<double> slope = {};
    std::optional<double> peak = {};
    std::string precision = "float32";
    learning::SurrogateOptions rule{};  // in which these have not been entered
    bool balanced = false;
    learning::GradientLearnerOptions gradient{};
};

/// The network that a document holds, to go on with. Throws UsageError where it says nonsense, LimitError,
/// which begins with `name`, for a network of neurons and synapses.
[[nodiscard]] converters::SurrogateModel network_to_go_on_with(const io::NirDocument& document,
                                                               const std::string& name);

class SurrogateTraining {
  public:
    /// On a data set. Throws UsageError for what means nothing, FileError for what cannot be read.
    SurrogateTraining(const std::filesystem::path& dataset, SurrogateRequest request);
    /// On samples that are open, some of which may be given to be held back (else null); how they were made
    /// is not kept.
    SurrogateTraining(std::shared_ptr<const learning::FrameSet> samples,
                      std::shared_ptr<const learning::FrameSet> held_back, SurrogateRequest request);

    [[nodiscard]] learning::Learner& learner() { return *learner_; }
    [[nodiscard]] const learning::SurrogateNetwork& network() const { return rule_->network(); }
    /// What the samples decide of a training: how many are held back, and how they are drawn.
    [[nodiscard]] std::uint64_t held_back() const { return data_.held_back; }
    [[nodiscard]] std::vector<std::uint32_t> balance() const;
    [[nodiscard]] learning::Asked asked() const;

    /// As it is handed out now.
    [[nodiscard]] converters::SurrogateModel trained() const;
    /// Of the samples held back; nothing where there are none.
    [[nodiscard]] std::optional<datasets::SurrogateEvaluation> evaluate(unsigned threads) const;

  private:
    void begin(const std::string& default_layers);

    SurrogateRequest request_;
    datasets::LearningFrames data_;
    converters::SurrogateModel model_;
    std::shared_ptr<learning::SurrogateRule> rule_;
    std::unique_ptr<learning::GradientLearner> learner_;
};

}  // namespace saltus::plugins
