// The state of one population during a run, and what an instant does to it: integrate to the instant, add
// what arrives, test the threshold once, reset.
//
// Each neuron's state holds at an instant of its own, the last one at which something happened to it. A
// crossing between arrivals happens at a real time; the spike is sent at the nearest tick, while the neuron
// itself goes on from the real time (`rest_fs`), so that rounding does not add up over the spikes of a
// neuron.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "arrivals.hpp"
#include "instant.hpp"
#include "kernels.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/network.hpp"
#include "saltus/engine/snapshot.hpp"

namespace saltus {

template <class P>
class PopulationState {
  public:
    /// `signal` is the constant signal that each neuron receives; nothing after `end` is looked for. Both
    /// arguments are in the order of outside.
    PopulationState(const std::vector<P>& parameters, std::uint32_t size, const std::vector<double>& signal,
                    const Layout& layout, Time end)
        : layout_(layout), end_(end) {
        for (std::uint32_t i = 0; i < (parameters.size() == 1 ? 1 : size); ++i) {
            parameters_.push_back(parameters[parameters.size() == 1 ? 0 : layout.outside(i)]);
        }
        const bool uniform = parameters.size() == 1 && (signal.empty() || all_equal(signal));
        for (std::uint32_t i = 0; i < (uniform ? 1 : size); ++i) {
            constants_.push_back(
                neurons::constants(parameter(i), signal.empty() ? 0.0 : signal[layout.outside(i)]));
        }
        states_.reserve(size);
        for (std::uint32_t j = 0; j < size; ++j)
            states_.push_back(neurons::initial(parameter(j), constant(j)));

        timeless_ = true;
        for (const auto& c : constants_) timeless_ = timeless_ && neurons::stands_still(c);
        if constexpr (neurons::Spiking<P>) {
            for (const P& p : parameters_) timeless_ = timeless_ && p.t_ref == Duration();
            for (std::uint32_t j = 0; j < size; ++j)
                timeless_ = timeless_ && states_[j].V < parameter(j).V_th;
            if (timeless_ && may_stay_above()) timeless_ = false;
        }
        if (!timeless_) {
            since_.resize(size);
            free_.resize(size);
            if constexpr (neurons::Spiking<P>) {
                crossing_.assign(size, {Time::never(), 0.0});
                scheduled_.assign(size, Time::never());
            }
        }
    }

    /// Predicts the first crossing of every neuron. `wake(time, neuron)` asks to be looked at again.
    template <class WakeAt>
    void start(WakeAt&& wake) {
        if constexpr (neurons::Spiking<P>) {
            if (timeless_) return;
            for (std::uint32_t j = 0; j < states_.size(); ++j) predict(j, Time(), wake);
        }
    }

    /// True if the wake-up call for neuron j at t is due; a neuron that crosses later by now is called again
    /// then.
    template <class WakeAt>
    bool is_due(NeuronIndex j, Time t, WakeAt&& wake) {
        if (scheduled_[j] != t) return false;  // an earlier call has been made since this one was asked for
        const bool due = crossing_[j].tick == t;
        scheduled_[j] = due ? Time::never() : crossing_[j].tick;
        if (scheduled_[j] != Time::never()) wake(scheduled_[j], j);
        return due;
    }

    /// Everything that instant t brings: the neurons that fire, as counted outside, in order.
    template <class WakeAt>
    void integrate_and_fire(Time t, Arrivals& arrivals, std::vector<NeuronIndex>& fired, WakeAt&& wake) {
        if constexpr (neurons::separates_signs<P>) {
            arrivals.drain([&](NeuronIndex first, std::span<double> sums) {
                for (std::size_t k = 0; k < sums.size(); ++k) {
                    const NeuronIndex j = first + static_cast<NeuronIndex>(k);
                    const neurons::SignedSum w{std::exchange(sums[k], 0.0), arrivals.take_negative(j)};
                    if (w.ex != 0.0 || w.in != 0.0 || crosses_at(j, t)) settle(j, t, w, fired, wake);
                }
            });
        } else if (timeless_) {
            arrivals.drain(
                [&](NeuronIndex first, std::span<double> sums) { arrive_and_fire(first, sums, fired); });
        } else {
            arrivals.drain([&](NeuronIndex first, std::span<double> sums) {
                for (std::size_t k = 0; k < sums.size(); ++k) {
                    const NeuronIndex j = first + static_cast<NeuronIndex>(k);
                    if (sums[k] != 0.0 || crosses_at(j, t))
                        settle(j, t, std::exchange(sums[k], 0.0), fired, wake);
                }
            });
        }
        for (NeuronIndex& j : fired) j = layout_.outside(j);
        std::sort(fired.begin(), fired.end());
    }

    /// Potential of a neuron at t, which is not before the last instant that was computed.
    [[nodiscard]] double potential(NeuronIndex outside, Time t) const {
        const NeuronIndex j = layout_.inside(outside);
        return timeless_ ? states_[j].V : state_at(j, {t, 0.0}).V;
    }

    /// Columns of the whole population, in which these neurons stand from `first` on.
    void save(PopulationSnapshot& snapshot, NeuronIndex first) const {
        const auto n = snapshot.size;
        for (NeuronIndex j = 0; j < states_.size(); ++j) {
            const std::size_t row = first + layout_.outside(j);
            const auto numbers = std::bit_cast<Numbers>(states_[j]);
            for (std::size_t k = 0; k < numbers.size(); ++k) {
                column(snapshot.reals, "state" + std::to_string(k), n)[row] = numbers[k];
            }
            const auto put = [&](const std::string& name, const Instant& instant) {
                column(snapshot.ticks, name, n)[row] = instant.tick.femtoseconds();
                column(snapshot.reals, name + "_rest", n)[row] = instant.rest_fs;
            };
            put("since", timeless_ ? Instant{} : since_[j]);
            put("free", timeless_ ? Instant{} : free_[j]);
            if constexpr (neurons::Spiking<P>) {
                put("crossing", timeless_ ? Instant{Time::never(), 0.0} : crossing_[j]);
                column(snapshot.ticks, "scheduled", n)[row] =
                    (timeless_ ? Time::never() : scheduled_[j]).femtoseconds();
            }
        }
    }
    template <class WakeAt>
    void restore(const PopulationSnapshot& snapshot, NeuronIndex first, WakeAt&& wake) {
        for (NeuronIndex j = 0; j < states_.size(); ++j) {
            const std::size_t row = first + layout_.outside(j);
            Numbers numbers;
            for (std::size_t k = 0; k < numbers.size(); ++k) {
                numbers[k] = snapshot.reals.at("state" + std::to_string(k)).at(row);
            }
            states_[j] = std::bit_cast<State>(numbers);
            if (timeless_) continue;
            const auto get = [&](const std::string& name) {
                return Instant{Time(Duration(snapshot.ticks.at(name).at(row))),
                               snapshot.reals.at(name + "_rest").at(row)};
            };
            since_[j] = get("since");
            free_[j] = get("free");
            if constexpr (neurons::Spiking<P>) {
                crossing_[j] = get("crossing");
                scheduled_[j] = Time(Duration(snapshot.ticks.at("scheduled").at(row)));
                if (scheduled_[j] != Time::never()) wake(scheduled_[j], j);
            }
        }
    }

  private:
    static constexpr double most_spikes_at_once = 1e6;

    using Numbers = std::array<double, sizeof(typename P::State) / sizeof(double)>;
    template <class T>
    static std::vector<T>& column(std::map<std::string, std::vector<T>>& columns, const std::string& name,
                                  std::size_t n) {
        std::vector<T>& column = columns[name];
        column.resize(n);
        return column;
    }

    using State = typename P::State;
    using Constants = typename P::Constants;

    static bool all_equal(const std::vector<double>& values) {
        for (const double x : values) {
            if (x != values.front()) return false;
        }
        return true;
    }
    [[nodiscard]] const P& parameter(NeuronIndex j) const {
        return parameters_[parameters_.size() == 1 ? 0 : j];
    }
    [[nodiscard]] const Constants& constant(NeuronIndex j) const {
        return constants_[constants_.size() == 1 ? 0 : j];
    }

    /// A spike may leave a neuron above threshold, to fire again a tick later or with its next arrival.
    [[nodiscard]] bool may_stay_above() const {
        return std::any_of(parameters_.begin(), parameters_.end(), [](const P& p) {
            return p.reset == neurons::Reset::subtract || p.reset == neurons::Reset::none;
        });
    }

    [[nodiscard]] State state_at(NeuronIndex j, const Instant& t) const {
        const Constants& c = constant(j);
        if (t.tick < free_[j].tick)
            return neurons::refractory_flow(c, states_[j], seconds_between(since_[j], t));
        if (since_[j].tick < free_[j].tick) {
            const State released =
                neurons::refractory_flow(c, states_[j], seconds_between(since_[j], free_[j]));
            return neurons::flow(c, released, seconds_between(free_[j], t));
        }
        return neurons::flow(c, states_[j], seconds_between(since_[j], t));
    }

    [[nodiscard]] bool crosses_at(NeuronIndex j, Time t) const {
        if constexpr (neurons::Spiking<P>) return crossing_[j].tick == t;
        return false;
    }

    /// A run of neurons whose state does not move by itself: add, compare. Few fire, so whole chunks are
    /// compared first.
    void arrive_and_fire(NeuronIndex first, std::span<double> sums, std::vector<NeuronIndex>& fired) {
        constexpr std::size_t chunk = 32;
        for (std::size_t begin = 0; begin < sums.size(); begin += chunk) {
            const auto part = sums.subspan(begin, std::min(chunk, sums.size() - begin));
            const NeuronIndex j = first + static_cast<NeuronIndex>(begin);
            if (arrive(j, part)) fire_above_threshold(j, part.size(), fired);
        }
    }
    void fire_above_threshold(NeuronIndex first, std::size_t n, std::vector<NeuronIndex>& fired) {
        if constexpr (neurons::Spiking<P>) {
            State* const states = states_.data() + first;
            const P* p = &parameter(first);
            const std::size_t stride = parameters_.size() == 1 ? 0 : 1;
            for (std::size_t k = 0; k < n; ++k, p += stride) {
                if (states[k].V >= p->V_th) fire(*p, states[k], first + static_cast<NeuronIndex>(k), fired);
            }
        }
    }

    /// Adds `sums`, leaves zeros there, and tells whether somebody reached threshold.
    bool arrive(NeuronIndex first, std::span<double> sums) {
        if constexpr (std::is_same_v<State, neurons::If::State>) {
            if (constants_.size() == 1 && parameters_.size() == 1) {
                return kernels::arrive(states_.data() + first, sums.data(), sums.size(), constants_.front().J,
                                       threshold(0));
            }
        }
        bool any = false;
        for (std::size_t k = 0; k < sums.size(); ++k) {
            const NeuronIndex j = first + static_cast<NeuronIndex>(k);
            neurons::arrive(constant(j), states_[j], std::exchange(sums[k], 0.0));
            any = any || states_[j].V >= threshold(j);
        }
        return any;
    }
    [[nodiscard]] double threshold(NeuronIndex j) const {
        if constexpr (neurons::Spiking<P>) return parameter(j).V_th;
        return std::numeric_limits<double>::infinity();
    }

    /// `w` is what arrives: a double, or a SignedSum where P separates signs.
    template <class Sum, class WakeAt>
    void settle(NeuronIndex j, Time t, Sum w, std::vector<NeuronIndex>& fired, WakeAt&& wake) {
        const Constants& c = constant(j);
        State& state = states_[j];
        if (t < free_[j].tick) {
            state = state_at(j, {t, 0.0});
            since_[j] = {t, 0.0};
            neurons::refractory_arrive(c, state, w);
        } else {
            Instant now{t, 0.0};
            if constexpr (neurons::Spiking<P>) {
                if (crosses_at(j, t)) now = crossing_[j];
            }
            state = state_at(j, now);
            if constexpr (neurons::Spiking<P>) {
                // The crossing was rounded to this tick: whatever the last digit says, V is at threshold.
                if (crosses_at(j, t)) state.V = std::max(state.V, neurons::threshold(parameter(j), state));
            }
            neurons::arrive(c, state, w);
            since_[j] = now;
            if constexpr (neurons::Spiking<P>) {
                const P& p = parameter(j);
                if (state.V >= neurons::threshold(p, state)) {
                    fire(p, state, j, fired);
                    neurons::adapt(p, state);
                    free_[j] = {t + p.t_ref, now.rest_fs};
                }
            }
        }
        if constexpr (neurons::Spiking<P>) predict(j, t + Duration(1), wake);
    }

    static void fire(const P& p, State& state, NeuronIndex j, std::vector<NeuronIndex>& fired) {
        switch (p.reset) {
            case neurons::Reset::to_value:
                state.V = p.V_reset;
                break;
            case neurons::Reset::subtract:
                state.V -= p.V_th;
                break;
            case neurons::Reset::subtract_repeated: {
                const double k = std::floor(state.V / p.V_th);
                if (k > most_spikes_at_once) {
                    throw LimitError(
                        "a neuron exceeds its threshold " + std::to_string(k) +
                        "-fold at one instant; with repeated subtraction that is as many spikes.");
                }
                state.V -= k * p.V_th;
                for (double spike = 1.0; spike < k; spike += 1.0) fired.push_back(j);
                break;
            }
            case neurons::Reset::none:
                break;
        }
        fired.push_back(j);
    }

    /// Finds the next crossing of neuron j, `earliest` or later, and sees to it that somebody looks then. An
    /// entry in the queue that turns out too early is renewed when it comes up, so each neuron has few.
    template <class WakeAt>
    void predict(NeuronIndex j, Time earliest, WakeAt&& wake) {
        const Constants& c = constant(j);
        const bool refractory = since_[j].tick < free_[j].tick;
        const Instant from = refractory ? free_[j] : since_[j];
        const State state =
            refractory ? neurons::refractory_flow(c, states_[j], seconds_between(since_[j], free_[j]))
                       : states_[j];
        const double horizon = seconds_between(from, {end_, 0.5});
        crossing_[j] = {Time::never(), 0.0};
        if (horizon < 0.0) return;
        if (parameter(j).reset == neurons::Reset::none && earliest > Time() &&
            state.V >= neurons::threshold(parameter(j), state)) {
            return;
        }
        const double s = neurons::next_crossing(c, state, parameter(j).V_th, horizon);
        if (std::isinf(s)) return;
        crossing_[j] = later(from, s, end_);
        // A neuron fires once per instant: what is still above threshold after a reset waits for the next
        // tick.
        if (crossing_[j].tick < earliest) crossing_[j] = {earliest, 0.0};
        if (crossing_[j].tick < scheduled_[j]) {
            scheduled_[j] = crossing_[j].tick;
            if (scheduled_[j] != Time::never()) wake(scheduled_[j], j);
        }
    }

    Layout layout_;
    std::vector<P> parameters_;  // in the order of inside, as all below
    Time end_;
    std::vector<Constants> constants_;
    std::vector<State> states_;
    bool timeless_ = false;          // nothing moves between arrivals: no times are kept
    std::vector<Instant> since_;     // when states_ hold
    std::vector<Instant> free_;      // end of the refractory period
    std::vector<Instant> crossing_;  // next crossing without further arrivals
    std::vector<Time> scheduled_;    // earliest wake-up call in the queue
};

}  // namespace saltus
