// What the files of the module saltus._saltus share.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "saltus/engine/spike_train.hpp"

namespace saltus::python {

namespace nb = nanobind;

void bind_errors(nb::module_& module);
void bind_spikes(nb::module_& module);
void bind_network(nb::module_& module);
void bind_builder(nb::module_& module);
void bind_simulate(nb::module_& module);
void bind_stepped(nb::module_& module);
void bind_compare(nb::module_& module);
void bind_datasets(nb::module_& module);
void bind_evaluate(nb::module_& module);
void bind_gradient(nb::module_& module);
void bind_train(nb::module_& module);

/// A spike train whose columns Python sees as arrays, without a copy.
struct Spikes {
    explicit Spikes(SpikeTrain the_train);

    SpikeTrain train;
    std::vector<double> seconds;  // of each spike
};

/// A string of a file or a path, which need not be UTF-8.
[[nodiscard]] nb::object text(std::string_view bytes);
[[nodiscard]] nb::list texts(const std::vector<std::string>& strings);

/// Asks Python now and then, from a run that holds no GIL, whether to go on.
class Watch {
  public:
    /// `callback` may be None.
    explicit Watch(nb::object callback) : callback_(std::move(callback)) {}

    /// At most every 50 ms: looks for signals and calls the callback with `args`. False once either has
    /// raised.
    template <class... Args>
    bool go_on(Args... args) {
        const auto now = std::chrono::steady_clock::now();
        if (now < next_) return true;
        const nb::gil_scoped_acquire gil;
        try {
            if (PyErr_CheckSignals() != 0) throw nb::python_error();
            if (!callback_.is_none()) callback_(args...);
        } catch (const nb::python_error& error) {
            raised_ = nb::borrow(error.value());
        }
        next_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
        return raised_.is_none();
    }

    /// The exception that stopped the run, or None.
    [[nodiscard]] const nb::object& raised() const { return raised_; }

  private:
    nb::object callback_;
    nb::object raised_ = nb::none();
    std::chrono::steady_clock::time_point next_ =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
};

}  // namespace saltus::python
