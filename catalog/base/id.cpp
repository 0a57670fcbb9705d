#include "catalog/base/id.h"

#include <sys/random.h>

#include <atomic>
#include <cstdlib>

#include "catalog/base/bytes.h"
#include "catalog/base/clock.h"
#include "catalog/base/id_time.h"

namespace holdfast {

namespace {

std::atomic<Id> last_id{0};

}  // namespace

Id new_id() {
  const Id from_clock = first_id_at(system_clock().now());
  Id previous = last_id.load();
  Id next;
  do {
    next = std::max(previous + 1, from_clock);
  } while (!last_id.compare_exchange_weak(previous, next));
  return next;
}

void new_ids_start_above(Id floor) {
  Id previous = last_id.load();
  while (previous < floor && !last_id.compare_exchange_weak(previous, floor)) {
  }
}

std::string random_hex(std::size_t bytes) {
  Bytes raw(bytes);
  // getrandom for up to 256 bytes can't fail or be short once the machine has booted.
  if (getrandom(raw.data(), raw.size(), 0) != static_cast<ssize_t>(raw.size())) std::abort();
  return to_hex(raw);
}

}  // namespace holdfast
