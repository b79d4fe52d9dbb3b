// What a tool means by the numbers of a NIR file. The file says neither the unit of time, nor what a spike
// weighs, nor how the tool that wrote it resets; these choices are data here, under the tool's name.
//
// With x the input of a neuron, the equations of NIR are tau v' = (v_leak - v) + r x (LIF, LI), v' = r x (IF,
// I), tau_syn I' = -I + w_in x (CubaLIF, CubaLI). In the exact clock a spike is an instantaneous change of
// state:
//
//   spike area   LIF: v jumps by      IF: v jumps by    CubaLIF: I jumps by
//   unit         r w / tau            r w               w_in w / tau_syn      Dirac impulse of area 1 (in the
//   file's unit) step         r w dt / tau         r w dt            w_in w dt / tau_syn   pulse of height 1,
//   one step dt wide jump         w                    w                 w                     the tool adds
//   w to the state
//
// A bias is a constant x. Where the tool adds x to the state in each step, it amounts to a current of x / dt.
//
// That is the reading of the exact clock. The stepped clock takes the numbers as they stand in the file, and
// the rule of the tool (saltus/engine/stepped.hpp).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "saltus/engine/neurons/reset.hpp"
#include "saltus/engine/stepped.hpp"
#include "saltus/engine/time.hpp"

namespace saltus::converters {

enum class TimeUnit { seconds, milliseconds, steps };
enum class SpikeArea { unit, step, jump };
enum class ResetRule {
    v_reset,            // to the file's v_reset
    zero,               // to 0, whatever the file says
    subtract,           // by v_threshold, one spike at an instant
    subtract_repeated,  // by v_threshold, as many spikes at an instant as fit
    none,               // the potential stays; what resets it is a projection
};

/// In which order a tool computes the nodes of a graph. A source that has not been computed yet in a step
/// counts with what it sent in the last one; before the first step nothing is sent, not even a bias.
enum class NodeOrder {
    after_sources,  // every node after its sources; in a cycle, a node with several inputs goes first
    depth_first,    // pre-order of a depth-first walk from the first Input, along the edges as the file has
                    // them: where branches join, all but the first come a step late (nirtorch.load)
};

/// What becomes of an edge whose source is computed later.
enum class Recurrence {
    last_output,  // the last value of the edge
    last_spikes,  // the last spikes at the beginning of the way: a bias on the way acts from the first step
                  // on
    nested_only,  // last_output without bias inside a sub-graph; elsewhere nothing comes (rockpool)
};

/// How a tool steps through a network.
struct Stepping {
    SteppedRules rules;  // dt is that of the convention
    NodeOrder order = NodeOrder::after_sources;
    Recurrence recurrence = Recurrence::last_output;
    std::vector<std::string> nodes;  // types that the tool maps; empty: all

    friend bool operator==(const Stepping&, const Stepping&) = default;
};

struct Convention {
    std::string name;
    TimeUnit time_unit = TimeUnit::seconds;
    SpikeArea spike_area = SpikeArea::unit;
    ResetRule reset = ResetRule::v_reset;
    std::optional<ResetRule> if_reset = std::nullopt;  // of IF, where it differs
    Duration dt{1'000'000'000'000};                    // the tool's usual step
    bool if_jumps_by_w = false;                        // IF adds x to v, without r and dt
    bool lif_ignores_r = false;                        // takes r = 1
    bool cuba_ignores_r = false;                       // likewise
    bool cuba_current_adds_to_v = false;  // rockpool: v grows by I in each step, that is r = tau_mem / dt
    bool ignores_v_leak = false;
    bool current_rests_at_v_leak = false;  // norse: I of CubaLIF relaxes to v_leak
    enum class Start { zero, v_leak, v_reset } start = Start::zero;
    std::string not_exact = {};            // why the exact clock cannot follow; empty: it can
    std::optional<Stepping> stepped = {};  // none: the tool knows no steps
};

/// By name: "nir" (the equations as written; the default), "norse", "snntorch", "sinabs", "spikingjelly",
/// "rockpool", "lava-dl", "nengo", "jaxsnn", "brian2", "nest"; "snntorch-native", "sinabs-norm" and
/// "rockpool-native" for the models before they were exported; "s2net" for networks that learnt by a
/// surrogate gradient (surrogate_delays.hpp). A name that ends in .json is a file, see
/// convention_from_file. Throws UsageError for an unknown name.
[[nodiscard]] Convention convention(const std::string& name);
[[nodiscard]] std::vector<std::string> convention_names();

/// A convention of one's own, as a JSON file:
///   {"name": "mine", "like": "norse", "dt": "0.5ms", "LIF": {"fires": "at_threshold", "reset": "subtract"}}
/// starts from a named one and changes what is said. docs/stepped-clock.md lists keys and values. Throws
/// FileError, which names the key.
[[nodiscard]] Convention convention_from_file(const std::string& path);

/// "s", "ms", "steps"; "unit", "step", "jump"; "v_reset", "zero", "subtract", "subtract_repeated", "none".
/// Throw UsageError.
[[nodiscard]] TimeUnit time_unit_from(std::string_view name);
[[nodiscard]] SpikeArea spike_area_from(std::string_view name);
[[nodiscard]] ResetRule reset_rule_from(std::string_view name);

}  // namespace saltus::converters
