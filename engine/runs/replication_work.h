// Work of a job that carries points into another repository.
#pragma once

#include "engine/common/services.h"
#include "engine/replication/replicate.h"
#include "engine/runs/work.h"

namespace holdfast::runs {

// `services` must outlive the work.
decltype(Work::perform) replication_work(const capture::Services& services,
                                         replication::ReplicationRequest request);

}  // namespace holdfast::runs
