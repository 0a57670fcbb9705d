// Doors through which texts of others come in, each as a function that a fuzzer calls with any text:
//
//   command     a line that a user writes to a control file
//   config      a config.json that a user writes, as every kind of object
//   outside     JSON of a repository, of a guest, of a hypervisor
//   sentence    a sentence that is told without the names of hidden objects
//   manifest    manifest.json or retired.json of a point
//   facts       facts.json of a point
//   definition  a definition that a repository carries
//   sequence    a repository's count of commits
//   asides      aside.json
//   marker      holdfast.json
//   cron        a schedule's cron expression
//   blackout    a window of time
//   time        a moment, a span, a size, a share
//   name        an object's name
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
