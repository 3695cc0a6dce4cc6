import { asGatewayError } from '../../core/failure.ts'
import { refusalOf, start } from '../../providers/call.ts'
import { createCopyHeaders, successHeaders } from '../answer/answer-head.ts'
import type { AnswerHeaders } from '../answer/answer-head.ts'
import { explain } from '../answer/explain.ts'
import type { RelayAnswer } from '../answer/relay-answer.ts'
import type { Limits, Stream, WireRequest, WireResponse } from '../road.ts'
import type { Try } from '../journey/several-tries.ts'

/** Longer error texts are read no further. */
const MAX_ERROR_BYTES = 64 * 1024

/**
 * Passes a file's bytes on as they come. Resolves with the head that the client gets; what goes wrong later is told to
 * it, and what goes wrong before rejects; `refused` is told how the provider said no.
 */
export function passContent(
  { line, route, detours }: Try,
  wire: WireRequest,
  limits: Limits,
  answer: RelayAnswer,
  runs: (stream: Stream) => void,
  refused: (response: WireResponse) => void = () => {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const kept: Buffer[] = []
    let head: { readonly status: number; readonly headers: AnswerHeaders } | undefined
    let passed = 0
    let refusedBytes = 0
    const isGood = (): boolean => head !== undefined && head.status >= 200 && head.status < 300
    runs(
      start(line, wire, limits, {
        head: (status, headers) => {
          head = { status, headers }
          if (!isGood()) return
          const own = { ...successHeaders(route, detours), ...described(headers) }
          // What goes wrong from here on is told to the client.
          resolve()
          answer.head(status, own, createCopyHeaders()(headers, line.redact))
        },
        data: (chunk) => {
          if (!isGood()) {
            if (refusedBytes < MAX_ERROR_BYTES) kept.push(chunk)
            refusedBytes += chunk.length
            return true
          }
          passed += chunk.length
          return answer.data(chunk)
        },
        end: () => {
          if (isGood()) answer.end({ bytes: passed })
          else if (head !== undefined) {
            const response = { ...head, body: Buffer.concat(kept) }
            refused(response)
            reject(refusalOf(line, response))
          }
        },
        fail: (error) => {
          if (isGood()) answer.fail(explain(line, asGatewayError(error)), route)
          else reject(error)
        },
      }),
    )
  })
}

/** What a file's bytes are. */
const CONTENT_HEADERS = ['content-type', 'content-length', 'content-disposition', 'content-encoding'] as const
const WRITABLE = /^[\t\u0020-\u007e]{1,512}$/

function described(upstream: AnswerHeaders): AnswerHeaders {
  return Object.fromEntries(
    CONTENT_HEADERS.flatMap((name) => {
      const value = upstream[name]
      return value === undefined || !WRITABLE.test(value) ? [] : [[name, value]]
    }),
  )
}
