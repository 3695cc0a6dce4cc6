import { jsonReply, type Reply } from '../reply.ts'
import type { Step } from '../realtime-step.ts'
import { COMPATIBLE_LAWS } from './compatible-laws.ts'
import { compatibleNative } from './compatible.ts'
import { misplacedCredential } from './misplaced.ts'
import type { Native, NativeCall } from './native.ts'

/**
 * The compatible providers that have realtime sessions of their own as well: xAI's voice agent
 * (https://docs.x.ai/developers/model-capabilities/audio/voice-agent, read in copies of it).
 */
export const WITH_SESSIONS: readonly Native[] = COMPATIBLE_LAWS.filter(({ id }) => id === 'xai')
  .map(compatibleNative)
  .map((native) => Object.assign(native, { session }))

function session(call: NativeCall): Reply | readonly Step[] {
  const key = /^Bearer (\S+)$/.exec(call.headers.authorization ?? '')?.[1]
  const isForm = key !== undefined && misplacedCredential(call, 'authorization') === undefined
  if (!isForm || (call.keys !== undefined && !call.keys.has(key)))
    return failure('Incorrect API key provided.')
  const names = [...call.query.keys()]
  const isVoice = call.query.get('model')?.startsWith('grok-') === true
  if (call.path !== '/v1/realtime' || names.length !== 1 || !isVoice)
    return failure('Unknown route or model.')
  const conversation = { id: 'conv_1', object: 'realtime.conversation' }
  return [
    { kind: 'send', data: JSON.stringify({ type: 'ping', event_id: 'e0' }) },
    { kind: 'send', data: JSON.stringify({ type: 'conversation.created', event_id: 'e1', conversation }) },
    { kind: 'listen' },
  ]
}

function failure(error: string): Reply {
  return jsonReply(400, { code: 'Client specified an invalid argument', error })
}
