// Work of a job that makes a point.
#pragma once

#include "engine/capture/backup.h"
#include "engine/common/services.h"
#include "engine/runs/work.h"

namespace holdfast::runs {

// `services` must outlive the work.
decltype(Work::perform) capture_work(const capture::Services& services, capture::CaptureRequest request);

}  // namespace holdfast::runs
