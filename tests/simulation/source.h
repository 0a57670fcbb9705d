// The source of the simulation, in the place of QEMU: its driver takes the place of the one for "qmp". A
// socket's name is the number of a machine of the world.
#pragma once

#include "engine/sources/driver.h"

namespace holdfast::simulation {

source::Driver& model_driver();

}  // namespace holdfast::simulation
