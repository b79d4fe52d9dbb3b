// Blocks whose spikes do not depend on anything that arrives. Each is a whole population.
#pragma once

#include <algorithm>

#include "../events/queue.hpp"
#include "block.hpp"

namespace saltus {

/// Given spikes, in order of time: of an input, or of a SpikeSource.
class TrainBlock final : public Block {
  public:
    TrainBlock(const BlockPlan& plan, const SpikeTrain& train) : Block(plan), train_(train) {}

    [[nodiscard]] std::int64_t next() const override {
        return next_ < train_.size() ? train_.times[next_].femtoseconds() : INT64_MAX;
    }
    void advance(std::int64_t stop, std::span<const Arrival>) override {
        for (; next() < stop; ++next_) send(next(), train_.neurons[next_]);
    }
    void put_potentials(std::int64_t, const Piece&, std::span<double>) const override {}
    void save(std::int64_t, std::vector<PopulationSnapshot>&) const override {}
    void restore(std::int64_t t, const std::vector<PopulationSnapshot>&) override {
        next_ = static_cast<std::size_t>(
            std::lower_bound(train_.times.begin(), train_.times.end(), Time(Duration(t))) -
            train_.times.begin());
    }

  private:
    const SpikeTrain& train_;
    std::size_t next_ = 0;
};

class PoissonBlock final : public Block {
  public:
    PoissonBlock(const BlockPlan& plan, const neurons::PoissonSource& source) : Block(plan) {
        constexpr std::uint32_t length = PoissonGroup::neurons_per_group;
        for (std::uint32_t first = 0; first < plan.size(); first += length) {
            groups_.emplace_back(source, plan.size(), first / length);
        }
        line_up();
    }

    [[nodiscard]] std::int64_t next() const override { return queue_of_groups_.next(); }
    void advance(std::int64_t stop, std::span<const Arrival>) override {
        queue_of_groups_.pop_before(stop, [&](Turn turn) {
            PoissonGroup& group = groups_[turn.group];
            for (; group.time() < stop; group.advance()) {
                send(group.time(), turn.group * PoissonGroup::neurons_per_group + group.neuron());
            }
            queue_of_groups_.push({group.time(), turn.group});
        });
    }
    void put_potentials(std::int64_t, const Piece&, std::span<double>) const override {}
    void save(std::int64_t, std::vector<PopulationSnapshot>& populations) const override {
        PopulationSnapshot& snapshot = populations[plan_.pieces.front().population];
        snapshot.trains.assign(1, {});
        for (const PoissonGroup& group : groups_) snapshot.trains[0].push_back(group.where());
    }
    void restore(std::int64_t, const std::vector<PopulationSnapshot>& populations) override {
        each_saved(populations, [&](const Piece&, const PopulationSnapshot& snapshot) {
            for (std::size_t g = 0; g < groups_.size(); ++g) groups_[g].go_to(snapshot.trains.at(0).at(g));
        });
        line_up();
    }

  private:
    void line_up() {
        queue_of_groups_ = {};
        for (std::uint32_t g = 0; g < groups_.size(); ++g) queue_of_groups_.push({groups_[g].time(), g});
    }

    struct Turn {
        std::int64_t time;
        std::uint32_t group;

        [[nodiscard]] std::int64_t key() const { return time; }
    };

    std::vector<PoissonGroup> groups_;
    RadixHeap<Turn> queue_of_groups_;
};

class RegularBlock final : public Block {
  public:
    RegularBlock(const BlockPlan& plan, const neurons::RegularSource& source) : Block(plan), source_(source) {
        for (NeuronIndex j = 0; j < plan.size(); ++j) {
            turns_.push({source.first[source.first.size() == 1 ? 0 : j].femtoseconds(), j});
        }
    }

    [[nodiscard]] std::int64_t next() const override {
        return turns_.next() < source_.stop.femtoseconds() ? turns_.next() : INT64_MAX;
    }
    void advance(std::int64_t stop, std::span<const Arrival>) override {
        turns_.pop_before(std::min(stop, source_.stop.femtoseconds()), [&](const Turn& turn) {
            send(turn.time, turn.neuron);
            again(turn);
        });
    }
    void put_potentials(std::int64_t, const Piece&, std::span<double>) const override {}
    void save(std::int64_t, std::vector<PopulationSnapshot>&) const override {}
    void restore(std::int64_t t, const std::vector<PopulationSnapshot>&) override {
        turns_.pop_before(t, [&](const Turn& turn) { again(turn); });
    }

  private:
    struct Turn {
        std::int64_t time;
        NeuronIndex neuron;

        [[nodiscard]] std::int64_t key() const { return time; }
    };

    void again(const Turn& turn) {
        const std::int64_t interval =
            source_.interval[source_.interval.size() == 1 ? 0 : turn.neuron].femtoseconds();
        if (interval < INT64_MAX - turn.time) turns_.push({turn.time + interval, turn.neuron});
    }

    const neurons::RegularSource& source_;
    RadixHeap<Turn> turns_;
};

}  // namespace saltus
