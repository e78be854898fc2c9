import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import type { CoreOrchestratorApi } from '../../../core-orchestrator';
import type { Api } from '../../../src/vscode/api';

/** `true` when everything that is exported is what the typings promise; else this file does not compile. */
type Promised = Api extends CoreOrchestratorApi ? true : never;
type SnapshotOf<T extends { getAPI(version: 1): { agents: { list(): readonly unknown[] } } }> = ReturnType<
  ReturnType<T['getAPI']>['agents']['list']
>[number];
/** And the snapshot has no field that the typings keep quiet about. */
type Complete = keyof SnapshotOf<Api> extends keyof SnapshotOf<CoreOrchestratorApi> ? true : never;
void (true satisfies Promised & Complete); // judged by the compiler; what runs below compares the names

const root = path.join(__dirname, '..', '..', '..');
const declared = parse('core-orchestrator.d.ts');
const built = parse('src/vscode/api.ts');

describe('core-orchestrator.d.ts', () => {
  it('names every call that is exported, and only those', () => {
    const top = membersOf(interfaceOf(declared, 'CoreOrchestratorApiV1').members);
    const agents = top.get('agents');
    assert.ok(agents && ts.isPropertySignature(agents) && agents.type && ts.isTypeLiteralNode(agents.type));
    const made = propertiesOf(returnedObject(functionOf(built, 'createV1')));
    const madeAgents = made.get('agents');
    assert.ok(madeAgents);
    assert.deepEqual([...made.keys()].sort(), [...top.keys()].sort());
    assert.deepEqual(
      [...propertiesOf(objectOf(madeAgents)).keys()].sort(),
      [...membersOf(agents.type.members).keys()].sort(),
    );
  });

  it('names the way to it, and every field of what goes out', () => {
    const made = propertiesOf(returnedObject(functionOf(built, 'createApi')));
    assert.deepEqual([...made.keys()], [...membersOf(interfaceOf(declared, 'CoreOrchestratorApi').members).keys()]);
    for (const [maker, typing] of [
      ['snapshot', 'AgentSnapshot'],
      ['requestSnapshot', 'AgentRequest'],
      ['receiptSnapshot', 'PromptReceipt'],
    ] as const) {
      const fields = propertiesOf(returnedObject(functionOf(built, maker)));
      const promised = membersOf(interfaceOf(declared, typing).members);
      assert.deepEqual([...fields.keys()].sort(), [...promised.keys()].sort(), typing);
    }
  });
});

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(path.join(root, file), 'utf8'), ts.ScriptTarget.Latest, true);
}

function interfaceOf(source: ts.SourceFile, name: string): ts.InterfaceDeclaration {
  const found = source.statements.find(
    (statement): statement is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(statement) && statement.name.text === name,
  );
  assert.ok(found, `interface ${name}`);
  return found;
}

function functionOf(source: ts.SourceFile, name: string): ts.FunctionDeclaration {
  const found = source.statements.find(
    (statement): statement is ts.FunctionDeclaration =>
      ts.isFunctionDeclaration(statement) && statement.name?.text === name,
  );
  assert.ok(found, `function ${name}`);
  return found;
}

/** The object that a function returns at its end, frozen or not. */
function returnedObject({ name, body }: ts.FunctionDeclaration): ts.ObjectLiteralExpression {
  const last = body?.statements.at(-1);
  assert.ok(last && ts.isReturnStatement(last) && last.expression, name?.text);
  return objectOf(last.expression);
}

function objectOf(expression: ts.Expression): ts.ObjectLiteralExpression {
  const value = ts.isCallExpression(expression) ? expression.arguments[0] : expression;
  assert.ok(value && ts.isObjectLiteralExpression(value), expression.getText());
  return value;
}

/** Properties of an object by name. */
function propertiesOf(object: ts.ObjectLiteralExpression): ReadonlyMap<string, ts.Expression> {
  return new Map(
    object.properties.map((property) => {
      if (ts.isShorthandPropertyAssignment(property)) return [property.name.text, property.name];
      assert.ok(ts.isPropertyAssignment(property) && ts.isIdentifier(property.name), property.getText());
      return [property.name.text, property.initializer];
    }),
  );
}

function membersOf(members: ts.NodeArray<ts.TypeElement>): ReadonlyMap<string, ts.TypeElement> {
  return new Map(
    members.map((member) => {
      assert.ok(member.name && ts.isIdentifier(member.name), member.getText());
      return [member.name.text, member];
    }),
  );
}
