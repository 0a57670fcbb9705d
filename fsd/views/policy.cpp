#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

std::string policy_status(const PolicyView& view) {
  Json warnings = Json::array();
  if (view.policy.complete && keeps_everything(view.policy.definition))
    warnings.push_back("the policy limits nothing: all points of its flows stay");
  return document({
      {"revision", view.revision},
      {"state", view.policy.complete ? "ready" : "incomplete"},
      {"flows", view.flows},
      {"warnings", warnings},
  });
}

}  // namespace holdfast::views
