// saltus._saltus: the compiled part of the Python package. What people call is in saltus/*.py.
#include "bindings.hpp"

NB_MODULE(_saltus, module) {
    // An object that is alive when the interpreter ends, in a global of the user, is not worth a message.
    nanobind::set_leak_warnings(false);
    module.doc() = "Compiled part of the package saltus.";
    module.attr("__version__") = SALTUS_VERSION;
    saltus::python::bind_errors(module);
    saltus::python::bind_spikes(module);
    saltus::python::bind_network(module);
    saltus::python::bind_builder(module);
    saltus::python::bind_simulate(module);
    saltus::python::bind_stepped(module);
    saltus::python::bind_compare(module);
    saltus::python::bind_datasets(module);
    saltus::python::bind_evaluate(module);
    saltus::python::bind_gradient(module);
    saltus::python::bind_train(module);
}
