import assert from 'node:assert/strict';
import { aboutAgent, AGENT_ERROR_CODES, AgentError } from '../../../../src/core/agents/agentErrors';
import { DataError, type DataErrorCode } from '../../../../src/core/data/dataErrors';
import { PROCESSING_ERROR_CODES, ProcessingError } from '../../../../src/core/data/processing/processingErrors';
import { EngineError, ENGINE_ERROR_CODES } from '../../../../src/core/engineErrors';
import { CODE_OF_STATUS, GATEWAY_ERROR_CODES, GatewayError } from '../../../../src/core/gateway/gatewayErrors';
import { errorOfRpc, isUnexpected, rpcErrorOf, statusOfCode } from '../../../../src/core/gateway/rpcErrors';
import { AUTH_ERROR_CODES } from '../../../../src/core/services/authentication/authErrors';
import { TmuxError, type TmuxErrorCode } from '../../../../src/core/tmux/tmuxErrors';
import { RPC_CODES, RpcStatus } from '../../../../src/shared/gatewayProtocol';

/** The types have no list of their own: the compiler proves that none is missing here. */
const dataCodes: Record<DataErrorCode, true> = {
  'data.closed': true,
  'data.conflict': true,
  'data.invalid': true,
  'data.fileUnusable': true,
  'data.tooLarge': true,
  'data.readOnly': true,
  'data.busy': true,
  'data.fenced': true,
  'data.corrupt': true,
  'data.newerSchema': true,
  'data.engineUnavailable': true,
  'data.io': true,
  'data.folderUnsafe': true,
  'data.networkFileSystem': true,
  'data.socketPathTooLong': true,
};
const tmuxCodes: Record<TmuxErrorCode, true> = {
  'tmux.notInstalled': true,
  'tmux.tooOld': true,
  'tmux.socketFolderUnsafe': true,
  'tmux.runtimeFolderUnusable': true,
  'tmux.serverGone': true,
  'tmux.noSuchTarget': true,
  'tmux.alreadyExists': true,
  'tmux.inputTooLarge': true,
  'tmux.invalidArgument': true,
  'tmux.fenced': true,
  'tmux.timeout': true,
  'tmux.rejected': true,
  'tmux.screenChanged': true,
  'tmux.wouldResize': true,
};

describe('errors on the wire', () => {
  it('every code of every module has a status', () => {
    const codes = [
      ...AGENT_ERROR_CODES,
      ...ENGINE_ERROR_CODES,
      ...AUTH_ERROR_CODES,
      ...GATEWAY_ERROR_CODES,
      ...PROCESSING_ERROR_CODES,
      ...Object.keys(dataCodes),
      ...Object.keys(tmuxCodes),
    ];
    assert.deepEqual(
      codes.filter((code) => statusOfCode(code) === undefined),
      [],
    );
    assert.equal(statusOfCode('constructor'), undefined);
  });

  it('every status has a number of its own and a code on the other side', () => {
    const all = Object.values(RpcStatus);
    assert.deepEqual(Object.keys(RPC_CODES).sort(), [...all].sort());
    assert.equal(new Set(Object.values(RPC_CODES)).size, all.length);
    assert.deepEqual(Object.keys(CODE_OF_STATUS).sort(), [...all].sort());
  });

  const known: readonly (readonly [Error, RpcStatus])[] = [
    [new AgentError('agent.notFound', 'gone'), RpcStatus.NotFound],
    [new AgentError('agent.dialogOpen', 'it asks'), RpcStatus.FailedPrecondition],
    [new AgentError('agent.nameTaken', 'taken'), RpcStatus.AlreadyExists],
    [new EngineError('engine.starting', 'soon'), RpcStatus.Unavailable],
    [new TmuxError('tmux.noSuchTarget', 'attach'), RpcStatus.NotFound],
    [new ProcessingError('processing.unknownPipeline', 'none'), RpcStatus.NotFound],
    [new ProcessingError('processing.invalidPipeline', '1 mistake'), RpcStatus.InvalidArgument],
    [new GatewayError('gateway.canceled', 'canceled'), RpcStatus.Canceled],
  ];
  for (const [error, status] of known) {
    it(`${error.message} is ${status}`, () => {
      const { code, data, message } = rpcErrorOf(error);
      assert.deepEqual([code, data.status], [RPC_CODES[status], status]);
      assert.doesNotMatch(message, /^(agent|engine|gateway)\./);
    });
  }

  it('AgentError and EngineError come back with code, words and agent', () => {
    for (const code of AGENT_ERROR_CODES) {
      const back = errorOfRpc(rpcErrorOf(new AgentError(code, 'because', { agentId: 'reviewer' })));
      assert.ok(AgentError.is(back, code) && back.agentId === 'reviewer' && back.detail === 'because', code);
    }
    for (const code of ENGINE_ERROR_CODES) {
      const back = errorOfRpc(rpcErrorOf(new EngineError(code, 'because')));
      assert.ok(back instanceof EngineError && back.code === code && back.message === `${code}: because`);
    }
  });

  it('errors of other modules come back as what they mean, with the code beside it', () => {
    const back = errorOfRpc(rpcErrorOf(new DataError('data.readOnly', 'the disk is full')));
    assert.ok(GatewayError.is(back, 'gateway.unavailable') && back.remoteCode === 'data.readOnly');
    assert.match(back.message, /the disk is full/);
  });

  it('the agent of a failure of another module is told', () => {
    const error = aboutAgent(new TmuxError('tmux.serverGone', 'new-session'), 'reviewer');
    assert.equal(rpcErrorOf(error).data.agentId, 'reviewer');
  });

  it('of what is not typed nothing is told', () => {
    const secret = 'token eyJhbGciOi at /home/someone/key';
    for (const error of [new Error(secret), new TypeError(secret), secret, { message: secret }, undefined]) {
      assert.ok(isUnexpected(error));
      assert.doesNotMatch(JSON.stringify(rpcErrorOf(error)), /eyJ|someone/);
      assert.equal(rpcErrorOf(error).data.status, RpcStatus.Internal);
    }
  });
});
