// The verbs of the program. Each adds its sub-command to the application; the callback does the work and
// throws a saltus::Error where it cannot. Exit codes: see main.cpp.
#pragma once

#include <CLI/CLI.hpp>

namespace saltus::cli {

void add_run(CLI::App& app);
void add_inspect(CLI::App& app);
void add_convert(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_compare(CLI::App& app);
void add_train(CLI::App& app);

/// Rules below `train`.
void add_train_s4nn(CLI::App& train);
void add_train_exact(CLI::App& train);
void add_train_surrogate(CLI::App& train);

/// The job was stopped by Ctrl-C; what was recorded has been kept.
struct Interrupted {};

/// Another rank says why the run failed, and with which exit code.
struct FailedElsewhere {};

}  // namespace saltus::cli
