// Doors through which texts of others come in, each as a function that a fuzzer calls with any text:
//
//   command   a line that a user writes to a control file
//   config    a config.json that a user writes, as every kind of object
//   outside   JSON of a repository (marker, manifest, facts, sequence, asides, revision), of a guest, of a
//   hypervisor sentence  a sentence that is told without the names of hidden objects
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace holdfast::doors {

struct Door {
  std::string_view name;
  // Returns what is wrong with how the text was taken; "" for nothing. With `faulty` the door has a fault
  // behind a text that it accepts, which a fuzzer must find.
  std::string (*take)(std::string_view text, bool faulty);
};

std::span<const Door> doors();

}  // namespace holdfast::doors
