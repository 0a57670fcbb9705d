// What a MemoryEngine is made of.
#pragma once

#include "tests/fsd/memory_engine.h"

namespace holdfast::test {

struct MemoryEngine::Thing {
  ObjectKind kind = ObjectKind::machine;
  Id parent = 0;
  Object object;
  Machine machine;
  Repository repository;
  Flow flow;
  Execution execution;
  Job job;
  Point point;
  Group group;
  std::vector<Member> members;
  Schedule schedule;
  Policy policy;
  std::vector<Pin> pins;
  std::vector<Verdict> verdicts;
  std::string content;  // of a point's disk
};

}  // namespace holdfast::test
