// Gives a repository its documents anew, from the catalog: the texts for people, which an earlier version may
// have written (law 10), and a manifest that was damaged.
#pragma once

#include "catalog/catalog.h"
#include "engine/repository/place.h"

namespace holdfast::repository {

// Writes INDEX.txt, and RESTORE.txt of every point and copy there, where they differ from the present text.
// INDEX.txt comes last and vouches for the others, so that a repository without an old text costs one small
// read.
Result<> renew_documents(Catalog& catalog, Directory& directory, Id repository);

// Writes manifest.json of the point, or of its copy there, with the names of today.
Result<> renew_manifest(Catalog& catalog, Directory& directory, Id repository, Id point);

}  // namespace holdfast::repository
