// Whether, and through whom, a guest is brought to rest for the instant of the freeze.
#pragma once

#include <memory>

#include "catalog/model/enumerations.h"
#include "engine/sources/qmp/agent.h"

namespace holdfast::source::qmp {

// The guest's agent, ready to be asked; nullptr when nobody is to be asked. An error only where quiescing is
// required.
Result<std::unique_ptr<Agent>> agent_for(Source& source, Quiesce wanted, std::chrono::milliseconds patience);

// Asks, and is content with nothing less than a file system at rest. Thaw whatever it returns.
Result<> bring_to_rest(Agent& agent);

// An error when they have not held still until now: an agent may thaw on its own, as Windows makes it do
// after ten seconds.
Result<> check_at_rest(Agent& agent);

// What an earlier capture may have left frozen thaws. Fine where no agent runs: what was frozen went with the
// guest's last boot, or nobody can help it from outside.
Result<> thaw_leftover(Source& source, std::chrono::milliseconds patience);

}  // namespace holdfast::source::qmp
