#include "catalog/model/shapes/definition.h"

namespace holdfast::json {

template <>
const Shape<GroupDefinition>& shape() {
  using D = GroupDefinition;
  static const Shape<D> group{"Machines that are backed up together; its members are links beside this file.",
                              {
                                  description<D>(),
                                  tags<D>(),
                              },
                              {}};
  return group;
}

}  // namespace holdfast::json

namespace holdfast {
HF_DEFINITION(GroupDefinition);
}
