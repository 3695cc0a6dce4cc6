import { isJsonObject } from '../core/json.ts'
import { header } from './call.ts'
import type { Call } from './call.ts'
import { textOf } from './kept-batches.ts'
import type { Kept } from './kept.ts'
import { formField } from './multipart.ts'
import { openaiError, SUCCESS_HEADERS } from './reply.ts'
import type { Reply } from './reply.ts'

/** The calls over WebRTC that have begun, by account. */
export interface KeptCalls {
  /** Its id. */
  add(account: string): string
  has(account: string, id: string): boolean
}

/** The oldest go first. */
const MAX_CALLS = 10_000

/** Starts with none. */
export function createKeptCalls(nextId: (prefix: string) => string): KeptCalls {
  const calls = new Map<string, string>()
  return {
    add: (account) => {
      const id = nextId('rtc_')
      calls.set(id, account)
      const [oldest] = calls.keys()
      if (calls.size > MAX_CALLS && oldest !== undefined) calls.delete(oldest)
      return id
    },
    has: (account, id) => calls.get(id) === account,
  }
}

/** What answers an offer; no media follows. */
const ANSWER = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n'

/** Begins a call: 201, the answer, and where the call is (OpenAI, "Create call"). */
export function newCall(call: Call, kept: Kept, account: string): Reply {
  const { form, text } = call
  const sdp = text ?? (form && formField(form, 'sdp')) ?? ''
  if (!sdp.startsWith('v=0')) return openaiError(400, { message: 'Invalid SDP offer.', param: 'sdp' })
  const isSettled = /^bearer ek_/i.test(header(call, 'authorization'))
  const session = form && sessionIn(formField(form, 'session'))
  if (session === 'unreadable')
    return openaiError(400, { message: "Invalid 'session': no JSON object.", param: 'session' })
  if (!isSettled && (session === undefined || session === '') && call.query.get('model') === null)
    return openaiError(400, { message: 'You must provide a model parameter.', param: 'session.model' })
  const location = `/v1/realtime/calls/${kept.calls.add(account)}`
  const headers = { 'content-type': 'application/sdp', location, ...SUCCESS_HEADERS }
  return { status: 201, headers, chunks: [ANSWER] }
}

/** The model that it names, or that it is none. */
function sessionIn(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  try {
    const session: unknown = JSON.parse(text)
    return isJsonObject(session) ? textOf(session['model']) : 'unreadable'
  } catch {
    return 'unreadable' // Whatever else it is.
  }
}
