// saltus train RULE DATASET -o OUT.nir
#include "commands.hpp"

namespace saltus::cli {

void add_train(CLI::App& app) {
    CLI::App* verb = app.add_subcommand("train", "train a network on a data set");
    verb->require_subcommand(1);
    add_train_s4nn(*verb);
    add_train_exact(*verb);
    add_train_surrogate(*verb);
}

}  // namespace saltus::cli
