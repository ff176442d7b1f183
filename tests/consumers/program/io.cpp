// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <eigengrad/io.hpp>

// What a user links eigengrad::io for.
int main() {
  eigengrad::io::save_state<float>("state.safetensors", {{"w", eigengrad::Tensor<float>({2}, {1.0F, 2.0F})}});
  return eigengrad::io::load_state<float>("state.safetensors").at("w")(1) == 2.0F ? 0 : 1;
}
