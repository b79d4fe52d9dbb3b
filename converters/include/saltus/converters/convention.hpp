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
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "saltus/engine/neurons/reset.hpp"
#include "saltus/engine/time.hpp"

namespace saltus::converters {

enum class TimeUnit { seconds, milliseconds, steps };
enum class SpikeArea { unit, step, jump };
enum class ResetRule {
    v_reset,            // to the file's v_reset
    zero,               // to 0, whatever the file says
    subtract,           // by v_threshold, one spike at an instant
    subtract_repeated,  // by v_threshold, as many spikes at an instant as fit
};

struct Convention {
    std::string_view name;
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
};

/// "nir" (the equations as written; the default), "norse", "snntorch", "sinabs", "spikingjelly", "rockpool",
/// "lava-dl", "jaxsnn". Throws UsageError for an unknown name, LimitError for a tool that the exact clock
/// cannot follow (nengo).
[[nodiscard]] const Convention& convention(std::string_view name);
[[nodiscard]] std::vector<std::string> convention_names();

/// "s", "ms", "steps"; "unit", "step", "jump"; "v_reset", "zero", "subtract", "subtract_repeated". Throw
/// UsageError.
[[nodiscard]] TimeUnit time_unit_from(std::string_view name);
[[nodiscard]] SpikeArea spike_area_from(std::string_view name);
[[nodiscard]] ResetRule reset_rule_from(std::string_view name);

}  // namespace saltus::converters
