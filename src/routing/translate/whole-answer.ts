import { asGatewayError } from '../../core/failure.ts'
import type { StreamSink, WireResponse } from '../road.ts'

/** An answer that must be read whole to be translated. */
export const MAX_WHOLE_BYTES = 64 * 1024 * 1024

/** What a client gets in place of the provider's answer. */
export interface Written {
  readonly type: string
  readonly bytes: Buffer
}

/** What becomes of an answer once it is whole. */
export interface WholeAnswer {
  /** What the client gets for the last 2xx. @throws GatewayError what is wrong with it */
  readonly write: (response: WireResponse) => Written
  /**
   * The last answer of a call that takes several requests, undefined where somebody else tells the client; absent: the
   * first is the last.
   */
  readonly lastOf?: (first: WireResponse) => Promise<WireResponse | undefined>
}

/** Collects a 2xx answer (the limits bound it) and hands on what is written of it. Refusals pass as they are. */
export function wholeSink(sink: StreamSink, { write, lastOf }: WholeAnswer): StreamSink {
  const chunks: Buffer[] = []
  let head: Omit<WireResponse, 'body'> | undefined
  const isGood = (): boolean => head !== undefined && isOk(head)
  const broken = (error: unknown): void => sink.fail(asGatewayError(error))
  /** What it throws must not reach the network's code: it ends this answer only. */
  const finish = (response: WireResponse): void => {
    try {
      if (isOk(response)) {
        const { type, bytes } = write(response)
        const { 'content-encoding': _, ...headers } = response.headers
        // What the provider says of its own request, 201 for one that made a job, is not said of the client's.
        sink.head(200, {
          ...headers,
          'content-type': type,
          'content-length': String(bytes.length),
        })
        sink.data(bytes)
      } else {
        sink.head(response.status, response.headers)
        sink.data(Buffer.from(response.body))
      }
      sink.end()
    } catch (error) {
      broken(error)
    }
  }
  return {
    head: (status, headers) => {
      head = { status, headers }
      if (!isGood()) sink.head(status, headers)
    },
    data: (chunk) => {
      if (!isGood()) return sink.data(chunk)
      chunks.push(chunk)
      return true
    },
    end: () => {
      const good = isGood() ? head : undefined
      if (good === undefined) {
        sink.end()
        return
      }
      const first = { ...good, body: Buffer.concat(chunks) }
      if (lastOf === undefined) finish(first)
      else lastOf(first).then((last) => (last === undefined ? undefined : finish(last)), broken)
    },
    fail: broken,
  }
}

/** Is it a 2xx? */
export function isOk({ status }: Pick<WireResponse, 'status'>): boolean {
  return status >= 200 && status < 300
}
