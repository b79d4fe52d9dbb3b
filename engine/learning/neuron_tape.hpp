// What happened to one neuron during a run, and the way back through it.
//
// Forward, a neuron is taken along its arrivals by the closed forms of its model, and every event is noted
// with its real time and the state after it. Where the exact clock has run already, its spikes are given and
// the walk adds what they do not tell: unrounded times, slopes, states. Where not, the walk finds the spikes,
// with the functions and in the order that the clock has (population_state.hpp).
//
// Backward, with the adjoint (p, q) of linear_neuron.hpp, values just after an event with +, before it with
// -:
//   arrival     dL/dw += J q or J p;   moved in time: e = J w (a q - g p),  or J w (b p - s) without a
//   current release     of the membrane after t_ref:  e_r = -p+ V'+,  dL/dV_reset += p+,  p- = 0 spike e =
//   dL/dt + sum of e over its arrivals + e_r + s (V_th - V_reset)
//               dL/dV_th += e/V'-,   p- = -e/V'- + pull,   q- = q+
//   spike that an arrival without a current caused by its jump: the arrival takes e, and p- = 0
// (Wunderlich & Pehle 2021; see docs/exact-gradients.md).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "../simulation/instant.hpp"
#include "linear_neuron.hpp"

namespace saltus::learning {

struct NeuronArrival {
    std::int64_t time = 0;
    double weight = 0.0;
    std::uint32_t synapse = 0;
    std::uint32_t spike = 0;  // that it comes from
};

struct NeuronSpike {
    enum class Cause : std::uint8_t { crossing, jump, start };

    Instant at;
    double slope = 0.0;  // V'-
    Cause cause = Cause::crossing;
};

struct NeuronEvent {
    enum class Kind : std::uint8_t { arrival, lost_arrival, spike, release };

    Instant at;
    double V = 0.0;  // after it
    double I = 0.0;
    std::uint32_t number = 0;  // of the arrival or the spike
    Kind kind = Kind::arrival;
    bool stands = false;  // the membrane is refractory after it
};

struct NeuronTape {
    std::vector<NeuronArrival> arrivals;  // by time
    std::vector<NeuronEvent> events;
    std::vector<NeuronSpike> spikes;

    void clear() {
        arrivals.clear();
        events.clear();
        spikes.clear();
    }
};

/// Fills events and spikes of the tape from its arrivals, up to `end`. `known`: the ticks of the spikes, as
/// the exact clock has found them; null: they are to be found.
template <class P>
void walk(const P& p, const typename P::Constants& c, const LinearNeuron& n, std::int64_t end,
          const std::vector<std::int64_t>* known, NeuronTape& tape) {
    using Kind = NeuronEvent::Kind;
    typename P::State state = neurons::initial(p, c);
    Instant now{};
    Instant release{};
    bool stands = false;
    std::size_t k = 0;
    const auto current = [&] {
        if constexpr (requires { state.I; }) return state.I;
        return 0.0;
    };
    const auto note = [&](Kind kind, std::size_t number) {
        tape.events.push_back({now, state.V, current(), static_cast<std::uint32_t>(number), kind, stands});
    };
    const auto flow_to = [&](const Instant& t) {
        const double s = seconds_between(now, t);
        if (s <= 0.0) return;  // a crossing may have been rounded to the tick of the arrival before it
        state = neurons::flow(c, state, s);
        now = t;
    };
    const auto fire = [&](const Instant& t, NeuronSpike::Cause cause) {
        if constexpr (neurons::Spiking<P>) {
            flow_to(t);
            tape.spikes.push_back({now, n.slope(n.V_th, current()), cause});
            state.V = p.V_reset;
            if (p.t_ref > Duration()) {
                stands = true;
                release = {Time(Duration(after(now.tick.femtoseconds(), p.t_ref.femtoseconds()))),
                           now.rest_fs};
            }
            note(Kind::spike, tape.spikes.size() - 1);
        }
    };

    for (;;) {
        const std::int64_t next = k < tape.arrivals.size() ? tape.arrivals[k].time : INT64_MAX;
        if constexpr (neurons::Spiking<P>) {
            if (stands) {
                const std::int64_t free = release.tick.femtoseconds();
                if (std::min(next, free) > end) return;
                const Instant t = next < free ? Instant{Time(Duration(next)), 0.0} : release;
                state = neurons::refractory_flow(c, state, std::max(0.0, seconds_between(now, t)));
                now = t;
                if (next < free) {
                    neurons::refractory_arrive(c, state, tape.arrivals[k].weight);
                    note(n.has_current ? Kind::arrival : Kind::lost_arrival, k++);
                } else {
                    stands = false;
                    note(Kind::release, 0);
                }
                continue;
            }
            const std::int64_t limit = std::min(next, end);
            const std::int64_t due = !known                               ? limit
                                     : tape.spikes.size() < known->size() ? (*known)[tape.spikes.size()]
                                                                          : INT64_MAX;
            if (due <= limit) {
                const bool above = state.V >= p.V_th;
                const double horizon = seconds_between(now, {Time(Duration(limit)), 0.5});
                const double s = horizon < 0.0 ? neurons::detail::never
                                               : neurons::next_crossing(c, state, p.V_th, horizon);
                const Instant crossing =
                    std::isinf(s) ? Instant{Time::never(), 0.0} : later(now, s, Time(Duration(limit)));
                if (crossing.tick != Time::never()) {
                    fire(crossing, above ? NeuronSpike::Cause::start : NeuronSpike::Cause::crossing);
                    // A membrane that fires in this instant loses what arrives in it.
                    if (n.has_current || crossing.tick.femtoseconds() != next) continue;
                    for (; k < tape.arrivals.size() && tape.arrivals[k].time == next; ++k)
                        note(Kind::lost_arrival, k);
                    continue;
                }
                if (known && (n.has_current || due != next)) {  // it touches the threshold within rounding
                    fire({Time(Duration(due)), 0.0}, NeuronSpike::Cause::crossing);
                    continue;
                }
            }
        }
        if (next > end) return;
        flow_to({Time(Duration(next)), 0.0});
        for (; k < tape.arrivals.size() && tape.arrivals[k].time == next; ++k) {
            neurons::arrive(c, state, tape.arrivals[k].weight);
            note(Kind::arrival, k);
        }
        if constexpr (neurons::Spiking<P>) {
            if (n.has_current) continue;
            const bool fires =
                known ? tape.spikes.size() < known->size() && (*known)[tape.spikes.size()] == next
                      : state.V >= p.V_th;
            if (fires) fire(now, NeuronSpike::Cause::jump);
        }
    }
}

/// Something that a loss has to do with V at a time: dL/dV there.
struct PotentialSeed {
    std::int64_t interval = -1;  // after this event; -1: before the first
    double x = 0.0;              // seconds after its start
    double dL_dV = 0.0;
};
/// What an event's time is worth beside its effect on the neuron: the peak of V may sit on an arrival.
struct EventSeed {
    std::size_t event = 0;
    double dL_dt = 0.0;
};

struct NeuronSeeds {
    std::vector<double> spikes;             // dL/dt of each; empty: all 0
    PotentialLoss potential{};              // of an integral
    std::vector<PotentialSeed> potentials;  // by time
    std::vector<EventSeed> events;
    double V_th = 0.0;  // dL/dV_th where the peak of V is a spike
    double pull = 0.0;  // added to dL/dV just before every spike; no derivative of the loss
};

/// The way back through one neuron, one event at a time.
class NeuronReturn {
  public:
    /// `largest_factor` bounds 1/V'- (infinity: no bound; with one gradients are no longer exact). The
    /// gradient may be null.
    NeuronReturn(const LinearNeuron& neuron, const NeuronTape& tape, const NeuronSeeds& seeds,
                 std::int64_t end, double largest_factor, LinearGradient* gradient)
        : n_(&neuron),
          tape_(&tape),
          seeds_(&seeds),
          end_(end),
          largest_factor_(largest_factor),
          gradient_(gradient),
          left_(tape.events.size()),
          seed_(seeds.potentials.size()) {
        if (gradient_) gradient_->V_th += seeds.V_th;
    }

    [[nodiscard]] bool is_done() const { return left_ == 0; }

    /// The event that comes next, that is, the last that has not been gone through. `error(k)`: sum of e over
    /// the arrivals of the neuron's spike k; `arrived(arrival, dL/dw, dL/dt)` is called for an arrival.
    template <class Error, class Arrived>
    void step(Error&& error, Arrived&& arrived) {
        const std::size_t k = --left_;
        const NeuronEvent& event = tape_->events[k];
        pass_interval(static_cast<std::int64_t>(k));
        const double s = seeds_->potential.c == 0.0 ? 0.0 : seeds_->potential.at(seconds(event.at));
        switch (event.kind) {
            case NeuronEvent::Kind::arrival: {
                const NeuronArrival& arrival = tape_->arrivals[event.number];
                const double jump = n_->J * arrival.weight;
                double e =
                    n_->has_current ? jump * (n_->a * at_.q - n_->g * at_.p) : jump * (n_->b * at_.p - s);
                if (caused_) e = *std::exchange(caused_, std::nullopt);
                for (const EventSeed& seed : seeds_->events) e += seed.event == k ? seed.dL_dt : 0.0;
                arrived(arrival, n_->J * (n_->has_current ? at_.q : at_.p), e);
                break;
            }
            case NeuronEvent::Kind::lost_arrival:
                break;
            case NeuronEvent::Kind::release:
                let_go(event);
                break;
            case NeuronEvent::Kind::spike: {
                if (!event.stands) let_go(event);
                const NeuronSpike& spike = tape_->spikes[event.number];
                const double V_before = spike.cause == NeuronSpike::Cause::jump ? V_before_jump(k) : n_->V_th;
                double e = error(event.number) + release_ + s * (V_before - n_->V_reset);
                if (!seeds_->spikes.empty()) e += seeds_->spikes[event.number];
                release_ = 0.0;
                at_.p = 0.0;
                if (spike.cause == NeuronSpike::Cause::jump) caused_ = e;
                if (spike.cause == NeuronSpike::Cause::crossing && e != 0.0) cross(spike, e);
                at_.p += seeds_->pull;
                break;
            }
        }
    }
    /// After the last step: the way to the start.
    void finish() {
        pass_interval(-1);
        if (gradient_) {
            gradient_->V_0 += at_.p;
            gradient_->I_0 += at_.q;
        }
    }

    /// Spikes whose gradient does not exist (V' <= 0 within rounding) or was bounded.
    [[nodiscard]] std::uint64_t bounded() const { return bounded_; }

  private:
    [[nodiscard]] static double seconds(const Instant& t) { return seconds_between({}, t); }

    void cross(const NeuronSpike& spike, double e) {
        double factor = spike.slope > 0.0 ? 1.0 / spike.slope : std::numeric_limits<double>::infinity();
        if (factor > largest_factor_ || std::isinf(factor)) {
            ++bounded_;
            factor = std::isinf(largest_factor_) ? 0.0 : largest_factor_;
        }
        at_.p = -e * factor;
        if (gradient_) gradient_->V_th += e * factor;
    }
    /// The membrane begins at V_reset at this event.
    void let_go(const NeuronEvent& event) {
        release_ = -at_.p * n_->slope(n_->V_reset, event.I);
        if (gradient_) gradient_->V_reset += at_.p;
        at_.p = 0.0;
    }
    /// V before the last of the arrivals that made event k, a spike, happen.
    [[nodiscard]] double V_before_jump(std::size_t k) const {
        const NeuronEvent& arrival = tape_->events[k - 1];
        return arrival.V - n_->J * tape_->arrivals[arrival.number].weight;
    }

    void pass_interval(std::int64_t k) {
        const auto event = static_cast<std::size_t>(k);
        const bool first = k < 0;
        const Instant begin = first ? Instant{} : tape_->events[event].at;
        const Instant stop = static_cast<std::size_t>(k + 1) < tape_->events.size()
                                 ? tape_->events[static_cast<std::size_t>(k + 1)].at
                                 : Instant{Time(Duration(end_)), 0.0};
        const double V = first ? n_->V_0 : tape_->events[event].V;
        const double I = first ? n_->I_0 : tape_->events[event].I;
        const bool stands = !first && tape_->events[event].stands;
        double x = std::max(0.0, seconds_between(begin, stop));
        for (; seed_ > 0 && seeds_->potentials[seed_ - 1].interval == k; --seed_) {
            const PotentialSeed& seed = seeds_->potentials[seed_ - 1];
            const double from = std::min(seed.x, x);
            piece(begin, V, I, stands, from, x);
            x = from;
            at_.p += seed.dL_dV;
        }
        piece(begin, V, I, stands, 0.0, x);
    }
    /// From `to` back to `from` seconds after the start of an interval, where the state is (V, I).
    void piece(const Instant& begin, double V, double I, bool stands, double from, double to) {
        const double x = to - from;
        if (x <= 0.0) return;
        const PotentialLoss& loss = seeds_->potential;
        const double s0 = loss.c == 0.0 ? 0.0 : loss.at(seconds(begin) + from);
        if (at_.p == 0.0 && at_.q == 0.0 && s0 == 0.0) return;
        using neurons::detail::response;
        const double I_from = n_->has_current ? I * std::exp(-n_->a * from) : 0.0;
        if (stands) {
            if (gradient_ && n_->has_current) gradient_->a -= at_.q * x * std::exp(-n_->a * x) * I_from;
            if (n_->has_current) at_.q *= std::exp(-n_->a * x);
            if (gradient_) gradient_->V_reset += s0 * response(loss.mu, 0.0, x) + at_.p;
            at_.p = 0.0;
            return;
        }
        double V_from = V;
        if (from > 0.0) {
            V_from = V * std::exp(-n_->b * from) + n_->d * response(n_->b, 0.0, from);
            if (n_->has_current) V_from += n_->g * I * response(n_->a, n_->b, from);
        }
        pass_back(*n_, V_from, I_from, x, s0, loss.mu, at_, gradient_);
    }

    const LinearNeuron* n_;
    const NeuronTape* tape_;
    const NeuronSeeds* seeds_;
    std::int64_t end_;
    double largest_factor_;
    LinearGradient* gradient_;
    std::size_t left_;
    std::size_t seed_;
    Adjoint at_;
    double release_ = 0.0;          // e of the release that follows
    std::optional<double> caused_;  // e of the spike that the arrival to come has caused by its jump
    std::uint64_t bounded_ = 0;
};

}  // namespace saltus::learning
