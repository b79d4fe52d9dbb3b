#include "saltus/engine/learning/losses.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "saltus/engine/errors.hpp"

namespace saltus::learning {

namespace {

constexpr double never = std::numeric_limits<double>::infinity();

constexpr std::array<std::string_view, 5> kinds{"first_spike_cross_entropy", "first_spike_squared_error",
                                                "first_spike_gap", "mean_potential", "largest_potential"};

/// -log softmax(x)[label], with its derivatives in `d`.
double cross_entropy(std::span<const double> x, std::uint32_t label, std::span<double> d) {
    const double largest = *std::max_element(x.begin(), x.end());
    double sum = 0.0;
    for (std::size_t k = 0; k < x.size(); ++k) sum += d[k] = std::exp(x[k] - largest);
    for (std::size_t k = 0; k < x.size(); ++k) d[k] = d[k] / sum - (k == label ? 1.0 : 0.0);
    return std::log(sum) - (x[label] - largest);
}

void check_one(const char* name, bool good, const char* expected, double found) {
    if (good && std::isfinite(found)) return;
    throw UsageError(std::string("loss, ") + name + ": expected " + expected + ", found " + shown(found) +
                     ".");
}

void check_neuron(const Population& population, NeuronIndex neuron) {
    if (neuron < population.size()) return;
    throw UsageError("loss: population " + quoted(population.name) + " has " +
                     std::to_string(population.size()) + " neurons, there is none of number " +
                     std::to_string(neuron) + ".");
}

class LossOfClass final : public Loss {
  public:
    LossOfClass(std::string population, const ClassLoss& loss, std::uint32_t label)
        : population_(std::move(population)), loss_(loss), label_(label) {
        loss_.check();
    }

    [[nodiscard]] std::vector<PotentialWish> wishes() const override {
        using Kind = PotentialWish::Kind;
        if (!loss_.is_of_potentials()) return {};
        const bool mean = loss_.kind == ClassLoss::Kind::mean_potential;
        return {{population_, mean ? Kind::integral : Kind::maximum, mean ? loss_.decay : 0.0}};
    }

    [[nodiscard]] double evaluate(const Network& network, const Observed& observed,
                                  Observed& derivative) const override {
        const std::uint32_t q = network.index_of(population_);
        check_neuron(network.populations()[q], label_);
        if (loss_.is_of_potentials()) {
            return loss_(observed.potentials[0], label_, observed.duration, derivative.potentials[0]);
        }
        std::vector<double> first;
        for (const auto& times : observed.spikes[q]) first.push_back(times.empty() ? never : times.front());
        std::vector<double> slopes(first.size());
        const double value = loss_(first, label_, observed.duration, slopes);
        for (std::size_t k = 0; k < first.size(); ++k) {
            if (!observed.spikes[q][k].empty()) derivative.spikes[q][k].front() = slopes[k];
        }
        return value;
    }

  private:
    std::string population_;
    ClassLoss loss_;
    std::uint32_t label_;
};

class LossOfSpikeTimes final : public Loss {
  public:
    LossOfSpikeTimes(std::vector<SpikeTarget> targets, bool missing_is_error)
        : targets_(std::move(targets)), missing_is_error_(missing_is_error) {}

    [[nodiscard]] double evaluate(const Network& network, const Observed& observed,
                                  Observed& derivative) const override {
        double value = 0.0;
        for (const SpikeTarget& target : targets_) {
            const std::uint32_t q = network.index_of(target.population);
            check_neuron(network.populations()[q], target.neuron);
            const std::vector<double>& times = observed.spikes[q][target.neuron];
            if (target.index >= times.size()) {
                if (!missing_is_error_) continue;
                throw UsageError("loss: " + quoted(target.population) + ", neuron " +
                                 std::to_string(target.neuron) + ": expected a spike of number " +
                                 std::to_string(target.index) + ", found " + std::to_string(times.size()) +
                                 " spikes.");
            }
            const double miss = times[target.index] - target.time;
            value += 0.5 * miss * miss;
            derivative.spikes[q][target.neuron][target.index] += miss;
        }
        return value;
    }

  private:
    std::vector<SpikeTarget> targets_;
    bool missing_is_error_;
};

class LossOfPotentials final : public Loss {
  public:
    explicit LossOfPotentials(std::vector<PotentialTarget> targets) : targets_(std::move(targets)) {}

    [[nodiscard]] std::vector<PotentialWish> wishes() const override {
        std::vector<PotentialWish> wishes;
        for (const PotentialTarget& target : targets_) {
            wishes.push_back(
                {target.population, PotentialWish::Kind::samples, 0.0, {target.neuron}, {target.time}});
        }
        return wishes;
    }
    [[nodiscard]] double evaluate(const Network&, const Observed& observed,
                                  Observed& derivative) const override {
        double value = 0.0;
        for (std::size_t k = 0; k < targets_.size(); ++k) {
            const double miss = observed.potentials[k][0] - targets_[k].V;
            value += 0.5 * miss * miss;
            derivative.potentials[k][0] += miss;
        }
        return value;
    }

  private:
    std::vector<PotentialTarget> targets_;
};

class SumOfLosses final : public Loss {
  public:
    explicit SumOfLosses(std::vector<std::pair<double, std::shared_ptr<const Loss>>> terms)
        : terms_(std::move(terms)) {}

    [[nodiscard]] std::vector<PotentialWish> wishes() const override {
        std::vector<PotentialWish> all;
        for (const auto& term : terms_) {
            for (PotentialWish& wish : term.second->wishes()) all.push_back(std::move(wish));
        }
        return all;
    }
    [[nodiscard]] double evaluate(const Network& network, const Observed& observed,
                                  Observed& derivative) const override {
        double value = 0.0;
        std::size_t begin = 0;
        for (const auto& [factor, loss] : terms_) {
            const std::size_t end = begin + loss->wishes().size();
            Observed part{observed.spikes, {}, observed.duration};
            for (std::size_t w = begin; w < end; ++w) part.potentials.push_back(observed.potentials[w]);
            Observed slope = part;
            for (auto& population : slope.spikes) {
                for (auto& neuron : population) std::fill(neuron.begin(), neuron.end(), 0.0);
            }
            for (auto& wish : slope.potentials) std::fill(wish.begin(), wish.end(), 0.0);
            value += factor * loss->evaluate(network, part, slope);
            const double f = factor;
            const auto add = [f](std::vector<double>& sum, const std::vector<double>& more) {
                for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += f * more[k];
            };
            for (std::size_t q = 0; q < slope.spikes.size(); ++q) {
                for (std::size_t i = 0; i < slope.spikes[q].size(); ++i)
                    add(derivative.spikes[q][i], slope.spikes[q][i]);
            }
            for (std::size_t w = begin; w < end; ++w)
                add(derivative.potentials[w], slope.potentials[w - begin]);
            begin = end;
        }
        return value;
    }

  private:
    std::vector<std::pair<double, std::shared_ptr<const Loss>>> terms_;
};

}  // namespace

void ClassLoss::check() const {
    check_one("tau_0", tau_0 > 0.0, "> 0", tau_0);
    check_one("tau_1", tau_1 > 0.0, "> 0", tau_1);
    check_one("alpha", alpha >= 0.0, ">= 0", alpha);
    check_one("silent", silent >= 0.0, ">= 0", silent);
    check_one("gain", gain > 0.0, "> 0", gain);
    check_one("decay", decay >= 0.0, ">= 0", decay);
    check_one("target", true, "a time", target);
    check_one("other_target", true, "a time", other_target);
    check_one("gap", true, "a time", gap);
}

double ClassLoss::operator()(std::span<const double> values, std::uint32_t label, double duration,
                             std::span<double> derivatives) const {
    const std::size_t n = values.size();
    if (is_of_potentials()) {
        const double factor = kind == Kind::mean_potential ? gain / duration : gain;
        std::vector<double> x(n);
        for (std::size_t k = 0; k < n; ++k) x[k] = factor * values[k];
        const double value = cross_entropy(x, label, derivatives);
        for (double& d : derivatives) d *= factor;
        return value;
    }
    std::vector<double> t(n);
    for (std::size_t k = 0; k < n; ++k)
        t[k] = std::isinf(values[k]) ? (silent > 0.0 ? silent : duration) : values[k];
    double value = 0.0;
    if (kind == Kind::first_spike_cross_entropy) {
        std::vector<double> x(n);
        for (std::size_t k = 0; k < n; ++k) x[k] = -t[k] / tau_0;
        value = cross_entropy(x, label, derivatives) + alpha * std::expm1(t[label] / tau_1);
        for (double& d : derivatives) d /= -tau_0;
        derivatives[label] += alpha / tau_1 * std::exp(t[label] / tau_1);
    } else if (kind == Kind::first_spike_squared_error) {
        for (std::size_t k = 0; k < n; ++k) {
            derivatives[k] = t[k] - (k == label ? target : other_target);
            value += 0.5 * derivatives[k] * derivatives[k];
        }
    } else {
        derivatives[label] = 0.0;
        for (std::size_t k = 0; k < n; ++k) {
            if (k == label) continue;
            derivatives[k] = t[k] - t[label] - gap;
            derivatives[label] -= derivatives[k];
            value += 0.5 * derivatives[k] * derivatives[k];
        }
    }
    for (std::size_t k = 0; k < n; ++k) {
        if (std::isinf(values[k])) derivatives[k] = 0.0;
    }
    return value;
}

std::uint32_t ClassLoss::decide(std::span<const double> values) const {
    const auto best = is_of_potentials() ? std::max_element(values.begin(), values.end())
                                         : std::min_element(values.begin(), values.end());
    if (best == values.end() || *best == never) return static_cast<std::uint32_t>(values.size());
    return static_cast<std::uint32_t>(best - values.begin());
}

std::string_view class_loss_name(ClassLoss::Kind kind) {
    return kinds[static_cast<std::size_t>(kind)];
}

ClassLoss::Kind class_loss_kind(std::string_view name) {
    for (std::size_t k = 0; k < kinds.size(); ++k) {
        if (kinds[k] == name) return static_cast<ClassLoss::Kind>(k);
    }
    std::string known;
    for (const std::string_view kind : kinds) known += (known.empty() ? "" : ", ") + std::string(kind);
    throw UsageError("loss: expected one of " + known + ", found " + quoted(name) + "." +
                     did_you_mean(name, kinds));
}

std::shared_ptr<const Loss> class_loss(std::string population, const ClassLoss& loss, std::uint32_t label) {
    return std::make_shared<LossOfClass>(std::move(population), loss, label);
}
std::shared_ptr<const Loss> spike_time_loss(std::vector<SpikeTarget> targets, bool missing_is_error) {
    return std::make_shared<LossOfSpikeTimes>(std::move(targets), missing_is_error);
}
std::shared_ptr<const Loss> potential_loss(std::vector<PotentialTarget> targets) {
    return std::make_shared<LossOfPotentials>(std::move(targets));
}
std::shared_ptr<const Loss> sum_of_losses(std::vector<std::pair<double, std::shared_ptr<const Loss>>> terms) {
    return std::make_shared<SumOfLosses>(std::move(terms));
}

}  // namespace saltus::learning
