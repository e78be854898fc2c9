import type { AgentId } from '../agents/agent';
import { parseAgentSpec } from '../agents/agentSpec';
import { isJsonObject, join, JsonReader } from '../agents/jsonReader';
import type { FleetPlan, FleetPlanEntry, FleetResult, FleetStep } from '../engine';
import { GatewayError } from './gatewayErrors';
import type { WireFleetResult, WireFleetStep } from './gatewayResults';
import { agentId } from './params';
import { errorOfRpc, rpcErrorOf } from './rpcErrors';

const MAX_AGENTS = 200;
const ENTRY_FIELDS = ['spec', 'hash', 'isApproved', 'existing', 'approvalText'] as const;

/** A plan as it comes back from a caller. What it says about approvals is not believed: the engine checks each hash again. */
export function requireFleetPlan(value: unknown): FleetPlan {
  const json = new JsonReader();
  const plan = isJsonObject(value) ? value : json.report('plan', 'must be an object');
  if (plan) {
    json.onlyKnown(plan, 'plan', ['agents', 'problems']);
    if (!Array.isArray(plan['problems']) || plan['problems'].length > 0)
      json.report('plan.problems', 'must be empty: a plan with problems starts nothing');
  }
  const agents = json.array(plan?.['agents'], 'plan.agents', MAX_AGENTS, (item, path) => readEntry(json, item, path));
  const first = json.problems[0];
  if (first || !agents) {
    throw new GatewayError('gateway.invalidRequest', `${first?.path ?? 'plan'} ${first?.message ?? 'is wrong'}`);
  }
  return { agents, problems: [] };
}

function readEntry(json: JsonReader, item: unknown, path: string): FleetPlanEntry | undefined {
  const entry = json.object(item, path);
  if (!entry) return undefined;
  json.onlyKnown(entry, path, ENTRY_FIELDS);
  const spec = parseAgentSpec(entry['spec'], join(path, 'spec'));
  if (!spec.ok) spec.problems.forEach((problem) => json.report(problem.path, problem.message));
  const hash = json.string(entry['hash'], join(path, 'hash'), { maxLength: 64, pattern: /^[0-9a-f]{64}$/ });
  const isApproved = json.boolean(entry['isApproved'], join(path, 'isApproved'));
  const approvalText = json.string(entry['approvalText'], join(path, 'approvalText'), {
    minLength: 0,
    maxLength: 1024 * 1024,
  });
  const existing: AgentId | undefined =
    entry['existing'] === undefined ? undefined : agentId.read(json, entry['existing'], join(path, 'existing'));
  if (!spec.ok || hash === undefined || isApproved === undefined || approvalText === undefined) return undefined;
  return { spec: spec.spec, hash, isApproved, approvalText, ...(existing !== undefined && { existing }) };
}

export function wireOfStep({ error, ...step }: FleetStep): WireFleetStep {
  return error === undefined ? step : { ...step, error: rpcErrorOf(error) };
}

export function stepOfWire({ error, ...step }: WireFleetStep): FleetStep {
  return error === undefined ? step : { ...step, error: errorOfRpc(error) };
}

export function wireOfResult(result: FleetResult): WireFleetResult {
  return { ...result, failed: result.failed.map(({ name, error }) => ({ name, error: rpcErrorOf(error) })) };
}

export function resultOfWire(result: WireFleetResult): FleetResult {
  return { ...result, failed: result.failed.map(({ name, error }) => ({ name, error: errorOfRpc(error) })) };
}
