import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../../core/failure.ts'
import type { Bridge, SessionEnd } from '../../routing/realtime/bridge.ts'
import type { SessionListener } from '../../routing/realtime/realtime.ts'
import type { RequestAccount } from '../request-report.ts'
import type { RouteContext } from '../gateway.ts'
import { queryText, sendError } from '../json-reply.ts'
import { KEY_PROTOCOL, sessionGrant } from '../key-check.ts'
import type { RunningRequests } from '../running-requests.ts'
import type { Upgrades, WaitingClient } from '../upgrades.ts'

/** OpenAI's paths, and Azure's of the dated versions and since. `api-version` is ignored. */
const PATHS = ['/realtime', '/v1/realtime', '/openai/realtime', '/openai/v1/realtime'] as const
/** What a client says to the upstream by header: the shape of the events that it speaks. */
const PASSED_HEADERS = ['openai-beta'] as const
/** "Going away" (RFC 6455 §7.4.1). */
const GOING_AWAY = 1001
/** What a broken connection counts as (RFC 6455 §7.1.5). */
const BROKEN = 1006
/** Codes by which a server says that it failed: internal error, restart, overload, bad gateway (IANA's registry). */
const SERVER_ERRORS: ReadonlySet<number> = new Set([1011, 1012, 1013, 1014])
const WEBSOCKET_KEY = /^[+/0-9A-Za-z]{22}==$/

/**
 * Realtime sessions. The upstream's side is opened first, so that a client is refused over HTTP, with a status and an
 * error that say why, and is upgraded only to a session that is there.
 */
export function realtimeRoutes(
  app: FastifyInstance,
  context: RouteContext,
  running: RunningRequests,
  upgrades: Upgrades,
): void {
  for (const path of PATHS) {
    app.get(path, { config: { takesSessionKeys: true } }, (request, reply) => {
      const waiting = upgrades.waiting(request.raw)
      const flaw = handshakeFlaw(request.headers, waiting)
      if (waiting !== undefined && flaw === undefined) return serve(context, running, request, reply, waiting)
      reply.headers({ upgrade: 'websocket', 'sec-websocket-version': '13' })
      return sendError(reply, flaw ?? upgradeRequired(), context.redact)
    })
  }
}

async function serve(
  context: RouteContext,
  running: RunningRequests,
  request: FastifyRequest,
  reply: FastifyReply,
  waiting: WaitingClient,
): Promise<FastifyReply> {
  const stopping = new AbortController()
  let session: Bridge | undefined
  const forget = running.add((reason) => {
    stopping.abort(reason)
    session?.end(GOING_AWAY, reason.message)
  })
  reply.raw.once('close', forget)
  const grant = sessionGrant(request.headers, context.sessionKeys)
  if (grant instanceof GatewayError) {
    forget()
    return sendError(reply, grant, context.redact)
  }
  const account = context.report.begun('realtime', request.common ?? {})
  const opened = await context.realtime.open({
    grant,
    meets: (deployment) => {
      account.group ??= deployment
      account.last = deployment
    },
    model: queryText(request.query, 'model') ?? queryText(request.query, 'deployment'),
    headers: passedHeaders(request.headers),
    isBeta: speaksBeta(request.headers),
    signal: AbortSignal.any([waiting.gone, stopping.signal]),
  })
  if ('failure' in opened) {
    const failure = stoppedBy(stopping.signal) ?? opened.failure
    account.own = opened.headers
    context.report.over(account, { failure })
    return sendError(reply.headers(opened.headers), failure, context.redact)
  }
  const headers = { ...reply.request.common, ...opened.headers }
  reply.hijack()
  const client = stopping.signal.aborted
    ? undefined
    : waiting.accept(headers, chooseProtocol(request.headers['sec-websocket-protocol']))
  if (client === undefined) {
    context.report.over(account, { failure: stoppedBy(stopping.signal) ?? clientLeft() })
    opened.abandon()
    request.raw.socket.destroy()
    return reply
  }
  session = opened.join(client, listenerOf(context, account, headers, stopping.signal))
  return reply
}

/** Counts what a session costs, and says how it ended. */
function listenerOf(
  context: RouteContext,
  account: RequestAccount,
  headers: Readonly<Record<string, string>>,
  stopping: AbortSignal,
): SessionListener {
  const since = context.clock.elapsed()
  const tokens = { prompt: 0, completion: 0 }
  return {
    spent: (usage) => {
      context.report.spent(account, usage)
      tokens.prompt += usage.promptTokens
      tokens.completion += usage.completionTokens
    },
    ended: (end) => {
      const failure = stoppedBy(stopping) ?? failureOf(end)
      context.report.over(account, { ...(failure !== undefined && { failure }), isLogged: true })
      logEnd(context, headers, end, { durationMs: context.clock.elapsed() - since, tokens })
    },
  }
}

/** What a session has cost. */
interface SessionTokens {
  readonly prompt: number
  readonly completion: number
}

/** What makes it no WebSocket handshake (RFC 6455 §4.2.1), said before anybody is asked for a session. */
function handshakeFlaw(
  headers: IncomingHttpHeaders,
  waiting: WaitingClient | undefined,
): GatewayError | undefined {
  if (waiting === undefined || headers['sec-websocket-version'] !== '13') return upgradeRequired()
  if (WEBSOCKET_KEY.test(headers['sec-websocket-key'] ?? '')) return undefined
  const message = 'Sec-WebSocket-Key is missing or no base64 of 16 bytes.'
  return new GatewayError('bad_request', message, { status: 400, source: 'client' })
}

function upgradeRequired(): GatewayError {
  const message = 'Realtime sessions are WebSockets: connect with ws:// or wss://, version 13.'
  return new GatewayError('bad_request', message, { status: 426, source: 'client' })
}

/**
 * `realtime` where it is offered. A client refuses a session that takes none of what it offered, so that its own key
 * is named where it offers nothing else.
 */
function chooseProtocol(offered: string | undefined): string | undefined {
  const names = (offered ?? '').split(',').flatMap((name) => (name.trim() === '' ? [] : name.trim()))
  if (names.includes('realtime')) return 'realtime'
  return names.find((name) => !name.startsWith(KEY_PROTOCOL)) ?? names[0]
}

function passedHeaders(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  return Object.fromEntries(
    PASSED_HEADERS.flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )
}

/** Does the client say, by header or as browsers do by subprotocol, that it speaks the events of the beta? */
function speaksBeta({
  'openai-beta': betas,
  'sec-websocket-protocol': offered,
}: IncomingHttpHeaders): boolean {
  return String(betas ?? '').includes('realtime=v1') || (offered ?? '').includes('openai-beta.realtime-v1')
}

/** Why the process ends what runs; undefined while it does not. */
function stoppedBy({ reason }: AbortSignal): GatewayError | undefined {
  return reason instanceof GatewayError ? reason : undefined
}

function clientLeft(): GatewayError {
  return new GatewayError('cancelled', 'the client went away', { source: 'client' })
}

/** What the end of a session says of it: one that a side closed in order is over, whoever closed it. */
function failureOf({ by, code, reason }: SessionEnd): GatewayError | undefined {
  if (by === 'client') return code === BROKEN ? clientLeft() : undefined
  if (by === 'gateway')
    return SERVER_ERRORS.has(code) ? new GatewayError('internal', reason, { source: 'gateway' }) : undefined
  if (code === BROKEN) return new GatewayError('cut', reason)
  return SERVER_ERRORS.has(code) ? new GatewayError('server_error', reason) : undefined
}

function logEnd(
  { log }: RouteContext,
  headers: Readonly<Record<string, string>>,
  end: SessionEnd,
  { durationMs, tokens }: { readonly durationMs: number; readonly tokens: SessionTokens },
): void {
  log.info('session_ended', {
    call_id: headers['x-litellm-call-id'],
    model_id: headers['x-litellm-model-id'],
    model_group: headers['x-litellm-model-group'],
    by: end.by,
    code: end.code,
    reason: end.reason,
    from_client: end.fromClient,
    from_upstream: end.fromUpstream,
    duration_ms: durationMs,
    ...(tokens.prompt + tokens.completion > 0 && {
      prompt_tokens: tokens.prompt,
      completion_tokens: tokens.completion,
    }),
  })
}
