/** A part of a template in JSON. */
export type Json = any;

/**
 * The template with its conditions decided, where every parameter has a value: what a false condition leaves out is not
 * there, and a rule that is broken is an error. CloudFormation would decide the same, but CDK warns of each condition
 * that no parameter decides.
 */
export function withoutConditions(template: Json, values: Record<string, unknown>): Json {
  const holds = (condition: Json): boolean => {
    const [operator, operand] = Object.entries<Json>(condition)[0]!;
    switch (operator) {
      case 'Condition':
        return holds(template.Conditions[operand]);
      case 'Fn::Equals':
        return valueOf(operand[0]) === valueOf(operand[1]);
      case 'Fn::Not':
        return !holds(operand[0]);
      case 'Fn::And':
        return operand.every(holds);
      case 'Fn::Or':
        return operand.some(holds);
    }
    throw new Error(`the template has a condition with ${operator}, which this package does not know`);
  };
  const valueOf = (part: Json): unknown => (part?.Ref in values ? values[part.Ref] : part);

  const decided = (part: Json): Json => {
    if (Array.isArray(part)) {
      return part.map(decided).filter((one) => one !== undefined);
    }
    if (part === null || typeof part !== 'object') {
      return part;
    }
    if (part.Ref === 'AWS::NoValue') {
      return undefined;
    }
    if ('Fn::If' in part) {
      const [condition, then, otherwise] = part['Fn::If'];
      return decided(holds({ Condition: condition }) ? then : otherwise);
    }
    const entries = Object.entries(part).map(([name, one]) => [name, decided(one)]);
    return Object.fromEntries(entries.filter(([, one]) => one !== undefined));
  };

  /** The resources or outputs whose conditions hold. */
  const present = (entries: Record<string, Json>): Record<string, Json> =>
    Object.fromEntries(
      Object.entries(entries)
        .filter(([, { Condition }]) => Condition === undefined || holds({ Condition }))
        .map(([name, { Condition, ...entry }]) => [name, decided(entry)]),
    );

  for (const { RuleCondition, Assertions } of Object.values<Json>(template.Rules ?? {})) {
    const broken = Assertions.find(({ Assert }: Json) => !holds(Assert));
    if (broken && (RuleCondition === undefined || holds(RuleCondition))) {
      throw new Error(broken.AssertDescription);
    }
  }
  const { Conditions, Rules, ...rest } = template;
  return { ...rest, Resources: present(template.Resources), Outputs: present(template.Outputs) };
}
