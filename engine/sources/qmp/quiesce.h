// Quiescing: bringing a guest's file systems to rest for the instant of the freeze.
#pragma once

#include <memory>

#include "engine/sources/qmp/agent.h"
#include "engine/sources/qmp/fields.h"

namespace holdfast::source::qmp {

// Returns the guest's agent; nullptr if none is to be asked. Fails only if quiescing is required.
Result<std::unique_ptr<Agent>> agent_for(Monitor& monitor, Quiesce wanted,
                                         std::chrono::milliseconds patience);

// Freezes the guest's file systems; fails unless at least one is frozen. Always thaw afterwards.
Result<> bring_to_rest(Agent& agent);

// Fails if the file systems have not held still until now. An agent may thaw on its own, as Windows makes it
// do after ten seconds.
Result<> check_at_rest(Agent& agent);

// Thaws file systems that an earlier capture may have left frozen. A missing agent is no error: the guest has
// rebooted since, or can't be helped from outside.
Result<> thaw_leftover(Monitor& monitor, std::chrono::milliseconds patience);

}  // namespace holdfast::source::qmp
