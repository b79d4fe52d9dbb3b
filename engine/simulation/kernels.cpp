#include "kernels.hpp"

#include <algorithm>
#include <limits>

namespace saltus::kernels {

SALTUS_VECTOR_VERSIONS
bool arrive(neurons::If::State* __restrict states, double* __restrict sum, std::size_t n, double J,
            double V_th) {
    double highest = -std::numeric_limits<double>::infinity();
#pragma omp simd reduction(max : highest)
    for (std::size_t k = 0; k < n; ++k) {
        states[k].V += J * sum[k];
        sum[k] = 0.0;
        highest = std::max(highest, states[k].V);
    }
    return highest >= V_th;
}

}  // namespace saltus::kernels
