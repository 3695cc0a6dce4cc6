import { jsonReply, type Reply } from '../reply.ts'
import type { Step } from '../realtime-step.ts'
import { misplacedCredential } from './misplaced.ts'
import type { Native, NativeCall } from './native.ts'

/** xAI's voice agent (https://docs.x.ai/developers/model-capabilities/audio/voice-agent, read 2026-11-27); no more of it. */
export const xai: Native = {
  id: 'xai',
  answer: (call) =>
    unauthorized(call) ?? failure(404, 'The requested resource was not found', `No route for ${call.path}`),
  error: (status, message, headers) => failure(status, 'error', message, headers),
  session,
}

function failure(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return jsonReply(status, { code, error: message }, headers)
}

function unauthorized(call: NativeCall): Reply | undefined {
  const key = /^Bearer (\S+)$/.exec(call.headers.authorization ?? '')?.[1]
  const isForm = key !== undefined && misplacedCredential(call, 'authorization') === undefined
  if (isForm && (call.keys === undefined || call.keys.has(key))) return undefined
  return failure(400, 'Client specified an invalid argument', 'Incorrect API key provided.')
}

function session(call: NativeCall): Reply | readonly Step[] {
  const refused = unauthorized(call)
  if (refused !== undefined) return refused
  const names = [...call.query.keys()]
  if (call.path !== '/v1/realtime' || names.length !== 1 || !call.query.get('model')?.startsWith('grok-'))
    return failure(400, 'Client specified an invalid argument', 'Unknown route or model.')
  const conversation = { id: 'conv_1', object: 'realtime.conversation' }
  return [
    { kind: 'send', data: JSON.stringify({ type: 'ping', event_id: 'e0' }) },
    { kind: 'send', data: JSON.stringify({ type: 'conversation.created', event_id: 'e1', conversation }) },
    { kind: 'listen' },
  ]
}
