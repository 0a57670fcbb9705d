// System calls past the simulation.
#pragma once

#include <dlfcn.h>

namespace holdfast::simulation {

// Returns -1 and sets errno, as syscall(2) of the C library does.
template <class... Arguments>
long kernel(long number, Arguments... arguments) {
  using Call = long(long, ...);
  static Call* next = nullptr;  // the C library asks for the time before any object is made
  if (next == nullptr) next = reinterpret_cast<Call*>(dlsym(RTLD_NEXT, "syscall"));
  return next(number, arguments...);
}

}  // namespace holdfast::simulation
