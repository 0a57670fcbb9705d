// The laws that the simulation can break, one way a row. A switch breaks the file systems, the source or a
// replaced function, never the engine's own code.
#pragma once

#include "tests/simulation/world.h"

namespace holdfast::simulation {

struct Switch {
  Off off;
  unsigned law;
  const char* does;
};

constexpr Switch kSwitches[] = {
    {Off::syncs, 2, "a sync of a repository makes nothing durable"},
    {Off::bitmaps, 3, "a failed run does not give its changes back"},
    {Off::instants, 4, "a guest writes between the freezes of two disks"},
    {Off::zeros, 6, "an increment stores no zeros"},
    {Off::holes, 11, "a hole takes the next cluster along"},
    {Off::asides, 12, "a directory that is set aside goes"},
    {Off::pins, 12, "a pin is not kept"},
    {Off::good, 12, "a bad point takes the place of a good one"},
    {Off::policies, 12, "a point without a policy is judged by another flow's"},
    {Off::readers, 12, "nobody knows who reads a point"},
    {Off::listings, 12, "a repository is not compared with the catalog"},
    {Off::numbers, 12, "a catalog does not learn that it is an older copy"},
    {Off::sums, 13, "all checksums are the same"},
    {Off::cleaning, 14, "a run that found no room leaves its files"},
    {Off::ends, 16, "no start ends what an earlier life left unfinished"},
};

}  // namespace holdfast::simulation
