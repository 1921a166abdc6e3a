import * as assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutConditions } from '../src/conditions';

const Conditions = {
  Named: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'Name' }, ''] }] },
  Counted: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'Count' }, 0] }] },
  Either: { 'Fn::Or': [{ Condition: 'Named' }, { Condition: 'Counted' }] },
  Both: { 'Fn::And': [{ Condition: 'Named' }, { Condition: 'Counted' }] },
};

function decided(parts: object, values: Record<string, unknown>): any {
  return withoutConditions({ Conditions, Resources: {}, Outputs: {}, ...parts }, values);
}

test('resources and outputs are there where their conditions hold', () => {
  const Resources = Object.fromEntries(Object.keys(Conditions).map((name) => [name, { Type: 'T', Condition: name }]));
  const there = (Name: string, Count: number) => {
    const { Resources: left, Outputs, Conditions: none } = decided({ Resources, Outputs: Resources }, { Name, Count });
    assert.deepEqual(Outputs, left);
    assert.equal(none, undefined);
    return Object.keys(left);
  };
  assert.deepEqual(there('', 0), []);
  assert.deepEqual(there('a', 0), ['Named', 'Either']);
  assert.deepEqual(there('', 1), ['Counted', 'Either']);
  assert.deepEqual(there('a', 1), ['Named', 'Counted', 'Either', 'Both']);
});

test('values that are left out are in no list and no map', () => {
  const either = { 'Fn::If': ['Named', { Ref: 'Name' }, { Ref: 'AWS::NoValue' }] };
  const Resources = { Bucket: { Type: 'T', Properties: { List: [1, either, null], Map: { kept: { Ref: 'Name' }, either } } } };
  const properties = (Name: string) => decided({ Resources }, { Name, Count: 0 }).Resources.Bucket.Properties;
  assert.deepEqual(properties(''), { List: [1, null], Map: { kept: { Ref: 'Name' } } });
  assert.deepEqual(properties('a'), { List: [1, { Ref: 'Name' }, null], Map: { kept: { Ref: 'Name' }, either: { Ref: 'Name' } } });
});

test('a broken rule is an error with its own words', () => {
  const Rules = {
    NameNeedsCount: {
      RuleCondition: Conditions.Named,
      Assertions: [{ Assert: Conditions.Counted, AssertDescription: 'Name needs Count.' }],
    },
  };
  assert.throws(() => decided({ Rules }, { Name: 'a', Count: 0 }), /^Error: Name needs Count\.$/);
  assert.equal(decided({ Rules }, { Name: 'a', Count: 1 }).Rules, undefined);
  decided({ Rules }, { Name: '', Count: 0 });
});

test('a condition of an unknown kind is an error', () => {
  const Resources = { One: { Type: 'T', Condition: 'Other' } };
  const unknown = { Conditions: { Other: { 'Fn::Contains': [['a'], 'a'] } }, Resources };
  assert.throws(() => decided(unknown, {}), /a condition with Fn::Contains/);
});
