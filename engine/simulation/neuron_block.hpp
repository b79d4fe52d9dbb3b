// A block of neurons of one population of any model, each with its state at an instant of its own
// (population_state.hpp).
#pragma once

#include "../events/queue.hpp"
#include "arrivals.hpp"
#include "block.hpp"
#include "population_state.hpp"

namespace saltus {

template <class P>
class NeuronBlock final : public Block {
  public:
    NeuronBlock(const BlockPlan& plan, const Layout& layout, PopulationState<P> state)
        : Block(plan), sums_(plan.size(), layout, neurons::separates_signs<P>), state_(std::move(state)) {
        state_.start(waker());
    }

    [[nodiscard]] std::int64_t next() const override { return std::min(next_arrival(), wakes_.next()); }

    void advance(std::int64_t stop, std::span<const Arrival> along_axons) override {
        collect(stop, along_axons);
        sort_arrivals();
        std::size_t k = 0;
        for (;;) {
            const std::int64_t t =
                std::min(k < arrivals_.size() ? arrivals_[k].when : INT64_MAX, wakes_.next());
            if (t >= stop) return;
            k = compute(t, k);
        }
    }

    void put_potentials(std::int64_t t, const Piece& piece, std::span<double> population) const override {
        for (NeuronIndex j = 0; j < plan_.size(); ++j)
            population[piece.range.begin + j] = state_.potential(j, Time(Duration(t)));
    }

    void save(std::int64_t, std::vector<PopulationSnapshot>& populations) const override {
        const Piece& piece = plan_.pieces.front();
        state_.save(populations[piece.population], piece.range.begin);
    }
    void restore(std::int64_t, const std::vector<PopulationSnapshot>& populations) override {
        wakes_ = {};
        each_saved(populations, [&](const Piece& piece, const PopulationSnapshot& snapshot) {
            state_.restore(snapshot, piece.range.begin, waker());
        });
    }

  private:
    /// The neuron may cross its threshold without any arrival.
    struct Wake {
        std::int64_t time;
        NeuronIndex neuron;

        [[nodiscard]] std::int64_t key() const { return time; }
    };

    /// Instant t: what arrives is summed, neurons are integrated, the threshold is tested once, spikes leave.
    /// Returns the arrival after those of t.
    std::size_t compute(std::int64_t t, std::size_t k) {
        for (; k < arrivals_.size() && arrivals_[k].when == t; ++k) deliver(arrivals_[k]);
        const Time now{Duration(t)};
        wakes_.pop_before(t + 1, [&](const Wake& wake) {
            if (state_.is_due(wake.neuron, now, waker())) sums_.wake(wake.neuron);
        });
        if (!sums_.any()) return k;
        fired_.clear();
        state_.integrate_and_fire(now, sums_, fired_, waker());
        for (const NeuronIndex neuron : fired_) send(t, neuron);
        return k;
    }

    void deliver(const Arrival& arrival) {
        const auto& synapses = plan_.incoming[arrival.route()].synapses;
        if (const auto* table = std::get_if<SynapseTable>(&synapses)) {
            const SynapseTable::Target* targets = table->targets();
            const std::uint32_t end = arrival.begin + (arrival.is_single() ? 1u : arrival.count);
            table->visit_weights([&](auto weights) {
                for (std::uint32_t s = arrival.begin; s < end; ++s) {
                    if constexpr (std::is_pointer_v<decltype(weights)>) {
                        sums_.add(targets[s], static_cast<double>(weights[s]));
                    } else {
                        sums_.add(targets[s], weights);
                    }
                }
            });
            synaptic_events_ += end - arrival.begin;
        } else if (const auto* rows = std::get_if<DenseRows>(&synapses)) {
            rows->weights.visit(
                [&](auto weights) { sums_.add_to_all(weights.data() + rows->place(arrival.begin), 1.0); });
            synaptic_events_ += plan_.size();
        } else if (RowDraw* const row = draws_[arrival.route()].get()) {
            const RowDraw::Segment drawn = row->segment(arrival.begin);
            drawn.visit_weights([&](auto weights) {
                for (std::size_t s = 0; s < drawn.targets.size(); ++s) {
                    if constexpr (std::is_pointer_v<decltype(weights)>) {
                        sums_.add(drawn.targets[s], static_cast<double>(weights[s]));
                    } else {
                        sums_.add(drawn.targets[s], weights);
                    }
                }
            });
            synaptic_events_ += drawn.targets.size();
        } else {
            const Route& chain = *std::get<std::shared_ptr<const Route>>(synapses);
            synaptic_events_ += chain.deliver(arrival.begin, sums_);
        }
    }

    [[nodiscard]] auto waker() {
        return [this](Time time, NeuronIndex neuron) { wakes_.push({time.femtoseconds(), neuron}); };
    }

    RadixHeap<Wake> wakes_;
    Arrivals sums_;
    PopulationState<P> state_;
    std::vector<NeuronIndex> fired_;
};

}  // namespace saltus
