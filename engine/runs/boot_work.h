// Work of a job that boots a point.
#pragma once

#include "engine/boot/boot_check.h"
#include "engine/runs/work.h"

namespace holdfast::runs {

// `services` must outlive the work.
decltype(Work::perform) boot_work(const capture::Services& services, boot::BootRequest request);

}  // namespace holdfast::runs
