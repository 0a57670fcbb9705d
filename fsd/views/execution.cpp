#include "catalog/model/execution_json.h"
#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

std::string execution_status(const ExecutionView& view) {
  Json status = execution_json(view.execution, view.flow, view.jobs);
  status["progress"] = progress(view.progress);
  return document(status);
}

std::string final_word(RunStatus status) { return std::string{to_word(status)} + "\n"; }

}  // namespace holdfast::views
