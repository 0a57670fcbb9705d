// Gives the files of one damaged layer back the bytes that were written, from files that still have them.
//
//   1. The checksums: the layer's own, a twin's, or computed anew from an image; those of the recorded
//   digest.
//   2. A new image beside the damaged one; each cluster matches its checksum before it is written. Clusters
//   that
//      no such file has are put together from other layers of the disk (image/transplant.h).
//   3. One rename each, where the new file is better. The names stay, so the catalog needs no change.
//
// An image of another layer that lies there is kept as IMAGE-ID.displaced, because it may be that layer's
// last. A crash leaves the old files or the new ones, and files that end in .mending, which the next repair
// removes.
#pragma once

#include <vector>

#include "engine/image/mend.h"
#include "engine/repair/twins.h"

namespace holdfast::repair {

// Returns damage if the checksums are lost, ENOSPC if there is no room for a second image. Nobody may prune
// the machine meanwhile.
Result<image::Mending> mend_layer(const repository::Place& place, const verify::StoredLayer& stored,
                                  const Twins& twins, const image::Watch& watch);

}  // namespace holdfast::repair
